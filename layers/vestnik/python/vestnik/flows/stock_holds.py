"""Holds: what orders take from items. Each is reserved once, let go before handover, or gone with the goods.

reserve --> release   (cancelled before handover: it is for sale again)
       \\-> consume   (left: off our hands until the shop's own number tells so)

Every step may be done again and is then the same. After each one the units of the items are touched, also where
nothing changed: the run that did it before may have died before the touch.
"""

from collections.abc import Callable, Iterable, Mapping
from datetime import datetime

from vestnik.domain.cloudevents import utc
from vestnik.domain.market import stock
from vestnik.domain.market.stock import Hold, Item
from vestnik.flows import parallel, stock_low, stock_touch
from vestnik.store import goods


def reserve(shop: str, id: str, items: Mapping[str, int], warehouses: Iterable[str], now: datetime) -> None:
    """Let an order take these quantities of these items, from these of the shop's warehouses (none named: any). What it
    took of them before is replaced; what it took of others stays until it is released.

    `id`: a posting's (`account:number`), or `order/<id>` of the shop's own orders.
    """
    known = goods.order(shop, id).known
    where = frozenset(warehouses)

    def put(item: str) -> Item:
        after = goods.put_held(shop, item, id, Hold(items[item], where, known=known, since=utc(now)))
        left = stock.available(after)
        stock_low.tell(shop, after, None if left is None else left + items[item], id, now)
        return after

    _all(shop, id, put, items, now)


def release(shop: str, id: str, items: Iterable[str], now: datetime) -> None:
    """Let an order take nothing more of these items. What has left stays off until the shop reports it back."""
    _all(shop, id, lambda item: goods.drop_held(shop, item, id), items, now)


def consume(shop: str, id: str, items: Iterable[str], at: str, now: datetime) -> None:
    """An order's goods have left the warehouse at a time (RFC 3339 UTC): a number that the shop tells from then on
    lacks them already. The first time that was told stands."""
    _all(shop, id, lambda item: goods.mark_held(shop, item, id, gone=at), items, now)


def know(shop: str, id: str, items: Iterable[str], at: str, now: datetime) -> None:
    """The shop's own system knows of an order since a time: a number that is free of its reservations, told from then
    on, lacks them already."""
    _all(shop, id, lambda item: goods.mark_held(shop, item, id, known=at), items, now)


def _all(shop: str, id: str, change: Callable[[str], Item], items: Iterable[str], now: datetime) -> None:
    wanted = sorted(items)
    changed = [change(wanted[0])] if len(wanted) == 1 else parallel.each(change, wanted)
    stock_touch.touch(shop, changed, now, forced=True, of=id.partition(":")[0])
