"""A touch: what is linked to changed items is marked to be looked at, and its accounts' runs are woken.

A run is woken at once by the first touch, and once more some seconds later for what came meanwhile: the queue stays
small however many orders come in, and no touch waits for the clock.
"""

from collections import defaultdict
from collections.abc import Iterable
from datetime import datetime
from itertools import batched, chain

from vestnik.domain.market import stock
from vestnik.domain.market.stock import Item
from vestnik.flows import parallel, waking
from vestnik.store import goods, runs, settings, stock_sent

FLOW = "stock"
WRITTEN_AT_ONCE = 100
FRESH = 20.0  # seconds for which the settings are taken as read: a mark too many does no harm


def touch(shop: str, items: Iterable[str | Item], now: datetime, *, forced: bool = False, of: str | None = None) -> int:
    """Mark all units linked to these items (ids, or items as they stand) and wake their accounts; how many marks.

    `forced`: the number is to be sent even where it is the same: to the account `of`, whose marketplace changed its own
    for an order; None: to all. An account that rests gets no marks, but for its own orders: once it goes on, all is
    looked at.
    """
    given = list(items)
    read = goods.items(shop, [one for one in given if isinstance(one, str)])
    found: dict[str, dict[str, int]] = defaultdict(dict)
    for item in chain(read.values(), (one for one in given if isinstance(one, Item))):
        how_soon = stock.priority(item)
        for account, unit in sorted(item.links):
            found[account][unit] = min(how_soon, found[account].get(unit, how_soon))
    written = {account: units for account, units in found.items() if account == of or not _rests(shop, account, now)}
    return sum(_mark(shop, account, units, now, forced and of in (None, account)) for account, units in written.items())


def _rests(shop: str, account: str, now: datetime) -> bool:
    """Whether an account is not connected. What is kept in memory may be older than its going on, and then the look at
    all that is linked may have been before this touch: so the newest settings must say it, too."""
    return _at_rest(shop, account, now, FRESH) and _at_rest(shop, account, now, 0)


def _at_rest(shop: str, account: str, now: datetime, fresh_for: float) -> bool:
    body = settings.current(shop, now, fresh_for=fresh_for).accounts.get(account)
    return body is not None and body.get("state") != "connected"


def units(
    shop: str, account: str, wanted: Iterable[str], now: datetime, *, priority: int = stock.USUAL, forced: bool = False
) -> int:
    """Mark units of an account (newly linked, healed, or all by hand) and wake it; how many marks. Of an account that
    rests only those whose number is to be sent even where it is the same."""
    if not forced and _rests(shop, account, now):
        return 0
    return sum(
        _mark(shop, account, dict.fromkeys(part, priority), now, forced)
        for part in batched(wanted, 10_000, strict=False)
    )


def _mark(shop: str, account: str, wanted: dict[str, int], now: datetime, forced: bool) -> int:
    marks = stock_sent.marks(shop, account, wanted.items(), now, forced=forced)
    parallel.each(stock_sent.write, batched(marks, WRITTEN_AT_ONCE, strict=False))
    if marks:
        wake(shop, account, now)
    return len(marks)


def anew(shop: str, account: str, now: datetime) -> None:
    """Let the account's next run, woken now, read what stands there and look at all that is linked."""
    runs.put(shop, account, FLOW, rules=None)
    wake(shop, account, now)


def wake(shop: str, account: str, now: datetime) -> None:
    """Let the account's stock run soon."""
    waking.soon(shop, account, FLOW, now)


def forget() -> None:
    """Drop what is kept in memory."""
    waking.forget()
