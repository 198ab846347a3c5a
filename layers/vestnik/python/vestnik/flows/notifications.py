"""Notifications of marketplaces: a hint that an account's orders are to be read now, and nothing more.

Whoever knows the address can only let a run come earlier: what is told in the body is read for its kind alone, and the
orders are then asked for as ever. The shop is in the signed part of the address, for no key tells who asks; the number
of the address is there too, so that a new one ends the old.
"""

import hmac
import json
from collections.abc import Mapping
from datetime import datetime
from typing import Any

from vestnik import resources
from vestnik.domain import links
from vestnik.domain.market import accounts, expressions
from vestnik.domain.market.accounts import Account
from vestnik.errors import Later, Refused, Unknown
from vestnik.flows import waking
from vestnik.marketplaces import shipped
from vestnik.store import runs, secrets, settings

PURPOSE = "marketplace-notifications"
STATE = "push"
ORDERS = "orders"
LARGEST = 256 * 1024  # bytes
FRESH = 20.0  # seconds for which the settings are taken as read: notifications come in bursts
ADDRESS = "notification_address"
"""The field of an account that counts its addresses."""

Answer = tuple[int, Mapping[str, Any]]


def address(account: Account) -> str | None:
    """Where the account's marketplace sends its notifications; None where it has none."""
    if not _told(account):
        return None
    payload = {"shop": account.shop, "account": account.id, "n": _number(account)}
    token = links.sign(secrets.link_key(), PURPOSE, payload, None)
    return f"{resources.env('PUBLIC_URL').rstrip('/')}/v1/{PURPOSE}/{account.id}/{token}"


def _told(account: Account) -> Mapping[str, Any]:
    found: Mapping[str, Any] = shipped(account.marketplace).body.get("push") or {}
    return found


def _number(account: Account) -> int:
    return int(account.body.get(ADDRESS) or 0)


def take(id: str, token: str, body: bytes, now: datetime) -> Answer:
    """Answer a notification for an account: status and body, as its marketplace expects them. An address that is not
    ours (any more) is answered 404, a body that no notification has 413; a kind that nobody knows is taken."""
    account = _account(id, token, now)
    if account is None:
        return 404, {"error": {"code": "ERROR_UNKNOWN", "message": "there is no such address"}}
    if len(body) > LARGEST:
        return 413, {"error": {"code": "ERROR_UNKNOWN", "message": f"at most {LARGEST} bytes fit"}}
    push, kind = _told(account), _kind(account, body)
    ping = push.get("ping") or {}
    if kind in push.get("orders", ()) and account.state == "connected":
        waking.soon(account.shop, account.id, ORDERS, now)
    answer = ping["answer"] if ping and kind == ping["kind"] else push["answer"]
    return 200, expressions.value(answer, {"now": expressions.rfc3339(now)})


def _account(id: str, token: str, now: datetime) -> Account | None:
    """The account whose address this is, or None."""
    try:
        signed = links.opened(secrets.link_key(), PURPOSE, token, now)
    except Refused:
        return None
    body = settings.current(signed["shop"], now, fresh_for=FRESH).accounts.get(id)
    found = accounts.account(signed["shop"], id, body) if body else None
    if found is None or not _told(found) or not hmac.compare_digest(signed["account"].encode(), id.encode()):
        return None
    return found if signed["n"] == _number(found) else None


def _kind(account: Account, body: bytes) -> str:
    """Of which kind a notification is; "" where it does not say."""
    try:
        told = json.loads(body)
    except (ValueError, RecursionError):
        return ""
    return str(told.get(_told(account).get("kind"))) if isinstance(told, dict) else ""


def ask_for(account: Account, now: datetime) -> None:
    """Let the marketplace send its notifications here, where a request of it sets that; and note how that went. It
    holds nothing up: without them orders are read by the clock."""
    push = _told(account)
    if not push.get("set"):
        return
    from vestnik.flows import calling  # only here: who takes notifications calls nobody

    url = address(account)
    error = None
    try:
        calling.call(account, push["set"], now, given={"url": url, "types": push["orders"]})
    except (Refused, Later) as no:
        error = {"code": getattr(no, "code", "later"), "reason": no.reason[:500]}
    except Unknown as doubt:
        error = {"code": "unknown", "reason": str(doubt)[:500]}
    runs.put(account.shop, account.id, STATE, last_run=now.isoformat(), error=error)
    if error is None:
        runs.put(account.shop, account.id, STATE, last_ok=now.isoformat())
