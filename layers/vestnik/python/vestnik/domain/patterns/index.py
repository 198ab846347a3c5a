"""All patterns of a shop against one event, at about the cost of a few: bit sets, one AND for each field asked.

Every branch of every pattern is a bit. Each field in use answers with the branches it does not rule out; what is left
after all fields has matched. Arrays of objects need more: there two conditions must meet in one element, and only the
branches that ask two fields of such arrays are then checked one by one.
"""

from bisect import bisect_left
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping
from functools import partial, reduce
from operator import and_, or_
from typing import Any

from vestnik.domain.patterns.flatten import Found, flatten, flatten_lists
from vestnik.domain.patterns.lookup import Conditions, Field
from vestnik.domain.patterns.match import met
from vestnik.domain.patterns.naming import Names
from vestnik.domain.patterns.parse import Pattern, compile_pattern
from vestnik.domain.patterns.written import EXACT_INTEGERS, Pairs, scalar

MISSING = object()
ALL = -1
"""Every bit: nothing is ruled out."""
ROUNDABOUT = -1
"""Said by the straight way through an event that only the general way can answer."""


class Node:
    """A step of the paths in use: its own field, the steps below it, and what follows where they are missing."""

    def __init__(self, field: Field, children: "dict[str, Node]", dotted: frozenset[str]) -> None:
        """`dotted`: the names that, as keys of an event, would stand for several steps from here."""
        self.field, self.dotted = field, dotted
        self.known, self.words = field.known, field.words
        self.numbers, self.stretches = field.numbers, field.stretches
        self.fields: list[Field] = [field, *(each for child in children.values() for each in child.fields)]
        self.below: int = reduce(and_, (child.absent for child in children.values()), ALL)
        self.absent: int = field.absent & self.below
        # For the inner loop, unpacked at once: step, its node, its answers to texts, the one to other texts, whether
        # more is asked below it.
        self.steps = [
            (step, child, child.known.get, child.known.other, child.below != ALL) for step, child in children.items()
        ]


Lists = list[tuple[Node, list[Any]]]


class Index:
    """Patterns compiled together. `match` takes an event and gives the ids of those it meets."""

    def __init__(self, patterns: Mapping[str, Pattern]) -> None:
        ordered = sorted(patterns.items(), key=partial(_neighbours, _commonest_path(patterns.values())))
        once = [(name, pattern) for name, pattern in ordered if len(pattern.branches) == 1]
        rest = [(name, branch) for name, pattern in ordered if len(pattern.branches) > 1 for branch in pattern.branches]
        self._names = Names([name for name, _ in once], [name for name, _ in rest])
        self._branches = {place: pattern.branches[0] for place, (_, pattern) in enumerate(once)}
        self._branches |= {place: branch for place, (_, branch) in enumerate(rest, self._names.second)}
        self._everyone = sum(1 << place for place in self._branches)
        self._fields = self._all_fields()
        self._steps = {step for path in self._fields for step in path.split(".")}
        self._root = self._node("", [path.split(".") for path in self._fields])

    def match(self, event: Mapping[str, Any] | Pairs) -> list[str]:
        """The ids of the patterns the event meets, each once, in no promised order.

        Raises `Refused("invalid-event")`.
        """
        lists: Lists = []
        bits = self._straight(self._root, event, self._everyone, lists) if type(event) is dict else ROUNDABOUT
        if bits == ROUNDABOUT:
            bits = self._roundabout(event)
        elif lists:
            bits = self._through_lists(bits, lists, event)
        return self._names.of(bits)

    def _all_fields(self) -> dict[str, Field]:
        units: dict[str, dict[Conditions, int]] = {}
        for place, branch in self._branches.items():
            for path, conditions in branch.items():
                table = units.setdefault(path, {})
                table[conditions] = table.get(conditions, 0) | 1 << place
        return {path: Field(path, table.items(), self._everyone) for path, table in units.items()}

    def _node(self, name: str, paths: list[list[str]]) -> Node:
        """The node of `name` with all steps of `paths`, which lead on from it."""
        field = self._fields.get(name) or Field(name, [], self._everyone)
        groups: dict[str, list[list[str]]] = {}
        for step, *rest in paths:
            groups.setdefault(step, []).append(rest)
        prefix = f"{name}." if name else ""
        children = {step: self._node(prefix + step, [rest for rest in group if rest]) for step, group in groups.items()}
        dotted = frozenset(".".join(path[:size]) for path in paths for size in range(2, len(path) + 1))
        return Node(field, children, dotted)

    def _straight(self, node: Node, event: dict[str, Any], bits: int, lists: Lists) -> int:
        """The quick way through plain objects; long, because each call would cost what it saves.

        Lists of more than plain values are left for later in `lists`.
        """
        if node.dotted and not node.dotted.isdisjoint(event):
            return ROUNDABOUT
        for key, child, known, other, goes_on in node.steps:
            value = event.get(key, MISSING)
            kind = type(value)
            if kind is str:
                text = known(value, other)
                bits &= child.known[value] if text is None else text
            elif value is MISSING:
                bits &= child.absent
                continue
            elif kind is dict:
                bits = self._straight(child, value, bits & child.field.absent, lists)
                if bits == ROUNDABOUT:
                    return ROUNDABOUT
                continue
            elif kind is list:
                bits &= _list(child, value, lists)
                continue
            elif kind is bool or value is None:
                bits &= child.words[value]
            elif kind is float or (kind is int and -EXACT_INTEGERS < value < EXACT_INTEGERS):
                # Between two named numbers, and on each of them, all numbers have one answer.
                numbers = child.numbers
                at = bisect_left(numbers, value)
                number = child.stretches[2 * at + (at < len(numbers) and numbers[at] == value)]
                bits &= child.field.of(scalar(value)) if number is None else number
            elif kind is Pairs:
                return ROUNDABOUT
            else:
                bits &= child.field.of(scalar(value))
            if goes_on:
                bits &= child.below
        return bits

    def _roundabout(self, event: Any) -> int:
        """The way for any event, also with keys doubled or dotted."""
        found = flatten(event, self._steps)
        return self._narrowed(self._everyone, self._fields.values(), found, lambda: found)

    def _through_lists(self, bits: int, lists: Lists, event: Any) -> int:
        found = flatten_lists([(node.field.path, values) for node, values in lists], self._steps)
        fields = [field for node, _ in lists for field in node.fields]
        return self._narrowed(bits, fields, found, lambda: flatten(event, self._steps))

    def _narrowed(self, bits: int, fields: Iterable[Field], found: Found, whole: Callable[[], Found]) -> int:
        """What `fields` leave of `bits` where these values were found."""
        nested = []
        for field in fields:
            values = found.get(field.path, ())
            answer = reduce(or_, (field.of(value) for value, _ in values)) if values else field.absent
            if any(lies_in for _, lies_in in values):
                nested.append((field, answer))
            else:
                bits &= answer
        return self._consistent(bits, nested, whole) if nested else bits

    def _consistent(self, bits: int, nested: list[tuple[Field, int]], whole: Callable[[], Found]) -> int:
        """The branches that ask two fields inside lists of objects must find them in one object."""
        once = twice = 0
        for field, _ in nested:
            twice |= once & field.mentioned
            once |= field.mentioned
        for field, answer in nested:
            # Absent from the chosen element is possible although the field is there in another.
            bits &= answer | (field.may_lack & twice)
        found = whole() if bits & twice else {}
        for place in _places(bits & twice):
            if not met(self._branches[place], found):
                bits ^= 1 << place
        return bits


def compile_index(rules: Mapping[str, Pattern | Mapping[str, Any] | Pairs | str]) -> Index:
    """Compile rule id -> pattern into an index, once per revision of the settings.

    Raises `Refused("invalid-pattern")` for the first pattern that does not compile.
    """
    return Index({name: compile_pattern(pattern) for name, pattern in rules.items()})


def _list(node: Node, values: list[Any], lists: Lists) -> int:
    answer = 0
    for value in values:
        kind = type(value)
        if kind is str:
            answer |= node.known[value]
        elif kind is dict or kind is list or kind is Pairs:
            lists.append((node, values))
            return ALL
        else:
            answer |= node.field.of(scalar(value))
    return answer & node.below if values else node.absent


def _commonest_path(patterns: Iterable[Pattern]) -> str:
    paths = Counter(path for pattern in patterns for branch in pattern.branches for path in branch)
    return max(paths, key=lambda path: paths[path], default="")


def _neighbours(path: str, named: tuple[str, Pattern]) -> str:
    """Sort key: patterns that ask the same of the commonest path lie together, for they match together."""
    return str(named[1].branches[0].get(path))


def _places(bits: int) -> Iterator[int]:
    while bits:
        low = bits & -bits
        yield low.bit_length() - 1
        bits ^= low
