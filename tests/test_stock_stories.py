"""Stock as shops and buyers meet it: two accounts and the shop sell the same goods, over the real doors."""

from datetime import timedelta
from typing import Any

import pytest

from infra.twins.ozon import Ozon
from infra.world import World
from tests.asking import Shop
from tests.happenings import happened
from tests.market_accounts import TOKEN, account, as_door, imported, twin_of
from vestnik.flows import accounts, stock_fbo

OTHER = "feed-two"


@pytest.fixture(autouse=True)
def anew(world: World) -> None:
    world.reset()


def tell(shop: Shop, **quantities: int) -> None:
    rows = [{"item": item, "warehouse": "main", "quantity": n} for item, n in quantities.items()]
    assert shop.put("stock", {"rows": rows}).json()["bad"] == 0


@pytest.fixture
def open_shop(shop: Shop) -> Shop:
    """Two accounts that sell the shop's tea, connected and in step."""
    for id, token in (("one", TOKEN), ("two", OTHER)):
        account(shop, id, token)
        twin_of(shop.world).add_product("TEA", "TEA", stock=9, account=token)
        twin_of(shop.world).add_product("CARD", stock=7, account=token)
    tell(shop, TEA=5)
    for id in ("one", "two"):
        imported(shop, id)
        assert shop.put(f"links/{id}/TEA", {"mode": "kit", "parts": [{"item": "TEA", "quantity": 1}]}).status == 200
        answer = shop.post(f"accounts/{id}/connect", {})
        assert answer.status in (200, 202), answer.text
    rest(shop)
    return shop


def rest(shop: Shop, **time: float) -> None:
    shop.world.advance(timedelta(**(time or {"minutes": 6})))


def shown(shop: Shop, unit: str = "TEA") -> list[int]:
    return [twin_of(shop.world).stock_of(unit, account=token) for token in (TOKEN, OTHER)]


def test_what_is_connected_shows_the_shops_stock_and_unlinked_cards_stay_as_they_are(open_shop: Shop) -> None:
    assert shown(open_shop) == [5, 5]
    assert shown(open_shop, "CARD") == [7, 7]


def test_a_sale_at_one_account_is_off_the_other_within_a_minute_or_so(open_shop: Shop) -> None:
    twin_of(open_shop.world).sell("TEA", 2, account=TOKEN)
    rest(open_shop, minutes=2)
    assert shown(open_shop) == [3, 3]
    held = open_shop.get("stock/TEA").json()
    assert (held["on_hand"], held["held"], held["available"]) == (5, 2, 3)


def test_an_order_in_the_shop_is_off_every_account_at_once(open_shop: Shop) -> None:
    happened(open_shop, "o1", "order.placed", order={"id": "o1", "items": [{"sku": "TEA", "quantity": 4}]})
    rest(open_shop, seconds=10)
    assert shown(open_shop) == [1, 1]
    happened(open_shop, "o2", "order.cancelled", order={"id": "o1"})
    rest(open_shop, seconds=10)
    assert shown(open_shop) == [5, 5]


def test_the_shops_order_made_from_a_marketplaces_is_the_same_hold(open_shop: Shop) -> None:
    number = twin_of(open_shop.world).sell("TEA", 2, account=TOKEN)
    rest(open_shop, minutes=2)
    of: dict[str, Any] = {"account": "one", "number": number}
    order = {"id": "o1", "origin": "feed", "marketplace": of, "items": [{"sku": "TEA", "quantity": 2}]}
    happened(open_shop, "o1", "order.placed", order=order)
    rest(open_shop, minutes=2)
    found = open_shop.get("stock/TEA").json()
    assert [one["order"] for one in found["orders"]] == [f"one:{number}"]
    assert found["orders"][0]["known"]
    assert shown(open_shop) == [3, 3]


def test_what_a_unit_shows_is_told_with_how_it_comes_about(open_shop: Shop) -> None:
    unit, _ = open_shop.get("stock/TEA").json()["units"]
    (place,) = unit["warehouses"]
    assert (unit["account"], unit["unit"]) == ("one", "TEA")
    assert (place["desired"], place["sent"], place["error"]) == (5, 5, None)
    assert place["how"]["parts"] == [{"item": "TEA", "needs": 1, "on_hand": 5, "held": 0, "available": 5}]


def test_a_sync_by_hand_puts_right_what_somebody_changed_there(open_shop: Shop) -> None:
    twin_of(open_shop.world).shop(OTHER).items["TEA"]["quantity"] = 3
    open_shop.post("stock/sync", {"item": "TEA"})
    rest(open_shop, seconds=10)
    assert shown(open_shop) == [5, 5]
    tell(open_shop, TEA=4)
    assert open_shop.post("stock/sync", {"all": True}).json()["accounts"] == ["one", "two"]
    rest(open_shop, seconds=10)
    assert shown(open_shop) == [4, 4]


def test_what_lies_at_ozon_is_shown_beside_and_never_sent(shop: Shop) -> None:
    twin = shop.world.markets["ozon"]
    assert isinstance(twin, Ozon)
    cabinet = twin.add_account("77001", "key-1")
    twin.add_product("TEA", "TEA", account="77001")
    twin.add_fbo_stock("TEA", 1001, 40, account="77001")
    told = {"client_id": "77001", "api_key": "key-1"}
    assert shop.put("accounts/oz", {"marketplace": "ozon", "credentials": told}).status == 200
    tell(shop, TEA=5)
    imported(shop, "oz")
    assert shop.put("links/oz/TEA", {"mode": "kit", "parts": [{"item": "TEA", "quantity": 1}]}).status == 200
    assert shop.post("accounts/oz/connect", {}).status == 200
    rest(shop)
    with as_door(shop.world):
        found = accounts.load("demo", "oz", shop.world.now())
        assert found is not None
        assert stock_fbo.read(found, shop.world.now()) == 1
    (unit,) = shop.get("stock/TEA").json()["units"]
    assert [(one["warehouse"], one["quantity"]) for one in unit["fbo"]] == [("1001", 40)]
    (place,) = unit["warehouses"]
    assert (place["desired"], place["sent"], place["error"]) == (5, 5, None)
    assert cabinet.pile("TEA", int(place["warehouse"])).present == 5


def test_the_doors_call_nothing_that_the_map_does_not_grant(world: World) -> None:
    assert world.refused_grants() == set()


def test_staff_hear_once_that_an_item_runs_low(open_shop: Shop) -> None:
    def alerts() -> list[Any]:
        told = open_shop.get("messages?day=2026-11-20&channel=telegram&limit=200").json()["items"]
        return [message for message in told if message["type"] == "marketplace.stock_low"]

    placed = {"id": "o1", "items": [{"sku": "TEA", "quantity": 2}]}
    happened(open_shop, "o1", "order.placed", order=placed)
    rest(open_shop, minutes=2)
    assert len(alerts()) == 1
    happened(open_shop, "o1-again", "order.placed", order=placed)
    tell(open_shop, TEA=5)
    rest(open_shop, minutes=2)
    assert len(alerts()) == 1
