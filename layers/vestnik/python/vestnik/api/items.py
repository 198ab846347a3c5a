"""Items: what the shop tells of its goods beside their stock, so that units find them by barcode."""

from typing import Annotated, Any

from pydantic import Field

from vestnik.api._models import Model, Page
from vestnik.api._paging import opened, page
from vestnik.api._problems import not_found
from vestnik.api._routes import Cursor, Id, Limit, Router, caller, needs
from vestnik.store import items

router = Router()


class Described(Model):
    """What is told of an item."""

    name: str = Field("", max_length=500, description="What it is.", examples=["Assam tea, 250 g"])
    barcodes: list[Annotated[str, Field(min_length=1, max_length=64)]] = Field(
        default_factory=list, max_length=50, description="Its barcodes.", examples=[["4600000000017"]]
    )
    fields: dict[str, Any] = Field(
        default_factory=dict, max_length=100, description="Whatever else is to be known of it."
    )


class NewItem(Described):
    """An item."""

    item: str = Field(min_length=1, max_length=200, description="The shop's own id of it.", examples=["TEA-ASSAM-250"])


@router.get("/items")
@needs("read")
def list_items(limit: Limit = 50, cursor: Cursor = "") -> Page[NewItem]:
    """List the items that were described.

    Those of which only stock was told are in `GET /v1/stock`.
    """
    found, more = items.page(caller().shop, limit, opened("items", cursor))
    return page("items", found, more, NewItem)


@router.put("/items")
@needs("operate")
def put_item(body: NewItem) -> NewItem:
    """Describe an item, in place of what was told of it before. Its stock is told apart: `PUT /v1/stock`."""
    kept = body.model_dump(mode="json", exclude={"item"})
    kept["barcodes"] = list(dict.fromkeys(kept["barcodes"]))
    items.describe(caller().shop, body.item, kept)
    return NewItem.model_validate({"item": body.item, **kept})


@router.get("/items/<id>")
@needs("read")
def read_item(id: Id) -> NewItem:
    """Read an item's description."""
    found = items.get(caller().shop, id)
    if found is None:
        raise not_found("item", id)
    return NewItem.model_validate(found)


@router.delete("/items/<id>", status_code=204)
@needs("operate", problems=(404,))
def delete_item(id: Id) -> None:
    """Remove an item's description. Its stock and its links stay."""
    if items.get(caller().shop, id) is None:
        raise not_found("item", id)
    items.remove(caller().shop, id)
