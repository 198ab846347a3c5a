"""What a shop asks for of an order, over the API, at every marketplace's twin: packed, handed over, cancelled; and the
orders for which nothing may be asked."""

from datetime import timedelta
from typing import Any

import pytest

from infra.twins.ozon import Ozon
from infra.twins.wildberries import Wildberries
from infra.twins.yandex_market import YandexMarketTwin
from infra.world import World, marketplaces
from infra.world.cabinets import Cabinet
from tests.asking import Shop, problem

TEA, HONEY, CUPS = "TEA-ASSAM-250", "HONEY-500", "CUP-SET-6"
REASONS = {"ozon": "352"}


@pytest.fixture(scope="module")
def cabinets(world: World) -> dict[str, Cabinet]:
    """One connected cabinet at every marketplace, whose stock is there."""
    found = {one.marketplace: one for one in marketplaces.seed(world, marketplaces.small(world, 1))}
    world.advance(timedelta(minutes=6))
    return found


def _sell(world: World, cabinet: Cabinet, article: str, quantity: int = 1) -> str:
    """A buyer orders; the posting's id here, once it is known."""
    number = cabinet.counter.sell(article, quantity)
    assert number is not None, f"{cabinet.account} shows no {article}"
    world.advance(timedelta(minutes=1))
    return f"{cabinet.account}:{number}"


def _ask(shop: Shop, ids: list[str], status: str, **more: Any) -> list[dict[str, Any]]:
    answer = shop.post("marketplace-orders/changes", {"status": status, "orders": ids, **more})
    assert answer.status == 202, answer.text
    assert [one for one in answer.json()["items"] if one["problem"]] == []
    shop.world.advance(timedelta(minutes=1))
    return [shop.get(f"marketplace-orders/{id}").json() for id in ids]


def _states(found: list[dict[str, Any]]) -> set[tuple[str, str]]:
    return {(one["status"], one["operation"]["state"]) for one in found}


@pytest.mark.parametrize("marketplace", ["ozon", "wildberries", "yandex_market"])
def test_orders_are_packed_handed_over_and_taken(
    world: World, shop: Shop, cabinets: dict[str, Cabinet], marketplace: str
) -> None:
    ids = [_sell(world, cabinets[marketplace], article) for article in (TEA, HONEY)]
    assert _states(_ask(shop, ids, "packed")) == {("packed", "done")}
    handed = _ask(shop, ids, "handed_over")
    assert {one["operation"]["state"] for one in handed} == {"done"}, [one["operation"] for one in handed]
    assert len({one["supply"] for one in handed}) == 1
    assert all(one["supply"] for one in handed)
    assert _is_handed_over(world, marketplace, handed[0]["supply"])
    for id in ids:
        cabinets[marketplace].counter.take(id.partition(":")[2])
    world.advance(timedelta(minutes=1))
    after = [shop.get(f"marketplace-orders/{id}").json() for id in ids]
    assert {(one["status"], one["left"]) for one in after} == {("shipped", True)}


def _is_handed_over(world: World, marketplace: str, supply: str) -> bool:
    """Whether the twin has it so."""
    match world.markets[marketplace]:
        case Ozon() as ozon:
            found = [one.carriages[int(supply)] for one in ozon.accounts.values() if int(supply) in one.carriages]
            return found[0].status == "formed"
        case Wildberries() as wb:
            kept = next(one.supplies[supply] for one in wb.sellers.values() if supply in one.supplies)
            return kept.closed is not None and kept.shipping is not None
        case YandexMarketTwin() as yandex:
            taken = [one.shipments[int(supply)] for one in yandex.accounts.values() if int(supply) in one.shipments]
            return taken[0].status == "OUTBOUND_CONFIRMED"
    return False


@pytest.mark.parametrize("marketplace", ["ozon", "wildberries", "yandex_market", "feed"])
def test_an_order_is_cancelled_with_a_reason_and_its_goods_are_free(
    world: World, shop: Shop, cabinets: dict[str, Cabinet], marketplace: str
) -> None:
    before = _held(shop, CUPS)
    id = _sell(world, cabinets[marketplace], CUPS)
    assert _held(shop, CUPS) == before + 1
    assert _states(_ask(shop, [id], "cancelled", reason=REASONS.get(marketplace))) == {("cancelled", "done")}
    assert _held(shop, CUPS) == before
    problem(shop.post(f"marketplace-orders/{id}/status", {"status": "packed"}), 422, "closed")


@pytest.mark.parametrize(("grant", "status"), [(True, "cancelled"), (False, "shipped")])
def test_a_buyers_wish_to_cancel_what_has_left_is_answered(
    world: World, shop: Shop, cabinets: dict[str, Cabinet], *, grant: bool, status: str
) -> None:
    cabinet = cabinets["yandex_market"]
    id = _sell(world, cabinet, HONEY)
    wish, number = f"marketplace-orders/{id}/cancellation", id.partition(":")[2]
    problem(shop.post(wish, {"grant": True}), 422, "not-asked")
    cabinet.counter.take(number)
    cabinet.counter.cancel(number)
    world.advance(timedelta(minutes=1))
    assert shop.get(f"marketplace-orders/{id}").json()["cancel_requested"]["deadline"]
    (missing,) = problem(shop.post(wish, {"grant": False}), 422, "invalid")["errors"]
    assert (missing["where"], "ORDER_IN_DELIVERY" in missing["expected"]) == ("/reason", True)
    assert shop.post(wish, {"grant": grant, "reason": "ORDER_IN_DELIVERY"}).status == 202
    world.advance(timedelta(minutes=1))
    found = shop.get(f"marketplace-orders/{id}").json()
    assert (found["operation"]["state"], found["status"], found["cancel_requested"]) == ("done", status, None)


def test_where_buyers_cancel_by_themselves_there_is_no_wish_to_answer(
    world: World, shop: Shop, cabinets: dict[str, Cabinet]
) -> None:
    id = _sell(world, cabinets["ozon"], HONEY)
    problem(shop.post(f"marketplace-orders/{id}/cancellation", {"grant": True}), 422, "no-operation")


def _held(shop: Shop, item: str) -> int:
    """How many of an item orders at marketplaces take that have not left."""
    orders = shop.get(f"stock/{item}").json()["orders"]
    return sum(one["quantity"] for one in orders if not one.get("gone"))


def test_a_reason_that_ozon_does_not_know_is_refused_at_once_with_those_it_does(
    world: World, shop: Shop, cabinets: dict[str, Cabinet]
) -> None:
    id = _sell(world, cabinets["ozon"], TEA)
    wish = {"status": "cancelled", "reason": "1"}
    (fault,) = problem(shop.post(f"marketplace-orders/{id}/status", wish), 422, "invalid")["errors"]
    assert [key for key in ("352", "400", "402") if key not in fault["expected"]] == []
    assert shop.get(f"marketplace-orders/{id}").json()["operation"] is None
    assert _states(_ask(shop, [id], "cancelled", reason="400")) == {("cancelled", "done")}


def test_ozon_is_told_what_lies_in_which_box(world: World, shop: Shop, cabinets: dict[str, Cabinet]) -> None:
    id = _sell(world, cabinets["ozon"], TEA, 2)
    (line,) = shop.get(f"marketplace-orders/{id}").json()["lines"]
    box = {"lines": [{"line": line["line"], "quantity": 1}]}
    assert _ask(shop, [id], "packed", boxes=[box, box])
    world.advance(timedelta(minutes=1))
    order = id.partition(":")[2].rpartition("-")[0]
    there = [one for one in shop.get("marketplace-orders?scheme=FBS").json()["items"] if order in one["number"]]
    assert sum(line["quantity"] for one in there for line in one["lines"]) >= 2
    assert len(there) == 2


def test_an_assembling_that_failed_is_tried_again(world: World, shop: Shop, cabinets: dict[str, Cabinet]) -> None:
    twin = world.markets["ozon"]
    assert isinstance(twin, Ozon)
    id = _sell(world, cabinets["ozon"], TEA)
    there = next(one for one in twin.accounts.values() if id.partition(":")[2] in one.orders)
    there.ship_fails, there.ship_takes = 2, timedelta(seconds=20)
    try:
        _ask(shop, [id], "packed")
        world.advance(timedelta(minutes=3))
    finally:
        there.ship_fails, there.ship_takes = 0, timedelta(0)
    found = shop.get(f"marketplace-orders/{id}").json()
    assert _states([found]) == {("packed", "done")}, found["operation"]


def test_a_split_keeps_its_parent_and_its_goods_are_held_once(
    world: World, shop: Shop, cabinets: dict[str, Cabinet]
) -> None:
    before = _held(shop, HONEY)
    id = _sell(world, cabinets["ozon"], HONEY, 3)
    line = shop.get(f"marketplace-orders/{id}").json()["lines"][0]["line"]
    packages = [{"lines": [{"line": line, "quantity": n}]} for n in (1, 2)]
    parent = _ask(shop, [id], "packed", given={"packages": packages})[0]
    assert parent["status"] == "packed"
    listed = shop.get("marketplace-orders?account=ozon-1&limit=200").json()["items"]
    parts = [one for one in listed if one["parent"] == id.partition(":")[2]]
    assert len(parts) == 1
    assert {line["quantity"] for line in parts[0]["lines"]} | {line["quantity"] for line in parent["lines"]} == {1, 2}
    whole = [shop.get(f"marketplace-orders/{one}").json() for one in (id, parts[0]["id"])]
    assert sum(one["holds"][HONEY] for one in whole) == 3
    assert _held(shop, HONEY) == before + 3


def test_a_test_order_of_yandex_is_shown_and_never_held_nor_packed(
    world: World, shop: Shop, cabinets: dict[str, Cabinet]
) -> None:
    twin = world.markets["yandex_market"]
    assert isinstance(twin, YandexMarketTwin)
    before = _held(shop, TEA)
    number = twin.sell(TEA, 2, account=next(iter(twin.accounts)), fake=True)
    world.advance(timedelta(minutes=1))
    id = f"{cabinets['yandex_market'].account}:{number}"
    found = shop.get(f"marketplace-orders/{id}").json()
    assert (found["fake"], found["holds"]) == (True, {})
    assert _held(shop, TEA) == before
    problem(shop.post(f"marketplace-orders/{id}/status", {"status": "packed"}), 422, "fake")


def test_an_order_of_an_unlinked_unit_waits_and_goes_on_when_it_is_linked(
    world: World, shop: Shop, cabinets: dict[str, Cabinet]
) -> None:
    twin = world.markets["ozon"]
    assert isinstance(twin, Ozon)
    next(iter(twin.accounts.values())).add_product("NOBODY-KNOWS", name="A present", stock=5)
    id = _sell(world, cabinets["ozon"], "NOBODY-KNOWS", 2)
    assert shop.get(f"marketplace-orders/{id}").json()["held_up"] == "unlinked"
    assert [one["id"] for one in shop.get("marketplace-orders?unlinked=true").json()["items"]] == [id]
    assert any("NOBODY-KNOWS" in str(item) or "A present" in str(item) for item in world.outbox)
    problem(shop.post(f"marketplace-orders/{id}/status", {"status": "packed"}), 422, "unlinked")
    assert shop.post("products/import", {"account": "ozon-1"}).status == 202
    world.settle()
    before = _held(shop, TEA)
    link = {"mode": "kit", "parts": [{"item": TEA, "quantity": 1}]}
    answer = shop.put("links/ozon-1/NOBODY-KNOWS", link)
    assert answer.status == 200, answer.text
    world.settle()
    found = shop.get(f"marketplace-orders/{id}").json()
    assert (found["held_up"], found["holds"]) == (None, {TEA: 2})
    assert _held(shop, TEA) == before + 2
    assert _states(_ask(shop, [id], "packed")) == {("packed", "done")}


def test_what_ozon_and_yandex_ship_themselves_is_shown_and_never_held_nor_operated(
    world: World, shop: Shop, cabinets: dict[str, Cabinet]
) -> None:
    ozon, yandex = world.markets["ozon"], world.markets["yandex_market"]
    assert isinstance(ozon, Ozon)
    assert isinstance(yandex, YandexMarketTwin)
    there, market = next(iter(ozon.accounts.values())), next(iter(yandex.accounts.values()))
    ozon.add_fbo_stock(TEA, 77, 5)
    market.add_warehouse(88, market.add_campaign(21_999, "FBY").id)
    settings = {**cabinets["yandex_market"].settings, "fby_campaign": 21_999}
    body = {"marketplace": "yandex_market", "name": "Market", "settings": settings}
    assert shop.put("accounts/yandex_market-1", body).status == 200
    before = _held(shop, TEA)
    market.shelf(88, TEA).available = 5
    ids = [f"ozon-1:{there.sell_fbo(TEA, 2, 77)}", f"yandex_market-1:{market.sell(TEA, 2, 88)}"]
    told = len(world.outbox)
    world.advance(timedelta(minutes=16))
    found = [shop.get(f"marketplace-orders/{id}").json() for id in ids]
    assert [(one["scheme"], one["works"], one["holds"]) for one in found] == [("FBO", "read", {}), ("FBY", "read", {})]
    assert _held(shop, TEA) == before
    assert {one["id"] for one in shop.get("marketplace-orders?scheme=FBO").json()["items"]} == {ids[0]}
    for id, number in zip(ids, (id.partition(":")[2] for id in ids), strict=True):
        assert not [item for item in world.outbox[told:] if number in str(item)]
        problem(shop.post(f"marketplace-orders/{id}/status", {"status": "packed"}), 422, "scheme")


def test_the_doors_call_nothing_that_the_map_does_not_grant(world: World, cabinets: dict[str, Cabinet]) -> None:
    assert not world.doors.failures
    assert not world.refused_grants()
