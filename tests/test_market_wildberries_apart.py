"""The twin of Wildberries where it does not sell by FBS: lists for each kind of order, and the feed of all."""

from collections.abc import Iterator
from typing import Any

import pytest

from tests.wildberries_bench import HOME, Bench


@pytest.fixture
def bench() -> Iterator[Bench]:
    """A card and a warehouse that shows five pieces of it."""
    made = Bench()
    made.twin.add_warehouse(HOME, "Home")
    made.twin.add_product("101", "mug", "Mug", "4600000000101")
    made.twin.set_stock("101", HOME, 5)
    yield made
    made.twin.close()


@pytest.mark.parametrize(
    ("listing", "kind", "scheme"),
    [("dbs", "dbs", "DBS"), ("dbs", "edbs", "EDBS"), ("dbw", "dbw", "DBW"), ("pickup", "pickup", "pickup")],
)
def test_an_order_of_another_scheme_is_in_lists_of_its_own(bench: Bench, listing: str, kind: str, scheme: str) -> None:
    number = str(bench.twin.sell("101", kind=kind))
    assert bench.twin.stock_of("101", HOME) == 4
    fresh = bench.ask(f"orders.{listing}.new").items
    assert [(one["number"], one["scheme"], one["lines"][0]["unit"]) for one in fresh] == [(number, scheme, "101")]
    assert (bench.ask("orders.new").items, bench.ask("orders.statuses", [{"number": number}]).items) == ([], [])
    day: dict[str, Any] = {"since": "2026-11-01T00:00:00Z", "until": "2026-11-20T09:00:00Z"}
    assert bench.ask(f"orders.{listing}.list", **day).items == []
    for pair in ("confirm/waiting", "receive/sold"):
        bench.twin.advance(number, pair)
        told = bench.ask(f"orders.{listing}.statuses", [{"number": number}, {"number": "77"}]).items
        supplier, _, wb = pair.partition("/")
        assert told == [{"number": number, "theirs": {"supplierStatus": supplier, "wbStatus": wb, "delivery": listing}}]
    assert bench.ask(f"orders.{listing}.new").items == []
    assert [one["number"] for one in bench.ask(f"orders.{listing}.list", **day).items] == [number]
    other = next(one for one in ("dbs", "dbw", "pickup") if one != listing)
    assert bench.ask(f"orders.{other}.list", **day).items == []


def test_a_wrong_question_for_another_scheme_s_orders_is_refused(bench: Bench) -> None:
    month: dict[str, Any] = {"since": "2026-10-01T00:00:00Z", "until": "2026-11-20T00:00:00Z"}
    for listing in ("dbs", "dbw", "pickup"):
        assert bench.ask(f"orders.{listing}.list", **month).verdict.do == "give-up"
        assert bench.ask(f"orders.{listing}.statuses", []).status == 400
        bench.wait(minutes=1)


def test_the_feed_tells_of_all_schemes_half_an_hour_late_and_only_fbw_is_taken(bench: Bench) -> None:
    bench.twin.add_fbw_stock("101", 507, "Коледино", 2)
    own, number = bench.sold(), str(bench.twin.sell_fbw("101"))
    assert (bench.twin.stock_of("101", HOME), bench.twin.sell_fbw("101", 5), bench.twin.oversold) == (4, None, 5)
    bench.wait(minutes=1)
    told: dict[str, Any] = {"since": "2026-11-20T07:00:00Z"}
    assert bench.ask("orders.list.fbo", **told).body == bench.ask("orders.list.fbo", **told).body
    assert len(bench.ask("orders.list.fbo", **told).body) == 2
    (found,) = bench.ask("orders.list.fbo", **told).items
    assert (found["number"], found["created_at"], found["total"]) == (number, "2026-11-20T08:00:00Z", 100_000)
    bench.twin.cancel(number)
    assert bench.ask("orders.list.fbo", **told).items[0]["theirs"] == {"isCancel": "false"}
    bench.wait(minutes=30)
    (found,) = bench.ask("orders.list.fbo", since="2026-11-20T08:01:00Z").items
    assert (found["theirs"], found["changed_at"]) == ({"isCancel": "true"}, "2026-11-20T08:01:00Z")
    assert bench.ask("orders.list.fbo", since="2026-11-20T08:02:00Z").body == []
    assert own in bench.twin.orders


def test_the_feed_is_scarce_above_all_for_a_base_token(bench: Bench) -> None:
    day: dict[str, Any] = {"since": "2026-11-20T00:00:00Z"}
    assert [bench.ask("orders.list.fbo", **day).status for _ in range(11)] == [200] * 10 + [429]
    base = bench.twin.add_seller("Small", "base")
    assert [bench.ask("orders.list.fbo", token=base, **day).status for _ in range(2)] == [200, 429]
    bench.wait(hours=3)
    assert bench.ask("orders.list.fbo", token=base, **day).status == 200
    other = bench.twin.add_token(scopes=["marketplace"])
    assert bench.ask("orders.list.fbo", token=other, **day).status == 401
