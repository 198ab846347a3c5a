"""Watching over request definitions: what no longer works is told at once, and replaced where a successor is named.

Nothing is written for a call that works. A definition that fails leaves one small setting (kind `request_state`), which
reaches every worker with the settings' revision; it goes when the definition is mended, a newer one is shipped, or its
calls work again.
"""

import json
from collections.abc import Iterator, Mapping
from datetime import date, datetime, timedelta
from typing import Any

from vestnik import marketplaces
from vestnik.domain.market.accounts import Account
from vestnik.domain.market.definitions import Definition
from vestnik.flows import announcing, definitions_in_force
from vestnik.store import settings

STATE = "request_state"
BY = "system:watch"
SOON = timedelta(days=14)
JUST_OVER = timedelta(days=3)
DOUBTED = timedelta(minutes=15)
LONGEST_REASON = 500


def failed(account: Account, definition: Definition, reason: str, now: datetime, *, call: bool = False) -> bool:
    """Take note that a definition no longer works, tell of it, and put its replacement in force where one is named.
    True: another definition serves its purpose now, so try again. `call`: a call showed it, so one that works shows the
    opposite (`worked`); else what calls that seemed to work came to."""
    serving = _serving(account, definition["purpose"], now)
    if serving is not None and serving != definition:
        return True  # somebody was quicker: a person who mended it, or another run that met the same
    heir = _heir(account, definition, now)
    told = _state(account.shop, definition["id"])
    day = f"{now:%Y-%m-%d}"
    if heir is None and told.get("day") == day and told.get("reason") == reason[:LONGEST_REASON]:
        return False  # told today already
    _tell_failing(account, definition, reason, heir, now)  # first: told twice it is one event, lost it would be silence
    _keep(account.shop, definition, reason, heir, now, call=call)
    settings.current(account.shop, now)  # read anew: this run goes on with the replacement
    return heir is not None


def worked(account: Account, definition: Definition, now: datetime) -> None:
    """Hold against a definition no longer that calls of it failed, where nothing took its place; but not at once, for
    those of another account may fail still."""
    told = state(account.shop, definition["id"], now)
    if told.get("call") and not told["replaced_by"] and now - datetime.fromisoformat(told["at"]) >= DOUBTED:
        forgive(account.shop, definition["id"], BY, now)


def look(account: Account, now: datetime) -> None:
    """Tell of what ends soon, of what has ended, and of newer shipped definitions; cheap, for once an hour or a day.
    Each is told once for all accounts of a marketplace."""
    settings.current(account.shop, now)
    known = definitions_in_force.known(account.shop, account.marketplace, now)
    _forget_mended(account, known, now)
    for purpose in sorted({one["purpose"] for one in known.values()}):
        serving = definitions_in_force.find(account, purpose, now)
        if serving is not None and serving.get("valid_until"):
            _tell_dates(account, serving, now)
    for definition in known.values():
        if _just_over(definition, now) and _heir(account, definition, now) is not None:
            _tell_over(account, definition, now)
    for id, (own, shipped) in newer_shipped(account.shop, account.marketplace, now).items():
        _tell_update(account, known[id], own, shipped, now)


def newer_shipped(shop: str, marketplace: str, now: datetime) -> dict[str, tuple[int, int]]:
    """The shop's own definitions that were made from an older version than is shipped now: id -> (own, shipped)."""
    own = settings.current(shop, now, fresh_for=definitions_in_force.FRESH).requests
    versions = {
        id: (version_of(own[id]), version_of(shipped))
        for id, shipped in marketplaces.shipped(marketplace).definitions.items()
        if id in own
    }
    return {id: (mine, theirs) for id, (mine, theirs) in versions.items() if mine < theirs}


def version_of(definition: Definition) -> int:
    """Which shipped version a definition is, or was made from."""
    return int(definition.get("version", 1))


def state(shop: str, id: str, now: datetime) -> dict[str, Any]:
    """What is held against a definition: {reason, at, replaced_by?}; {} where nothing is."""
    found = settings.current(shop, now, fresh_for=definitions_in_force.FRESH).request_states.get(id)
    return dict(found) if found else {}


def forgive(shop: str, id: str, by: str, now: datetime) -> None:
    """Hold nothing against a definition any longer: it was mended."""
    if settings.get(shop, STATE, id) is not None:
        settings.delete(shop, STATE, id, by=by, now=now)


def _serving(account: Account, purpose: str, now: datetime) -> Definition | None:
    """What serves a purpose by the newest settings: this run may know older ones."""
    settings.current(account.shop, now)
    return definitions_in_force.find(account, purpose, now)


def _heir(account: Account, definition: Definition, now: datetime) -> Definition | None:
    """The nearest named replacement that has not failed itself."""
    known = definitions_in_force.known(account.shop, account.marketplace, now)
    states = settings.current(account.shop, now, fresh_for=definitions_in_force.FRESH).request_states
    for heir in definitions_in_force.replacements(definition, known):
        if heir["purpose"] == definition["purpose"] and heir["id"] not in states:
            return heir
    return None


def _state(shop: str, id: str) -> dict[str, Any]:
    found = settings.get(shop, STATE, id)
    return dict(found["body"]) if found and found["body"] else {}


def _keep(
    shop: str, definition: Definition, reason: str, heir: Definition | None, now: datetime, *, call: bool
) -> None:
    """Write down that it fails. Unconditional: two runs that meet the same failure write the same."""
    body: dict[str, Any] = {
        "reason": reason[:LONGEST_REASON],
        "at": now.isoformat(),
        "day": f"{now:%Y-%m-%d}",
        "version": version_of(definition),
        "replaced_by": heir["id"] if heir else None,
        "call": call,
    }
    settings.put(shop, STATE, definition["id"], body, by=BY, now=now)


def _forget_mended(account: Account, known: Mapping[str, Definition], now: datetime) -> None:
    """What failed in an older version than is in place now is held against it no longer."""
    for id, told in _states(account.shop):
        if id in known and told.get("version", 1) < version_of(known[id]):
            forgive(account.shop, id, BY, now)


def _states(shop: str) -> Iterator[tuple[str, dict[str, Any]]]:
    cursor: str | None = ""
    while cursor is not None:
        page, cursor = settings.page(shop, STATE, 100, cursor)
        yield from ((entry["id"], entry["body"]) for entry in page)


def _just_over(definition: Definition, now: datetime) -> bool:
    until = _day(definition.get("valid_until"))
    return until is not None and until < now.date() <= until + JUST_OVER


def _day(text: str | None) -> date | None:
    return date.fromisoformat(text) if text else None


def _tell_dates(account: Account, definition: Definition, now: datetime) -> None:
    """Of a definition that serves: whether it ends soon, or has ended and nothing took its place."""
    until = date.fromisoformat(definition["valid_until"])
    if until < now.date():
        _tell_over(account, definition, now)
    elif until <= (now + SOON).date():
        heir = _heir(account, definition, now)
        data = {"valid_until": f"{until}T00:00:00Z", "replaced_by": heir["id"] if heir else None}
        _tell(account, "request_expiring", f"{definition['id']}:{until}", definition, data, now)


def _tell_over(account: Account, definition: Definition, now: datetime) -> None:
    heir = _heir(account, definition, now)
    until = definition["valid_until"]
    data = {
        "reason": f"its time is over: it was valid until {until}",
        "replaced": heir is not None,
        "replaced_by": heir["id"] if heir else None,
        **_newer(account, definition),
    }
    _tell(account, "request_failing", f"{definition['id']}:over:{until}", definition, data, now)


def _tell_failing(
    account: Account, definition: Definition, reason: str, heir: Definition | None, now: datetime
) -> None:
    data = {
        "reason": reason[:LONGEST_REASON],
        "replaced": heir is not None,
        "replaced_by": heir["id"] if heir else None,
        "source": source_of(account, definition),
        **_newer(account, definition),
    }
    _tell(account, "request_failing", f"{definition['id']}:failing:{now:%Y-%m-%d}", definition, data, now)


def _newer(account: Account, definition: Definition) -> dict[str, int]:
    """The versions of the shop's own definition and of a newer shipped one, which a person may take in its place: it
    does not take over by itself, for the shop's own was made with intent."""
    shipped = marketplaces.shipped(account.marketplace).definitions.get(definition["id"])
    if shipped is None or version_of(definition) >= version_of(shipped):
        return {}
    return {"own_version": version_of(definition), "shipped_version": version_of(shipped)}


def _tell_update(account: Account, definition: Definition, own: int, shipped: int, now: datetime) -> None:
    data = {"own_version": own, "shipped_version": shipped}
    _tell(account, "request_update", f"{definition['id']}:{shipped}", definition, data, now)


def source_of(account: Account, definition: Definition) -> str:
    """Whether a definition is as `shipped` or the shop's `own`."""
    shipped = marketplaces.shipped(account.marketplace).definitions.get(definition["id"])
    return "shipped" if shipped is not None and _same(shipped, definition) else "own"


def _same(one: Definition, other: Definition) -> bool:
    return json.dumps(one, sort_keys=True) == json.dumps(other, sort_keys=True)


def _tell(account: Account, type: str, id: str, definition: Definition, data: Mapping[str, Any], now: datetime) -> None:
    shown = {name: definition.get(name) for name in ("id", "title", "purpose")}
    request = {**shown, "marketplace": account.marketplace, "version": version_of(definition)}
    by = f"/marketplaces/{account.marketplace}"
    announcing.announce(account, f"marketplace.{type}", id, {"request": request, **data}, now, by=by)
