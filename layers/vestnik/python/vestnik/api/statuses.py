"""Statuses of marketplace orders: the shop's own list, and how each marketplace's words are read."""

from typing import Annotated, Any, Literal

from aws_lambda_powertools.event_handler.openapi.params import Path
from pydantic import Field

from vestnik.api import _kept
from vestnik.api._models import Model, Trail
from vestnik.api._problems import Fault, Problem, not_found
from vestnik.api._routes import Router, needs
from vestnik.domain.market import statuses
from vestnik.flows.orders_take import LIST
from vestnik.marketplaces import names, shipped

router = Router()
KIND = "statuses"

OfMarketplace = Annotated[str, Path(min_length=1, max_length=40, description="The marketplace's name.")]
type Shipped = Literal[
    "new",
    "awaiting_confirmation",
    "confirmed",
    "assembled",
    "packed",
    "awaiting_label",
    "label_received",
    "shipped",
    "delivered",
    "cancelled",
    "disputed",
    "none",
]


class Status(Model):
    """A status of the shop's own list."""

    id: str = Field(pattern=r"^[a-z][a-z0-9_]{0,63}$")
    title: str = Field(min_length=1, max_length=100, description="For people.")
    counts_as: Shipped = Field(description="The shipped status that it is a kind of: what it means for stock.")


class StatusList(Model):
    """The statuses that the shop works with, in its order."""

    items: list[Status] = Field(max_length=100)


class KeptList(StatusList, Trail):
    """The list, and where it comes from."""


class Reading(Model):
    """Which status of ours one of theirs is. Fields that are not named may be anything; a list: one of these."""

    theirs: dict[str, str | list[str]] = Field(min_length=1, max_length=5, examples=[{"status": "delivering"}])
    status: str = Field(description="One of `GET /v1/statuses`.", examples=["shipped"])


class Table(Model):
    """The shop's own readings. They come before the shipped ones."""

    items: list[Reading] = Field(max_length=500)


class KeptTable(Table, Trail):
    """The readings in force: the shop's own, then the shipped ones."""

    marketplace: str
    own: int = Field(description="How many of them are the shop's own; they come first.")


@router.get("/statuses")
@needs("read")
def get_statuses() -> KeptList:
    """Read the list of statuses."""
    return _list(_kept.find(KIND, LIST, lambda id: {"list": _shipped_list()}))


def _shipped_list() -> list[dict[str, Any]]:
    return [{"id": id, "title": title, "counts_as": id} for id, title in statuses.SHIPPED_LIST.items()]


def _list(entry: _kept.Entry) -> KeptList:
    flat = _kept.flat(entry)
    return KeptList(items=[Status(**one) for one in flat["list"]], **_trail(entry))


def _trail(entry: _kept.Entry) -> dict[str, Any]:
    return {name: entry[name] for name in ("revision", "at", "by", "shipped")}


@router.put("/statuses")
@needs("operate", match=True)
def put_statuses(body: StatusList) -> KeptList:
    """Put the list of statuses.

    Shipped statuses may be renamed and left out; a status of the shop's own counts as a shipped one.
    """
    seen = set[str]()
    for n, one in enumerate(body.items):
        if one.id in seen or (one.id in statuses.SHIPPED_LIST and one.counts_as != one.id):
            fault = Fault(f"/items/{n}/id", "is there twice, or is a shipped one that counts as another", one.id)
            raise Problem(422, "invalid", "each status stands once, and a shipped one counts as itself", fault)
        seen.add(one.id)
    return _list(_kept.keep(KIND, LIST, {"list": [one.model_dump() for one in body.items]}))


@router.get("/statuses/<marketplace>")
@needs("read")
def get_status_table(marketplace: OfMarketplace) -> KeptTable:
    """Read how a marketplace's statuses are read."""
    _known(marketplace)
    return _table(marketplace, _kept.find(KIND, marketplace, lambda id: {"unified": []}))


@router.put("/statuses/<marketplace>")
@needs("operate", match=True)
def put_status_table(marketplace: OfMarketplace, body: Table) -> KeptTable:
    """Put the shop's own readings of a marketplace's statuses.

    Open postings are read anew by their account's next run, closed ones only with news of them. An empty list: as
    shipped.
    """
    _known(marketplace)
    there = {one.id for one in get_statuses().items} | statuses.SHIPPED_LIST.keys()
    for n, one in enumerate(body.items):
        if one.status not in there:
            fault = Fault(f"/items/{n}/status", "is none of the list", one.status, ", ".join(sorted(there)))
            raise Problem(422, "invalid", f"there is no status {one.status}", fault)
    table = [{"theirs": one.theirs, "is": one.status} for one in body.items]
    return _table(marketplace, _kept.keep(KIND, marketplace, {"unified": table}))


def _known(marketplace: str) -> None:
    if marketplace not in names():
        raise not_found("marketplace", marketplace)


def _table(marketplace: str, entry: _kept.Entry) -> KeptTable:
    own = entry["body"].get("unified") or []
    rows = [*own, *(shipped(marketplace).statuses.get("unified") or [])]
    items = [Reading(theirs=row["theirs"], status=row["is"]) for row in rows]
    return KeptTable(marketplace=marketplace, own=len(own), items=items, **_trail(entry))
