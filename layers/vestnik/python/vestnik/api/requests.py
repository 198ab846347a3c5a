"""Requests: every call to a marketplace as data, which a shop's people can mend, try, compare and take back.

What is shipped is in force until a version of the shop's own is published, and again when that is taken back.
"""

from collections.abc import Mapping
from dataclasses import asdict
from typing import Annotated, Any

from aws_lambda_powertools.event_handler.openapi.params import Query

from vestnik import marketplaces, resources
from vestnik.api import _kept
from vestnik.api._models import Page, SettingId
from vestnik.api._paging import opened, sealed
from vestnik.api._problems import Fault, Problem, not_found
from vestnik.api._request_models import (
    Change,
    Changes,
    Json,
    NewDraft,
    RequestListed,
    RequestShown,
    Rollback,
    Trial,
    TrialOutcome,
    Version,
)
from vestnik.api._routes import Cursor, Limit, Router, caller, needs
from vestnik.domain.market import accounts, definitions
from vestnik.errors import Refused
from vestnik.flows import definition_watch, definitions_in_force, trying_definitions
from vestnik.flows import definitions as known_definitions
from vestnik.flows.definitions import DRAFT, OWN, Known
from vestnik.store import settings

router = Router()

OfMarketplace = Annotated[str | None, Query(max_length=40, description="Only those of this marketplace.")]
OfGroup = Annotated[str | None, Query(max_length=80, description="Only those of this group, such as `stock`.")]
VERSION = r"^(shipped|own|draft|\d{1,10})$"
VERSION_TOLD = "`shipped`, `own`, `draft`, or the number of a version."
FromVersion = Annotated[str | None, Query(alias="from", pattern=VERSION, description=f"The older: {VERSION_TOLD}")]
ToVersion = Annotated[str | None, Query(pattern=VERSION, description=f"The newer: {VERSION_TOLD}")]


@router.get("/requests")
@needs("read")
def list_requests(
    marketplace: OfMarketplace = None, group: OfGroup = None, limit: Limit = 50, cursor: Cursor = ""
) -> Page[RequestListed]:
    """List the calls to marketplaces: whose version counts, and how each fares."""
    listing, now = f"requests/{marketplace}/{group}", resources.now()
    if marketplace is not None and marketplace not in marketplaces.names():
        fault = Fault("?marketplace", "there is no such marketplace", marketplace, ", ".join(marketplaces.names()))
        raise Problem(422, "unknown-marketplace", fault.message, fault)
    after = opened(listing, cursor)
    found = [one for one in known_definitions.every(caller().shop, now, marketplace or "") if one.id > after]
    found = sorted((one for one in found if group in (None, one.definition["group"])), key=lambda one: one.id)
    part = [RequestListed.model_validate(_listed(one)) for one in found[:limit]]
    return Page[RequestListed](items=part, next=sealed(listing, part[-1].id) if len(found) > limit else None)


@router.get("/requests/<id>")
@needs("read")
def read_request(id: SettingId) -> RequestShown:
    """Read a call's definition: what is in force, what is shipped, the draft, and what it would send."""
    return _shown(_found(id))


@router.put("/requests/<id>")
@needs(
    "admin",
    match=True,
    links={
        "read": ("read_request", {"id": "$response.body#/id"}),
        "publish": ("publish_request", {"id": "$response.body#/id"}),
    },
)
def put_request(id: SettingId, body: NewDraft) -> RequestShown:
    """Write a new version of a definition, as a draft.

    What is in force stays so until the draft is published. An id of your own begins with the marketplace's name.
    """
    _kept.keep(DRAFT, id, _checked(id, body.definition, "/definition"))
    return _shown(_found(id))


@router.delete("/requests/<id>", status_code=204)
@needs("admin")
def delete_request(id: SettingId) -> None:
    """Remove the shop's own version and the draft; the shipped one is in force again, where there is one."""
    removed = [kind for kind in (OWN, DRAFT) if _kept.own(kind, id) is not None]
    if not removed:
        raise not_found("request of your own", id)
    for kind in removed:
        settings.delete(caller().shop, kind, id, by=_kept.me(), now=resources.now())
    known_definitions.published(caller().shop, id, _kept.me(), resources.now())


@router.post("/requests/<id>/publish")
@needs("admin", problems=(409,))
def publish_request(id: SettingId) -> RequestShown:
    """Put a definition's draft in force, in place of the shipped one."""
    draft = _kept.own(DRAFT, id)
    if draft is None:
        _found(id)
        raise Problem(409, "no-draft", "there is no draft to publish", Fault("{id}", "has no draft"))
    return _in_force(id, draft["body"])


@router.post("/requests/<id>/rollback")
@needs("admin")
def rollback_request(id: SettingId, body: Rollback) -> RequestShown:
    """Put an earlier version in force again."""
    _found(id)
    found = known_definitions.at_version(caller().shop, id, body.version)
    if found is None or found.definition is None:
        fault = Fault("/version", "is no version of it", str(body.version), "a number that `versions` lists")
        raise Problem(422, "no-such-version", fault.message, fault)
    if body.version == known_definitions.SHIPPED_VERSION:
        return adopt_request(id)
    return _in_force(id, found.definition)


@router.post("/requests/<id>/adopt")
@needs("admin", problems=(409,))
def adopt_request(id: SettingId) -> RequestShown:
    """Take the shipped version in place of the shop's own."""
    shop, me, now = caller().shop, _kept.me(), resources.now()
    if _found(id).shipped is None:
        raise Problem(409, "not-shipped", "nothing is shipped under this id", Fault("{id}", "is not shipped"))
    if settings.get(shop, OWN, id) is not None:
        settings.delete(shop, OWN, id, by=me, now=now)
    known_definitions.published(shop, id, me, now)
    return _shown(_found(id))


@router.post("/requests/<id>/test")
@needs("admin", problems=(409,))
def test_request(id: SettingId, body: Trial) -> TrialOutcome:
    """Make a call for real, and see what the marketplace answers and what of it is understood.

    It counts against the account's limits. Credentials are never shown.
    """
    account = _account(id, body.account)
    definition = _tried(id, body)
    if definitions.writes(definition) and not body.write:
        fault = Fault("/write", "this call changes something at the marketplace", "false", "true")
        raise Problem(422, "needs-write", fault.message, fault)
    found = trying_definitions.tried(
        account, definition, resources.now(), given=body.given, rows=body.rows, page=body.page
    )
    return TrialOutcome.model_validate(asdict(found))


test_request.__test__ = False  # type: ignore[attr-defined]  # pytest would collect it by its name


@router.get("/requests/<id>/versions")
@needs("read")
def list_request_versions(id: SettingId, limit: Limit = 50, cursor: Cursor = "") -> Page[Version]:
    """List the versions that a definition had in this shop: drafts and published ones, newest first."""
    _found(id)
    listing = f"requests/{id}/versions"
    found, more = known_definitions.versions(caller().shop, id, limit, opened(listing, cursor))
    items = [Version.model_validate(_version(one)) for one in found]
    return Page[Version](items=items, next=sealed(listing, more) if more else None)


@router.get("/requests/<id>/diff")
@needs("read")
def compare_request(id: SettingId, from_: FromVersion = None, to: ToVersion = None) -> Changes:
    """Compare two versions of a definition; where none are named, the one that counts with the draft."""
    known = _found(id)
    before, after = _named(known, from_ or known.source, "?from"), _named(known, to or "draft", "?to")
    return Changes(items=[Change(**asdict(one)) for one in known_definitions.changes(before, after)])


def _found(id: str) -> Known:
    found = known_definitions.find(caller().shop, id, resources.now())
    if found is None:
        raise not_found("request", id)
    return found


def _checked(id: str, definition: Mapping[str, Any], at: str) -> Json:
    """A definition that may be kept. Raises Refused with the place in the request's body."""
    if id.partition(".")[0] not in marketplaces.names():
        raise not_found("marketplace for the request", id)
    try:
        return known_definitions.checked(caller().shop, id, definition, resources.now())
    except Refused as refused:
        raise Refused(refused.reason, code=refused.code, where=f"{at}{refused.where}") from None


def _in_force(id: str, definition: Mapping[str, Any]) -> RequestShown:
    """Publish a definition, as it passes the check today."""
    _kept.keep(OWN, id, _checked(id, definition, ""))
    known_definitions.published(caller().shop, id, _kept.me(), resources.now())
    return _shown(_found(id))


def _account(id: str, named: str) -> accounts.Account:
    found = settings.get(caller().shop, "account", named)
    if found is None or found["body"]["marketplace"] != id.partition(".")[0]:
        fault = Fault("/account", "is no account of this marketplace", named)
        raise Problem(422, "unknown-account", fault.message, fault)
    return accounts.account(caller().shop, named, found["body"])


def _tried(id: str, body: Trial) -> Json:
    if body.definition is not None:
        return _checked(id, body.definition, "/definition")
    draft = _kept.own(DRAFT, id) if body.draft else None
    found = draft["body"] if draft else _found(id).definition
    if not found:
        raise Problem(409, "not-published", "nothing of it is published yet", Fault("/draft", "nothing is published"))
    return dict(found)


def _named(known: Known, name: str, where: str) -> Any:
    """The version that a query names."""
    draft = _kept.own(DRAFT, known.id) if name == "draft" else None
    by_name = {"shipped": known.shipped, "own": known.own, "draft": draft and draft["body"]}
    if name in by_name:
        found = by_name[name]
    else:
        version = known_definitions.at_version(caller().shop, known.id, int(name))
        found = version.definition if version else None
    if found is None:
        raise Problem(422, "no-such-version", f"there is no version {name}", Fault(where, "names no version", name))
    return found


def _listed(known: Known, definition: Mapping[str, Any] | None = None) -> Json:
    told = definition or known.definition
    same = {name: told[name] for name in ("group", "title", "purpose", "method", "host", "path")}
    return {
        **same,
        "id": known.id,
        "marketplace": known.market.name,
        "colour": known.market.body.get("colour", "#5b6675"),
        "writes": definitions.writes(told),
        "source": known.source,
        "version": definition_watch.version_of(told),
        "update": known.update,
        "valid_from": told.get("valid_from"),
        "valid_until": told.get("valid_until"),
        "health": known_definitions.health(known, resources.now()),
    }


def _shown(known: Known) -> RequestShown:
    draft = _kept.own(DRAFT, known.id)
    trail = {name: draft[name] for name in ("revision", "at", "by")} if draft else {}
    counting = dict(known.definition) or None
    return RequestShown.model_validate(
        {
            **_listed(known, counting or (draft or {})["body"]),
            "definition": counting,
            "shipped": dict(known.shipped) if known.shipped else None,
            "draft": {**trail, "definition": draft["body"]} if draft else None,
            "serves": _serves(known),
            "sample": _sample(known, draft["body"] if draft else known.definition),
        }
    )


def _serves(known: Known) -> list[str]:
    """The accounts of the marketplace whose calls this definition makes now."""
    shop, now = caller().shop, resources.now()
    bodies = settings.current(shop, now).accounts
    ours = [accounts.account(shop, id, body) for id, body in sorted(bodies.items())]
    mine = [one for one in ours if one.marketplace == known.market.name and known.definition]
    finds = ((one.id, definitions_in_force.find(one, known.definition["purpose"], now)) for one in mine)
    return [id for id, found in finds if found is not None and found["id"] == known.id]


def _sample(known: Known, definition: Mapping[str, Any]) -> Json | None:
    """What a definition would send with the data of its first documented call; None where there is none, or it does
    not fit."""
    told = next(iter(marketplaces.samples(known.market.name, known.id)), None)
    if told is None:
        return None
    account = accounts.Account(caller().shop, "sample", known.market.name, dict(told.get("settings", {})))
    data = {name: told.get(name) for name in ("given", "page")} | {"rows": told.get("rows") or ()}
    try:
        return trying_definitions.would_send(account, definition, resources.now(), **data)
    except Refused:
        return None


def _version(one: known_definitions.Version) -> Json:
    shown = asdict(one)
    return {"version": shown.pop("number"), **shown}
