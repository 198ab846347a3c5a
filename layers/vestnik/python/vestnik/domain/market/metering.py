"""Metered evaluation of JMESPath: what an expression does and makes is counted, and ends where it is out of proportion.

An expression has no loops, but `[@,@][]` doubles what it is given, and a few dozen of these make more than fits into
any memory. So each node visited, each element put into a list and each sixteen characters of a text made cost one.
There is a small budget for all, and more by the size of the data, which is measured where the small one is used up.
"""

from collections.abc import Mapping, Sequence
from typing import Any

from jmespath import visitor

FREE = 20_000  # for all: some ten milliseconds
EACH = 50  # for each node of the data
MOST = 10_000_000  # some seconds, some hundred megabytes
CHARACTERS = 16  # of a text count as one

BY_LENGTH = frozenset(
    [
        "map",
        "sort",
        "sort_by",
        "min",
        "min_by",
        "max",
        "max_by",
        "sum",
        "avg",
        "reverse",
        "keys",
        "values",
        "merge",
        "starts_with",
        "ends_with",
    ]
)
"""Functions that walk over what they are given, but do not go into it."""
AT_ONCE = frozenset(["length", "type", "not_null", "default", "to_array", "lookup"])
"""Functions that only look at it, or hand it on. All others may go into all of it, as `to_string` does."""

type Json = Any
type Node = Any  # {type, value, children}


class TooMuch(ValueError):
    """The expression does, or makes, more than suits its data."""


class Metered(visitor.TreeInterpreter):
    """Evaluates one expression over one document, within a budget. Raises TooMuch."""

    def __init__(self, options: Any, document: Json) -> None:
        super().__init__(options)
        self._left = FREE
        self._document = document
        self._known = options.custom_functions
        self._measured = False

    def spend(self, cost: int) -> None:
        """Take `cost` off the budget. Raises TooMuch where nothing is left of it."""
        self._left -= cost
        if self._left < 0:
            self._enlarge()

    def _enlarge(self) -> None:
        """The budget is used up: give what the size of the data allows, once."""
        if not self._measured:
            self._measured = True
            self._left += EACH * size(self._document, MOST // EACH)
        if self._left < 0:
            raise TooMuch("it makes far more than there is in its data")

    def visit(self, node: Node, *args: Any, **kwargs: Any) -> Json:
        self._left -= 1
        if self._left < 0:
            self._enlarge()
        return _VISITS[node["type"]](self, node, *args, **kwargs)

    def visit_flatten(self, node: Node, value: Json) -> Json:
        base = self.visit(node["children"][0], value)
        if not isinstance(base, list):
            return None
        flat: list[Json] = []
        for element in base:
            inner = element if isinstance(element, list) else [element]
            self.spend(len(inner))
            flat += inner
        return flat

    def visit_slice(self, node: Node, value: Json) -> Json:
        found = super().visit_slice(node, value)
        self.spend(_length(found))
        return found

    def visit_comparator(self, node: Node, value: Json) -> Json:
        sides = [self.visit(child, value) for child in node["children"]]
        if all(isinstance(side, list | dict) for side in sides):
            self.spend(sum(map(weight, sides)))
        known = [{"type": "literal", "value": side, "children": []} for side in sides]
        compared: Node = {**node, "children": known}
        return super().visit_comparator(compared, value)

    def visit_function_expression(self, node: Node, value: Json) -> Json:
        given = [self.visit(child, value) for child in node["children"]]
        self.spend(_cost(node["value"], given))
        found = self._known.call_function(node["value"], given)
        self.spend(_length(found))
        return found


_VISITS = {name.removeprefix("visit_"): getattr(Metered, name) for name in dir(Metered) if name.startswith("visit_")}


def _cost(function: str, given: Sequence[Json]) -> int:
    """What a function may have to go through."""
    if function in AT_ONCE:
        return 0
    if function in BY_LENGTH:
        return sum(map(_length, given))
    between = _length(given[0]) * _length(given[1]) if function == "join" and len(given) > 1 else 0
    return between + sum([weight(one) for one in given if isinstance(one, str | list | dict)])


def _length(found: Json) -> int:
    if isinstance(found, str):
        return len(found) // CHARACTERS
    return len(found) if isinstance(found, list | dict) else 0


def size(data: Json, enough: int) -> int:
    """How large data is that has nothing twice: its nodes, and its texts by sixteen characters; counted up to what is
    `enough`."""
    count, inner = 1, [data]
    while inner and count < enough:
        one = inner.pop()
        parts = one.values() if isinstance(one, dict) else one if isinstance(one, list) else ()
        count += len(parts)
        for part in parts:
            if isinstance(part, str):
                count += len(part) // CHARACTERS
            elif isinstance(part, list | dict):
                inner.append(part)
    return min(count, enough)


def weight(found: Json) -> int:
    """How large data is when it is written out: its nodes, and its texts by sixteen characters. What stands in several
    places counts in each, and is walked through once."""
    return _weight(found, {})


def _weight(found: Json, known: dict[int, int]) -> int:
    if isinstance(found, list | dict):
        told = known.get(id(found))
        if told is None:
            parts = found if isinstance(found, list) else found.values()
            told = known[id(found)] = 1 + sum([_weight(part, known) for part in parts])
        return told
    return 1 + len(found) // CHARACTERS if isinstance(found, str) else 1


def repeats(node: Node) -> bool:
    """Whether an expression (its syntax tree) can put the same thing in several places."""
    kinds = ("multi_select_list", "multi_select_dict")
    return node["type"] in kinds or any(repeats(child) for child in node["children"] if isinstance(child, Mapping))
