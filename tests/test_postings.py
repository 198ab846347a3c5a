"""Postings in one form for all marketplaces: what is read into them, and that late news takes nothing back."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.orders_world import account, posting
from vestnik.domain.market import postings, statuses
from vestnik.domain.market.postings import Posting
from vestnik.domain.market.statuses import Statuses

NOW = datetime(2026, 11, 20, 8, 0, tzinfo=UTC)
WORDS = {
    "waiting": "new",
    "boxed": "packed",
    "on its way": "shipped",
    "there": "delivered",
    "off": "cancelled",
    "quarrel": "disputed",
}
READ = Statuses([{"theirs": {"status": theirs}, "is": ours} for theirs, ours in WORDS.items()])
SCHEMES = {"FBS": "worked", "FBO": "read"}
HELD = {"TEA": {"mode": "kit", "quantity": 2, "parts": [{"item": "tea", "quantity": 1}]}}


def normal(**more: Any) -> Posting:
    return postings.normalise(posting(**more), account(), SCHEMES, None)


def after(body: Posting | None, minute: int, **more: Any) -> Posting | None:
    at = postings.moment(NOW + timedelta(minutes=minute))
    return postings.merge(body, normal(**more), READ, at)


words = st.sampled_from([*WORDS, "never heard of"])


@given(st.lists(st.tuples(words, st.integers(0, 30)), min_size=1, max_size=12))
def test_no_order_of_news_brings_a_released_hold_or_sold_goods_back(news: list[tuple[str, int]]) -> None:
    body: Posting | None = None
    seen = list[str]()
    for status, minute in news:
        body = after(body, minute, status=status) or body
        assert body is not None
        body = {**body, "held": HELD}
        seen.append(postings.wanted(body))
    ended = next((n for n, word in enumerate(seen) if word != "hold"), len(seen))
    assert set(seen[:ended]) <= {"hold"}
    assert len(set(seen[ended:])) <= 1  # released for good, or gone for good


@given(st.lists(st.tuples(words, st.integers(0, 30)), min_size=1, max_size=8))
def test_the_same_news_again_is_no_news(news: list[tuple[str, int]]) -> None:
    body: Posting | None = None
    for status, minute in news:
        body = after(body, minute, status=status) or body
        assert after(body, minute, status=status) is None


@given(st.lists(st.integers(1, 4), min_size=1, max_size=4), st.integers(0, 5), st.data())
def test_a_split_never_holds_more_nor_less_than_the_whole(parts: list[int], rest: int, data: st.DataObject) -> None:
    links = data.draw(st.sampled_from(["kit", "alternative"]))
    total = sum(parts) + rest
    link = {"mode": links, "parts": [{"item": "a", "quantity": 1}, {"item": "b", "quantity": 1, "priority": 1}]}
    held = {"TEA": postings.hold_of(link, total, {"a": total // 2, "b": total})}
    lines = [{"unit": "TEA", "quantity": total}]
    parent = {**(after(None, 0, lines=lines) or {}), "held": held}
    whole = postings.held_items(parent)
    children = list[Posting]()
    for n, quantity in enumerate(parts):
        child = after(None, n + 1, number=f"C{n}", parent="100-1", lines=[{"unit": "TEA", "quantity": quantity}])
        assert child is not None
        children.append({**child, "held": postings.inherited(child, parent)})
        parent = postings.split(parent, children[-1]) or parent
        assert postings.split(parent, children[-1]) is None  # moved once
    for item in whole:
        assert sum(postings.held_items(one).get(item, 0) for one in [parent, *children]) == whole[item]


def test_money_is_in_minor_units_and_summed_where_no_total_is_told() -> None:
    assert normal()["total"] == 2000
    assert normal(total=1990)["total"] == 1990
    assert normal(lines=[{"unit": "A", "quantity": 1}])["total"] is None


@pytest.mark.parametrize(
    ("told", "hours", "by"),
    [
        ("2026-11-21T12:00:00Z", 5, "2026-11-21T12:00:00.000000Z"),
        ("2026-11-21T15:00:00+03:00", None, "2026-11-21T12:00:00.000000Z"),
        (None, 5, "2026-11-20T12:30:00.000000Z"),
        ("rubbish", None, None),
        (None, None, None),
    ],
)
def test_it_must_leave_when_they_say_else_some_hours_after_its_creation(
    told: str | None, hours: int | None, by: str | None
) -> None:
    read = postings.normalise(posting(ship_by=told), account(), SCHEMES, hours)
    assert read.get("ship_by") == by


def test_time_left_is_negative_when_overdue_and_none_when_nothing_is_due() -> None:
    body = after(None, 0, ship_by="2026-11-20T07:59:00Z", status="waiting")
    assert body is not None
    assert postings.seconds_left(body, NOW) == -60
    gone = after(body, 1, status="on its way")
    assert gone is not None
    assert postings.seconds_left(gone, NOW) is None


def test_lines_that_lack_almost_everything_are_read() -> None:
    read = normal(lines=[{}, {"unit": 7, "quantity": None, "price": "a lot"}])
    assert read["lines"] == [{"unit": "", "quantity": 1}, {"unit": "7", "quantity": 1}]


@given(st.dictionaries(st.sampled_from([*postings.FACTS, "buyer_group"]), st.none() | st.text() | st.integers()))
def test_no_rubbish_in_the_facts_is_an_error(facts: dict[str, Any]) -> None:
    told = {"number": 1, **{k: v for k, v in facts.items() if k not in ("lines", "theirs")}}
    assert postings.normalise(told, account(), SCHEMES, 3)["number"] == "1"


def test_a_pair_of_words_is_read_by_all_fields_that_an_entry_names() -> None:
    table = [
        {"theirs": {"supplierStatus": "confirm", "wbStatus": ["waiting", "sorted"]}, "is": "packed"},
        {"theirs": {"supplierStatus": "confirm"}, "is": "assembled"},
    ]
    read = Statuses(table)
    assert statuses.unified({"supplierStatus": "confirm", "wbStatus": "sorted"}, read) == "packed"
    assert statuses.unified({"supplierStatus": "confirm", "wbStatus": "else"}, read) == "assembled"
    assert statuses.unified({"supplierStatus": "complete"}, read) == "none"
    assert statuses.unified({}, Statuses([{"theirs": {}, "is": "new"}])) == "none"


def test_a_status_of_the_shops_own_means_what_it_counts_as() -> None:
    shipped = {"unified": [{"theirs": {"status": "x"}, "is": "new"}]}
    mine = {"unified": [{"theirs": {"status": "x"}, "is": "at_the_post"}]}
    read = statuses.statuses(shipped, mine, {"list": [{"id": "at_the_post", "counts_as": "shipped"}]})
    assert statuses.unified({"status": "x"}, read) == "at_the_post"
    assert statuses.has_left("at_the_post", {}, read)
    assert not statuses.has_left("made_up", {}, read)


def test_every_shipped_table_names_statuses_that_there_are() -> None:
    from vestnik.marketplaces import names, shipped

    for name in names():
        for entry in shipped(name).statuses.get("unified", []):
            assert entry["is"] in statuses.SHIPPED_LIST, (name, entry)
            assert entry["theirs"]
