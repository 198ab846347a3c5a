"""Connecting an account, safely: a dry run tells what would change, before anything does.

What a dry run does is read: their warehouses, products and numbers, and our stock. Connecting lets the clock begin;
the stock run then holds back by itself what would zero too much (`stock_send`), until somebody confirms it.
"""

from collections.abc import Callable
from datetime import datetime
from typing import Any

from vestnik.domain.market.accounts import Account
from vestnik.errors import Refused
from vestnik.flows import accounts, comparing, notifications, products, syncs
from vestnik.flows.ran import Ran
from vestnik.store import accounts as listed
from vestnik.store import runs

FLOW = "dry"
Clock = Callable[[], datetime]


def dry(account: Account, clock: Clock, until: datetime) -> Ran:
    """Look at what connecting would change, and keep the report in the run's state. Later where a limit holds; what was
    read of the products so far is kept."""
    looking = runs.get(account.shop, account.id, FLOW).get("looking")
    if looking is None:
        read = products.run(account, clock, until)
        if read.again is not None:
            return read
        looking = comparing.begin()
    fresh = accounts.load(account.shop, account.id, clock()) or account  # the import may have found its warehouse

    def keep(report: dict[str, Any]) -> None:
        runs.put(account.shop, account.id, FLOW, looking=report)

    if not comparing.go_on(fresh, looking, clock, until, keep):
        return Ran(again=clock(), did=looking["shard"])
    runs.put(account.shop, account.id, FLOW, report=comparing.ended(fresh, looking, clock()), asked=None, looking=None)
    return Ran(did=looking["units"])


def ask_dry(account: Account, now: datetime) -> dict[str, Any]:
    """Begin a dry run anew; the state it is in. It runs in the background: an account may have 100,000 products."""
    _must_be_good(account, now)
    if account.state == "new":
        set_state(account.shop, account.id, "dry", by="vestnik", now=now)
    state = runs.put(account.shop, account.id, FLOW, asked=now.isoformat(), report=None, error=None, looking=None)
    products.begin_anew(account, whole=False)
    syncs.wake(account.shop, account.id, FLOW)
    return state


def connect(account: Account, by: str, now: datetime) -> None:
    """Begin to work an account: orders are read from now on, stock is sent for what is linked. Refused
    `credentials-refused`, `settings-refused`, `credentials-unchecked`."""
    _must_be_good(account, now)
    set_state(account.shop, account.id, "connected", by=by, now=now)
    listed.watch(account.shop, account.id)
    notifications.ask_for(account, now)
    for flow in ("products", "stock"):
        syncs.wake(account.shop, account.id, flow)


def pause(account: Account, by: str, now: datetime) -> None:
    """Let an account rest: nothing is read or written until it is connected again. What it shows stays."""
    set_state(account.shop, account.id, "paused", by=by, now=now)
    listed.unwatch(account.shop, account.id)


def _must_be_good(account: Account, now: datetime) -> None:
    said = accounts.check(account, now)
    why = (said.get("error") or {}).get("reason", "")
    if (said.get("error") or {}).get("code") == "settings":
        raise Refused(f"the marketplace does not know it: {why}", code="settings-refused", where=said["error"]["where"])
    if said["ok"] is False:
        told = f"the marketplace does not take the credentials: {why}"
        raise Refused(told, code="credentials-refused", where="/credentials")
    if said["ok"] is None:
        raise Refused(f"the marketplace could not be asked: {why}", code="credentials-unchecked", where="/credentials")


def new_address(account: Account, by: str, now: datetime) -> None:
    """Give an account another address for its marketplace's notifications: the one before is ours no more."""
    accounts.change(account.shop, account.id, _readdressed, by, now)
    notifications.ask_for(accounts.load(account.shop, account.id, now) or account, now)


def _readdressed(body: dict[str, Any]) -> dict[str, Any]:
    return {**body, notifications.ADDRESS: int(body.get(notifications.ADDRESS) or 0) + 1}


def set_state(shop: str, id: str, state: str, *, by: str, now: datetime) -> bool:
    """Change an account's state, whatever else changes meanwhile; False where there is no such account."""
    return accounts.change(shop, id, lambda body: _stated(body, state, now), by, now)


def _stated(body: dict[str, Any], state: str, now: datetime) -> dict[str, Any]:
    """An account in a state. Since when it goes on is kept with it: what was touched while it rested has no mark, so
    its first run then looks at all that is linked."""
    since = {"connected_at": now.isoformat()} if state == "connected" else {}
    resumed = {"resumed_at": now.isoformat()} if state == "connected" and body.get("state") == "paused" else {}
    return {**since, **body, **resumed, "state": state}
