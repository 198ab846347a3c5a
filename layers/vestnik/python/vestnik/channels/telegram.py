"""Telegram, by a bot of the shop's: to people who have started the bot, and to groups it is in."""

import json
import re
from datetime import datetime, timedelta
from typing import Any

from vestnik.channels import _pace
from vestnik.domain.messages import Letter, Receipt, Sender
from vestnik.errors import Later, Refused
from vestnik.outgoing import web
from vestnik.resources import env

PLUGIN = "telegram"
CHANNEL = "telegram"
LANES: tuple[str, ...] = ("transactional",)
CALLS = {"https": "POST"}
FEEDBACK = False
RATE = 30.0
CHAT_RATE = 1.0
GROUP_PER_MINUTE = 20
LONGEST = 4096
CONFIG: dict[str, Any] = {
    "type": "object",
    "additionalProperties": False,
    "properties": {
        "bot": {"type": "string", "description": "the bot's user name"},
        "chat_id": {
            "type": "string",
            "pattern": "^(-?[0-9]+|@[A-Za-z0-9_]+)$",
            "description": "where a message names no chat",
        },
        "message_thread_id": {"type": "integer", "minimum": 1, "description": "a topic of the group"},
        "silent": {"type": "boolean", "description": "arrives without a sound"},
    },
}
TOKEN_FORM = r"[0-9]{1,20}:[A-Za-z0-9_-]{10,100}"  # noqa: S105  (its shape, not a token)
SECRET: dict[str, Any] = {
    "type": "object",
    "required": ["token"],
    "additionalProperties": False,
    "properties": {"token": {"type": "string", "pattern": f"^{TOKEN_FORM}$"}},
}
# What the Bot API says in `description` (https://core.telegram.org/bots/api#making-requests), in lower case.
WORDS = {
    "blocked by the user": "blocked",
    "user is deactivated": "bad-address",
    "chat not found": "bad-address",
    "peer_id_invalid": "bad-address",
    "can't initiate conversation": "bad-address",
    "kicked": "blocked",
    "not a member": "blocked",
    "not enough rights": "blocked",
    "message is too long": "too-big",
    "can't parse entities": "bad-markup",
    "unauthorized": "login-refused",
}


def send(letter: Letter, sender: Sender, secret: dict[str, str], *, now: datetime) -> Receipt:
    """Send by sendMessage. Raises Refused, Later, Unknown; never with the token in their text."""
    token = secret.get("token", "")
    if not re.fullmatch(TOKEN_FORM, token):
        raise Refused("the sender has no bot token", code="not-configured")
    url = f"{env('TELEGRAM_URL', 'https://api.telegram.org').rstrip('/')}/bot{token}/sendMessage"
    body = json.dumps(request(letter, sender)).encode()
    answer = web.post(url, body, {"Content-Type": "application/json"})
    said = _said(answer.body)
    _judge(answer, said, now, token)
    return Receipt(str(_dict(said.get("result")).get("message_id", "")), now)


def request(letter: Letter, sender: Sender) -> dict[str, Any]:
    """The parameters of sendMessage; HTML where the letter has any (Telegram knows a few tags only)."""
    text = letter.html or letter.text
    if len(text.encode("utf-16-le")) // 2 > LONGEST * (2 if letter.html else 1):
        raise Refused(f"longer than Telegram's {LONGEST} characters", code="too-big")
    more = {"message_thread_id": sender.config.get("message_thread_id"), "parse_mode": "HTML" if letter.html else ""}
    return {
        "chat_id": _chat(letter, sender),
        "text": text,
        "link_preview_options": {"is_disabled": True},
        "disable_notification": bool(sender.config.get("silent", False)),
        **{name: value for name, value in more.items() if value},
    }


def buckets(letter: Letter, sender: Sender) -> list[_pace.Bucket]:
    """Telegram's limits: 30 a second by a bot, 1 a second to a chat, 20 a minute to a group (bots FAQ)."""
    chat = _chat(letter, sender)
    bot = f"{PLUGIN}#{sender.shop}#{sender.id}"
    group = [(f"{bot}#{chat}#minute", GROUP_PER_MINUTE, 60)] if chat.startswith(("-", "@")) else []
    return [_pace.own(sender, RATE), _pace.bucket(f"{bot}#{chat}", CHAT_RATE), *group]


def _chat(letter: Letter, sender: Sender) -> str:
    return letter.to or str(sender.config.get("chat_id", ""))


def _judge(answer: web.Answer, said: dict[str, Any], now: datetime, token: str) -> None:
    """As by HTTP's status, but Telegram names its wait in the body and its reasons in words."""
    reason = str(said.get("description", "")).replace(token, "***")
    wait = _dict(said.get("parameters")).get("retry_after")
    if answer.status == 429 and isinstance(wait, int) and wait >= 0:
        raise Later(f"Telegram: {reason}", at=now + min(timedelta(seconds=wait), web.LONGEST_WAIT))
    if 400 <= answer.status < 500 and answer.status not in (408, 425, 429):
        code = next((word for piece, word in WORDS.items() if piece in reason.lower()), "refused")
        raise Refused(f"Telegram: {reason or answer.status}", code=code)
    web.judge(answer, "Telegram", now, reason=reason)


def _said(body: bytes) -> dict[str, Any]:
    try:
        return _dict(json.loads(body))
    except ValueError:
        return {}


def _dict(value: Any) -> dict[str, Any]:
    return value if isinstance(value, dict) else {}
