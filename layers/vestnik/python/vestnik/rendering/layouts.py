"""Layouts: the folder of templates, and the frame a letter's body is put into."""

import os
from dataclasses import dataclass
from functools import cache, lru_cache
from pathlib import Path

BODY = "{% block body %}{% endblock %}"
PREHEADER = "{% block preheader %}{% endblock %}"
TEXT_ALONE = '<div style="white-space: pre-line">{{ written.text }}</div>'
"""The body of a letter whose author wrote plain text only."""


@dataclass(frozen=True)
class Framed:
    """HTML inside its layout; `offset` lines of the layout come before the author's first line."""

    html: str
    offset: int


@cache
def root() -> Path:
    """The templates' folder: VESTNIK_TEMPLATES, else beside the sources, else in the Lambda layer."""
    if named := os.environ.get("VESTNIK_TEMPLATES"):
        return Path(named)
    beside = (folder / "templates" for folder in Path(__file__).resolve().parents)
    return next((folder for folder in beside if (folder / "layouts").is_dir()), Path("/opt/templates"))


@cache
def macros() -> str:
    """The macros every HTML template may use without importing them."""
    return (root() / "layouts" / "macros.html.j2").read_text("utf-8")


@cache
def layout(name: str) -> str:
    """The source of a layout by name. Raises FileNotFoundError for an unknown one."""
    return (root() / "layouts" / f"{name}.html.j2").read_text("utf-8")


def is_document(html: str) -> bool:
    """Whether `html` is a whole document, which brings its own frame."""
    start = html.lstrip()[:200].lower()
    return start.startswith(("<!doctype", "<html"))


@lru_cache(maxsize=512)
def framed(name: str, html: str, preheader: str) -> Framed:
    """`html` and `preheader` in the layout `name`; as they are where there is no layout or a whole document."""
    if not name or is_document(html):
        return Framed(html, 0)
    frame = layout(name).replace(PREHEADER, preheader)
    return Framed(frame.replace(BODY, html), frame[: frame.index(BODY)].count("\n"))
