"""The local world with an account at every marketplace: orders flow into one list, stock falls, staff hear of it."""

from datetime import timedelta
from typing import Any

import pytest

from infra.world import World, marketplaces
from tests.asking import Shop
from vestnik.marketplaces import names


@pytest.fixture(scope="module")
def cabinets(world: World) -> list[marketplaces.Cabinet]:
    return marketplaces.seed(world, marketplaces.small(world, 1))


def test_every_marketplace_has_a_twin_and_a_connected_account(
    shop: Shop, world: World, cabinets: list[marketplaces.Cabinet]
) -> None:
    assert set(world.markets) == set(names())
    shown = shop.get("accounts").json()["items"]
    assert len(shown) == len(names())
    assert {one["state"] for one in shown} == {"connected"}
    for one in shown:
        counts = shop.get(f"accounts/{one['id']}/health").json()["counts"]
        assert (counts["linked"], counts["unlinked"]) == (len(marketplaces.GOODS), 0), one["id"]


@pytest.fixture(scope="module")
def buyers(world: World, cabinets: list[marketplaces.Cabinet]) -> marketplaces.Buyers:
    """Who buys everywhere, and has done so for two minutes."""
    found = marketplaces.Buyers(world, cabinets, every=timedelta(seconds=10))
    found.begin()
    world.advance(timedelta(minutes=2))
    return found


@pytest.fixture(scope="module")
def orders(world: World, buyers: marketplaces.Buyers) -> list[dict[str, Any]]:
    """What the API lists of it."""
    found: list[dict[str, Any]] = Shop(world).get("marketplace-orders?limit=200").json()["items"]
    return found


def test_orders_flow_and_stock_falls_everywhere(world: World, shop: Shop, buyers: marketplaces.Buyers) -> None:
    assert len(buyers.orders) + buyers.turned_away >= 12
    left = {one["item"]: one for one in shop.get("stock?limit=100").json()["items"]}
    assert sum(one["held"] for one in left.values()) >= len(buyers.orders) - 2
    told = [item for item in world.outbox if item["channel"] == "telegram"]
    assert told
    assert not world.doors.failures
    assert not world.refused_grants()


def test_orders_of_all_marketplaces_are_one_list_with_one_set_of_statuses(
    world: World, orders: list[dict[str, Any]]
) -> None:
    assert {one["marketplace"] for one in orders} == set(world.markets)
    assert all(one["status"] != "none" and one["lines"] and one["total"] and one["currency"] for one in orders)
    assert not any(one["held_up"] for one in orders)


def test_what_is_asked_to_be_packed_is_packed_there(world: World, shop: Shop, orders: list[dict[str, Any]]) -> None:
    mine = [one["id"] for one in orders if one["status"] in ("new", "confirmed") and one["works"] == "worked"]
    assert {id.partition(":")[0] for id in mine}
    answer = shop.post("marketplace-orders/changes", {"status": "packed", "orders": mine})
    assert [one for one in answer.json()["items"] if one["problem"]] == []
    world.advance(timedelta(minutes=3))
    after = [shop.get(f"marketplace-orders/{id}").json() for id in mine]
    assert [(one["id"], one["operation"]) for one in after if one["operation"]["state"] != "done"] == []
    assert {one["status"] for one in after} == {"packed"}
    assert not world.doors.failures
    assert not world.refused_grants()
