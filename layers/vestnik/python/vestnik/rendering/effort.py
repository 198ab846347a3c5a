"""Effort: how much work judging one template may be; counted in steps, so that no input can make it slow."""

from collections.abc import Callable, Iterable

MOST = 400_000
"""Steps of a check, about a microsecond each; the largest of real letters takes an eighth of them."""

TAG, ATTRIBUTE = 3, 2
ADDRESS = 12
STYLE = 24
LETTERS = 24
"""So many characters read are one step."""

MOST_TOLD = 100
"""So many findings of a kind are told at most."""


class Exhausted(Exception):
    """More tags, attributes and addresses than can be judged."""


class Effort:
    """What is left to spend; one for all texts of a check."""

    __slots__ = ("left",)

    def __init__(self, left: int = MOST) -> None:
        self.left = left

    def spend(self, steps: int) -> None:
        """Raises Exhausted where nothing is left."""
        self.left -= steps
        if self.left < 0:
            raise Exhausted


def firsts[Found](findings: Iterable[Found], name: Callable[[Found], str]) -> list[Found]:
    """The first finding of each name, at most MOST_TOLD. Raises Exhausted if nothing was found when the effort was
    spent."""
    found: dict[str, Found] = {}
    try:
        for finding in findings:
            found.setdefault(name(finding), finding)
            if len(found) == MOST_TOLD:
                break
    except Exhausted:
        if not found:
            raise
    return list(found.values())
