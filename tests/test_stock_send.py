"""Sending stock: only what changed, to zero first, the newest number, never twice by mistake and never a stale one."""

from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta

import pytest

from infra.world import World
from tests.stock_market import SHOP, Bench, bench
from vestnik.domain.market.definitions import Outcome
from vestnik.errors import Later, Refused, Unknown
from vestnik.flows import stock_holds, stock_readback, stock_send, stock_touch
from vestnik.store import keys, runs, stock_sent, units


@pytest.fixture
def desk(world: World, id: str) -> Bench:
    return bench(world, id)


def test_a_change_is_sent_once_and_what_did_not_change_is_not(desk: Bench) -> None:
    desk.many(3)
    assert desk.run().sent == 0
    desk.stock(u1=4)
    assert desk.run().sent == 1
    assert desk.market.sent == [("u1", 4)]
    desk.stock(u1=4, u2=10)
    assert desk.run() == stock_send.Report()


def test_a_row_carries_the_product_a_version_and_its_time(desk: Bench) -> None:
    desk.link("u", tea=1)
    desk.stock(tea=7)
    desk.run()
    (row,) = desk.market.calls[0]
    assert (row["product"], row["version"], row["warehouse"]) == ("p-u", 1, "w1")
    assert row["at"].startswith(f"{desk.now:%Y-%m-%dT%H:%M:%S}")


def test_what_is_sold_out_is_sent_before_all_else(desk: Bench) -> None:
    names = desk.many(12)
    desk.run()
    desk.market.rows = 4
    desk.stock(**dict.fromkeys(names, 9))
    desk.stock(u11=0, u7=2)
    desk.run()
    assert desk.market.sent[:2] == [("u11", 0), ("u7", 2)]
    assert len(desk.market.sent) == 12  # each once, with its newest number


def test_a_card_that_is_not_linked_is_never_written(desk: Bench) -> None:
    desk.market.shows["card", "w1"] = 50
    desk.do(lambda: units.keep_products(SHOP, desk.account.id, [{"unit": "card"}], "1"))
    desk.do(lambda: stock_touch.units(SHOP, desk.account.id, ["card"], desk.now, forced=True))
    report = desk.run()
    assert (report.sent, report.unlinked, desk.market.calls) == (0, 1, [])


def test_an_item_without_a_stock_record_zeroes_nothing(desk: Bench) -> None:
    desk.link("u", nothing=1)
    desk.market.shows["u", "w1"] = 50
    report = desk.run()
    assert (report.unknown, desk.market.calls) == (1, [])


def test_a_kit_follows_its_scarcest_part(desk: Bench) -> None:
    desk.link("set", tea=2, pot=1)
    desk.stock(tea=9, pot=30)
    desk.run()
    desk.stock(pot=3)
    desk.run()
    assert desk.market.sent == [("set", 4), ("set", 3)]


def test_the_buffer_is_kept_back_and_the_number_is_never_below_zero(world: World, id: str) -> None:
    desk = bench(world, id, buffer=5)
    desk.link("u", tea=1)
    desk.link("v", pot=1)
    desk.stock(tea=7, pot=3)
    desk.run()
    assert sorted(desk.market.sent) == [("u", 2), ("v", 0)]


def test_what_changes_while_it_is_being_sent_stays_marked_and_the_newest_number_wins(desk: Bench) -> None:
    desk.link("u", tea=1)
    desk.stock(tea=7)
    desk.market.before = [lambda: desk.stock(tea=2)]
    desk.run()
    assert desk.market.sent == [("u", 7), ("u", 2)]


def test_nothing_that_was_read_before_a_wait_is_sent_after_it(desk: Bench) -> None:
    desk.link("u", tea=1)
    desk.stock(tea=7)
    parked = desk.now + timedelta(minutes=1)
    desk.market.before = [Later("parked", at=parked)]
    report = desk.run()
    assert (report.sent, report.again) == (0, parked)
    desk.stock(tea=1)
    desk.run()
    assert desk.market.shows["u", "w1"] == 1
    assert desk.market.sent == [("u", 7), ("u", 1)]  # the first one was not taken


@pytest.mark.parametrize("lost", [Unknown("time-out"), Later("the answer was lost")])
def test_a_lost_answer_is_sent_again_even_where_the_number_is_the_old_one(desk: Bench, lost: Exception) -> None:
    desk.link("u", tea=1)
    desk.stock(tea=5)
    desk.run()

    def taken_and_lost() -> None:
        desk.market.shows["u", "w1"] = 9
        raise lost

    desk.stock(tea=9)
    desk.market.before = [taken_and_lost]
    report = desk.run()
    assert report.again is not None
    desk.stock(tea=5)
    desk.wait(seconds=30)
    desk.run()
    assert desk.market.shows["u", "w1"] == 5


def test_a_run_that_dies_after_a_call_leaves_no_stale_number(desk: Bench) -> None:
    desk.link("u", tea=1)
    desk.stock(tea=5)
    desk.run()

    def dies() -> None:
        desk.market.shows["u", "w1"] = 9
        raise RuntimeError("the run died")

    desk.stock(tea=9)
    desk.market.before = [dies]
    with pytest.raises(RuntimeError):
        desk.run()
    desk.stock(tea=5)
    desk.run()
    assert desk.market.shows["u", "w1"] == 5


def test_a_pair_is_not_written_more_often_than_its_marketplace_allows(desk: Bench) -> None:
    desk.market.settings = {"means": "free", "pair_seconds": 30}
    desk.link("u", tea=1)
    for number in (9, 8, 7):
        desk.stock(tea=number)
        report = desk.run()
    assert desk.market.sent == [("u", 9)]
    assert report.again is not None
    desk.now = report.again
    desk.run()
    assert desk.market.sent == [("u", 9), ("u", 7)]


def test_a_row_that_is_refused_is_taken_out_and_the_others_go_on(desk: Bench) -> None:
    desk.many(3)
    desk.run()
    desk.market.outcomes["u1"] = Outcome(False, False, "NotFound", "no such card")
    desk.stock(u0=1, u1=1, u2=1)
    report = desk.run()
    assert (report.sent, report.refused, report.again) == (2, 1, None)
    sent = desk.do(lambda: stock_sent.get_many(SHOP, desk.account.id, ["u1"]))["u1"]
    assert sent.places["w1"]["error"]["code"] == "NotFound"
    assert desk.run().calls == 0


def heard(desk: Bench) -> list[str]:
    """Lines of what the staff were told of the account's refused numbers, one a card."""
    desk.world.settle()
    told = [item["text"] for item in desk.world.outbox if item["channel"] == "telegram"]
    return [line for text in told if text.startswith(f"{desk.account.id}: the stock") for line in text.split("\n")[2:]]


def test_a_refused_number_is_told_once_until_the_marketplace_takes_one_again(desk: Bench) -> None:
    desk.many(2)
    desk.run()
    refusal = Outcome(False, False, "NotFound", "no such card")
    desk.market.outcomes["u1"] = refusal
    for quantity in (0, 3, 2):
        desk.stock(u0=quantity + 1, u1=quantity)
        desk.run()
    first = "- u1 (u1): should show 0, shows 10; no such card"
    assert heard(desk) == [first]
    desk.market.outcomes.clear()
    desk.stock(u1=4)
    desk.run()
    desk.market.outcomes["u1"] = refusal
    desk.stock(u1=5)
    desk.run()
    assert heard(desk) == [first, "- u1 (u1): should show 5, shows 4; no such card"]


def test_what_a_run_could_not_tell_of_refusals_the_next_one_tells(desk: Bench) -> None:
    desk.many(1)
    desk.run()
    untold = {"at": "2026-11-20T08:00:00Z", "count": 1, "units": [{"unit": "u0", "quantity": 1, "code": "NotFound"}]}
    desk.do(lambda: runs.put(SHOP, desk.account.id, "stock", untold=untold))
    for _ in range(2):
        desk.run()
    assert heard(desk) == ["- u0 (u0): should show 1; NotFound"]


def test_a_row_that_may_go_again_goes_again_with_its_newest_number(desk: Bench) -> None:
    desk.link("u", tea=1)
    desk.stock(tea=5)
    desk.market.outcomes["u"] = Outcome(False, True, "TOO_MANY_REQUESTS")
    report = desk.run()
    assert report.later == 1
    assert report.again is not None
    desk.stock(tea=3)
    desk.market.outcomes.clear()
    desk.now = report.again
    desk.run()
    assert desk.market.sent == [("u", 5), ("u", 3)]


def test_credentials_that_are_refused_stop_the_run_and_lose_nothing(desk: Bench) -> None:
    desk.link("u", tea=1)
    desk.stock(tea=5)
    desk.market.before = [Refused("no", code="credentials")]
    with pytest.raises(Refused):
        desk.run()
    assert desk.run().sent == 1


def test_an_order_is_sent_to_the_marketplace_also_where_the_number_stays_the_same(desk: Bench) -> None:
    desk.link("u", tea=1)
    desk.stock(tea=5)
    desk.run()
    desk.market.shows["u", "w1"] -= 1  # sold there
    items = {desk.item("tea"): 1}
    desk.do(lambda: stock_holds.reserve(SHOP, f"{desk.account.id}:1", items, (), desk.now))
    desk.stock(tea=6)
    desk.run()
    assert desk.market.shows["u", "w1"] == 5


def test_calls_are_full_whatever_part_of_the_marked_needs_sending(desk: Bench) -> None:
    names = desk.many(60)
    desk.run()
    desk.market.rows = 10
    desk.stock(**dict.fromkeys(names[::2], 7))
    desk.do(lambda: stock_touch.units(SHOP, desk.account.id, names[1::2], desk.now))
    desk.run()
    assert [len(call) for call in desk.market.calls] == [10, 10, 10]


@pytest.mark.slow
def test_calls_are_full_where_more_is_marked_than_a_first_look_shows(desk: Bench) -> None:
    desk.market.rows = stock_send.FEWEST * keys.SLOTS + 48
    names = desk.many(desk.market.rows + 100)
    desk.run()
    desk.stock(**dict.fromkeys(names, 7))
    desk.run()
    assert [len(call) for call in desk.market.calls] == [desk.market.rows, 100]


# The guard against zeroing


def test_a_run_that_would_zero_too_much_waits_for_a_person_and_sends_all_else(desk: Bench) -> None:
    names = desk.many(10)
    desk.run()
    desk.stock(**dict.fromkeys(names[:5], 0), u9=4)
    report = desk.run()
    assert report.held is not None
    assert (report.held["units"], report.held["linked"], report.held["limit_percent"]) == (5, 10, 20)
    assert desk.market.sent == [("u9", 4)]
    assert desk.run().held is not None
    assert desk.do(lambda: stock_send.confirm(SHOP, desk.account.id, desk.now))
    assert desk.run().held is None
    assert sorted(desk.market.sent[1:]) == [(name, 0) for name in names[:5]]
    assert not desk.do(lambda: stock_send.confirm(SHOP, desk.account.id, desk.now))


def test_it_goes_on_by_itself_once_the_stock_is_right_again(desk: Bench) -> None:
    names = desk.many(10)
    desk.run()
    desk.stock(**dict.fromkeys(names, 0))
    assert desk.run().held is not None
    desk.stock(**dict.fromkeys(names, 10))
    desk.run()
    report = desk.run()
    assert (report.held, desk.market.sent) == (None, [])
    assert "waiting" not in desk.do(lambda: runs.get(SHOP, desk.account.id, "stock"))


def test_a_mistake_that_comes_in_small_parts_is_held_too(desk: Bench) -> None:
    names = desk.many(20)
    desk.run()
    held = []
    for name in names:
        desk.stock(**{name: 0})
        held.append(desk.run().held is not None)
    assert held.index(True) == 4
    assert len(desk.market.sent) == 4


def test_where_the_shop_allows_none_a_single_zero_waits(world: World, id: str) -> None:
    desk = bench(world, id, zero_limit_percent=0)
    desk.many(3)
    desk.run()
    desk.stock(u1=0)
    assert (desk.run().held is not None, desk.market.sent) == (True, [])


def test_what_came_on_sale_within_the_hour_counts_as_for_sale(desk: Bench) -> None:
    desk.link("u", tea=1)
    desk.stock(tea=1)
    desk.run()
    names = desk.many(9)
    desk.stock(**dict.fromkeys(names, 11))
    desk.run()
    desk.stock(**dict.fromkeys(names[:5], 0))
    report = desk.run()
    assert report.held is not None
    assert (report.held["linked"], report.held["percent"]) == (10, 50.0)


def test_what_orders_bought_out_is_never_held(desk: Bench) -> None:
    names = desk.many(10)
    desk.run()
    bought = {desk.item(name): 10 for name in names}
    desk.do(lambda: stock_holds.reserve(SHOP, "order/all", bought, (), desk.now))
    assert desk.run().held is None
    assert sorted(desk.market.sent) == sorted((name, 0) for name in names)


def test_before_anything_is_sent_to_a_new_account_it_is_read_what_it_shows(desk: Bench) -> None:
    names = desk.many(10)
    desk.market.shows |= {(name, "w1"): 99 for name in names[:2]}
    desk.stock(**dict.fromkeys(names[2:8], 0))
    report = desk.run()
    assert report.held is not None
    assert sorted(desk.market.sent) == [("u0", 10), ("u1", 10)]


@pytest.mark.parametrize(("shown", "then"), [(50, 5), (3, 3)], ids=["raised by hand", "lower: perhaps sold"])
def test_an_account_that_goes_on_is_sent_what_it_had_only_where_it_shows_more(
    desk: Bench, shown: int, then: int
) -> None:
    desk.link("u", tea=1)
    desk.stock(tea=5)
    desk.run()
    desk.wait(minutes=30)
    desk.run()
    desk.market.shows["u", "w1"] = shown
    desk.account = replace(desk.account, body={**desk.account.body, "resumed_at": desk.now.isoformat()})
    desk.run()
    assert desk.market.shows["u", "w1"] == then


# Reading back


def test_a_call_that_was_answered_well_and_did_nothing_is_found_and_healed(desk: Bench) -> None:
    desk.market.settings = {"means": "free", "settles_seconds": 60}
    desk.link("u", tea=1)
    desk.market.shows["u", "w1"] = 1
    desk.stock(tea=5)
    desk.market.deaf = True
    desk.run()
    desk.market.deaf = False
    for _ in range(3):
        desk.wait(minutes=5)
        desk.run()
    assert desk.market.shows["u", "w1"] == 5
    assert desk.market.doubts == []


def drift(desk: Bench) -> dict[str, int]:
    found = desk.do(lambda: runs.get(SHOP, desk.account.id, "stock"))["drift"]
    return {name: found[name] for name in ("checked", "wrong", "resent", "healed")}


def deaf(desk: Bench, count: int) -> list[str]:
    """Units that were restocked, at a marketplace that takes every number and keeps none."""
    names = [f"u{n}" for n in range(count)]
    for name in names:
        desk.link(name, **{name: 1})
        desk.market.shows[name, "w1"] = 1
    desk.stock(**dict.fromkeys(names, 5))
    desk.market.deaf = True
    desk.run()
    return names


def test_a_restocking_that_was_taken_and_is_not_there_is_told(desk: Bench) -> None:
    deaf(desk, 6)
    desk.wait(minutes=5)
    desk.run()
    assert desk.market.doubts == ["none of the numbers that it took is there"]
    assert drift(desk) == {"checked": 6, "wrong": 6, "resent": 0, "healed": 0}


def test_a_shop_with_one_unit_hears_of_it_too(desk: Bench) -> None:
    deaf(desk, 1)
    for _ in range(8):
        desk.wait(minutes=5)
        desk.run()
        assert drift(desk)["healed"] == 0
    assert desk.market.doubts
    assert desk.market.shows["u0", "w1"] == 1


def test_a_unit_that_a_marketplace_never_keeps_is_no_fault_of_a_call_that_works_for_others(desk: Bench) -> None:
    deaf(desk, 1)
    desk.market.deaf = False
    desk.market.kept = {"u0"}
    desk.link("v", rice=1)
    for n in range(12):
        desk.stock(rice=n + 10)
        desk.wait(minutes=5)
        desk.run()
    assert desk.market.shows["u0", "w1"] == 1
    assert desk.market.doubts == []


def bought(desk: Bench, name: str) -> None:
    order = {desk.item(name): 1}
    desk.do(lambda: stock_holds.reserve(SHOP, f"{desk.account.id}:{name}", order, (), desk.now))


def test_what_orders_took_since_explains_a_number_that_is_what_it_was(desk: Bench) -> None:
    names = [f"u{n}" for n in range(6)]
    for name in names:
        desk.link(name, **{name: 1})
        desk.market.shows[name, "w1"] = 4
    desk.stock(**dict.fromkeys(names, 5))
    desk.run()
    for name in names:
        desk.market.shows[name, "w1"] = 4
        bought(desk, name)
    desk.wait(minutes=5)
    desk.run()
    assert desk.market.doubts == []


def test_a_heal_is_counted_once_it_is_seen_to_be_there(desk: Bench) -> None:
    desk.link("u", tea=1)
    desk.stock(tea=5)
    desk.run()
    desk.market.shows["u", "w1"] = 50
    desk.wait(minutes=5)
    desk.run()
    assert drift(desk) == {"checked": 1, "wrong": 1, "resent": 1, "healed": 0}
    desk.wait(minutes=5)
    desk.run()
    assert drift(desk) == {"checked": 1, "wrong": 0, "resent": 0, "healed": 1}


def test_a_heal_that_is_refused_is_never_counted(desk: Bench) -> None:
    desk.link("u", tea=1)
    desk.stock(tea=5)
    desk.run()
    desk.market.shows["u", "w1"] = 50
    desk.market.outcomes["u"] = Outcome(False, False, "LOCKED", "no")
    for _ in range(3):
        desk.wait(minutes=5)
        desk.run()
        desk.do(all_of(desk))
        assert drift(desk)["healed"] == 0
        assert desk.do(lambda: runs.get(SHOP, desk.account.id, "readback"))["drift"]["healed"] == 0


@pytest.mark.parametrize("nightly", [True, False])
def test_a_number_that_is_too_high_is_put_right_at_once(desk: Bench, nightly: bool) -> None:
    desk.link("u", tea=1)
    desk.stock(tea=5)
    desk.run()
    desk.market.shows["u", "w1"] = 50
    desk.wait(minutes=1)
    if nightly:
        read = desk.do(lambda: all_of(desk)())
        assert (read.checked, read.wrong, read.resent) == (1, 1, 1)
    desk.run()
    assert desk.market.shows["u", "w1"] == 5


def all_of(desk: Bench) -> Callable[[], stock_readback.Read]:
    until = desk.now + timedelta(minutes=1)
    return lambda: stock_readback.all(desk.account, desk.clock, until, desk.market)


def test_a_heal_never_puts_back_a_unit_that_was_sold_meanwhile(desk: Bench) -> None:
    desk.link("u", tea=1)
    desk.stock(tea=5)
    desk.run()
    desk.wait(hours=1)
    desk.run()
    desk.market.shows["u", "w1"] = 4  # sold there; the order is not read yet
    read = desk.do(all_of(desk))
    assert (read.wrong, read.resent) == (1, 0)
    desk.run()
    assert desk.market.shows["u", "w1"] == 4
    order = {desk.item("tea"): 1}
    desk.do(lambda: stock_holds.reserve(SHOP, f"{desk.account.id}:1", order, (), desk.now))
    desk.run()
    assert read.again is not None
    desk.now = read.again
    desk.do(all_of(desk))
    desk.run()
    assert desk.market.shows["u", "w1"] == 4


def test_what_is_too_low_without_an_order_is_raised_after_a_second_reading(desk: Bench) -> None:
    desk.link("u", tea=1)
    desk.stock(tea=5)
    desk.run()
    desk.wait(hours=1)
    desk.run()
    desk.market.shows["u", "w1"] = 3
    read = desk.do(all_of(desk))
    desk.run()
    assert desk.market.shows["u", "w1"] == 3
    assert read.again is not None
    desk.now = read.again
    assert desk.do(all_of(desk)).resent == 1
    desk.run()
    assert desk.market.shows["u", "w1"] == 5


def test_the_doors_call_nothing_that_the_map_does_not_grant(world: World) -> None:
    assert world.refused_grants() == set()
