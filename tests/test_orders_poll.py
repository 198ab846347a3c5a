"""Orders of an account, read from a marketplace that answers by script: what is kept, held and told."""

from collections.abc import Iterator
from datetime import timedelta
from itertools import pairwise
from typing import Any

import jsonschema_rs
import pytest

from tests.orders_world import (
    SHOP,
    START,
    Clock,
    Script,
    account,
    gone,
    held,
    linked,
    posting,
    stocked,
    tea_shop,
    told,
    types,
)
from vestnik import events
from vestnik.domain.market.accounts import Account
from vestnik.flows import orders_effects, orders_poll, orders_shown
from vestnik.store import items, settings, stock_sent, units
from vestnik.store import postings as kept


@pytest.fixture(autouse=True)
def clock() -> Iterator[Clock]:
    with tea_shop(10):
        yield Clock()


def poll(clock: Clock, *items: dict[str, Any], by: Account | None = None, **more: Any) -> Script:
    """One run, to which the marketplace answers these; the clock then goes on a minute."""
    script = Script(orders__list=list(items), **more)
    orders_poll.run(by or account(), clock, clock() + timedelta(minutes=5), script)
    clock.move(minutes=1)
    return script


def body(number: str = "100-1") -> dict[str, Any]:
    found = kept.get(SHOP, "main", number)
    assert found is not None
    assert found.settled
    return found.body


def test_an_order_is_kept_held_and_told_once(clock: Clock) -> None:
    for _ in range(3):
        poll(clock, posting())
    assert held("tea") == {"main:100-1": 2}
    assert (body()["status"], body()["total"], body()["currency"]) == ("confirmed", 2000, "RUB")
    assert types() == ["order_received"]


def test_an_order_cancelled_before_handover_gives_its_goods_back(clock: Clock) -> None:
    poll(clock, posting())
    poll(clock, posting(status="cancelled"))
    assert held("tea") == {}
    assert types() == ["order_received", "order_cancelled"]


def test_a_late_poll_brings_no_released_hold_back(clock: Clock) -> None:
    early = clock() - timedelta(seconds=5)
    poll(clock, posting())
    poll(clock, posting(status="cancelled"))
    clock.now = early
    poll(clock, posting())
    clock.now = START + timedelta(minutes=9)
    poll(clock, posting())  # even where the marketplace itself says so later
    assert held("tea") == {}
    assert body()["released"]


def marked() -> list[tuple[str, bool]]:
    """Accounts whose unit of the tea is marked to be sent, and whether also where it is the same; then no more."""
    found = [(name, mark) for name in ("main", "other") for mark in stock_sent.look(SHOP, name, 10).marks]
    stock_sent.write((), [mark.key for _, mark in found])
    return sorted({(name, mark.forced) for name, mark in found})


def test_an_order_moves_the_stock_when_it_takes_leaves_or_lets_go_and_never_else(clock: Clock) -> None:
    for name in ("main", "other"):
        items.tie(SHOP, "tea", name, "TEA")
    wish = {"cancel_requested": {"deadline": "2026-11-22T08:00:00Z"}}
    everywhere = [("main", True), ("other", False)]  # its own marketplace has changed its number
    steps: list[tuple[dict[str, Any], list[tuple[str, bool]]]] = [
        ({}, everywhere),
        ({"status": "awaiting_deliver"}, []),
        ({"status": "delivering"}, everywhere),
        ({"status": "delivering", **wish}, []),
        ({"status": "delivered"}, []),
    ]
    for told_now, expected in steps:
        poll(clock, posting(**told_now))
        assert (told_now, marked()) == (told_now, expected)
    poll(clock, posting("2"))
    marked()
    poll(clock, posting("2", "cancelled"))
    assert marked() == everywhere


def test_older_news_by_the_marketplaces_own_time_changes_nothing(clock: Clock) -> None:
    poll(clock, posting(status="awaiting_deliver", changed_at="2026-11-20T07:50:00Z"))
    poll(clock, posting(status="awaiting_packaging", changed_at="2026-11-20T07:40:00Z"))
    assert body()["status"] == "packed"


def test_what_has_left_stays_gone_and_a_cancellation_then_gives_nothing_back(clock: Clock) -> None:
    poll(clock, posting())
    poll(clock, posting(status="delivering"))
    assert gone("tea") == {"main:100-1"}
    told()
    poll(clock, posting(status="cancelled"))
    assert gone("tea") == {"main:100-1"}
    (event,) = told()
    assert event["data"]["handed_over"] is True


def test_an_order_that_left_between_two_polls_is_off_stock_until_the_shop_reports(clock: Clock) -> None:
    poll(clock, posting(status="delivering"))
    assert gone("tea") == {"main:100-1"}


def test_imported_history_notifies_nobody_and_holds_only_what_has_not_left(clock: Clock) -> None:
    before = "2026-11-10T08:00:00Z"
    late = {"created_at": before, "ship_by": "2026-11-12T08:00:00Z"}
    poll(
        clock,
        posting("1", "delivered", **late),
        posting("2", "delivering", **late),
        posting("3", "cancelled", **late),
        posting("4", "awaiting_deliver", **late),
    )
    assert held("tea") == {"main:4": 2}
    assert gone("tea") == set()
    assert types() == []
    poll(clock, posting("4", "cancelled", **late))
    assert types() == ["order_cancelled"]  # this is no history: it happened today


def test_an_unlinked_order_is_kept_told_once_and_goes_on_when_linked(clock: Clock) -> None:
    lines = [{"unit": "TEA", "quantity": 1, "price": 1}, {"unit": "NEW", "quantity": 3, "price": 1}]
    for _ in range(2):
        poll(clock, posting(lines=lines))
    assert body()["held_up"] == "unlinked"
    assert types() == ["order_received", "order_unlinked"]
    linked("NEW", ("new", 2))
    assert body()["held_up"] == "unlinked"
    poll(clock)
    assert body()["held_up"] is None
    assert (held("new"), held("tea")) == ({"main:100-1": 6}, {"main:100-1": 1})
    assert types() == []


def test_a_link_lets_waiting_orders_go_on_at_once(clock: Clock) -> None:
    poll(clock, posting(lines=[{"unit": "NEW", "quantity": 3}]))
    linked("NEW", ("new", 1))
    assert orders_effects.resume(account(), clock(), {"OTHER"}) == 0
    assert orders_effects.resume(account(), clock(), {"NEW"}) == 1
    assert held("new") == {"main:100-1": 3}


def test_a_changed_link_moves_no_goods_of_orders_already_held(clock: Clock) -> None:
    poll(clock, posting())
    units.link(
        SHOP, "main", "TEA", {"mode": "kit", "parts": [{"item": "x", "quantity": 1}]}, "hand", "", only_free=False
    )
    poll(clock, posting(status="awaiting_deliver"))
    assert held("tea") == {"main:100-1": 2}
    poll(clock, posting(status="cancelled"))
    assert (held("tea"), held("x")) == ({}, {})


def test_a_fake_order_is_shown_and_never_held_nor_told(clock: Clock) -> None:
    poll(clock, posting(fake=True))
    assert body()["fake"]
    assert (held("tea"), types()) == ({}, [])


def test_what_a_marketplace_ships_from_its_own_store_is_never_held(clock: Clock) -> None:
    poll(clock, posting(scheme="FBO"), posting("2", scheme="rFBS"))
    assert held("tea") == {"main:2": 2}


def test_an_unknown_status_is_kept_shown_and_no_error(clock: Clock) -> None:
    poll(clock, posting(status="teleported", theirs={"status": "teleported", "substatus": "beam"}))
    assert (body()["status"], body()["theirs"]["substatus"]) == ("none", "beam")
    assert held("tea") == {"main:100-1": 2}


def test_a_part_cancelled_order_holds_less(clock: Clock) -> None:
    poll(clock, posting())
    poll(clock, posting(lines=[{"unit": "TEA", "quantity": 1, "price": 1000}]))
    assert held("tea") == {"main:100-1": 1}


@pytest.mark.parametrize("order", ["child first", "parent first", "together"])
def test_a_split_moves_the_goods_and_never_doubles_them(clock: Clock, order: str) -> None:
    lines = [{"unit": "TEA", "quantity": 5}]
    poll(clock, posting("P", lines=lines))
    child = posting("P-2", parent="P", lines=[{"unit": "TEA", "quantity": 2}])
    rest = posting("P", lines=[{"unit": "TEA", "quantity": 3}])
    if order == "together":
        poll(clock, rest, child)
    else:
        for news in [child, rest] if order == "child first" else [rest, child]:
            poll(clock, news)
    assert held("tea") == {"main:P": 3, "main:P-2": 2}
    assert types() == ["order_received"]
    poll(clock, posting("P", "cancelled", lines=rest["lines"]))
    assert held("tea") == {"main:P-2": 2}


def test_a_split_whose_parent_is_only_a_shell_leaves_it_nothing(clock: Clock) -> None:
    poll(clock, posting("P", lines=[{"unit": "TEA", "quantity": 5}]))
    parts = [posting(f"P-{n}", parent="P", lines=[{"unit": "TEA", "quantity": n}]) for n in (2, 3)]
    poll(clock, *parts)
    assert held("tea") == {"main:P-2": 2, "main:P-3": 3}
    told()
    poll(clock, posting("P", "cancelled_from_split_pending", lines=[{"unit": "TEA", "quantity": 5}]))
    assert held("tea") == {"main:P-2": 2, "main:P-3": 3}
    assert types() == []
    assert body("P")["status"] == "cancelled"


def test_alternatives_are_taken_from_what_there_is_and_given_back_from_there(clock: Clock) -> None:
    stocked("first", 3)
    stocked("second", 9)
    linked("ANY", ("first", 1), ("second", 1), mode="alternative")
    poll(clock, posting(lines=[{"unit": "ANY", "quantity": 5}]))
    assert (held("first"), held("second")) == ({"main:100-1": 3}, {"main:100-1": 2})
    poll(clock, posting("C", parent="100-1", lines=[{"unit": "ANY", "quantity": 1}]))
    assert (held("first"), held("second")) == ({"main:100-1": 3}, {"main:100-1": 1, "main:C": 1})
    poll(clock, posting(status="cancelled", lines=[{"unit": "ANY", "quantity": 5}]))
    assert (held("first"), held("second")) == ({}, {"main:C": 1})


def test_a_cancellation_request_is_told_with_its_deadline(clock: Clock) -> None:
    poll(clock, posting())
    told()
    for _ in range(2):
        poll(clock, posting(cancel_requested={"deadline": "2026-11-22T08:00:00Z"}))
    (event,) = told()
    assert event["type"] == "marketplace.cancellation_requested"
    assert event["data"]["deadline"] == "2026-11-22T08:00:00Z"
    poll(clock, posting())
    poll(clock, posting(cancel_requested={"deadline": "2026-11-23T08:00:00Z"}))
    assert types() == ["cancellation_requested"]  # a second request is news


def test_lateness_is_told_twice_at_most_once_before_and_once_after(clock: Clock) -> None:
    poll(clock, posting(ship_by="2026-11-20T11:59:00Z"))
    assert types() == ["order_received", "shipment_about_to_be_late"]
    for _ in range(3):
        poll(clock)
    clock.now = START + timedelta(hours=5)
    for _ in range(2):
        poll(clock)
    assert types() == ["shipment_late"]


def test_what_has_left_is_not_late(clock: Clock) -> None:
    poll(clock, posting(status="delivering", ship_by="2026-11-20T11:59:00Z"))
    clock.now = START + timedelta(hours=5)
    poll(clock)
    assert types() == ["order_received"]


def test_a_run_that_is_cut_short_goes_on_at_the_page_where_it_was(clock: Clock) -> None:
    pages = [[posting(f"{n}-{i}") for i in range(3)] for n in range(3)]
    script = Script(orders__list=pages)
    began = clock()

    def ticking() -> Any:
        clock.move(seconds=1)
        return clock.now

    ran = orders_poll.run(account(), ticking, began + timedelta(seconds=12), script)
    assert ran.again is not None
    read = [rows[0] for purpose, _, rows in script.calls if purpose == "orders.list"]
    assert 0 < len(read) < 3
    assert orders_poll.run(account(), clock, clock() + timedelta(minutes=5), script).again is None
    assert [rows[0] for purpose, _, rows in script.calls if purpose == "orders.list"][:3] == [0, 1, 2]
    assert len(held("tea")) == 9


def test_a_long_silence_is_read_in_spans_with_an_overlap(clock: Clock) -> None:
    poll(clock)
    clock.move(days=800)
    script = poll(clock)
    spans = [given for purpose, given, _ in script.calls if purpose == "orders.list"]
    assert len(spans) == 3
    assert spans[0]["since"] == "2026-11-20T07:50:00Z"
    assert all(one["until"] >= other["since"] for one, other in pairwise(spans))


def test_statuses_that_are_told_apart_are_asked_before_anything_is_held(clock: Clock) -> None:
    lines = [{"unit": "TEA", "quantity": 1}]
    listed = [posting("1", lines=lines), posting("2", lines=lines)]
    for one in listed:
        del one["theirs"]
    shop = account("wildberries", hours_to_ship=48)
    words = {"1": ("new", "waiting"), "2": ("complete", "sold")}

    def statuses(given: Any, rows: Any) -> Any:
        told = [(row["number"], words[row["number"]]) for row in rows]
        return [{"number": n, "theirs": {"supplierStatus": s, "wbStatus": w}} for n, (s, w) in told]

    script = Script(orders__list=listed, orders__statuses=statuses)
    orders_poll.run(shop, clock, clock() + timedelta(minutes=5), script)
    assert (body("1")["status"], body("2")["status"]) == ("new", "delivered")
    assert gone("tea") == {"main:2"}
    words["1"] = ("cancel", "canceled_by_client")
    clock.move(minutes=1)
    script = Script(orders__statuses=statuses)
    orders_poll.run(shop, clock, clock() + timedelta(minutes=5), script)
    assert body("1")["status"] == "cancelled"
    assert "main:1" not in held("tea")
    clock.move(minutes=1)
    orders_poll.run(shop, clock, clock() + timedelta(minutes=5), script)
    assert script.count("orders.statuses") == 1  # nothing is open any more


def test_the_hours_of_the_account_say_when_it_must_leave(clock: Clock) -> None:
    told = posting()
    del told["ship_by"]
    orders_poll.run(account(hours_to_ship=12), clock, clock() + timedelta(minutes=5), Script(orders__list=[told]))
    assert body()["ship_by"] == "2026-11-20T19:30:00.000000Z"


def test_the_shops_own_table_comes_before_the_shipped_one(clock: Clock) -> None:
    table = {"unified": [{"theirs": {"status": "awaiting_packaging"}, "is": "gift"}]}
    settings.put(SHOP, "statuses", "ozon", table, by="test", now=clock())
    own = {"list": [{"id": "gift", "title": "Gift", "counts_as": "assembled"}]}
    settings.put(SHOP, "statuses", "unified", own, by="test", now=clock())
    poll(clock, posting())
    assert body()["status"] == "gift"
    assert held("tea") == {"main:100-1": 2}


def test_a_changed_table_holds_for_what_is_open_though_there_is_no_news_of_it(clock: Clock) -> None:
    poll(clock, posting(status="teleported"), posting("2", status="delivered"))
    assert body()["status"] == "none"
    table = {"unified": [{"theirs": {"status": ["teleported", "delivered"]}, "is": "shipped"}]}
    settings.put(SHOP, "statuses", "ozon", table, by="test", now=clock())
    clock.move(minutes=1)
    poll(clock)
    assert (body()["status"], body()["left"], gone("tea")) == ("shipped", True, {"main:100-1", "main:2"})
    assert body("2")["status"] == "delivered"
    assert body()["history"][-1]["status"] == "shipped"
    revision = body()["read_at"]
    poll(clock)
    assert body()["read_at"] == revision


def test_what_the_marketplace_ships_itself_is_read_each_quarter_of_an_hour_and_only_shown(clock: Clock) -> None:
    theirs = posting("F-1", scheme="FBO", status="awaiting_packaging", ship_by=None)
    first = poll(clock, orders__list__fbo=[theirs])
    assert first.count("orders.list.fbo") == 1
    assert (body("F-1")["means"], held("tea"), told()) == ("read", {}, [])
    assert list(kept.every_open(SHOP, "main")) == []
    assert poll(clock, orders__list__fbo=[]).count("orders.list.fbo") == 0
    clock.move(minutes=15)
    poll(clock, orders__list__fbo=[{**theirs, "theirs": {"status": "cancelled"}}])
    assert (body("F-1")["status"], told()) == ("cancelled", [])


def test_an_account_that_names_no_scheme_of_the_marketplaces_own_reads_none(clock: Clock) -> None:
    script = Script(orders__list=[], orders__list__fbo=[posting("F-1", scheme="FBO")])
    orders_poll.run(account(schemes=["FBS"]), clock, clock() + timedelta(minutes=5), script)
    assert kept.get(SHOP, "main", "F-1") is None


def test_a_run_that_died_before_its_effects_is_made_good_by_the_next(clock: Clock) -> None:
    poll(clock, posting())

    def cancelled(body: Any) -> Any:
        return {**body, "released": True, "closed": True, "status": "cancelled"}

    kept.change(SHOP, "main", "100-1", cancelled)
    assert held("tea") == {"main:100-1": 2}
    poll(clock)
    assert held("tea") == {}
    assert body()["released"]
    assert list(kept.every_open(SHOP, "main")) == []


def test_returns_are_told_once_each(clock: Clock) -> None:
    poll(clock, posting(status="delivered"))
    told()
    back = {"number": "100-1", "theirs": {"return": "MovingToSeller"}, "reason": "too small"}
    for state in ("MovingToSeller", "MovingToSeller", "ReceivedBySeller"):
        clock.move(hours=2)
        poll(clock, returns__list=[{**back, "theirs": {"return": state}}])
    assert types() == ["return_on_its_way", "return_received"]


def test_a_part_that_comes_back_is_told_without_the_rest(clock: Clock) -> None:
    linked("POT", ("pot", 1))
    lines = [{"unit": "TEA", "name": "Tea", "quantity": 3, "price": 5}, {"unit": "POT", "name": "Pot", "quantity": 1}]
    poll(clock, posting(status="delivered", lines=lines, total=900))
    told()
    pot = {"number": "100-1", "id": "r1", "theirs": {"return": "MovingToSeller"}, "lines": [{"unit": "POT"}]}
    tea = {**pot, "id": "r2", "lines": [{"unit": "TEA", "quantity": 2}]}
    for found in ([pot], [pot, tea]):
        clock.move(hours=2)
        poll(clock, returns__list=found)
    first, second = (event["data"]["order"] for event in told())
    assert first["lines"] == [{"unit": "POT", "name": "Pot", "quantity": 1}]
    assert second["lines"] == [{"unit": "TEA", "name": "Tea", "quantity": 2}]
    assert "total" not in first


def test_yandexs_word_of_a_return_of_a_part_waits_for_the_return_that_names_the_goods(clock: Clock) -> None:
    yandex = account("yandex_market")
    part = posting("7", theirs={"status": "PARTIALLY_RETURNED"}, created_at="2026-11-19T12:00:00Z")
    poll(clock, posting("7", theirs={"status": "DELIVERED"}, created_at="2026-11-19T12:00:00Z"), by=yandex)
    told()
    poll(clock, part, by=yandex)
    assert types() == []
    clock.move(hours=2)
    back = {"number": "7", "id": "61", "theirs": {"shipmentStatus": "IN_TRANSIT"}}
    poll(clock, part, by=yandex, returns__list=[{**back, "lines": [{"unit": "TEA", "quantity": 1}]}])
    (event,) = told()
    assert event["data"]["order"]["lines"][0]["quantity"] == 1


def test_an_unlinked_order_from_before_the_connection_waits_and_notifies_nobody(clock: Clock) -> None:
    early = posting(created_at="2026-11-10T08:00:00Z", lines=[{"unit": "NEW", "quantity": 3}])
    poll(clock, early)
    assert (body()["imported"], body()["held_up"]) == (True, "unlinked")
    assert types() == []
    linked("NEW", ("new", 1))
    poll(clock)
    assert (body()["held_up"], held("new")) == (None, {"main:100-1": 3})


def test_goods_are_told_by_the_names_that_their_products_have(clock: Clock) -> None:
    product = {"unit": "50001000", "name": "T-shirt", "article": "SHIRT-M"}
    units.keep_products(SHOP, "main", [product], "run")
    for _ in range(2):
        poll(clock, posting(lines=[{"unit": "50001000", "quantity": 1}]))
    received, unlinked = told()
    wanted = [{"unit": "50001000", "name": "T-shirt", "article": "SHIRT-M", "quantity": 1}]
    assert (
        received["data"]["order"]["lines"] == unlinked["data"]["order"]["lines"] == unlinked["data"]["units"] == wanted
    )
    found = kept.get(SHOP, "main", "100-1")
    assert found is not None
    assert orders_shown.shown(found, clock())["lines"] == wanted
    before = found.rev
    poll(clock, posting(lines=[{"unit": "50001000", "quantity": 1}]))
    again = kept.get(SHOP, "main", "100-1")
    assert again is not None
    assert again.rev == before


def test_events_are_as_their_types_say(clock: Clock) -> None:
    lines = [{"unit": "NEW", "quantity": 3, "price": 5}]
    poll(clock, posting(lines=lines, ship_by="2026-11-20T09:00:00Z"))
    poll(clock, posting(lines=lines, cancel_requested={"deadline": "2026-11-22T08:00:00Z"}))
    poll(clock, posting(lines=lines, status="arbitration"))
    poll(clock, posting(lines=lines, status="cancelled"))
    found = told()
    assert len({event["type"] for event in found}) >= 6
    for event in found:
        module = events.find(event["type"])
        assert module is not None
        jsonschema_rs.validate(module.SCHEMA, event["data"], validate_formats=True)
