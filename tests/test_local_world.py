"""The local world: it behaves as the cloud does where the doors can tell the difference."""

import base64
import json
import smtplib
import ssl
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from botocore.exceptions import ClientError, EndpointConnectionError, ReadTimeoutError
from standardwebhooks import Webhook

from infra import permissions
from infra.world import Call, Fault, World
from tests.over_http import post
from vestnik import resources, topology

START = datetime(2026, 11, 20, 8, 0, tzinfo=UTC)
ROOT = Path(__file__).parents[1]
Door = Callable[[Any, Any], Any]


@contextmanager
def small_world(doors: dict[str, Door], **more: Any) -> Iterator[World]:
    """The map with doors of the test's own; the others do nothing."""

    def load(name: str) -> Door:
        return doors.get(name, lambda event, context: None)

    with World(start=START, seed_shops=False, loader=load, **more) as world:
        yield world


def let_all_in(event: Any, context: Any) -> dict[str, Any]:
    return {"isAuthorized": True, "context": {"shop": "demo", "scopes": "read"}}


def echo(event: Any, context: Any) -> dict[str, Any]:
    return {"statusCode": 200, "body": json.dumps(event)}


def sent(world: World, queue: str, *bodies: str, delay: int = 0, group: str = "demo") -> None:
    """Send messages to a queue of the map from outside."""
    client = resources.client("sqs")
    url = client.get_queue_url(QueueName=world.account.queue(queue).name)["QueueUrl"]
    for body in bodies:
        client.send_message(QueueUrl=url, MessageBody=body, DelaySeconds=delay, MessageGroupId=group)


# The gateway


def test_a_door_gets_the_path_decoded_the_query_as_it_is_and_a_strange_body_in_base64() -> None:
    with small_world({"authorize_request": let_all_in, "manage_shop": echo}) as world:
        headers = {"content-type": "application/cloudevents+json", "X-Two": "2"}
        asked = world.request("POST", "/v1/a%20b/c?x=1&x=%202", headers=headers, body=b'{"a": 1}')
    event = asked.json()
    assert event["rawPath"] == "/v1/a b/c"
    assert event["rawQueryString"] == "x=1&x=%202"
    assert event["queryStringParameters"] == {"x": "1, 2"}
    assert event["pathParameters"] == {"proxy": "a b/c"}
    assert event["routeKey"] == "ANY /v1/{proxy+}"
    assert event["headers"]["x-two"] == "2"
    assert (base64.b64decode(event["body"]), event["isBase64Encoded"]) == (b'{"a": 1}', True)
    assert event["requestContext"]["authorizer"]["lambda"]["shop"] == "demo"


def test_the_most_specific_route_takes_the_request() -> None:
    with small_world(
        {"authorize_request": let_all_in, "take_events": lambda e, c: "intake", "manage_shop": lambda e, c: "api"}
    ) as world:
        assert world.request("POST", "/v1/events").json() == "intake"
        assert world.request("GET", "/v1/events").json() == "api"


def test_an_identity_is_kept_for_a_minute_and_no_longer() -> None:
    asked: list[str] = []

    def identify(event: Any, context: Any) -> dict[str, Any]:
        asked.append(event["identitySource"][0])
        return let_all_in(event, context)

    with small_world({"authorize_request": identify, "manage_shop": echo}) as world:
        world.request("GET", "/v1/a")
        world.request("GET", "/v1/b")
        world.advance(timedelta(seconds=61))
        world.request("GET", "/v1/c")
    assert asked == ["Bearer local-key"] * 2


def test_a_door_that_raises_answers_500_and_is_remembered() -> None:
    with small_world({"authorize_request": let_all_in, "manage_shop": lambda event, context: 1 / 0}) as world:
        answer = world.request("GET", "/v1/a")
        failures = world.doors.failures
    assert (answer.status, answer.json()) == (500, {"message": "Internal Server Error"})
    assert "ZeroDivisionError" in failures[0][2]


# Time


def test_a_schedule_fires_each_minute_on_the_way_and_in_order() -> None:
    ticks: list[str] = []
    with small_world({"sweep_due": lambda event, context: ticks.append(event["time"])}) as world:
        world.advance(timedelta(minutes=5))
        assert world.now() == START + timedelta(minutes=5)
    assert ticks == [f"2026-11-20T08:0{n}:00Z" for n in range(1, 6)]


def test_settling_leaves_what_is_delayed_and_advancing_does_it_at_its_time() -> None:
    seen: list[datetime] = []
    with small_world({"release_due": lambda event, context: seen.append(resources.now())}) as world:
        sent(world, "to-release", "later", delay=90)
        world.settle()
        assert seen == []
        world.advance(timedelta(minutes=10))
    assert seen == [START + timedelta(seconds=90)]


def test_work_is_gathered_for_its_window_while_time_passes() -> None:
    batches: list[int] = []
    with small_world({"evaluate_events": lambda event, context: batches.append(len(event["Records"]))}) as world:
        sent(world, "to-evaluate", "a", "b")
        world.advance_to(START + timedelta(seconds=0.5))
        sent(world, "to-evaluate", "c")
        world.advance_to(START + timedelta(seconds=3))
    assert batches == [3]


def test_a_message_that_fails_comes_again_alone_and_at_last_is_a_dead_letter() -> None:
    seen: list[list[str]] = []

    def refuse_bad(event: Any, context: Any) -> dict[str, Any]:
        seen.append([record["body"] for record in event["Records"]])
        bad = [record["messageId"] for record in event["Records"] if record["body"] == "bad"]
        return {"batchItemFailures": [{"itemIdentifier": id} for id in bad]}

    with small_world({"release_due": refuse_bad}) as world:
        sent(world, "to-release", "good", "bad")
        world.advance(timedelta(hours=1))
        (queue,) = [queue for queue in topology.queues() if queue.name == "to-release"]
        assert seen == [["good", "bad"]] + [["bad"]] * (queue.receives - 1)
        assert [message.body for message in world.account.queue("to-release-dead").messages] == ["bad"]


def test_groups_take_turns_in_a_queue() -> None:
    order: list[str] = []

    def note(event: Any, context: Any) -> None:
        order.extend(record["attributes"]["MessageGroupId"] for record in event["Records"])

    with small_world({"release_due": note}) as world:
        sent(world, "to-release", *map(str, range(50)), group="noisy")
        sent(world, "to-release", "hello", group="quiet")
        world.settle()
    assert order.index("quiet") < 5


def test_a_stream_names_its_shard_and_halves_a_batch_that_fails() -> None:
    taken: list[str] = []

    def choke(event: Any, context: Any) -> dict[str, Any]:
        names = [record["dynamodb"]["Keys"]["pk"]["S"] for record in event["Records"]]
        assert event["shardId"]
        if "bad" in names:
            raise ValueError
        taken.extend(names)
        return {"state": {}}

    with small_world({"count_statistics": choke}) as world:
        table = world.account.table("ledger").name
        for name in ("a", "b", "bad", "c"):
            key = {"pk": {"S": name}, "sk": {"S": "-"}}
            resources.client("dynamodb").put_item(TableName=table, Item=key)
        world.advance(timedelta(hours=1))
        dead = world.account.queue("count-statistics-dead").messages
    assert taken == ["a", "b", "c"]
    assert len(dead) == 1


# What a function may


def test_a_call_that_the_map_does_not_grant_is_denied() -> None:
    def overreach(event: Any, context: Any) -> None:
        resources.client("dynamodb").delete_table(TableName=resources.env("TABLE_DUE"))

    with small_world({"sweep_due": overreach}) as world:
        world.advance(timedelta(minutes=1))
        assert "AccessDenied" in world.doors.failures[0][2]
        assert world.refused_grants() == {("sweep-due", "table:due", "DeleteTable")}


def test_a_function_finds_only_the_variables_of_the_map() -> None:
    def look(event: Any, context: Any) -> None:
        resources.env("TABLE_PEOPLE")

    with small_world({"sweep_due": look}) as world:
        world.advance(timedelta(minutes=1))
        assert "not among this function's variables" in world.doors.failures[0][2]


def test_the_cloud_has_none_of_the_local_overrides() -> None:
    with small_world({}) as world:
        local = set(world._overrides())
        here = {name for f in world.account.functions.values() for name in world.account.variables(f)}
    cloud = {name for f in topology.functions() for name in permissions.environment(f, str)}
    assert local == {"TELEGRAM_URL", "OUTGOING_ALLOW", "OUTGOING_HOSTS", "SMTP_CA_FILE", "FIRST_COME"}
    assert local <= here
    assert not local & cloud
    sources = [path.read_text() for path in (ROOT / "infra").glob("*.py")]
    assert not [name for name in local for source in sources if name in source]


# Faults


def write(event: Any, context: Any) -> None:
    key = {"pk": {"S": "one"}, "sk": {"S": "-"}}
    resources.client("dynamodb").put_item(TableName=resources.env("TABLE_DUE"), Item=key)


def only(operation: str, fault: Fault) -> Callable[[Call], Fault | None]:
    """This fault in every call of the function under test to this operation."""
    return lambda call: fault if call.operation == operation and call.function != "world" else None


@pytest.mark.parametrize(("when", "done"), [("before", 0), ("after", 1)])
def test_a_call_fails_before_or_after_it_is_done(when: str, done: int) -> None:
    with small_world({"sweep_due": write}, check_grants=False) as world:
        world.faults = only("PutItem", Fault(when=when, how="timeout"))
        world.advance(timedelta(minutes=1))
        assert "ReadTimeoutError" in world.doors.failures[0][2]
        assert len(world.account.table("due").all_items()) == done


def test_the_sdks_own_repeats_are_calls_like_any_other() -> None:
    calls: list[Call] = []
    with small_world({"sweep_due": write}, check_grants=False) as world:

        def twice(call: Call) -> Fault | None:
            calls.append(call)
            return Fault(how="500") if call.nth <= 2 and call.operation == "PutItem" else None

        world.faults = twice
        world.advance(timedelta(minutes=1))
        assert world.doors.failures == []
    assert [call.nth for call in calls if call.operation == "PutItem"] == [1, 2, 3]


def test_a_client_that_reaches_people_is_not_repeated() -> None:
    with small_world({}) as world:
        world.faults = lambda call: Fault(how="timeout")
        with pytest.raises(ReadTimeoutError):
            resources.client("sesv2", sends=True).get_account()
        assert world.layer.counts["world", "sesv2", "GetAccount", ""] == 1


def test_a_refused_connection_is_told_from_a_lost_answer() -> None:
    with small_world({}) as world:
        world.faults = lambda call: Fault(how="connect")
        with pytest.raises(EndpointConnectionError):
            resources.client("sesv2", sends=True).get_account()


def test_a_dead_process_does_nothing_more_and_its_messages_come_again() -> None:
    after: list[str] = []

    def door(event: Any, context: Any) -> None:
        try:
            write(event, context)
        except Exception:
            after.append("caught")
        after.append("went on")

    with small_world({"release_due": door}, check_grants=False) as world:
        world.faults = only("PutItem", Fault(how="die"))
        sent(world, "to-release", "a")
        world.settle()
        assert after == []
        assert world.doors.failures[-1][1] == "release-due"
        assert world.account.queue("to-release").approximate_number_of_messages_not_visible == 1


def test_a_slow_call_takes_its_time_on_the_worlds_clock_and_lambda_ends_it() -> None:
    left: list[int] = []

    def door(event: Any, context: Any) -> None:
        write(event, context)
        left.append(context.get_remaining_time_in_millis())

    with small_world({"sweep_due": door}, check_grants=False) as world:
        world.faults = only("PutItem", Fault(how="none", slow=timedelta(seconds=10)))
        world.advance(timedelta(minutes=1))
        assert world.doors.failures == []
        world.faults = only("PutItem", Fault(how="none", slow=timedelta(seconds=80)))
        world.advance(timedelta(minutes=1))
        assert "timed out" in world.doors.failures[0][2]
    assert left == [40_000, 0]


# Providers


def mail(to: str) -> dict[str, Any]:
    raw = b"From: shop@demo.example\r\nTo: " + to.encode() + b"\r\nSubject: =?utf-8?b?0JTQsA==?=\r\n\r\nhello\r\n"
    return {
        "FromEmailAddress": "shop@demo.example",
        "Destination": {"ToAddresses": [to]},
        "Content": {"Raw": {"Data": raw}},
        "EmailTags": [{"Name": "message", "Value": "m-1"}],
        "ConfigurationSetName": "set",
    }


def feedback(world: World) -> list[dict[str, Any]]:
    """What waits in the queue of feedback."""
    return [json.loads(message.body) for message in world.account.queue("to-record").messages]


@pytest.mark.parametrize(
    ("to", "told"),
    [
        ("anna@example.com", ["Delivery"]),
        ("bounce+7@simulator.amazonses.com", ["Bounce"]),
        ("complaint@simulator.amazonses.com", ["Delivery", "Complaint"]),
        ("suppressionlist@simulator.amazonses.com", ["Bounce"]),
    ],
)
def test_ses_keeps_a_mail_and_reports_what_became_of_it(to: str, told: list[str]) -> None:
    with small_world({}, check_grants=False) as world:
        world.triggers.clear()
        id = resources.client("sesv2", sends=True).send_email(**mail(to))["MessageId"]
        world.settle()
        events, (item,) = feedback(world), world.outbox
    assert [event["eventType"] for event in events] == told
    assert {event["mail"]["messageId"] for event in events} == {id}
    assert events[-1]["mail"]["tags"]["message"] == ["m-1"]
    assert (item["to"], item["subject"], item["text"].strip(), item["message_id"]) == (to, "Да", "hello", "m-1")


def test_a_test_may_drop_delay_and_repeat_feedback() -> None:
    with small_world({}) as world:
        world.triggers.clear()
        world.feedback = lambda topic, delay, event: (
            [] if event["eventType"] == "Delivery" else [(delay, event), (timedelta(hours=1), event)]
        )
        resources.client("sesv2", sends=True).send_email(**mail("complaint@simulator.amazonses.com"))
        world.settle()
        assert [event["eventType"] for event in feedback(world)] == ["Complaint"]
        world.advance(timedelta(hours=1))
        assert [event["eventType"] for event in feedback(world)] == ["Complaint"] * 2


def test_ses_refuses_tags_that_it_does_not_know() -> None:
    wrong = mail("anna@example.com") | {"EmailTags": [{"Name": "message", "Value": "a b"}]}
    with small_world({}), pytest.raises(ClientError, match="BadRequestException"):
        resources.client("sesv2", sends=True).send_email(**wrong)


def test_a_text_is_taken_and_its_events_carry_the_context() -> None:
    with small_world({}) as world:
        world.triggers.clear()
        text = {"MessageBody": "hello", "Context": {"message": "m-1"}, "ConfigurationSetName": "set"}
        client = resources.client("pinpoint-sms-voice-v2", sends=True)
        client.send_text_message(DestinationPhoneNumber="+359888123456", **text)
        client.send_text_message(DestinationPhoneNumber="+359888120001", **text)
        world.settle()
        events, items = feedback(world), world.outbox
    assert [event["eventType"] for event in events] == ["TEXT_SENT", "TEXT_SENT", "TEXT_DELIVERED", "TEXT_INVALID"]
    assert all(event["context"] == {"message": "m-1"} for event in events)
    assert [item["message_id"] for item in items] == ["m-1", "m-1"]


def test_a_number_out_of_form_is_refused() -> None:
    client_of = resources.client
    with small_world({}), pytest.raises(ClientError, match="ValidationException"):
        client_of("pinpoint-sms-voice-v2", sends=True).send_text_message(
            DestinationPhoneNumber="0888123456", MessageBody="hello"
        )


def test_telegram_has_its_limits_on_the_worlds_clock() -> None:
    with small_world({}) as world:
        url = f"{world.telegram.url}/bot1000001:abcdefghijklmnop/sendMessage"
        for n in range(20):
            assert post(url, {"chat_id": -100, "text": str(n)})[0] == 200
        status, said = post(url, {"chat_id": -100, "text": "one too many"})
        assert (status, said["parameters"]["retry_after"]) == (429, 61)
        world.advance(timedelta(seconds=61))
        assert post(url, {"chat_id": -100, "text": "now"})[0] == 200
        assert post(url, {"chat_id": 7000403, "text": "hello"})[1]["description"].startswith("Forbidden")
        assert post(url, {"chat_id": 7, "text": "<table>", "parse_mode": "HTML"})[0] == 400


def test_the_webhook_twin_takes_only_what_is_signed() -> None:
    from infra.world.seeding import WEBHOOK_SECRET

    with small_world({}) as world:
        body = b'{"type": "order.paid"}'
        signature = Webhook(WEBHOOK_SECRET).sign("m-1", START, body.decode())
        signed = {"webhook-id": "m-1", "webhook-timestamp": str(int(START.timestamp()))}
        assert post(f"{world.webhook.url}/hooks", body, signed | {"webhook-signature": "v1,bad"})[0] == 401
        assert post(f"{world.webhook.url}/hooks", body, signed | {"webhook-signature": signature})[0] == 204
        assert [item["message_id"] for item in world.outbox] == ["m-1"]


@pytest.mark.parametrize("way", ["tls", "starttls"])
def test_the_mail_server_wants_tls_and_a_login(way: str) -> None:
    from infra.twins.smtp import PASSWORD, USER

    letter = (
        b"From: a@demo.example\r\nTo: b@example.com\r\nMessage-ID: <m-1.x@demo.example>\r\nSubject: hi\r\n\r\nhi\r\n"
    )
    with small_world({}) as world:
        context = ssl.create_default_context(cafile=str(world.smtp.ca_file))
        if way == "tls":
            server = smtplib.SMTP_SSL("127.0.0.1", world.smtp.tls_port, context=context)
        else:
            server = smtplib.SMTP("127.0.0.1", world.smtp.starttls_port)
            assert server.docmd("MAIL", "FROM:<a@demo.example>")[0] == 530
            server.starttls(context=context)
        with server:
            server.login(USER, PASSWORD)
            server.sendmail("a@demo.example", ["b@example.com"], letter)
            with pytest.raises(smtplib.SMTPRecipientsRefused):
                server.sendmail("a@demo.example", ["bounce@example.com"], letter)
        (item,) = world.outbox
    assert (item["to"], item["subject"], item["message_id"]) == ("b@example.com", "hi", "m-1")


# A world that lives by itself


def test_a_world_that_runs_does_its_work_by_itself_and_rests_when_there_is_none() -> None:
    done = threading.Event()
    with small_world({"release_due": lambda event, context: done.set()}, runs=True) as world:
        sent(world, "to-release", "a")
        assert done.wait(60)
        looks: list[int] = []
        real = world.engine.step
        world.engine.step = lambda **more: looks.append(1) or real(**more)  # type: ignore[method-assign,func-returns-value]
        threading.Event().wait(1)
        assert len(looks) < 20
