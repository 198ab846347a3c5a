"""The guard against zeroing an account by mistake: a stock file gone wrong must not take the shop off the market.

Counted is what would come down to 0 without an order to explain it, over an hour, against what was for sale when that
hour began or is since. Where it is more than the account's limit, all of it waits for a person, and all else goes on.
It goes on by itself once the stock is right again: the count is made anew at each run.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

from vestnik.domain.market import stock
from vestnik.domain.market.accounts import ZERO_LIMIT_PERCENT, Account
from vestnik.flows import announcing
from vestnik.flows.stock_targets import Targets
from vestnik.store import runs, stock_sent
from vestnik.store.stock_sent import Look

FLOW = "stock"
WINDOW = timedelta(hours=1)
LEAST = 2  # so few zeros are everyday business in however small an account
SUSPECTS = (("0", "1"), ("3", "3"), (stock_sent.HELD, stock_sent.WAITING))  # first and last of marks' kinds

type State = Mapping[str, Any]


@dataclass(slots=True)
class Guard:
    """How many may still come down to 0 in this hour. `holds`: none, until a person agrees."""

    base: int
    left: int | None
    since: str
    zeroed: int = 0
    holds: bool = False
    waiting: dict[str, Any] | None = None
    stopped: set[str] = field(default_factory=set)
    allowed: set[str] = field(default_factory=set)

    def lets(self, unit: str) -> bool:
        """Whether this unit may come down to 0 now."""
        if self.left is None:
            return True
        if not self.holds and self.left <= 0:
            self.holds = True  # more than the count foresaw: a kit of many, a number that changed meanwhile
        if self.holds:
            self.stopped.add(unit)
            return False
        self.left -= 1
        self.allowed.add(unit)
        return True

    def sent(self, unit: str) -> None:
        """A unit that was let came down to 0."""
        if unit in self.allowed:
            self.allowed.discard(unit)
            self.zeroed += 1

    def kept(self) -> dict[str, Any]:
        """The hour, as the next run goes on with it."""
        return {"since": self.since, "base": self.base, "zeroed": self.zeroed}


def begin(account: Account, targets: Targets, state: State, look: Look, now: datetime) -> Guard:
    """The guard of a run: counts what would be zeroed where that may be too much, and holds it then. `look`: the
    beginning of what is marked."""
    guard = _of(account, state, now)
    if guard.left is not None and _may_be_too_many(account, look, guard.left):
        units = _zeroed(account, targets, look)
        guard.holds = units > guard.left
        if guard.holds:
            guard.waiting = _told(account, guard, units + guard.zeroed, state, now)
    return guard


def _of(account: Account, state: State, now: datetime) -> Guard:
    window = state.get("window") or {}
    fresh = bool(window) and now - datetime.fromisoformat(window["since"]) < WINDOW
    base = max(int(window["base"]) if fresh else 0, int(state.get("above", 0)))
    zeroed = int(window["zeroed"]) if fresh else 0
    left = None if confirmed(state, now) else _most(account, base) - zeroed
    return Guard(base, left, window["since"] if fresh else now.isoformat(), zeroed)


def _most(account: Account, base: int) -> int:
    """How many units may come down to 0 in an hour: a few in any case, unless the shop says none."""
    share = percent(account)
    return max(LEAST, base * share // 100) if share else 0


def percent(account: Account) -> int:
    """How much of an account may come down to 0 in an hour without a person."""
    told = account.body.get("zero_limit_percent")
    return ZERO_LIMIT_PERCENT if told is None else int(told)


def confirmed(state: State, now: datetime) -> bool:
    """Whether a person agreed within the hour."""
    at = state.get("confirmed_at")
    return bool(at) and now - datetime.fromisoformat(str(at)) < WINDOW


def _suspects(account: Account, look: Look) -> Iterator[str]:
    """Units that may come down to 0. A touch knows how much is left of the item, and marks as usual only what has more
    than a small buffer takes."""
    large = int(account.body.get("buffer") or 0) >= stock.LOW
    for first, last in (*SUSPECTS, ("2", "2")) if large else SUSPECTS:
        yield from (mark.unit for mark in look.between(first, last))


def _may_be_too_many(account: Account, look: Look, left: int) -> bool:
    """Whether so many are marked at all; counted no further than needed."""
    seen = set[str]()
    for unit in _suspects(account, look):
        seen.add(unit)
        if len(seen) > left:
            return True
    return False


def _zeroed(account: Account, targets: Targets, look: Look) -> int:
    units = dict.fromkeys(_suspects(account, look))
    return sum(targets.zeroed(target) for part in targets.slices(units) for target in part)


def _told(account: Account, guard: Guard, units: int, state: State, now: datetime) -> dict[str, Any]:
    """Keep that a run waits for a person, and tell it once."""
    since = (state.get("waiting") or {}).get("since") or now.isoformat()
    share = round(100 * units / guard.base, 1) if guard.base else 100
    waiting = {
        "since": since,
        "units": units,
        "linked": guard.base,
        "percent": share,
        "limit_percent": percent(account),
    }
    if not state.get("waiting"):
        data = {name: waiting[name] for name in ("percent", "limit_percent", "units", "linked")}
        announcing.announce(account, "marketplace.zeroing_held", f"{account.id}:zeroing:{since}", data, now)
    runs.put(account.shop, account.id, FLOW, state="waiting", waiting=waiting)
    return waiting


def stopped(account: Account, guard: Guard, state: State, now: datetime) -> None:
    """Keep that a run came upon more than it had counted."""
    guard.waiting = _told(account, guard, len(guard.stopped) + guard.zeroed, state, now)
