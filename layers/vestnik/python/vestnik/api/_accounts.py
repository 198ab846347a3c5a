"""Accounts between how they are given and how they are kept; one of them found for a request."""

from collections.abc import Mapping
from datetime import timedelta
from typing import Annotated, Any

from aws_lambda_powertools.event_handler.openapi.params import Path, Query

from vestnik import resources
from vestnik.api import _kept
from vestnik.api._problems import Fault, Problem
from vestnik.api._routes import caller
from vestnik.domain.market import accounts
from vestnik.domain.market.accounts import Account
from vestnik.errors import Later
from vestnik.flows import accounts as fares
from vestnik.flows import notifications, orders_let_go
from vestnik.marketplaces import shipped
from vestnik.store import secrets, settings

KIND = "account"
OWN = ("state", "connected_at", "resumed_at", "warehouses", "secrets", notifications.ADDRESS)
"""What a PUT does not touch: each has its own request."""
HIDDEN = ("id", "warehouses", "resumed_at", notifications.ADDRESS)
RELEASE_TIME = timedelta(seconds=10)
"""How long one request lets go of orders: a function of the API has a little more."""
PATTERN = r"^[A-Za-z0-9][A-Za-z0-9._-]*$"
AccountId = Annotated[str, Path(min_length=1, max_length=60, pattern=PATTERN, description="The account's id.")]
OfAccount = Annotated[str, Query(min_length=1, max_length=60, pattern=PATTERN, description="The account.")]


def find(id: str) -> Account:
    """The account a request names. Raises Problem 404."""
    return accounts.account(caller().shop, id, _kept.find(KIND, id)["body"])


def faults(body: Mapping[str, Any], credentials: Mapping[str, str] | None) -> list[Fault]:
    """What is not right in an account, as faults of the request."""
    return [Fault(one.where, one.message, expected=one.expected) for one in fares.faults(body, credentials)]


def write(id: str, body: dict[str, Any], credentials: Mapping[str, str] | None) -> _kept.Entry:
    """Keep an account and its credentials; no other of its marketplace is then the main one beside it."""
    before = _kept.own(KIND, id)
    own: dict[str, Any] = (
        {name: before["body"][name] for name in OWN if name in before["body"]} if before else {"state": "new"}
    )
    if before and before["body"]["marketplace"] != body["marketplace"]:
        why = "an account stays at its marketplace: its units, links and orders are of that one"
        raise Problem(422, "invalid-account", why, Fault("/marketplace", "is another", body["marketplace"]))
    if credentials is not None:
        own["secrets"] = sorted(credentials)
    elif wanted := faults(body, dict.fromkeys(own.get("secrets", []), "kept")):
        raise Problem(422, "invalid-account", wanted[0].where + ": " + wanted[0].message, *wanted)
    kept = credentials if credentials is not None else secrets.account_secret(caller().shop, id)
    if other := fares.same_cabinet(caller().shop, id, body, kept, resources.now()):
        why = f"account {other} is of the same cabinet: each order would be listed and held twice"
        raise Problem(409, "same-cabinet", why, Fault("/credentials", "are of a cabinet that is here", other))
    main = body["main"] or _stays_main(id, before)
    entry = _kept.keep(KIND, id, {**body, **own, "main": main})
    if credentials is not None:
        secrets.put_account_secret(caller().shop, id, dict(credentials))
    if main:
        _no_other_main(id, body["marketplace"])
    return entry


def _stays_main(id: str, before: _kept.Entry | None) -> bool:
    """Whether an account that was the main one stays it though it does not say so: no other is."""
    if before is None or not before["body"].get("main"):
        return False
    return not any(one.get("main") for one in _others(id, before["body"]["marketplace"]).values())


def _others(id: str, marketplace: str) -> dict[str, dict[str, Any]]:
    current = settings.current(caller().shop, resources.now()).accounts
    return {other: one for other, one in sorted(current.items()) if other != id and one["marketplace"] == marketplace}


def _no_other_main(id: str, marketplace: str) -> None:
    now = resources.now()
    for other, body in _others(id, marketplace).items():
        if body.get("main"):
            settings.put(caller().shop, KIND, other, {**body, "main": False}, by=_kept.me(), now=now)


def remove(id: str, release: bool) -> None:
    """Remove an account with its credentials, units and links; another becomes the main one. A connected account is
    paused first, so that nobody removes one that still sells. `release`: let go of what its orders hold. Later where
    there was no time for all of them: asked again, it goes on."""
    account = find(id)
    _kept.unchanged(KIND, id)
    if account.state == "connected":
        raise Problem(409, "account-connected", "it is connected: pause it first, so that nothing is under way")
    _let_go(account, release)
    _kept.remove(KIND, id)
    secrets.drop_account_secret(account.shop, id)
    fares.drop(account)
    left = _others(id, account.marketplace)
    good = [(other, body) for other, body in left.items() if fares.is_good(account.shop, other)]
    if account.body.get("main") and good:
        other, body = good[0]
        settings.put(caller().shop, KIND, other, {**body, "main": True}, by=_kept.me(), now=resources.now())


def _let_go(account: Account, release: bool) -> None:
    now = resources.now()
    if fares.health(account, now)["running"]:
        raise Later("a run of it is still under way")
    if not release:
        if number := orders_let_go.holding(account):
            why = f"orders of it that have not left hold goods, such as {number}: hand them over or cancel them first, "
            raise Problem(409, "orders-open", why + "or let their goods go with ?release=true")
    elif not orders_let_go.let_go(account, resources.now, now + RELEASE_TIME):
        raise Later("it has many orders, of which some are let go: ask again, and it goes on")


def shown(entry: _kept.Entry) -> dict[str, Any]:
    """An account as it is shown: all but the credentials."""
    body = {name: value for name, value in entry["body"].items() if name not in HIDDEN}
    told = {"notifications": _notifications(entry)}
    return {"secrets": [], "connected_at": None, **told, **_kept.flat({**entry, "body": body})}


def _notifications(entry: _kept.Entry) -> dict[str, Any] | None:
    account = accounts.account(caller().shop, entry["id"], entry["body"])
    url = notifications.address(account)
    return {"url": url, "set_in": shipped(account.marketplace).body["push"].get("set_in")} if url else None
