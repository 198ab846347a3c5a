"""Accounts: their credentials checked, their expiry watched, and how they fare."""

from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any

from vestnik.domain.market import accounts, links
from vestnik.domain.market.accounts import Account
from vestnik.errors import Later, Refused, Unknown
from vestnik.flows import announcing, calling
from vestnik.marketplaces import shipped
from vestnik.store import accounts as listed
from vestnik.store import fbo, lists, runs, seen, settings, stock_sent, units

CREDENTIALS = "credentials"
COUNTS = "counts"
WARN_DAYS = (14, 7, 3, 1, 0)
"""How many days before the credentials end it is told; once each."""
FLOWS = ("orders", "stock", "products", "readback", "health")

Report = dict[str, Any]


def load(shop: str, id: str, now: datetime) -> Account | None:
    """An account as it is set now, or None."""
    body = settings.current(shop, now).accounts.get(id)
    return accounts.account(shop, id, body) if body else None


def check(account: Account, now: datetime) -> Report:
    """Ask the marketplace whether the kept credentials are good, and keep what it says: {checked_at, ok (None: it could
    not be asked), expires_at?, name?, scopes?, error?: {code, reason}}."""
    told = {"ok": None, "expires_at": None, "name": None, "scopes": None, "error": None, **_asked(account, now)}
    kept = runs.put(account.shop, account.id, CREDENTIALS, checked_at=now.isoformat(), **told)
    return {"ok": None, **kept}


def _asked(account: Account, now: datetime) -> Report:
    try:
        answer = calling.call(account, "credentials.check", now)
    except Refused as refused:
        return {"ok": False, "error": {"code": refused.code, "reason": refused.reason}}
    except Later as later:
        return {"error": {"code": "later", "reason": later.reason}}
    except Unknown as doubt:
        return {"error": {"code": "unknown", "reason": str(doubt)}}
    said = answer.items[0] if answer.items else {}
    names = ("expires_at", "name", "scopes")
    return {"ok": said.get("ok", True) is not False, **{name: said[name] for name in names if said.get(name)}}


def watch(account: Account, now: datetime) -> None:
    """Once a day: check the credentials anew, and tell of those that end soon, before they do."""
    said = check(account, now)
    count(account)
    ends = _moment(said.get("expires_at"))
    if ends is None or (near := step(ends - now)) is None:
        return
    left = max(0, (ends - now).days)
    id = f"{account.id}:credentials:{said['expires_at']}:{near}"
    data = {"expires_at": ends.isoformat(), "days_left": left}
    announcing.announce(account, "marketplace.credentials_expiring", id, data, now)


def step(left: timedelta) -> int | None:
    """The nearest of the days at which it is told that has been reached; None where there is time enough."""
    return min((days for days in WARN_DAYS if left <= timedelta(days=days)), default=None)


def _moment(text: Any) -> datetime | None:
    return datetime.fromisoformat(text) if isinstance(text, str) and text else None


def count(account: Account) -> dict[str, int]:
    """Count an account's units anew: {units, linked, unlinked, archived, gone}. What is archived at the marketplace, or
    gone from its list, is none of the others, linked or not."""
    found = {"units": 0, "linked": 0, "unlinked": 0, "archived": 0, "gone": 0}
    for unit in units.every(account.shop, account.id):
        if not links.offered(unit):
            found[links.state_of(unit)] += 1
            continue
        found["units"] += 1
        found["linked" if "link" in unit else "unlinked"] += 1
    runs.put(account.shop, account.id, COUNTS, **found)
    return found


def health(account: Account, now: datetime) -> Report:
    """How an account fares: {state, credentials, flows: {flow: last run, last good one, error, progress ...}, counts,
    running: [flows under way]}."""
    states = runs.every(account.shop, account.id)
    running = [flow for flow in FLOWS if listed.leased_until(account.shop, account.id, flow, now)]
    return {
        "state": account.state,
        "credentials": states.pop(CREDENTIALS, {}),
        "counts": states.pop(COUNTS, {}),
        "running": running,
        "flows": states,
    }


def faults(body: Mapping[str, Any], credentials: Mapping[str, str] | None) -> list[accounts.Missing]:
    """What is not right in an account's description, by what its marketplace declares."""
    try:
        market = shipped(str(body["marketplace"]))
    except Refused as unknown:
        return [accounts.Missing("/marketplace", unknown.reason, "the name of a marketplace")]
    found = [*accounts.settings_faults(market.settings, body.get("settings") or {})]
    found += accounts.scheme_faults(market.schemes, body.get("schemes") or [])
    found += accounts.mapping_faults(body.get("carry_over") or {})
    wrong = accounts.credential_faults(market.credentials, credentials) if credentials is not None else ()
    return [*found, *wrong]


def drop(account: Account) -> None:
    """Remove what was kept of an account that is removed: its units and links, what they were sent, lists, states."""
    listed.unwatch(account.shop, account.id)
    units.forget_account(account.shop, account.id)
    seen.forget(account.shop, account.id)
    stock_sent.forget_account(account.shop, account.id)
    fbo.forget_account(account.shop, account.id)
    for what in (lists.CATEGORY, lists.WAREHOUSE):
        lists.put(account.shop, account.id, what, [])
    runs.forget_account(account.shop, account.id)
