"""Orders of an account: read what is new and what changed, before any stock is computed.

    what was left undone -> asked operations -> new ones -> those changed since the last run -> statuses of open ones
    -> who will be late

The place in the marketplace's list is kept after every page: a run that is cut short goes on where it was. Reading the
same again changes nothing (see `postings.merge`).
"""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from functools import partial
from typing import Any, Protocol

from vestnik import marketplaces
from vestnik.domain.market import postings, statuses
from vestnik.domain.market.accounts import Account
from vestnik.domain.market.postings import Posting
from vestnik.domain.market.statuses import Statuses
from vestnik.errors import Refused
from vestnik.flows import calling, operations, orders_effects
from vestnik.flows.orders_read import read_of
from vestnik.flows.ran import Ran
from vestnik.store import postings as kept
from vestnik.store.postings import Stored

OVERLAP_MINUTES = 10
SPAN = timedelta(days=28)  # the marketplaces answer for at most a month at once
HISTORY_DAYS = 30
SOON = timedelta(hours=4)
UNCONNECTED = ("new", "dry", "importing")
Clock = Callable[[], datetime]
Place = dict[str, Any]


class Engine(Protocol):
    """What makes the calls: `flows.calling`, or a script in tests."""

    def has(self, account: Account, purpose: str, now: datetime) -> bool: ...
    def call(self, account: Account, purpose: str, now: datetime, **more: Any) -> Any: ...
    def pages(self, account: Account, purpose: str, now: datetime, **more: Any) -> Iterator[Any]: ...
    def batches(self, account: Account, purpose: str, rows: Sequence[Any], now: datetime) -> Iterator[list[Any]]: ...


@dataclass(slots=True)
class Run:
    """One run over an account's orders. `seen`: the numbers whose status was told in it."""

    account: Account
    clock: Clock
    deadline: datetime
    engine: Any
    read: Statuses
    place: Place
    seen: set[str] = field(default_factory=set)
    changed: int = 0

    @property
    def late(self) -> bool:
        """Whether the run must end."""
        return self.clock() >= self.deadline


def run(account: Account, clock: Clock, deadline: datetime, engine: Any = calling) -> Ran:
    """Read an account's orders; `again` where there was no time for all of it. Raises Later where the marketplace asks
    to wait, and Conflict where another run overlaps (its lease has ended: this one stops)."""
    now = clock()
    this = Run(account, clock, deadline, engine, read_of(account, now), kept.place(account.shop, account.id))
    for step in (_undone, _operate, _new, _changed, _open, _returns, _warn):
        if this.late:
            return Ran(clock(), this.changed)
        step(this)
    more = "to" in this.place
    return Ran(clock() if more else None, this.changed)


def _undone(this: Run) -> None:
    """What an earlier run could not finish, and who waits for a link."""
    due = [postings.id_of(this.account.id, e["number"]) for e in _entries(this) if e["due"]]
    for at in range(0, len(due), 100):
        found = kept.get_many(this.account.shop, due[at : at + 100]).values()
        orders_effects.settle_all(this.account, found, this.clock())
    orders_effects.resume(this.account, this.clock())


def _operate(this: Run) -> None:
    operations.run(this.account, this.clock, this.deadline, this.engine)


def _entries(this: Run) -> list[dict[str, Any]]:
    return list(kept.every_open(this.account.shop, this.account.id))


def _new(this: Run) -> None:
    """The list of unprocessed orders, where the marketplace has one: the quickest way to a new one."""
    now = this.clock()
    if this.engine.has(this.account, "orders.new", now):
        for answer in this.engine.pages(this.account, "orders.new", now):
            take(this, answer.items, postings.moment(now))


def _changed(this: Run) -> None:
    """All that changed since the last run, a span at a time, from the page where an earlier run stopped."""
    if not this.engine.has(this.account, "orders.list", this.clock()):
        return
    _begin(this)
    while not this.late:
        _window(this)
        if not _span(this):
            return
        if "to" not in this.place:
            if this.place["until"] >= _reach(this):
                return
            _move(this, since=_since(this), to=_to(this, _since(this)))


def _reach(this: Run) -> str:
    """Up to when a run reads: the moment it began with."""
    this.place.setdefault("_reach", postings.moment(this.clock()))
    return str(this.place["_reach"])
