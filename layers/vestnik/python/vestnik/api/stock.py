"""Stock: what the shop has of its items, who holds it, and what is shown of it on marketplaces."""

from typing import Any, Literal

from pydantic import Field, ValidationError

from vestnik import resources
from vestnik.api._models import Model, Page
from vestnik.api._paging import opened, page
from vestnik.api._problems import Fault, Problem, not_found, of_validation
from vestnik.api._profiles import Moment
from vestnik.api._routes import Cursor, Id, Limit, Router, caller, needs, request
from vestnik.flows import stock_keep, stock_shown, stock_touch
from vestnik.store import goods, settings

router = Router()

LARGEST = 5_000_000
MOST_ROWS = 10_000
MOST_ERRORS = 1000

Kind = Literal["physical", "free"]


class StockRow(Model):
    """How many there are of an item in a warehouse."""

    item: str = Field(min_length=1, max_length=128, description="The shop's code of the item.", examples=["TEA-250"])
    warehouse: str = Field(min_length=1, max_length=100, description="The shop's warehouse.", examples=["sofia"])
    quantity: int = Field(ge=0, le=1_000_000_000, description="How many.", examples=[120])
    kind: Kind = Field(
        "physical",
        description="`physical`: all that lies there. `free`: what is left after the shop's own reservations.",
    )
    as_of: Moment | None = Field(None, description="When it was so (RFC 3339); now when absent.")


class StockRows(Model):
    """What to keep."""

    rows: list[Any] = Field(max_length=MOST_ROWS)


class RowFault(Model):
    """One thing wrong in a row."""

    row: int = Field(description="The row, counted from 1.")
    item: str = Field(description="The item, where the row has one.")
    field: str = Field(description="The field.")
    found: str = Field(description="What stood there.")
    expected: str = Field(description="What would be right.")


class StockReport(Model):
    """What became of the rows. Good rows are kept whatever the others are."""

    rows: int = Field(description="Rows read.")
    kept: int = Field(description="Numbers kept; of several for one item and warehouse the newest counts.")
    stale: int = Field(description="Numbers no newer than what is known: nothing changed by them.")
    changed: int = Field(description="Items of which more or less is for sale now: what is linked to them is sent.")
    bad: int = Field(description="Rows with a fault.")
    errors: list[RowFault] = Field(description="The faults, 1,000 at most.")


class WarehouseStock(Model):
    """An item in one of the shop's warehouses."""

    warehouse: str
    quantity: int = Field(description="As the shop told.")
    kind: str
    as_of: str
    available: int | None = Field(description="What of it may be sold; below 0: more was sold than there is.")


class ItemStock(Model):
    """An item in numbers."""

    item: str
    on_hand: int | None = Field(description="In all warehouses, as the shop told. Null: unknown, which is not 0.")
    held: int = Field(description="What orders take off it now, over all channels.")
    available: int | None = Field(description="On hand less held. Below 0: more was sold than there is.")
    warehouses: list[WarehouseStock]


class HoldShown(Model):
    """An order that holds some of an item."""

    order: str = Field(description="`<account>:<number>` of a marketplace's, `order/<id>` of the shop's own.")
    quantity: int
    counts: int = Field(description="How much of it is taken off now; 0: the shop's own numbers lack it already.")
    warehouses: list[str] = Field(description="From which of the shop's warehouses; none named: any.")
    since: str | None = Field(description="When it was reserved.")
    known: str | None = Field(description="Since when the shop's own system knows of it.")
    gone: str | None = Field(description="When it left the warehouse.")


class PartShown(Model):
    """An item of a unit."""

    item: str
    needs: int = Field(description="How many one unit takes.")
    on_hand: int | None
    held: int
    available: int | None


class HowShown(Model):
    """How a number comes about: what the parts make, less the buffer, never below 0."""

    mode: str = Field(description="`kit`: the scarcest part decides. `alternative`: all of them together.")
    parts: list[PartShown]
    makes: int | None = Field(description="How many units they make. Null: unknown, and nothing is sent.")
    buffer: int = Field(description="So many are never offered.")
    means: str = Field(description="`free`: all holds are off. `physical`: the account's own, not yet gone, stay in.")


class SendFault(Model):
    """What the marketplace said when it did not take a number."""

    code: str
    message: str
    at: str


class PlaceShown(Model):
    """A unit in one of the marketplace's warehouses."""

    warehouse: str
    takes: list[str] = Field(description="Which of the shop's warehouses feed it; none named: all.")
    desired: int | None = Field(description="The number to show now. Null: unknown, and nothing is sent.")
    sent: int | None = Field(description="The number last sent and taken.")
    sent_at: str | None
    doubt: bool = Field(description="Whether an answer was lost: it is sent again.")
    seen: int | None = Field(description="The number last read back.")
    seen_at: str | None
    error: SendFault | None
    how: HowShown


class FboShown(Model):
    """What lies in one of the marketplace's own warehouses: shown, never reserved or sent."""

    warehouse: str
    quantity: int
    at: str


class UnitShown(Model):
    """A marketplace's unit that is made of the item."""

    account: str
    unit: str
    mode: str
    warehouses: list[PlaceShown]
    fbo: list[FboShown]


class ItemStockWhole(ItemStock):
    """An item with who holds it and what is shown of it."""

    orders: list[HoldShown]
    units: list[UnitShown]


class Sync(Model):
    """What to send now: one of the three."""

    item: str | None = Field(None, min_length=1, max_length=128, description="All units made of this item.")
    account: str | None = Field(None, min_length=1, max_length=120, description="All of an account.")
    all: bool = Field(False, description="All accounts.")


class Synced(Model):
    """What is looked at now: sent is what differs."""

    units: int | None = Field(description="Units of the item that are sent; null for whole accounts.")
    accounts: list[str] = Field(description="Accounts that are gone through.")


CONTENT = {
    "application/json": {
        "schema": {
            "type": "object",
            "properties": {
                "rows": {
                    "type": "array",
                    "maxItems": MOST_ROWS,
                    "items": {},
                    "description": "How many there are of each item in each warehouse: {item, warehouse, quantity, "
                    "kind?, as_of?}. `kind` is `physical` (all that lies there) or `free` (what is left after the "
                    "shop's own reservations), `as_of` when it was so. The answer tells of every row that is not so.",
                },
            },
            "required": ["rows"],
            "additionalProperties": False,
        },
        "example": {"rows": [{"item": "TEA-ASSAM-250", "warehouse": "sofia", "quantity": 120, "kind": "physical"}]},
    },
}


@router.put("/stock")
@needs("operate", largest=LARGEST, raw=("application/json",), content=CONTENT)
def put_stock() -> StockReport:
    """Tell how many there are, up to 10,000 rows at once.

    Items that are not named stay as they are. A row that is no newer (`as_of`) than what is known changes nothing.
    """
    rows = _rows(request().body)
    checked = [_checked(number, row) for number, row in enumerate(rows, 1)]
    good = [one for one in checked if isinstance(one, dict)]
    faults = [one for one in checked if isinstance(one, RowFault)]
    kept = stock_keep.keep(caller().shop, good, resources.now())
    return StockReport(
        rows=len(rows),
        kept=kept.kept,
        stale=kept.stale,
        changed=kept.changed,
        bad=len(faults),
        errors=faults[:MOST_ERRORS],
    )


def _rows(body: bytes) -> list[Any]:
    try:
        return StockRows.model_validate_json(body).rows
    except ValidationError as invalid:
        errors = [{**error, "loc": ("body", *error["loc"])} for error in invalid.errors(include_url=False)]
        raise of_validation(errors, StockRows.model_fields) from None


def _checked(number: int, row: Any) -> dict[str, Any] | RowFault:
    """A row as it is kept, or the first thing that is wrong with it."""
    try:
        return StockRow.model_validate(row).model_dump()
    except ValidationError as invalid:
        error = invalid.errors(include_url=False)[0]
    item = str(row.get("item", ""))[:128] if isinstance(row, dict) else ""
    fault = of_validation([{**error, "loc": ("body", *error["loc"])}], StockRow.model_fields).faults[0]
    return RowFault(
        row=number,
        item=item,
        field=fault.where.removeprefix("/"),
        found=fault.found or fault.message,
        expected=fault.expected or fault.message,
    )


@router.get("/stock")
@needs("read")
def list_stock(limit: Limit = 50, cursor: Cursor = "") -> Page[ItemStock]:
    """List the items with their stock."""
    found, more = goods.page(caller().shop, limit, opened("stock", cursor))
    return page("stock", [stock_shown.summary(item) for item in found], more, ItemStock)


@router.get("/stock/<id>")
@needs("read", problems=(404,))
def get_stock(id: Id) -> ItemStockWhole:
    """Read an item's stock: who holds it, and what each unit made of it shows, and why."""
    found = stock_shown.whole(caller().shop, id, resources.now())
    if found is None:
        raise not_found("item", id)
    return ItemStockWhole.model_validate(found)


@router.post("/stock/sync")
@needs("operate", problems=(404,))
def sync_stock(body: Sync) -> Synced:
    """Look at an item, an account or all of them now, without waiting for the clock.

    What of an item is linked is sent whatever was sent before; a whole account is read, and what differs is sent.
    """
    shop, now = caller().shop, resources.now()
    if sum((body.item is not None, body.account is not None, body.all)) != 1:
        fault = Fault("", "names none or several", expected="one of item, account, all")
        raise Problem(422, "invalid", "say what to send: an item, an account, or all", fault)
    if body.item is not None:
        return Synced(units=stock_touch.touch(shop, [body.item], now, forced=True), accounts=[])
    known = settings.current(shop, now).accounts
    if body.account is not None and body.account not in known:
        raise not_found("account", body.account)
    wanted = [body.account] if body.account is not None else sorted(known)
    for account in wanted:
        stock_touch.anew(shop, account, now)
    return Synced(units=None, accounts=wanted)
