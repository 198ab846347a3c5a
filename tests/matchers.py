"""A slow and obvious matcher of event patterns, written apart from the engine and used to judge it.

It knows the rules from the EventBridge user guide and shares no code with `vestnik.domain.patterns`. Patterns and
events are JSON text or plain objects; only valid patterns are understood.
"""

import json
import re
from collections.abc import Iterator
from decimal import Decimal
from functools import cache
from ipaddress import IPv6Address, ip_address, ip_network
from typing import Any

Pair = tuple[str, Any]
Element = tuple[int, int]


class Members(list[Pair]):
    """A JSON object as its pairs."""


class Spelt(str):
    """A JSON number by its spelling."""


def slow_matches(pattern: Any, event: Any) -> bool:
    """Whether the event meets the pattern."""
    values = list(_values(_parsed(event), "", {}, iter(range(10**9))))
    return any(_meets(sorted(branch.items()), values, {}) for branch in branches(pattern))


def branches(pattern: Any) -> list[dict[str, list[Any]]]:
    """The pattern without `$or`: one dict of path -> wanted for each way to meet it."""
    return _branches(_parsed(pattern), "", [{}])


def _parsed(value: Any) -> Any:
    text = value if isinstance(value, str) else json.dumps(value)
    return json.loads(text, object_pairs_hook=Members, parse_int=Spelt, parse_float=Spelt)


def _branches(pattern: Members, prefix: str, so_far: list[dict[str, list[Any]]]) -> list[dict[str, list[Any]]]:
    for name, wanted in pattern:
        if name == "$or":
            so_far = [branch for way in wanted for branch in _branches(way, prefix, so_far)]
        elif isinstance(wanted, Members):
            so_far = _branches(wanted, prefix + name + ".", so_far)
        else:
            so_far = [branch | {prefix + name: wanted} for branch in so_far]
    return so_far


def _values(
    value: Any, path: str, lies_in: dict[int, int], ids: Iterator[int]
) -> Iterator[tuple[str, Any, dict[int, int]]]:
    if isinstance(value, Members):
        for key, below in value:
            yield from _values(below, f"{path}.{key}" if path else key, lies_in, ids)
    elif isinstance(value, list):
        array = next(ids)
        for index, item in enumerate(value):
            inside = lies_in | {array: index} if isinstance(item, list) else lies_in
            yield from _values(item, path, inside, ids)
    else:
        yield path, value, lies_in


def _meets(asked: list[tuple[str, list[Any]]], values: list[Any], chosen: dict[int, int]) -> bool:
    """Try every value for the first path, then the rest with the array elements so chosen."""
    if not asked:
        return True
    (path, wanted), rest = asked[0], asked[1:]
    here = [
        (value, lies_in)
        for at, value, lies_in in values
        if at == path and all(chosen.get(array, index) == index for array, index in lies_in.items())
    ]
    if not here and any(w == [("exists", False)] for w in wanted) and _meets(rest, values, chosen):
        return True
    return any(any(_is(value, w) for w in wanted) and _meets(rest, values, chosen | lies_in) for value, lies_in in here)


def _is(value: Any, wanted: Any) -> bool:
    if isinstance(wanted, Members):
        [(operator, operand)] = wanted
        return _OPERATORS[operator](value, operand)
    if isinstance(wanted, Spelt):
        return isinstance(value, Spelt) and _same_number(value, wanted)
    if isinstance(wanted, str) and _address(wanted) is not None:
        return _text(value) and _address(value) == _address(wanted)
    return type(value) is type(wanted) and value == wanted


def _text(value: Any) -> bool:
    return isinstance(value, str) and not isinstance(value, Spelt)


def _double(value: Any) -> float | None:
    if not isinstance(value, Spelt) or abs(Decimal(value)) > Decimal("1.8e308"):
        return None
    double = float(value)
    return double if Decimal(repr(double)) == Decimal(value) else None


def _same_number(value: Spelt, wanted: Spelt) -> bool:
    return str(value) == str(wanted) or (_double(wanted) is not None and _double(value) == _double(wanted))


@cache
def _address(text: str) -> Any:
    if not re.fullmatch(r"\d+\.\d+\.\d+\.\d+|[0-9a-fA-F:]*:[0-9a-fA-F:]*", text, re.ASCII):
        return None
    try:
        address = ip_address(".".join(str(int(part)) for part in text.split(".")) if "." in text else text)
    except ValueError:
        return None
    mapped = address.ipv4_mapped if isinstance(address, IPv6Address) else None
    return mapped or address


def _in_block(value: Any, block: str) -> bool:
    address = _address(value) if _text(value) else None
    network = ip_network(block, strict=False)
    return address is not None and address.version == network.version and address in network


def _numeric(value: Any, terms: list[str]) -> bool:
    double = _double(value)
    if double is None:
        return False
    compare = {"=": float.__eq__, "<": float.__lt__, "<=": float.__le__, ">": float.__gt__, ">=": float.__ge__}
    return all(compare[sign](double, float(bound)) for sign, bound in zip(terms[::2], terms[1::2], strict=True))


def _same_letters(value: str, wanted: str) -> bool:
    """Letter by letter, each letter of the pattern in its lower or its upper form."""
    if not wanted:
        return not value
    forms = {wanted[0].lower(), wanted[0].upper()}
    return any(value.startswith(form) and _same_letters(value[len(form) :], wanted[1:]) for form in forms)


def _like(value: str, wildcard: str) -> bool:
    """Character by character: an asterisk takes nothing, or one character and stays."""

    @cache
    def rest(at: int, star: int) -> bool:
        if star == len(wildcard):
            return at == len(value)
        if wildcard[star] == "*":
            return rest(at, star + 1) or (at < len(value) and rest(at + 1, star))
        literal = star + 1 if wildcard[star] == "\\" else star
        return at < len(value) and value[at] == wildcard[literal] and rest(at + 1, literal + 1)

    return rest(0, 0)


def _prefix(value: Any, wanted: Any) -> bool:
    if isinstance(wanted, Members):
        return _text(value) and any(_same_letters(value[:size], wanted[0][1]) for size in range(len(value) + 1))
    return _text(value) and value[: len(wanted)] == wanted


def _suffix(value: Any, wanted: Any) -> bool:
    if isinstance(wanted, Members):
        return _text(value) and any(_same_letters(value[at:], wanted[0][1]) for at in range(len(value) + 1))
    return _text(value) and value[max(0, len(value) - len(wanted)) :] == wanted


def _anything_but(value: Any, unwanted: Any) -> bool:
    if isinstance(unwanted, Members):
        [(operator, operands)] = unwanted
        each = operands if isinstance(operands, list) else [operands]
        return not any(_OPERATORS[operator](value, operand) for operand in each)
    for one in unwanted if isinstance(unwanted, list) else [unwanted]:
        same = _same_number(value, one) if isinstance(value, Spelt) and isinstance(one, Spelt) else value == one
        if type(value) is type(one) and same:
            return False
    return True


_OPERATORS = {
    "exists": lambda value, wanted: wanted,
    "exactly": lambda value, wanted: _text(value) and value == wanted,
    "prefix": _prefix,
    "suffix": _suffix,
    "equals-ignore-case": lambda value, wanted: _text(value) and _same_letters(value, wanted),
    "wildcard": lambda value, wanted: _text(value) and _like(value, wanted),
    "numeric": _numeric,
    "cidr": _in_block,
    "anything-but": _anything_but,
}
