"""Match expressions, `{"prefix": "a"}` and its kin: each reads its operand into a condition, or says what is wrong."""

from collections.abc import Callable
from typing import Any, NoReturn

from vestnik.domain.patterns import addresses
from vestnik.domain.patterns.conditions import (
    Address,
    AnythingBut,
    Between,
    Condition,
    Exactly,
    Folded,
    Prefix,
    Suffix,
    Wildcard,
)
from vestnik.domain.patterns.written import Number, members, scalar

MOST_ASTERISKS = 5


class Wrong(Exception):
    """A pattern's fault, at the JSON pointer `where`; the package's door turns it into `Refused`."""

    def __init__(self, reason: str, where: str) -> None:
        super().__init__(reason)
        self.where = where


def _wrong(reason: str, where: str) -> NoReturn:
    raise Wrong(reason, where)


def _text(operand: Any, where: str) -> str:
    if not isinstance(operand, str):
        _wrong(f"{where.rpartition('/')[2]} must be a text", where)
    return operand


def _double(operand: Any, where: str) -> float:
    number = scalar(operand) if _is_number(operand) else None
    if not isinstance(number, float):
        _wrong("must be a number, and one that a double-precision number holds exactly", where)
    return number


def _is_number(operand: Any) -> bool:
    return isinstance(operand, int | float | Number) and not isinstance(operand, bool)


def _exactly(operand: Any, where: str) -> Condition:
    return Exactly(_text(operand, where))


def _prefix(operand: Any, where: str) -> Condition:
    return Prefix(_text(operand, where)) if members(operand) is None else _folded(operand, where, "start")


def _suffix(operand: Any, where: str) -> Condition:
    return Suffix(_text(operand, where)) if members(operand) is None else _folded(operand, where, "end")


def _folded(operand: Any, where: str, place: Any) -> Condition:
    return Folded(_text(_only(operand, "equals-ignore-case", where), f"{where}/equals-ignore-case"), place)


def _equals_ignore_case(operand: Any, where: str) -> Condition:
    return Folded(_text(operand, where), "whole")


def _only(operand: Any, name: str, where: str) -> Any:
    """The value of an object's one key, which must be `name`."""
    pairs = list(members(operand) or ())
    if [key for key, _ in pairs] != [name]:
        _wrong(f"takes a text or {{{name!r}: text}}", where)
    return pairs[0][1]


def _wildcard(operand: Any, where: str) -> Condition:
    text, parts, at = _text(operand, where), [""], 0
    while at < len(text):
        sign, following = text[at], text[at + 1 : at + 2]
        if sign == "\\" and (not following or following not in "*\\"):
            _wrong(f"a backslash stands only before '*' or a backslash (position {at})", where)
        if sign == "*" and following == "*":
            _wrong(f"two asterisks in a row (position {at})", where)
        if sign == "*":
            parts.append("")
        else:
            parts[-1] += following if sign == "\\" else sign
        at += 2 if sign == "\\" else 1
    if len(parts) - 1 > MOST_ASTERISKS and not parts[0]:
        _wrong(f"too complex: beginning with an asterisk, it may have {MOST_ASTERISKS} of them at most", where)
    return Wildcard(tuple(parts))


def _cidr(operand: Any, where: str) -> Condition:
    text = _text(operand, where)
    try:
        return Address(addresses.span(text), text)
    except ValueError as error:
        _wrong(str(error), where)


def _numeric(operand: Any, where: str) -> Condition:
    """`["=", n]`, one bound, or a lower bound followed by an upper one."""
    if not isinstance(operand, list) or len(operand) not in (2, 4):
        _wrong('numeric takes an array such as [">", 0] or [">", 0, "<=", 5]', where)
    sign, first = operand[0], _double(operand[1], f"{where}/1")
    if len(operand) == 4:
        return _range(sign, first, operand[2], _double(operand[3], f"{where}/3"), where)
    if sign in (">", ">="):
        return Between(first, sign == ">=", None, False)
    if sign in ("<", "<="):
        return Between(None, False, first, sign == "<=")
    if sign != "=":
        _wrong(f"unknown comparison {sign!r}; there are =, <, <=, > and >=", f"{where}/0")
    return Exactly(first)


def _range(low_sign: Any, low: float, high_sign: Any, high: float, where: str) -> Condition:
    if low_sign not in (">", ">="):
        _wrong("a range begins with > or >=", f"{where}/0")
    if high_sign not in ("<", "<="):
        _wrong("a range ends with < or <=", f"{where}/2")
    if low >= high:
        _wrong("the lower bound must be less than the upper", where)
    return Between(low, low_sign == ">=", high, high_sign == "<=")


def _anything_but(operand: Any, where: str) -> Condition:
    pairs = members(operand)
    if pairs is not None:
        return _anything_but_like(list(pairs), where)
    values = operand if isinstance(operand, list) else [operand]
    texts, numbers = (sum(map(is_one, values)) for is_one in (lambda v: isinstance(v, str), _is_number))
    if not values or len(values) not in (texts, numbers):
        _wrong("anything-but takes one text or number, or an array of either texts or numbers", where)
    return AnythingBut(tuple(Exactly(v if texts else _double(v, where)) for v in values))


def _anything_but_like(pairs: list[tuple[str, Any]], where: str) -> Condition:
    """anything-but of prefixes, suffixes, wildcards or texts in any case: one of them or an array."""
    if len(pairs) != 1 or pairs[0][0] not in _LIKE:
        _wrong(f"inside anything-but there is exactly one of {', '.join(_LIKE)}", where)
    name, operand = pairs[0]
    where = f"{where}/{name}"
    values = operand if isinstance(operand, list) else [operand]
    if not values:
        _wrong("an array must not be empty", where)
    if name in ("prefix", "suffix") and "" in values:
        _wrong(f"an empty {name} would forbid every text", where)
    return AnythingBut(tuple(_LIKE[name](_text(value, where), where) for value in values))


_LIKE: dict[str, Callable[[Any, str], Condition]] = {
    "equals-ignore-case": _equals_ignore_case,
    "prefix": _prefix,
    "suffix": _suffix,
    "wildcard": _wildcard,
}

OPERATORS: dict[str, Callable[[Any, str], Condition]] = {
    "prefix": _prefix,
    "suffix": _suffix,
    "equals-ignore-case": _equals_ignore_case,
    "wildcard": _wildcard,
    "anything-but": _anything_but,
    "numeric": _numeric,
    "cidr": _cidr,
    "exactly": _exactly,
}
