"""All patterns of a shop against one event, at about the cost of a few: bit sets, one AND for each field asked.

Every branch of every pattern is a bit. Each field in use answers with the branches it does not rule out; what is left
after all fields has matched. Arrays of objects need more: there two conditions must meet in one element, and only the
branches that ask two fields of such arrays are then checked one by one.
"""

from collections.abc import Iterator, Mapping
from functools import reduce
from operator import and_
from typing import Any

from vestnik.domain.patterns.flatten import Found, flatten
from vestnik.domain.patterns.lookup import Conditions, Field
from vestnik.domain.patterns.match import met
from vestnik.domain.patterns.parse import Pattern, compile_pattern
from vestnik.domain.patterns.written import EXACT_INTEGERS, Pairs, scalar

MISSING = object()
ALL = -1
"""Every bit: nothing is ruled out."""
ROUNDABOUT = -1
"""Said by the straight way through an event that only the general way can answer."""


class Node:
    """A step of the paths in use: its own field, the steps below it, and what follows where they are missing."""

    __slots__ = ("absent", "below", "children", "field", "known")

    def __init__(self, field: Field, children: "list[tuple[str, Node]]") -> None:
        self.field, self.children, self.known = field, children, field.known
        self.below: int = reduce(and_, (child.absent for _, child in children), ALL)
        self.absent: int = field.absent & self.below


class Index:
    """Patterns compiled together. `match` takes an event and gives the ids of those it meets."""

    def __init__(self, patterns: Mapping[str, Pattern]) -> None:
        # Patterns of several branches take the highest bits: only there can an id come twice.
        ordered = sorted(patterns.items(), key=lambda item: len(item[1].branches) > 1)
        self._branches = [branch for _, pattern in ordered for branch in pattern.branches]
        self._ids = [name for name, pattern in ordered for _ in pattern.branches]
        self._single = sum(len(pattern.branches) == 1 for pattern in patterns.values())
        self._everyone = (1 << len(self._ids)) - 1
        self._fields = self._all_fields()
        self._steps = {step for path in self._fields for step in path.split(".")}
        self._root = self._tree([(path.split("."), path) for path in self._fields], "")
        self._rows: list[dict[int, tuple[str, ...]]] = [{} for _ in range(0, len(self._ids), 8)]

    def match(self, event: Mapping[str, Any] | Pairs) -> list[str]:
        """The ids of the patterns the event meets, each once, in no promised order.

        Raises `Refused("invalid-event")`.
        """
        bits = self._straight(self._root, event, self._everyone) if type(event) is dict else ROUNDABOUT
        return self._named(self._general(event) if bits == ROUNDABOUT else bits)

    def _all_fields(self) -> dict[str, Field]:
        units: dict[str, dict[Conditions, int]] = {}
        for place, branch in enumerate(self._branches):
            for path, conditions in branch.items():
                table = units.setdefault(path, {})
                table[conditions] = table.get(conditions, 0) | 1 << place
        return {path: Field(path, table.items(), self._everyone) for path, table in units.items()}

    def _tree(self, paths: list[tuple[list[str], str]], prefix: str) -> list[tuple[str, Node]]:
        groups: dict[str, list[tuple[list[str], str]]] = {}
        for steps, path in paths:
            groups.setdefault(steps[0], []).append((steps[1:], path))
        return [(step, self._node(f"{prefix}{step}", group)) for step, group in groups.items()]

    def _node(self, name: str, group: list[tuple[list[str], str]]) -> Node:
        field = self._fields.get(name) or Field(name, [], self._everyone)
        return Node(field, self._tree([(steps, path) for steps, path in group if steps], f"{name}."))

    def _straight(self, children: list[tuple[str, Node]], event: dict[str, Any], bits: int) -> int:
        """The quick way through plain objects and plain lists; long, because each call would cost what it saves."""
        if "." in "".join(event):
            return ROUNDABOUT
        for key, node in children:
            value = event.get(key, MISSING)
            kind = type(value)
            if kind is str:
                answer = node.known.get(value)
                bits &= node.field.text(value) if answer is None else answer
                if node.children:
                    bits &= node.below
            elif value is MISSING:
                bits &= node.absent
            elif kind is dict:
                bits = self._straight(node.children, value, bits & node.field.absent)
                if bits == ROUNDABOUT:
                    return ROUNDABOUT
            elif kind is list:
                answer = _list(node, value)
                if answer == ROUNDABOUT:
                    return ROUNDABOUT
                bits &= answer
            elif kind is Pairs:
                return ROUNDABOUT
            else:
                bits &= _answer(node.field, value) & node.below
        return bits

    def _general(self, event: Any) -> int:
        """Any event, also with keys doubled or dotted and with objects in lists."""
        found = flatten(event, self._steps)
        bits, nested = self._everyone, []
        for path, field in self._fields.items():
            values = found.get(path)
            answer = field.absent
            for at, (value, _) in enumerate(values or ()):
                answer = answer | field.of(value) if at else field.of(value)
            if values and any(lies_in for _, lies_in in values):
                nested.append((field, answer))
            else:
                bits &= answer
        return self._consistent(bits, nested, found) if nested else bits

    def _consistent(self, bits: int, nested: list[tuple[Field, int]], found: Found) -> int:
        once = twice = 0
        for field, _ in nested:
            twice |= once & field.mentioned
            once |= field.mentioned
        for field, answer in nested:
            # Absent from the chosen element is possible although the field is there in another.
            bits &= answer | (field.may_lack & twice)
        for place in _places(bits & twice):
            if not met(self._branches[place], found):
                bits ^= 1 << place
        return bits

    def _named(self, bits: int) -> list[str]:
        ids: list[str] = []
        for at, byte in enumerate(bits.to_bytes(len(self._rows), "little")):
            if byte:
                names = self._rows[at].get(byte)
                ids += self._row(at, byte) if names is None else names
        return list(dict.fromkeys(ids)) if bits >> self._single else ids

    def _row(self, at: int, byte: int) -> tuple[str, ...]:
        names = self._rows[at][byte] = tuple(self._ids[8 * at + place] for place in _places(byte))
        return names


def compile_index(rules: Mapping[str, Pattern | Mapping[str, Any] | Pairs | str]) -> Index:
    """Compile rule id -> pattern into an index, once per revision of the settings.

    Raises `Refused("invalid-pattern")` for the first pattern that does not compile.
    """
    return Index({name: compile_pattern(pattern) for name, pattern in rules.items()})


def _answer(field: Field, value: Any) -> int:
    kind = type(value)
    if kind is int and -EXACT_INTEGERS < value < EXACT_INTEGERS:
        return field.number(float(value))
    return field.of(scalar(value))


def _list(node: Node, values: list[Any]) -> int:
    answer = 0
    for value in values:
        kind = type(value)
        if kind is str:
            known = node.known.get(value)
            answer |= node.field.text(value) if known is None else known
        elif kind is dict or kind is list or kind is Pairs:
            return ROUNDABOUT
        else:
            answer |= _answer(node.field, value)
    return answer & node.below if values else node.absent


def _places(bits: int) -> Iterator[int]:
    while bits:
        low = bits & -bits
        yield low.bit_length() - 1
        bits ^= low
