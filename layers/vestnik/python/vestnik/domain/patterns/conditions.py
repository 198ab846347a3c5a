"""Conditions: what one field of an event may be asked. Each says whether a value meets it, and says so in words.

The engine compares strings with their quotation marks on; that shows only where a prefix ends or a suffix begins
with one, and is kept (`Prefix`, `Suffix`, `Folded`).
"""

import json
import re
from dataclasses import dataclass, field
from typing import Literal, Protocol

from vestnik.domain.patterns import addresses
from vestnik.domain.patterns.written import Number, Scalar, Word


class Condition(Protocol):
    """A question to one value; `str()` completes the sentence "the value must ..."."""

    def holds(self, value: Scalar) -> bool: ...


@dataclass(frozen=True, slots=True)
class Exactly:
    value: Scalar

    def holds(self, value: Scalar) -> bool:
        return type(value) is type(self.value) and value == self.value

    def __str__(self) -> str:
        return f"be {shown(self.value)}"


@dataclass(frozen=True, slots=True)
class Prefix:
    text: str

    def holds(self, value: Scalar) -> bool:
        return isinstance(value, str) and (value + '"').startswith(self.text)

    def __str__(self) -> str:
        return f"begin with {shown(self.text)}"


@dataclass(frozen=True, slots=True)
class Suffix:
    text: str

    def holds(self, value: Scalar) -> bool:
        return isinstance(value, str) and ('"' + value).endswith(self.text)

    def __str__(self) -> str:
        return f"end with {shown(self.text)}"


@dataclass(frozen=True, slots=True)
class Folded:
    """A text in capitals or not, letter by letter: each may be its own lower or upper form ("ß" also "SS").

    Emoji and other letters beyond 16 bits match themselves; the engine garbles them and never matches.
    """

    text: str
    place: Literal["whole", "start", "end"]
    form: re.Pattern[str] = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        letters = "".join(f"(?:{re.escape(c.lower())}|{re.escape(c.upper())})" for c in self.text)
        object.__setattr__(self, "form", re.compile(letters + (r"\Z" if self.place == "end" else "")))

    def holds(self, value: Scalar) -> bool:
        if not isinstance(value, str):
            return False
        if self.place == "whole":
            return self.form.fullmatch(value) is not None
        if self.place == "start":
            return self.form.match(value + '"') is not None
        return self.form.search('"' + value) is not None

    def __str__(self) -> str:
        verb = {"whole": "be", "start": "begin with", "end": "end with"}[self.place]
        return f"{verb} {shown(self.text)} in capitals or not"


@dataclass(frozen=True, slots=True)
class Wildcard:
    """Fixed parts with anything between them: `parts` are those around the asterisks."""

    parts: tuple[str, ...]

    def holds(self, value: Scalar) -> bool:
        if not isinstance(value, str):
            return False
        if len(self.parts) == 1:
            return value == self.parts[0]
        at, end = len(self.parts[0]), len(value) - len(self.parts[-1])
        if at > end or not (value.startswith(self.parts[0]) and value.endswith(self.parts[-1])):
            return False
        for part in self.parts[1:-1]:
            found = value.find(part, at, end)
            if found < 0:
                return False
            at = found + len(part)
        return True

    def __str__(self) -> str:
        return f"look like {shown('*'.join(self.parts))}"


@dataclass(frozen=True, slots=True)
class Between:
    """A number in a range; an end that is None is open to infinity."""

    low: float | None
    low_inside: bool
    high: float | None
    high_inside: bool

    def holds(self, value: Scalar) -> bool:
        if not isinstance(value, float):
            return False
        if self.low is not None and not (value > self.low or (self.low_inside and value == self.low)):
            return False
        return self.high is None or value < self.high or (self.high_inside and value == self.high)

    def __str__(self) -> str:
        low = "" if self.low is None else f"{'at least' if self.low_inside else 'more than'} {self.low:g}"
        high = "" if self.high is None else f"{'at most' if self.high_inside else 'less than'} {self.high:g}"
        return "be " + " and ".join(end for end in (low, high) if end)


@dataclass(frozen=True, slots=True)
class Address:
    """An IP address in a range; `text` is how the pattern wrote it."""

    span: addresses.Span
    text: str

    def holds(self, value: Scalar) -> bool:
        digits = addresses.digits(value) if isinstance(value, str) else None
        return digits is not None and self.span.holds(digits)

    def __str__(self) -> str:
        return f"be an IP address in {self.text}" if "/" in self.text else f"be the IP address {self.text}"


@dataclass(frozen=True, slots=True)
class AnythingBut:
    """Any value, of any type, that meets none of these."""

    unwanted: tuple[Condition, ...]

    def holds(self, value: Scalar) -> bool:
        return not any(condition.holds(value) for condition in self.unwanted)

    def __str__(self) -> str:
        return "not " + " nor ".join(map(str, self.unwanted))


@dataclass(frozen=True, slots=True)
class Present:
    def holds(self, value: Scalar) -> bool:
        return True

    def __str__(self) -> str:
        return "be there"


@dataclass(frozen=True, slots=True)
class Absent:
    def holds(self, value: Scalar) -> bool:
        return False

    def __str__(self) -> str:
        return "not be there"


def shown(value: Scalar) -> str:
    """A value as JSON would spell it."""
    if isinstance(value, Number):
        return value.text
    if isinstance(value, Word):
        return value.value
    return f"{value:.15g}" if isinstance(value, float) else json.dumps(value, ensure_ascii=False)
