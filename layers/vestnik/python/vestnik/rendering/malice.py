"""Malice: markup that runs or loads active content, in any of the forms a browser could see it in."""

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from html import unescape

from . import effort, styles
from .effort import Effort, firsts
from .markup import Attribute, Tag, Tangled, style_sheets, tags
from .urls import data_type, runs_script
from .words import words

ACTIVE_ELEMENTS = words(
    "script iframe frame frameset object embed applet layer ilayer portal fencedframe handler listener"
)
OFFICE_PREFIXES = words("v o w x m st1 mso")
ANIMATIONS = words("set animate animatetransform animatemotion animatecolor animation")
SPOKEN_ATTRIBUTES = words("alt title summary label placeholder aria-label content property description")
IMAGE_ATTRIBUTES = words("src srcset background poster lowsrc dynsrc data-src")
IMAGE_LINKS = words("image feimage link")
URL_ATTRIBUTES = IMAGE_ATTRIBUTES | words(
    "href xlink:href action formaction data code codebase archive cite longdesc manifest values from to by ping"
)
HARMLESS_REFRESH = re.compile(r"\s*+[\d.]*+\s*+\Z")
HANDLER = re.compile(r"(?:[^:]*:)?on[a-z]{3,}")
WORDS = words("once only ones onto online onward onwards ongoing onion")
DECLARATIONS = re.compile(r"<\?(?:import|xml-stylesheet)|<!entity|urn:schemas-microsoft-com:time", re.IGNORECASE)
REREAD = re.compile(
    r"<(?:svg|math|noscript|template|xmp|noembed|noframes|plaintext|textarea|select|listing)[\s/>]", re.IGNORECASE
)


@dataclass(frozen=True)
class Finding:
    """Something dangerous: a sentence for the author, and where it stands in the text."""

    message: str
    offset: int


def findings(text: str, work: Effort | None = None) -> list[Finding]:
    """What is dangerous in `text`, first of each kind, at most MOST_TOLD kinds. Raises Exhausted if nothing was found
    when the effort was spent."""
    return firsts(_all_findings(text.replace("\0", ""), work or Effort()), lambda found: found.message)


def _all_findings(text: str, work: Effort) -> Iterator[Finding]:
    yield from _findings(text, work)
    if REREAD.search(text):
        # In svg, noscript and the like a later parse may read entities as markup: judge what it would see, too.
        yield from (Finding(each.message, 0) for each in _findings(unescape(text), work))


def _findings(text: str, work: Effort) -> Iterator[Finding]:
    work.spend(len(text) // effort.LETTERS)
    try:
        for tag in tags(text, work):
            for message in _of_tag(tag, work):
                yield Finding(message, tag.start)
    except Tangled:
        yield Finding("tags never end; close each `<` with a `>`", 0)
    for start, css in style_sheets(text):
        work.spend(effort.STYLE)
        if part := styles.danger(css):
            yield Finding(f"the style sheet contains {part}, which runs code", start)
    if declared := DECLARATIONS.search(text):
        yield Finding(f"`{declared[0]}` loads active content", declared.start())


def _of_tag(tag: Tag, work: Effort) -> Iterator[str]:
    if _is_active(tag):
        yield f"<{tag.name}> runs or loads active content; a message may hold text, images and links only"
    if rule := RULES.get(tag.name.rpartition(":")[2]):
        yield from rule(tag)
    for attribute in tag.attributes:
        if message := _of_attribute(tag, attribute, work):
            yield message


def _is_active(tag: Tag) -> bool:
    prefix, _, name = tag.name.rpartition(":")
    if name not in ACTIVE_ELEMENTS or prefix in OFFICE_PREFIXES:
        return False
    # Structured data for mail clients (schema.org) is a script element that no browser runs.
    return not (name == "script" and tag.get("type").strip().lower() == "application/ld+json" and not tag.get("src"))


def _of_attribute(tag: Tag, attribute: Attribute, work: Effort) -> str:
    name, value = attribute
    if HANDLER.match(name) and name not in WORDS:
        return f"`{name[:60]}` on <{tag.name[:60]}> runs a script; use a plain link"
    if name in ("srcdoc", "classid"):
        return f"`{name}` on <{tag.name[:60]}> loads active content"
    if name == "style":
        work.spend(effort.STYLE)
        part = styles.danger(value)
        return f"the style of <{tag.name[:60]}> contains {part}, which runs code" if part else ""
    return _of_url(tag, name, value, work) if ":" in value else ""


def _of_url(tag: Tag, name: str, value: str, work: Effort) -> str:
    work.spend(effort.ADDRESS + effort.ATTRIBUTE * value.count(";"))
    if name not in SPOKEN_ATTRIBUTES and any(runs_script(part) for part in {value, *value.split(";")}):
        return f"`{name[:60]}` of <{tag.name[:60]}> is a script URL; use https://"
    media = data_type(value) if name in URL_ATTRIBUTES else None
    if media is None or (media.startswith("image/") and _shows_image(tag, name)):
        return ""
    return f"`{name}` of <{tag.name[:60]}> is a data: URL that is not an image; use https://"


def _shows_image(tag: Tag, name: str) -> bool:
    return name in IMAGE_ATTRIBUTES or tag.name in IMAGE_LINKS


def _meta(tag: Tag) -> Iterator[str]:
    kind, content = tag.get("http-equiv").strip().lower(), tag.get("content")
    if kind == "refresh" and not HARMLESS_REFRESH.match(content):
        yield "<meta http-equiv=refresh> leads the reader away by itself; use a link"
    if kind in ("set-cookie", "link"):
        yield f"<meta http-equiv={kind}> acts for a server; leave it out"
    if re.search(r"utf-?7|hz-gb|iso-2022", f"{content} {tag.get('charset')}", re.IGNORECASE):
        yield "the character set can hide code; use UTF-8"


def _link(tag: Tag) -> Iterator[str]:
    if re.search(r"\b(?:import|serviceworker|script|manifest)\b", tag.get("rel").lower()):
        yield "<link> loads active content; only style sheets and icons may be linked"


def _animation(tag: Tag) -> Iterator[str]:
    target = tag.get("attributename").strip().lower()
    if HANDLER.match(target) or target.rpartition(":")[2] in ("href", "src", "innerhtml", "action", "formaction"):
        yield f"<{tag.name}> changes `{target[:60]}` after the message is open"


def _xml(tag: Tag) -> Iterator[str]:
    if tag.get("src"):
        yield "<xml src> loads active content"


RULES: dict[str, Callable[[Tag], Iterator[str]]] = {
    "meta": _meta,
    "link": _link,
    "xml": _xml,
    **dict.fromkeys(ANIMATIONS, _animation),
}
