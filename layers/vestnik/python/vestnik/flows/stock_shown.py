"""The stock of an item as people ask for it: what lies where, who holds it, what each linked unit shows and why."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from vestnik import marketplaces
from vestnik.domain.market import accounts, stock
from vestnik.domain.market.accounts import Account
from vestnik.domain.market.stock import Item
from vestnik.errors import Refused
from vestnik.flows import stock_outside, stock_targets
from vestnik.flows.stock_targets import Target, Targets
from vestnik.store import fbo, goods, settings
from vestnik.store.fbo import Lies

type Shown = dict[str, Any]


def summary(item: Item) -> Shown:
    """An item in numbers: {item, on_hand, held, available (None: unknown), warehouses}."""
    lies, left = stock.on_hand(item), stock.available(item)
    held = sum(quantity for _, quantity in stock.taken(item))
    return {"item": item.id, "on_hand": lies, "held": held, "available": left, "warehouses": _warehouses(item)}


def _warehouses(item: Item) -> list[Shown]:
    return [
        {
            "warehouse": name,
            "quantity": told.quantity,
            "kind": told.kind,
            "as_of": told.as_of,
            "available": stock.available(item, (name,)),
        }
        for name, told in sorted(item.stock.items())
    ]


def whole(shop: str, id: str, now: datetime) -> Shown | None:
    """An item with the orders that hold it and the units that are made of it; None where nothing is known of it."""
    item = goods.get(shop, id)
    return {**summary(item), "orders": _orders(item), "units": _units(shop, item, now)} if item else None


def _orders(item: Item) -> list[Shown]:
    """Who holds it. `counts`: how much of it is taken off now; 0 where the shop's own numbers lack it already."""
    counts = dict(stock.taken(item))
    return [
        {
            "order": id,
            "quantity": hold.quantity,
            "counts": counts.get(id, 0),
            "warehouses": sorted(hold.warehouses),
            "since": hold.since or None,
            "known": hold.known or None,
            "gone": hold.gone or None,
        }
        for id, hold in sorted(item.held.items())
    ]


def _units(shop: str, item: Item, now: datetime) -> list[Shown]:
    known = settings.current(shop, now).accounts
    by_account: dict[str, list[str]] = {}
    for account, unit in sorted(item.links):
        by_account.setdefault(account, []).append(unit)
    return [
        shown
        for id, units in by_account.items()
        if id in known
        for shown in _of_account(accounts.account(shop, id, known[id]), units)
    ]


def _of_account(account: Account, units: list[str]) -> list[Shown]:
    try:
        told, takes = marketplaces.shipped(account.marketplace).stock, stock_outside.worked(account)
    except Refused:
        return []  # an account of a marketplace that is no longer there
    targets = stock_targets.of(account, told, takes)
    there = fbo.get_many(account.shop, account.id, units)
    return [
        _unit(account, targets, target) | {"fbo": _fbo(there.get(target.unit))}
        for target in targets.of(units)
        if target.link
    ]


def _fbo(lies: Lies | None) -> list[Shown]:
    """What lies in the marketplace's own warehouses: only shown."""
    places = sorted(lies.places.items()) if lies else ()
    return [{"warehouse": name, "quantity": quantity, "at": lies.at} for name, quantity in places if lies]


def _unit(account: Account, targets: Targets, target: Target) -> Shown:
    return {
        "account": account.id,
        "unit": target.unit,
        "mode": target.link["mode"],
        "warehouses": [_place(account, targets, target, name) for name in targets.warehouses],
    }


def _place(account: Account, targets: Targets, target: Target, warehouse: str) -> Shown:
    """One of the marketplace's warehouses: the number to show, what was sent and seen, and how it comes about."""
    place, takes = target.sent.places.get(warehouse, {}), targets.warehouses[warehouse]
    seen = place.get("seen") or {}
    return {
        "warehouse": warehouse,
        "takes": sorted(takes),
        "desired": target.desired[warehouse],
        "sent": place.get("q"),
        "sent_at": place.get("at") if "q" in place else None,
        "doubt": "doubt" in place,
        "seen": seen.get("q"),
        "seen_at": seen.get("at"),
        "error": place.get("error"),
        "how": _how(account, targets, target, takes),
    }


def _how(account: Account, targets: Targets, target: Target, takes: frozenset[str]) -> Shown:
    """How a number is computed: what each part has and makes, and what is kept back."""
    without = account.id if targets.physical else ""
    parts = [_part(target.items.get(id), id, need, takes, without) for id, need in stock.needs(target.link).items()]
    return {
        "mode": target.link["mode"],
        "parts": parts,
        "makes": stock.sellable(target.link, target.items, takes, without),
        "buffer": int(account.body.get("buffer") or 0),
        "means": stock.PHYSICAL if targets.physical else stock.FREE,
    }


def _part(item: Item | None, id: str, need: int, takes: frozenset[str], without: str) -> Mapping[str, Any]:
    lies = stock.on_hand(item, takes) if item else None
    left = stock.available(item, takes, without) if item else None
    held = sum(quantity for _, quantity in stock.taken(item, takes, without)) if item else 0
    return {"item": id, "needs": need, "on_hand": lies, "held": held, "available": left}
