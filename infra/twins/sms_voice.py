"""AWS End User Messaging SMS v2, which moto lacks: SendTextMessage with its checks, and its events.

Sources: API reference (SendTextMessage, ValidationException) and user guide ("Example event data for SMS"). What
becomes of a text is told by the end of the number: 0001 TEXT_INVALID, 0002 TEXT_UNREACHABLE, 0003 TEXT_BLOCKED,
0004 TEXT_TTL_EXPIRED, 0005 opted out (refused at once); all others are delivered.
"""

import itertools
import json
import re
from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Any

from infra.twins.ses import Publish
from infra.world import wire
from infra.world.outbox import Outbox
from vestnik.rendering.segments import segments

E164 = re.compile(r"\+[1-9]\d{6,14}")
LONGEST = 1600
MOST_CONTEXT = 5
FATES = {"0001": "TEXT_INVALID", "0002": "TEXT_UNREACHABLE", "0003": "TEXT_BLOCKED", "0004": "TEXT_TTL_EXPIRED"}
OPTED_OUT = "0005"
PRICE = 0.05
SENT_SECONDS, FINAL_SECONDS = 0.4, 1.2
JSON = {"content-type": "application/x-amz-json-1.0"}


class SmsVoice:
    """Answers for the service and keeps the texts. `publish` lets an event of the configuration set come later."""

    def __init__(self, outbox: Outbox, now: Callable[[], datetime], publish: Publish) -> None:
        self._outbox, self._now, self._publish = outbox, now, publish
        self._ids = itertools.count(1)

    def responders(self) -> dict[str, Callable[[Any], wire.Answer]]:
        """What it answers, by service and operation."""
        return {
            "pinpoint-sms-voice-v2.SendTextMessage": self._send,
            "pinpoint-sms-voice-v2.DescribeSpendLimits": lambda request: (200, JSON, json.dumps(SPEND_LIMITS)),
        }

    def _send(self, request: Any) -> wire.Answer:
        asked = wire.json_body(request)
        if (wrong := _wrong(asked)) is not None:
            return wrong
        id, context = f"local-{next(self._ids):012x}", asked.get("Context", {})
        text, to = asked["MessageBody"], asked["DestinationPhoneNumber"]
        sender = asked.get("OriginationIdentity", "")
        self._outbox.add("sms", "sms_eum", to, sender=sender, text=text, message_id=context.get("message", id))
        if asked.get("ConfigurationSetName"):
            self._report(asked, id)
        return 200, JSON, json.dumps({"MessageId": id})

    def _report(self, asked: dict[str, Any], id: str) -> None:
        fate = FATES.get(asked["DestinationPhoneNumber"][-4:], "TEXT_DELIVERED")
        for seconds, word, final in ((SENT_SECONDS, "TEXT_SENT", False), (FINAL_SECONDS, fate, True)):
            event = _event(asked, id, word, final, self._now(), timedelta(seconds=seconds))
            self._publish(timedelta(seconds=seconds), event)


def _wrong(asked: dict[str, Any]) -> wire.Answer | None:
    to, text = asked["DestinationPhoneNumber"], asked.get("MessageBody", "")
    if not E164.fullmatch(to):
        return _error("ValidationException", "INVALID_PARAMETER", "DestinationPhoneNumber", "not in E.164 format")
    if not 1 <= len(text) <= LONGEST:
        return _error("ValidationException", "INVALID_PARAMETER", "MessageBody", f"must have 1 to {LONGEST} characters")
    if len(asked.get("Context", {})) > MOST_CONTEXT:
        return _error("ValidationException", "INVALID_PARAMETER", "Context", f"at most {MOST_CONTEXT} pairs")
    if float(asked.get("MaxPrice") or "100") < PRICE:
        return _error("ValidationException", "PRICE_OVER_THRESHOLD", "MaxPrice", "the message costs more")
    if to.endswith(OPTED_OUT):
        return _error("ConflictException", "DESTINATION_PHONE_NUMBER_OPTED_OUT", "", "The number has opted out")
    return None


def _error(code: str, reason: str, field: str, message: str) -> wire.Answer:
    fields = {"Fields": [{"Name": field, "Message": message}]} if field else {"ResourceType": "opted-out-number"}
    body = {"__type": code, "Message": message, "Reason": reason, **fields}
    return 400, {**JSON, "x-amzn-errortype": code}, json.dumps(body)


def _event(asked: dict[str, Any], id: str, word: str, final: bool, now: datetime, after: timedelta) -> dict[str, Any]:
    parts = segments(asked["MessageBody"])
    status = word.removeprefix("TEXT_")
    event = {
        "eventType": word,
        "eventVersion": "1.0",
        "eventTimestamp": int((now + after).timestamp() * 1000),
        "isFinal": final,
        "originationPhoneNumber": asked.get("OriginationIdentity", ""),
        "destinationPhoneNumber": asked["DestinationPhoneNumber"],
        "isoCountryCode": "US",
        "messageId": id,
        "messageRequestTimestamp": int(now.timestamp() * 1000),
        "messageEncoding": "GSM" if asked["MessageBody"].isascii() else "Unicode",
        "messageType": asked.get("MessageType", "TRANSACTIONAL"),
        "messageStatus": status,
        "messageStatusDescription": DESCRIPTIONS.get(status, "Message could not be delivered"),
        "totalMessageParts": parts,
        "totalMessagePrice": PRICE * parts,
        "totalCarrierFee": 0.0,
    }
    return event | ({"context": asked["Context"]} if asked.get("Context") else {})


DESCRIPTIONS = {
    "SENT": "Message has been sent to the carrier",
    "DELIVERED": "Message has been accepted by phone",
    "INVALID": "The destination phone number is invalid",
    "UNREACHABLE": "Phone is currently unreachable or unavailable",
    "BLOCKED": "Phone carrier has blocked this message",
    "TTL_EXPIRED": "The time to live of the message expired",
}
SPEND_LIMITS = {
    "SpendLimits": [
        {"Name": "TEXT_MESSAGE_MONTHLY_SPEND_LIMIT", "EnforcedLimit": 100, "MaxLimit": 1000, "Overridden": False}
    ]
}
