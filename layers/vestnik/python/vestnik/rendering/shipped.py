"""Shipped templates: the product's own texts, files in `messages/<event type>/<audience>.<channel>.<language>.j2`."""

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path

from . import layouts
from .render import Source

PUBLISHED = "PUBLISHED"
"""A file of this name in the templates' folder says that its HTML is already framed and inlined."""

SECTIONS = ("subject", "preheader", "html", "text")
_HEADING = re.compile(r"^## (\w+)[ \t]*\n", re.MULTILINE)


@dataclass(frozen=True)
class Shipped:
    """One shipped template and what its file name says of it."""

    event_type: str
    audience: str
    source: Source


def shipped(event_type: str, audience: str, channel: str, language: str | Sequence[str]) -> Source | None:
    """The template in the first of the languages that has one (a language alone falls back to English), or None."""
    languages = [language, "en"] if isinstance(language, str) else list(language)
    for each in languages:
        if source := _shipped(layouts.root(), event_type, audience, channel, each):
            return source
    return None


def all_shipped() -> Iterator[Shipped]:
    """Every shipped template, ready to render, by event type, audience, channel and language."""
    for path in sorted((layouts.root() / "messages").glob("*/*.*.*.j2")):
        audience, channel, language = path.name.split(".")[:3]
        source = _shipped(layouts.root(), path.parent.name, audience, channel, language)
        if source:
            yield Shipped(path.parent.name, audience, source)


def read(path: Path) -> Source:
    """A template's file as its author wrote it. Raises ValueError naming the file and what is wrong with it."""
    _, channel, language = path.name.removesuffix(".j2").split(".")
    parts = sections(path.read_text("utf-8"))
    if unknown := parts.keys() - set(SECTIONS):
        raise ValueError(f"{path}: sections are {', '.join(SECTIONS)}, not {', '.join(sorted(unknown))}")
    layout = "email" if channel == "email" else ""
    return Source(channel=channel, layout=layout, language=language, **parts)


def sections(content: str) -> dict[str, str]:
    """The sections of a file, each begun by a line `## name`; blank lines around them do not count."""
    _, *parts = _HEADING.split(content)
    return {name: body.strip("\n") for name, body in zip(parts[::2], parts[1::2], strict=True)}


def written_down(source: Source) -> str:
    """`source` as a template's file."""
    parts = [(name, getattr(source, name)) for name in SECTIONS]
    return "\n\n".join(f"## {name}\n{content}" for name, content in parts if content) + "\n"


@cache
def _shipped(root: Path, event_type: str, audience: str, channel: str, language: str) -> Source | None:
    path = root / "messages" / event_type / f"{audience}.{channel}.{language}.j2"
    if not path.is_file():
        return None
    source = read(path)
    if (root / PUBLISHED).exists():
        return Source(**{**vars(source), "layout": ""})
    if channel != "email":
        return source
    from .publish import publish

    return publish(source)
