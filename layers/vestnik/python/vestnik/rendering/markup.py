"""Markup: start tags as a browser's tokenizer reads them (WHATWG HTML, 13.2.5), begun at every `<`.

A parser decides by its state which `<` begins a tag; whatever it decides (inside noscript, svg, a comment that a
second parse opens), the tag begins at one of them and is read by the same rules: nothing a browser can see is missed.
"""

import re
from collections.abc import Iterator
from html import unescape
from typing import NamedTuple

from . import effort
from .effort import Effort

SPACE = r"\t\n\f\r "
_START = re.compile(rf"<([a-zA-Z][^{SPACE}/>]*)")
_ANY_TAG = re.compile(rf"</?([a-zA-Z][^{SPACE}/>]*)")
_ATTRIBUTE = re.compile(
    rf"[{SPACE}/]*(?:(?P<end>>)|(?P<name>[^{SPACE}/>][^{SPACE}/>=]*)"
    rf"(?:[{SPACE}]*=[{SPACE}]*(?:\"(?P<double>[^\"]*)(?:\"|\Z)|'(?P<single>[^']*)(?:'|\Z)|(?P<bare>[^{SPACE}>]*)))?)"
)
READING = 2
"""How many times its own length a text may be read; tags that never end would cost its square."""


class Tangled(Exception):
    """Tags begin inside tags so often that nobody could mean it."""


class Attribute(NamedTuple):
    """One attribute: its name in lower case and its value with entities decoded."""

    name: str
    value: str


class Tag(NamedTuple):
    """One start tag: its name in lower case, where it begins and ends."""

    name: str
    attributes: tuple[Attribute, ...]
    start: int
    end: int

    def get(self, name: str) -> str:
        """The value of the first attribute of this name, or nothing."""
        return next((each.value for each in self.attributes if each.name == name), "")


def tags(text: str, work: Effort) -> Iterator[Tag]:
    """Every start tag that some parser could see in `text`. Raises Tangled, Exhausted."""
    left = READING * len(text) + 10_000
    for start in _START.finditer(text):
        tag = tag_at(text, start)
        left -= tag.end - tag.start
        if left < 0:
            raise Tangled
        work.spend(effort.TAG + effort.ATTRIBUTE * len(tag.attributes))
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
_CLOSING = {name: re.compile(f"</{name}", re.IGNORECASE | re.ASCII) for name in (*_HIDDEN, "title", "textarea")}


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
            closing = _CLOSING[tag.name].search(text, end)
            end = (text.find(">", closing.end()) + 1 if closing else 0) or len(text)
        return ("\n" if _APART.match(tag.name) else ""), end
    if other := _OTHER.match(text, at):
        return ("\n" if _APART.match(other[0][1:].lower()) else ""), other.end()
    return "<", at + 1


_STYLE = re.compile(r"<style\b", re.IGNORECASE | re.ASCII)


def style_sheets(text: str) -> Iterator[tuple[int, str]]:
    """The contents of style elements, each with where it begins."""
    position = 0
    while (opening := _STYLE.search(text, position)) and (start := text.find(">", opening.end()) + 1):
        closing = _CLOSING["style"].search(text, start)
        position = closing.start() if closing else len(text)
        yield start, text[start:position]


_MARKUP = re.compile(r"<(?:!--|[!?]|/?[a-zA-Z])")


def pieces(text: str) -> Iterator[tuple[str, str]]:
    """`text` in its order as text, tags, comments and raw text (what stands in style, title and the like)."""
    position = searched = 0
    while opening := _MARKUP.search(text, searched):
        name, end = _end(text, opening)
        if end < 0:
            break
        yield "text", text[position : opening.start()]
        yield ("tag" if name else "comment"), text[opening.start() : end]
        position = end
        if closing := _CLOSING.get(name):
            found = closing.search(text, end)
            position = found.start() if found else len(text)
            yield "raw", text[end:position]
        searched = position
    yield "text", text[position:]


def _end(text: str, opening: re.Match[str]) -> tuple[str, int]:
    """The name of the tag that begins here ("" of a comment, "/" of an end tag) and where it ends; -1: nowhere."""
    at = opening.start()
    if opening[0] == "<!--":
        end = text.find("-->", at + 4)
        return "", len(text) if end < 0 else end + 3
    if opening[0] in ("<!", "<?"):
        return "", text.find(">", at) + 1 or -1
    tag = tag_at(text, _ANY_TAG.match(text, at) or opening)
    ended = text[tag.end - 1] == ">"
    return "/" if opening[0].startswith("</") else tag.name, tag.end if ended else -1


def tag_at_start(text: str) -> Tag:
    """The start or end tag that `text` begins with. Raises ValueError where it begins with none."""
    if (start := _ANY_TAG.match(text)) is None:
        raise ValueError(text[:20])
    return tag_at(text, start)
