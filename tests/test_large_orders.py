"""Orders of thousands of lines and payloads of megabytes: kept, held, told and shown like any other."""

import json
from collections.abc import Iterator
from datetime import timedelta
from random import Random
from typing import Any

import pytest

from tests.orders_world import SHOP, START, Clock, Script, account, cloud, held, linked, posting, stocked, told
from vestnik.domain.market import posting_lines
from vestnik.flows import intake, orders_poll
from vestnik.store import dynamo, records
from vestnik.store import postings as kept

LINES = 2000
READ_AT = "2026-11-20T08:02:00Z"


@pytest.fixture(autouse=True)
def tables() -> Iterator[None]:
    with cloud():
        yield


VOCABULARY = ["".join(Random(n).choices("абвгдежзиклмнопрст", k=7)) for n in range(400)]


def words(random: Random, count: int) -> str:
    return " ".join(random.choices(VOCABULARY, k=count))


def large(**more: Any) -> dict[str, Any]:
    """An order of very many lines, with names as people give them, and a payload of more than a megabyte."""
    random = Random(7)
    lines = [
        {"unit": f"ART-{n:05d}", "name": words(random, 8), "quantity": 1, "price": 1000 + n, "line": str(n)}
        for n in range(LINES)
    ]
    raw = {"products": [{**line, "note": words(random, 32)} for line in lines]}
    return posting(lines=lines, raw=raw, **more)


def poll(clock: Clock, *items: dict[str, Any]) -> None:
    orders_poll.run(account(), clock, clock() + timedelta(minutes=5), Script(orders__list=list(items)))
    clock.move(minutes=1)


def found() -> kept.Stored:
    stored = kept.get(SHOP, "main", "100-1")
    assert stored is not None
    return stored


def test_an_order_of_very_many_lines_is_kept_and_held_and_told() -> None:
    clock, order = Clock(), large()
    for n in range(0, LINES, 500):
        linked(f"ART-{n:05d}", ("tea", 1))
    stocked("tea", 10)
    poll(clock, order)
    stored = found()
    assert stored.settled
    assert [line["unit"] for line in stored.body["lines"]] == [line["unit"] for line in order["lines"]]
    assert held("tea") == {"main:100-1": 4}
    events = told()
    assert [event["type"] for event in events] == ["marketplace.order_received", "marketplace.order_unlinked"]
    poll(clock, large(status="cancelled"))
    assert (found().body["status"], held("tea")) == ("cancelled", {})


def test_another_order_is_not_held_up_by_it() -> None:
    poll(Clock(), large(), posting("100-2"))
    assert kept.get(SHOP, "main", "100-2") is not None


def test_an_order_that_is_too_large_even_so_is_told_to_staff_and_holds_up_no_other() -> None:
    random = Random(7)
    lines = [{"unit": str(n), "name": random.randbytes(400).hex(), "quantity": 1} for n in range(LINES)]
    poll(Clock(), posting(lines=lines), posting("100-2"))
    assert kept.get(SHOP, "main", "100-1") is None
    assert kept.get(SHOP, "main", "100-2") is not None
    (failed,) = (event for event in told() if event["type"] == "marketplace.sync_failed")
    assert failed["data"]["code"] == "too-big"
    assert "main:100-1 has 2000 lines" in failed["data"]["reason"]


def test_a_payload_of_a_megabyte_is_kept_whole() -> None:
    raw = large()["raw"]
    kept.keep_raw(SHOP, "main", "1", raw, READ_AT)
    assert kept.raw(SHOP, "main", "1") == (raw, READ_AT)


def test_what_was_kept_as_text_is_read_as_before() -> None:
    kept.keep_raw(SHOP, "main", "1", {"n": 1}, READ_AT)
    item = dynamo.get(kept.TABLE, f"{SHOP}#posting#main:1", "raw")
    assert item is not None
    assert item["body"] == '{"n":1}'
    assert kept.raw(SHOP, "main", "1") == ({"n": 1}, READ_AT)


@pytest.mark.parametrize("letter", ["a", "ш"])
def test_an_event_tells_as_many_lines_as_it_has_room_for(letter: str) -> None:
    lines = [{"unit": f"{n}", "name": letter * 400, "quantity": 1} for n in range(LINES)]
    shown = posting_lines.fitting(lines)
    assert shown == lines[: len(shown)]
    assert 0 < len(shown) < 500


# Orders that the shop itself tells


def test_an_event_with_an_order_that_is_too_large_is_refused_with_the_reason() -> None:
    event = {"type": "order.placed", "data": {"order": {"id": "1", "note": "x" * 135_000}}}
    (item,) = intake.take(SHOP, {"content-type": "application/json"}, json.dumps(event), "e", START).items
    assert item.problem is not None
    assert (item.problem.code, item.kept) == ("too-big", False)
    assert "131,072" in item.problem.reason


def test_fields_of_many_events_that_find_no_room_together_leave_out_the_largest_of_the_old() -> None:
    stored: records.Record | None = None
    for n in range(5):
        snapshot = {"id": "1", f"note_{n}": "щ" * (45_000 + n), "status": f"s{n}"}
        at = (START + timedelta(minutes=n)).isoformat()
        stored = records.keep("orders", SHOP, "order", "1", snapshot, at, stored)
    assert stored is not None
    assert stored == records.get("orders", SHOP, "order", "1")
    assert sorted(stored.body) == ["id", "note_0", "note_1", "note_4", "status"]
    assert stored.body["status"] == "s4"
