"""Orders of Wildberries that are not FBS, in the whole house: in the one list, held or only shown, never operated."""

from datetime import timedelta
from typing import Any

import pytest

from infra.twins.wildberries import Wildberries
from infra.world import World, marketplaces
from infra.world.cabinets import Cabinet
from tests import market_accounts
from tests.asking import Shop, problem

TEA, HONEY, CUPS = "TEA-ASSAM-250", "HONEY-500", "CUP-SET-6"
WB, OZON = "wildberries-1", "ozon-1"


@pytest.fixture(scope="module")
def twin(world: World) -> Wildberries:
    return market_accounts.twin(world, "wildberries", Wildberries)


@pytest.fixture(scope="module")
def cabinets(world: World, shop: Shop, twin: Wildberries) -> dict[str, Cabinet]:
    """Wildberries and Ozon, connected and stocked. The account at Wildberries says that it sells by all schemes."""
    plan = marketplaces.small(world, 1)
    plan["accounts"] = [one for one in plan["accounts"] if one["account"] in (WB, OZON)]
    found = {one.account: one for one in marketplaces.seed(world, plan)}
    _schemes(shop, found[WB], "FBS", "DBS", "EDBS", "DBW", "pickup", "FBW")
    world.advance(timedelta(minutes=6))
    return found


def _schemes(shop: Shop, cabinet: Cabinet, *schemes: str) -> None:
    body = shop.get(f"accounts/{cabinet.account}").json()
    told = {name: body[name] for name in ("marketplace", "name", "warehouses") if body.get(name)}
    answer = shop.put(f"accounts/{cabinet.account}", {**told, "settings": cabinet.settings, "schemes": list(schemes)})
    assert answer.status == 200, answer.text


def _unit(cabinets: dict[str, Cabinet], article: str) -> int:
    units: dict[str, int] = cabinets[WB].counter.units  # type: ignore[attr-defined]
    return units[article]


def _found(shop: Shop, number: str) -> dict[str, Any]:
    answer = shop.get(f"marketplace-orders/{WB}:{number}")
    assert answer.status == 200, answer.text
    found: dict[str, Any] = answer.json()
    return found


def _goes(world: World, **time: float) -> None:
    world.advance(timedelta(**time))


def test_an_order_that_the_seller_delivers_takes_its_goods_until_it_is_cancelled(
    world: World, shop: Shop, twin: Wildberries, cabinets: dict[str, Cabinet]
) -> None:
    before = cabinets[OZON].counter.shows(TEA)
    number = str(twin.sell(_unit(cabinets, TEA), account=WB, kind="dbs"))
    told = len(world.outbox)
    _goes(world, minutes=2)
    found = _found(shop, number)
    assert (found["scheme"], found["works"], found["status"], found["holds"]) == ("DBS", "shown", "new", {TEA: 1})
    assert found["theirs"] == {"supplierStatus": "new", "wbStatus": "waiting", "delivery": "dbs"}
    assert cabinets[OZON].counter.shows(TEA) == before - 1
    assert [one for one in world.outbox[told:] if number in str(one)]
    assert f"{WB}:{number}" in {one["id"] for one in shop.get("marketplace-orders?scheme=DBS").json()["items"]}
    for status in ("packed", "handed_over", "cancelled"):
        problem(shop.post(f"marketplace-orders/{WB}:{number}/status", {"status": status}), 422, "scheme")
    twin.advance(number, "confirm/waiting")
    _goes(world, minutes=1)
    assert _found(shop, number)["status"] == "confirmed"
    twin.cancel(number, "missed call")
    _goes(world, minutes=2)
    found = _found(shop, number)
    assert (found["status"], found["left"], found["holds"]) == ("cancelled", False, {})
    assert cabinets[OZON].counter.shows(TEA) == before


@pytest.mark.parametrize(
    ("kind", "scheme", "steps"),
    [
        ("edbs", "EDBS", [("deliver/waiting", "shipped", True), ("receive/sold", "delivered", True)]),
        ("dbw", "DBW", [("complete/waiting", "shipped", True), ("reject/canceled_by_client", "cancelled", True)]),
        (
            "pickup",
            "pickup",
            [("prepare/ready_for_pickup", "packed", False), ("reject/canceled_by_client", "cancelled", False)],
        ),
    ],
)
def test_every_kind_of_order_goes_its_own_way(
    world: World,
    shop: Shop,
    twin: Wildberries,
    cabinets: dict[str, Cabinet],
    kind: str,
    scheme: str,
    steps: list[tuple[str, str, bool]],
) -> None:
    number = str(twin.sell(_unit(cabinets, HONEY), account=WB, kind=kind))
    _goes(world, minutes=1)
    assert (_found(shop, number)["scheme"], _found(shop, number)["holds"]) == (scheme, {HONEY: 1})
    for theirs, status, left in steps:
        twin.advance(number, theirs)
        _goes(world, minutes=1)
        found = _found(shop, number)
        assert (found["status"], found["left"]) == (status, left)
    held = [one["id"] for one in shop.get(f"stock/{HONEY}").json()["orders"] if not one.get("gone")]
    assert f"{WB}:{number}" not in held


def test_a_parked_list_of_one_scheme_holds_up_neither_orders_nor_stock(
    world: World, shop: Shop, twin: Wildberries, cabinets: dict[str, Cabinet]
) -> None:
    meter, now = twin.sellers[WB].meters["dbs"], world.now()
    meter.every, kept = 300.0, meter.every  # type: ignore[union-attr]
    meter.burn(now, 100)  # type: ignore[union-attr]
    try:
        _goes(world, minutes=1)
        number = cabinets[WB].counter.sell(CUPS, 1)
        before = cabinets[OZON].counter.shows(CUPS)
        _goes(world, minutes=2)
        assert _found(shop, str(number))["holds"] == {CUPS: 1}
        assert cabinets[OZON].counter.shows(CUPS) == before - 1
        refused = [one for one in twin.calls if one.status == 429]
        assert {one.path for one in refused} == {"/api/v3/dbs/orders/new"}
        assert len(refused) <= 2
    finally:
        meter.every = kept  # type: ignore[union-attr]


def test_what_wildberries_ships_itself_is_shown_and_never_held_told_nor_operated(
    world: World, shop: Shop, twin: Wildberries, cabinets: dict[str, Cabinet]
) -> None:
    unit, shown = _unit(cabinets, TEA), cabinets[WB].counter.shows(TEA)
    before = shop.get(f"stock/{TEA}").json()["orders"]
    twin.add_fbw_stock(unit, 507, "Коледино", 5, account=WB)
    number = str(twin.sell_fbw(unit, 2, account=WB))
    told = len(world.outbox)
    _goes(world, minutes=31)
    found = _found(shop, number)
    assert (found["scheme"], found["works"], found["status"], found["holds"]) == ("FBW", "read", "confirmed", {})
    assert (found["total"], found["lines"][0]["article"]) == (99_000, TEA)
    assert len(shop.get("marketplace-orders?scheme=FBW").json()["items"]) == 2
    assert shop.get(f"stock/{TEA}").json()["orders"] == before
    assert cabinets[WB].counter.shows(TEA) == shown
    problem(shop.post(f"marketplace-orders/{WB}:{number}/status", {"status": "cancelled"}), 422, "scheme")
    twin.cancel(number)
    _goes(world, minutes=31)
    assert _found(shop, number)["status"] == "cancelled"
    assert not [one for one in world.outbox[told:] if number in str(one)]


def test_the_doors_call_nothing_that_the_map_does_not_grant(world: World, cabinets: dict[str, Cabinet]) -> None:
    assert not world.doors.failures
    assert not world.refused_grants()
