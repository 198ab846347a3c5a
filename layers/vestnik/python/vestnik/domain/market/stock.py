"""Stock: what of an item may still be sold, and the number that each marketplace's unit is to show.

on hand (as the shop told) - holds of orders that this number does not know of yet = available
kit: the scarcest of its parts; alternative: all of them together; desired = available - buffer, never below 0

An item that the shop told no stock of is unknown, which is not zero: nothing is sent of it.
"""

from collections.abc import Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any, Literal

PHYSICAL, FREE = "physical", "free"
LOW = 3  # pieces: what is scarce goes first
SOLD_OUT, SCARCE, USUAL, HEALING = 0, 1, 2, 3

type Kind = Literal["physical", "free"]


@dataclass(frozen=True, slots=True)
class Stock:
    """What the shop told of an item in a warehouse. `kind`: `physical` is all that lies there, `free` is what is left
    after the shop's own reservations. `as_of`: RFC 3339 UTC."""

    quantity: int
    kind: str
    as_of: str


@dataclass(frozen=True, slots=True)
class Hold:
    """What an order takes of an item. `warehouses`: the shop's that it may come from (empty: any). `known`: since when
    the shop's own system knows of it; `gone`: when it left the warehouse; `since`: when it was reserved."""

    quantity: int
    warehouses: frozenset[str] = frozenset()
    known: str = ""
    gone: str = ""
    since: str = ""


@dataclass(frozen=True, slots=True)
class Item:
    """An item: its stock by warehouse, its holds by the order's id, and the units linked to it (account, unit)."""

    id: str
    stock: Mapping[str, Stock] = field(default_factory=dict)
    held: Mapping[str, Hold] = field(default_factory=dict)
    links: frozenset[tuple[str, str]] = frozenset()


def counted(hold: Hold, stock: Iterable[Stock]) -> int:
    """How much of a hold is to be taken off these numbers: all of it, unless each of them was told after the goods
    left, or is free of the shop's reservations and was told after the shop knew of the order."""
    numbers = list(stock)
    return 0 if numbers and all(_lacks(one, hold) for one in numbers) else hold.quantity


def _lacks(stock: Stock, hold: Hold) -> bool:
    # Of the same moment nobody can say which came first: then it is taken off, for that can only undersell.
    if hold.gone and hold.gone < stock.as_of:
        return True
    return stock.kind == FREE and bool(hold.known) and hold.known < stock.as_of


def on_hand(item: Item, warehouses: Collection[str] = ()) -> int | None:
    """What the shop told of an item in these warehouses (none named: in all); None where it told nothing."""
    told = _told(item, warehouses)
    return sum(stock.quantity for stock in told.values()) if told else None


def taken(item: Item, warehouses: Collection[str] = (), without: str = "") -> Iterator[tuple[str, int]]:
    """The orders that take from an item in these warehouses and how much each does. `without`: an account whose own
    orders are left out until they are gone (its marketplace takes them off by itself)."""
    told = _told(item, warehouses)
    for id, hold in item.held.items():
        if without and not hold.gone and id.startswith(f"{without}:"):
            continue
        if hold.warehouses and warehouses and hold.warehouses.isdisjoint(warehouses):
            continue
        from_here = [stock for name, stock in told.items() if not hold.warehouses or name in hold.warehouses]
        if quantity := counted(hold, from_here):
            yield id, quantity


def available(item: Item, warehouses: Collection[str] = (), without: str = "") -> int | None:
    """What may still be sold of an item; below 0 where more was sold than there is, None where its stock is unknown."""
    lies = on_hand(item, warehouses)
    return None if lies is None else lies - sum(quantity for _, quantity in taken(item, warehouses, without))


def _told(item: Item, warehouses: Collection[str]) -> Mapping[str, Stock]:
    if not warehouses:
        return item.stock
    return {name: stock for name, stock in item.stock.items() if name in warehouses}


def sellable(
    link: Mapping[str, Any], items: Mapping[str, Item], warehouses: Collection[str] = (), without: str = ""
) -> int | None:
    """How many of a linked unit can be made up. None: unknown (a part of a kit, or all alternatives, have no stock
    record), or a link that says nothing."""
    found = [_times(need, items.get(id), warehouses, without) for id, need in needs(link).items()]
    known = [times for times in found if times is not None]
    match link.get("mode"):
        case "kit":
            return min(known) if known and len(known) == len(found) else None
        case "alternative":
            return sum(known) if known else None
    return None


def needs(link: Mapping[str, Any]) -> dict[str, int]:
    """How much of each item one unit takes. Named twice, it is needed twice in a kit and once as an alternative."""
    found = dict[str, int]()
    for part in link.get("parts") or ():
        before = found.get(part["item"], 0) if link.get("mode") == "kit" else 0
        found[part["item"]] = before + max(1, int(part.get("quantity") or 1))
    return found


def _times(need: int, item: Item | None, warehouses: Collection[str] = (), without: str = "") -> int | None:
    left = available(item, warehouses, without) if item else None
    return None if left is None else max(0, left) // need


def desired(
    link: Mapping[str, Any],
    items: Mapping[str, Item],
    warehouses: Collection[str] = (),
    *,
    buffer: int = 0,
    physical_for: str = "",
) -> int | None:
    """The number to show for a unit in a marketplace's warehouse that takes from these of the shop's; None: unknown,
    and never sent. `physical_for`: the account, where its marketplace's number holds its own reserved pieces too."""
    can = sellable(link, items, warehouses, physical_for)
    return None if can is None else max(0, can - max(0, buffer))


def priority(item: Item) -> int:
    """How soon what is linked to an item is to be sent: sold out first, then scarce."""
    left = available(item)
    if left is None or left > LOW:
        return USUAL
    return SOLD_OUT if left <= 0 else SCARCE


def spent(item: Item) -> list[str]:
    """The holds that have left and that every number told since then lacks: there is nothing to remember of them."""
    gone = [(id, hold) for id, hold in item.held.items() if hold.gone]
    return [id for id, hold in gone if _past(hold, item.stock)]


def _past(hold: Hold, stock: Mapping[str, Stock]) -> bool:
    told = [one for name, one in stock.items() if not hold.warehouses or name in hold.warehouses]
    return bool(told) and all(hold.gone < one.as_of for one in told)


def sold_since(items: Iterable[Item], account: str, at: str) -> bool:
    """Whether an order of this account took from these items at or after a time."""
    return any(
        id.startswith(f"{account}:") and max(hold.since, hold.gone) >= at
        for item in items
        for id, hold in item.held.items()
    )


def shared_out(link: Mapping[str, Any], items: Mapping[str, Item], quantity: int) -> dict[str, int]:
    """From which items an order of `quantity` units takes, and how much of each: all parts of a kit; of alternatives
    the first by priority that has enough, else what each has, and the rest from the first."""
    need = needs(link)
    if link.get("mode") != "alternative":
        return {id: quantity * each for id, each in need.items()}
    parts = sorted(link.get("parts") or (), key=lambda part: int(part.get("priority") or 0))
    ids = list(dict.fromkeys(part["item"] for part in parts))
    has = {id: _times(need[id], items.get(id)) or 0 for id in ids}
    if enough := next((id for id in ids if has[id] >= quantity), None):
        return {enough: quantity * need[enough]}
    shares, left = dict.fromkeys(ids, 0), quantity
    for id in ids:
        shares[id], left = min(left, has[id]), left - min(left, has[id])
    if ids:
        shares[ids[0]] += left
    return {id: units * need[id] for id, units in shares.items() if units}
