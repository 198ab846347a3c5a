"""E-mail by Amazon SES: the deployment's own account, with feedback on delivery, bounces, complaints, opens and clicks.

The domain must be a verified identity, and granted to the shop: SES knows it as the account's, which is everybody's.
Where the shop has an SES tenant, the sender names it.
"""

import re
from datetime import datetime
from typing import Any

from vestnik.channels import _mime, _pace, _sdk, _ses_notices
from vestnik.domain.messages import Letter, Receipt, Sender
from vestnik.domain.outcomes import Feedback
from vestnik.errors import Refused
from vestnik.resources import env

PLUGIN = "email_ses"
CHANNEL = "email"
LANES: tuple[str, ...] = ("transactional", "marketing")
CALLS = {"ses": "SendEmail"}
FEEDBACK = True
OWN_DOMAIN = "from_address"
RATE = 14.0
LARGEST = 40 * 1024 * 1024
CONFIG: dict[str, Any] = {
    "type": "object",
    "required": ["from_address"],
    "additionalProperties": False,
    "properties": {
        "from_address": {"type": "string", "format": "email", "description": "the address people see and answer"},
        "from_name": {"type": "string", "maxLength": 200},
        "reply_to": {"type": "string", "format": "email"},
        "configuration_set": {"type": "string", "pattern": "^[A-Za-z0-9_-]{1,64}$"},
        "tenant": {"type": "string", "pattern": "^[A-Za-z0-9_-]{1,64}$", "description": "the shop's SES tenant"},
    },
}
SECRET: dict[str, Any] = {"type": "object", "additionalProperties": False, "properties": {}}
WORDS = {
    "not verified": "not-verified",
    "illegal address": "bad-address",
    "invalid address": "bad-address",
    "missing final": "bad-address",
    "domain contains": "bad-address",
    "local address contains": "bad-address",
    "sending rate exceeded": _sdk.LATER,
    "quota exceeded": _sdk.LATER,
    "MailFromDomainNotVerifiedException": "not-verified",
    "MessageRejected": "rejected",
    "BadRequestException": "bad-request",
    "NotFoundException": "not-configured",
    "AccountSuspendedException": "account-suspended",
    # Paused by a person or by SES over reputation: what waits goes when sending is resumed.
    "SendingPausedException": _sdk.LATER,
    "LimitExceededException": _sdk.LATER,
}


def send(letter: Letter, sender: Sender, secret: dict[str, str], *, now: datetime) -> Receipt:
    """Send by SES v2 SendEmail with raw content. Raises Refused, Later, Unknown."""
    raw = _mime.compose(letter, sender, now)
    if len(raw) > LARGEST:
        raise Refused(f"{len(raw)} bytes: SES takes 40 MB", code="too-big")
    answer = _sdk.call("sesv2", "send_email", request(letter, sender, raw), WORDS)
    return Receipt(str(answer.get("MessageId", "")), now)


def request(letter: Letter, sender: Sender, raw: bytes) -> dict[str, Any]:
    """The parameters of SendEmail. Our ids ride as tags and come back in every event of this message."""
    configuration_set = sender.config.get("configuration_set") or env("SES_CONFIGURATION_SET", "")
    more = {"ConfigurationSetName": configuration_set, "TenantName": sender.config.get("tenant")}
    return {
        "FromEmailAddress": _mime.mailbox(
            sender.config.get("from_name", ""), _mime.own_address(sender.config["from_address"])
        ),
        "Destination": {"ToAddresses": [_mime.ascii_address(letter.to)]},
        "Content": {"Raw": {"Data": raw}},
        "EmailTags": [{"Name": name, "Value": tag(value)} for name, value in _own(letter).items()],
        **{name: value for name, value in more.items() if value},
    }


def _own(letter: Letter) -> dict[str, str]:
    return {"message": letter.message, "shop": letter.shop, "attempt": letter.attempt}


def tag(value: str) -> str:
    """`value` in the letters that SES allows in tags (A-Z a-z 0-9 _ -); `untag` reads it back."""
    return value if re.fullmatch(r"[A-Za-z0-9-]+", value) else "_" + value.encode().hex()


def buckets(letter: Letter, sender: Sender) -> list[_pace.Bucket]:
    """The account's rate, shared by all shops; and the sender's own where it has one."""
    own = [_pace.own(sender, RATE)] if sender.rate else []
    return [_pace.account(PLUGIN, RATE), *own]


def feedback(payload: dict[str, Any]) -> list[Feedback]:
    """What one SES event says (published event or SNS notification); [] where it is none of SES's."""
    return _ses_notices.read(payload)
