"""Links: of which of the shop's items a unit is made; by hand, and by article or barcode."""

from typing import Annotated, Literal

from aws_lambda_powertools.event_handler.openapi.params import Query
from pydantic import Field

from vestnik import resources
from vestnik.api import _accounts, _units
from vestnik.api._accounts import OfAccount
from vestnik.api._models import Model, Page
from vestnik.api._paging import opened, page, sealed
from vestnik.api._routes import Cursor, Limit, Router, caller, needs
from vestnik.api._units import InPath, Unit, UnitId, UnitLink
from vestnik.domain.market import links as rules
from vestnik.flows import links
from vestnik.store import items

router = Router()

AT_ONCE = 1000
type Way = Literal["article", "barcode"]
OfItem = Annotated[str, Query(min_length=1, max_length=200, description="The item.")]


class Linked(Unit):
    """A unit as it is linked now."""

    unknown_items: list[str] = Field(description="Parts whose stock you never told: nothing is sent until you do.")


class Auto(Model):
    """How to link automatically."""

    account: str = Field(min_length=1, max_length=60, description="Whose units.", examples=["ozon-main"])
    by: list[Way] = Field(
        default_factory=lambda: list[Way](["article", "barcode"]),
        min_length=1,
        max_length=2,
        description="What must be the same, in this order: the unit's article and the item's id, or a barcode.",
    )
    dry: bool = Field(False, description="Only tell what would be linked.")
    cursor: str = Field("", max_length=2000, description="The `next` of the answer before: where to go on.")


class Sample(Model):
    """A unit that was linked, or that a person must choose for."""

    unit: str
    name: str | None
    article: str | None
    item: str | None = Field(description="The item it is linked to; null: there are several candidates.")
    by: Way | None
    candidates: list[str]


class AutoLinked(Model):
    """What automatic linking came to."""

    looked: int = Field(description="Units without a link that were looked at.")
    linked: dict[str, int] = Field(description="Of these were linked, by what.")
    ambiguous: int = Field(description="More than one item suits: choose by hand.")
    unmatched: int = Field(description="No item suits.")
    samples: list[Sample] = Field(description="Some of the linked and the ambiguous ones.")
    next: str | None = Field(description="Where to go on: give it as `cursor`. Null: all were looked at.")


class Tie(Model):
    """A unit that is made of an item."""

    account: str
    unit: str


class Ties(Model):
    """The units that are made of an item."""

    items: list[Tie]


@router.get("/links")
@needs("read")
def list_links(item: OfItem) -> Ties:
    """List the units, over all accounts, that an item is part of."""
    found = items.ties(caller().shop, item)
    return Ties(items=[Tie(account=account, unit=unit) for account, unit in found])


@router.get("/links/unlinked")
@needs("read", problems=(404,))
def list_unlinked(account: OfAccount, limit: Limit = 50, cursor: Cursor = "") -> Page[Unit]:
    """List the units that have no link: orders of them are held, their stock never sent.

    Left out are those that are archived at their marketplace, or that it lists no more. A part may hold fewer than the
    limit and yet not be the last.
    """
    owner, listing = _accounts.find(account), f"unlinked/{account}"
    found, more = links.listed(owner, False, "listed", limit, opened(listing, cursor))
    return page(listing, [_units.shown(owner, unit) for unit in found], more, Unit)


@router.post("/links/auto")
@needs("operate", problems=(404,))
def link_automatically(body: Auto) -> AutoLinked:
    """Link up to 1,000 units that have no link and that exactly one item suits; go on with `next`."""
    account, listing = _accounts.find(body.account), f"auto/{body.account}"
    ways = tuple(dict.fromkeys(body.by))
    cursor = opened(listing, body.cursor)
    told = links.auto(account, ways, resources.now, most=AT_ONCE, cursor=cursor, dry=body.dry)
    return AutoLinked.model_validate({**told, "next": sealed(listing, told["next"]) if told["next"] else None})


@router.put("/links/<account>/<unit>")
@needs("operate", problems=(404,))
def put_link(account: InPath, unit: UnitId, body: UnitLink) -> Linked:
    """Link a unit to items by hand.

    Their stock is sent at once; orders that were held for want of the link go on.
    """
    owner, key = _units.named(account, unit)
    link = rules.link(body.mode, [part.model_dump() for part in body.parts])
    found = links.put(owner, key, link, resources.now())
    if found is None:
        raise _units.unknown(key)
    missing = sorted(rules.items_of(link) - items.stocked(owner.shop, rules.items_of(link)))
    return Linked.model_validate({**_units.shown(owner, found).model_dump(), "unknown_items": missing})


@router.delete("/links/<account>/<unit>", status_code=204)
@needs("operate", problems=(404,))
def delete_link(account: InPath, unit: UnitId) -> None:
    """Take a unit's link away.

    What the marketplace shows of it stays as it is: set it to zero there, or link it to an item without stock, first.
    """
    owner, key = _units.named(account, unit)
    if not links.remove(owner, key, resources.now()):
        raise _units.unknown(key)
