"""What is done for an account, and when: started by the clock or woken by a change, one run of a flow at a time.

    every minute   orders                 a change: stock (orders before it)
    every 5        stock, orders first    nightly: read-back    hourly: products    daily: health

A run that meets a limit, or its end, hands its message back for later. A tick that is lost is made good by the next.
What wakes a flow while a run of it is under way is noted in that run's lease: once it has ended, the flow runs again.
"""

import zlib
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from math import ceil
from typing import Any

from vestnik import resources
from vestnik.domain.market.accounts import Account
from vestnik.errors import Later, Refused, Unknown
from vestnik.flows import accounts, announcing, sync_flows, waking
from vestnik.store import accounts as listed
from vestnik.store import runs, sqs

QUEUE = "to-sync"
DAY, HOUR = 1440, 60  # minutes
NIGHT = 1 * HOUR  # UTC: the nightly read-back begins
STOCK_MINUTES = 5
BUSY = timedelta(seconds=10)  # who waits for a run looks whether it still lives
LONGEST_DELAY = 900
LEASE_SLACK = 30  # seconds that a lease outlives its run
TOLD_AFTER = timedelta(minutes=10)
"""So long a flow must have failed before staff hear of it: a marketplace's bad minute is no news."""
Clock = Callable[[], datetime]
Message = Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Step:
    """One flow of a message, and when the rest of it wants to be done (None: it is done). `waits`: the mark of a
    message that waits for another run to end."""

    flow: str
    again: datetime | None = None
    waits: str = ""


def start(now: datetime) -> int:
    """Send what is due this minute for every connected account; how many messages."""
    minute = int(now.timestamp()) // 60
    parcels = [
        sqs.Parcel(shop, message(shop, account, flow))
        for shop, account in listed.watched()
        for flow in due(minute, f"{shop}#{account}")
    ]
    sqs.send_all(QUEUE, parcels)
    return len(parcels)


def due(minute: int, account: str) -> list[str]:
    """The flows of an account that are due in a minute (since 1970); accounts are spread over hour and night."""
    spread = zlib.crc32(account.encode())
    found = ["stock" if minute % STOCK_MINUTES == spread % STOCK_MINUTES else "orders"]
    found += ["products"] if minute % HOUR == spread % HOUR else []
    found += ["readback"] if minute % DAY == NIGHT + spread % (2 * HOUR) else []
    found += ["health"] if minute % DAY == NIGHT + (spread + HOUR) % (2 * HOUR) else []
    return found


def message(shop: str, account: str, flow: str) -> dict[str, Any]:
    """A message of the queue `to-sync`."""
    return {"v": 1, "shop": shop, "account": account, "flow": flow}


def wake(shop: str, account: str, flow: str, delay: int = 0) -> None:
    """Let a flow of an account run soon (`delay`: seconds)."""
    _send(shop, message(shop, account, flow) | waking.WOKEN, delay)


def _send(shop: str, told: Message, delay: int = 0) -> None:
    sqs.send_all(QUEUE, [sqs.Parcel(shop, dict(told), delay=min(delay, LONGEST_DELAY))])


def take(told: Message, clock: Clock, until: datetime) -> list[Step]:
    """Do what a message asks for, in its order: orders before stock. What is left comes back as a message. Who waited
    for a run comes in vain where that was seen to."""
    account, asked = accounts.load(told["shop"], told["account"], clock()), told["flow"]
    if account is None or not sync_flows.may(account, asked):
        return []
    if "waits" in told and not listed.waits(account.shop, account.id, asked, told["waits"]):
        return []
    steps = [_step(account, flow, clock, until, told if flow == asked else {}) for flow in sync_flows.order(asked)]
    _again(account, steps[-1], clock())
    return steps


def _again(account: Account, step: Step, now: datetime) -> None:
    """Wake what is left of the flow asked for, unless that was promised already for then or sooner: however many ticks
    and wakes there were, one message waits. What ran before it has its own next tick."""
    if step.again is None:
        return
    delay = min(max(1, ceil((step.again - now).total_seconds())), LONGEST_DELAY)
    if step.waits or listed.promise(account.shop, account.id, step.flow, resources.new_id(6), now, delay):
        told = message(account.shop, account.id, step.flow)
        _send(account.shop, told | ({"waits": step.waits} if step.waits else {}), delay)


def _step(account: Account, flow: str, clock: Clock, until: datetime, told: Message) -> Step:
    """Run one flow under its lease, and wake it again where somebody waits for that."""
    now, holder = clock(), resources.new_id(6)
    lease = int((until - now).total_seconds()) + LEASE_SLACK
    if not listed.lease(account.shop, account.id, flow, holder, now, lease):
        return _wait(account, flow, now, told, told.get("waits") or holder)
    try:
        return Step(flow, _run(account, flow, clock, until))
    finally:
        if listed.release(account.shop, account.id, flow, holder):
            wake(account.shop, account.id, flow)


def _wait(account: Account, flow: str, now: datetime, told: Message, who: str) -> Step:
    """Wait for the run under way, which may have read before the change that woke this one; unless another message
    does, or nobody woke it: the run under way does what a tick of the clock would."""
    if not (flow in sync_flows.WOKEN or told.get("woken") or told.get("waits")):
        return Step(flow)
    first = listed.wait(account.shop, account.id, flow, who, now)
    if not first:
        wake(account.shop, account.id, flow)  # it has ended just now
    return Step(flow, now + BUSY, who) if first == who else Step(flow)


def _run(account: Account, flow: str, clock: Clock, until: datetime) -> datetime | None:
    """Run one flow and note how it fared; when it wants to go on."""
    runs.put(account.shop, account.id, flow, last_run=clock().isoformat())
    try:
        again = sync_flows.run(account, flow, clock, until)
    except Later as later:
        if later.at is None:
            _failed(account, flow, "later", later.reason, clock())
        return later.at or clock() + BUSY
    except Unknown as doubt:
        _failed(account, flow, "unknown", str(doubt), clock())
        return clock() + BUSY
    except Refused as refused:
        _failed(account, flow, refused.code, refused.reason, clock())
        return None
    except Exception as bug:
        # Its text may hold whatever it fell over: only its kind is told. The message comes again, and ends in the DLQ.
        _failed(account, flow, "unexpected", f"a fault of ours: {type(bug).__name__}", clock())
        raise
    runs.put(account.shop, account.id, flow, last_ok=clock().isoformat(), error=None, failing=None)
    return again


def _failed(account: Account, flow: str, code: str, reason: str, now: datetime) -> None:
    """Note a failure; one that lasts is told, once."""
    state = runs.get(account.shop, account.id, flow)
    since = state.get("failing") or now.isoformat()
    error = {"code": code, "reason": reason[:500], "at": now.isoformat()}
    runs.put(account.shop, account.id, flow, error=error, failing=since)
    resources.log("sync-failed", shop=account.shop, account=account.id, flow=flow, code=code)
    if code in sync_flows.AT_ONCE or now - datetime.fromisoformat(since) >= TOLD_AFTER:
        data = {"flow": flow, "reason": reason[:500] or code, "code": code[:64]}
        data |= {"since": state["last_ok"]} if state.get("last_ok") else {}
        announcing.announce(account, "marketplace.sync_failed", f"{account.id}:{flow}:{since}", data, now)
