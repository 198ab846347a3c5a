"""Syncs: what is due when, one run of a flow at a time, orders before stock, and failures that are told."""

from collections import Counter
from datetime import datetime, timedelta

import pytest

from infra.twins.market import Called
from infra.world import World
from tests.asking import START, Shop
from tests.market_accounts import TOKEN, account, as_door, imported, stock, twin_of
from vestnik import marketplaces
from vestnik.flows import accounts, syncs, waking
from vestnik.store import accounts as listed
from vestnik.store import runs, settings


@pytest.fixture(autouse=True)
def anew(world: World) -> None:
    world.reset()


def connected(shop: Shop, id: str = "one", token: str = TOKEN) -> None:
    account(shop, id, token)
    assert shop.post(f"accounts/{id}/connect", {}).status == 200
    shop.world.settle()


# The clock


def test_a_day_has_so_many_runs_of_each_flow() -> None:
    for name in ("demo#one", "demo#two", "other#one"):
        day = Counter(flow for minute in range(1440) for flow in syncs.due(29_000_000 // 1440 * 1440 + minute, name))
        assert day == {"orders": 1152, "stock": 288, "products": 24, "readback": 1, "health": 1}


def test_accounts_are_spread_over_the_hour() -> None:
    minutes = {m for n in range(50) for m in range(60) if "products" in syncs.due(m, f"shop-{n}#main")}
    assert len(minutes) > 20


def test_the_clock_starts_connected_accounts_only(world: World, shop: Shop) -> None:
    account(shop, "one")
    with as_door(world, "start-syncs"):
        assert syncs.start(world.now()) == 0
    connected(shop, "two", "feed-two")
    with as_door(world, "start-syncs"):
        assert syncs.start(world.now()) >= 1
    shop.post("accounts/two/pause")
    with as_door(world, "start-syncs"):
        assert syncs.start(world.now()) == 0


# Leases


def test_two_runs_of_a_flow_never_overlap(world: World) -> None:
    now = world.now()
    with as_door(world):
        assert listed.lease("demo", "one", "stock", "a", now, 60)
        assert listed.lease("demo", "one", "stock", "a", now, 60)
        assert not listed.lease("demo", "one", "stock", "b", now, 60)
        assert listed.lease("demo", "one", "orders", "b", now, 60)
        assert listed.lease("demo", "two", "stock", "b", now, 60)
        assert listed.lease("other", "one", "stock", "b", now, 60)
        assert listed.leased_until("demo", "one", "stock", now) == now + timedelta(seconds=60)


def test_a_lease_ends_by_itself_and_is_not_given_back_by_who_lost_it(world: World) -> None:
    now = world.now()
    later = now + timedelta(seconds=61)
    with as_door(world):
        listed.lease("demo", "one", "stock", "a", now, 60)
        assert listed.lease("demo", "one", "stock", "b", later, 60)
        listed.release("demo", "one", "stock", "a")
        assert not listed.lease("demo", "one", "stock", "a", later, 60)
        listed.release("demo", "one", "stock", "b")
        assert listed.lease("demo", "one", "stock", "a", later, 60)


def messages(world: World) -> int:
    queue = world.account.queue("to-sync")
    return int(queue.approximate_number_of_messages + queue.approximate_number_of_messages_delayed)


def test_of_many_that_find_a_run_under_way_one_waits_for_it(world: World, shop: Shop) -> None:
    connected(shop)
    world.advance(timedelta(seconds=30))
    told = syncs.message("demo", "one", "stock")
    with as_door(world):
        listed.lease("demo", "one", "stock", "other run", world.now(), 20)
        before = messages(world)
        for _ in range(5):
            syncs.take(told, world.now, world.now() + timedelta(seconds=30))
        assert messages(world) == before + 1
    world.advance(timedelta(seconds=25))
    with as_door(world):
        assert runs.get("demo", "one", "stock")["last_ok"] > (world.now() - timedelta(seconds=20)).isoformat()


def test_what_wakes_the_orders_while_a_run_reads_them_lets_them_be_read_again_as_soon_as_it_ends(
    world: World, shop: Shop
) -> None:
    connected(shop)
    world.advance_to(world.now().replace(second=20, microsecond=0) + timedelta(minutes=1))
    met = list[str]()

    def another_worker_gets_the_message(called: Called) -> None:
        met.append(called.path)
        if len(met) == 1:
            told = syncs.message("demo", "one", "orders") | waking.WOKEN
            world.clock.move_to(world.now() + timedelta(seconds=2))
            with as_door(world):
                for _ in range(3):
                    syncs.take(told, world.now, world.now() + timedelta(seconds=30))

    twin_of(world).watch.append(another_worker_gets_the_message)
    try:
        with as_door(world):
            syncs.wake("demo", "one", "orders")
        world.settle()
        assert [path for path in met if path == "/orders"] == ["/orders"] * 2
        world.advance(timedelta(seconds=25))  # who waited looks once more, and finds that it was seen to
        assert [path for path in met if path == "/orders"] == ["/orders"] * 2
    finally:
        twin_of(world).watch.clear()


def test_a_tick_that_finds_a_run_under_way_is_dropped(world: World, shop: Shop) -> None:
    connected(shop)
    with as_door(world):
        listed.lease("demo", "one", "orders", "other run", world.now(), 20)
        before = messages(world)
        syncs.take(syncs.message("demo", "one", "orders"), world.now, world.now() + timedelta(seconds=30))
        assert messages(world) == before
        assert not listed.release("demo", "one", "orders", "other run")


def test_who_waits_for_a_run_that_died_runs_once_its_lease_is_over(world: World, shop: Shop) -> None:
    connected(shop)
    world.advance_to(world.now().replace(second=5, microsecond=0) + timedelta(minutes=1))
    with as_door(world):
        listed.lease("demo", "one", "orders", "a run that dies", world.now(), 15)
        syncs.wake("demo", "one", "orders")
    world.advance(timedelta(seconds=30))
    with as_door(world):
        assert runs.get("demo", "one", "orders")["last_ok"] > (world.now() - timedelta(seconds=16)).isoformat()


def test_a_run_that_may_go_on_soon_does_not_wait_for_one_that_was_promised_for_later(world: World, shop: Shop) -> None:
    connected(shop)
    with as_door(world):
        owner, now, sent = accounts.load("demo", "one", world.now()), world.now(), list[int]()
        assert owner is not None
        for seconds in (900, 5, 10, 5):
            before = messages(world)
            syncs._again(owner, syncs.Step("stock", now + timedelta(seconds=seconds)), now)
            sent.append(messages(world) - before)
    assert sent == [1, 1, 0, 0]


def test_only_the_first_who_waits_is_noted_in_a_lease(world: World) -> None:
    now = world.now()
    with as_door(world):
        assert listed.wait("demo", "one", "stock", "x", now) == ""
        listed.lease("demo", "one", "stock", "a", now, 60)
        assert [listed.wait("demo", "one", "stock", who, now) for who in ("x", "y", "x")] == ["x", "x", "x"]
        assert listed.waits("demo", "one", "stock", "x")
        assert not listed.waits("demo", "one", "stock", "y")
        assert listed.wait("demo", "one", "stock", "x", now + timedelta(seconds=60)) == ""
        assert not listed.release("demo", "one", "stock", "b")
        assert listed.release("demo", "one", "stock", "a")
        assert not listed.waits("demo", "one", "stock", "x")


# Runs


def test_stock_is_computed_from_the_newest_orders(shop: Shop) -> None:
    account(shop, "one")
    account(shop, "two", "feed-two")
    for token in (TOKEN, "feed-two"):
        twin_of(shop.world).add_product("TEA", stock=9, account=token)
    stock(shop, TEA=5)
    for id in ("one", "two"):
        imported(shop, id)
        assert shop.post("links/auto", {"account": id}).json()["linked"]["article"] == 1
        assert shop.post(f"accounts/{id}/connect", {}).status == 200
    shop.world.advance(timedelta(minutes=6))
    assert shows(shop) == (5, 5)
    twin_of(shop.world).sell("TEA", 2, account=TOKEN)
    shop.world.advance(timedelta(minutes=2))
    assert shows(shop) == (3, 3)


def shows(shop: Shop) -> tuple[int, int]:
    twin = twin_of(shop.world)
    return twin.stock_of("TEA", account=TOKEN), twin.stock_of("TEA", account="feed-two")


@pytest.mark.slow
def test_an_outage_is_told_once_it_lasts_and_the_flow_recovers(world: World, shop: Shop) -> None:
    connected(shop)
    world.advance(timedelta(minutes=3))
    twin_of(world).outage(timedelta(minutes=20))
    world.advance(timedelta(minutes=8))
    assert failures(world) == []
    error = shop.get("accounts/one/health").json()["flows"]["orders"]["error"]
    assert error["code"] in ("later", "unknown")
    world.advance(timedelta(minutes=10))
    assert len(failures(world)) == 1
    world.advance(timedelta(minutes=10))
    assert len(failures(world)) == 1
    assert shop.get("accounts/one/health").json()["flows"]["orders"].get("error") is None


def failures(world: World) -> list[str]:
    return [item["text"] for item in world.outbox if item["channel"] == "telegram" and "orders" in item["text"].lower()]


def test_a_key_that_was_withdrawn_is_told_at_once(world: World, shop: Shop) -> None:
    connected(shop)
    world.advance(timedelta(minutes=1))
    twin_of(world).accounts.clear()
    world.advance(timedelta(minutes=2))
    assert failures(world)
    assert shop.get("accounts/one/health").json()["flows"]["orders"]["error"]["code"] == "credentials"


def test_what_nobody_thought_of_is_noted_and_told_and_goes_back_to_its_queue(world: World, shop: Shop) -> None:
    connected(shop)
    world.advance(timedelta(minutes=3))
    kept = {**marketplaces.shipped("feed").definitions["feed.orders.list"], "limits": [{"bucket": "no such bucket"}]}
    with as_door(world, "manage-shop"):
        settings.put("demo", "request", "feed.orders.list", kept, by="an older release", now=world.now())
    world.advance(timedelta(minutes=4))
    flows = shop.get("accounts/one/health").json()["flows"]
    assert flows["orders"]["error"]["code"] == "unexpected"
    assert flows["orders"]["error"]["reason"] == "a fault of ours: KeyError"
    assert failures(world) == []
    world.advance(timedelta(minutes=12))
    assert len(failures(world)) == 1
    assert "KeyError" in failures(world)[0]
    assert "no such bucket" not in failures(world)[0]
    with as_door(world), pytest.raises(KeyError):  # so its queue gives it again, and gives it up at last
        syncs.take(syncs.message("demo", "one", "orders"), world.now, world.now() + timedelta(minutes=1))
    assert shop.delete("requests/feed.orders.list").status == 204
    world.advance(timedelta(minutes=2))
    assert "error" not in shop.get("accounts/one/health").json()["flows"]["orders"]


def test_a_message_of_a_removed_account_is_dropped(world: World) -> None:
    with as_door(world):
        assert syncs.take(syncs.message("demo", "gone", "stock"), world.now, START + timedelta(days=1)) == []


def test_a_run_tells_how_it_fared(shop: Shop) -> None:
    connected(shop)
    shop.world.advance(timedelta(minutes=6))
    flows = shop.get("accounts/one/health").json()["flows"]
    for flow in ("orders", "stock", "products"):
        assert datetime.fromisoformat(flows[flow]["last_ok"]) >= START
        assert "error" not in flows[flow]


def test_the_state_of_a_run_keeps_what_it_is_given(world: World) -> None:
    with as_door(world):
        runs.put("demo", "one", "orders", cursor={"at": [1, 2.5]}, error={"code": "x"}, n=3)
        assert runs.put("demo", "one", "orders", error=None) == {"cursor": {"at": [1, 2.5]}, "n": 3}
        runs.add("demo", "one", "orders", n=-1)
        assert runs.every("demo", "one") == {"orders": {"cursor": {"at": [1, 2.5]}, "n": 2}}


def test_nothing_is_called_that_the_map_does_not_grant(world: World) -> None:
    assert not world.refused_grants()
