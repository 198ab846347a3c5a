"""Postings in their table: changed by one at a time, found while open, listed by day."""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from random import Random
from typing import Any

import pytest

from tests.orders_world import SHOP, START, account, cloud, posting
from vestnik.domain.market import postings
from vestnik.domain.market.statuses import Statuses
from vestnik.store import dynamo
from vestnik.store import postings as kept

READ = Statuses([{"theirs": {"status": "off"}, "is": "cancelled"}])


@pytest.fixture(autouse=True)
def tables() -> Iterator[None]:
    with cloud():
        yield


def told(minute: int = 0, **more: Any) -> kept.Stored | None:
    news = postings.normalise(posting(**more), account(), {"FBS": "worked"}, None)
    at = postings.moment(START + timedelta(minutes=minute))
    return kept.change(SHOP, "main", news["number"], lambda body: postings.merge(body, news, READ, at))


def entries() -> list[dict[str, Any]]:
    return list(kept.every_open(SHOP, "main"))


def done(stored: kept.Stored | None) -> kept.Stored:
    assert stored is not None
    after = kept.applied(stored, [event["id"] for event in stored.body["tell"]])
    assert after is not None
    return after


def test_what_is_kept_is_read_as_it_was() -> None:
    stored = told()
    assert kept.get(SHOP, "main", "100-1") == stored
    assert kept.get(SHOP, "main", "nobody") is None
    assert kept.get("other", "main", "100-1") is None


def test_who_was_overtaken_looks_again_before_writing() -> None:
    first = told()
    told(1, status="boxed")
    seen = list[str]()

    def step(body: Any) -> Any:
        seen.append(body["theirs"]["status"])
        return {**body, "supply": "S"}

    after = kept.change(SHOP, "main", "100-1", step, seen=first)
    assert seen == ["awaiting_packaging", "boxed"]
    assert after is not None
    assert (after.rev, after.body["theirs"]["status"], after.body["supply"]) == (3, "boxed", "S")


def test_nothing_changed_is_nothing_written() -> None:
    told()
    again = told()
    assert again is not None
    assert again.rev == 1


def test_effects_are_done_for_the_revision_that_they_were_done_for() -> None:
    first = told()
    second = told(1, status="boxed")
    assert first is not None
    assert kept.applied(first, []) is None
    assert done(second).settled
    assert [entry["due"] for entry in entries()] == [False]


def test_a_posting_stays_found_until_it_is_closed_and_done() -> None:
    done(told())
    last = told(1, status="off")
    assert [(entry["due"], entry["closed"]) for entry in entries()] == [(True, True)]
    done(last)
    assert entries() == []


def test_an_entry_moves_with_its_time_and_there_is_one_of_it() -> None:
    done(told())
    done(told(1, ship_by="2026-11-20T09:00:00Z"))
    assert [entry["sk"] for entry in entries()] == ["2026-11-20T09:00:00.000000Z#main:100-1"]


def test_the_most_urgent_come_first_and_those_without_a_time_last() -> None:
    for number, by in (("1", "2026-11-22T08:00:00Z"), ("2", None), ("3", "2026-11-20T10:00:00Z")):
        told(number=number, ship_by=by)
    assert [entry["number"] for entry in entries()] == ["3", "1", "2"]


def test_a_day_is_listed_in_pages_the_newest_first() -> None:
    for n in range(5):
        told(number=str(n), created_at=f"2026-11-20T0{(n * 3) % 5}:00:00Z")
    ids, more = kept.of_day(SHOP, "261120", 3)
    assert more is not None
    rest, end = kept.of_day(SHOP, "261120", 3, more)
    assert [*ids, *rest] == ["main:3", "main:1", "main:4", "main:2", "main:0"]
    assert end is None


def test_a_posting_whose_time_is_corrected_is_listed_once() -> None:
    told(created_at="2026-11-20T01:00:00Z")
    told(1, created_at="2026-11-19T01:00:00Z")
    assert kept.of_day(SHOP, "261120", 3) == ([], None)
    assert len(kept.of_day(SHOP, "261119", 3)[0]) == 1


def test_an_older_payload_does_not_replace_a_newer_one() -> None:
    kept.keep_raw(SHOP, "main", "1", {"n": 2}, "2026-11-20T08:02:00Z")
    kept.keep_raw(SHOP, "main", "1", {"n": 1}, "2026-11-20T08:01:00Z")
    assert kept.raw(SHOP, "main", "1") == ({"n": 2}, "2026-11-20T08:02:00Z")


def test_a_payload_goes_by_itself_some_months_after_it_was_last_read() -> None:
    kept.keep_raw(SHOP, "main", "1", {"n": 1}, "2026-11-20T08:00:00.000000Z")
    item = dynamo.get("orders", f"{SHOP}#posting#main:1", "raw")
    assert item is not None
    assert datetime.fromtimestamp(item["expires"], UTC) == datetime(2027, 2, 18, 8, tzinfo=UTC)


def test_a_payload_beyond_all_size_is_not_kept_but_no_error() -> None:
    kept.keep_raw(SHOP, "main", "1", {"n": Random(1).randbytes(400_000).hex()}, "2026-11-20T08:02:00Z")
    found = kept.raw(SHOP, "main", "1")
    assert found is not None
    assert "too_big" in found[0]


def test_two_runs_do_not_note_two_places() -> None:
    begun = kept.keep_place(SHOP, "main", {}, {"until": "a"})
    kept.keep_place(SHOP, "main", begun, {"until": "b"})
    with pytest.raises(dynamo.Conflict):
        kept.keep_place(SHOP, "main", begun, {"until": "c"})
    assert kept.place(SHOP, "main")["until"] == "b"
