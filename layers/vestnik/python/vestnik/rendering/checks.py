"""The check: what is wrong with a template, before it goes to anybody.

It judges the source with its Jinja blanked out (so a place can be told), what the template writes for a sample and for
nothing at all, and what it could write with every branch taken.
"""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cache
from typing import Any

from . import layouts, malice, short_links, zones
from .effort import MOST, Effort, Exhausted
from .guard import Guard
from .jinja_parts import replaced
from .names import place
from .segments import segments
from .words import words
from .writing import LARGEST_OUTPUT, Failed

FACTS = words("type source time data order customer shop recipient language written unsubscribe_url")
"""Names every template may use; `written` holds the fields already written (`written.subject`)."""

LARGEST_SOURCE = 200_000
GMAIL_CLIPS = 102 * 1024
TOO_MUCH = "more tags, attributes and addresses, with every branch written, than can be judged; write less"
LONGEST_SMS = 1_600
MOST_SEGMENTS = 10
LONGEST_TELEGRAM = 4_096


@dataclass(frozen=True)
class Problem:
    """One thing wrong: a stable word, a sentence saying what would be right, and `field:line:column`."""

    code: str
    message: str
    where: str


def check(
    channel: str,
    *,
    subject: str = "",
    preheader: str = "",
    html: str = "",
    text: str = "",
    event_schema: Mapping[str, Any] | None = None,
    sample: Mapping[str, Any] | None = None,
    guard: Guard | None = None,
) -> list[Problem]:
    """The problems of one language of a template; `event_schema` describes `data`, `sample` is facts to try it with."""
    fields = {"subject": subject, "preheader": preheader, "html": html, "text": text}
    fields = {name: content for name, content in fields.items() if content}
    if large := [name for name, content in fields.items() if len(content) > LARGEST_SOURCE]:
        return [Problem("too-big", f"write at most {LARGEST_SOURCE} characters", name) for name in large]
    looked, problems = _look(guard or _own_guard(), fields, event_schema, dict(sample or {}))
    sources = {name: _blanked(content) for name, content in fields.items()}
    broken = {each.where.partition(":")[0] for each in problems if each.code in ("syntax", "budget")}
    sources |= {name: fields[name] for name in fields if name in broken or "" in broken}
    problems += _judged(channel, sources, looked, fields)
    problems += _sizes(channel, looked)
    return list(dict.fromkeys(problems))


@cache
def _own_guard() -> Guard:
    return Guard(layouts.macros())


def _look(
    guard: Guard, fields: dict[str, str], schema: Mapping[str, Any] | None, sample: dict[str, Any]
) -> tuple[list[dict[str, str]], list[Problem]]:
    """What the template writes in all its variants, and what failed meanwhile."""
    request: dict[str, Any] = {
        "do": "look",
        "fields": fields,
        "samples": [sample, {}] if sample else [{}],
        "schema": dict(schema) if schema else None,
        "known": sorted(FACTS | sample.keys()),
        "zones": zones.packed(sample),
    }
    try:
        answer = guard.ask(request)
    except Failed as failed:
        return [], [Problem(failed.code, failed.reason, failed.where)]
    failures = answer["problems"]
    return answer["texts"], [Problem(each["code"], each["reason"], each["where"]) for each in failures]


def _blanked(source: str) -> str:
    """`source` with its Jinja replaced by as many harmless characters, so that places stay what they are."""
    return replaced(source, _filler)


def _filler(jinja: str) -> str:
    letter = "x" if jinja.startswith("{{") else " "
    return re.sub(r"[^\n]", letter, jinja)


def _judged(
    channel: str, sources: dict[str, str], looked: list[dict[str, str]], fields: dict[str, str]
) -> Iterator[Problem]:
    found: dict[tuple[str, str, str], Problem] = {}
    work = Effort(MOST if looked else MOST // 2)  # where writing it overran, its second is spent already
    try:
        for problem, message in _each_judged(channel, sources, looked, fields, work):
            field = problem.where.partition(":")[0]
            found.setdefault((problem.code, field, message), problem)
    except Exhausted:
        found["budget", "", TOO_MUCH] = Problem("budget", TOO_MUCH, "")
    yield from found.values()


def _each_judged(
    channel: str, sources: dict[str, str], looked: list[dict[str, str]], fields: dict[str, str], work: Effort
) -> Iterator[tuple[Problem, str]]:
    """Problems, each with what is said of it wherever it was found."""
    for field, content in sources.items():
        for code, message, offset in _judge_source(channel, field, content, fields[field], work):
            where = f"{field}:{place(fields[field], offset)}" if offset >= 0 else field
            yield Problem(code, message, where), message
    for field, content in _unseen(looked, fields):
        for code, message, _ in _judge(channel, field, content, work):
            yield Problem(code, f"{message} (once written)", field), message


def _unseen(looked: list[dict[str, str]], fields: dict[str, str]) -> list[tuple[str, str]]:
    """Written texts, each once, that are not the source itself."""
    pairs = dict.fromkeys((each["field"], each["text"]) for each in looked)
    return [(field, content) for field, content in pairs if content != fields[field]]


def _judge_source(channel: str, field: str, blanked: str, source: str, work: Effort) -> Iterator[tuple[str, str, int]]:
    """With its Jinja blanked out, as a reader gets it; and as it is, for whoever takes Jinja for text."""
    yield from _judge(channel, field, blanked, work)
    if source != blanked:
        for finding in malice.findings(source, work):
            yield "malicious-code", finding.message, finding.offset


def _judge(channel: str, field: str, content: str, work: Effort) -> Iterator[tuple[str, str, int]]:
    for finding in malice.findings(content, work):
        yield "malicious-code", finding.message, finding.offset
    if channel == "email":
        search = short_links.in_html if field == "html" else short_links.in_text
        for link in search(content, work):
            yield "short-link", f"{link.host} hides where it leads; write the full address", link.offset


def _sizes(channel: str, looked: list[dict[str, str]]) -> Iterator[Problem]:
    for each in looked:
        if each.get("real") and (message := _too_big(channel, each["field"], each["text"])):
            yield Problem("too-big", message, each["field"])


def _too_big(channel: str, field: str, written: str) -> str:
    size = len(written.encode("utf-8", "replace"))
    if channel == "email" and field == "html":
        size += 0 if layouts.is_document(written) else len(layouts.layout("email").encode())
        return f"{size // 1024} KB; Gmail clips a letter over 102 KB" if size > GMAIL_CLIPS else ""
    if channel == "sms" and (len(written) > LONGEST_SMS or segments(written) > MOST_SEGMENTS):
        return f"{segments(written)} parts, {len(written)} characters; an SMS has at most {MOST_SEGMENTS} parts"
    if channel == "telegram" and len(written) > LONGEST_TELEGRAM:
        return f"{len(written)} characters; Telegram takes at most {LONGEST_TELEGRAM}"
    return f"{size} bytes; at most {LARGEST_OUTPUT}" if size > LARGEST_OUTPUT else ""
