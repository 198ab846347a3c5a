"""Markup: start tags as a browser's tokenizer reads them (WHATWG HTML, 13.2.5), begun at every `<`.

A parser decides by its state which `<` begins a tag; whatever it decides (inside noscript, svg, a comment that a
second parse opens), the tag begins at one of them and is read by the same rules: nothing a browser can see is missed.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from html import unescape

SPACE = r"\t\n\f\r "
_START = re.compile(rf"<([a-zA-Z][^{SPACE}/>]*)")
_ATTRIBUTE = re.compile(
    rf"[{SPACE}/]*(?:(?P<end>>)|(?P<name>[^{SPACE}/>][^{SPACE}/>=]*)"
    rf"(?:[{SPACE}]*=[{SPACE}]*(?:\"(?P<double>[^\"]*)(?:\"|\Z)|'(?P<single>[^']*)(?:'|\Z)|(?P<bare>[^{SPACE}>]*)))?)"
)
READING = 4
"""How many times its own length a text may be read; tags that never end would cost its square."""


class Tangled(Exception):
    """Tags begin inside tags so often that nobody could mean it."""


@dataclass(frozen=True)
class Attribute:
    """One attribute: its name in lower case and its value with entities decoded."""

    name: str
    value: str


@dataclass(frozen=True)
class Tag:
    """One start tag: its name in lower case, where it begins and ends."""

    name: str
    attributes: tuple[Attribute, ...]
    start: int
    end: int

    def get(self, name: str) -> str:
        """The value of the first attribute of this name, or nothing."""
        return next((each.value for each in self.attributes if each.name == name), "")


def tags(text: str) -> Iterator[Tag]:
    """Every start tag that some parser could see in `text`. Raises Tangled."""
    left = READING * len(text) + 10_000
    for start in _START.finditer(text):
        tag = tag_at(text, start)
        left -= tag.end - tag.start
        if left < 0:
            raise Tangled
        yield tag


def tag_at(text: str, start: re.Match[str]) -> Tag:
    """The tag beginning at `start`, to its `>` or to the end of the text."""
    attributes, position = [], start.end()
    while found := _ATTRIBUTE.match(text, position):
        position = found.end()
        if found["end"]:
            break
        value = found["double"] or found["single"] or found["bare"] or ""
        attributes.append(Attribute(found["name"].lower(), unescape(value) if "&" in value else value))
    return Tag(start[1].lower(), tuple(attributes), start.start(), position)


_COMMENT = re.compile(r"<!--(?:-?>|(.*?)(?:--!?>|\Z))", re.DOTALL)
_CONDITION = re.compile(r"\s*\[if[^\]]*\]>(.*)<!\[endif\]\s*\Z", re.DOTALL | re.IGNORECASE)
_OTHER = re.compile(r"<(?:/[a-zA-Z]|!|\?)[^>]*>?")
_APART = re.compile(
    r"/?(?:p|div|td|th|tr|table|li|ul|ol|h[1-6]|br|hr|title|body|head|html|center|blockquote|img|style)\b"
)
_HIDDEN = ("style", "script")


def without_comments(text: str) -> str:
    """`text` without comments, but with what Outlook reads in conditional ones."""
    return _COMMENT.sub(_condition, text)


def _condition(comment: re.Match[str]) -> str:
    found = _CONDITION.match(comment[1] or "")
    return f" {found[1]} " if found else ""


def visible_text(text: str) -> str:
    """The text a reader sees, entities decoded, a line for each block (comments are expected to be gone)."""
    parts, position = [], 0
    while (at := text.find("<", position)) >= 0:
        parts.append(unescape(text[position:at]))
        between, position = _over(text, at)
        parts.append(between)
    return "".join(parts) + unescape(text[position:])


def _over(text: str, at: int) -> tuple[str, int]:
    """What a tag at `at` leaves in the text, and where reading goes on."""
    if start := _START.match(text, at):
        tag = tag_at(text, start)
        end = tag.end
        if tag.name in _HIDDEN:
            closing = re.compile(rf"</{tag.name}[^>]*>", re.IGNORECASE).search(text, end)
            end = closing.end() if closing else len(text)
        return ("\n" if _APART.match(tag.name) else ""), end
    if other := _OTHER.match(text, at):
        return ("\n" if _APART.match(other[0][1:].lower()) else ""), other.end()
    return "<", at + 1


_STYLE = re.compile(r"<style\b[^>]*>(.*?)(?:</style|\Z)", re.DOTALL | re.IGNORECASE)


def style_sheets(text: str) -> Iterator[tuple[int, str]]:
    """The contents of style elements, each with where it begins."""
    for found in _STYLE.finditer(text):
        yield found.start(1), found[1]
