"""Telegram's Bot API, as far as the product speaks to it, with its limits on the world's clock.

Source: core.telegram.org/bots/api ("sendMessage", "Making requests") and the bots FAQ (limits). Chats with an id
ending in 403 have blocked the bot, those ending in 404 do not exist; every token of the right form is a bot.
"""

import json
import re
from collections import deque
from collections.abc import Callable
from datetime import datetime, timedelta
from html.parser import HTMLParser
from typing import Any

from infra.twins.listening import Answer, HttpTwin, Meet
from infra.world.outbox import Outbox

PATH = re.compile(r"/bot([0-9]{1,20}:[A-Za-z0-9_-]{10,100})/(\w+)")
LONGEST = 4096
TAGS = frozenset(
    [
        "b",
        "strong",
        "i",
        "em",
        "u",
        "ins",
        "s",
        "strike",
        "del",
        "a",
        "code",
        "pre",
        "span",
        "tg-spoiler",
        "blockquote",
        "tg-emoji",
    ]
)
# (messages, in, for what): short bursts to one chat are borne.
LIMITS = {"bot": (30, timedelta(seconds=1)), "chat": (3, timedelta(seconds=3)), "group": (20, timedelta(minutes=1))}
TEXTS = {403: "Forbidden: bot was blocked by the user", 404: "Bad Request: chat not found"}
WhoseText = Callable[[str, str], str]  # chat, text -> the message's id


class Telegram(HttpTwin):
    """Keeps what bots send. `message_of` tells which of our messages a text is: the Bot API carries no id of ours."""

    service = "telegram"

    def __init__(self, meet: Meet, outbox: Outbox, now: Callable[[], datetime], message_of: WhoseText) -> None:
        self._outbox, self._now, self._message_of = outbox, now, message_of
        self._sent: dict[str, deque[datetime]] = {}
        self._count = 0
        super().__init__(meet)

    def operation(self, path: str) -> str:
        """The method of the Bot API."""
        found = PATH.fullmatch(path.partition("?")[0])
        return found[2] if found else "unknown"

    def answer(self, path: str, headers: dict[str, str], body: bytes) -> Answer:
        """Answer as the Bot API does."""
        found = PATH.fullmatch(path.partition("?")[0])
        if found is None:
            return _error(401, "Unauthorized")
        bot, method = found[1].partition(":")[0], found[2]
        if method == "getMe":
            return _ok({"id": int(bot), "is_bot": True, "first_name": "Local bot", "username": f"local_{bot}_bot"})
        if method != "sendMessage":
            return _error(404, "Not Found")
        return self._send(bot, json.loads(body or b"{}"))

    def _send(self, bot: str, asked: dict[str, Any]) -> Answer:
        chat, text = str(asked.get("chat_id", "")), str(asked.get("text", ""))
        shown = _shown(text) if asked.get("parse_mode") == "HTML" else text
        if (wrong := _wrong(chat, shown)) is not None:
            return wrong
        if wait := self._wait(bot, chat):
            return _error(429, f"Too Many Requests: retry after {wait}", {"retry_after": wait})
        self._count += 1
        html = text if asked.get("parse_mode") == "HTML" else ""
        headers = {k: asked[k] for k in ("message_thread_id", "disable_notification") if k in asked}
        self._outbox.add(
            "telegram",
            "telegram",
            chat,
            text=shown,
            html=html,
            headers=headers,
            message_id=self._message_of(chat, text),
            sender=f"local_{bot}_bot",
        )
        return _ok(
            {"message_id": self._count, "date": int(self._now().timestamp()), "chat": {"id": chat}, "text": shown}
        )

    def _wait(self, bot: str, chat: str) -> int:
        """Seconds to wait until all limits let this message pass; 0: it passes, and is counted."""
        kinds = {"bot": bot, "group" if chat.startswith(("-", "@")) else "chat": f"{bot}/{chat}"}
        now, waits = self._now(), [0]
        for kind, name in kinds.items():
            count, span = LIMITS[kind]
            sent = self._sent.setdefault(f"{kind}/{name}", deque(maxlen=count))
            if len(sent) == count and now - sent[0] < span:
                waits.append(int((sent[0] + span - now).total_seconds()) + 1)
        if not max(waits):
            for kind, name in kinds.items():
                self._sent[f"{kind}/{name}"].append(now)
        return max(waits)


def _wrong(chat: str, shown: str | None) -> Answer | None:
    if shown is None:
        return _error(400, "Bad Request: can't parse entities: unsupported start tag")
    if not shown.strip():
        return _error(400, "Bad Request: message text is empty")
    if len(shown.encode("utf-16-le")) // 2 > LONGEST:
        return _error(400, "Bad Request: message is too long")
    ending = chat[-3:]
    if ending == "403":
        return _error(403, TEXTS[403])
    return _error(400, TEXTS[404]) if ending == "404" or not re.fullmatch(r"-?\d+|@\w+", chat) else None


class _Reader(HTMLParser):
    def __init__(self) -> None:
        super().__init__()
        self.text: list[str] = []
        self.strange = False

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.strange |= tag not in TAGS

    def handle_data(self, data: str) -> None:
        self.text.append(data)


def _shown(html: str) -> str | None:
    """The text that the person sees; None where the markup is none of Telegram's."""
    reader = _Reader()
    reader.feed(html)
    reader.close()
    return None if reader.strange else "".join(reader.text)


def _ok(result: dict[str, Any]) -> Answer:
    return 200, json.dumps({"ok": True, "result": result}).encode()


def _error(code: int, description: str, parameters: dict[str, Any] | None = None) -> Answer:
    said = {"ok": False, "error_code": code, "description": description}
    return code, json.dumps(said | ({"parameters": parameters} if parameters else {})).encode()
