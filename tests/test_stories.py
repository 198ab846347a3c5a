"""Stories: something happens in a shop, the world comes to rest, and we look at what people received.

Each story runs twice: with queues in order, and with the newest message delivered first.
"""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from infra.world import World
from vestnik import events, resources
from vestnik.store import sqs

START = datetime(2026, 11, 20, 9, 0, tzinfo=UTC)
BUYER = {"id": "42", "name": "Maria Ivanova", "email": "maria@example.com", "phone": "+359888112233", "language": "en"}


@pytest.fixture(params=[False, True], ids=["in order", "newest first"])
def world(request: pytest.FixtureRequest) -> Iterator[World]:
    """A fresh local world."""
    with World(start=START, newest_first=request.param) as fresh:
        yield fresh


def happened(world: World, type: str, id: str = "", **data: Any) -> dict[str, Any]:
    """An event of a type as its sample tells it, with other data, posted as it happens."""
    module = events.find(type)
    assert module is not None
    event = {**module.SAMPLE, "id": id or type, "time": world.now().isoformat()}
    event["data"] = {**event["data"], **data}
    return event


def order(**more: Any) -> dict[str, Any]:
    """Maria's order, paid on delivery."""
    sample: dict[str, Any] = events.find("order.placed").SAMPLE["data"]["order"]  # type: ignore[union-attr]
    payment = {"method": "cash_on_delivery", "status": "pending"}
    return {**sample, "id": "1001", "number": "1001", "customer_id": "42", "payment": payment, **more}


def post(world: World, event: dict[str, Any], **more: Any) -> dict[str, Any]:
    """Post one event; the answer to it."""
    answer = world.request("POST", "/v1/events", body=event, **more)
    assert answer.status == 202, answer.body
    return dict(answer.json())


def put(world: World, path: str, body: dict[str, Any]) -> None:
    """Write a setting or a record."""
    answer = world.request("PUT", path, body=body)
    assert answer.status in (200, 201), answer.body


def received(world: World, channel: str, to: str = "") -> list[dict[str, Any]]:
    """What came by a channel, to somebody if named."""
    return [item for item in world.outbox if item["channel"] == channel and to in item["to"]]


def explained(world: World, eid: str) -> dict[str, Any]:
    """The whole story of an event, as the API tells it."""
    answer = world.request("GET", f"/v1/events/{eid}")
    assert answer.status == 200, answer.body
    return dict(answer.json())


def rule(id: str, type: str, **more: Any) -> dict[str, Any]:
    """A rule that writes to the shop's office."""
    office = {"kind": "address", "address": "office@example.com", "name": "Office", "language": "en"}
    start = {"name": id, "pattern": {"type": [type]}, "recipients": [office], "channel": "email"}
    return {**start, "templates": {"address": "order.placed/staff"}, **more}


def test_an_order_is_confirmed_to_its_buyer_and_told_to_the_staff(world: World) -> None:
    post(world, happened(world, "order.placed", order=order(), customer=BUYER))
    world.settle()
    (letter,) = received(world, "email", "maria@example.com")
    assert "1001" in letter["subject"]
    assert letter["html"]
    assert "1001" in letter["text"]
    (chat,) = received(world, "telegram")
    assert "1001" in chat["text"]


def test_a_repeated_event_tells_nobody_twice(world: World) -> None:
    event = happened(world, "order.placed", order=order(), customer=BUYER)
    assert post(world, event)["event"] == post(world, event)["event"]
    world.settle()
    post(world, event)
    world.settle()
    assert len(received(world, "email", "maria@example.com")) == 1


def test_people_are_written_to_in_their_language(world: World) -> None:
    for language, word in (("ru", "заказ"), ("bg", "поръчка")):
        buyer = {**BUYER, "id": language, "email": f"{language}@example.com", "language": language}
        post(world, happened(world, "order.placed", language, order=order(id=language), customer=buyer))
        world.settle()
        (letter,) = received(world, "email", f"{language}@example.com")
        assert word in letter["text"].lower()


def test_an_order_paid_online_is_confirmed_once_it_is_paid(world: World) -> None:
    unpaid = order(payment={"method": "card", "status": "pending"})
    post(world, happened(world, "order.placed", order=unpaid, customer=BUYER))
    world.settle()
    assert not received(world, "email", "maria@example.com")
    world.advance(timedelta(minutes=3))
    paid = order(payment={"method": "card", "status": "paid"})
    post(world, happened(world, "order.paid", order=paid, customer=BUYER))
    world.settle()
    assert len(received(world, "email", "maria@example.com")) == 1


def test_a_cancelled_order_gets_no_packing_message(world: World) -> None:
    put(world, "/v1/rules/later", rule("later", "order.assembled", delay="PT20M"))
    post(world, happened(world, "order.assembled", order=order(status="assembled"), customer=BUYER))
    world.settle()
    world.advance(timedelta(minutes=5))
    post(world, happened(world, "order.cancelled", order=order(status="cancelled"), customer=BUYER))
    world.settle()
    world.advance(timedelta(minutes=30))
    assert not received(world, "email", "office@example.com")
    (message,) = world.request("GET", "/v1/messages?state=cancelled").json()["items"]
    assert "cancelled" in message["reason"]


def test_a_rule_switched_off_meanwhile_sends_nothing(world: World) -> None:
    put(world, "/v1/rules/later", rule("later", "order.assembled", delay="PT5M"))
    post(world, happened(world, "order.assembled", order=order(), customer=BUYER))
    world.settle()
    put(world, "/v1/rules/later", rule("later", "order.assembled", delay="PT5M", active=False))
    world.advance(timedelta(minutes=10))
    assert not received(world, "email", "office@example.com")


def test_a_sender_made_over_the_api_sends(world: World) -> None:
    address = {"from_address": "hello@demo.example", "from_name": "Hello"}
    put(world, "/v1/senders/hello", {"plugin": "email_ses", "name": "Hello", "config": address})
    put(world, "/v1/rules/own", rule("own", "order.assembled", sender="hello"))
    post(world, happened(world, "order.assembled", order=order(), customer=BUYER))
    world.settle()
    (letter,) = received(world, "email", "office@example.com")
    assert "hello@demo.example" in letter["from"]


def test_a_delayed_message_goes_at_its_time(world: World) -> None:
    put(world, "/v1/rules/later", rule("later", "order.assembled", delay="PT2H"))
    post(world, happened(world, "order.assembled", order=order(), customer=BUYER))
    world.advance(timedelta(minutes=119))
    assert not received(world, "email", "office@example.com")
    world.advance(timedelta(minutes=3))
    assert len(received(world, "email", "office@example.com")) == 1


def test_a_bounced_address_is_written_to_no_more(world: World) -> None:
    buyer = {**BUYER, "email": "bounce+maria@simulator.amazonses.com"}
    post(world, happened(world, "order.placed", "first", order=order(), customer=buyer))
    world.settle()
    world.advance(timedelta(minutes=1))
    (one,) = world.request("GET", "/v1/suppressions").json()["items"]
    assert one["address"] == buyer["email"]
    post(world, happened(world, "order.placed", "second", order=order(id="1002"), customer=buyer))
    world.settle()
    (message,) = world.request("GET", "/v1/messages?state=suppressed").json()["items"]
    assert message["channel"] == "email"
    assert len(received(world, "email", "bounce+maria")) == 1


def test_history_is_silent(world: World) -> None:
    event = {**happened(world, "order.placed", order=order(), customer=BUYER), "notify": False}
    post(world, event)
    put(world, "/v1/customers/43", {"name": "Ivan", "email": "ivan@example.com"})
    world.settle()
    assert not world.outbox
    assert world.request("GET", "/v1/orders/1001").json()["number"] == "1001"


def test_only_a_newer_event_changes_an_order(world: World) -> None:
    now = happened(world, "order.shipped", order=order(status="shipped"), customer=BUYER)
    world.advance(timedelta(minutes=1))
    post(world, now)
    world.settle()
    old = happened(world, "order.assembled", order=order(status="assembled"), customer=BUYER)
    old["time"] = (START - timedelta(hours=1)).isoformat()
    eid = post(world, old)["event"]
    world.settle()
    assert world.request("GET", "/v1/orders/1001").json()["status"] == "shipped"
    told = explained(world, eid)
    assert "superseded" in str(told)


def test_two_rules_for_one_person_give_one_message(world: World) -> None:
    put(world, "/v1/rules/first", rule("first", "order.assembled", priority=90))
    put(world, "/v1/rules/second", rule("second", "order.assembled", priority=10))
    eid = post(world, happened(world, "order.assembled", order=order(), customer=BUYER))["event"]
    world.settle()
    assert len(received(world, "email", "office@example.com")) == 1
    assert "merged" in str(explained(world, eid))


def test_whoever_did_it_is_not_told(world: World) -> None:
    put(world, "/v1/staff/7", {"name": "Petar", "email": "petar@example.com", "groups": ["managers"], "active": True})
    put(world, "/v1/staff/8", {"name": "Elena", "email": "elena@example.com", "groups": ["managers"], "active": True})
    group = [{"kind": "staff_group", "group": "managers"}]
    more = {"recipients": group, "templates": {"staff_group": "order.placed/staff"}, "except_actor": True}
    put(world, "/v1/rules/team", rule("team", "order.assembled", **more))
    actor = {"kind": "staff", "id": "7"}
    post(world, happened(world, "order.assembled", order=order(), customer=BUYER, actor=actor))
    world.settle()
    assert not received(world, "email", "petar@example.com")
    assert len(received(world, "email", "elena@example.com")) == 1


def test_a_late_event_ends_as_expired(world: World) -> None:
    event = happened(world, "customer.password_reset_requested", customer=BUYER)
    event["time"] = (START - timedelta(hours=1)).isoformat()
    post(world, event)
    world.settle()
    assert not received(world, "email", "maria@example.com")
    ended = world.request("GET", "/v1/messages?state=expired").json()["items"]
    assert {message["channel"] for message in ended} == {"email", "sms"}
    assert all(message["reason"] for message in ended)


def test_one_switch_stops_a_channel(world: World) -> None:
    shop = world.request("GET", "/v1/shop").json()
    writable = {k: v for k, v in shop.items() if k not in ("id", "revision", "by", "at")}
    put(world, "/v1/shop", {**writable, "sending": {"email": False}})
    post(world, happened(world, "order.placed", order=order(), customer=BUYER))
    world.settle()
    assert not received(world, "email")
    assert received(world, "telegram")


def test_a_poison_message_ends_where_a_person_can_see_it_and_holds_up_nobody(world: World) -> None:
    with_poison = {"v": 1, "shop": "demo", "eid": "x", "event": {"type": "order.placed"}, "received": "now"}
    with resources.use(world.account.variables(world.account.functions["take-events"])):
        sqs.send_all("to-evaluate", [sqs.Parcel("demo", with_poison)])
    post(world, happened(world, "order.placed", order=order(), customer=BUYER))
    world.settle()
    assert len(received(world, "email", "maria@example.com")) == 1
    world.advance(timedelta(hours=1))
    (dead,) = world.request("GET", "/v1/dead-letters").json()["items"]
    assert dead["queue"] == "to-evaluate"


def test_statistics_are_the_sum_over_messages(world: World) -> None:
    post(world, happened(world, "order.placed", order=order(), customer=BUYER))
    world.settle()
    world.advance(timedelta(minutes=2))
    rows = world.request("GET", "/v1/statistics?from=2026-11-20&to=2026-11-20&group_by=channel").json()["items"]
    mail = next(row for row in rows if row["channel"] == "email")
    assert mail["counts"]["sent"] == len(received(world, "email"))
    assert mail["counts"]["delivered"] == len(received(world, "email"))


def test_everything_is_explained(world: World) -> None:
    eid = post(world, happened(world, "order.placed", order=order(), customer=BUYER))["event"]
    world.settle()
    told = explained(world, eid)
    by_rule = {one["id"]: one for one in told["rules"]}
    assert by_rule["order.placed/customer/email"]["matched"]
    assert not by_rule["order.shipped/customer/email"]["matched"]
    assert by_rule["order.shipped/customer/email"]["why"]


def test_a_delayed_confirmation_of_a_cancelled_order_is_not_sent(world: World) -> None:
    put(world, "/v1/rules/later", rule("later", "order.placed", delay="PT10M"))
    post(world, happened(world, "order.placed", order=order(), customer=BUYER))
    world.settle()
    world.advance(timedelta(minutes=2))
    post(world, happened(world, "order.cancelled", order=order(status="cancelled"), customer=BUYER))
    world.advance(timedelta(minutes=20))
    assert not received(world, "email", "office@example.com")


def test_a_field_that_a_shops_own_type_marks_secret_is_shown_to_nobody(world: World) -> None:
    schema = {"type": "object", "properties": {"pin": {"type": "string", "secret": True}}}
    put(world, "/v1/event-types/card.issued", {"schema": schema, "purpose": "transactional"})
    put(world, "/v1/rules/card", rule("card", "card.issued"))
    eid = post(world, {"type": "card.issued", "id": "1", "data": {"pin": "481516"}})["event"]
    world.settle()
    assert "481516" not in str(explained(world, eid))


def test_a_problem_names_the_field_that_is_missing(world: World) -> None:
    answer = world.request("POST", "/v1/events", body={"type": "order.placed", "data": {"order": {}}})
    assert answer.json()["errors"][0]["where"] == "/data/order/id"
    answer = world.request("POST", "/v1/events", body={"type": "order.placed", "data": {}})
    assert "order_id" in answer.json()["detail"]
