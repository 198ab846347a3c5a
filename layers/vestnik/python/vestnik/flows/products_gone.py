"""Units that an account's marketplace lists no more: what a whole import did not come upon is marked as gone.

    every page of the list written down -> counted what is known and was not in it -> not too many? -> marked

Only an import that went from the first page to the last marks anything, and where the marketplace does not say how many
there are only the second in a row that missed a unit: stock that is not written any more is oversold where a list was
cut short in silence. Where it would mark more than a fifth of the
account's units, or saw none at all, it marks none and staff are told: then a person looks, and asks for an import that
may (`confirm`). What is marked keeps its link, and is as before once an import sees it again.
"""

from collections.abc import Callable, Iterator, Mapping
from datetime import datetime, timedelta
from itertools import batched
from typing import Any

from vestnik.domain.cloudevents import utc
from vestnik.domain.market.accounts import Account
from vestnik.flows import announcing, parallel
from vestnik.store import keys, runs, seen, units

FLOW = "products"
EVERY = timedelta(hours=23)  # once a day, by a clock that comes once an hour
PERCENT = 20
LEAST = 2  # so few are everyday business in however small an account
AT_ONCE = 100
TOO_MANY, INCOMPLETE = "too-many", "incomplete"

type Clock = Callable[[], datetime]
type State = Mapping[str, Any]
type Check = dict[str, Any]


def is_due(state: State, now: datetime) -> bool:
    """Whether the run that begins now is to read the whole list, whatever a marketplace could tell of changes."""
    last = state.get("whole_at")
    return not state.get("watermark") or not last or now - datetime.fromisoformat(last) >= EVERY


def look(account: Account, state: State, clock: Clock, until: datetime) -> Check | None:
    """Mark what the whole list, read to its end, did not hold: {known, missed, gone, at, held?: too-many | incomplete,
    since?}. None where the time is up: what was counted so far is kept in the state, and marking twice is no harm."""
    check: Check = {"run": state["run"], "counted": 0, "known": 0, "missed": 0, "gone": 0}
    if (before := state.get("check") or {}).get("run") == state["run"]:
        check |= before
    while check["counted"] < keys.SHARDS:
        _count(account, state, check)
        if clock() >= until:
            runs.put(account.shop, account.id, FLOW, check=check)
            return None
    told = {name: check[name] for name in ("known", "missed")} | {"gone": 0, "at": utc(clock())}
    if why := _held(state, check):
        return told | _told(account, state, check, why, clock())
    for shard in range(keys.SHARDS if check["missed"] else 0):
        if not _mark(account, state, check, shard, clock, until):
            runs.put(account.shop, account.id, FLOW, check=check)
            return None
    return told | {"gone": check["gone"]}


def _count(account: Account, state: State, check: Check) -> None:
    """Count the next sixteenth of the units that are known, and of those the list did not hold."""
    marks, check["written"] = seen.of_shard(account.shop, account.id, state["run"], check["counted"])
    for one in _known(account, check["counted"]):
        check["known"] += 1
        if seen.mark(one["unit"]) not in marks:
            check["missed"] += 1
            check["gone"] += _is_gone(one, state)
    check["counted"] += 1


def _known(account: Account, shard: int) -> Iterator[units.Unit]:
    return (one for one in units.of_shard(account.shop, account.id, shard) if not one.get("gone"))


def _is_gone(missed: units.Unit, state: State) -> bool:
    """Whether a unit that was missed counts as gone: the list is known to be whole, or it is the second that missed."""
    sure = state["progress"].get("total") or state.get("agreed")
    return bool(sure) or missed.get("missed", state["run"]) != state["run"]


def _held(state: State, check: Check) -> str:
    """Why nothing is to be marked; "" where it may be. As many must have been written down as were seen, and seen as
    the marketplace says there are."""
    progress = state["progress"]
    if progress["seen"] > check["written"] or progress["seen"] < progress.get("total", 0):
        return INCOMPLETE
    most = max(LEAST, check["known"] * PERCENT // 100) if progress["seen"] else 0
    return TOO_MANY if check["missed"] > most and not state.get("agreed") else ""


def _told(account: Account, state: State, check: Check, why: str, now: datetime) -> Check:
    """What is held, and since when; told once while it lasts."""
    before = state.get("missing") or {}
    since = before["since"] if before.get("held") == why else utc(now)
    if why == TOO_MANY and before.get("since") != since:
        reason = f"{check['missed']} of {check['known']} units are in its list no more; none was marked as gone."
        data = {"flow": FLOW, "reason": reason, "code": "too-many-gone"}
        announcing.announce(account, "marketplace.sync_failed", f"{account.id}:gone:{since}", data, now)
    return {"held": why, "since": since}


def _mark(account: Account, state: State, check: Check, shard: int, clock: Clock, until: datetime) -> bool:
    """Mark what of a sixteenth was not in the list; False where time ran out, or where what was written down is not all
    there any more: another run has begun meanwhile."""
    marks, check["written"] = seen.of_shard(account.shop, account.id, state["run"], shard)
    if check["written"] < state["progress"]["seen"]:
        return False
    unmarked = (one for one in _known(account, shard) if one.get("missed") != state["run"])
    missed = (one for one in unmarked if seen.mark(one["unit"]) not in marks)
    for part in batched(missed, AT_ONCE, strict=False):
        parallel.each(lambda one: _note(account, one, state), part)
        if clock() >= until:
            return False
    return True


def _note(account: Account, missed: units.Unit, state: State) -> None:
    units.missed(account.shop, account.id, missed["unit"], state["run"], gone=_is_gone(missed, state))
