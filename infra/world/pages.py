"""The outbox in a browser: lists, messages as their readers see them, and what else can be asked under `/_local/`.

Every page works without scripts and loads nothing from elsewhere. A mail is shown in a sandboxed frame under a
policy that lets nothing run and nothing out.
"""

import json
import re
from collections import Counter
from collections.abc import Mapping
from datetime import datetime
from functools import cache
from pathlib import Path
from typing import Any
from urllib.parse import quote, urlencode

from jinja2 import Environment, FileSystemLoader

from infra.world import market_pages, seeding
from infra.world.http_api import Response
from infra.world.outbox import Item
from infra.world.world import World
from vestnik.rendering.segments import segments

TEMPLATES = Path(__file__).parents[2] / "templates" / "pages"
PAGE_SIZE = 100
CHANNELS = ("email", "sms", "telegram", "webhook")
POLICY = "default-src 'none'; style-src 'unsafe-inline'; img-src data:; frame-src 'self'; form-action 'self'"
MAIL_POLICY = "sandbox; default-src 'none'; style-src 'unsafe-inline'; img-src data:; font-src data:"
EVENT = re.compile(r"/_local/events/([a-z2-7]{26})")
PLACE = re.compile(r"/_local/messages/(\d+)(/html|/files/(\d+))?")


def answer(world: World, path: str, query: Mapping[str, str]) -> Response | None:
    """The page at `path`, or None."""
    if path in ("/_local", "/_local/"):
        return _list(world, query)
    if path == "/_local/marketplaces":
        return _page("marketplaces.html", world, **market_pages.facts(world))
    if (event := EVENT.fullmatch(path)) is not None:
        return _explained(world, event[1])
    found = PLACE.fullmatch(path)
    number = int(found[1]) if found else -1
    if found is None or not 0 <= number < len(world.outbox):
        return None
    if found[3]:
        return _file(world, number, int(found[3]))
    return _mail(world.outbox[number]) if found[2] else _message(world, number)


def _list(world: World, query: Mapping[str, str]) -> Response:
    items = list(enumerate(world.outbox))
    channel, words, page = query.get("channel", ""), query.get("q", "").strip().lower(), _number(query.get("page"))
    chosen = [(n, item) for n, item in reversed(items) if _fits(item, channel, words)]
    shown = chosen[page * PAGE_SIZE : (page + 1) * PAGE_SIZE]
    counts = Counter(item["channel"] for _, item in items)
    more = len(chosen) > (page + 1) * PAGE_SIZE
    pages = {name: _link(channel, words, n) for name, n in (("newer", page - 1), ("older", page + 1))}
    return _page(
        "outbox.html",
        world,
        rows=[_row(n, item) for n, item in shown],
        channels=[(name, counts[name], _link(name, words, 0)) for name in CHANNELS],
        channel=channel,
        q=words,
        total=len(items),
        found=len(chosen),
        all_link=_link("", words, 0),
        newer=pages["newer"] if page else None,
        older=pages["older"] if more else None,
    )


def _fits(item: Item, channel: str, words: str) -> bool:
    if channel and item["channel"] != channel:
        return False
    text = f"{item['to']} {item['subject']} {item['text']} {item['message_id']}".lower() if words else ""
    return all(word in text for word in words.split())


def _link(channel: str, words: str, page: int) -> str:
    asked = {"channel": channel, "q": words, "page": str(page) if page else ""}
    return "/_local/?" + urlencode({name: value for name, value in asked.items() if value})


def _row(number: int, item: Item) -> dict[str, Any]:
    first = item["subject"] or " ".join(item["text"].split())[:140]
    return {**item, "number": number, "title": first, "clock": item["at"][11:19], "day": item["at"][:10]}


def _message(world: World, number: int) -> Response:
    item = world.outbox[number]
    parts = segments(item["text"]) if item["channel"] == "sms" else 0
    gsm = parts and _is_gsm(item["text"])
    return _page(
        "message.html",
        world,
        item=_row(number, item),
        event=_event_of(item["message_id"]),
        parts=parts,
        alphabet="GSM-7" if gsm else "UCS-2",
        size=len(item["text"]),
        payload=_pretty(item["text"]) if item["channel"] == "webhook" else "",
        newer=number + 1 if number + 1 < len(world.outbox) else None,
        older=number - 1 if number else None,
    )


def _explained(world: World, event: str) -> Response | None:
    """What the API says of an event, asked with the key of the shop that has it."""
    for key in seeding.KEYS.values():
        told = world.request("GET", f"/v1/events/{event}", key=key)
        if told.status == 200:
            return _page("event.html", world, event=event, told=_pretty(told.text))
    return None


def _is_gsm(text: str) -> bool:
    # Eighty of any letter fit one part only in the GSM alphabet.
    return all(segments(letter * 80) == 1 for letter in set(text))


def _event_of(message: str) -> str:
    """The event a message answers, read out of its id; "" where the id is none of ours."""
    return message[7:33] if re.fullmatch(r"\d{6}[0-9a-f][a-z2-7]{26}-[a-z2-7]{8}", message) else ""


def _pretty(text: str) -> str:
    try:
        return json.dumps(json.loads(text), indent=2, ensure_ascii=False)
    except ValueError:
        return text


def _mail(item: Item) -> Response:
    headers = {"content-type": "text/html; charset=utf-8", "content-security-policy": MAIL_POLICY}
    return Response(200, headers | {"x-content-type-options": "nosniff"}, item["html"].encode())


def _file(world: World, number: int, place: int) -> Response | None:
    content = world.mail.files.get((number, place))
    if content is None:
        return None
    name = quote(world.outbox[number]["attachments"][place]["name"], safe="")
    headers = {
        # Never shown in place: what came as an attachment is handed over as a file.
        "content-type": "application/octet-stream",
        "content-disposition": f"attachment; filename*=utf-8''{name}",
        "x-content-type-options": "nosniff",
    }
    return Response(200, headers, content)


def _page(name: str, world: World, **facts: Any) -> Response:
    text = _templates().get_template(name).render(now=zulu(world.now()), **facts)
    headers = {"content-type": "text/html; charset=utf-8", "content-security-policy": POLICY}
    return Response(200, headers | {"referrer-policy": "no-referrer"}, text.encode())


@cache
def _templates() -> Environment:
    return Environment(loader=FileSystemLoader(TEMPLATES), autoescape=True, trim_blocks=True, lstrip_blocks=True)


def _number(text: str | None) -> int:
    return int(text) if text and text.isascii() and text.isdigit() and len(text) < 7 else 0


def zulu(at: datetime) -> str:
    """A time as the API writes it: RFC 3339, UTC, milliseconds."""
    return at.strftime("%Y-%m-%dT%H:%M:%S.") + f"{at.microsecond // 1000:03d}Z"
