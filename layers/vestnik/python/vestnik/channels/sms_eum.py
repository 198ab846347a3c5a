"""SMS by AWS End User Messaging: price cap, opt-out lists, and feedback from carriers (within 72 hours)."""

from datetime import UTC, datetime
from typing import Any

from vestnik.channels import _pace, _sdk
from vestnik.domain.messages import Letter, Receipt, Sender
from vestnik.domain.outcomes import Feedback, Outcome
from vestnik.errors import Refused
from vestnik.resources import env

PLUGIN = "sms_eum"
CHANNEL = "sms"
LANES: tuple[str, ...] = ("transactional",)
CALLS = {"sms-voice": "SendTextMessage"}
FEEDBACK = True
RATE = 1.0
LONGEST = 1600
CONFIG: dict[str, Any] = {
    "type": "object",
    "required": ["origination"],
    "additionalProperties": False,
    "properties": {
        "origination": {
            "type": "string",
            "pattern": "^[A-Za-z0-9_:/+-]{1,256}$",
            "description": "phone number, sender id or pool, or its ARN",
        },
        "max_price": {"type": "string", "pattern": "^[0-9]{0,2}\\.[0-9]{1,5}$", "description": "USD a message part"},
        "time_to_live": {"type": "integer", "minimum": 5, "maximum": 259200, "description": "seconds"},
        "configuration_set": {"type": "string", "pattern": "^[A-Za-z0-9_:/-]{1,256}$"},
    },
}
SECRET: dict[str, Any] = {"type": "object", "additionalProperties": False, "properties": {}}
WORDS = {
    "ConflictException.DESTINATION_PHONE_NUMBER_OPTED_OUT": "opted-out",
    "ConflictException.DESTINATION_PHONE_NUMBER_NOT_VERIFIED": "not-verified",
    "ConflictException.DESTINATION_COUNTRY_BLOCKED_BY_PROTECT_CONFIGURATION": "country-blocked",
    "ConflictException.DESTINATION_PHONE_NUMBER_BLOCKED_BY_PROTECT_NUMBER_OVERRIDE": "number-blocked",
    "ConflictException": "not-configured",
    "ResourceNotFoundException": "not-configured",
    "ValidationException.DESTINATION_COUNTRY_BLOCKED": "country-blocked",
    "ValidationException.COUNTRY_NOT_ENABLED": "country-blocked",
    "ValidationException.PRICE_OVER_THRESHOLD": "too-expensive",
    "ValidationException.SENDER_ID_NOT_REGISTERED": "not-configured",
    "ValidationException.SENDER_ID_REQUIRES_REGISTRATION": "not-configured",
    "ValidationException.SENDER_ID_NOT_SUPPORTED": "not-configured",
    "ValidationException.INVALID_IDENTITY_FOR_DESTINATION_COUNTRY": "not-configured",
    "ValidationException": "bad-request",
    "ServiceQuotaExceededException": "spend-limit",
}
OUTCOMES = {
    "TEXT_SENT": Outcome.ACCEPTED,
    "TEXT_PENDING": Outcome.ACCEPTED,
    "TEXT_QUEUED": Outcome.ACCEPTED,
    "TEXT_SUCCESSFUL": Outcome.DELIVERED,
    "TEXT_DELIVERED": Outcome.DELIVERED,
    "TEXT_INVALID": Outcome.BOUNCED,
    "TEXT_INVALID_MESSAGE": Outcome.BOUNCED,
    "TEXT_UNREACHABLE": Outcome.BOUNCED,
    "TEXT_CARRIER_UNREACHABLE": Outcome.BOUNCED,
    "TEXT_BLOCKED": Outcome.BOUNCED,
    "TEXT_CARRIER_BLOCKED": Outcome.BOUNCED,
    "TEXT_SPAM": Outcome.BOUNCED,
    "TEXT_TTL_EXPIRED": Outcome.BOUNCED,
    "TEXT_PROTECT_BLOCKED": Outcome.REJECTED,
}
# Before the final event a success is a carrier's word on the way, and a failure may yet be repeated by it.
NOT_FINAL = {Outcome.DELIVERED: Outcome.ACCEPTED, Outcome.BOUNCED: Outcome.DELAYED}


def send(letter: Letter, sender: Sender, secret: dict[str, str], *, now: datetime) -> Receipt:
    """Send by SendTextMessage (pinpoint-sms-voice-v2). Raises Refused, Later, Unknown."""
    if len(letter.text) > LONGEST:
        raise Refused(f"{len(letter.text)} characters: a text may have {LONGEST}", code="too-big")
    answer = _sdk.call("pinpoint-sms-voice-v2", "send_text_message", request(letter, sender), WORDS)
    return Receipt(str(answer.get("MessageId", "")), now)


def request(letter: Letter, sender: Sender) -> dict[str, Any]:
    """The parameters of SendTextMessage. Our ids ride in its context and come back in every event by SNS."""
    config = sender.config
    more = {
        "ConfigurationSetName": config.get("configuration_set") or env("SMS_CONFIGURATION_SET", ""),
        "MaxPrice": config.get("max_price"),
        "TimeToLive": config.get("time_to_live"),
    }
    return {
        "DestinationPhoneNumber": letter.to,
        "OriginationIdentity": config["origination"],
        "MessageBody": letter.text,
        "MessageType": "PROMOTIONAL" if letter.purpose == "marketing" else "TRANSACTIONAL",
        "Context": {"message": letter.message, "shop": letter.shop, "attempt": letter.attempt},
        **{name: value for name, value in more.items() if value},
    }


def buckets(letter: Letter, sender: Sender) -> list[_pace.Bucket]:
    """Message parts per second belong to the origination number, whichever sender uses it."""
    return [_pace.bucket(f"{PLUGIN}#{sender.config['origination']}", sender.rate or _pace.account_rate(RATE))]


def feedback(payload: dict[str, Any]) -> list[Feedback]:
    """What one SMS event says (user guide, "Example event data for SMS"); [] where it is none. Never raises."""
    word = payload.get("eventType")
    if not isinstance(word, str) or not word.startswith("TEXT_"):
        return []
    context = payload["context"] if isinstance(payload.get("context"), dict) else {}
    number = payload.get("destinationPhoneNumber")
    return [
        Feedback(
            outcome=_outcome(word, payload),
            provider_id=str(payload.get("messageId") or ""),
            at=_time(payload.get("eventTimestamp")),
            shop=str(context.get("shop", "")),
            message=str(context.get("message", "")),
            attempt=str(context.get("attempt", "")),
            recipients=(number,) if isinstance(number, str) else (),
            suppress=word == "TEXT_INVALID",
            raw_type=word,
            detail=str(payload.get("messageStatusDescription") or "")[:500],
        )
    ]


def _outcome(word: str, payload: dict[str, Any]) -> Outcome:
    outcome = OUTCOMES.get(word, Outcome.UNKNOWN)
    return outcome if payload.get("isFinal", True) else NOT_FINAL.get(outcome, outcome)


def _time(value: Any) -> datetime | None:
    try:
        return datetime.fromtimestamp(value / 1000, UTC)
    except (TypeError, ValueError, OverflowError, OSError):
        return None
