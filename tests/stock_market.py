"""A marketplace as small as the flows of stock need: it keeps numbers, and does what a test tells it to."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

from infra.world import World
from tests.market_accounts import as_door
from vestnik.domain.market import accounts
from vestnik.domain.market.accounts import Account
from vestnik.domain.market.definitions import Outcome
from vestnik.flows import stock_keep, stock_outside, stock_send
from vestnik.flows.stock_outside import Pair
from vestnik.store import goods, items, units

SHOP = "demo"
OK = Outcome(True)


@dataclass
class Market:
    """`shows`: its numbers by (unit, warehouse). `calls`: the rows of each write. `before`: what happens at the next
    writes, one a call: an exception is raised, a callable is called first. `outcomes`: of rows that are not taken."""

    shows: dict[Pair, int] = field(default_factory=dict)
    calls: list[list[dict[str, Any]]] = field(default_factory=list)
    before: list[Any] = field(default_factory=list)
    outcomes: dict[str, Outcome] = field(default_factory=dict)
    rows: int = 100
    settings: dict[str, Any] = field(default_factory=lambda: {"means": "free"})
    readable: bool = True
    deaf: bool = False  # answers well and does nothing
    kept: set[str] = field(default_factory=set)  # units of which it keeps its own number all the same
    doubts: list[str] = field(default_factory=list)

    def told(self) -> Mapping[str, Any]:
        return self.settings

    def size(self, now: datetime) -> int:
        return self.rows

    def written_by(self, now: datetime) -> str:
        return "a script"

    def doubt(self, reason: str, now: datetime) -> None:
        self.doubts.append(reason)

    def batches(self, rows: Sequence[stock_outside.Row], now: datetime) -> list[list[stock_outside.Row]]:
        return [list(rows[at : at + self.rows]) for at in range(0, len(rows), self.rows)]

    def write(self, rows: Sequence[stock_outside.Row], now: datetime) -> list[Outcome]:
        self.calls.append([dict(row) for row in rows])
        happens = self.before.pop(0) if self.before else None
        if isinstance(happens, BaseException):
            raise happens
        if callable(happens):
            happens()
        return [self._take(row) for row in rows]

    def _take(self, row: stock_outside.Row) -> Outcome:
        outcome = self.outcomes.get(row["unit"], OK)
        if outcome.ok and not self.deaf and row["unit"] not in self.kept:
            self.shows[row["unit"], row["warehouse"]] = row["quantity"]
        return outcome

    def can_read(self, now: datetime) -> bool:
        return self.readable

    def read(self, pairs: Sequence[Pair], now: datetime) -> dict[Pair, int]:
        return {pair: self.shows[pair] for pair in pairs if pair in self.shows}

    def pages(self, warehouse: str, now: datetime, start: Any) -> Iterator[tuple[dict[Pair, int], Any]] | None:
        return iter([({pair: quantity for pair, quantity in self.shows.items() if pair[1] == warehouse}, None)])

    @property
    def sent(self) -> list[tuple[str, int]]:
        """Every row that was sent, in order."""
        return [(row["unit"], row["quantity"]) for call in self.calls for row in call]


@dataclass
class Bench:
    """One account with a market of its own, and a clock that a test moves."""

    world: World
    account: Account
    market: Market
    now: datetime

    def clock(self) -> datetime:
        """The time; a little goes by between any two looks at it, as it does outside."""
        self.now += timedelta(microseconds=1)
        return self.now

    def wait(self, **time: float) -> None:
        self.now += timedelta(**time)

    def run(self, seconds: float = 60) -> stock_send.Report:
        with as_door(self.world):
            return stock_send.run(self.account, self.clock, self.now + timedelta(seconds=seconds), self.market)

    def stock(self, **quantities: int) -> None:
        """The shop tells its stock."""
        self.wait(seconds=1)
        rows = [{"item": self.item(name), "warehouse": "main", "quantity": n} for name, n in quantities.items()]
        with as_door(self.world, "manage-shop"):
            stock_keep.keep(SHOP, rows, self.now)

    def item(self, name: str) -> str:
        return f"{self.account.id}-{name}"

    def link(self, unit: str, **parts: int) -> None:
        """A unit that is a kit of items."""
        told = [{"item": self.item(name), "quantity": n, "priority": 1} for name, n in parts.items()]
        with as_door(self.world):
            units.keep_products(SHOP, self.account.id, [{"unit": unit, "product": f"p-{unit}"}], "1")
            for name in parts:
                items.tie(SHOP, self.item(name), self.account.id, unit)
            link = {"mode": "kit", "parts": told}
            assert units.link(SHOP, self.account.id, unit, link, "hand", "now", only_free=False)

    def many(self, count: int, quantity: int = 10) -> list[str]:
        """Units of one item each, all shown with their stock already."""
        names = [f"u{n}" for n in range(count)]
        self.stock(**dict.fromkeys(names, quantity))
        for name in names:
            self.link(name, **{name: 1})
            self.market.shows[name, "w1"] = quantity
        return names

    def held(self, name: str) -> dict[str, int]:
        with as_door(self.world):
            found = goods.get(SHOP, self.item(name))
        return {id: hold.quantity for id, hold in found.held.items()} if found else {}

    def do[Made](self, step: Callable[[], Made]) -> Made:
        """Do something with what the map grants the door of syncs."""
        with as_door(self.world):
            return step()


def bench(world: World, id: str, **body: Any) -> Bench:
    """An account with one warehouse that takes all of the shop's stock."""
    told = {"marketplace": "feed", "warehouses": [{"id": "w1", "takes": [], "active": True}], **body}
    return Bench(world, accounts.account(SHOP, id, told), Market(), world.now())
