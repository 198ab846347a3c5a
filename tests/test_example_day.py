"""The example day: generated, valid, lifelike enough to show every type, and harmless to real people."""

import json
import re
from functools import cache
from typing import Any

import phonenumbers

from examples import make_day
from tests.catalogued import ROOT, TYPES, validator


@cache
def day() -> list[dict[str, Any]]:
    return [json.loads(line) for line in (ROOT / "examples" / "day.jsonl").read_text("utf-8").splitlines()]


def test_the_example_day_is_what_its_generator_writes() -> None:
    everybody, made = make_day.make()
    assert make_day.day_text(made) == (ROOT / "examples" / "day.jsonl").read_text("utf-8")
    assert make_day.people_text(everybody) == (ROOT / "examples" / "people.json").read_text("utf-8")


def test_every_event_of_the_day_is_valid() -> None:
    wrong = [
        (event["id"], error.message) for event in day() for error in validator(event["type"]).iter_errors(event["data"])
    ]
    assert wrong == []


def test_the_day_is_in_order_of_time_with_ids_of_their_own_and_shows_every_type() -> None:
    times = [event["time"] for event in day()]
    assert times == sorted(times)
    assert times[0] >= "2026-11-20T06:00:00Z"
    assert times[-1] < "2026-11-21T06:00:00Z"
    assert len({(event["source"], event["id"]) for event in day()}) == len(day())
    # What Vestnik raises itself nobody posts, and the shop's stock is told in marketplaces.json.
    posted = {type for type in TYPES if not type.startswith("marketplace.")} - {"stock.changed"}
    assert {event["type"] for event in day()} == posted


def test_an_orders_first_event_of_the_day_tells_the_whole_order() -> None:
    seen: set[str] = set()
    for event in day():
        order = event["data"].get("order")
        if order and order["id"] not in seen:
            seen.add(order["id"])
            assert {"items", "total", "created_at"} <= order.keys()
    assert len(seen) > 300


def test_no_real_person_can_be_reached_by_the_example() -> None:
    people = json.loads((ROOT / "examples" / "people.json").read_text("utf-8"))
    everybody = people["staff"] + people["customers"]
    for person in everybody + [e["data"]["customer"] for e in day() if "customer" in e["data"]]:
        host = person["email"].partition("@")[2]
        assert re.fullmatch(r"((staff\.)?example\.(com|org|net)|simulator\.amazonses\.com)", host)
        if person["phone"]:
            assert re.fullmatch(r"\+1\d{3}55501\d\d|\+7973\d{7}|\+35998\d{7}", person["phone"])
            assert phonenumbers.is_valid_number(phonenumbers.parse(person["phone"]))
