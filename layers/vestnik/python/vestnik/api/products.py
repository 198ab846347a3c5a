"""Products: what an account already sells, as its marketplace tells of it, and which of it is linked."""

from typing import Annotated, Any, Literal

from aws_lambda_powertools.event_handler.openapi.params import Query
from pydantic import Field

from vestnik.api import _accounts, _units
from vestnik.api._accounts import OfAccount
from vestnik.api._models import Model, Page
from vestnik.api._paging import opened, page
from vestnik.api._routes import Cursor, Limit, Router, caller, needs
from vestnik.api._units import InPath, Unit, UnitId
from vestnik.flows import links, products, syncs
from vestnik.store import items, runs, units

router = Router()

Linked = Annotated[bool | None, Query(description="Only linked units, or only those that are not.")]
InState = Annotated[
    Literal["listed", "archived", "gone"] | None,
    Query(description="Only units that its marketplace lists, that are archived there, or that it lists no more."),
]


class Import(Model):
    """What to import."""

    account: str = Field(min_length=1, max_length=60, description="Whose products.", examples=["ozon-main"])
    whole: bool = Field(False, description="From the first product on, though a run is under way or nothing changed.")
    confirm: bool = Field(False, description="A whole one, and what it does not see is gone, however much that is.")


class Importing(Model):
    """Where an import stands."""

    account: str
    running: bool = Field(description="Whether a run is under way; it goes on in the background.")
    progress: dict[str, int] = Field(description="{seen, new, changed, total?} of the run under way, or of the last.")
    finished_at: str | None = Field(description="When the last run ended.")
    missing: dict[str, Any] | None = Field(
        description="What the last whole list did not hold: {known, missed, gone, at, held?, since?}; `held` is "
        "`too-many` or `incomplete`. Where it is held, no unit was marked as gone."
    )
    error: dict[str, Any] | None = Field(description="Why the last run stopped: {code, reason, at}.")


class KnownPart(Model):
    """A part of a unit, and whether its stock is known."""

    item: str
    quantity: int
    priority: int
    stock: Literal["known", "unknown"] = Field(description="`unknown`: you never told its stock, so none is sent.")


class UnitInFull(Unit):
    """A unit with what is known of its parts."""

    parts: list[KnownPart] = Field(default_factory=list)


@router.get("/products")
@needs("read", problems=(404,))
def list_products(
    account: OfAccount, linked: Linked = None, state: InState = None, limit: Limit = 50, cursor: Cursor = ""
) -> Page[Unit]:
    """List an account's sellable units. With `linked` or `state`, a part may hold fewer than the limit and yet not be
    the last."""
    owner, listing = _accounts.find(account), f"products/{account}/{linked}/{state}"
    found, more = links.listed(owner, linked, state, limit, opened(listing, cursor))
    return page(listing, [_units.shown(owner, unit) for unit in found], more, Unit)


@router.get("/products/import")
@needs("read", problems=(404,))
def read_import(account: OfAccount) -> Importing:
    """See how the import of an account's products goes."""
    return _importing(_accounts.find(account).id)


@router.post("/products/import", status_code=202)
@needs("operate", problems=(404,))
def import_products(body: Import) -> Importing:
    """Import an account's products in the background; `GET /v1/products/import` tells how it goes."""
    account = _accounts.find(body.account)
    if body.whole or body.confirm:
        products.begin_anew(account, whole=True, agreed=body.confirm)
    syncs.wake(account.shop, account.id, products.FLOW)
    return _importing(account.id)


@router.get("/products/<account>/<unit>")
@needs("read")
def read_product(account: InPath, unit: UnitId) -> UnitInFull:
    """Read one unit: what its marketplace tells, and the items it is made of."""
    owner, key = _units.named(account, unit)
    found = units.get(owner.shop, owner.id, key)
    if found is None:
        raise _units.unknown(key)
    parts = (found.get("link") or {}).get("parts", [])
    stocked = items.stocked(owner.shop, [part["item"] for part in parts])
    told = [{**part, "stock": "known" if part["item"] in stocked else "unknown"} for part in parts]
    return UnitInFull.model_validate({**_units.shown(owner, found).model_dump(), "parts": told})


def _importing(account: str) -> Importing:
    state = runs.get(caller().shop, account, products.FLOW)
    told = {"account": account, "running": bool(state.get("run")), "progress": state.get("progress", {})}
    return Importing.model_validate({**told, **{k: state.get(k) for k in ("finished_at", "missing", "error")}})
