"""What the doors take and what they refuse: depth, numbers, names, parameters; and types as they are just now."""

import json
from typing import Any

import pytest

from infra.world.http_api import Response
from tests.asking import START, Shop, problem
from vestnik.channels import webhook
from vestnik.domain import cloudevents, nesting
from vestnik.domain.messages import Letter, Sender
from vestnik.errors import Refused

SCHEMA = {"type": "object", "properties": {"seats": {"type": "integer"}}, "required": ["seats"]}
CLOUD = {"specversion": "1.0", "type": "order.placed", "source": "/s", "id": "1", "data": {"order_id": "1"}}
BATCH = {"content-type": cloudevents.BATCH}


def deep(levels: int) -> Any:
    return json.loads("[" * levels + "]" * levels)


def event(levels: int) -> dict[str, Any]:
    """An event nested so deep in all: itself, its data, the order, and a list in it."""
    return {"type": "order.placed", "data": {"order": {"id": "deep", "x": deep(levels - 3)}}}


def as_text(shop: Shop, body: str, **headers: str) -> Response:
    return shop.world.request("POST", "/v1/events", headers=headers, body=body.encode())


def test_an_event_of_the_greatest_depth_can_be_shown_ever_after(shop: Shop) -> None:
    taken = shop.post("events", event(nesting.DEEPEST))
    assert taken.status == 202
    shop.world.settle()
    for path in (f"events/{taken.json()['event']}", "orders/deep", "orders", "customers"):
        assert shop.get(path).status == 200, path


def test_a_deeper_event_is_refused_with_the_limit(shop: Shop) -> None:
    told = problem(shop.post("events", event(nesting.DEEPEST + 1)), 422, "too-deep")
    assert str(nesting.DEEPEST) in told["detail"]


@pytest.mark.parametrize("levels", [1_000, 20_000, 100_000])
def test_no_depth_breaks_the_door_of_events(shop: Shop, levels: int) -> None:
    body = '{"type": "order.placed", "data": {"order": {"id": "1", "x": ' + "[" * levels + "]" * levels + "}}}"
    assert as_text(shop, body, **{"content-type": "application/json"}).status in (413, 422)


def test_a_deep_event_is_refused_alone_in_its_batch(shop: Shop) -> None:
    good = {"type": "order.placed", "data": {"order": {"id": "shallow"}}}
    answer = shop.post("events", [good, event(nesting.DEEPEST + 1)], **BATCH)
    assert answer.status == 202
    assert [item["status"] for item in answer.json()["items"]] == ["accepted", "refused"]
    assert answer.json()["items"][1]["problem"]["type"] == "/problems/too-deep"


def nested(levels: int) -> dict[str, Any]:
    pattern: dict[str, Any] = {"x": ["y"]}
    for _ in range(levels):
        pattern = {"x": pattern}
    return pattern


@pytest.mark.parametrize(
    ("method", "path", "body"),
    [
        ("PUT", "orders/x", {"x": deep(100)}),
        ("PUT", "customers/x", {"x": deep(400)}),
        ("PUT", "rules/x", {"name": "x", "pattern": nested(300), "recipients": [{"kind": "customer"}]}),
        ("PUT", "senders/x", {"plugin": "email_ses", "config": nested(300)}),
        ("PUT", "event-types/my.t", {"schema": {}, "sample": {"x": deep(300)}}),
        ("POST", "imports", {"kind": "orders", "rows": [{"id": "x", "x": deep(200)}]}),
        ("POST", "patterns/test", {"pattern": nested(400)}),
        ("PUT", "stock", {"rows": deep(300)}),
    ],
)
def test_one_limit_of_depth_holds_at_every_door(shop: Shop, method: str, path: str, body: Any) -> None:
    ask = shop.put if method == "PUT" else shop.post
    assert str(nesting.DEEPEST) in problem(ask(path, body), 422, "too-deep")["detail"]


def test_a_csv_makes_no_deeper_records_than_json(shop: Shop) -> None:
    column = ".".join(["x"] * 300)
    headers = {"content-type": "text/csv", "idempotency-key": "deep-csv"}
    body = f"id,{column}\n1,2\n".encode()
    answer = shop.world.request("POST", "/v1/imports?kind=orders", headers=headers, body=body)
    problem(answer, 422, "bad-csv")


@pytest.mark.parametrize("inside", ["]", "[[[", '"', "\\", '\\"[', "{}", "é["])
def test_brackets_in_texts_are_no_nesting(inside: str) -> None:
    for levels in (nesting.DEEPEST, nesting.DEEPEST + 1):
        value: Any = [inside] * 40
        for _ in range(levels - 1):
            value = [inside, value, inside]
        for text in (json.dumps(value), json.dumps(value, ensure_ascii=False)):
            if levels > nesting.DEEPEST:
                with pytest.raises(Refused):
                    nesting.check(text.encode())
            else:
                nesting.check(text.encode())


@pytest.mark.parametrize("number", ["1e999", "-1e999", "NaN"])
def test_a_number_that_no_double_can_hold_is_refused(shop: Shop, number: str) -> None:
    body = f'{{"type": "order.placed", "data": {{"order": {{"id": "1", "x": {number}}}}}}}'
    problem(as_text(shop, body, **{"content-type": "application/json"}), 400, "not-json")


def test_a_webhook_never_says_what_is_no_json() -> None:
    start: dict[str, Any] = {
        "shop": "demo",
        "message": "m",
        "attempt": "a",
        "channel": "webhook",
        "to": "https://hook.example/",
    }
    letter = Letter(**start, payload={"x": float("inf")})
    with pytest.raises(ValueError, match="not JSON compliant"):
        webhook.send(letter, Sender("demo", "s", "webhook", "webhook", "", {}, 1), {}, now=START)


@pytest.fixture
def changing(shop: Shop) -> Shop:
    assert shop.put("event-types/tasting.changed", {"schema": SCHEMA}).status == 200
    return shop


def taken(shop: Shop, **data: Any) -> int:
    return shop.post("events", {"type": "tasting.changed", "data": data}).status


def test_a_loosened_type_takes_the_next_event(changing: Shop) -> None:
    assert taken(changing) == 422
    changing.put("event-types/tasting.changed", {"schema": {"type": "object"}})
    assert taken(changing) == 202


def test_a_tightened_or_deleted_type_refuses_the_next_event(changing: Shop) -> None:
    assert taken(changing, seats=2) == 202
    changing.put("event-types/tasting.changed", {"schema": {**SCHEMA, "required": ["seats", "name"]}})
    assert taken(changing, seats=2) == 422
    changing.delete("event-types/tasting.changed")
    problem(changing.post("events", {"type": "tasting.changed", "data": {}}), 422, "unknown-type")


@pytest.mark.parametrize("name", ["Notify", "my_extension", "my-extension", "a/b", ""])
@pytest.mark.parametrize("frame", [CLOUD, {"type": "order.placed", "data": {"order_id": "1"}}])
def test_what_is_no_name_of_an_attribute_is_refused(shop: Shop, frame: dict[str, Any], name: str) -> None:
    told = problem(shop.post("events", {**frame, name: False}), 422, "invalid-event")
    assert told["errors"][0]["where"] == "/" + name.replace("/", "~1")


def test_a_plain_event_has_no_extensions_and_a_cloud_event_may(shop: Shop) -> None:
    plain = {"type": "order.placed", "data": {"order_id": "1"}, "actor": {"kind": "staff"}}
    assert problem(shop.post("events", plain), 422, "invalid-event")["errors"][0]["where"] == "/actor"
    assert shop.post("events", {**CLOUD, "traceparent": "00-1", "subject": "x"}).status == 202


@pytest.mark.parametrize("query", ["x=1", "x", "limit=5&x=1"])
def test_the_door_of_events_takes_no_query_parameters(shop: Shop, query: str) -> None:
    told = problem(shop.post(f"events?{query}", CLOUD), 422, "unknown-parameter")
    assert told["errors"][0]["where"] == "?" + query.partition("=")[0]
