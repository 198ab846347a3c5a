"""Jinja's parts of a source, told from the text around them in one pass."""

import re
from collections.abc import Callable, Iterator

_OPENING = re.compile(r"\{[#%{]")
_CLOSING = {"{#": "#}", "{%": "%}", "{{": "}}"}


def spans(source: str) -> Iterator[tuple[int, int]]:
    """Where each comment, statement and expression begins and ends; one that is never closed is text."""
    position, endless = 0, set[str]()
    while opening := _OPENING.search(source, position):
        start, kind = opening.start(), opening[0]
        end = -1 if kind in endless else source.find(_CLOSING[kind], start + 2)
        if end < 0:
            endless.add(kind)  # or each of them would be sought to the end of the text
            position = start + 1
        else:
            position = end + 2
            yield start, position


def replaced(source: str, by: Callable[[str], str]) -> str:
    """`source` with each of Jinja's parts as `by` gives it."""
    parts, position = [], 0
    for start, end in spans(source):
        parts += [source[position:start], by(source[start:end])]
        position = end
    return "".join(parts) + source[position:]
