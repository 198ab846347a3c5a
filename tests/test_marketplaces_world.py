"""The local world with two accounts at every marketplace: orders flow, stock falls, staff hear of it."""

from datetime import timedelta

import pytest

from infra.world import World, marketplaces
from tests.asking import Shop
from vestnik.marketplaces import names


@pytest.fixture(scope="module")
def cabinets(world: World) -> list[marketplaces.Cabinet]:
    return marketplaces.seed(world)


def test_every_marketplace_has_a_twin_and_two_connected_accounts(
    shop: Shop, world: World, cabinets: list[marketplaces.Cabinet]
) -> None:
    assert set(world.markets) == set(names())
    shown = shop.get("accounts").json()["items"]
    assert len(shown) == 2 * len(names())
    assert {one["state"] for one in shown} == {"connected"}
    for one in shown:
        counts = shop.get(f"accounts/{one['id']}/health").json()["counts"]
        assert (counts["linked"], counts["unlinked"]) == (len(marketplaces.GOODS), 0), one["id"]


def test_orders_flow_and_stock_falls_everywhere(world: World, shop: Shop, cabinets: list[marketplaces.Cabinet]) -> None:
    buyers = marketplaces.Buyers(world, cabinets, every=timedelta(seconds=20))
    buyers.begin()
    world.advance(timedelta(minutes=2))
    assert len(buyers.orders) + buyers.turned_away == 6
    left = {one["item"]: one for one in shop.get("stock?limit=100").json()["items"]}
    assert sum(one["held"] for one in left.values()) >= len(buyers.orders) - 2
    told = [item for item in world.outbox if item["channel"] == "telegram"]
    assert told
    assert not world.doors.failures
    assert not world.refused_grants()
