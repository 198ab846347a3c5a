"""Expressions of request definitions: JMESPath with a few functions of ours for money and time.

They see only the plain data that they are given; they have no loops, no side effects and no way out, and what they make
stays in proportion to that data (`metering`).
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta, timezone
from decimal import Decimal
from email.utils import parsedate_to_datetime
from functools import lru_cache
from typing import Any
from urllib.parse import quote

import jmespath
from jmespath import functions
from jmespath.exceptions import JMESPathError, JMESPathTypeError

from vestnik.domain.market import metering
from vestnik.domain.market.metering import Metered
from vestnik.errors import Refused

MOSCOW = timezone(timedelta(hours=3))
MILLISECONDS = 100_000_000_000  # a number of seconds beyond this would be the year 5138
LONGEST = 4000
LONGEST_NUMBER = 40  # digits

Json = Any


class _Functions(functions.Functions):
    """Beside the functions of the standard (jmespath.org/specification): each answers null for null."""

    @functions.signature({"types": []})
    def _func_minor(self, amount: Json) -> int | None:
        """Money in minor units: "12.30" -> 1230."""
        try:
            return None if amount in (None, "") else _whole((Decimal(str(amount)) * 100).to_integral_value())
        except ArithmeticError:
            return None

    @functions.signature({"types": []}, {"types": []})
    def _func_per(self, amount: Json, count: Json) -> int | None:
        """A sum in minor units shared over a count, half to even."""
        return round(Decimal(amount) / Decimal(count)) if amount is not None and count else None

    @functions.signature({"types": []}, {"types": []})
    def _func_minus(self, amount: Json, less: Json) -> int | None:
        """A whole number less another."""
        return int(amount) - int(less) if amount is not None and less is not None else None

    @functions.signature({"types": []})
    def _func_bits(self, mask: Json) -> list[int]:
        """The numbers of the bits that are set: 6 -> [1, 2]."""
        return [n for n in range(64) if isinstance(mask, int) and mask >> n & 1]

    @functions.signature({"types": []}, {"types": []})
    def _func_default(self, value: Json, otherwise: Json) -> Json:
        """The second where the first is null."""
        return otherwise if value is None else value

    @functions.signature({"types": []})
    def _func_text(self, value: Json) -> str | None:
        """As text, without quotes: 12 -> "12"."""
        return None if value is None else plain(value)

    @functions.signature({"types": []})
    def _func_integer(self, value: Json) -> int | None:
        """As a whole number: "12" -> 12."""
        try:
            return None if value in (None, "") else _whole(Decimal(str(value)))
        except ArithmeticError:
            return None

    @functions.signature({"types": []})
    def _func_lower(self, value: Json) -> str | None:
        """In lower case."""
        return value.lower() if isinstance(value, str) else None

    @functions.signature({"types": []})
    def _func_moment(self, value: Json) -> str | None:
        """A time in whatever way a marketplace writes it -> RFC 3339 UTC, whole seconds."""
        at = time(value)
        return rfc3339(at) if at else None

    @functions.signature({"types": []})
    def _func_unix(self, value: Json) -> int | None:
        """Seconds since 1970."""
        at = time(value)
        return int(at.timestamp()) if at else None

    @functions.signature({"types": []})
    def _func_day(self, value: Json) -> str | None:
        """YYYY-MM-DD."""
        at = time(value)
        return f"{at:%Y-%m-%d}" if at else None

    @functions.signature({"types": []})
    def _func_dmy(self, value: Json) -> str | None:
        """DD-MM-YYYY."""
        at = time(value)
        return f"{at:%d-%m-%Y}" if at else None

    @functions.signature({"types": []})
    def _func_moscow(self, value: Json) -> str | None:
        """YYYY-MM-DDTHH:MM:SS by Moscow's clock."""
        at = time(value)
        return f"{at.astimezone(MOSCOW):%Y-%m-%dT%H:%M:%S}" if at else None

    @functions.signature({"types": []}, {"types": []})
    def _func_plus(self, value: Json, seconds: Json) -> str | None:
        """So many seconds later, RFC 3339 UTC."""
        at = time(value)
        return rfc3339(at + timedelta(seconds=int(seconds))) if at and seconds is not None else None

    @functions.signature({"types": []}, {"types": []})
    def _func_lookup(self, table: Json, key: Json) -> Json:
        """What an object has under a key that is itself a value."""
        return table.get(plain(key)) if isinstance(table, dict) and not isinstance(key, list | dict) else None


def _whole(number: Decimal) -> int | None:
    # "1e999999999" is ten characters long, and would be a number of a billion digits.
    return int(number) if number.is_finite() and number.adjusted() < LONGEST_NUMBER else None


_OPTIONS = jmespath.Options(custom_functions=_Functions())


def plain(value: Json) -> str:
    """A value as text: whole numbers without a point, true and false as JSON has them."""
    match value:
        case bool():
            return "true" if value else "false"
        case float() if value.is_integer():
            return str(int(value))
    try:
        return str(value)
    except RecursionError:
        raise Refused("it is nested too deeply", code="expression") from None


def time(value: Json) -> datetime | None:
    """The time that unix seconds or milliseconds, RFC 3339, an HTTP date or DD-MM-YYYY[ HH:MM:SS] (Moscow) tell, or
    None."""
    if isinstance(value, bool) or value in (None, "", 0):
        return None
    if isinstance(value, int | float) or (isinstance(value, str) and value.isdigit()):
        number = float(value)
        return datetime.fromtimestamp(number / 1000 if number > MILLISECONDS else number, UTC)
    return _written(str(value))


def _written(text: str) -> datetime | None:
    try:
        at = datetime.fromisoformat(text)
        return at.astimezone(UTC) if at.tzinfo else at.replace(tzinfo=UTC)
    except ValueError:
        pass
    for form in ("%d-%m-%Y %H:%M:%S", "%d-%m-%Y"):
        try:
            return datetime.strptime(text, form).replace(tzinfo=MOSCOW).astimezone(UTC)
        except ValueError:
            continue
    try:
        return parsedate_to_datetime(text).astimezone(UTC)
    except (ValueError, TypeError):
        return None


def rfc3339(at: datetime) -> str:
    """A time as our data has it: UTC, whole seconds, `Z`."""
    return f"{at.astimezone(UTC):%Y-%m-%dT%H:%M:%SZ}"


@dataclass(frozen=True, slots=True)
class Compiled:
    """An expression as read: its syntax tree, and whether what it makes must be measured (it can repeat its data)."""

    tree: Mapping[str, Any]
    measured: bool

    def search(self, document: Json) -> Json:
        """What it finds in a document. Raises JMESPathError, ValueError, TypeError, ArithmeticError, RecursionError."""
        meter = Metered(_OPTIONS, document)
        found = meter.visit(self.tree, document)
        if self.measured:
            meter.spend(metering.weight(found))
        return found


@lru_cache(maxsize=1024)
def compiled(expression: str) -> Compiled:
    """An expression, read once. Refused where it is not one, with where it goes wrong."""
    if len(expression) > LONGEST:
        raise Refused(f"an expression has at most {LONGEST} characters", code="expression")
    try:
        tree = jmespath.compile(expression).parsed
        _check_functions(tree)
        return Compiled(tree, metering.repeats(tree))
    except RecursionError:
        raise Refused("it is nested too deeply", code="expression") from None
    except (JMESPathError, ValueError) as wrong:
        raise Refused(str(wrong).strip(), code="expression") from None


def _check_functions(tree: Mapping[str, Any]) -> None:
    """Refuse a function that there is not, or that takes another number of arguments."""
    if tree["type"] == "function_expression":
        name, given = tree["value"], len(tree["children"])
        told = _Functions.FUNCTION_TABLE.get(name)
        if told is None:
            raise Refused(f"there is no function {name}()", code="expression")
        takes = told["signature"]
        variadic = bool(takes) and bool(takes[-1].get("variadic"))
        if given < len(takes) or (given > len(takes) and not variadic):
            raise Refused(f"{name}() takes {len(takes)}, not {given}", code="expression")
    for child in _inner(tree):
        _check_functions(child)


def _inner(tree: Mapping[str, Any]) -> list[Mapping[str, Any]]:
    return [child for child in tree["children"] if isinstance(child, Mapping)]


ONWARDS = frozenset(
    [
        "subexpression",
        "index_expression",
        "pipe",
        "projection",
        "filter_projection",
        "flatten",
        "value_projection",
        "slice",
    ]
)
"""What looks at the whole document with its first part alone; the others see what that found."""


def roots(expression: str) -> frozenset[str]:
    """The names that an expression looks for in the document itself. Refused as `compiled`."""
    return frozenset(_roots(compiled(expression).tree))


def _roots(tree: Mapping[str, Any]) -> Iterator[str]:
    if tree["type"] == "field":
        yield tree["value"]
    elif tree["type"] != "expref":
        for child in _inner(tree)[: 1 if tree["type"] in ONWARDS else None]:
            yield from _roots(child)


def value(expression: str | None, document: Json) -> Json:
    """What an expression finds in a document; None for no expression. Refused where the data does not suit it, or where
    it makes far more of the data than there is."""
    if expression is None:
        return None
    if expression.isidentifier():  # most of them, once a row: the machinery would be most of the work
        return document.get(expression) if isinstance(document, dict) else None
    try:
        return compiled(expression).search(document)
    except (JMESPathError, ValueError, TypeError, ArithmeticError, RecursionError, OSError) as wrong:
        raise Refused(f"{expression}: {_why(wrong)}", code="expression") from None


def _why(wrong: Exception) -> str:
    # The library would write the whole value into its text.
    if isinstance(wrong, JMESPathTypeError):
        return f"{wrong.function_name}() takes {' or '.join(wrong.expected_types)}, not {wrong.actual_type}"
    return str(wrong).strip()


def filled(pattern: str, document: Mapping[str, Any], *, quoted: bool = False) -> str:
    """`pattern` with each `{dotted.name}` replaced by what the document has there; `quoted` for a part of a path."""
    pieces = pattern.split("{")
    out = [pieces[0]]
    for piece in pieces[1:]:
        name, closed, rest = piece.partition("}")
        found = value(name, document) if closed else None
        if found is None:
            raise Refused(f"there is no {name!r} to fill {pattern!r} with", code="expression")
        out.append((_quoted(found) if quoted else plain(found)) + rest)
    return "".join(out)


def _quoted(found: Json) -> str:
    try:
        return quote(plain(found), safe="")
    except UnicodeEncodeError:
        raise Refused("a path has text that is none", code="expression") from None


def tidy(found: Json) -> Json:
    """The same without the members of objects that are null. Refused where it is nested too deeply."""
    try:
        return _tidy(found)
    except RecursionError:
        raise Refused("it is nested too deeply", code="expression") from None


def _tidy(found: Json) -> Json:
    match found:
        case dict():
            return {name: _tidy(inner) for name, inner in found.items() if inner is not None}
        case list():
            return [_tidy(inner) for inner in found]
    return found
