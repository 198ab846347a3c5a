"""Request definitions as a shop's people mend them: which there are, what is in force, drafts, versions compared.

Three kinds of setting: `request_draft` (being written), `request` (the shop's own, in force in place of the shipped
one of the same id) and `request_state` (what the watch holds against one). Marketplaces' folders have what is shipped.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from vestnik import marketplaces
from vestnik.domain.market import accounts, definition_schema
from vestnik.domain.market.accounts import Account
from vestnik.domain.market.definitions import Definition
from vestnik.errors import Refused
from vestnik.flows import definition_watch, definitions_in_force, waking
from vestnik.marketplaces import Marketplace
from vestnik.store import settings

OWN, DRAFT = "request", "request_draft"
SHIPPED_VERSION = 0
SOON = definition_watch.SOON
FLOWS = {"stock": "stock", "products": "products", "account": "health", "warehouses": "health"}
"""Which run makes the calls of a group; those of all other groups go with the orders."""
USUAL_FLOW = "orders"


@dataclass(frozen=True, slots=True)
class Known:
    """A definition of a shop: its own (None: as shipped), the shipped one (None: the shop's own idea), and what is held
    against it ({} for nothing)."""

    id: str
    market: Marketplace
    own: Definition | None
    shipped: Definition | None
    state: dict[str, Any]

    @property
    def definition(self) -> Definition:
        """The one that counts."""
        found = self.own if self.own is not None else self.shipped
        return found if found is not None else {}

    @property
    def source(self) -> str:
        """`own` or `shipped`; `draft` where it was never published."""
        if self.own is None and self.shipped is None:
            return "draft"
        return "shipped" if self.own is None else "own"

    @property
    def update(self) -> bool:
        """Whether a newer version is shipped than the one that the shop's own was made from."""
        if self.own is None or self.shipped is None:
            return False
        return definition_watch.version_of(self.own) < definition_watch.version_of(self.shipped)


def market_of(id: str) -> Marketplace:
    """The marketplace that an id belongs to by its first word. Refused `unknown-marketplace`."""
    return marketplaces.shipped(id.partition(".")[0])


def every(shop: str, now: datetime, marketplace: str = "") -> Iterator[Known]:
    """All definitions that a shop has, by id; those never published are not among them."""
    current = settings.current(shop, now)
    for name in [marketplace] if marketplace else marketplaces.names():
        market = marketplaces.shipped(name)
        for id in sorted(definitions_in_force.known(shop, name, now)):
            state = current.request_states.get(id, {})
            yield Known(id, market, current.requests.get(id), market.definitions.get(id), state)


def find(shop: str, id: str, now: datetime) -> Known | None:
    """One definition; None where there is none of this id, not even a draft."""
    if id.partition(".")[0] not in marketplaces.names():
        return None
    current, market = settings.current(shop, now), market_of(id)
    found = Known(id, market, current.requests.get(id), market.definitions.get(id), current.request_states.get(id, {}))
    if found.source == "draft" and settings.get(shop, DRAFT, id) is None:
        return None
    return found


def health(known: Known, now: datetime) -> dict[str, Any]:
    """How a definition fares: {state, reason?, since?, replaced_by?}; `ok` means that nothing is known against it."""
    if known.state:
        held = {"reason": known.state["reason"], "since": known.state["at"]}
        heir = known.state.get("replaced_by")
        return {"state": "replaced" if heir else "failing", **held, "replaced_by": heir}
    until = known.definition.get("valid_until")
    heir = known.definition.get("replaced_by")
    if until and until < f"{now:%Y-%m-%d}":
        return {"state": "over", "reason": f"it was valid until {until}", "replaced_by": heir}
    if until and until <= f"{now + SOON:%Y-%m-%d}":
        return {"state": "expiring", "reason": f"it is valid until {until}", "replaced_by": heir}
    return {"state": "ok"}


def checked(shop: str, id: str, definition: Mapping[str, Any], now: datetime) -> dict[str, Any]:
    """A definition as a shop may keep it under `id`. `version` becomes the shipped version that it takes the place of.

    Refused `invalid-definition`, `host`, `expression`, `bucket`, `credentials`, `paging` names the JSON pointer.
    """
    market = market_of(id)
    if definition.get("id", id) != id:
        raise Refused(f"it says it is {definition['id']!r}", code="invalid-definition", where="/id")
    shipped = market.definitions.get(id)
    version = definition_watch.version_of(shipped) if shipped else 1
    whole = {**definition, "id": id, "version": version}
    settings.current(shop, now)  # what was published a moment ago is there to be named
    purposes = {one["purpose"] for one in definitions_in_force.known(shop, market.name, now).values()}
    definition_schema.check(whole, market.domains, market.buckets, market.credentials, purposes)
    if shipped and whole["purpose"] != shipped["purpose"]:
        reason = f"{id} serves {shipped['purpose']}; for another purpose write one under an id of its own"
        raise Refused(reason, code="invalid-definition", where="/purpose")
    _check_heir(market, whole)
    return whole


def _check_heir(market: Marketplace, definition: Definition) -> None:
    heir = definition.get("replaced_by")
    if heir is not None and (heir == definition["id"] or heir.partition(".")[0] != market.name):
        reason = f"it is replaced by another definition of {market.name}, such as {market.name}.orders.list"
        raise Refused(reason, code="invalid-definition", where="/replaced_by")


@dataclass(frozen=True, slots=True)
class Version:
    """A definition as it was. `number`: the settings revision that made it. `definition` None: removed."""

    number: int
    kind: str
    definition: Definition | None
    at: str | None
    by: str | None


KINDS = {OWN: "published", DRAFT: "draft"}


def versions(shop: str, id: str, limit: int, after: str = "") -> tuple[list[Version], str | None]:
    """Drafts and published versions, newest first, and the cursor of the next part."""
    found: list[Version] = []
    more = False
    for kind in (OWN, DRAFT):
        entries, rest = settings.versions(shop, kind, id, limit, after)
        found += [_version(kind, entry) for entry in entries]
        more = more or rest is not None
    found.sort(key=lambda one: one.number, reverse=True)
    part = found[:limit]
    return part, f"{part[-1].number:010d}" if part and (more or len(found) > limit) else None


def _version(kind: str, entry: Mapping[str, Any]) -> Version:
    removed = entry["body"] is None
    return Version(entry["revision"], "removed" if removed else KINDS[kind], entry["body"], entry["at"], entry["by"])


def at_version(shop: str, id: str, number: int) -> Version | None:
    """One version; 0 is the shipped one."""
    if number == SHIPPED_VERSION:
        shipped = market_of(id).definitions.get(id)
        return Version(0, "shipped", shipped, None, None) if shipped else None
    for kind in (OWN, DRAFT):
        if (entry := settings.version(shop, kind, id, number)) is not None:
            return _version(kind, entry)
    return None


@dataclass(frozen=True, slots=True)
class Change:
    """One difference. `where`: a JSON pointer; `before` and `after` are None where there was or is nothing."""

    where: str
    what: str
    before: Any = None
    after: Any = None


def changes(before: Any, after: Any, where: str = "") -> Iterator[Change]:
    """What differs between two definitions: `added`, `removed`, `changed`, by JSON pointer (RFC 6901)."""
    if isinstance(before, Mapping) and isinstance(after, Mapping):
        for name in sorted({*before, *after}):
            at = f"{where}/{str(name).replace('~', '~0').replace('/', '~1')}"
            yield from _between(before, after, name, at)
    elif isinstance(before, list) and isinstance(after, list) and len(before) == len(after):
        for n, pair in enumerate(zip(before, after, strict=True)):
            yield from changes(*pair, f"{where}/{n}")
    elif before != after or isinstance(before, bool) != isinstance(after, bool):  # to Python, true is 1
        yield Change(where, "changed", before, after)


def _between(before: Mapping[str, Any], after: Mapping[str, Any], name: str, at: str) -> Iterator[Change]:
    if name not in before:
        yield Change(at, "added", after=after[name])
    elif name not in after:
        yield Change(at, "removed", before=before[name])
    else:
        yield from changes(before[name], after[name], at)


def published(shop: str, id: str, by: str, now: datetime) -> None:
    """What follows when a definition of the shop's own comes into force, or goes: it is given a new chance, and the
    runs that call by it are woken."""
    definition_watch.forgive(shop, id, by, now)
    settings.current(shop, now)
    found = find(shop, id, now)
    if found is not None and found.definition:
        flow = FLOWS.get(found.definition["group"], USUAL_FLOW)
        for account in _users(shop, found, now):
            waking.soon(shop, account.id, flow, now)


def _users(shop: str, known: Known, now: datetime) -> Iterator[Account]:
    """The connected accounts whose calls a definition makes now, or is named to make once another has failed."""
    there = definitions_in_force.known(shop, known.market.name, now)
    for id, body in settings.current(shop, now).accounts.items():
        account = accounts.account(shop, id, body)
        if account.marketplace != known.market.name or account.state != "connected":
            continue
        serving = definitions_in_force.find(account, known.definition["purpose"], now)
        heirs = definitions_in_force.replacements(serving, there) if serving else ()
        if serving and known.id in (serving["id"], *(heir["id"] for heir in heirs)):
            yield account
