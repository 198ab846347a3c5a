"""Supplies at Wildberries, over the API: made, filled, told how they are brought, delivered; and in the wrong order."""

from datetime import timedelta

import pytest

from infra.twins.wildberries import Wildberries
from infra.world import World, marketplaces
from infra.world.cabinets import Cabinet
from tests.asking import Shop, problem

TEA = "TEA-ASSAM-250"
WAY = {"ship_on": "2026-11-21", "point": "100"}


@pytest.fixture(scope="module")
def cabinet(world: World) -> Cabinet:
    """A connected cabinet at Wildberries, whose settings name no point."""
    plan = marketplaces.small(world, 1)
    plan["accounts"] = [one for one in plan["accounts"] if one["marketplace"] == "wildberries"]
    found = marketplaces.open_all(world, plan)[0]
    found.settings.pop("shipping_point")
    found.settings["city"] = "Москва"
    marketplaces.tell(world, plan["stock"])
    marketplaces.bring_in(world, [found])
    world.advance(timedelta(minutes=6))
    return found


def _order(world: World, cabinet: Cabinet) -> str:
    number = cabinet.counter.sell(TEA, 1)
    assert number is not None
    world.advance(timedelta(minutes=1))
    return f"{cabinet.account}:{number}"


def _supply(shop: Shop, cabinet: Cabinet, name: str = "Friday") -> str:
    made = shop.post("supplies", {"account": cabinet.account, "name": name})
    assert made.status == 201, made.text
    assert made.json()["state"] == "open"
    return str(made.json()["id"])


def _advice(shop: Shop, path: str, body: object = None) -> tuple[str, str]:
    """What stands against it: the marketplace's word, and what to do."""
    told = problem(shop.post(path, body), 409, "supply-not-ready")
    return told["said"], told["detail"]


def test_a_supply_goes_from_its_making_to_the_marketplaces_hands(world: World, shop: Shop, cabinet: Cabinet) -> None:
    id, order = _supply(shop, cabinet), _order(world, cabinet)
    number = id.partition(":")[2]
    assert _advice(shop, f"supplies/{id}/deliver")[0] == "SupplyHasZeroOrders"
    assert shop.post(f"supplies/{id}/orders", {"orders": [order]}).json()["refused"] == {}
    world.advance(timedelta(minutes=1))
    posting = shop.get(f"marketplace-orders/{order}").json()
    assert (posting["status"], posting["supply"]) == ("packed", number)
    said, detail = _advice(shop, f"supplies/{id}/deliver")
    assert said == "SupplyShippingRequired"
    assert "/v1/supplies/{id}/shipping" in detail
    points = shop.get(f"supplies/{id}/shipping-points?ship_on=2026-11-21").json()["items"]
    assert WAY["point"] in {one["id"] for one in points}
    assert shop.post(f"supplies/{id}/shipping", WAY).status == 204
    assert [shop.post(f"supplies/{id}/deliver").status for _ in range(2)] == [204, 204]
    world.advance(timedelta(minutes=1))
    shown = shop.get(f"supplies/{id}").json()
    assert (shown["state"], shown["orders"], shown["theirs"]["done"]) == ("handed_over", [order], True)
    twin = world.markets["wildberries"]
    assert isinstance(twin, Wildberries)
    assert twin.status_of(order.partition(":")[2])["supplierStatus"] == "complete"
    assert shop.get(f"marketplace-orders/{order}").json()["left"] is True


def test_what_was_handed_over_takes_nothing_more(world: World, shop: Shop, cabinet: Cabinet) -> None:
    listed = shop.get(f"supplies?account={cabinet.account}").json()["items"]
    id = next(one["id"] for one in listed if one["state"] == "handed_over")
    order = _order(world, cabinet)
    problem(shop.post(f"supplies/{id}/orders", {"orders": [order]}), 409, "supply-closed")
    problem(shop.post(f"supplies/{id}/shipping", WAY), 409, "supply-closed")
    assert shop.get(f"marketplace-orders/{order}").json()["operation"] is None


def test_what_wildberries_does_not_take_says_what_would_be_right(world: World, shop: Shop, cabinet: Cabinet) -> None:
    id = _supply(shop, cabinet)
    assert _advice(shop, f"supplies/{id}/shipping", {**WAY, "ship_on": "2026-11-01"})[0] == "InvalidShippingDt"
    assert _advice(shop, f"supplies/{id}/shipping", {**WAY, "point": "9"})[0] == "IncorrectRequestBody"
    assert _advice(shop, f"supplies/{cabinet.account}:WB-GI-9/deliver")[0] == "NotFound"
    problem(shop.post(f"supplies/{id}/orders", {"orders": []}), 422, "invalid")
    strange = shop.post(f"supplies/{id}/orders", {"orders": ["other:1", f"{cabinet.account}:1"]}).json()["refused"]
    assert len(strange) == 2


def test_supplies_are_listed_and_those_made_by_packing_are_among_them(
    world: World, shop: Shop, cabinet: Cabinet
) -> None:
    order = _order(world, cabinet)
    shop.post(f"marketplace-orders/{order}/status", {"status": "packed"})
    world.advance(timedelta(minutes=1))
    supply = shop.get(f"marketplace-orders/{order}").json()["supply"]
    listed = shop.get(f"supplies?account={cabinet.account}").json()["items"]
    assert {one["number"]: one["state"] for one in listed}[supply] == "open"
    assert order in shop.get(f"supplies/{cabinet.account}:{supply}").json()["orders"]


def test_a_marketplace_without_supplies_says_so(world: World, shop: Shop, cabinet: Cabinet) -> None:
    assert shop.put("accounts/f", {"marketplace": "feed", "name": "F", "credentials": {"token": "x"}}).status == 200
    problem(shop.post("supplies", {"account": "f", "name": "x"}), 422, "no-definition")


def test_the_doors_call_nothing_that_the_map_does_not_grant(world: World, cabinet: Cabinet) -> None:
    assert not world.doors.failures
    assert not world.refused_grants()
