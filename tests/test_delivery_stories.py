"""Stories of delivery: doubts, retries, addresses and limits, and how each message still ends well."""

import json
from collections.abc import Iterator
from datetime import timedelta
from typing import Any

import pytest

from infra.world import Fault, World
from tests.test_more_stories import as_operator, dead, messages, own_template, too_large
from tests.test_stories import BUYER, START, happened, order, post, put, received, rule
from vestnik import resources
from vestnik.domain.addresses import same_address
from vestnik.store import ledger, people, settings


@pytest.fixture
def world() -> Iterator[World]:
    """A fresh local world."""
    with World(start=START) as fresh:
        yield fresh


def test_a_webhook_of_a_long_address_is_called(world: World) -> None:
    oversized = too_large(world)
    hook = {"kind": "webhook", "url": f"{world.webhook.url}/hooks/{'x' * 1500}"}
    put(world, "/v1/rules/hook", rule("hook", "order.assembled", recipients=[hook], channel="webhook", templates={}))
    post(world, happened(world, "order.assembled", order=order(), customer=BUYER))
    world.settle()
    assert not oversized
    assert len(received(world, "webhook")) == 1


def test_a_doubt_ends_even_if_its_text_can_no_longer_be_made(world: World) -> None:
    own_template(world, "mine", "Hello")
    put(world, "/v1/rules/mine", rule("mine", "order.assembled", templates={"address": "mine"}))
    world.faults = lambda call: Fault("before", "timeout") if call.operation == "SendEmail" else None
    post(world, happened(world, "order.assembled", order=order(), customer=BUYER))
    world.settle()
    (message,) = messages(world, "person=address:office@example.com")
    assert message["state"] == "unknown"
    own_template(world, "other", "Hello")
    put(world, "/v1/rules/mine", rule("mine", "order.assembled", templates={"address": "other"}))
    assert world.request("DELETE", "/v1/templates/mine").status == 204
    world.advance(timedelta(hours=1))
    (message,) = messages(world, "person=address:office@example.com")
    assert message["state"] == "given up"
    assert message["doubtful"]


def test_a_deferred_message_whose_event_is_gone_ends_with_a_reason(world: World) -> None:
    put(world, "/v1/rules/later", rule("later", "order.cancelled", delay="PT1H"))
    post(world, happened(world, "order.cancelled", order=order(), customer=BUYER))
    world.settle()
    with as_operator(world):
        (message,) = messages(world, "person=address:office@example.com")
        item = ledger.event("demo", message["event"])
        assert item
        resources.client("s3").delete_object(Bucket=resources.env("BUCKET_BODIES"), Key=item["body"])
    world.advance(timedelta(hours=2))
    (message,) = messages(world, "person=address:office@example.com")
    assert message["state"] == "failed"
    assert message["reason"]


def test_a_deferred_message_whose_channel_was_taken_out_meanwhile_ends_with_a_reason(world: World) -> None:
    put(world, "/v1/rules/later", rule("later", "order.cancelled", delay="PT1H"))
    post(world, happened(world, "order.cancelled", order=order(), customer=BUYER))
    world.settle()
    with as_operator(world):
        sender = {"id": "ses", "channel": "email", "plugin": "email_pigeon", "name": "", "default": True, "config": {}}
        settings.put("demo", "sender", "ses", sender, by="test", now=world.now())
        as_if_sent_by(world, "email_pigeon")
    world.advance(timedelta(hours=2))
    (message,) = messages(world, "person=address:office@example.com")
    assert (message["state"], received(world, "email", "office@example.com")) == ("failed", [])
    assert "email_pigeon" in world.request("GET", f"/v1/messages/{message['id']}").json()["reason"]


def as_if_sent_by(world: World, plugin: str) -> None:
    """Let all deferred work be of a channel's that an earlier version of the deployment had."""
    table, client = resources.env("TABLE_DUE"), resources.client("dynamodb")
    for row in client.scan(TableName=table)["Items"]:
        if "job" in row:
            job = {**json.loads(row["job"]["S"]), "plugin": plugin, "queue": f"to-send-{plugin.replace('_', '-')}"}
            client.put_item(TableName=table, Item={**row, "job": {"S": json.dumps(job)}})


def test_a_senders_own_bad_address_suppresses_nobody(world: World) -> None:
    bad = {"from_address": "hello@demo.example", "reply_to": "помощь@demo.example"}
    with as_operator(world):
        sender = {"id": "ses", "channel": "email", "plugin": "email_ses", "name": "", "default": True, "config": bad}
        settings.put("demo", "sender", "ses", sender, by="test", now=world.now())
    post(world, happened(world, "order.placed", order=order(), customer=BUYER))
    world.settle()
    assert messages(world, "channel=email")[0]["state"] == "failed"
    assert not world.request("GET", "/v1/suppressions").json()["items"]


@pytest.mark.parametrize("second", ["BOUNCE@Simulator.amazonses.com", "bounce@simulator.amazonses.com "])
def test_a_bounced_address_is_known_however_it_is_written(world: World, second: str) -> None:
    first = {**BUYER, "email": "Bounce@simulator.AmazonSES.com"}
    post(world, happened(world, "order.placed", "first", order=order(), customer=first))
    world.settle()
    world.advance(timedelta(minutes=1))
    again = {**BUYER, "email": second}
    post(world, happened(world, "order.placed", "second", order=order(id="1002"), customer=again))
    world.settle()
    assert len(messages(world, "state=suppressed")) == 1


def test_a_bounce_at_an_international_domain_is_known_by_both_its_names(world: World) -> None:
    buyer = {**BUYER, "email": "maria@пример.example"}
    post(world, happened(world, "order.placed", "first", order=order(), customer=buyer))
    world.settle()
    with as_operator(world):
        people.suppress("demo", "email", same_address("email", "maria@xn--e1afmkfd.example"), "bounced", world.now())
    post(world, happened(world, "order.placed", "second", order=order(id="1002"), customer=buyer))
    world.settle()
    assert len(messages(world, "state=suppressed")) == 1


@pytest.mark.parametrize("written", ["0888 112 233", "+359 888-112-233", "00359888112233"])
def test_a_phone_is_read_as_in_the_shops_country(world: World, written: str) -> None:
    buyer = {**BUYER, "phone": written}
    post(world, happened(world, "order.ready_for_pickup", order=order(), customer=buyer))
    world.settle()
    (text,) = received(world, "sms")
    assert text["to"] == "+359888112233"


@pytest.mark.parametrize("language", ["ru-RU", "RU", "ru_RU"])
def test_a_language_with_a_region_is_that_language(world: World, language: str) -> None:
    post(world, happened(world, "order.placed", order=order(), customer={**BUYER, "language": language}))
    world.settle()
    (letter,) = received(world, "email", "maria@example.com")
    assert "заказ" in letter["text"].lower()


def test_feedback_after_an_erasure_brings_no_personal_data_back(world: World) -> None:
    post(world, happened(world, "order.placed", order=order(), customer=BUYER))
    world.settle()
    message = messages(world, "channel=email&person=customer:42")[0]
    answer = world.request("POST", "/v1/customers/42/erase", headers={"idempotency-key": "erase"}, body={})
    assert answer.status == 200, answer.body
    bounce = {
        "eventType": "Bounce",
        "mail": {"messageId": "x", "tags": {"shop": ["demo"], "message": [message["id"]]}},
        "bounce": {
            "bounceType": "Permanent",
            "bouncedRecipients": [
                {"emailAddress": "maria@example.com", "diagnosticCode": "550 maria@example.com unknown"}
            ],
        },
    }
    world.account.publish("feedback-ses", json.dumps(bounce))
    world.advance(timedelta(minutes=1))
    shown = world.request("GET", f"/v1/messages/{message['id']}").json()
    assert shown["times"].get("bounced")
    assert "maria@example.com" not in json.dumps(shown)
    (one,) = world.request("GET", "/v1/suppressions").json()["items"]
    assert one["address"] == "maria@example.com"


def test_a_run_that_ends_too_soon_uses_up_no_receive(world: World) -> None:
    slow = timedelta(seconds=21)
    world.faults = lambda call: Fault("before", "none", slow) if call.operation == "SendEmail" else None
    for n in range(10):
        buyer = {**BUYER, "id": str(n), "email": f"m{n}@example.com"}
        post(world, happened(world, "customer.registered", str(n), customer=buyer))
    world.advance(timedelta(minutes=30))
    assert len({letter["to"] for letter in received(world, "email")}) == 10
    assert not dead(world)


def test_a_repeat_does_not_hurry_a_message_that_waits_for_its_next_try(world: World) -> None:
    event = happened(world, "order.placed", order=order(), customer=BUYER)
    world.faults = lambda call: Fault("before", "429") if call.operation == "SendEmail" else None
    post(world, event)
    world.settle()
    tries = messages(world, "channel=email")[0]["attempts"]
    for _ in range(5):
        post(world, event)
        world.settle()
    assert messages(world, "channel=email")[0]["attempts"] == tries
    world.faults = lambda call: None
    world.advance(timedelta(minutes=5))
    assert len(received(world, "email", "maria@example.com")) == 1


def test_an_audience_switched_off_meanwhile_gets_nothing(world: World) -> None:
    more = {"recipients": [{"kind": "customer"}], "templates": {"customer": "order.placed/customer"}}
    put(world, "/v1/rules/later", rule("later", "order.placed", delay="PT5M", **more))
    put(world, "/v1/rules/order.placed/customer/email", rule("order.placed/customer/email", "x.y", active=False))
    post(world, happened(world, "order.placed", order=order(), customer=BUYER))
    world.settle()
    shop = world.request("GET", "/v1/shop").json()
    writable = {k: v for k, v in shop.items() if k not in ("id", "revision", "by", "at")}
    put(world, "/v1/shop", {**writable, "audiences": {"customer": False}})
    world.advance(timedelta(minutes=10))
    assert not received(world, "email", "maria@example.com")


def test_a_text_that_cannot_be_encoded_fails_alone_and_is_not_logged(world: World, capsys: Any) -> None:
    own_template(world, "odd", 'Dear Mrs Petrova {{ "\\ud83d" }}')
    put(world, "/v1/rules/odd", rule("odd", "order.assembled", templates={"address": "odd"}))
    post(world, happened(world, "order.assembled", order=order(), customer=BUYER))
    world.settle()
    (message,) = messages(world, "person=address:office@example.com")
    assert message["state"] == "sent"
    assert "Petrova" not in capsys.readouterr().out


def test_a_cancelled_order_gets_no_packing_message_whatever_the_shop_calls_it(world: World) -> None:
    put(world, "/v1/rules/later", rule("later", "order.assembled", delay="PT20M"))
    post(world, happened(world, "order.assembled", order=order(status="assembled"), customer=BUYER))
    world.settle()
    world.advance(timedelta(minutes=5))
    post(world, happened(world, "order.cancelled", order={"id": "1001", "status": "annulled"}, customer=BUYER))
    world.settle()
    world.advance(timedelta(minutes=30))
    assert not received(world, "email", "office@example.com")
    assert len(messages(world, "state=cancelled")) == 1


def test_an_order_cancelled_by_its_id_alone_gets_no_packing_message(world: World) -> None:
    put(world, "/v1/rules/later", rule("later", "order.assembled", delay="PT20M"))
    post(world, happened(world, "order.assembled", order=order(status="assembled"), customer=BUYER))
    world.settle()
    world.advance(timedelta(minutes=5))
    event = happened(world, "order.cancelled", order_id="1001")
    del event["data"]["order"]
    post(world, event)
    world.settle()
    world.advance(timedelta(minutes=30))
    assert not received(world, "email", "office@example.com")


def test_what_the_limiter_holds_back_goes_back_in_one_request(world: World) -> None:
    calls: list[int] = []

    def count(call: Any, request: Any, answer: Any) -> None:
        if call.function == "send-email-ses" and call.operation == "SendMessageBatch":
            calls.append(len(json.loads(request.body)["Entries"]))

    world.watch.append(count)
    for n in range(60):
        buyer = {**BUYER, "id": str(n), "email": f"m{n}@example.com"}
        post(world, happened(world, "customer.registered", str(n), customer=buyer))
    world.advance(timedelta(minutes=5))
    assert len(received(world, "email")) == 60
    assert calls
    assert max(calls) > 1


def test_a_try_that_died_before_it_was_queued_anew_is_found_again(world: World) -> None:
    counts = {"sent": 0, "queued": 0}

    def throttled_then_dead(call: Any) -> Fault | None:
        if call.operation == "SendEmail":
            counts["sent"] += 1
            return Fault("before", "429") if counts["sent"] <= 3 else None
        if call.function == "send-email-ses" and call.operation == "SendMessageBatch":
            counts["queued"] += 1
            return Fault("before", "die") if counts["queued"] == 3 else None
        return None

    world.faults = throttled_then_dead
    buyer = {**BUYER, "email": "maria@example.com"}
    post(world, happened(world, "customer.registered", customer=buyer))
    world.advance(timedelta(hours=6))
    assert counts["queued"] > 3
    assert len(received(world, "email", "maria@example.com")) == 1


def test_a_webhook_outlives_an_outage_of_its_receiver(world: World) -> None:
    hook = {"kind": "webhook", "url": f"{world.webhook.url}/hooks"}
    put(world, "/v1/rules/hook", rule("hook", "order.cancelled", recipients=[hook], channel="webhook", templates={}))
    until = world.now() + timedelta(hours=2)
    world.faults = lambda call: Fault("before", "500") if call.service == "webhook" and call.at < until else None
    post(world, happened(world, "order.cancelled", order=order(), customer=BUYER))
    world.advance(timedelta(hours=5))
    assert len(received(world, "webhook")) == 1
    (message,) = messages(world, "channel=webhook")
    assert (message["state"], message["doubtful"]) == ("sent", True)


@pytest.mark.slow
def test_a_webhook_that_nobody_ever_answers_is_given_up(world: World) -> None:
    hook = {"kind": "webhook", "url": f"{world.webhook.url}/hooks"}
    put(world, "/v1/rules/hook", rule("hook", "order.cancelled", recipients=[hook], channel="webhook", templates={}))
    world.faults = lambda call: Fault("before", "500") if call.service == "webhook" else None
    post(world, happened(world, "order.cancelled", order=order(), customer=BUYER))
    world.advance(timedelta(hours=18))
    (message,) = messages(world, "channel=webhook&day=2026-11-20")
    assert (message["state"], message["attempts"]) == ("given up", 7)
    assert message["reason"]
