"""The benchmarks' arithmetic and shapes; how fast anything is, only `make bench` says."""

from typing import Any

import pytest

from benchmarks import cold_start, cost, load, report
from benchmarks.metering import Meter, chunks, index_writes, read_units, size, updated, write_units
from vestnik import events

ITEM: dict[str, Any] = {"pk": {"S": "a"}, "sk": {"S": "b"}}


def test_an_item_is_as_large_as_its_names_and_values() -> None:
    assert size(ITEM) == 6
    assert size({"имя": {"S": "Вера"}}) == 6 + 8
    assert size({"n": {"N": "1234"}}) == 1 + 3
    assert size({"n": {"N": "-5"}}) == 1 + 3
    assert size({"s": {"SS": ["ab", "c"]}}) == 1 + 3
    assert size({"m": {"M": {"k": {"S": "v"}}}}) == 1 + 3 + 2 + 1


@pytest.mark.parametrize(("old", "new", "units"), [(0, 1, 1), (0, 1018, 1), (0, 1019, 2), (3000, 10, 3)])
def test_a_write_is_billed_by_the_larger_of_before_and_after(old: int, new: int, units: int) -> None:
    before = {**ITEM, "b": {"S": "x" * (old - 1)}} if old else None
    assert write_units(before, {**ITEM, "": {"S": "x" * new}}) == units


def test_reads_go_by_four_kilobytes_and_a_missing_item_counts_one() -> None:
    assert read_units(None) == 1
    assert read_units({"b": {"S": "x" * 4095}}) == 1
    assert read_units({"b": {"S": "x" * 4096}}) == 2


def test_only_a_change_of_the_list_is_written_to_the_index() -> None:
    listed, elsewhere = {**ITEM, "list": {"S": "1"}}, {**ITEM, "list": {"S": "2"}}
    assert index_writes(None, ITEM) == 0
    assert index_writes(None, listed) == 1
    assert index_writes(listed, listed) == 0
    assert index_writes(listed, elsewhere) == 2
    assert index_writes(listed, None) == 1


def test_queues_and_topics_count_each_64_kilobytes() -> None:
    assert [chunks(n) for n in (0, 1, 65_536, 65_537)] == [1, 1, 1, 2]


def test_a_send_with_a_group_pays_the_fair_queues_surcharge() -> None:
    meter = Meter()
    meter.sqs({"Entries": [{"MessageBody": "x" * 40_000, "MessageGroupId": "a"}] * 2})
    meter.sqs({"MessageBody": "x"})
    assert meter.units["SQS", "sqs request"] == 3
    assert meter.units["SQS", "sqs fair request"] == 2


def test_an_update_is_followed_as_dynamodb_carries_it_out() -> None:
    asked = {
        "UpdateExpression": "SET #a = :a, #b = if_not_exists(#b, :b) ADD #n :n, #s :s REMOVE #gone",
        "ExpressionAttributeNames": {f"#{n}": n for n in ("a", "b", "n", "s", "gone")},
        "ExpressionAttributeValues": {":a": {"S": "1"}, ":b": {"S": "2"}, ":n": {"N": "3"}, ":s": {"SS": ["y"]}},
    }
    old = {**ITEM, "b": {"S": "first"}, "n": {"N": "4"}, "s": {"SS": ["x"]}, "gone": {"S": ""}}
    new = updated(old, asked)
    assert new == {**ITEM, "a": {"S": "1"}, "b": {"S": "first"}, "n": {"N": "7"}, "s": {"SS": ["x", "y"]}}


def test_every_price_that_is_asked_for_is_listed() -> None:
    listed = cost.prices()
    assert listed["date"] in cost.PRICES.name
    assert all(price > 0 for kind in ("per_million", "per_gb", "per_month") for price in listed[kind].values())
    assert all(dollars >= 0 for dollars in cost.fixed().values())


def test_the_load_is_of_known_types_and_each_order_goes_through_its_steps_in_order() -> None:
    made = list(load.events(4 * load.APART + 100))
    assert {event["type"] for event in made} <= set(events.types())
    steps = [event["type"] for event in made if event["data"]["order"]["id"] == "o-20000"]
    assert steps == list(load.STEPS)[: len(steps)]
    assert len({event["id"] for event in made}) == len(made)


@pytest.mark.slow
def test_a_bill_has_the_parts_of_the_way_and_every_event_is_one_message() -> None:
    profile = cost.Profile("a few", 10, 1.0, 3)
    bill = cost.bill(profile)
    assert bill.messages == 30
    assert bill.writes["send-email-ses ledger UpdateItem"] == 2  # claimed and sent, and each under a kilobyte
    assert {"DynamoDB writes", "SQS", "SNS", "S3", "HTTP API", "Lambda", "30 days' storage"} <= bill.dollars.keys()
    assert bill.total == sum(bill.dollars.values())


def test_every_function_of_the_map_has_a_cold_start() -> None:
    programs = {name: cold_start.program(function) for name, function in cold_start.doors().items()}
    assert all(text.startswith("import functions.") for text in programs.values())
    assert "client('sesv2', sends=True)" in programs["send-email-ses"]


def test_the_chart_shows_what_is_over_its_aim() -> None:
    drawing = report.drawn([("good", 0.5, 1.0, "ms"), ("<bad>", 2.0, 1.0, "ms")])
    assert report.GOOD in drawing
    assert report.OVER in drawing
    assert "&lt;bad&gt;" in drawing
