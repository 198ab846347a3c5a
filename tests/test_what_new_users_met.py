"""What a new user met at the doors: input that was taken wrongly, answers that pointed at the wrong place."""

import json
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import uuid4

import pytest

from infra.world import World
from infra.world.http_api import Response
from vestnik.domain import cloudevents
from vestnik.errors import Refused

START = datetime(2026, 11, 20, 8, tzinfo=UTC)
BINARY = {"ce-specversion": "1.0", "ce-type": "order.placed", "ce-source": "/s", "ce-id": "1"}
STRUCTURED = {"specversion": "1.0", "type": "order.placed", "source": "/s", "id": "1", "data": {}}
SECRET = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"  # noqa: S105  (an example of the specification)


@pytest.fixture(scope="module")
def world() -> Iterator[World]:
    with World(start=START) as world:
        yield world


def post(world: World, path: str, body: Any) -> Response:
    return world.request("POST", path, body=body, headers={"idempotency-key": str(uuid4())})


def put(world: World, path: str, body: Any) -> Response:
    return world.request("PUT", path, body=body)


def binary(**headers: str) -> dict[str, Any]:
    posted = cloudevents.read({**BINARY, **headers}, "{}")
    return cloudevents.event(posted.events[0], "demo", "fresh", START)


@pytest.mark.parametrize(
    ("written", "meant"),
    [("Euro%20%E2%82%AC", "Euro €"), ("a%2525b", "a%25b"), ('"a \\"b\\""', 'a "b"'), ("50%", "50%"), ('"', '"')],
)
def test_headers_of_a_binary_event_are_decoded_once(written: str, meant: str) -> None:
    assert binary(**{"ce-id": written})["id"] == meant


def test_a_header_that_is_not_utf_8_names_the_attribute() -> None:
    with pytest.raises(Refused) as told:
        binary(**{"ce-source": "%FF"})
    assert told.value.where == "/source"


def without(kept: dict[str, Any], name: str) -> dict[str, Any]:
    return {each: value for each, value in kept.items() if each != name}


def read_and_checked(headers: dict[str, str], body: dict[str, Any]) -> dict[str, Any]:
    posted = cloudevents.read(headers, json.dumps(body))
    return cloudevents.event(posted.events[0], "demo", "fresh", START)


@pytest.mark.parametrize("missing", ["specversion", "type", "source", "id"])
def test_a_cloud_event_without_a_required_attribute_is_refused_by_its_name(missing: str) -> None:
    structured = {"content-type": cloudevents.STRUCTURED}
    for headers, body in ((structured, without(STRUCTURED, missing)), (without(BINARY, f"ce-{missing}"), {})):
        with pytest.raises(Refused, match="is missing") as told:
            read_and_checked(headers, body)
        assert told.value.where == f"/{missing}"


def test_a_pattern_without_an_event_is_valid_however_the_event_is_left_out(world: World) -> None:
    for body in ({"pattern": {"type": ["a"]}}, {"pattern": {"type": ["a"]}, "event": None}):
        assert world.request("POST", "/v1/patterns/test", body=body).json() == {"result": "valid"}


def test_a_check_takes_null_for_what_is_not_there(world: World) -> None:
    body = {"channel": "email", "event": None, "subject": None, "html": "<script>x</script>", "text": None}
    found = world.request("POST", "/v1/templates/check", body=body).json()["problems"]
    assert [problem["code"] for problem in found] == ["malicious-code"]


def test_a_hint_names_a_field_as_the_api_does(world: World) -> None:
    (fault,) = [e for e in post(world, "/v1/statistics/rebuild", {"fro": "x"}).json()["errors"] if e["where"] == "/fro"]
    assert fault["expected"] == "perhaps from"


def test_a_dry_run_may_stand_in_the_address_of_any_import(world: World) -> None:
    body = {"kind": "customers", "rows": [{"id": "dry"}]}
    assert post(world, "/v1/imports?dry_run=true", body).json()["kept"] == 0
    assert world.request("GET", "/v1/customers/dry").status == 404
    assert post(world, "/v1/imports?kind=orders", body).json()["errors"][0]["where"] == "?kind"


def test_a_bare_id_asks_for_the_messages_of_a_customer(world: World) -> None:
    customer = {"id": "bare", "email": "bare@example.com", "language": "en"}
    post(world, "/v1/events", {"type": "order.paid", "data": {"order": {"id": "o-bare"}, "customer": customer}})
    world.settle()
    (message,) = world.request("GET", "/v1/messages?person=bare").json()["items"]
    assert message["person"] == "customer:bare"


@pytest.mark.parametrize(
    "url", ["https://127.0.0.1/", "https://169.254.169.254/latest", "https://[::1]/", "http://a.bg/"]
)
def test_an_inner_address_is_refused_when_it_is_set(world: World, url: str) -> None:
    webhook = {"plugin": "webhook", "config": {"url": url}, "secret": {"secret": SECRET}}
    assert put(world, "/v1/senders/inner", webhook).json()["errors"][0]["where"] == "/config/url"
    told = {"pattern": {"type": ["order.paid"]}, "channel": "webhook", "recipients": [{"kind": "webhook", "url": url}]}
    assert put(world, "/v1/rules/inner", told).json()["errors"][0]["where"] == "/recipients/0/url"


@pytest.mark.parametrize("host", ["127.0.0.1", "10.0.0.1", "localhost", "mail.internal", "0x7f.1"])
def test_an_inner_mail_server_is_refused_when_it_is_set(world: World, host: str) -> None:
    config = {"from_address": "a@demo.example", "host": host, "port": 587, "security": "tls", "username": "a"}
    answer = put(world, "/v1/senders/inner", {"plugin": "email_smtp", "config": config, "secret": {"password": "x"}})
    assert answer.json()["errors"][0]["where"] == "/config/host"


def test_a_test_message_goes_where_the_sender_itself_says(world: World) -> None:
    for sender in ("webhook", "telegram"):
        assert post(world, f"/v1/senders/{sender}/test", {}).json()["outcome"] == "sent"
    assert post(world, "/v1/senders/ses/test", {}).json()["errors"][0]["where"] == "/to"


def test_a_seeded_sender_can_be_put_again_without_its_credentials(world: World) -> None:
    kept = world.request("GET", "/v1/senders/own-server").json()
    assert kept["secrets"] == ["password"]
    put(world, "/v1/senders/own-server", {"plugin": "email_smtp", "config": kept["config"]})
    assert post(world, "/v1/senders/own-server/test", {"to": "a@example.com"}).json()["outcome"] == "sent"


def test_a_webhook_to_any_host_ends_in_the_outbox_and_never_leaves(world: World) -> None:
    put(world, "/v1/senders/mine", {"plugin": "webhook", "secret": {"secret": SECRET}})
    for url in ("https://hooks.example/orders", "https://hooks.example:8443/gone", "https://10.0.0.1/"):
        post(world, "/v1/senders/mine/test", {"to": url})
    assert [item["to"] for item in world.outbox if "hooks.example" in item["to"]] == ["https://hooks.example/orders"]


def test_no_mail_server_but_its_own_is_reached(world: World) -> None:
    config = {"from_address": "a@demo.example", "host": "mail.example.com", "port": 587, "security": "tls"}
    secret = {"password": "x"}
    put(world, "/v1/senders/far", {"plugin": "email_smtp", "config": {**config, "username": "a"}, "secret": secret})
    told = post(world, "/v1/senders/far/test", {"to": "a@example.com"}).json()
    assert (told["outcome"], "local world" in told["reason"]) == ("later", True)


def all_orders(world: World, query: str) -> list[str]:
    part = world.request("GET", f"/v1/messages?{query}").json()
    found = [message["order"] for message in part["items"]]
    while part["next"]:
        part = world.request("GET", f"/v1/messages?{query}&cursor={part['next']}").json()
        found += [message["order"] for message in part["items"]]
    return found


@pytest.mark.slow
def test_messages_and_figures_are_found_without_a_day_when_midnight_has_passed(world: World) -> None:
    world.reset()
    for n, hours in enumerate((16, 0)):  # two days: within one, the order is nobody's promise
        customer = {"id": f"c{n}", "email": f"c{n}@example.com", "language": "en"}
        post(world, "/v1/events", {"type": "order.paid", "data": {"order": {"id": f"o{n}"}, "customer": customer}})
        world.advance(timedelta(hours=hours, minutes=1))
    assert all_orders(world, "channel=email&limit=1") == ["o1", "o0"]
    assert all_orders(world, "order=o0") == ["o0"]
    groups = world.request("GET", "/v1/statistics?group_by=channel").json()["items"]
    assert [group["counts"]["messages"] for group in groups] == [2]


def test_a_world_that_begins_anew_does_not_go_on_with_what_it_was_told_to_advance(world: World) -> None:
    start = world.now()
    world.engine.later(timedelta(minutes=5), world.reset)
    world.advance(timedelta(hours=1))
    assert world.now() == start + timedelta(minutes=5)


def test_a_settled_world_has_sent_what_a_limit_held_back_but_nothing_deferred(world: World) -> None:
    world.reset()
    put(world, "/v1/templates/late", {"channel": "sms", "contents": {"en": {"text": "Thanks"}}})
    post(world, "/v1/templates/late/publish", {})
    rule = {"pattern": {"type": ["order.paid"]}, "recipients": [{"kind": "customer"}], "channel": "sms"}
    put(world, "/v1/rules/late", {**rule, "templates": {"customer": "late"}, "delay": "PT5M"})
    for n in range(60):  # SES takes 14 a second
        customer = {"id": f"c{n}", "email": f"c{n}@example.com", "phone": "+359888123456", "language": "en"}
        post(world, "/v1/events", {"type": "order.paid", "data": {"order": {"id": f"o{n}"}, "customer": customer}})
    start = world.now()
    world.settle()
    assert [item["channel"] for item in world.outbox] == ["email"] * 60
    assert world.now() - start < timedelta(minutes=1)
