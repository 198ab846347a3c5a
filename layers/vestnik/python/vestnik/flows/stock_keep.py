"""Keeping what the shop tells of its stock: newer news only, and what changed is marked to be sent."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from vestnik.domain.cloudevents import utc
from vestnik.domain.market import stock
from vestnik.domain.market.stock import PHYSICAL, Item, Stock
from vestnik.flows import parallel, stock_low, stock_touch
from vestnik.store import goods

LONG_AGO = "0001-01-01T00:00:00Z"
_begun: set[str] = set()


@dataclass(frozen=True, slots=True)
class Kept:
    """What rows came to: numbers kept, numbers that were no news, items whose stock changed by them."""

    kept: int
    stale: int
    changed: int


def keep(shop: str, rows: Iterable[Mapping[str, Any]], now: datetime) -> Kept:
    """Keep rows {item, warehouse, quantity, kind?, as_of?}. A row that is no newer than what is known of its item and
    warehouse changes nothing; of several for one pair the newest counts. `as_of` is RFC 3339 with any offset."""
    told, at = _by_item(rows, utc(now)), utc(now)
    if told and shop not in _begun:
        goods.begin(shop)
        _begun.add(shop)

    def put(item: str) -> tuple[Item, Item, set[str]]:
        just_now = {name for name, one in told[item].items() if one.as_of == at}
        return goods.keep_stock(shop, item, told[item], just_now)

    done = parallel.each(put, told)
    _forget_spent(shop, [after for _, after, _ in done])
    changed = [after for before, after, _ in done if _matters(before, after)]
    stock_touch.touch(shop, changed, now)
    for before, after, _ in done:
        newest = max((one.as_of for one in after.stock.values()), default="")
        stock_low.tell(shop, after, stock.available(before), newest, now)
    stale = sum(len(old) for _, _, old in done)
    return Kept(sum(map(len, told.values())) - stale, stale, len(changed))


def _by_item(rows: Iterable[Mapping[str, Any]], now: str) -> dict[str, dict[str, Stock]]:
    found = dict[str, dict[str, Stock]]()
    for row in rows:
        as_of = _moment(row["as_of"], now) if row.get("as_of") else now
        told = Stock(int(row["quantity"]), row.get("kind") or PHYSICAL, as_of)
        places = found.setdefault(row["item"], {})
        if row["warehouse"] not in places or places[row["warehouse"]].as_of <= as_of:
            places[row["warehouse"]] = told
    return found


def _moment(text: str, now: str) -> str:
    """A row's time. One that is ahead of ours counts as now: else nothing newer could be told for so long."""
    try:
        return min(utc(datetime.fromisoformat(text)), now)
    except OverflowError:  # the first day there is, in a zone that was a day before it
        return LONG_AGO


def _matters(before: Item, after: Item) -> bool:
    """Whether anything that is for sale changed: a number told anew is often the same, and costs nothing further."""
    if not after.held:
        was = {name: one.quantity for name, one in before.stock.items()}
        return was != {name: one.quantity for name, one in after.stock.items()}
    return any(
        stock.available(before, (name,)) != stock.available(after, (name,)) for name in after.stock
    ) or stock.available(before) != stock.available(after)


def _forget_spent(shop: str, items: Iterable[Item]) -> None:
    over = {item.id: ids for item in items if (ids := stock.spent(item))}
    parallel.each(lambda id: goods.prune(shop, id, over[id]), over)


def forget() -> None:
    """Drop what is kept in memory."""
    _begun.clear()
