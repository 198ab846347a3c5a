"""A mended request is used at once: publishing it wakes the runs that call by it, and no others."""

from datetime import timedelta
from typing import Any

import pytest

from infra.twins.feed import FeedTwin
from infra.world import World
from tests.asking import Shop
from tests.market_accounts import TOKEN, account, as_door, imported, stock, twin_of
from vestnik.flows import definitions
from vestnik.store import postings

STOCK, ORDERS = "feed.stock.write", "feed.orders.list"


@pytest.fixture(scope="module")
def connected(shop: Shop) -> FeedTwin:
    """A shop at the feed that sells tea."""
    twin = twin_of(shop.world)
    account(shop, "one")
    twin.add_product("TEA", account=TOKEN)
    stock(shop, TEA=9)
    imported(shop, "one")
    assert shop.post("links/auto", {"account": "one"}).status == 200
    assert shop.post("accounts/one/connect", {}).status == 200
    shop.world.advance(timedelta(minutes=6))
    return twin


@pytest.fixture(autouse=True)
def between_ticks(shop: Shop, connected: FeedTwin) -> None:
    """What happens now happens long before the clock asks."""
    shop.world.advance_to(shop.world.now().replace(second=15, microsecond=0) + timedelta(minutes=1))


def mend(shop: Shop, id: str, path: str) -> None:
    definition = shop.get(f"requests/{id}").json()["definition"]
    assert shop.put(f"requests/{id}", {"definition": {**definition, "path": path}}).status == 200
    assert shop.post(f"requests/{id}/publish").status == 200
    shop.world.settle()


def asked(twin: FeedTwin, path: str) -> int:
    return sum(1 for call in twin.calls if call.path == path and call.status == 200)


def known(world: World, number: Any) -> bool:
    with as_door(world):
        return postings.get("demo", "one", str(number)) is not None


def test_stock_is_sent_at_once_and_once_when_its_call_is_mended(world: World, shop: Shop, connected: FeedTwin) -> None:
    connected.move("/stock", "/v2/stock")
    stock(shop, TEA=4)
    world.settle()
    assert connected.stock_of("TEA") == 9
    world.advance(timedelta(seconds=10))
    mend(shop, STOCK, "/v2/stock")
    assert connected.stock_of("TEA") == 4
    world.advance(timedelta(seconds=20))
    assert asked(connected, "/v2/stock") == 1


def test_orders_are_read_at_once_when_their_call_is_mended_taken_back_or_adopted(
    world: World, shop: Shop, connected: FeedTwin
) -> None:
    connected.move("/orders", "/v2/orders")
    number = connected.sell("TEA")
    mend(shop, ORDERS, "/v2/orders")
    assert known(world, number)
    first = shop.get(f"requests/{ORDERS}/versions").json()["items"][0]["version"]
    for path, body in (("adopt", {}), ("rollback", {"version": first})):
        world.advance(timedelta(seconds=6))
        connected.off.clear()
        before = len(connected.calls)
        assert shop.post(f"requests/{ORDERS}/{path}", body).status == 200
        world.settle()
        lists = [call for call in connected.calls[before:] if call.path.endswith("/orders") and call.method == "GET"]
        assert len(lists) == 1, path


def test_a_draft_wakes_nobody(shop: Shop, connected: FeedTwin) -> None:
    before = len(connected.calls)
    definition = shop.get(f"requests/{STOCK}").json()["definition"]
    assert shop.put(f"requests/{STOCK}", {"definition": definition}).status == 200
    shop.world.settle()
    assert len(connected.calls) == before


def test_a_call_of_another_marketplace_wakes_nobody_here(shop: Shop, connected: FeedTwin) -> None:
    before = len(connected.calls)
    assert shop.post("requests/ozon.stock.write/adopt").status == 200
    shop.world.settle()
    assert len(connected.calls) == before


def test_an_account_that_rests_is_not_woken(shop: Shop, connected: FeedTwin) -> None:
    shop.post("accounts/one/pause")
    before = len(connected.calls)
    assert shop.post(f"requests/{STOCK}/adopt").status == 200
    shop.world.settle()
    assert len(connected.calls) == before


def test_every_group_of_calls_has_a_run_that_makes_them(shop: Shop) -> None:
    from vestnik.flows import sync_flows

    assert {*definitions.FLOWS.values(), definitions.USUAL_FLOW} <= set(sync_flows.FLOWS)


def test_the_doors_call_nothing_that_the_map_does_not_grant(world: World) -> None:
    assert not world.doors.failures
    assert not world.refused_grants()
