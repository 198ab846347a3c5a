"""Publishing: a letter's HTML made self-contained, framed and with its styles inlined, as mail clients need it."""

import re
import shutil
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

from . import layouts, shipped
from .render import Source

_JINJA = re.compile(r"\{#.*?#\}|\{%.*?%\}|\{\{.*?\}\}", re.DOTALL)
_RAW_TEXT = frozenset({"style", "script", "title", "textarea"})
_TAG = re.compile(r"""<!--.*?(?:-->|\Z)|<!(?!--)[^>]*>|</?([a-zA-Z][^\s/>]*)(?:[^>"']|"[^"]*"|'[^']*')*>""", re.DOTALL)
_WORD = re.compile(r"jinja\d{5}kept")
_MARK = re.compile(r"""(?:<!--)?jinja(\d{5})kept(?:-->|="")?""")
_QUOTED = re.compile(r"""=\s*(?:"[^"]*"|'[^']*'|[^\s>"']+)""")
_STYLES = re.compile(r"<style\b|\bstyle\s*=|<link\b", re.IGNORECASE)


def publish(source: Source) -> Source:
    """`source` with its HTML in the layout and its CSS inlined; media queries stay in a style element."""
    if source.channel != "email":
        return source
    framed = layouts.framed(source.layout, source.html or layouts.TEXT_ALONE, source.preheader)
    return replace(source, html=inlined(framed.html), preheader="", layout="")


def inlined(html: str) -> str:
    """`html` with its style sheets moved into style attributes, its Jinja untouched."""
    import css_inline

    if not layouts.is_document(html) or not _STYLES.search(html):
        return html
    protected, kept = _protected(html)
    inliner = css_inline.CSSInliner(keep_at_rules=True, keep_link_tags=True, load_remote_stylesheets=False)
    return _restored(inliner.inline(protected), kept)


def publish_shipped(target: Path) -> int:
    """Writes the published copies of all shipped templates, and the layouts, into `target`; says how many."""
    root = layouts.root()
    if target.exists():
        shutil.rmtree(target)
    shutil.copytree(root, target, ignore=shutil.ignore_patterns("messages"))
    paths = sorted((root / "messages").glob("*/*.j2"))
    for path in paths:
        copy = target / path.relative_to(root)
        copy.parent.mkdir(parents=True, exist_ok=True)
        copy.write_text(shipped.written_down(publish(shipped.read(path))), "utf-8")
    (target / shipped.PUBLISHED).write_text("The HTML of these templates is framed and inlined.\n", "utf-8")
    return len(paths)


def _protected(html: str) -> tuple[str, list[str]]:
    """`html` with its Jinja as comments (between tags) or words (elsewhere), and what each word stands for."""
    kept: list[str] = []
    text = _JINJA.sub(lambda found: _keep(kept, found[0]), html)
    return "".join(_safe(kind, piece, kept) for kind, piece in _pieces(text)), kept


def _keep(kept: list[str], content: str) -> str:
    kept.append(content)
    return f"jinja{len(kept) - 1:05d}kept"


def _restored(html: str, kept: list[str]) -> str:
    """The Jinja back in its places; words may stand within what a word stands for."""
    while _MARK.search(html):
        html = _MARK.sub(lambda found: kept[int(found[1])], html)
    return html


def _safe(kind: str, piece: str, kept: list[str]) -> str:
    if kind == "text":
        return _WORD.sub(r"<!--\g<0>-->", piece)
    return _joined(piece, kept) if kind == "tag" else piece


def _joined(tag: str, kept: list[str]) -> str:
    """A tag with all between the first and the last Jinja among its attributes as one word: the inliner sorts them."""
    bare = _QUOTED.sub(lambda found: "x" * len(found[0]), tag)
    words = list(_WORD.finditer(bare))
    if not words:
        return tag
    start, end = words[0].start(), words[-1].end()
    return tag[:start] + _keep(kept, tag[start:end]) + tag[end:]


def _pieces(text: str) -> Iterator[tuple[str, str]]:
    """`text` in its order as text, tags, comments and raw text (what stands in style, title and the like)."""
    position = 0
    while found := _TAG.search(text, position):
        yield "text", text[position : found.start()]
        position = found.end()
        yield ("comment" if found[0].startswith("<!") else "tag"), found[0]
        name = (found[1] or "").lower()
        if name in _RAW_TEXT and not found[0].startswith("</"):
            end = text.lower().find(f"</{name}", position)
            end = len(text) if end < 0 else end
            yield "raw", text[position:end]
            position = end
    yield "text", text[position:]
