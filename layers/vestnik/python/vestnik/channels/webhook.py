"""A webhook: signed JSON to a machine of the shop's, by the Standard Webhooks specification.

The receiver proves the sender by `webhook-signature` and drops repeats by `webhook-id`, which is the message's id.
"""

import json
from datetime import datetime
from typing import Any

from vestnik.channels import _pace
from vestnik.domain.messages import Letter, Receipt, Sender
from vestnik.errors import Refused
from vestnik.outgoing import guard, web

PLUGIN = "webhook"
CHANNEL = "webhook"
LANES: tuple[str, ...] = ("transactional",)
CALLS = {"https": "POST"}
FEEDBACK = False
DROPS_REPEATS = True  # by `webhook-id`
RATE = 10.0
CONFIG: dict[str, Any] = {
    "type": "object",
    "additionalProperties": False,
    "properties": {
        "url": {"type": "string", "format": "uri", "description": "where test sends go; rules name their own"}
    },
}
KEY: dict[str, Any] = {"type": "string", "pattern": "^(whsec_)?[A-Za-z0-9+/]{32,88}={0,2}$"}
SECRET: dict[str, Any] = {
    "type": "object",
    "required": ["secret"],
    "additionalProperties": False,
    "properties": {"secret": KEY, "previous_secret": KEY},
}
GONE = {410: "gone", 401: "login-refused", 403: "login-refused", 404: "bad-address"}
OWN_HEADERS = {"User-Agent": "Vestnik/1 (+webhook)", "Content-Type": "application/json"}


def send(letter: Letter, sender: Sender, secret: dict[str, str], *, now: datetime) -> Receipt:
    """POST once. Raises Refused (also for a forbidden address or a redirect), Later, Unknown."""
    body = json.dumps(payload(letter, now), ensure_ascii=False, allow_nan=False, separators=(",", ":"))
    answer = web.post(_url(letter, sender), body.encode(), {**OWN_HEADERS, **signed(letter, body, secret, now)})
    web.judge(answer, "the receiver", now, words=GONE)
    return Receipt(letter.message, now, detail=str(answer.status))


def payload(letter: Letter, now: datetime) -> dict[str, Any]:
    """The JSON body: the flow's payload; a letter without one gives its subject and text."""
    if letter.payload is not None:
        return letter.payload
    data = {"message": letter.message, "subject": letter.subject, "text": letter.text}
    return {"type": "message", "timestamp": now.isoformat(), "data": data}


def signed(letter: Letter, body: str, secret: dict[str, str], now: datetime) -> dict[str, str]:
    """The three headers of Standard Webhooks; during a change of keys both sign."""
    from standardwebhooks import Webhook

    keys = [secret[name] for name in ("secret", "previous_secret") if secret.get(name)]
    try:
        signatures = [Webhook(key).sign(letter.message, now, body) for key in keys]
    except (ValueError, RuntimeError):
        raise Refused("the webhook's secret is not base64", code="not-configured") from None
    if not signatures:
        raise Refused("the sender has no webhook secret", code="not-configured")
    return {
        "webhook-id": letter.message,
        "webhook-timestamp": str(int(now.timestamp())),
        "webhook-signature": " ".join(signatures),
    }


def buckets(letter: Letter, sender: Sender) -> list[_pace.Bucket]:
    """One receiver's pace, so that a mailing does not overrun the shop's own machine."""
    try:
        host = guard.target(_url(letter, sender)).host
    except Refused:  # `send` will say so
        host = ""
    return [_pace.bucket(f"{PLUGIN}#{sender.shop}#{host}", sender.rate or RATE)]


def _url(letter: Letter, sender: Sender) -> str:
    return letter.to or str(sender.config.get("url", ""))
