"""Why a pattern did not match, for a shop manager: what was found, what would have been right."""

from collections.abc import Mapping
from typing import Any, NamedTuple

from vestnik.domain.patterns.conditions import shown
from vestnik.domain.patterns.flatten import Found, flatten
from vestnik.domain.patterns.match import met
from vestnik.domain.patterns.parse import Branch, Pattern, compile_pattern
from vestnik.domain.patterns.written import Pairs

MOST_SHOWN = 5


class Unmet(NamedTuple):
    """One condition that failed; `expected` completes "must ..."."""

    path: str
    found: str
    expected: str


def explain(pattern: str | Mapping[str, Any] | Pairs | Pattern, event: Mapping[str, Any] | Pairs) -> list[Unmet]:
    """The conditions the event fails; of a pattern with `$or`, those of the branch that came nearest.

    Empty where the event matches. Raises `Refused` as `matches` does.
    """
    compiled = compile_pattern(pattern)
    found = flatten(event, compiled.steps)
    if any(met(branch, found) for branch in compiled.branches):
        return []
    return min((_unmet(branch, found) for branch in compiled.branches), key=len)


def _unmet(branch: Branch, found: Found) -> list[Unmet]:
    failed = [
        Unmet(path, _found(path, found), " or ".join(map(str, conditions)))
        for path, conditions in branch.items()
        if not met({path: conditions}, found)
    ]
    return failed or [_split(branch, found)]


def _split(branch: Branch, found: Found) -> Unmet:
    """Each condition alone is met, but by different elements of an array."""
    paths = [path for path in branch if any(lies_in for _, lies_in in found.get(path, []))]
    return Unmet(", ".join(paths), "met by different elements of a list", "be met by one and the same element")


def _found(path: str, found: Found) -> str:
    values = list(dict.fromkeys(shown(value) for value, _ in found.get(path, [])))
    more = f" and {len(values) - MOST_SHOWN} more" if len(values) > MOST_SHOWN else ""
    return (", ".join(values[:MOST_SHOWN]) or "nothing") + more
