"""Publishing: a letter's HTML made self-contained, framed and with its styles inlined, as mail clients need it."""

import re
import shutil
from dataclasses import replace
from itertools import count
from pathlib import Path

from . import inlining, layouts, shipped
from .guard import Guard
from .jinja_parts import replaced
from .markup import pieces
from .render import Source

_TAKEN = re.compile(r"jinja(\d{1,6})x")
_QUOTED = re.compile(r"""=\s*(?:"[^"]*"|'[^']*'|[^\s>"']+)""")
_STYLES = re.compile(r"<style\b|\bstyle\s*=|<link\b", re.IGNORECASE)


def publish(source: Source, guard: Guard | None = None) -> Source:
    """`source` with its HTML in the layout and its CSS inlined; media queries stay in a style element.

    With a guard, the styles are moved in its child, within a template's budgets. Raises Failed where it overruns.
    """
    if source.channel != "email":
        return source
    framed = layouts.framed(source.layout, source.html or layouts.TEXT_ALONE, source.preheader)
    return replace(source, html=inlined(framed.html, guard), preheader="", layout="")


def inlined(html: str, guard: Guard | None = None) -> str:
    """`html` with its style sheets moved into style attributes, its Jinja untouched. Raises Failed, with a guard."""
    if not layouts.is_document(html) or not _STYLES.search(html):
        return html
    kept = Kept(html)
    protected = _protected(html, kept)
    moved = guard.ask({"do": "inline", "html": protected})["html"] if guard else inlining.moved(protected)
    return kept.restored(moved)


class Kept:
    """What is put aside while styles are inlined: each piece under a word that the text does not have."""

    def __init__(self, html: str) -> None:
        taken = {int(number) for number in _TAKEN.findall(html)}
        stem = f"jinja{next(number for number in count() if number not in taken)}x"
        self._word = stem + "{}kept"
        self.words = re.compile(rf"{stem}\d+kept")
        self._marks = re.compile(rf"""(?:<!--)?{stem}(\d+)kept(?:-->|="")?""")
        self._pieces: list[str] = []

    def keep(self, piece: str) -> str:
        """The word that stands for `piece` from now on."""
        self._pieces.append(piece)
        return self._word.format(len(self._pieces) - 1)

    def restored(self, html: str) -> str:
        """The pieces back in their places; words may stand within what a word stands for."""
        while self._marks.search(html):
            html = self._marks.sub(lambda found: self._pieces[int(found[1])], html)
        return html


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


def _protected(html: str, kept: Kept) -> str:
    """`html` with its Jinja as comments (between tags) or words (elsewhere)."""
    return "".join(_safe(kind, piece, kept) for kind, piece in pieces(replaced(html, kept.keep)))


def _safe(kind: str, piece: str, kept: Kept) -> str:
    if kind == "text":
        return kept.words.sub(r"<!--\g<0>-->", piece)
    return _joined(piece, kept) if kind == "tag" else piece


def _joined(tag: str, kept: Kept) -> str:
    """A tag with all between the first and the last Jinja among its attributes as one word: the inliner sorts them."""
    bare = _QUOTED.sub(lambda found: "x" * len(found[0]), tag)
    words = list(kept.words.finditer(bare))
    if not words:
        return tag
    start, end = words[0].start(), words[-1].end()
    return tag[:start] + kept.keep(tag[start:end]) + tag[end:]
