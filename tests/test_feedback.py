"""Feedback of providers: what AWS sends, in any envelope, becomes one vocabulary; nothing makes it crash."""

import copy
import json
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from vestnik import channels
from vestnik.channels import sms_eum
from vestnik.domain.outcomes import Feedback, Outcome

CORPUS = Path(__file__).parents[2] / "shared" / "corpora" / "aws_events"
FILES = sorted(CORPUS.glob("*/*.json")) if CORPUS.exists() else []
EXPECTED = CORPUS / "ses_expected.jsonl"
ROWS = [json.loads(line) for line in EXPECTED.read_text().splitlines()] if EXPECTED.exists() else []

MAIL = {
    "timestamp": "2026-11-20T10:00:00.000Z",
    "messageId": "010001-ses",
    "destination": ["anna@example.com"],
    "tags": {"message": ["2611200abc-def"], "shop": ["teashop"], "attempt": ["a1"], "ses:configuration-set": ["s"]},
}
BOUNCE = {
    "bounceType": "Permanent",
    "bounceSubType": "General",
    "timestamp": "2026-11-20T10:00:05.000Z",
    "bouncedRecipients": [
        {"emailAddress": "anna@example.com", "status": "5.1.1", "diagnosticCode": "smtp; 550 unknown"}
    ],
}


def event(kind: str, **part: Any) -> dict[str, Any]:
    return {"eventType": kind, "mail": MAIL, **part}


def one(payload: Any) -> Feedback:
    told = channels.read_feedback(payload if isinstance(payload, str) else json.dumps(payload))
    assert len(told) == 1
    return told[0]


def row(told: Feedback) -> dict[str, Any]:
    return {
        "type": told.raw_type,
        "message_id": told.provider_id,
        "recipients": list(told.recipients),
        "bounce_type": told.bounce_type,
        "sub_type": told.sub_type,
        "link": told.link,
        "user_agent": told.user_agent,
        "tags": told.tags or None,
    }


@pytest.mark.parametrize("expected", ROWS, ids=lambda row: str(row["file"]))
def test_every_ses_event_of_the_corpus_means_what_it_should(expected: dict[str, Any]) -> None:
    told = channels.read_feedback((CORPUS / expected["file"]).read_text())
    assert [row(f) for f in told] == expected["expected"]
    assert any(f.suppress for f in told) == expected["suppress"]


@pytest.mark.parametrize("file", FILES, ids=lambda file: file.stem)
def test_no_event_of_aws_makes_it_crash(file: Path) -> None:
    text = file.read_text()
    for told in channels.read_feedback(text):
        assert told.raw_type
    channels.read_feedback(json.dumps({"Type": "Notification", "TopicArn": "t", "Message": text}))


def test_a_bounce_names_message_shop_and_attempt_and_suppresses() -> None:
    told = one(event("Bounce", bounce=BOUNCE))
    assert (told.outcome, told.message, told.shop, told.attempt) == (Outcome.BOUNCED, "2611200abc-def", "teashop", "a1")
    assert told.at == datetime(2026, 11, 20, 10, 0, 5, tzinfo=UTC)
    assert told.suppress
    assert "550 unknown" in told.detail


def envelopes() -> dict[str, Any]:
    raw = event("Bounce", bounce=BOUNCE)
    sns = {"Type": "Notification", "MessageId": "m", "TopicArn": "arn:t", "Message": json.dumps(raw), "Timestamp": "t"}
    bridge = {"version": "0", "source": "aws.ses", "detail-type": "Email Bounced", "detail": raw}
    return {
        "raw": raw,
        "sns": sns,
        "bridge": bridge,
        "sqs of raw": {"Records": [{"eventSource": "aws:sqs", "body": json.dumps(raw)}]},
        "sqs of sns": {"Records": [{"eventSource": "aws:sqs", "body": json.dumps(sns)}]},
        "sqs of bridge": {"Records": [{"eventSource": "aws:sqs", "body": json.dumps(bridge)}]},
        "sns to lambda": {"Records": [{"EventSource": "aws:sns", "Sns": sns}]},
        "notification": {"notificationType": "Bounce", "mail": MAIL, "bounce": BOUNCE},
    }


@pytest.mark.parametrize("envelope", envelopes())
def test_the_envelope_does_not_change_what_is_said(envelope: str) -> None:
    assert one(envelopes()[envelope]) == one(envelopes()["raw"])


@pytest.mark.parametrize(
    ("kind", "part", "outcome", "suppress"),
    [
        ("Send", {}, Outcome.ACCEPTED, False),
        ("Delivery", {"delivery": {"smtpResponse": "250 ok"}}, Outcome.DELIVERED, False),
        ("DeliveryDelay", {"deliveryDelay": {"delayType": "MailboxFull"}}, Outcome.DELAYED, False),
        ("Bounce", {"bounce": {**BOUNCE, "bounceType": "Transient"}}, Outcome.BOUNCED, False),
        ("Bounce", {"bounce": {**BOUNCE, "bounceType": "Undetermined"}}, Outcome.BOUNCED, False),
        ("Bounce", {"bounce": {**BOUNCE, "bounceSubType": "OnAccountSuppressionList"}}, Outcome.BOUNCED, True),
        ("Complaint", {"complaint": {"complaintFeedbackType": "abuse"}}, Outcome.COMPLAINED, True),
        ("Complaint", {"complaint": {"complaintSubType": "OnAccountSuppressionList"}}, Outcome.COMPLAINED, True),
        ("Complaint", {"complaint": {"complaintFeedbackType": "not-spam"}}, Outcome.UNKNOWN, False),
        ("Reject", {"reject": {"reason": "Bad content"}}, Outcome.REJECTED, False),
        ("Rendering Failure", {"failure": {"errorMessage": "x"}}, Outcome.REJECTED, False),
        ("Open", {"open": {"userAgent": "Mozilla"}}, Outcome.OPENED, False),
        ("Click", {"click": {"link": "https://shop.example/"}}, Outcome.CLICKED, False),
        (
            "Subscription",
            {"subscription": {"newTopicPreferences": {"unsubscribeAll": True}}},
            Outcome.UNSUBSCRIBED,
            False,
        ),
        ("Subscription", {"subscription": {"newTopicPreferences": {"unsubscribeAll": False}}}, Outcome.UNKNOWN, False),
        ("Teleportation", {}, Outcome.UNKNOWN, False),
        ("Received", {}, Outcome.UNKNOWN, False),
    ],
)
def test_a_word_of_ses_has_one_meaning(kind: str, part: dict[str, Any], outcome: Outcome, suppress: bool) -> None:
    told = one(event(kind, **part))
    assert (told.outcome, told.suppress) == (outcome, suppress)


TEXT = {
    "eventType": "TEXT_DELIVERED",
    "eventTimestamp": 1686975103470,
    "isFinal": True,
    "destinationPhoneNumber": "+359881234567",
    "messageId": "sms-1",
    "messageStatusDescription": "Message has been accepted by phone",
    "context": {"message": "2611200abc-def", "shop": "teashop", "attempt": "a1"},
}


@pytest.mark.parametrize(
    ("kind", "final", "outcome"),
    [
        ("TEXT_QUEUED", False, Outcome.ACCEPTED),
        ("TEXT_SUCCESSFUL", False, Outcome.ACCEPTED),
        ("TEXT_SUCCESSFUL", True, Outcome.DELIVERED),
        ("TEXT_DELIVERED", True, Outcome.DELIVERED),
        ("TEXT_UNREACHABLE", False, Outcome.DELAYED),
        ("TEXT_UNREACHABLE", True, Outcome.BOUNCED),
        ("TEXT_PROTECT_BLOCKED", True, Outcome.REJECTED),
        ("TEXT_UNKNOWN", True, Outcome.UNKNOWN),
        ("TEXT_OF_TOMORROW", True, Outcome.UNKNOWN),
    ],
)
def test_a_word_of_a_carrier_has_one_meaning(kind: str, final: bool, outcome: Outcome) -> None:
    told = one({**TEXT, "eventType": kind, "isFinal": final})
    assert told.outcome is outcome
    assert (told.provider_id, told.message, told.shop, told.attempt) == ("sms-1", "2611200abc-def", "teashop", "a1")
    assert told.recipients == ("+359881234567",)


def test_a_number_that_does_not_exist_is_suppressed_and_a_switched_off_phone_is_not() -> None:
    assert one({**TEXT, "eventType": "TEXT_INVALID"}).suppress
    assert not one({**TEXT, "eventType": "TEXT_UNREACHABLE"}).suppress


def test_a_text_by_eventbridge_has_no_context_and_is_told_by_the_providers_id() -> None:
    detail = {name: value for name, value in TEXT.items() if name not in ("context", "destinationPhoneNumber")}
    told = one({"source": "aws.sms-voice", "detail-type": "Text Message Delivery Status Updated", "detail": detail})
    assert (told.outcome, told.provider_id, told.message, told.recipients) == (Outcome.DELIVERED, "sms-1", "", ())


def test_every_text_event_that_the_sdk_knows_has_a_meaning() -> None:
    import botocore.session

    model = botocore.session.get_session().get_service_model("pinpoint-sms-voice-v2")
    known = {word for word in model.shape_for("EventType").enum if word.startswith("TEXT_")}
    assert known - set(sms_eum.OUTCOMES) == {"TEXT_ALL", "TEXT_UNKNOWN"}


@pytest.mark.parametrize(
    "body", ["", "null", "[]", "7", '"x"', "{}", "not json", "[" * 100_000, '{"Records": [null, 1, {}]}']
)
def test_what_nobody_knows_says_nothing(body: str) -> None:
    assert channels.read_feedback(body) == []


PLAIN = st.none() | st.booleans() | st.integers() | st.text(max_size=5)
ODD = PLAIN | st.lists(PLAIN, max_size=3) | st.dictionaries(st.text(max_size=5), PLAIN | st.lists(PLAIN), max_size=3)
PLACES = [
    *("eventType", "mail", "mail.tags", "mail.tags.shop", "mail.destination", "mail.timestamp", "mail.messageId"),
    *("bounce", "bounce.timestamp", "bounce.bouncedRecipients", "bounce.bounceType", "bounce.bounceSubType"),
    *("context", "context.shop", "eventTimestamp", "messageId", "destinationPhoneNumber"),
]


@given(st.sampled_from(PLACES), ODD)
def test_odd_shapes_never_make_it_crash(place: str, value: Any) -> None:
    for payload in (event("Bounce", bounce=BOUNCE), copy.deepcopy(TEXT)):
        payload = copy.deepcopy(payload)
        *above, last = place.split(".")
        at: Any = payload
        for name in above:
            at = at.setdefault(name, {})
        at[last] = value
        channels.read_feedback(json.dumps(payload))
