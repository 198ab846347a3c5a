"""Public pages: ours alone, written by us, in the reader's language."""

from functools import cache
from typing import Any

from jinja2 import Environment, FileSystemLoader, StrictUndefined

from vestnik.rendering import layouts

LANGUAGES = ("en", "ru", "bg")


@cache
def _pages() -> Environment:
    return Environment(loader=FileSystemLoader(layouts.root() / "pages"), autoescape=True, undefined=StrictUndefined)


def page(name: str, language: str, facts: dict[str, Any]) -> str:
    """The page `name` as HTML, in one of LANGUAGES."""
    return _pages().get_template(f"{name}.html.{language}.j2").render(**facts, language=language)


def language_of(*wishes: str) -> str:
    """The first of LANGUAGES that one of the wishes (language tags, or an Accept-Language header) names; else en."""
    for wish in wishes:
        for part in wish.split(","):
            if (code := part.strip().lower()[:2]) in LANGUAGES:
                return code
    return LANGUAGES[0]
