"""Formats: money and dates as people of a language write them.

Babel knows more languages, but costs 80 ms at a cold start and 59 microseconds an amount, as much as a whole mail:
the shipped languages are data here, and a test holds them against Babel.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime, tzinfo
from typing import Any

from jinja2.runtime import Context
from jinja2.utils import pass_context

from .words import words
from .zones import zone

NBSP = "\N{NO-BREAK SPACE}"
SYMBOLS = {"RUB": "₽", "EUR": "€", "USD": "$", "GBP": "£", "KZT": "₸", "UAH": "₴", "TRY": "₺"}
NO_MINOR_UNITS = words("BIF CLP DJF GNF ISK JPY KMF KRW PYG RWF UGX VND VUV XAF XOF XPF")
THREE_MINOR_UNITS = words("BHD IQD JOD KWD LYD OMR TND")


@dataclass(frozen=True)
class Habits:
    """How a language writes numbers and dates; `months` empty means dates in figures (ISO 8601)."""

    thousands: str
    decimal: str
    symbol_first: bool
    months: str = ""
    day: str = "{day} {month} {year}"


HABITS = {
    "en": Habits(
        ",", ".", True, "January February March April May June July August September October November December"
    ),
    "ru": Habits(
        NBSP,
        ",",
        False,
        "января февраля марта апреля мая июня июля августа сентября октября ноября декабря",
        "{day} {month} {year} г.",
    ),
    "bg": Habits(
        NBSP,
        ",",
        False,
        "януари февруари март април май юни юли август септември октомври ноември декември",
        "{day} {month} {year} г.",
    ),
}
OTHERS = Habits(NBSP, ",", False)


@pass_context
def money(context: Context, value: Any, currency: str = "") -> str:
    """`{"amount": 129900, "currency": "RUB"}` (minor units) as "1 299,00 ₽"; nothing where there is no amount."""
    amount, currency = _amount(value, currency)
    return "" if amount is None else written_money(amount, currency, str(context.get("language") or "en"))


@pass_context
def date_of(context: Context, value: Any, pattern: str = "") -> str:
    """An ISO 8601 date or time as "5 March 2026", in the recipient's or the shop's time zone."""
    moment = _moment(value, context)
    return "" if moment is None else written_date(moment, str(context.get("language") or "en"))


@pass_context
def date_and_time(context: Context, value: Any) -> str:
    """An ISO 8601 time as "5 March 2026, 14:05", in the recipient's or the shop's time zone."""
    moment = _moment(value, context)
    if not isinstance(moment, datetime):
        return date_of(context, value)
    return f"{written_date(moment, str(context.get('language') or 'en'))}, {moment:%H:%M}"


def written_money(amount: int, currency: str, language: str) -> str:
    """`amount` minor units (ISO 4217) of `currency` as written in `language`."""
    habits = HABITS.get(language[:2], OTHERS)
    number = _number(abs(amount), _digits(currency), habits)
    sign = "-" if amount < 0 else ""
    symbol = SYMBOLS.get(currency, currency)
    if not currency:
        return sign + number
    if habits.symbol_first and len(symbol) == 1:
        return f"{sign}{symbol}{number}"
    return f"{sign}{symbol}{NBSP}{number}" if habits.symbol_first else f"{sign}{number}{NBSP}{symbol}"


def written_date(day: date, language: str) -> str:
    """`day` in words where the language's months are known, else in figures."""
    habits = HABITS.get(language[:2], OTHERS)
    if not habits.months:
        return f"{day:%Y-%m-%d}"
    return habits.day.format(day=day.day, month=habits.months.split()[day.month - 1], year=day.year)


def _number(amount: int, digits: int, habits: Habits) -> str:
    whole, part = divmod(amount, 10**digits)
    grouped = f"{whole:,}".replace(",", habits.thousands)
    return f"{grouped}{habits.decimal}{part:0{digits}}" if digits else grouped


def _digits(currency: str) -> int:
    return 0 if currency in NO_MINOR_UNITS else 3 if currency in THREE_MINOR_UNITS else 2


def _amount(value: Any, currency: str) -> tuple[int | None, str]:
    if isinstance(value, Mapping):
        value, currency = value.get("amount"), str(value.get("currency") or currency)
    if isinstance(value, bool) or not isinstance(value, int | float):
        return None, currency
    return round(value), currency


def _moment(value: Any, context: Context) -> date | None:
    try:
        if isinstance(value, str) and len(value) <= 10:
            return date.fromisoformat(value)
        moment = datetime.fromisoformat(value)
    except (TypeError, ValueError):
        return None
    return moment.astimezone(_zone(context)) if moment.tzinfo else moment


def _zone(context: Context) -> tzinfo:
    for person in ("recipient", "shop"):
        facts = context.get(person)
        named = facts.get("timezone") if isinstance(facts, Mapping) else None
        found = zone(str(named)) if named else None
        if found:
            return found
    return UTC
