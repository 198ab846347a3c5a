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
from vestnik.store import goods, runs, stock_sent

FLOW = "stock"
WRITTEN_AT_ONCE = 100


def touch(shop: str, items: Iterable[str | Item], now: datetime, *, forced: bool = False) -> int:
    """Mark all units linked to these items (ids, or items as they stand) and wake their accounts; how many marks.

    `forced`: the number is to be sent even where it is the same, because the marketplace changed its own (an order).
    """
    given = list(items)
    read = goods.items(shop, [one for one in given if isinstance(one, str)])
    found: dict[str, dict[str, int]] = defaultdict(dict)
    for item in chain(read.values(), (one for one in given if isinstance(one, Item))):
        how_soon = stock.priority(item)
        for account, unit in item.links:
            found[account][unit] = min(how_soon, found[account].get(unit, how_soon))
    return sum(_mark(shop, account, units, now, forced) for account, units in found.items())


def units(
    shop: str, account: str, wanted: Iterable[str], now: datetime, *, priority: int = stock.USUAL, forced: bool = False
) -> int:
    """Mark units of an account (newly linked, healed, or all by hand) and wake it; how many marks."""
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
