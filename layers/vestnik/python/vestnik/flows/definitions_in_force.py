"""Which definition serves a purpose now: the shop's own over the shipped, in its dates, replaced where it failed.

One that is named to follow another stands by until its own day (`valid_from`), or until that one is over or failing.
"""

from collections.abc import Iterator, Mapping
from datetime import datetime
from typing import Any

from vestnik import marketplaces
from vestnik.domain.market import expressions
from vestnik.domain.market.accounts import Account
from vestnik.domain.market.definitions import Definition
from vestnik.errors import Refused
from vestnik.store import settings

FRESH = 20.0  # seconds for which a settings revision is taken as read


def known(shop: str, marketplace: str, now: datetime) -> dict[str, dict[str, Any]]:
    """All definitions of a marketplace by id, the shop's own in place of the shipped ones."""
    own = settings.current(shop, now, fresh_for=FRESH).requests
    shipped = marketplaces.shipped(marketplace).definitions
    mine = {id: body for id, body in own.items() if id.partition(".")[0] == marketplace and "method" in body}
    return {**shipped, **mine}


def find(account: Account, purpose: str, now: datetime) -> Definition | None:
    """The definition that serves a purpose for an account at `now`; None where the marketplace has none."""
    found = known(account.shop, account.marketplace, now)
    failed = settings.current(account.shop, now, fresh_for=FRESH).request_states
    suiting = [one for one in found.values() if one["purpose"] == purpose and _suits(one, account)]
    heirs = {state.get("replaced_by") for state in failed.values()}  # called before their day, where need be
    dated = [one for one in suiting if one["id"] in heirs or _in_force(one, now)]
    standing = _without_heirs([one for one in dated if not _switched(failed.get(one["id"]))], failed)
    standing.sort(key=lambda one: (bool(one.get("when")), one.get("valid_from") or "", one["id"]), reverse=True)
    return standing[0] if standing else _last(suiting, now)


def _without_heirs(standing: list[dict[str, Any]], failed: Mapping[str, Any]) -> list[dict[str, Any]]:
    """Those that serve now: a replacement that names no day of its own stands by, as long as the one that names it is
    well. Where they name one another in a circle, all of them."""
    well = [one for one in standing if one["id"] not in failed]
    waiting = {one.get("replaced_by") for one in well}
    serving = [one for one in standing if one["id"] not in waiting or one.get("valid_from")]
    return serving or standing


def _last(suiting: list[dict[str, Any]], now: datetime) -> Definition | None:
    """Where none is in force: one that is over is better than silence, for dates slip; its failing is told of."""
    over = [one for one in suiting if (one.get("valid_from") or "") <= f"{now:%Y-%m-%d}"]
    return max(over, key=lambda one: one.get("valid_until") or "9999", default=None)


def need(account: Account, purpose: str, now: datetime) -> Definition:
    """As `find`. Refused `no-definition`."""
    found = find(account, purpose, now)
    if found is None:
        raise Refused(f"{account.marketplace} has no request for {purpose!r}", code="no-definition")
    return found


def replacements(definition: Definition, found: Mapping[str, Definition]) -> Iterator[Definition]:
    """The definitions named to follow this one, nearest first."""
    seen = {definition["id"]}
    while (id := definition.get("replaced_by")) and id in found and id not in seen:
        seen.add(id)
        definition = found[id]
        yield definition


def _suits(definition: Definition, account: Account) -> bool:
    told = definition.get("when")
    return told is None or bool(expressions.value(told, {"account": facts(account)}))


def facts(account: Account) -> dict[str, Any]:
    """What a definition may know of an account: its own settings, its id; no secret."""
    return {"id": account.id, "settings": account.settings, **account.settings}


def _in_force(definition: Definition, now: datetime) -> bool:
    today = f"{now:%Y-%m-%d}"
    return (definition.get("valid_from") or "") <= today <= (definition.get("valid_until") or "9999")


def _switched(state: Mapping[str, Any] | None) -> bool:
    return bool(state and state.get("replaced_by"))
