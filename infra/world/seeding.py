"""The two shops that the local world begins with: `demo`, with a sender of every kind, and `other`, its neighbour."""

import hashlib
from datetime import datetime
from typing import Any

from infra.twins import smtp
from vestnik.store import domains, secrets, settings

BY = "local-world"
SCOPES = ["ingest", "read", "operate", "admin"]
KEYS = {"demo": "local-key", "other": "other-key"}
WEBHOOK_SECRET = "whsec_bG9jYWwtd29ybGQtd2ViaG9vay1zZWNyZXQtMDE="  # noqa: S105  (of a receiver in this process)
BOT_TOKEN = "1000001:local-world-bot-token-000000000000"  # noqa: S105  (of a bot in this process)
SHOPS: dict[str, dict[str, Any]] = {
    "demo": {
        "name": "Demo Shop",
        "url": "https://demo.example",
        "email": "help@demo.example",
        "phone": "+359888000100",
        "address": "1 Market Street, Sofia",
        "color": "#0b6e4f",
        "language": "en",
        "timezone": "Europe/Sofia",
        "country": "BG",
        "currency": "EUR",
        "staff_chat": "-1001000000001",
        "sending": {},
        "audiences": {"customer": True, "staff": True},
    },
    "other": {
        "name": "Other Shop",
        "url": "https://other.example",
        "email": "help@other.example",
        "language": "en",
        "timezone": "Europe/London",
        "country": "GB",
        "currency": "GBP",
        "sending": {},
        "audiences": {"customer": True, "staff": True},
    },
}


def seed(now: datetime, webhook_url: str, smtp_port: int) -> None:
    """Write the shops, their keys, domains and senders, through the store's own functions."""
    for shop, body in SHOPS.items():
        settings.put(shop, "shop", "shop", body, by=BY, now=now)
        digest = hashlib.sha256(KEYS[shop].encode()).hexdigest()
        settings.create_key(shop, "local", digest, SCOPES, "local world", now)
        domains.grant(shop, f"{shop}.example", by=BY, now=now)
        for sender in senders(shop, webhook_url, smtp_port):
            settings.put(shop, "sender", sender["id"], sender, by=BY, now=now)
    for id, secret in SECRETS.items():
        secrets.put_sender_secret("demo", id, secret)


SECRETS = {
    "telegram": {"token": BOT_TOKEN},
    "webhook": {"secret": WEBHOOK_SECRET},
    "own-server": {"password": smtp.PASSWORD},
}


def senders(shop: str, webhook_url: str, smtp_port: int) -> list[dict[str, Any]]:
    """The senders of a shop: SES for both, and one of each other kind for the demo shop."""
    mail = {"from_address": f"orders@{shop}.example", "from_name": SHOPS[shop]["name"]}
    ses = _sender("ses", "email_ses", mail, default=True)
    if shop != "demo":
        return [ses]
    own = {**mail, "host": "127.0.0.1", "port": smtp_port, "security": "starttls", "username": smtp.USER}
    bot = {"bot": "local_1000001_bot", "chat_id": SHOPS[shop]["staff_chat"]}
    return [
        ses,
        _sender("sms", "sms_eum", {"origination": "DemoShop"}, default=True, rate=20),
        _sender("telegram", "telegram", bot, default=True),
        _sender("webhook", "webhook", {"url": webhook_url}, default=True),
        _sender("own-server", "email_smtp", own),
        _sender("sms-by-sns", "sms_sns", {"sender_id": "DemoShop"}),
    ]


def _sender(
    id: str, plugin: str, config: dict[str, Any], *, default: bool = False, rate: float | None = None
) -> dict[str, Any]:
    channel = plugin.partition("_")[0]
    kept = sorted(SECRETS.get(id, ()))
    body = {"id": id, "channel": channel, "plugin": plugin, "name": id, "default": default, "config": config}
    body["secrets"] = kept
    return body | ({"rate_per_second": rate} if rate else {})
