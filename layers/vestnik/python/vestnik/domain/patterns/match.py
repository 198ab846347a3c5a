"""One pattern against one event, by the engine's rules to the letter; `index` is the same for many at once."""

from collections.abc import Mapping
from typing import Any, Literal

from vestnik.domain.patterns.conditions import Absent
from vestnik.domain.patterns.flatten import Found, Membership, flatten
from vestnik.domain.patterns.parse import Branch, Pattern, compile_pattern
from vestnik.domain.patterns.written import Pairs, Scalar, read
from vestnik.errors import Refused

Places = frozenset[tuple[int, int]]
"""The array elements that the values chosen so far lie in: no two of them in one array."""

MANY_CHOICES = 32


def matches(pattern: str | Mapping[str, Any] | Pairs | Pattern, event: str | Mapping[str, Any] | Pairs) -> bool:
    """Whether the event (JSON text, or parsed) meets the pattern.

    Raises `Refused("invalid-pattern")` and `Refused("invalid-event")`.
    """
    compiled = compile_pattern(pattern)
    found = flatten(_event(event), compiled.steps)
    return any(met(branch, found) for branch in compiled.branches)


def test(
    pattern: str | Mapping[str, Any] | Pairs,
    event: str | Mapping[str, Any] | Pairs | None = None,  # noqa: PT028 - no test of pytest
) -> Literal["match", "nomatch", "valid"]:
    """The answer of `POST /v1/patterns/test`; without an event, "valid".

    Raises `Refused`: "invalid-pattern" or "invalid-event"; `where` points into that one of the two.
    """
    compiled = compile_pattern(pattern)
    if event is None:
        return "valid"
    return "match" if matches(compiled, event) else "nomatch"


test.__test__ = False  # type: ignore[attr-defined]  # pytest would collect it by its name


def met(branch: Branch, found: Found) -> bool:
    """Whether some choice of one value a path meets all paths, the values all from the same elements of any array.

    Paths are taken in the engine's order, and `exists: false` asks only the elements chosen before it came.
    """
    chosen: set[Places] = {frozenset()}
    paths = list(branch)
    for at, (path, conditions) in enumerate(branch.items()):
        values = found.get(path, [])
        further: set[Places] = set()
        if any(isinstance(condition, Absent) for condition in conditions):
            further = {places for places in chosen if not any(_agree(places, lies) for _, lies in values)}
        good = {lies for value, lies in values if _any_holds(conditions, value)}
        further |= {places | frozenset(lies) for places in chosen for lies in good if _agree(places, lies)}
        if not further:
            return False
        chosen = further if len(further) < MANY_CHOICES else _relevant(further, paths[at + 1 :], found)
    return True


def _relevant(chosen: set[Places], paths: list[str], found: Found) -> set[Places]:
    """The choices without the arrays no later path lies in: else several long arrays would multiply."""
    arrays = {array for path in paths for _, lies_in in found.get(path, []) for array, _ in lies_in}
    return {frozenset(place for place in places if place[0] in arrays) for places in chosen}


def _any_holds(conditions: tuple[Any, ...], value: Scalar) -> bool:
    return any(condition.holds(value) for condition in conditions)


def _agree(places: Places, lies_in: Membership) -> bool:
    """Whether no array of `lies_in` is one in which another element was chosen."""
    if not places or not lies_in:
        return True
    elements = dict(places)
    return all(elements.get(array, index) == index for array, index in lies_in)


def _event(event: Any) -> Any:
    if not isinstance(event, str):
        return event
    try:
        return read(event, "the event")
    except Refused as refused:
        raise Refused(refused.reason, code="invalid-event") from refused
