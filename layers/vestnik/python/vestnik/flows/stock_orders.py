"""The shop's own orders take from its stock: reserved when placed, let go when cancelled, gone when shipped.

An order that the shop made from a marketplace's names it (`marketplace: {account, number}`): both are one hold, the
posting's, and the shop's event only tells since when the shop's system knows of it.
"""

from collections.abc import Mapping
from dataclasses import replace
from datetime import datetime
from math import ceil
from typing import Any

from vestnik.domain.market import postings
from vestnik.flows import stock_holds, stock_keep
from vestnik.flows.stock_gate import CANCELLED, LEFT, PLACED, STOCK
from vestnik.store import goods
from vestnik.store import postings as kept
from vestnik.store.goods import Order
from vestnik.store.settings import Settings

Event = Mapping[str, Any]


def take(shop: str, event: Event, current: Settings, now: datetime) -> None:
    """Do what an event asks of the shop's stock. Whatever is told twice, or in another order, comes to the same."""
    if event["type"] == STOCK:
        rows = [{**row, "as_of": row.get("as_of") or event["time"]} for row in event["data"]["items"]]
        stock_keep.keep(shop, rows, now)
        current.kept.pop(STOCK, None)
    elif event["type"] in (PLACED, CANCELLED, *LEFT):
        _order(shop, event, current, now)


def _order(shop: str, event: Event, current: Settings, now: datetime) -> None:
    told = event["data"].get("order") or {}
    shared = told.get("marketplace") or {}
    if isinstance(shared, Mapping) and shared.get("account") in current.accounts and shared.get("number"):
        _shared(shop, str(shared["account"]), str(shared["number"]), event, now)
    elif id := told.get("id") or event["data"].get("order_id"):
        _own(shop, f"order/{id}", _next(event), now)


def _shared(shop: str, account: str, number: str, event: Event, now: datetime) -> None:
    """The posting holds; the shop's word that it knows of it is kept also for a posting that is not read yet."""
    id = postings.id_of(account, number)
    _kept(shop, id, lambda order: replace(order, known=order.known or event["time"]))
    found = kept.get(shop, account, number)
    items = postings.held_items(found.body) if found else {}
    if items:
        stock_holds.know(shop, id, items, event["time"], now)


def _next(event: Event) -> Any:
    """What an event makes of an order. Cancelled is for good, unless it has left before: whichever comes first."""
    time, takes = event["time"], _takes(event["data"].get("order") or {})

    def step(order: Order) -> Order:
        order = replace(order, takes=takes or order.takes, known=order.known or time)
        if event["type"] == CANCELLED:
            return order if order.gone else replace(order, state=goods.RELEASED)
        if event["type"] in LEFT:
            return replace(order, gone=order.gone or time, state=goods.OPEN)
        return order

    return step


def _takes(told: Mapping[str, Any]) -> dict[str, int]:
    """How much of each item an order takes: pieces, rounded up where the shop sells by weight."""
    found = dict[str, int]()
    for line in told.get("items") or ():
        if line.get("sku"):
            found[line["sku"]] = found.get(line["sku"], 0) + max(0, ceil(line.get("quantity") or 1))
    return {item: quantity for item, quantity in found.items() if quantity}


def _own(shop: str, id: str, step: Any, now: datetime) -> None:
    """Bring the items in line with the order as it is, until it is what it was: another event may come between."""
    before, order = _kept(shop, id, step)
    seen = set(before.takes)
    while True:
        _settle(shop, order, seen, now)
        seen |= set(order.takes)
        if (after := goods.order(shop, id)) == order:
            return
        order = after


def _kept(shop: str, id: str, step: Any) -> tuple[Order, Order]:
    """An order before and after a step; nothing is written where nothing changes."""
    while True:
        before = goods.order(shop, id)
        after = step(before)
        if after == before:
            return before, after
        after = replace(after, n=before.n + 1)
        if goods.put_order(shop, after):
            return before, after


def _settle(shop: str, order: Order, seen: set[str], now: datetime) -> None:
    takes = order.takes if order.state == goods.OPEN else {}
    if takes:
        stock_holds.reserve(shop, order.id, takes, (), now)
    if takes and order.gone:
        stock_holds.consume(shop, order.id, takes, order.gone, now)
    if let_go := (seen | set(order.takes)) - set(takes):
        stock_holds.release(shop, order.id, let_go, now)
