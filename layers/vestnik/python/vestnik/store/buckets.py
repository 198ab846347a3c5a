"""The limiter of marketplace accounts: one small item per account and bucket, each step a write on condition that
nobody came between. What was last seen is kept in memory, so that a step is one request."""

from collections.abc import Callable, Mapping
from datetime import datetime
from typing import Any

from vestnik.domain.market import limits
from vestnik.store import dynamo

TABLE = "limits"
TRIES = 8
DAY = 86400
_seen: dict[str, tuple[int, limits.State]] = {}

type Step = Callable[[limits.State], tuple[int, limits.State]]


def take(name: str, spec: Mapping[str, Any], n: int, now: datetime, holder: str = "") -> float:
    """0 if `n` may go now, and then they are counted; else how many seconds until they may."""
    at = _ms(now)
    return _step(name, at, lambda state: limits.take(spec, state, at, n, holder)) / 1000


def give_back(name: str, spec: Mapping[str, Any], n: int, now: datetime, holder: str = "") -> None:
    """Undo a `take` whose call was not made, or end one that was held."""
    _step(name, _ms(now), lambda state: (0, limits.give_back(spec, state, n, holder)))


def fine(name: str, spec: Mapping[str, Any], now: datetime) -> None:
    """Pay what an answer cost beyond its one token."""
    _step(name, _ms(now), lambda state: (0, limits.fine(spec, state, _ms(now))))


def told(name: str, spec: Mapping[str, Any], now: datetime, left: int) -> None:
    """Take the marketplace's word that only `left` are left."""
    _step(name, _ms(now), lambda state: (0, limits.told(spec, state, _ms(now), left)))


def park(name: str, now: datetime, until: datetime) -> None:
    """Let nothing go before `until`."""
    _step(name, _ms(now), lambda state: (0, limits.parked(state, _ms(until))))


def forget() -> None:
    """Drop what is kept in memory."""
    _seen.clear()


def _step(name: str, at: int, step: Step) -> int:
    for _ in range(TRIES):
        revision, state = _seen.get(name, (0, {}))
        wait, after = step(state)
        if wait and _newer(name, revision):
            continue  # what was kept in memory was old: others may have given back
        if after == state or _write(name, revision, after, at):
            return wait
    return 100  # many at once: come again in a moment


def _newer(name: str, revision: int) -> bool:
    item = dynamo.get(TABLE, f"{name}#bucket") or {}
    _seen[name] = int(item.get("rev", 0)), item.get("state", {})
    return _seen[name][0] != revision


def _write(name: str, revision: int, state: limits.State, at: int) -> bool:
    where = "#rev = :seen" if revision else "attribute_not_exists(#pk)"
    item = {"pk": f"{name}#bucket", "sk": "-", "rev": revision + 1, "state": state, "expires": at // 1000 + DAY}
    try:
        dynamo.put(TABLE, item, where=where, values={"seen": revision} if revision else None)
    except dynamo.Conflict as conflict:
        _seen[name] = int(conflict.old.get("rev", 0)), conflict.old.get("state", {})
        return _seen[name] == (revision + 1, state)  # this very write's lost first try
    _seen[name] = revision + 1, state
    return True


def _ms(at: datetime) -> int:
    return int(at.timestamp() * 1000)
