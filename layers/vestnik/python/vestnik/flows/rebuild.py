"""Statistics counted anew from the ledger, for the days that are still in it.

Sums and ledger agree unless something went wrong, except while the stream brings changes to the sums. So a day is
replaced only where the two differ and neither moves between two looks; one that moves is left and named.
"""

from collections.abc import Callable, Iterator, Mapping
from datetime import date, timedelta
from typing import Any

from vestnik.domain import statistics
from vestnik.store import counters, ledger

AT_ONCE = 1000
LOOKS = 3

type Sums = dict[statistics.Row, dict[str, int]]


def days(first: date, last: date) -> Iterator[date]:
    """The days from `first` to `last`, both inside."""
    return (first + timedelta(days=n) for n in range((last - first).days + 1))


def rebuild(shop: str, day: date, rest: Callable[[], None]) -> str:
    """Recount one day: `right` (nothing to do), `replaced`, or `moving` (try again when the shop is quieter).

    `rest` waits long enough for the stream to bring what is under way.
    """
    short = f"{day:%y%m%d}"
    before = _look(shop, short)
    for _ in range(LOOKS):
        if before[0] == before[1]:
            return "right"
        rest()
        after = _look(shop, short)
        if after == before:
            counters.replace_day(shop, short, before[0])
            return "replaced"
        before = after
    return "right" if before[0] == before[1] else "moving"


def _look(shop: str, day: str) -> tuple[Sums, Sums]:
    """What the ledger says of a day, and what the sums say."""
    counted = statistics.sums(_messages(shop, day))
    rows = counters.day(shop, day)
    kept = {(shop, day, row["channel"], row["rule"], row["template"]): _counts(row) for row in rows}
    return {row: _counts(words) for row, words in counted.items()}, kept


def _counts(row: Mapping[str, Any]) -> dict[str, int]:
    return {word: row[word] for word in statistics.COUNTED if row.get(word)}


def _messages(shop: str, day: str) -> Iterator[dict[str, Any]]:
    cursor: str | None = ""
    while cursor is not None:
        page, cursor = ledger.day_page(shop, day, AT_ONCE, cursor)
        yield from page
