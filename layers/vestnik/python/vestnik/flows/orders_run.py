"""One run over an account's orders: what its steps share."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from vestnik import marketplaces
from vestnik.domain.market import postings
from vestnik.domain.market.accounts import Account
from vestnik.flows import orders_take
from vestnik.flows.orders_engine import Engine
from vestnik.flows.orders_take import Reading
from vestnik.store import postings as kept

Clock = Callable[[], datetime]
Told = Mapping[str, Any]


@dataclass(slots=True)
class Run:
    """One run. `place`: up to where the account's lists were read; `first`: the main one was not begun; `more`: there
    was no time for all; `again`: when an operation that waits may go on; `entries`: the open ones as last looked at."""

    reading: Reading
    deadline: datetime
    place: dict[str, Any]
    started: datetime
    first: bool = False
    more: bool = False
    again: datetime | None = None
    entries: list[dict[str, Any]] = field(default_factory=list)

    @property
    def account(self) -> Account:
        """Whose orders they are."""
        return self.reading.account

    @property
    def engine(self) -> Engine:
        """What makes the calls."""
        return self.reading.engine

    @property
    def now(self) -> datetime:
        """The time."""
        return self.reading.clock()

    @property
    def late(self) -> bool:
        """Whether the run must end."""
        return self.now >= self.deadline

    def has(self, purpose: str) -> bool:
        """Whether the marketplace has a request for a purpose."""
        return self.engine.has(self.account, purpose, self.now)

    def look(self) -> list[dict[str, Any]]:
        """The entries of the open postings as they stand now, the most urgent first."""
        self.entries = list(kept.every_open(self.account.shop, self.account.id))
        return self.entries

    def pages(self, purpose: str, given: Told) -> int:
        """Read a list to its end; how many orders it told of. Raises as calls do."""
        read_at, count = self.now, 0
        for answer in self.engine.pages(self.account, purpose, read_at, given=given):
            orders_take.take(self.reading, answer.items, postings.moment(read_at))
            read_at, count = self.now, count + len(answer.items)
        return count

    def keep(self, **fields: Any) -> None:
        """Note in the place what was read (None: not any more)."""
        after = {name: value for name, value in {**self.place, **fields}.items() if value is not None}
        self.place = kept.keep_place(self.account.shop, self.account.id, self.place, after)

    def number(self, name: str, otherwise: float) -> float:
        """A number of minutes, hours, days: the account's, else the marketplace's, else ours."""
        shipped = marketplaces.shipped(self.account.marketplace).orders
        return float(self.account.body.get(name) or shipped.get(name) or otherwise)


def begun(account: Account, clock: Clock, deadline: datetime, engine: Engine) -> Run:
    """A run that begins now."""
    now, reading = clock(), orders_take.reading(account, clock, engine)
    place = kept.place(account.shop, account.id)
    return Run(reading, deadline, place, now, first=place.keys().isdisjoint(("until", "to")))
