"""Whether an event concerns the shop's stock: told without what the work itself needs, so that shops that keep no stock
here pay nothing for it, at a cold start least of all."""

from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any

from vestnik import resources
from vestnik.store import goods
from vestnik.store.settings import Settings

PLACED, CANCELLED = "order.placed", "order.cancelled"
LEFT = ("order.shipped", "order.out_for_delivery", "order.delivered")
STOCK = "stock.changed"
FRESH = timedelta(minutes=1)
WAITS = (0.05, 0.2)  # seconds


def take(shop: str, event: Mapping[str, Any], current: Settings, now: datetime) -> None:
    """Do what an event asks of the shop's stock, if anything. Raises what the store raises: the event comes again."""
    orders = event["type"] in (PLACED, CANCELLED, *LEFT) and _keeps(shop, current, now)
    if event["type"] == STOCK or orders:
        _take(shop, event, current, now)


def _take(shop: str, event: Mapping[str, Any], current: Settings, now: datetime) -> None:
    """Every step may be done again, so what fails is tried again here: the queue would bring the event back minutes
    later, and all the while the other channels would offer what this order took."""
    from vestnik.flows import stock_orders

    for wait in WAITS:
        try:
            return stock_orders.take(shop, event, current, now)
        except Exception as error:
            resources.log("stock-again", shop=shop, type=event["type"], error=repr(error))
            resources.pause(wait)
    return stock_orders.take(shop, event, current, now)


def _keeps(shop: str, current: Settings, now: datetime) -> bool:
    """Whether the shop has any stock or accounts at all: others' orders cost nothing here."""
    if current.accounts:
        return True
    keeps, until = current.kept.get(STOCK) or (False, now)
    if now >= until:
        keeps = goods.keeps_stock(shop)
        current.kept[STOCK] = (keeps, now + FRESH)
    return bool(keeps)
