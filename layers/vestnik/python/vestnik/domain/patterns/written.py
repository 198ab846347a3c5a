"""JSON as written: doubled keys and the spelling of numbers decide some patterns, and `json.loads` loses both."""

import json
from collections.abc import Iterable
from dataclasses import dataclass
from decimal import Decimal, InvalidOperation
from enum import Enum
from math import isfinite
from typing import Any, NoReturn

from vestnik.errors import Refused

EXACT_INTEGERS = 2**53
"""Every whole number below this has a double of its own, so no slow check is needed."""


@dataclass(frozen=True, slots=True)
class Number:
    """A number by its spelling, as JSON had it."""

    text: str


class Pairs:
    """A JSON object with its keys as written: in order, doubled ones kept."""

    __slots__ = ("pairs",)

    def __init__(self, pairs: list[tuple[str, Any]]) -> None:
        self.pairs = pairs

    def items(self) -> list[tuple[str, Any]]:
        return self.pairs


class Word(Enum):
    """JSON's three words; apart from Python's own, because there `True == 1`."""

    TRUE = "true"
    FALSE = "false"
    NULL = "null"


Scalar = str | float | Number | Word
"""A value a condition can look at. A `Number` here is one that no double holds exactly: it equals only itself."""

WORDS = {True: Word.TRUE, False: Word.FALSE, None: Word.NULL}


def comparable(text: str) -> float | None:
    """The double that is exactly this decimal number; None where there is none (event-ruler, ComparableNumber)."""
    double = float(text)
    if not isfinite(double):
        return None
    try:
        return double if Decimal(repr(double)) == Decimal(text) else None
    except InvalidOperation:
        return None


def scalar(value: Any) -> Scalar:
    """One form for a value as written and the same value as `json.loads` or DynamoDB (`Decimal`) gives it."""
    kind = type(value)
    if kind is str:
        return str(value)
    if kind is bool or value is None:
        return WORDS[value]
    if kind is int and -EXACT_INTEGERS < value < EXACT_INTEGERS:
        return float(value)
    return _number(value)


def _number(value: Any) -> float | Number:
    if not isinstance(value, int | float | Decimal | Number):
        raise TypeError(f"not a JSON value: {value!r}")
    number = value if isinstance(value, Number) else Number(str(value))
    double = comparable(number.text)
    return number if double is None else double


def members(value: Any) -> Iterable[tuple[str, Any]] | None:
    """The pairs of an object, plain or as written; None for anything else."""
    return value.items() if isinstance(value, (dict, Pairs)) else None


def read(text: str, what: str) -> Any:
    """The JSON value at the start of `text`, as written; what follows it is ignored, as AWS's engine does.

    Raises `Refused("invalid-json")`, with `what` naming the text in the reason.
    """
    try:
        return _DECODER.raw_decode(text, len(text) - len(text.lstrip(" \t\r\n")))[0]
    except (ValueError, RecursionError) as error:
        raise Refused(f"{what} is not JSON: {_reason(error)}", code="invalid-json") from error


def read_written(body: str) -> dict[str, Any]:
    """The top level of a request body as a dict, with the objects below it as written.

    Made for `POST /v1/patterns/test`, so that the body is parsed once: the result's "pattern" and "event" go to `test`.
    Raises `Refused("invalid-json")`.
    """
    value = read(body, "the body")
    pairs = members(value)
    if pairs is None:
        raise Refused("the body must be a JSON object", code="invalid-json")
    return dict(pairs)


def _reason(error: ValueError | RecursionError) -> str:
    return str(error) if isinstance(error, ValueError) else "nested too deeply"


def _no_such_number(name: str) -> NoReturn:
    raise ValueError(f"{name} is not a JSON number")


_DECODER = json.JSONDecoder(
    object_pairs_hook=Pairs, parse_int=Number, parse_float=Number, parse_constant=_no_such_number
)
