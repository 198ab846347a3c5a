"""The drill: a marketplace changes its API over night, and the shop goes on; by itself, or mended over the API alone.

The shop begins with the definitions of that time (tests/data/old_definitions), and the twins answer as of that day.
Ozon switches `/v3/posting/fbs/list` off for `/v4/...`. Wildberries renames `sku` to `chrtId`, and answers 204 to who
still writes the old name: nothing but reading back shows it.
"""

import json
from collections.abc import Iterator
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from infra.world import World
from tests.asking import Shop
from tests.market_accounts import as_door, imported, stock
from vestnik.flows import stock_keep
from vestnik.store import postings

OLD = Path(__file__).parent / "data" / "old_definitions"
THEN = datetime(2026, 2, 5, 8, 0, tzinfo=UTC)
V3, V4 = "/v3/posting/fbs/list", "/v4/posting/fbs/list"
UNITS = [str(unit) for unit in range(501, 507)]
WAREHOUSE = 7


@pytest.fixture(scope="module")
def world() -> Iterator[World]:
    with World(start=THEN) as opened:
        yield opened


@pytest.fixture(autouse=True)
def then(world: World) -> None:
    world.reset()
    for twin in world.markets.values():
        twin.dated = THEN.date()


def old(marketplace: str, name: str) -> dict[str, Any]:
    found: dict[str, Any] = json.loads((OLD / marketplace / f"{name}.json").read_text("utf-8"))
    return found


def put_in_force(shop: Shop, definition: dict[str, Any]) -> None:
    id = definition["id"]
    written = shop.put(f"requests/{id}", {"definition": definition})
    assert written.status == 200, written.text
    assert shop.post(f"requests/{id}/publish").status == 200


def tried(shop: Shop, id: str, **told: Any) -> dict[str, Any]:
    answer = shop.post(f"requests/{id}/test", told)
    assert answer.status == 200, answer.text
    found: dict[str, Any] = answer.json()
    return found


def alarms(world: World, words: str) -> list[str]:
    return [item["text"] for item in world.outbox if item["channel"] == "telegram" and words in item["text"]]


# Ozon: a method is switched off


def ozon(world: World, shop: Shop, **changes: Any) -> Any:
    """A connected cabinet whose orders are listed by the old method."""
    twin: Any = world.markets["ozon"]
    cabinet = twin.add_account("100", "key-1")
    for unit in ("TEA", "POT"):
        twin.add_product(unit, name=unit, price=9_900, stock=20)
    put_in_force(shop, old("ozon", "orders.list.v3") | changes)
    keys = {"client_id": cabinet.client_id, "api_key": cabinet.api_key}
    written = shop.put("accounts/ozon", {"marketplace": "ozon", "name": "Ozon", "credentials": keys})
    assert written.status == 200, written.text
    stock(shop, TEA=10, POT=6)
    imported(shop, "ozon")
    connect(shop, "ozon")
    return twin


def connect(shop: Shop, account: str) -> None:
    assert shop.post("links/auto", {"account": account}).status == 200
    assert shop.post(f"accounts/{account}/connect", {}).status == 200
    shop.world.advance(timedelta(minutes=6))


def switched_off(twin: Any) -> None:
    """The night: the old method is gone, the new one is there."""
    twin.off.add(V3)
    twin.dated = date(2026, 9, 1)


def arrived(world: World, *numbers: str) -> list[bool]:
    with as_door(world):
        return [postings.get("demo", "ozon", number) is not None for number in numbers]


def asked(twin: Any, path: str) -> int:
    return sum(1 for called in twin.calls if called.path == path and called.status == 200)


def test_ozons_orders_go_on_by_the_replacement_with_nobody_there(world: World, shop: Shop) -> None:
    twin = ozon(world, shop)
    before = twin.sell("TEA", 2)
    world.advance(timedelta(minutes=2))
    assert arrived(world, before) == [True]
    assert (asked(twin, V3) > 0, asked(twin, V4)) == (True, 0)
    switched_off(twin)
    after = twin.sell("POT", 1)
    world.advance(timedelta(minutes=7))
    assert arrived(world, before, after) == [True, True]
    assert asked(twin, V4) > 0
    assert (twin.stock_of("TEA"), twin.stock_of("POT")) == (8, 5)
    assert shop.get("requests/ozon.orders.list.v3").json()["health"]["state"] == "replaced"
    assert len(alarms(world, "Its replacement is in force now: ozon.orders.list.v4")) == 1


def test_ozons_orders_catch_up_once_a_person_has_mended_the_call_over_the_api(world: World, shop: Shop) -> None:
    twin = ozon(world, shop, replaced_by=None)
    switched_off(twin)
    sold = [twin.sell("TEA", 2), twin.sell("POT", 1), twin.sell("TEA", 1)]
    world.advance(timedelta(minutes=3))
    assert arrived(world, *sold) == [False, False, False]
    assert len(alarms(world, "please mend the definition (ozon.orders.list.v3)")) == 1

    id = "ozon.orders.list.v3"
    mended = shop.get(f"requests/{id}").json()["definition"]
    mended |= {
        "path": V4,
        "paging": {"style": "cursor", "limit": 100, "next": "cursor", "more": "has_next"},
        "items": "postings",
        "body": mended["body"]
        .replace("dir: 'asc'", "sort_dir: 'ASC'")
        .replace("offset: page.offset", "cursor: page.cursor"),
        "answer": mended["answer"]
        .replace("products[0].currency_code", "products[0].price.currency")
        .replace("minor(price)", "minor(price.amount)"),
    }
    assert shop.put(f"requests/{id}", {"definition": mended}).status == 200
    given = {"since": "2026-02-05T07:00:00Z", "until": "2026-02-05T09:00:00Z"}
    seen = tried(shop, id, account="ozon", given=given)
    assert (seen["outcome"], sorted(one["number"] for one in seen["items"])) == ("ok", sorted(sold))
    where = [one["where"] for one in shop.get(f"requests/{id}/diff").json()["items"]]
    assert "/path" in where
    assert shop.post(f"requests/{id}/publish").status == 200

    world.advance(timedelta(minutes=7))
    assert arrived(world, *sold) == [True, True, True]
    assert (twin.stock_of("TEA"), twin.stock_of("POT")) == (7, 5)
    assert shop.get(f"requests/{id}").json()["health"]["state"] == "ok"


# Wildberries: a field is renamed, and the old name is answered as if all were well


def wildberries(world: World, shop: Shop, **changes: Any) -> Any:
    """A connected cabinet whose stock is written and read by barcode."""
    twin: Any = world.markets["wildberries"]
    twin.add_warehouse(WAREHOUSE, "Sofia")
    for unit in UNITS:
        twin.add_product(unit, f"A-{unit}", f"Tea {unit}", unit)
    for name in ("stock.read", "stock.write"):
        put_in_force(shop, old("wildberries", name) | changes)
    told = {"marketplace": "wildberries", "name": "WB", "settings": {"token_type": "personal"}}
    written = shop.put("accounts/wb", {**told, "credentials": {"token": twin.token}})
    assert written.status == 200, written.text
    imported(shop, "wb")
    tell(shop, 10)
    for unit in UNITS:
        link(shop, unit)
    connect(shop, "wb")
    return twin


def tell(shop: Shop, quantity: int) -> None:
    rows = [{"item": f"I{unit}", "warehouse": "main", "quantity": quantity} for unit in UNITS]
    with as_door(shop.world, "manage-shop"):
        stock_keep.keep("demo", rows, shop.world.now())


def link(shop: Shop, unit: str) -> None:
    body = {"mode": "kit", "parts": [{"item": f"I{unit}", "quantity": 1}]}
    answer = shop.put(f"links/wb/{unit}", body)
    assert answer.status == 200, answer.text


def shown(twin: Any) -> set[int]:
    return {twin.stock_of(unit, WAREHOUSE) for unit in UNITS}


def test_wildberries_stock_goes_on_by_the_new_name_with_nobody_there(world: World, shop: Shop) -> None:
    twin = wildberries(world, shop)
    assert shown(twin) == {10}
    twin.dated = date(2026, 2, 9)
    tell(shop, 4)
    world.advance(timedelta(minutes=20))
    assert shown(twin) == {4}
    for name in ("stock.read.v1", "stock.write.v1"):
        assert shop.get(f"requests/wildberries.{name}").json()["health"]["state"] == "replaced"
    assert len(alarms(world, "Its replacement is in force now")) == 2


@pytest.mark.slow
def test_wildberries_stock_catches_up_once_a_person_has_mended_the_calls_over_the_api(world: World, shop: Shop) -> None:
    twin = wildberries(world, shop, replaced_by=None)
    twin.dated = date(2026, 2, 9)
    tell(shop, 4)
    world.advance(timedelta(minutes=12))
    assert shown(twin) == {10}
    assert len(alarms(world, "please mend the definition (wildberries.stock.read.v1)")) == 1

    row = {"unit": UNITS[0], "warehouse": str(WAREHOUSE), "quantity": 4}
    mend(
        shop,
        "wildberries.stock.read.v1",
        body="{chrtIds: rows[].integer(unit)}",
        answer="{unit: text(chrtId), quantity: amount}",
    )
    seen = tried(shop, "wildberries.stock.read.v1", account="wb", rows=[row])
    assert [(one["unit"], one["quantity"]) for one in seen["items"]] == [(UNITS[0], 10)]
    assert shop.post("requests/wildberries.stock.read.v1/publish").status == 200
    world.advance(timedelta(minutes=12))
    assert len(alarms(world, "please mend the definition (wildberries.stock.write.v1)")) == 1

    mend(shop, "wildberries.stock.write.v1", body="{stocks: rows[].{chrtId: integer(unit), amount: quantity}}")
    assert tried(shop, "wildberries.stock.write.v1", account="wb", rows=[row], write=True)["status"] == 204
    assert twin.stock_of(UNITS[0], WAREHOUSE) == 4
    assert shop.post("requests/wildberries.stock.write.v1/publish").status == 200
    world.advance(timedelta(minutes=12))
    assert shown(twin) == {4}
    tell(shop, 6)
    world.advance(timedelta(minutes=6))
    assert shown(twin) == {6}


def mend(shop: Shop, id: str, **changes: Any) -> None:
    definition = shop.get(f"requests/{id}").json()["definition"]
    written = shop.put(f"requests/{id}", {"definition": {**definition, **changes}})
    assert written.status == 200, written.text
