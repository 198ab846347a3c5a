"""Reading a pattern: from JSON to branches of conditions, or a refusal that says where it is wrong.

Stricter than the engine's syntax check in three places: a wildcard that begins with an asterisk and has more than
five, and more than 1,000 combinations of `$or`, are refused as too complex (so does EventBridge, the service), and an
empty list of prefixes, suffixes or wildcards is refused (it passes the engine's check and then breaks the engine).
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, NoReturn

from vestnik.domain.patterns.addresses import Span, digits
from vestnik.domain.patterns.conditions import Absent, Address, Condition, Exactly, Present
from vestnik.domain.patterns.operators import OPERATORS, Wrong
from vestnik.domain.patterns.written import Pairs, members, read, scalar
from vestnik.errors import Refused

Branch = Mapping[str, tuple[Condition, ...]]
"""Dotted path to the conditions there: all paths must be met, each by any one of its conditions."""

MOST_BRANCHES = 1000
RESERVED = frozenset(
    {
        *("exactly", "equals-ignore-case", "prefix", "suffix", "anything-but", "exists", "wildcard", "numeric", "cidr"),
        *("=", "<", "<=", ">", ">=", "regex", "not-wildcard", "not-equals-ignore-case"),
        *("date-after", "date-on-or-after", "date-before", "date-on-or-before", "in-date-range"),
        *("ip-address-in-range", "ip-address-not-in-range"),
    }
)
"""Names no field inside `$or` may bear (event-ruler, Constants)."""


@dataclass(frozen=True, slots=True)
class Pattern:
    """A compiled pattern: it is met when one of its branches is (there are several where it says `$or`)."""

    branches: tuple[Branch, ...]
    steps: frozenset[str] = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        steps = {step for branch in self.branches for path in branch for step in path.split(".")}
        object.__setattr__(self, "steps", frozenset(steps))


def compile_pattern(source: str | Mapping[str, Any] | Pairs | Pattern) -> Pattern:
    """Compile JSON text or a parsed object (best as written, by `read_written`).

    Raises `Refused("invalid-pattern")`; `where` is a JSON pointer into the pattern.
    """
    if isinstance(source, Pattern):
        return source
    try:
        value = read(source, "the pattern") if isinstance(source, str) else source
        branches = _object(value, "", "", [{}], inside_or=False)
    except Wrong as wrong:
        raise Refused(str(wrong), code="invalid-pattern", where=wrong.where) from wrong
    except RecursionError as error:
        raise Refused("the pattern is nested too deeply", code="invalid-pattern") from error
    except Refused as refused:
        raise Refused(refused.reason, code="invalid-pattern") from refused
    return Pattern(tuple(dict(sorted(branch.items(), key=_java_order)) for branch in branches))


def valid(source: str | Mapping[str, Any] | Pairs) -> bool:
    """Whether the pattern compiles."""
    try:
        compile_pattern(source)
    except Refused:
        return False
    return True


def _java_order(entry: tuple[str, Any]) -> bytes:
    """The engine visits paths in the order of Java strings, and `exists: false` depends on that order."""
    return entry[0].encode("utf-16-be", "surrogatepass")


def _object(value: Any, path: str, where: str, branches: list[Branch], *, inside_or: bool) -> list[Branch]:
    pairs = members(value)
    if pairs is None:
        _refuse("a pattern is a JSON object", where)
    if not pairs:
        _refuse("an object must not be empty", where)
    for name, below in pairs:
        here = f"{where}/{name.replace('~', '~0').replace('/', '~1')}"
        if name == "$or":
            branches = _either(below, path, here, branches)
        elif inside_or and name in RESERVED:
            _refuse(f"{name!r} is a reserved word and cannot be a field inside $or", here)
        else:
            branches = _field(below, f"{path}.{name}" if path else name, here, branches, inside_or)
    return branches


def _field(value: Any, path: str, where: str, branches: list[Branch], inside_or: bool) -> list[Branch]:
    if members(value) is not None:
        return _object(value, path, where, branches, inside_or=inside_or)
    if not isinstance(value, list):
        _refuse("must be an object, or an array of the values wanted", where)
    conditions = tuple(_condition(item, f"{where}/{i}") for i, item in enumerate(value))
    if not conditions:
        _refuse("an array must not be empty", where)
    # A path given twice, also inside and outside $or, is not AND: the later one replaces the earlier.
    return [{**branch, path: conditions} for branch in branches]


def _either(value: Any, path: str, where: str, branches: list[Branch]) -> list[Branch]:
    if not isinstance(value, list) or len(value) < 2:
        _refuse("$or needs an array of at least two objects", where)
    forks: list[Branch] = []
    for i, below in enumerate(value):
        if members(below) is None:
            _refuse("$or takes objects only", f"{where}/{i}")
        forks += _object(below, path, f"{where}/{i}", branches, inside_or=True)
        if len(forks) > MOST_BRANCHES:
            _refuse(f"too complex: $or makes more than {MOST_BRANCHES} combinations", where)
    return forks


def _condition(value: Any, where: str) -> Condition:
    pairs = members(value)
    if pairs is not None:
        return _expression(list(pairs), where)
    if isinstance(value, list):
        _refuse("must be a text, a number, true, false, null or a match expression", where)
    address = digits(value) if isinstance(value, str) else None
    return Exactly(scalar(value)) if address is None else Address(Span(address, address), value)


def _expression(pairs: list[tuple[str, Any]], where: str) -> Condition:
    if len(pairs) != 1:
        _refuse(f"a match expression has exactly one key, found {len(pairs)}", where)
    name, operand = pairs[0]
    if name == "exists":
        return _exists(operand, f"{where}/exists")
    operator: Callable[[Any, str], Condition] | None = OPERATORS.get(name)
    if operator is None:
        _refuse(f"unknown match expression {name!r}; there are exists, {', '.join(OPERATORS)}", where)
    return operator(operand, f"{where}/{name}")


def _exists(operand: Any, where: str) -> Condition:
    if not isinstance(operand, bool):
        _refuse("exists must be true or false", where)
    return Present() if operand else Absent()


def _refuse(reason: str, where: str) -> NoReturn:
    raise Wrong(reason, where)
