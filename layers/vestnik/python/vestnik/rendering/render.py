"""Rendering a message: our own templates here, a shop's in the guarded child; the same texts come out."""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from vestnik.errors import Refused

from . import layouts
from .guard import Guard
from .layouts import Framed
from .plain_text import of_html
from .writing import Failed, write
from .zones import packed


@dataclass(frozen=True)
class Source:
    """One language of one version of a template; `layout` frames an e-mail's HTML, "" where it needs none."""

    channel: str
    subject: str = ""
    preheader: str = ""
    html: str = ""
    text: str = ""
    layout: str = "email"
    language: str = "en"


@dataclass(frozen=True)
class Rendered:
    """A message's texts; empty where the channel has none."""

    subject: str
    html: str
    text: str


class Renderer:
    """Renders for the life of a process, from any of its threads; keeps one child for untrusted templates."""

    def __init__(self) -> None:
        self._guard = Guard(layouts.macros())

    def __enter__(self) -> "Renderer":
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """Ends the child; the next untrusted rendering would start another."""
        self._guard.close()

    @property
    def guard(self) -> Guard:
        """The keeper of the child, which the template check shares."""
        return self._guard

    def render(self, source: Source, facts: Mapping[str, Any], *, trusted: bool) -> Rendered:
        """The message `source` makes of `facts` (JSON values). Raises Refused with a code and a place in the template.

        Trusted means shipped with the product: written in this process. Anything else has one second, 128 MB and a
        megabyte a field.
        """
        frame = _framed(source)
        facts = {"language": source.language, **facts}
        try:
            written = self._write(_fields(source, frame), facts, trusted=trusted)
        except Failed as failed:
            raise Refused(failed.reason, code=failed.code, where=_where(failed.where, frame)) from failed
        return _finished(source, written)

    def _write(self, fields: dict[str, str], facts: dict[str, Any], *, trusted: bool) -> dict[str, str]:
        if trusted:
            return write(fields, facts, layouts.macros())
        request = {"do": "write", "fields": fields, "facts": facts, "zones": packed(facts)}
        written: dict[str, str] = self._guard.ask(request)["written"]
        return written


def _framed(source: Source) -> Framed:
    if source.channel != "email":
        return Framed("", 0)
    return layouts.framed(source.layout, source.html or layouts.TEXT_ALONE, source.preheader)


def _fields(source: Source, frame: Framed) -> dict[str, str]:
    """What is to be written, in order: the HTML may show the subject and the text."""
    fields = {"subject": source.subject, "text": source.text, "html": frame.html}
    return {name: content for name, content in fields.items() if content}


def _finished(source: Source, written: Mapping[str, str]) -> Rendered:
    subject, html, text = (written.get(name, "") for name in ("subject", "html", "text"))
    if source.channel == "email" and source.html and not source.text:
        text = of_html(html)
    return Rendered(" ".join(subject.split()), html, text)


def _where(where: str, frame: Framed) -> str:
    """The author's line: the layout's lines before the body do not count."""
    found = re.fullmatch(r"html:(\d+)", where)
    return f"html:{max(1, int(found[1]) - frame.offset)}" if found else where
