"""SES's events in our words: published events (`eventType`) and feedback notifications (`notificationType`).

Source: Amazon SES developer guide, "Contents of event data that Amazon SES publishes to Amazon SNS" and "Amazon
SNS notification contents for Amazon SES".
"""

from datetime import UTC, datetime
from typing import Any

from vestnik.domain.outcomes import Feedback, Outcome

OUTCOMES = {
    "Send": Outcome.ACCEPTED,
    "Delivery": Outcome.DELIVERED,
    "DeliveryDelay": Outcome.DELAYED,
    "Bounce": Outcome.BOUNCED,
    "Complaint": Outcome.COMPLAINED,
    "Reject": Outcome.REJECTED,
    "Rendering Failure": Outcome.REJECTED,
    "Open": Outcome.OPENED,
    "Click": Outcome.CLICKED,
    "Subscription": Outcome.UNSUBSCRIBED,
}
# Where an event of a type keeps its own part, its recipients and its finer type.
PARTS = {"DeliveryDelay": "deliveryDelay", "Rendering Failure": "failure"}
RECIPIENTS = {
    "Bounce": "bouncedRecipients",
    "Complaint": "complainedRecipients",
    "DeliveryDelay": "delayedRecipients",
    "Delivery": "recipients",
}
SUB_TYPES = {"Bounce": "bounceSubType", "Complaint": "complaintSubType", "DeliveryDelay": "delayType"}


def read(payload: dict[str, Any]) -> list[Feedback]:
    """One Feedback for an SES event about one of our mails; [] for anything else. Never raises on odd shapes."""
    word, mail = payload.get("eventType") or payload.get("notificationType"), payload.get("mail")
    if not isinstance(word, str) or not isinstance(mail, dict):
        return []
    part = _dict(payload.get(PARTS.get(word, word.lower())))
    tags = {str(name): _strings(values) for name, values in _dict(mail.get("tags")).items()}
    outcome = _outcome(word, part)
    return [
        Feedback(
            outcome=outcome,
            provider_id=_text(mail.get("messageId")),
            at=_time(part.get("timestamp") or mail.get("timestamp")),
            shop=untag(_first(tags, "shop")),
            message=untag(_first(tags, "message")),
            attempt=untag(_first(tags, "attempt")),
            recipients=_recipients(word, part, mail),
            suppress=_suppresses(outcome, part),
            raw_type=word,
            detail=_detail(word, part),
            link=part.get("link") if isinstance(part.get("link"), str) else None,
            user_agent=part.get("userAgent") if isinstance(part.get("userAgent"), str) else None,
            tags=tags,
            bounce_type=_text(part.get("bounceType")) or None,
            sub_type=_text(part.get(SUB_TYPES.get(word, ""))) or None,
        )
    ]


def _outcome(word: str, part: dict[str, Any]) -> Outcome:
    if part.get("complaintFeedbackType") == "not-spam":  # the person took it out of the spam folder
        return Outcome.UNKNOWN
    preferences = _dict(part.get("newTopicPreferences"))
    if word == "Subscription" and not preferences.get("unsubscribeAll"):
        return Outcome.UNKNOWN
    return OUTCOMES.get(word, Outcome.UNKNOWN)


def _suppresses(outcome: Outcome, part: dict[str, Any]) -> bool:
    """Hard bounces and complaints. A full mailbox or an unknown domain (Transient 5.4.4) may be well tomorrow."""
    permanent = outcome is Outcome.BOUNCED and part.get("bounceType") == "Permanent"
    return permanent or outcome is Outcome.COMPLAINED


def _recipients(word: str, part: dict[str, Any], mail: dict[str, Any]) -> tuple[str, ...]:
    named = part.get(RECIPIENTS.get(word, ""))
    entries = _list(named) or _list(mail.get("destination"))
    found = [e.get("emailAddress") if isinstance(e, dict) else e for e in entries]
    return tuple(address for address in found if isinstance(address, str))


def _detail(word: str, part: dict[str, Any]) -> str:
    """The provider's words for a person: the server's answer, the reason, the kind of complaint."""
    named = part.get(RECIPIENTS.get(word, ""))
    codes = [_text(e.get("diagnosticCode") or e.get("status")) for e in _list(named) if isinstance(e, dict)]
    said = ("smtpResponse", "reason", "errorMessage", "complaintFeedbackType")
    return "; ".join(filter(None, [*codes, *(_text(part.get(name)) for name in said)]))[:500]


def untag(value: str) -> str:
    """What stood behind a tag (see email_ses.tag); "" where it is none of ours."""
    try:
        return bytes.fromhex(value[1:]).decode() if value.startswith("_") else value
    except ValueError:
        return ""


def _first(tags: dict[str, list[str]], name: str) -> str:
    return next(iter(tags.get(name, ())), "")


def _strings(values: Any) -> list[str]:
    return [str(value) for value in values] if isinstance(values, list) else [str(values)]


def _dict(value: Any) -> dict[str, Any]:
    return value if isinstance(value, dict) else {}


def _list(value: Any) -> list[Any]:
    return value if isinstance(value, list) else []


def _text(value: Any) -> str:
    return value if isinstance(value, str) else ""


def _time(value: Any) -> datetime | None:
    try:
        at = datetime.fromisoformat(value)
    except (TypeError, ValueError):
        return None
    return at if at.tzinfo else at.replace(tzinfo=UTC)
