"""Expressions of request definitions: JMESPath with a few functions of ours for money and time.

They see only the plain data that they are given; they have no loops, no side effects and no way out.
"""

from collections.abc import Mapping
from datetime import UTC, datetime, timedelta, timezone
from decimal import Decimal, InvalidOperation
from email.utils import parsedate_to_datetime
from functools import lru_cache
from typing import Any
from urllib.parse import quote

import jmespath
from jmespath import functions
from jmespath.exceptions import JMESPathError

from vestnik.errors import Refused

MOSCOW = timezone(timedelta(hours=3))
MILLISECONDS = 100_000_000_000  # a number of seconds beyond this would be the year 5138
LONGEST = 4000

Json = Any


class _Functions(functions.Functions):
    """Beside the functions of the standard (jmespath.org/specification): each answers null for null."""

    @functions.signature({"types": []})
    def _func_minor(self, amount: Json) -> int | None:
        """Money in minor units: "12.30" -> 1230."""
        try:
            return None if amount in (None, "") else int((Decimal(str(amount)) * 100).to_integral_value())
        except InvalidOperation:
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
            return None if value in (None, "") else int(Decimal(str(value)))
        except InvalidOperation:
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
        return table.get(plain(key)) if isinstance(table, dict) else None


_OPTIONS = jmespath.Options(custom_functions=_Functions())


def plain(value: Json) -> str:
    """A value as text: whole numbers without a point, true and false as JSON has them."""
    match value:
        case bool():
            return "true" if value else "false"
        case float() if value.is_integer():
            return str(int(value))
    return str(value)


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


@lru_cache(maxsize=1024)
def compiled(expression: str) -> Any:
    """An expression, read once. Refused where it is not one, with where it goes wrong."""
    if len(expression) > LONGEST:
        raise Refused(f"an expression has at most {LONGEST} characters", code="expression")
    try:
        return jmespath.compile(expression)
    except (JMESPathError, ValueError) as wrong:
        raise Refused(str(wrong).strip(), code="expression") from None


def value(expression: str | None, document: Json) -> Json:
    """What an expression finds in a document; None for no expression. Refused where the data does not suit it."""
    if expression is None:
        return None
    if expression.isidentifier():  # most of them, once a row: the machinery would be most of the work
        return document.get(expression) if isinstance(document, dict) else None
    try:
        return compiled(expression).search(document, options=_OPTIONS)
    except (JMESPathError, ValueError, TypeError, OverflowError, RecursionError) as wrong:
        raise Refused(f"{expression}: {str(wrong).strip()}", code="expression") from None


def filled(pattern: str, document: Mapping[str, Any], *, quoted: bool = False) -> str:
    """`pattern` with each `{dotted.name}` replaced by what the document has there; `quoted` for a part of a path."""
    pieces = pattern.split("{")
    out = [pieces[0]]
    for piece in pieces[1:]:
        name, closed, rest = piece.partition("}")
        found = value(name, document) if closed else None
        if found is None:
            raise Refused(f"there is no {name!r} to fill {pattern!r} with", code="expression")
        out.append((quote(plain(found), safe="") if quoted else plain(found)) + rest)
    return "".join(out)


def tidy(found: Json) -> Json:
    """The same without the members of objects that are null."""
    match found:
        case dict():
            return {name: tidy(inner) for name, inner in found.items() if inner is not None}
        case list():
            return [tidy(inner) for inner in found]
    return found
