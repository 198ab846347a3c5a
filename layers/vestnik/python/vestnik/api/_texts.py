"""Texts of templates between how they are kept, shown, checked and published."""

from collections.abc import Mapping
from dataclasses import asdict
from functools import cache
from typing import Any

from vestnik import events
from vestnik.api import _samples
from vestnik.api._problems import Fault, Problem
from vestnik.flows import texts
from vestnik.rendering import checks, publish
from vestnik.rendering import shipped as files
from vestnik.rendering.render import Source
from vestnik.rendering.writing import Failed
from vestnik.store.settings import template_key

Body = dict[str, Any]

FIELDS = ("subject", "preheader", "html", "text")
FATAL = ("malicious-code", "short-link", "syntax", "budget", "empty")
ORDER = ("email", "sms", "telegram")


@cache
def _by_channel() -> dict[tuple[str, str], Body]:
    found: dict[tuple[str, str], Body] = {}
    for each in files.all_shipped():
        id, channel = f"{each.event_type}/{each.audience}", each.source.channel
        body = found.setdefault((id, channel), _new(id, channel))
        body["contents"][each.source.language] = _content(each.source)
    return found


def all_shipped() -> dict[str, Body]:
    """The shipped templates by what a shop's own in their place would be kept under."""
    return {template_key(id, channel): body for (id, channel), body in _by_channel().items()}


def shipped(id: str, channel: str | None = None) -> Body | None:
    """A shipped template (`<event type>/<audience>`), for a channel or the first it is written for; or None."""
    channels = [channel] if channel else ORDER
    return next((body for each in channels if (body := _by_channel().get((id, each)))), None)


def _new(id: str, channel: str) -> Body:
    contents: dict[str, Body] = {}
    published = {"at": "", "by": "shipped", "contents": contents}
    return {"name": id, "channel": channel, "layout": "", "contents": contents, "published": published}


def _content(source: Source) -> Body:
    return {name: getattr(source, name) for name in FIELDS}


def type_of(id: str) -> str | None:
    """The event type that a template's id begins with, if it is one of the catalogue's."""
    type = id.partition("/")[0]
    return type if events.find(type) else None


def source(body: Mapping[str, Any], language: str, *, draft: bool) -> Source | None:
    """The text in a language, else in English, else in whichever there is; None where nothing is published."""
    made = body if draft else body.get("published")
    if not made:
        return None
    contents = made["contents"]
    found = next((code for code in (language, "en", *contents) if code in contents), "")
    layout = body["layout"] if draft else ""
    return Source(channel=body["channel"], layout=layout, language=found, **contents[found])


def published(body: Mapping[str, Any], language: str) -> Body:
    """One language of a draft as it is to be sent: in its layout, CSS inlined. Raises Problem 422 `budget`."""
    draft = Source(channel=body["channel"], layout=body["layout"], language=language, **body["contents"][language])
    try:
        return _content(publish.publish(draft, texts.renderer().guard))
    except Failed as failed:
        where = Fault(f"/contents/{language}/html", failed.reason)
        raise Problem(422, failed.code, f"its styles cannot be inlined: {failed.reason}", where) from None


def problems(body: Mapping[str, Any], type: str | None) -> list[dict[str, str]]:
    """What is wrong with a draft: {code, message, where}, `where` beginning with the language."""
    schema, sample = _samples.event(type, "") if type else (None, None)
    found = []
    for language, content in body["contents"].items():
        facts = _samples.facts(sample, language) if sample else None
        checked = checks.check(
            body["channel"], **content, event_schema=schema, sample=facts, guard=texts.renderer().guard
        )
        told = [asdict(each) for each in checked] + empty(body["channel"], content)
        found += [{**each, "where": f"{language}:{each['where']}"} for each in told]
    return found


def empty(channel: str, content: Mapping[str, str | None]) -> list[dict[str, str]]:
    """What a message of this channel cannot go without and `content` has only blanks for (a subject of None: nobody
    asked)."""
    bodies = ("html", "text") if channel == "email" else ("text",)
    blank = [] if any((content[name] or "").strip() for name in bodies) else [bodies[-1]]
    subject = content.get("subject")
    if channel == "email" and subject is not None and not subject.strip():
        blank.append("subject")
    return [{"code": "empty", "message": f"write the {name} of the message", "where": name} for name in blank]


def pointer(where: str) -> str:
    """`en:html:3:1` as a JSON pointer into the template."""
    language, _, rest = where.partition(":")
    return f"/contents/{language}/{rest.partition(':')[0]}".rstrip("/")
