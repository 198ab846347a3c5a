"""An event as the engine sees it: every value under its dotted path, with the array elements it lies in."""

from collections.abc import Container
from typing import Any

from vestnik.domain.patterns.written import Scalar, members, scalar
from vestnik.errors import Refused

Membership = tuple[tuple[int, int], ...]
"""(array, index) for each array of objects or arrays that a value lies in; an array's own plain values lie in none."""
Found = dict[str, list[tuple[Scalar, Membership]]]


def flatten(event: Any, steps: Container[str] | None = None) -> Found:
    """The event's values by path; given `steps`, only below keys that are among them (or contain a dot).

    A dot inside a key is as good as a step: `{"a.b": 1}` and `{"a": {"b": 1}}` are one. Empty arrays and objects
    leave nothing. Raises `Refused("invalid-event")`.
    """
    pairs = members(event)
    if pairs is None:
        raise Refused("an event is a JSON object", code="invalid-event")
    walk = _Walk(steps)
    try:
        walk.object(pairs, "", ())
    except RecursionError as error:
        raise Refused("the event is nested too deeply", code="invalid-event") from error
    return walk.found


class _Walk:
    def __init__(self, steps: Container[str] | None) -> None:
        self.found: Found = {}
        self._steps = steps
        self._arrays = 0

    def object(self, pairs: Any, prefix: str, lies_in: Membership) -> None:
        steps = self._steps
        for key, value in pairs:
            if steps is None or key in steps or "." in key:
                self._value(value, prefix + key, lies_in)

    def _value(self, value: Any, path: str, lies_in: Membership) -> None:
        if isinstance(value, list):
            self._array(value, path, lies_in)
        elif (pairs := members(value)) is not None:
            self.object(pairs, path + ".", lies_in)
        else:
            self.found.setdefault(path, []).append((scalar(value), lies_in))

    def _array(self, items: list[Any], path: str, lies_in: Membership) -> None:
        array, self._arrays = self._arrays, self._arrays + 1
        for index, item in enumerate(items):
            nested = isinstance(item, list) or members(item) is not None
            self._value(item, path, (*lies_in, (array, index)) if nested else lies_in)
