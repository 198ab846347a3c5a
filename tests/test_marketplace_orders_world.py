"""Orders of every marketplace's twin in one list: read, packed over the API, and seen to be packed there."""

from datetime import timedelta
from typing import Any

import pytest

from infra.world import World, marketplaces
from tests.asking import Shop


@pytest.fixture(scope="module")
def orders(world: World) -> list[dict[str, Any]]:
    """Some minutes of sales at all marketplaces, as the API lists them."""
    buyers = marketplaces.Buyers(world, marketplaces.seed(world), every=timedelta(seconds=10))
    buyers.begin()
    world.advance(timedelta(minutes=3))
    found: list[dict[str, Any]] = Shop(world).get("marketplace-orders?limit=200").json()["items"]
    return found


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
