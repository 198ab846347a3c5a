"""Amazon SES v2 where moto falls short: SendEmail keeps the whole message and answers with events, account,
suppression list.

Sources: Amazon SES API v2 reference (SendEmail, GetAccount, suppression) and developer guide ("Sending test e-mails
with the mailbox simulator", "Examples of event data that Amazon SES publishes to Amazon SNS").
"""

import base64
import itertools
import json
import re
from collections.abc import Callable, Collection
from datetime import datetime, timedelta
from email.message import Message
from typing import Any
from urllib.parse import unquote, urlsplit

from infra.world import wire
from infra.world.outbox import Outbox, addresses, header, headers, parse, simple
from vestnik import topology

Publish = Callable[[timedelta, dict[str, Any]], None]  # after this long, an event comes

SIMULATOR = "simulator.amazonses.com"
TAG = re.compile(r"[A-Za-z0-9_-]{1,256}")
LARGEST = 40 * 1024 * 1024
MOST_RECIPIENTS = 50
SEND_SECONDS, DELIVERY_SECONDS, COMPLAINT_SECONDS = 0.3, 1.0, 1.5
BOUNCED = {"status": "5.1.1", "action": "failed", "diagnosticCode": "smtp; 550 5.1.1 user unknown"}
SUPPRESSED = {
    "status": "5.1.1",
    "action": "failed",
    "diagnosticCode": "Amazon SES has suppressed sending to this address because it has a recent history of bouncing "
    "as an invalid address.",
}


class Wrong(Exception):
    """A 400 of SES: its code and message."""

    def __init__(self, code: str, message: str) -> None:
        super().__init__(message)
        self.code, self.message = code, message


class Ses:
    """Answers for SES and keeps the mail. `publish` lets an event of the configuration set come later; `told`: the
    types of events that it asks for, as in its event destination."""

    def __init__(
        self, outbox: Outbox, now: Callable[[], datetime], publish: Publish, told: Collection[str] = topology.SES_EVENTS
    ) -> None:
        self._outbox, self._now, self._publish = outbox, now, publish
        self._told = {word.lower() for word in told}
        self._ids = itertools.count(1)
        self.suppressed: dict[str, dict[str, str]] = {}
        self.sandbox = False

    def responders(self) -> dict[str, Callable[[Any], wire.Answer]]:
        """What it answers, by service and operation."""
        return {
            "sesv2.SendEmail": self._guarded(self._send_email),
            "sesv2.GetAccount": self._guarded(self._account),
            "sesv2.PutSuppressedDestination": self._guarded(self._suppress),
            "sesv2.GetSuppressedDestination": self._guarded(self._suppressed),
            "sesv2.DeleteSuppressedDestination": self._guarded(self._unsuppress),
            "sesv2.ListSuppressedDestinations": self._guarded(self._list_suppressed),
        }

    def _guarded(self, do: Callable[[Any], dict[str, Any]]) -> Callable[[Any], wire.Answer]:
        def answer(request: Any) -> wire.Answer:
            try:
                return 200, {"content-type": "application/json"}, json.dumps(do(request))
            except Wrong as wrong:
                headers = {"content-type": "application/json", "x-amzn-errortype": wrong.code}
                status = 404 if wrong.code == "NotFoundException" else 400
                return status, headers, json.dumps({"message": wrong.message})

        return answer

    def _send_email(self, request: Any) -> dict[str, Any]:
        asked = wire.json_body(request)
        to = [address for kind in ("To", "Cc", "Bcc") for address in asked["Destination"].get(f"{kind}Addresses", [])]
        tags = {tag["Name"]: tag["Value"] for tag in asked.get("EmailTags", [])}
        raw = _raw(asked, to)
        _check(to, tags, raw)
        id, mail = self._new_id(), parse(raw)
        self._outbox.add_mail("email_ses", addresses(*to), mail, tags.get("message", id))
        if name := asked.get("ConfigurationSetName"):
            self._report(asked, mail, addresses(*to), id, tags | {"ses:configuration-set": name})
        return {"MessageId": id}

    def _new_id(self) -> str:
        number = next(self._ids)
        return f"0100{int(self._now().timestamp() * 1000):012x}-{number:08x}-local-000000"

    def _report(self, asked: dict[str, Any], sent: Message, to: list[str], id: str, tags: dict[str, str]) -> None:
        """Let the events of a mail come that are asked for: Send at once, then what became of each recipient."""
        mail = _mail(asked, sent, to, id, tags, self._now())
        events: list[tuple[float, dict[str, Any]]] = [(SEND_SECONDS, {"eventType": "Send", "send": {}})]
        events += [event for address in to for event in self._fate(address, id)]
        for seconds, event in events:
            if event["eventType"].lower() in self._told:
                self._publish(timedelta(seconds=seconds), {**event, "mail": mail})

    def _fate(self, address: str, id: str) -> list[tuple[float, dict[str, Any]]]:
        """What becomes of mail to an address; the mailbox simulator's are known by their local part."""
        local, _, domain = address.lower().partition("@")
        word = local.partition("+")[0] if domain == SIMULATOR else ""
        at = self._now() + timedelta(seconds=DELIVERY_SECONDS)
        if address.lower() in self.suppressed or word == "suppressionlist":
            return [(DELIVERY_SECONDS, _bounce(address, at, id, SUPPRESSED))]
        if word == "bounce":
            return [(DELIVERY_SECONDS, _bounce(address, at, id, BOUNCED))]
        events = [(DELIVERY_SECONDS, _delivery(address, at))]
        if word == "complaint":
            late = self._now() + timedelta(seconds=COMPLAINT_SECONDS)
            events.append((COMPLAINT_SECONDS, _complaint(address, late, id)))
        return events

    def _account(self, request: Any) -> dict[str, Any]:
        return {
            "DedicatedIpAutoWarmupEnabled": False,
            "EnforcementStatus": "HEALTHY",
            "ProductionAccessEnabled": not self.sandbox,
            "SendQuota": {"Max24HourSend": 50000.0, "MaxSendRate": 14.0, "SentLast24Hours": 0.0},
            "SendingEnabled": True,
            "SuppressionAttributes": {"SuppressedReasons": ["BOUNCE", "COMPLAINT"]},
        }

    def _suppress(self, request: Any) -> dict[str, Any]:
        asked = wire.json_body(request)
        entry = {"Reason": asked["Reason"], "LastUpdateTime": _iso(self._now())}
        self.suppressed[asked["EmailAddress"].lower()] = entry
        return {}

    def _suppressed(self, request: Any) -> dict[str, Any]:
        address = _address(request)
        if address not in self.suppressed:
            raise Wrong("NotFoundException", f"Email address {address} does not exist on your suppression list.")
        return {"SuppressedDestination": self._shown(address)}

    def _unsuppress(self, request: Any) -> dict[str, Any]:
        if self.suppressed.pop(_address(request), None) is None:
            raise Wrong("NotFoundException", "Email address does not exist on your suppression list.")
        return {}

    def _list_suppressed(self, request: Any) -> dict[str, Any]:
        return {"SuppressedDestinationSummaries": [self._shown(address) for address in self.suppressed]}

    def _shown(self, address: str) -> dict[str, Any]:
        kept = self.suppressed[address]
        at = datetime.fromisoformat(kept["LastUpdateTime"]).timestamp()
        return {"EmailAddress": address, "Reason": kept["Reason"], "LastUpdateTime": at}


def _raw(asked: dict[str, Any], to: list[str]) -> bytes:
    content = asked.get("Content", {})
    if "Raw" in content:
        return base64.b64decode(content["Raw"]["Data"])
    if "Simple" in content:
        return simple(content["Simple"], asked.get("FromEmailAddress", ""), to)
    raise Wrong("BadRequestException", "Templates are not kept here: render the message yourself.")


def _check(to: list[str], tags: dict[str, str], raw: bytes) -> None:
    if not 1 <= len(to) <= MOST_RECIPIENTS:
        raise Wrong("BadRequestException", f"Recipient count exceeds {MOST_RECIPIENTS}, or there is none.")
    if any("@" not in address or not address.isascii() for address in addresses(*to)):
        raise Wrong("BadRequestException", "Missing final '@domain'")
    if not all(TAG.fullmatch(name) and TAG.fullmatch(value) for name, value in tags.items()):
        raise Wrong("BadRequestException", "Tag names and values may hold A-Z a-z 0-9 _ - only, up to 256 characters.")
    if len(raw) * 4 / 3 > LARGEST:
        raise Wrong("MessageRejected", "Message length exceeds limit: 41943040.")


def _mail(
    asked: dict[str, Any], sent: Message, to: list[str], id: str, tags: dict[str, str], now: datetime
) -> dict[str, Any]:
    """The `mail` object that every event carries."""
    source = asked.get("FromEmailAddress") or header(sent, "from")
    own = {"ses:source-ip": "127.0.0.1", "ses:from-domain": source.rpartition("@")[2].strip(">")}
    own["ses:caller-identity"] = "local"
    common = {"from": [source], "to": to, "messageId": id, "subject": header(sent, "subject")}
    return {
        "timestamp": _iso(now),
        "source": source,
        "sourceArn": f"arn:aws:ses:us-east-1:123456789012:identity/{own['ses:from-domain']}",
        "sendingAccountId": "123456789012",
        "messageId": id,
        "destination": to,
        "headersTruncated": False,
        "headers": [{"name": name, "value": value} for name, value in headers(sent)],
        "commonHeaders": common,
        "tags": {name: [value] for name, value in (own | tags).items()},
    }


def _delivery(address: str, at: datetime) -> dict[str, Any]:
    delivery = {
        "timestamp": _iso(at),
        "processingTimeMillis": int(DELIVERY_SECONDS * 1000),
        "recipients": [address],
        "smtpResponse": "250 2.0.0 OK local",
        "reportingMTA": "a1-1.smtp-out.amazonses.com",
    }
    return {"eventType": "Delivery", "delivery": delivery}


def _bounce(address: str, at: datetime, id: str, why: dict[str, str]) -> dict[str, Any]:
    bounce = {
        "bounceType": "Permanent",
        "bounceSubType": "OnAccountSuppressionList" if why is SUPPRESSED else "General",
        "bouncedRecipients": [{"emailAddress": address, **why}],
        "timestamp": _iso(at),
        "feedbackId": f"feedback-{id}",
        "reportingMTA": "dns; amazonses.com" if why is SUPPRESSED else "dsn; a1-1.smtp-out.amazonses.com",
    }
    return {"eventType": "Bounce", "bounce": bounce}


def _complaint(address: str, at: datetime, id: str) -> dict[str, Any]:
    complaint = {
        "complainedRecipients": [{"emailAddress": address}],
        "timestamp": _iso(at),
        "feedbackId": f"feedback-{id}",
        "userAgent": "Amazon SES Mailbox Simulator",
        "complaintFeedbackType": "abuse",
        "arrivalDate": _iso(at),
    }
    return {"eventType": "Complaint", "complaint": complaint}


def _address(request: Any) -> str:
    return unquote(urlsplit(request.url).path.rpartition("/")[2]).lower()


def _iso(at: datetime) -> str:
    return at.strftime("%Y-%m-%dT%H:%M:%S.") + f"{at.microsecond // 1000:03d}Z"
