"""The lists that a marketplace has beside its main one: how often each is asked, by whom statuses are told, and that
none of them holds the others up."""

from collections.abc import Iterator
from datetime import timedelta
from typing import Any

import pytest

from tests.orders_world import SHOP, START, Clock, Script, account, gone, held, posting, tea_shop, told
from vestnik.domain.market.accounts import Account
from vestnik.errors import Later, Refused
from vestnik.flows import orders_poll
from vestnik.store import postings as kept

NEW = {"supplierStatus": "new", "wbStatus": "waiting"}
LISTS = ("dbs", "dbw", "pickup")
PARTS = ("", *(f"{listing}__" for listing in LISTS))


@pytest.fixture(autouse=True)
def clock() -> Iterator[Clock]:
    with tea_shop(10):
        yield Clock()


def script(**answers: Any) -> Script:
    """A marketplace with all its lists, empty where nothing else is said."""
    purposes = [f"orders__{part}{what}" for part in PARTS for what in ("new", "list", "statuses")]
    return Script(**{**{name: list[Any]() for name in purposes}, **answers})


def order(number: str, scheme: str, **more: Any) -> dict[str, Any]:
    told = {"theirs": NEW, "lines": [{"unit": "TEA", "quantity": 1}], "ship_by": None, **more}
    return posting(number, scheme=scheme, **told)


def run(clock: Clock, there: Script, shop: Account | None = None) -> Any:
    shop = shop or account("wildberries")
    ran = orders_poll.run(shop, clock, clock() + timedelta(minutes=5), there)
    clock.move(minutes=1)
    return ran


def body(number: str) -> dict[str, Any]:
    found = kept.get(SHOP, "main", number)
    assert found is not None
    assert found.settled
    return found.body


def asked(there: Script) -> dict[str, int]:
    """How often each further list was asked for what."""
    purposes = [purpose for purpose, _, _ in there.calls if purpose.split(".")[1] in LISTS]
    return {purpose: purposes.count(purpose) for purpose in sorted(set(purposes))}


def test_an_account_that_sells_only_by_the_main_list_asks_seldom_for_the_others(clock: Clock) -> None:
    there = script()
    for _ in range(60):
        run(clock, there)
    assert there.count("orders.new") == 60
    assert asked(there) == {f"orders.{one}.{what}": n for one in LISTS for what, n in (("new", 4), ("list", 1))}


def test_an_account_that_names_other_schemes_asks_for_no_further_list(clock: Clock) -> None:
    there = script()
    run(clock, there, account("wildberries", schemes=["FBS", "FBW"]))
    assert asked(there) == {}


@pytest.mark.parametrize(
    "more",
    [{"schemes": ["FBS", "EDBS"]}, {"schemes": ["EDBS"]}, {"warehouses": [{"id": "1", "scheme": "DBS"}]}],
    ids=["one of its schemes", "no other", "a warehouse of it"],
)
def test_a_list_that_the_account_uses_is_asked_in_every_run(clock: Clock, more: dict[str, Any]) -> None:
    there = script()
    for _ in range(5):
        run(clock, there, account("wildberries", **more))
    assert asked(there)["orders.dbs.new"] == 5


def test_a_list_in_which_an_order_was_seen_is_asked_in_every_run_from_then_on(clock: Clock) -> None:
    there = script()
    run(clock, there)
    there.answers["orders.dbs.new"] = [order("7", "DBS")]
    for _ in range(14):
        run(clock, there)
    assert held("tea") == {}
    run(clock, there)
    assert held("tea") == {"main:7": 1}
    there.answers["orders.dbs.new"] = []
    before = there.count("orders.dbs.new")
    for _ in range(5):
        run(clock, there)
    assert there.count("orders.dbs.new") == before + 5
    assert there.count("orders.dbs.statuses") == 5
    assert asked(there)["orders.dbw.new"] <= 2


def test_statuses_are_asked_by_the_list_that_has_the_order(clock: Clock) -> None:
    there = script(
        orders__new=[order("1", "FBS")],
        orders__dbs__new=[order("2", "EDBS")],
        orders__pickup__new=[order("3", "pickup")],
    )
    run(clock, there)
    assert held("tea") == {"main:1": 1, "main:2": 1, "main:3": 1}
    for purpose in ("orders.new", "orders.dbs.new", "orders.pickup.new"):
        there.answers[purpose] = []
    gave_up = {"supplierStatus": "reject", "wbStatus": "canceled_by_client"}
    there.answers["orders.dbs.statuses"] = [{"number": "2", "theirs": {**gave_up, "delivery": "dbs"}}]
    there.answers["orders.pickup.statuses"] = [{"number": "3", "theirs": {**gave_up, "delivery": "pickup"}}]
    run(clock, there)
    rows = {purpose: rows for purpose, _, rows in there.calls if purpose.endswith(".statuses")}
    assert rows == {
        "orders.statuses": [{"number": "1"}],
        "orders.dbs.statuses": [{"number": "2"}],
        "orders.pickup.statuses": [{"number": "3"}],
    }
    assert held("tea") == {"main:1": 1, "main:2": 1}
    assert gone("tea") == {"main:2"}  # it was brought and comes back; what was to be fetched never left the shop


def test_what_is_over_and_was_never_seen_new_is_found_in_the_list_of_completed_ones(clock: Clock) -> None:
    there = script()
    run(clock, there)
    over = order("9", "DBW")
    del over["theirs"]
    there.answers["orders.dbw.list"] = [over]
    taken = {"supplierStatus": "receive", "wbStatus": "sold", "delivery": "dbw"}
    there.answers["orders.dbw.statuses"] = [{"number": "9", "theirs": taken}]
    clock.move(hours=6)
    run(clock, there)
    assert (body("9")["status"], gone("tea")) == ("delivered", {"main:9"})
    spans = [given for purpose, given, _ in there.calls if purpose == "orders.dbw.list"]
    assert [one["since"] for one in spans] == ["2026-10-22T08:00:00Z", "2026-10-22T14:01:00Z"]


def test_completed_orders_from_before_the_connection_hold_nothing_and_tell_nobody(clock: Clock) -> None:
    over = order("9", "DBS", created_at="2026-11-02T08:00:00Z")
    del over["theirs"]
    sold = {"supplierStatus": "receive", "wbStatus": "sold", "delivery": "dbs"}
    run(clock, script(orders__dbs__list=[over], orders__dbs__statuses=[{"number": "9", "theirs": sold}]))
    assert (body("9")["status"], body("9")["imported"], held("tea"), told()) == ("delivered", True, {}, [])


def test_a_list_that_must_wait_is_asked_again_when_it_may_and_holds_nothing_up(clock: Clock) -> None:
    until = START + timedelta(minutes=3)

    tried = list[str]()

    def parked(given: Any, rows: Any) -> Any:
        tried.append("dbs")
        raise Later("too many", at=until)

    there = script(orders__new=[order("1", "FBS")], orders__dbs__new=parked, orders__dbw__new=[order("2", "DBW")])
    shop = account("wildberries", schemes=["FBS", "DBS", "DBW"])
    ran = run(clock, there, shop)
    assert (ran.again, held("tea")) == (None, {"main:1": 1, "main:2": 1})
    for _ in range(2):
        run(clock, there, shop)
    assert tried == ["dbs"]
    there.answers["orders.dbs.new"] = [order("3", "DBS")]
    run(clock, there, shop)
    assert held("tea") == {"main:1": 1, "main:2": 1, "main:3": 1}


def test_a_main_list_that_must_wait_holds_no_further_list_up(clock: Clock) -> None:
    def parked(given: Any, rows: Any) -> Any:
        raise Later("too many", at=START + timedelta(minutes=3))

    there = script(orders__new=parked, orders__dbs__new=[order("2", "DBS")])
    with pytest.raises(Later):
        run(clock, there)
    assert held("tea") == {"main:2": 1}
    there.answers["orders.dbs.new"] = []
    there.answers["orders.dbs.statuses"] = [
        {"number": "2", "theirs": {"supplierStatus": "cancel_missed_call", "wbStatus": "canceled_by_missed_call"}}
    ]
    clock.move(minutes=1)
    with pytest.raises(Later):
        run(clock, there)
    assert (body("2")["status"], held("tea")) == ("cancelled", {})


def test_all_open_orders_are_read_at_first_though_a_further_list_was_read_before_them(clock: Clock) -> None:
    def parked(given: Any, rows: Any) -> Any:
        raise Later("too many", at=START)

    there = script(orders__open=[order("1", "FBS")], orders__new=parked)
    with pytest.raises(Later):
        run(clock, there)
    there.answers["orders.new"] = []
    for _ in range(2):
        run(clock, there)
    assert (there.count("orders.open"), held("tea")) == (1, {"main:1": 1})


def test_a_list_that_is_refused_holds_nothing_up_and_is_not_asked_each_minute(clock: Clock) -> None:
    tried = list[str]()

    def refused(given: Any, rows: Any) -> Any:
        tried.append("fbo")
        raise Refused("no such category", code="credentials")

    there = script(orders__new=[order("1", "FBS")], orders__list__fbo=refused, orders__pickup__list=refused)
    for _ in range(14):
        run(clock, there)
    assert held("tea") == {"main:1": 1}
    assert len(tried) == 2


def test_many_completed_orders_are_read_over_several_runs(clock: Clock) -> None:
    told = {"supplierStatus": "receive", "wbStatus": "sold", "delivery": "dbs"}

    def sold(given: Any, rows: Any) -> Any:
        clock.move(seconds=20)
        return [{**row, "theirs": told} for row in rows]

    pages = [[order(str(n), "DBS", created_at="2026-11-02T08:00:00Z")] for n in range(4)]
    for page in pages:
        del page[0]["theirs"]
    there, began = script(orders__dbs__list=pages, orders__dbs__statuses=sold), clock()
    shop = account("wildberries", schemes=["FBS", "DBS"])
    runs = [orders_poll.run(shop, clock, clock() + timedelta(seconds=30), there).again for _ in range(4)]
    assert [again is None for again in runs] == [False, False, False, True]
    calls = [(rows[0], given["until"]) for purpose, given, rows in there.calls if purpose == "orders.dbs.list"]
    assert calls == [(n, f"{began:%Y-%m-%dT%H:%M:%SZ}") for n in range(4)]
    assert {body(str(n))["status"] for n in range(4)} == {"delivered"}


def test_a_long_list_of_the_marketplaces_own_goes_on_where_it_was_and_leaves_half_of_the_time(clock: Clock) -> None:
    class Slow(Script):
        def pages(self, account: Any, purpose: str, now: Any, *, given: Any = None, start: Any = None) -> Any:
            for answer in super().pages(account, purpose, now, given=given, start=start):
                clock.move(seconds=20 if purpose == "orders.list.fbo" else 0)
                yield answer

    pages = [[posting(f"fbo-{n}", scheme="FBO", ship_by=None)] for n in range(6)]
    there = Slow(orders__list=[], orders__list__fbo=pages)
    runs = [orders_poll.run(account(), clock, clock() + timedelta(seconds=90), there).again for _ in range(2)]
    assert [again is None for again in runs] == [False, True]
    assert clock().replace(microsecond=0) == START + timedelta(seconds=120)
    calls = [(rows, given["until"]) for purpose, given, rows in there.calls if purpose == "orders.list.fbo"]
    assert calls == [([n], "2026-11-20T08:00:00Z") for n in range(6)]
    clock.move(minutes=13)
    run(clock, there, account())
    assert there.calls[-1][1]["since"] == "2026-11-20T07:50:00Z"  # since the list was asked for, not since it ended


def test_a_page_that_is_too_long_for_a_run_is_taken_piece_by_piece(clock: Clock) -> None:
    told = {"supplierStatus": "receive", "wbStatus": "sold", "delivery": "dbs"}

    def sold(given: Any, rows: Any) -> Any:
        clock.move(seconds=50)
        return [{**row, "theirs": told} for row in rows]

    page = [order(str(n), "DBS", created_at="2026-11-02T08:00:00Z") for n in range(220)]
    for one in page:
        del one["theirs"]
    there, shop = script(orders__dbs__list=page, orders__dbs__statuses=sold), account("wildberries", schemes=["DBS"])
    runs = [orders_poll.run(shop, clock, clock() + timedelta(seconds=90), there) for _ in range(4)]
    assert [ran.did for ran in runs] == [100, 100, 20, 0]
    assert [ran.again is None for ran in runs] == [False, False, True, True]


def test_a_list_that_is_refused_where_it_stopped_is_read_from_its_beginning(clock: Clock) -> None:
    begun = list[Any]()

    class Forgetful(Script):
        def pages(self, account: Any, purpose: str, now: Any, *, given: Any = None, start: Any = None) -> Any:
            begun.extend([start] if purpose == "orders.dbs.list" else [])
            for answer in super().pages(account, purpose, now, given=given, start=start):
                yield answer
                if purpose == "orders.dbs.list" and len(begun) < 3:
                    raise Later("too many", at=clock()) if len(begun) == 1 else Refused("no such page", code="refused")

    old = [order(str(n), "DBS", created_at="2026-11-02T08:00:00Z") for n in range(3)]
    there = Forgetful(orders__list=[], orders__dbs__new=[], orders__dbs__list=[[one] for one in old])
    for _ in range(20):
        run(clock, there)
    assert begun == [None, 1, None]


def test_a_feed_by_change_is_read_from_where_it_was_and_never_whole_again(clock: Clock) -> None:
    theirs = order("srid-1", "FBW", theirs={"isCancel": "false"})
    there = script(orders__list__fbo=[theirs])
    for _ in range(31):
        run(clock, there)
    assert (body("srid-1")["means"], body("srid-1")["status"], held("tea"), told()) == ("read", "confirmed", {}, [])
    clock.move(hours=7)
    there.answers["orders.list.fbo"] = [{**theirs, "theirs": {"isCancel": "true"}}]
    run(clock, there)
    assert (body("srid-1")["status"], told()) == ("cancelled", [])
    since = [given["since"] for purpose, given, _ in there.calls if purpose == "orders.list.fbo"]
    assert since == ["2026-11-13T08:00:00Z", "2026-11-20T07:00:00Z", "2026-11-20T07:30:00Z"]


def test_a_word_that_nobody_knows_is_shown_as_it_is(clock: Clock) -> None:
    strange = {"supplierStatus": "teleported", "wbStatus": "waiting", "delivery": "dbs"}
    run(clock, script(orders__dbs__new=[order("5", "SOMETHING", theirs=strange)]))
    assert (body("5")["status"], body("5")["theirs"]["supplierStatus"]) == ("none", "teleported")
    assert (body("5")["means"], held("tea")) == ("shown", {"main:5": 1})
