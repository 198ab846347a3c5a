"""What is wrong with a rule that has the right shape: its pattern, its recipients, what it names and is not there."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from vestnik import events, resources
from vestnik.api import _outside
from vestnik.api._problems import Fault
from vestnik.api._routes import caller
from vestnik.domain import addresses, patterns, rules
from vestnik.errors import Refused
from vestnik.rendering.shipped import shipped
from vestnik.store import settings
from vestnik.store.settings import Settings

type Rule = Mapping[str, Any]

FACTS = ("type", "source", "time", "data", "order", "customer", "shop")
LONGEST_DELAY = timedelta(days=30)  # what a message tells is kept for 35
NEEDED = {"staff_group": "group", "address": "address", "webhook": "url"}
TAKEN = {
    "staff_group": {"group", "language"},
    "address": {"address", "name", "language"},
    "telegram_chat": {"chat_id", "name", "language"},
    "webhook": {"url", "name"},
}
AUDIENCES = ("customer", "staff", "machine")
BY_CHANNEL = {"telegram_chat": {"telegram"}, "webhook": {"webhook"}, "address": {"email", "sms"}}


@dataclass(frozen=True, slots=True)
class Coded:
    """A fault with the code of the problem it makes."""

    code: str
    fault: Fault


def faults(rule: Rule) -> Iterator[Coded]:
    """All that is wrong."""
    current = settings.current(caller().shop, resources.now())
    yield from _pattern(rule["pattern"])
    yield from _delay(rule["delay"])
    for position, recipient in enumerate(rule["recipients"]):
        yield from _recipient(f"/recipients/{position}", recipient, rule["channel"], current)
    yield from _sender(rule, current)
    yield from _templates(rule, current)


def _wrong(where: str, message: str, found: str | None = None, expected: str | None = None) -> Coded:
    return Coded("invalid-rule", Fault(where, message, found, expected))


def _pattern(pattern: Rule) -> Iterator[Coded]:
    try:
        patterns.compile_pattern(pattern)
    except Refused as refused:
        yield Coded(refused.code, Fault(f"/pattern{refused.where}", refused.reason))
    else:
        yield from _facts(pattern, "/pattern")


def _facts(pattern: Rule, where: str) -> Iterator[Coded]:
    """Names that no event has at its top: a pattern with one would never match, and nobody would learn why."""
    for name, inner in pattern.items():
        if name == "$or" and isinstance(inner, list):
            for position, one in enumerate(inner):
                yield from _facts(one, f"{where}/$or/{position}") if isinstance(one, Mapping) else ()
        elif name not in FACTS:
            yield _wrong(f"{where}/{name}", "is none of the facts", name[:80], ", ".join(FACTS))


def _delay(text: str) -> Iterator[Coded]:
    try:
        fits = timedelta() <= rules.duration(text) <= LONGEST_DELAY
    except ValueError:
        fits = False
    if not fits:
        yield _wrong("/delay", "is no delay", text, "ISO 8601, such as PT10M or P3D; at most 30 days")


def _recipient(where: str, recipient: Rule, channel: str, current: Settings) -> Iterator[Coded]:
    kind = recipient["kind"]
    needed = NEEDED.get(kind)
    if needed and not recipient.get(needed):
        yield _wrong(f"{where}/{needed}", "is missing", expected=f"a {kind} needs it")
    for name in sorted(recipient.keys() - {"kind"} - TAKEN.get(kind, {"language"})):
        yield _wrong(f"{where}/{name}", f"has no meaning for {kind}")
    if channel not in BY_CHANNEL.get(kind, {"email", "sms", "telegram"}):
        yield _wrong(f"{where}/kind", f"{kind} cannot be told by {channel}", kind)
    elif needed and recipient.get(needed):
        country = current.shop.get("country") or None
        yield from _address(f"{where}/{needed}", kind, recipient[needed], channel, country)


def _address(where: str, kind: str, text: str, channel: str, country: str | None) -> Iterator[Coded]:
    try:
        if kind == "webhook":
            _outside.webhook_address(text)
        elif kind == "address" and channel == "email":
            addresses.email(text)
        elif kind == "address":
            addresses.phone(text, country)
    except Refused as refused:
        yield _wrong(where, refused.reason, text)


def _sender(rule: Rule, current: Settings) -> Iterator[Coded]:
    named = rule.get("sender")
    if named is None:
        return
    found = current.senders.get(named)
    if found is None or found["channel"] != rule["channel"]:
        known = [id for id, sender in sorted(current.senders.items()) if sender["channel"] == rule["channel"]]
        yield _wrong("/sender", f"is no sender of {rule['channel']}", named, ", ".join(known) or "none is there yet")


def _templates(rule: Rule, current: Settings) -> Iterator[Coded]:
    if rule["channel"] == "webhook":
        if rule["templates"]:
            yield _wrong("/templates", "a webhook gets the facts, and no text")
        return
    for kind, id in rule["templates"].items():
        if reason := _unusable(id, rule["channel"], current):
            yield _wrong(f"/templates/{kind}", reason, id)
    for kind in sorted({recipient["kind"] for recipient in rule["recipients"]} - rule["templates"].keys()):
        for type in _types(rule["pattern"]):
            if _unusable(f"{type}/{rules.audience(kind)}", rule["channel"], current):
                reason = f"{type} has no shipped text for {rules.audience(kind)} by {rule['channel']}"
                yield _wrong(f"/templates/{kind}", reason, expected="the id of a published template")


def _types(pattern: Rule) -> list[str]:
    """The event types a pattern names outright."""
    named = pattern.get("type")
    return [each for each in named if isinstance(each, str)] if isinstance(named, list) else []


def _unusable(id: str, channel: str, current: Settings) -> str:
    """Why a template cannot write for a channel; "" where it can."""
    own = current.templates.get(settings.template_key(id, channel))
    if own is not None and own.get("published"):
        return ""
    type, _, audience = id.partition("/")
    if audience in AUDIENCES and events.find(type) and shipped(type, audience, channel, "en"):
        return ""
    if own is not None:
        return "is not published"
    others = [other for name, other in map(settings.template_named, current.templates) if name == id]
    return f"is a template for {', '.join(others)}" if others else "there is no such template"
