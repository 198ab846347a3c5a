"""Accounts: their credentials checked, their expiry watched, and how they fare."""

from collections.abc import Callable, Mapping
from datetime import datetime, timedelta
from typing import Any

from vestnik.domain.market import accounts, definitions, expressions, links
from vestnik.domain.market.accounts import Account
from vestnik.errors import Later, Refused, Unknown
from vestnik.flows import announcing, calling
from vestnik.marketplaces import shipped
from vestnik.store import accounts as listed
from vestnik.store import fbo, lists, postings, runs, secrets, seen, settings, stock_sent, units
from vestnik.store.dynamo import Conflict

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
    """Ask the marketplace whether the kept credentials and settings are good, and keep what it says: {checked_at, ok
    (None: it could not be asked), expires_at?, name?, scopes?, error?: {code, reason, where?}}. The first account of a
    marketplace with which all is well is its main one."""
    told = {"ok": None, "expires_at": None, "name": None, "scopes": None, "error": None, **_asked(account, now)}
    kept = runs.put(account.shop, account.id, CREDENTIALS, checked_at=now.isoformat(), **told)
    if told["ok"]:
        _be_main(account, now)
    return {"ok": None, **kept}


def is_good(shop: str, id: str) -> bool:
    """Whether all was well with an account when it was last checked."""
    return runs.get(shop, id, CREDENTIALS).get("ok") is True


def _be_main(account: Account, now: datetime) -> None:
    """Make an account the main one where its marketplace has none."""
    current = settings.current(account.shop, now).accounts.values()
    if not any(one["marketplace"] == account.marketplace and one.get("main") for one in current):
        change(account.shop, account.id, lambda body: {**body, "main": True}, "vestnik", now)


def change(shop: str, id: str, step: Callable[[dict[str, Any]], dict[str, Any]], by: str, now: datetime) -> bool:
    """Change an account as `step` says, whatever else changes meanwhile; False where there is no such account."""
    while (kept := settings.get(shop, "account", id)) is not None:
        body = step(kept["body"])
        try:
            settings.put(shop, "account", id, body, by=by, now=now, expect=kept["revision"])
        except Conflict:
            continue  # somebody changed the account in between
        return True
    return False


def _asked(account: Account, now: datetime) -> Report:
    try:
        told = _signed_in(account, now)
        wrong = _wrong_setting(account, now) if told["ok"] else None
    except Refused as refused:
        return {"ok": False, "error": {"code": refused.code, "reason": refused.reason}}
    except Later as later:
        return {"error": {"code": "later", "reason": later.reason}}
    except Unknown as doubt:
        return {"error": {"code": "unknown", "reason": str(doubt)}}
    return {**told, "ok": False, "error": wrong} if wrong else told


def _signed_in(account: Account, now: datetime) -> Report:
    answer = calling.call(account, "credentials.check", now)
    said = answer.items[0] if answer.items else {}
    names = ("expires_at", "name", "scopes")
    return {"ok": said.get("ok", True) is not False, **{name: said[name] for name in names if said.get(name)}}


def _wrong_setting(account: Account, now: datetime) -> Report | None:
    """The first setting that the marketplace does not know, by its `checks`; None where all are good, or where there is
    no such request any more."""
    market, found = shipped(account.marketplace), dict[str, list[dict[str, Any]]]()
    for one in market.body.get("checks", ()):
        if account.settings.get(one["setting"]) is None:
            continue
        try:
            if one["call"] not in found:
                found[one["call"]] = _every(account, one["call"], now)
        except Refused as refused:
            if refused.code in ("gone", "no-definition"):
                return None
            raise
        if not expressions.value(one["expect"], {"settings": account.settings, "items": found[one["call"]]}):
            title, where = market.settings[one["setting"]]["title"], f"/settings/{one['setting']}"
            return {"code": "settings", "reason": f"{title}: {one['else']}", "where": where}
    return None


def _every(account: Account, purpose: str, now: datetime) -> list[dict[str, Any]]:
    return [one for answer in calling.pages(account, purpose, now) for one in answer.items]


def same_cabinet(
    shop: str, id: str, body: Mapping[str, Any], credentials: Mapping[str, str], now: datetime
) -> str | None:
    """The account of the shop's that is of the same cabinet as this one would be: its orders would be listed and held
    twice. None where there is no such. By the marketplace's `cabinet`, of what is kept of the others now."""
    mine = _cabinet(body, credentials)
    for other, one in sorted(settings.current(shop, now).accounts.items()):
        if other == id or one["marketplace"] != body["marketplace"] or mine is None:
            continue
        if _cabinet(one, secrets.account_secret(shop, other)) == mine:
            return other
    return None


def _cabinet(body: Mapping[str, Any], credentials: Mapping[str, str]) -> Any:
    """Which cabinet an account is of; it may be the secret itself, and is for comparison alone."""
    market = shipped(str(body["marketplace"]))
    checks = (one for one in market.definitions.values() if one["purpose"] == "credentials.check")
    claims = definitions.claimed(next(checks, {}), credentials)
    known = {"credentials": dict(credentials), "settings": body.get("settings") or {}, "claims": claims}
    try:
        return expressions.value(market.body.get("cabinet"), known)
    except Refused:
        return None  # what it is told by is not there


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
    postings.forget_place(account.shop, account.id)
