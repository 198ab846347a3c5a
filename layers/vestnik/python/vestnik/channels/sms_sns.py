"""SMS by Amazon SNS: needs no number of one's own, but reports nothing back; a message ends at `sent`."""

from datetime import datetime
from typing import Any

from vestnik.channels import _pace, _sdk
from vestnik.domain.messages import Letter, Receipt, Sender
from vestnik.errors import Refused

PLUGIN = "sms_sns"
CHANNEL = "sms"
LANES: tuple[str, ...] = ("transactional",)
CALLS = {"sns": "Publish"}
FEEDBACK = False
RATE = 20.0
LONGEST = 1600
CONFIG: dict[str, Any] = {
    "type": "object",
    "additionalProperties": False,
    "properties": {
        "sender_id": {"type": "string", "pattern": "^(?=.*[A-Za-z])[A-Za-z0-9-]{1,11}$"},
        "max_price": {"type": "string", "pattern": "^[0-9]{0,2}\\.[0-9]{1,5}$", "description": "USD a message"},
    },
}
SECRET: dict[str, Any] = {"type": "object", "additionalProperties": False, "properties": {}}
WORDS = {
    "opted out": "opted-out",
    "is not valid to publish": "bad-number",
    "phonenumber reason": "bad-number",
    "spending limit": "spend-limit",
    "InvalidParameter": "bad-request",
    "ParameterValueInvalid": "bad-request",
    "ValidationException": "bad-request",
}


def send(letter: Letter, sender: Sender, secret: dict[str, str], *, now: datetime) -> Receipt:
    """Send by Publish to a phone number. Raises Refused, Later, Unknown."""
    if len(letter.text) > LONGEST:
        raise Refused(f"{len(letter.text)} characters: a text may have {LONGEST}", code="too-big")
    answer = _sdk.call("sns", "publish", request(letter, sender), WORDS)
    return Receipt(str(answer.get("MessageId", "")), now)


def request(letter: Letter, sender: Sender) -> dict[str, Any]:
    """The parameters of Publish. SNS gives nothing of ours back, so no ids ride."""
    values = {
        "AWS.SNS.SMS.SMSType": "Promotional" if letter.purpose == "marketing" else "Transactional",
        "AWS.SNS.SMS.SenderID": sender.config.get("sender_id"),
        "AWS.SNS.SMS.MaxPrice": sender.config.get("max_price"),
    }
    kinds = {"AWS.SNS.SMS.MaxPrice": "Number"}
    return {
        "PhoneNumber": letter.to,
        "Message": letter.text,
        "MessageAttributes": {
            name: {"DataType": kinds.get(name, "String"), "StringValue": value}
            for name, value in values.items()
            if value
        },
    }


def buckets(letter: Letter, sender: Sender) -> list[_pace.Bucket]:
    """The account's rate, shared by all shops; and the sender's own where it has one."""
    own = [_pace.own(sender, RATE)] if sender.rate else []
    return [_pace.account(PLUGIN, RATE), *own]
