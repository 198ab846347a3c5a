"""What each unit of an account is to show just now: read and computed in one go, right before it is sent."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import batched
from typing import Any

from vestnik.domain.market import stock
from vestnik.domain.market.accounts import Account
from vestnik.domain.market.links import offered
from vestnik.domain.market.stock import Item
from vestnik.flows import parallel
from vestnik.store import goods, stock_sent, units
from vestnik.store.stock_sent import Sent

READ_AT_ONCE = 100

type Row = dict[str, Any]


@dataclass(slots=True)
class Target:
    """A unit: its link and items as they are, what it was last sent, and the number it is to show by warehouse (None:
    unknown; no entries: it is not linked, and never written)."""

    unit: str
    sent: Sent
    names: dict[str, str] = field(default_factory=dict)
    link: Mapping[str, Any] = field(default_factory=dict)
    items: Mapping[str, Item] = field(default_factory=dict)
    desired: dict[str, int | None] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Targets:
    """Reads and computes targets of an account. `warehouses`: the marketplace's, with the shop's that each takes from;
    `physical`: its number holds its own reserved pieces too; `most`: the largest number it takes."""

    account: Account
    warehouses: Mapping[str, frozenset[str]]
    physical: bool = False
    most: int | None = None

    def zeroed(self, target: Target) -> bool:
        """Whether a unit would come down to 0 somewhere, and no order says why."""
        return any(
            number == 0 and (target.sent.shows(warehouse) or 0) > 0 and not self.sold_out(target, warehouse)
            for warehouse, number in target.desired.items()
        )

    def sold_out(self, target: Target, warehouse: str) -> bool:
        """Whether orders took the last of a unit: there would be some for sale but for them."""
        bare = {id: Item(id, item.stock) for id, item in target.items.items()}
        return bool(self._number(target.link, bare, self.warehouses[warehouse]))

    def of(self, wanted: Iterable[str]) -> list[Target]:
        """The targets of units as everything stands now; at most three reads a unit."""
        parts = list(batched(wanted, READ_AT_ONCE, strict=False))
        found = parallel.each(self._read, parts) if len(parts) > 1 else [self._read(part) for part in parts]
        return [target for part in found for target in part]

    def slices(self, wanted: Iterable[str], size: int = 1000) -> Iterator[list[Target]]:
        """Targets of very many units, never all in memory."""
        for part in batched(wanted, size, strict=False):
            yield self.of(part)

    def _read(self, wanted: Sequence[str]) -> list[Target]:
        shop, account = self.account.shop, self.account.id
        known = units.get_many(shop, account, wanted)
        links = {unit: one["link"] for unit, one in known.items() if one.get("link") and offered(one)}
        sent = stock_sent.get_many(shop, account, wanted)
        items = goods.items(shop, {part["item"] for link in links.values() for part in link["parts"]})
        return [
            self._computed(sent[unit], known[unit], links[unit], items) if unit in links else Target(unit, sent[unit])
            for unit in wanted
        ]

    def _computed(
        self, sent: Sent, known: Mapping[str, Any], link: Mapping[str, Any], items: Mapping[str, Item]
    ) -> Target:
        own = {part["item"]: items[part["item"]] for part in link["parts"] if part["item"] in items}
        desired = {warehouse: self._number(link, own, takes) for warehouse, takes in self.warehouses.items()}
        return Target(sent.unit, sent, _names(known), link, own, desired)

    def _number(self, link: Mapping[str, Any], items: Mapping[str, Item], takes: frozenset[str]) -> int | None:
        own = self.account.id if self.physical else ""
        buffer = int(self.account.body.get("buffer") or 0)
        number = stock.desired(link, items, takes, buffer=buffer, physical_for=own)
        return number if number is None or self.most is None else min(number, self.most)


def _names(known: Mapping[str, Any]) -> dict[str, str]:
    """What else its marketplace calls a unit: some write stock by other names, and will again."""
    found = {"product": known.get("product"), "barcode": next(iter(known.get("barcodes") or ()), None)}
    return {name: str(value) for name, value in found.items() if value is not None}


def of(account: Account, told: Mapping[str, Any], warehouses: Mapping[str, frozenset[str]]) -> Targets:
    """What computes an account's targets; `told`: what its marketplace says of stock."""
    return Targets(account, warehouses, told.get("means") == stock.PHYSICAL, told.get("most"))
