"""An event as the engine sees it: every value under its dotted path, with the array elements it lies in."""

from collections.abc import Callable, Container, Iterable
from typing import Any

from vestnik.domain.patterns.written import Pairs, Scalar, members, scalar
from vestnik.errors import Refused

Membership = tuple[tuple[int, int], ...]
"""(array, index) for each array of objects or arrays that a value lies in; an array's own plain values lie in none."""
NESTED = frozenset({list, dict, Pairs})
Found = dict[str, list[tuple[Scalar, Membership]]]


def flatten(event: Any, steps: Container[str] | None = None) -> Found:
    """The event's values by path; given `steps`, only below keys that are among them (or contain a dot).

    A dot inside a key is as good as a step: `{"a.b": 1}` and `{"a": {"b": 1}}` are one. Empty arrays and objects
    leave nothing. Raises `Refused("invalid-event")`.
    """
    pairs = members(event)
    if pairs is None:
        raise Refused("an event is a JSON object", code="invalid-event")
    return _walked(lambda walk: walk.object(pairs, "", ()), steps)


def flatten_lists(lists: Iterable[tuple[str, list[Any]]], steps: Container[str] | None) -> Found:
    """The same for some lists of one event only, each with its path."""

    def walk_all(walk: "_Walk") -> None:
        for path, values in lists:
            walk.array(values, path, ())

    return _walked(walk_all, steps)


def _walked(job: Callable[["_Walk"], None], steps: Container[str] | None) -> Found:
    walk = _Walk(steps)
    try:
        job(walk)
    except RecursionError as error:
        raise Refused("the event is nested too deeply", code="invalid-event") from error
    return walk.found


class _Walk:
    def __init__(self, steps: Container[str] | None) -> None:
        self.found: Found = {}
        self._steps = steps
        self._arrays = 0

    def object(self, pairs: Iterable[tuple[str, Any]], prefix: str, lies_in: Membership) -> None:
        steps = self._steps
        for key, value in pairs:
            if steps is None or key in steps or "." in key:
                self._value(value, prefix + key, lies_in)

    def _value(self, value: Any, path: str, lies_in: Membership) -> None:
        kind = type(value)
        if kind is list:
            self.array(value, path, lies_in)
        elif kind is dict or kind is Pairs:
            self.object(value.items(), f"{path}.", lies_in)
        else:
            self.found.setdefault(path, []).append((scalar(value), lies_in))

    def array(self, items: list[Any], path: str, lies_in: Membership) -> None:
        array, self._arrays = self._arrays, self._arrays + 1
        for index, item in enumerate(items):
            nested = type(item) in NESTED
            self._value(item, path, (*lies_in, (array, index)) if nested else lies_in)
