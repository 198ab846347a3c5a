"""Plain text of a letter's HTML, links kept, for readers and filters that want no HTML."""

import re
from html import unescape

from .markup import Tag, pieces, tag_at_start
from .words import words

_BLOCKS = words("p div table tr ul ol blockquote center section article header footer h1 h2 h3 h4 h5 h6")
_SKIPPED = frozenset({"style", "script", "title", "head"})
_VOID = words("area base br col embed hr img input link meta source track wbr")
DEEPEST = 64
"""Elements within a hidden one that are searched for the one an end tag closes."""

_INVISIBLE = re.compile(r"display\s*:\s*none", re.IGNORECASE)


class _Reader:
    def __init__(self) -> None:
        self.parts: list[str] = []
        self._link = ""
        self._label_from = 0
        self._skipped: list[str] = []

    def read(self, html: str) -> None:
        for kind, piece in pieces(html):
            if kind == "text":
                self._data(unescape(piece))
            elif kind == "tag":
                tag = tag_at_start(piece)
                self._close(tag.name) if piece.startswith("</") else self._start(tag)

    def _start(self, tag: Tag) -> None:
        if tag.name in _VOID:
            self.parts.append({"br": "\n", "hr": "\n---\n"}.get(tag.name, ""))
        elif self._skipped or tag.name in _SKIPPED or _INVISIBLE.search(tag.get("style")):
            self._skipped.append(tag.name)
        else:
            self._open(tag.name, tag.get("href"))

    def _open(self, tag: str, href: str) -> None:
        if tag == "a":
            self._link, self._label_from = href, len(self.parts)
        elif tag == "li":
            self.parts.append("\n- ")
        elif tag in ("td", "th"):
            self.parts.append(" ")
        elif tag in _BLOCKS:
            self.parts.append("\n\n" if tag in ("p", "h1", "h2", "h3") else "\n")

    def _close(self, tag: str) -> None:
        if self._skipped:
            if tag in self._skipped[-DEEPEST:]:
                while self._skipped.pop() != tag:
                    pass
        elif tag == "a":
            self._close_link()
        elif tag in _BLOCKS:
            self.parts.append("\n\n" if tag in ("p", "h1", "h2", "h3") else "\n")

    def _close_link(self) -> None:
        label = "".join(self.parts[self._label_from :]).strip()
        bare = self._link.removeprefix("mailto:").removeprefix("tel:")
        if bare and bare != label and not bare.startswith("#"):
            self.parts.append(f" ({bare})" if label else bare)
        self._link = ""

    def _data(self, data: str) -> None:
        if not self._skipped:
            self.parts.append(re.sub(r"[ \t\r\n]+", " ", data))


def of_html(html: str) -> str:
    """The text of `html`: hidden parts left out, links as `label (address)`, at most one empty line in a row."""
    reader = _Reader()
    reader.read(html)
    lines = [re.sub(r"[ \t]+", " ", line).strip() for line in "".join(reader.parts).split("\n")]
    return re.sub(r"\n{3,}", "\n\n", "\n".join(lines)).strip() + "\n"
