"""More stories: what is odd, late, huge, or goes wrong in between, and still ends well."""

import json
from collections.abc import Iterator
from datetime import timedelta
from typing import Any

import pytest

from infra.world import Fault, World
from tests.test_stories import BUYER, START, explained, happened, order, post, put, received, rule
from vestnik import resources
from vestnik.store import people, records

SQS_LARGEST = 256 * 1024
ITEM_LARGEST = 400 * 1024
KEY_LARGEST = {"pk": 2048, "sk": 1024}
OWN = {"schema": {"type": "object"}, "purpose": "service"}


@pytest.fixture
def world() -> Iterator[World]:
    """A fresh local world."""
    with World(start=START) as fresh:
        yield fresh


def as_operator(world: World) -> Any:
    """The variables of the door that may touch most."""
    return resources.use(world.account.variables(world.account.functions["manage-shop"]))


def messages(world: World, query: str = "") -> list[dict[str, Any]]:
    """The messages of the day."""
    answer = world.request("GET", f"/v1/messages?{query}")
    assert answer.status == 200, answer.body
    return list(answer.json()["items"])


def own_event(world: World, id: str, **data: Any) -> dict[str, Any]:
    """An event of the shop's own type, about which the shop's schema asks nothing."""
    put(world, "/v1/event-types/tasting.booked", OWN)
    return {"type": "tasting.booked", "id": id, "source": "/t", "time": world.now().isoformat(), "data": data}


def own_template(world: World, id: str, text: str, channel: str = "email") -> None:
    """A published template of the shop's own."""
    contents = {"en": {"text": text} | ({"subject": "S"} if channel == "email" else {})}
    put(world, f"/v1/templates/{id}", {"name": id, "channel": channel, "contents": contents})
    answer = world.request("POST", f"/v1/templates/{id}/publish", headers={"idempotency-key": f"publish-{id}"})
    assert answer.status == 200, answer.body


def dead(world: World) -> list[dict[str, Any]]:
    """The shop's dead letters, after enough time for anything to become one."""
    world.advance(timedelta(hours=1))
    return list(world.request("GET", "/v1/dead-letters").json()["items"])


def too_large(world: World) -> list[str]:
    """A list that fills with what AWS would refuse for its size, and moto takes."""
    found: list[str] = []

    def look(call: Any, request: Any, answer: Any) -> None:
        if call.service == "sqs" and call.operation.startswith("SendMessage"):
            asked = json.loads(request.body)
            size = sum(len(e["MessageBody"].encode()) for e in asked.get("Entries", [asked]))
            if size > SQS_LARGEST:
                found.append(f"{call.function} {call.operation}: {size} bytes")
        if call.service == "dynamodb":
            found.extend(f"{call.function} {call.operation}: {what}" for what in _oversized(json.loads(request.body)))

    world.watch.append(look)
    return found


def _oversized(node: Any) -> Iterator[str]:
    if isinstance(node, list):
        for inner in node:
            yield from _oversized(inner)
    if not isinstance(node, dict):
        return
    for name, most in KEY_LARGEST.items():
        value = node.get(name)
        if isinstance(value, dict) and "S" in value and not 0 < len(value["S"].encode()) <= most:
            yield f"{name} of {len(value['S'].encode())} bytes"
    if "Item" in node and len(json.dumps(node["Item"], ensure_ascii=False).encode()) > ITEM_LARGEST:
        yield "an item too large"
    for inner in node.values():
        yield from _oversized(inner)


def test_a_repeat_of_an_event_without_a_time_does_not_turn_the_order_back(world: World) -> None:
    placed = {"type": "order.placed", "id": "1", "data": {"order": order(status="new"), "customer": BUYER}}
    post(world, placed)
    world.settle()
    world.advance(timedelta(minutes=5))
    post(world, happened(world, "order.shipped", order=order(status="shipped")))
    world.settle()
    world.advance(timedelta(minutes=5))
    post(world, placed)
    world.settle()
    assert world.request("GET", "/v1/orders/1001").json()["status"] == "shipped"


def test_guests_without_an_id_are_not_taken_for_one_person(world: World) -> None:
    recipients = [{"kind": "customer"}]
    more = {"recipients": recipients, "templates": {"customer": "hello"}}
    own_template(world, "hello", "Hello {{ customer.name }} {{ customer.phone }}")
    event = own_event(world, "1", customer={"id": None, "name": "Ann", "phone": "+359888", "email": "ann@example.com"})
    put(world, "/v1/rules/own", rule("own", "tasting.booked", **more))
    post(world, event)
    world.settle()
    post(world, own_event(world, "2", customer={"id": None, "name": "Bob", "email": "bob@example.com"}))
    world.settle()
    assert not any("+359888" in letter["text"] for letter in received(world, "email", "bob@example.com"))
    assert world.request("GET", "/v1/customers/None").status == 404


@pytest.mark.parametrize("id", ["", "x" * 5000, {"a": 1}, [], False], ids=["empty", "long", "object", "list", "false"])
def test_an_event_of_the_shops_own_with_an_odd_id_is_judged_all_the_same(world: World, id: Any) -> None:
    oversized = too_large(world)
    event = own_event(world, "1", order={"id": id}, customer={"id": id}, staff={"id": id})
    put(world, "/v1/rules/own", rule("own", "tasting.booked"))
    post(world, event)
    post(world, own_event(world, "2", order_id=id, customer_id=id, staff_id=id, actor=id, author=id))
    post(world, own_event(world, "3", order={"id": "7", "customer_id": id, "manager_id": id}))
    world.settle()
    assert not oversized
    assert len(received(world, "email", "office@example.com")) == 3
    assert not dead(world)


def test_a_colleague_with_odd_groups_spoils_no_rule(world: World) -> None:
    put(world, "/v1/staff/7", {"name": "Petar", "email": "petar@example.com", "groups": ["managers"]})
    group = [{"kind": "staff_group", "group": "managers"}]
    more = {"recipients": group, "templates": {"staff_group": "order.placed/staff"}}
    event = own_event(world, "1", staff={"id": "8", "groups": None, "roles": 5, "active": True})
    post(world, event)
    world.settle()
    put(world, "/v1/rules/team", rule("team", "order.assembled", **more))
    post(world, happened(world, "order.assembled", order=order(), customer=BUYER))
    world.settle()
    assert len(received(world, "email", "petar@example.com")) == 1


def test_odd_fields_of_people_reach_nobody_and_spoil_nothing(world: World) -> None:
    oversized = too_large(world)
    event = own_event(
        world, "1", customer={"id": "c", "email": "e" * 5000 + "@example.com", "name": {"a": 1}}, actor="me"
    )
    recipients = [{"kind": "customer"}]
    more = {"recipients": recipients, "templates": {"customer": "order.placed/customer"}, "except_actor": True}
    put(world, "/v1/rules/own", rule("own", "tasting.booked", **more))
    eid = post(world, event)["event"]
    world.settle()
    assert not oversized
    assert not dead(world)
    (decision,) = explained(world, eid)["decisions"]
    assert decision["reason"] or messages(world)[0]["state"] == "failed"


def test_the_largest_event_fits_through_every_queue_and_table(world: World) -> None:
    oversized = too_large(world)
    put(world, "/v1/rules/later", rule("later", "order.placed", delay="PT30M"))
    for n in range(2):
        noted = order(**{f"note{n}": "ж" * 62_000})
        post(world, happened(world, "order.placed", str(n), order=noted, customer=BUYER))
        world.settle()
        world.advance(timedelta(minutes=1))
    world.advance(timedelta(hours=1))
    assert not oversized
    assert len(received(world, "email", "maria@example.com")) == 2
    assert len(received(world, "email", "office@example.com")) == 2


@pytest.mark.slow
def test_an_event_with_very_many_recipients_fits_its_record(world: World) -> None:
    oversized = too_large(world)
    with as_operator(world):
        for n in range(1500):
            body = {"name": "N", "groups": ["all"], "active": True}
            records.replace(people.TABLE, "demo", "staff", f"{n:04}" + "x" * 120, body, "2026-11-20T00:00:00.000000Z")
    recipients = [{"kind": "staff_group", "group": "all"}]
    put(world, "/v1/rules/all", rule("all", "order.assembled", recipients=recipients, templates={}))
    eid = post(world, happened(world, "order.assembled", order=order(), customer=BUYER))["event"]
    world.settle()
    assert not oversized
    assert len(explained(world, eid)["decisions"]) > 1500


def test_what_was_kept_of_a_batch_is_told_item_by_item(world: World) -> None:
    events = [{"type": "order.assembled", "data": {"order": order(id=str(n)), "customer": BUYER}} for n in range(25)]
    calls = {"n": 0}

    def second_fails(call: Any) -> Fault | None:
        if call.function == "take-events" and call.operation == "SendMessageBatch":
            calls["n"] += 1
            return Fault("before", "500") if 2 <= calls["n"] <= 5 else None
        return None

    world.faults = second_fails
    answer = world.request("POST", "/v1/events", body=events)
    assert answer.status == 503
    kept = [item["status"] for item in answer.json()["items"]]
    assert kept == ["accepted"] * 10 + ["not-kept"] * 10 + ["accepted"] * 5


def test_characters_that_a_queue_refuses_travel_escaped(world: World) -> None:
    bodies: list[str] = []
    world.watch.append(
        lambda call, request, answer: bodies.append(request.body.decode()) if call.service == "sqs" else None
    )
    post(world, happened(world, "order.placed", order=order(comment="a\ufffeb\uffffc\u0000d"), customer=BUYER))
    world.settle()
    sent = [e["MessageBody"] for b in bodies if "Entries" in b for e in json.loads(b)["Entries"]]
    assert sent
    assert not any(c in body for body in sent for c in "\ufffe\uffff\u0000")
    assert len(received(world, "email", "maria@example.com")) == 1


def test_what_was_superseded_is_shown_so(world: World) -> None:
    now = happened(world, "order.shipped", order=order(status="shipped"), customer=BUYER)
    world.advance(timedelta(minutes=1))
    post(world, now)
    world.settle()
    old = happened(world, "order.assembled", order=order(status="assembled"), customer=BUYER)
    old["time"] = (START - timedelta(hours=1)).isoformat()
    put(world, "/v1/rules/mine", rule("mine", "order.assembled"))
    eid = post(world, old)["event"]
    world.settle()
    told = explained(world, eid)["messages"]
    assert told
    assert {message["state"] for message in told} == {"superseded"}
    assert world.request("GET", f"/v1/messages/{told[0]['id']}").json()["state"] == "superseded"


def test_a_colleague_whom_the_list_did_not_show_yet_is_found_within_minutes(world: World) -> None:
    put(world, "/v1/staff/7", {"name": "Petar", "email": "petar@example.com", "groups": ["managers"]})
    group = [{"kind": "staff_group", "group": "managers"}]
    more = {"recipients": group, "templates": {"staff_group": "order.placed/staff"}}
    put(world, "/v1/rules/team", rule("team", "order.assembled", **more))
    post(world, happened(world, "order.assembled", "1", order=order(), customer=BUYER))
    world.settle()
    with as_operator(world):  # as if the settings revision had moved before the list showed the colleague
        body = {"name": "Elena", "email": "elena@example.com", "groups": ["managers"]}
        records.replace(people.TABLE, "demo", "staff", "8", body, "2026-11-20T00:00:00.000000Z")
    world.advance(timedelta(minutes=6))
    post(world, happened(world, "order.assembled", "2", order=order(), customer=BUYER))
    world.settle()
    assert len(received(world, "email", "elena@example.com")) == 1


def test_a_request_whose_first_write_lost_its_answer_is_carried_out(world: World) -> None:
    put(world, "/v1/customers/1", {"name": "Ann"})
    seen = {"n": 0}

    def lost(call: Any) -> Fault | None:
        if call.operation == "PutItem" and "limits" in call.resource:
            seen["n"] += 1
            return Fault("after", "timeout") if seen["n"] == 1 else None
        return None

    world.faults = lost
    answer = world.request("POST", "/v1/customers/1/erase", headers={"idempotency-key": "one"}, body={})
    assert answer.status == 200, answer.body


def test_attributes_in_headers_are_read_as_cloudevents_writes_them(world: World) -> None:
    data = {"order": order(), "customer": BUYER}
    headers = {"ce-specversion": "1.0", "ce-type": "order.placed", "ce-source": "/%D0%BB%D0%B0%D0%B2%D0%BA%D0%B0"}
    one = world.request("POST", "/v1/events", headers={**headers, "ce-id": "a%20b"}, body=data)
    whole = {"specversion": "1.0", "type": "order.placed", "source": "/лавка", "id": "a b", "data": data}
    two = world.request("POST", "/v1/events", headers={"content-type": "application/cloudevents+json"}, body=whole)
    assert (one.status, two.status) == (202, 202)
    assert one.json()["event"] == two.json()["event"]


def test_a_person_named_twice_in_other_spelling_gets_one_letter(world: World) -> None:
    office = {"kind": "address", "address": "Office@Example.com", "name": "Office", "language": "en"}
    put(world, "/v1/rules/one", rule("one", "order.assembled"))
    put(world, "/v1/rules/two", rule("two", "order.assembled", recipients=[office]))
    post(world, happened(world, "order.assembled", order=order(), customer=BUYER))
    world.settle()
    assert len([i for i in received(world, "email") if i["to"].lower() == "office@example.com"]) == 1


def test_a_confirmation_that_comes_late_still_lists_the_goods(world: World) -> None:
    placed = happened(world, "order.placed", order=order(), customer=BUYER)
    world.advance(timedelta(minutes=1))
    shipped = happened(world, "order.shipped", order={"id": "1001", "status": "shipped"})
    shipped["data"]["customer"] = {"id": "42", "email": "maria@example.com"}
    post(world, shipped)
    world.settle()
    post(world, placed)
    world.settle()
    letter = received(world, "email", "maria@example.com")[-1]
    assert order()["items"][0]["name"] in letter["text"]
    assert "Maria" in letter["text"]


def test_two_events_of_one_moment_are_each_told_as_they_say(world: World) -> None:
    own_template(world, "status", "It is {{ order.status }}")
    put(world, "/v1/rules/one", rule("one", "order.assembled", templates={"address": "status"}))
    put(world, "/v1/rules/two", rule("two", "order.shipped", templates={"address": "status"}))
    post(world, happened(world, "order.assembled", order=order(status="assembled"), customer=BUYER))
    post(world, happened(world, "order.shipped", order=order(status="shipped"), customer=BUYER))
    world.settle()
    told = {letter["text"].strip() for letter in received(world, "email", "office@example.com")}
    assert told == {"It is assembled", "It is shipped"}


def test_an_event_that_carries_a_colleague_is_judged_at_once(world: World) -> None:
    event = own_event(world, "1", staff={"id": "8", "name": "Elena", "email": "elena@example.com", "groups": ["team"]})
    recipients = [{"kind": "staff_group", "group": "team"}]
    more = {"recipients": recipients, "templates": {"staff_group": "order.placed/staff"}}
    put(world, "/v1/rules/own", rule("own", "tasting.booked", **more))
    post(world, event)
    world.settle()
    assert len(received(world, "email", "elena@example.com")) == 1


def test_nothing_is_a_message_without_its_rule_and_its_reason(world: World) -> None:
    put(world, "/v1/rules/first", rule("first", "order.assembled", priority=90, delay="PT10M"))
    put(world, "/v1/rules/second", rule("second", "order.assembled", priority=10))
    eid = post(world, happened(world, "order.assembled", order=order(), customer=BUYER))["event"]
    world.settle()
    told = [m for m in explained(world, eid)["messages"] if m["person"] in ("address", "address:office@example.com")]
    assert [m["rule"] for m in told] == ["first"]


def test_a_batch_larger_than_the_quota_is_told_so_and_not_to_wait(world: World) -> None:
    shop = world.request("GET", "/v1/shop").json()
    writable = {k: v for k, v in shop.items() if k not in ("id", "revision", "by", "at")}
    put(world, "/v1/shop", {**writable, "quota_per_minute": 5})
    events = [{"type": "order.assembled", "data": {"order": order(id=str(n))}} for n in range(6)]
    assert world.request("POST", "/v1/events", body=events).status == 413
    assert world.request("POST", "/v1/events", body=events[:5]).status == 202
    assert world.request("POST", "/v1/events", body=events[:5]).status == 429
