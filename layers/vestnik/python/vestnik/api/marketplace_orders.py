"""Orders of marketplaces: all accounts' in one list, by one set of statuses, and what is to be done with them."""

from collections.abc import Callable, Mapping
from datetime import date, datetime, timedelta
from typing import Annotated, Any, Literal

from aws_lambda_powertools.event_handler.openapi.params import Query
from pydantic import Field

from vestnik import marketplaces, resources
from vestnik.api._days import RECENT, Day
from vestnik.api._models import Model, Page
from vestnik.api._paging import opened, page
from vestnik.api._problems import Fault, Problem, not_found
from vestnik.api._routes import Cursor, Id, Limit, Router, caller, needs
from vestnik.domain.market import operations as operation_rules
from vestnik.domain.market import postings
from vestnik.domain.market.accounts import Account
from vestnik.domain.market.postings import Posting
from vestnik.errors import Refused
from vestnik.flows import accounts, operations, orders_shown, syncs
from vestnik.store import postings as kept
from vestnik.store import settings
from vestnik.store.postings import Stored

router = Router()
OLDEST = date(2000, 1, 1)  # no marketplace that is known here has an order from before
TOLD_APART = ("reason", "message", "boxes")

type To = Literal["packed", "handed_over", "cancelled", "shipped", "delivered"]
OfAccount = Annotated[str, Query(max_length=120, description="Only those of this account.")]
OfScheme = Annotated[str, Query(max_length=40, description="Only those of this scheme, such as FBS.")]
OfStatus = Annotated[str, Query(max_length=64, description="Only those in this status of ours.")]
First = Annotated[Day | None, Query(alias="from", description="Created on this day (UTC) or later.")]
Last = Annotated[
    Day | None, Query(alias="to", description="Created on this day (UTC) or earlier; where absent, today.")
]
Left = Annotated[
    int | None,
    Query(ge=-8760, le=8760, description="Only those with less than so many hours left to ship; 0: the overdue ones."),
]
Unlinked = Annotated[bool, Query(description="Only those that wait for a unit to be linked to items.")]
Open = Annotated[bool, Query(description="Only those of which more is expected, the most urgent first.")]


class Line(Model):
    """One line of a posting."""

    unit: str = Field(description="The marketplace's key of what is sold.")
    quantity: int
    article: str | None = None
    name: str | None = None
    price: int | None = Field(None, description="Of one, in minor units.")
    line: str | None = Field(None, description="The marketplace's own key of the line.")


class Operation(Model):
    """What was asked to be done on the marketplace's side."""

    to: str
    state: Literal["asked", "running", "done", "failed"] = Field(description="`done`: it was seen to be so there.")
    asked_at: str
    ended_at: str | None
    tries: int
    error: dict[str, str] | None = Field(description="Why it failed, or is tried again: {code, message}.")


class MarketplaceOrder(Model):
    """A posting: what is shipped as one."""

    id: str
    number: str
    order: str | None = Field(description="The marketplace's order that it is a part of.")
    parent: str | None = Field(description="The posting that was split into this one and others.")
    account: str
    marketplace: str
    scheme: str | None
    works: Literal["worked", "shown", "read"] = Field(description="What its scheme means here.")
    status: str = Field(description="In our words: `GET /v1/statuses`.")
    theirs: dict[str, Any] = Field(description="In the marketplace's words.")
    created_at: str | None
    changed_at: str | None
    ship_by: str | None
    seconds_left: int | None = Field(description="Until it must have left; negative: overdue. Null: nothing is due.")
    overdue: bool
    warehouse: str | None
    currency: str | None
    total: int | None = Field(description="In minor units.")
    lines: list[Line]
    supply: str | None
    cargo: str | None
    group: str | None = Field(description="What one buyer ordered together.")
    fake: bool = Field(description="A test order of the marketplace's: never reserved, never shipped.")
    left: bool = Field(description="It is out of the shop's hands.")
    closed: bool
    imported: bool = Field(description="It was ordered before the account was connected.")
    cancel_requested: dict[str, Any] | None
    requires: list[str] = Field(description="What must be told of the goods, such as marks.")
    held_up: str | None = Field(description="`unlinked`: goods of it are linked to no item.")
    operation: Operation | None


class WholeOrder(MarketplaceOrder):
    """A posting with what it holds and went through."""

    holds: dict[str, int] = Field(description="How much of each item of the shop it takes.")
    left_at: str | None
    history: list[dict[str, Any]] = Field(description="Its statuses, the last fifty: {at, status, theirs}.")
    together: list[str] = Field(description="The other postings that its buyer ordered with it.")
    parts: list[str] = Field(description="The numbers of the postings that took goods of it over in a split.")


class Raw(Model):
    """A posting as the marketplace told it last."""

    read_at: str
    payload: Any


class Instance(Model):
    """The mark of one piece, where goods are marked: one of these."""

    cis: str | None = Field(None, max_length=500, description="Its code in the national system of marking.")
    uin: str | None = Field(None, max_length=100, description="A jewel's number.")
    rnpt: str | None = Field(None, max_length=100, description="The number of a batch of goods that are traced.")
    gtd: str | None = Field(None, max_length=100, description="The customs declaration.")
    countryCode: str | None = Field(None, max_length=2, description="The country that made it (ISO 3166-1).")


class BoxLine(Model):
    """So many pieces of a line."""

    line: str = Field(min_length=1, max_length=100, description="The key of the line: `lines[].line` of the order.")
    quantity: int = Field(ge=1, le=1_000_000, description="How many of it lie in this box.")
    instances: list[Instance] | None = Field(
        None, max_length=1000, description="The marks of the pieces, where Yandex Market wants them."
    )


class Box(Model):
    """One box."""

    lines: list[BoxLine] = Field(min_length=1, max_length=500, description="What lies in it.")


class Change(Model):
    """What is to be done on the marketplace's side."""

    status: To = Field(description="`packed`, `handed_over` or `cancelled`; the others are the marketplace's to set.")
    reason: str | None = Field(
        None,
        max_length=500,
        description=(
            "Why it is cancelled: the marketplace's key of it. Where one is wanted, or is not known, the answer's "
            "`expected` lists those there are."
        ),
        examples=["352"],
    )
    message: str | None = Field(None, max_length=500, description="Why, in words, where the marketplace asks for them.")
    boxes: list[Box] | None = Field(
        None,
        min_length=1,
        max_length=100,
        description=(
            "With `packed`: what goes into which box, where it is more than one. At Ozon each becomes a posting of its "
            "own; other marketplaces than Ozon and Yandex Market take none."
        ),
        examples=[[{"lines": [{"line": "1001", "quantity": 2}]}, {"lines": [{"line": "1002", "quantity": 1}]}]],
    )
    given: dict[str, Any] = Field(
        default_factory=dict, description="What else the marketplace wants to know, such as the day of departure."
    )


class ManyChanges(Change):
    """The same for many postings."""

    orders: list[str] = Field(min_length=1, max_length=500, description="The ids of the postings.")


class CancellationAnswer(Model):
    """What a buyer who wants to cancel is answered."""

    grant: bool = Field(description="Whether the order is cancelled.")
    reason: str | None = Field(
        None,
        max_length=500,
        description="Why it is not: the marketplace's key of it. The problem's `expected` lists those there are.",
        examples=["ORDER_IN_DELIVERY"],
    )


class Asked(Model):
    """What became of one wish. It is carried out within a minute."""

    id: str
    operation: Operation | None
    problem: str | None = Field(None, description="Why it was refused.")
    code: str | None = None


class Wishes(Model):
    """What became of many."""

    items: list[Asked]


@router.get("/marketplace-orders")
@needs("read")
def list_marketplace_orders(
    account: OfAccount = "",
    scheme: OfScheme = "",
    status: OfStatus = "",
    first: First = None,
    last: Last = None,
    left: Left = None,
    unlinked: Unlinked = False,
    open: Open = False,
    limit: Limit = 50,
    cursor: Cursor = "",
) -> Page[MarketplaceOrder]:
    """List the postings of all accounts.

    By the day of creation, the newest first (where no day is named, the last seven), however many years the days span;
    with `left`, `unlinked` or `open`
    the open ones, the most urgent first. Filters are applied while reading: a part may be short, even empty, and still
    have a `next`.
    """
    now, shop = resources.now(), caller().shop
    suits = _suits(scheme, status, left, unlinked, now)
    listing = f"marketplace-orders/{[account, scheme, status, str(first), str(last), left, unlinked, open]}"
    if left is not None or unlinked or open:
        whose = [account] if account else sorted(settings.current(shop, now).accounts)
        wanted = _wanted(scheme, status, left, unlinked, now)
        before = _before(left, now)
        found, more = orders_shown.urgent(shop, whose, suits, wanted, limit, opened(listing, cursor), before)
    else:
        to = min(last or now.date(), now.date() + timedelta(days=1))
        since = max(first or to - RECENT, OLDEST)
        found, more = orders_shown.by_day(shop, since, to, account, suits, limit, opened(listing, cursor))
    return page(listing, [orders_shown.shown(one, now) for one in found], more, MarketplaceOrder)


def _suits(scheme: str, status: str, left: int | None, unlinked: bool, now: datetime) -> Callable[[Posting], bool]:
    def suits(body: Posting) -> bool:
        seconds = postings.seconds_left(body, now)
        soon = left is None or (seconds is not None and seconds < left * 3600)
        told = (not scheme or body.get("scheme") == scheme) and (not status or body["status"] == status)
        return told and soon and (not unlinked or body.get("held_up") == "unlinked")

    return suits


def _wanted(scheme: str, status: str, left: int | None, unlinked: bool, now: datetime) -> Callable[[Any], bool]:
    """What the short entries of open postings already tell."""
    before = _before(left, now)

    def wanted(entry: Any) -> bool:
        if entry["closed"] or (scheme and entry["scheme"] != scheme) or (status and entry["status"] != status):
            return False
        return (not before or (entry["sk"] < before and not entry["left"])) and (not unlinked or entry["unlinked"])

    return wanted


def _before(left: int | None, now: datetime) -> str:
    """Before which sort key the open postings stand that have less than so many hours left."""
    return "" if left is None else postings.moment(now + timedelta(hours=left))


@router.post("/marketplace-orders/changes", status_code=202)
@needs("operate")
def change_marketplace_orders(body: ManyChanges) -> Wishes:
    """Ask for the same change of many postings.

    Each is answered for itself; those that can be asked for are carried out together, in as few calls as fit.
    """
    items = [_asked_safely(id, body) for id in dict.fromkeys(body.orders)]
    for account in sorted({postings.parts_of(one.id)[0] for one in items if one.operation}):
        syncs.wake(caller().shop, account, "orders")
    return Wishes(items=items)


def _asked_safely(id: str, body: Change) -> Asked:
    try:
        return _ask(id, body)
    except Refused as refused:
        return Asked(id=id, operation=None, problem=refused.reason, code=refused.code)
    except Problem as problem:
        return Asked(id=id, operation=None, problem=problem.detail, code=problem.code)


@router.get("/marketplace-orders/<id>/raw")
@needs("read")
def get_marketplace_order_raw(id: Id) -> Raw:
    """Look at a posting as the marketplace told it."""
    found = kept.raw(caller().shop, *postings.parts_of(id))
    if found is None:
        raise not_found("payload of a posting", id)
    return Raw(payload=found[0], read_at=found[1])


@router.delete("/marketplace-orders/<id>/raw", status_code=204)
@needs("admin", problems=(404,))
def erase_marketplace_order_raw(id: Id) -> None:
    """Erase a posting's payload, which may name its buyer. The posting stays.

    It goes by itself 90 days after the posting last changed. The posting's next change brings a new one.
    """
    kept.drop_raw(caller().shop, *postings.parts_of(_found(id).id))


@router.post("/marketplace-orders/<id>/status", status_code=202)
@needs("operate", problems=(404,))
def change_marketplace_order(id: Id, body: Change) -> Asked:
    """Ask for a posting to be packed, handed over or cancelled.

    It is done by the account's next run, within a minute, and read back: the posting's `operation` tells how it goes.
    Asked again, it is done once.
    """
    asked = _ask(id, body)
    syncs.wake(caller().shop, postings.parts_of(id)[0], "orders")
    return asked


@router.post("/marketplace-orders/<id>/cancellation", status_code=202)
@needs("operate", problems=(404,))
def answer_marketplace_order_cancellation(id: Id, body: CancellationAnswer) -> Asked:
    """Grant a buyer's wish to cancel, or decline it for a reason.

    For an order with a `cancel_requested`, which has a `deadline`: after it the marketplace decides. Yandex Market asks
    for orders that it has taken over; the others cancel by themselves.
    """
    to = operation_rules.GRANTED if body.grant else operation_rules.DECLINED
    asked = _ask_to(id, to, body.model_dump(include={"reason"}, exclude_none=True))
    syncs.wake(caller().shop, postings.parts_of(id)[0], "orders")
    return asked


def _ask(id: str, body: Change) -> Asked:
    if misplaced := [
        Fault(f"/given/{name}", "has its own field", expected=f"/{name}") for name in TOLD_APART if name in body.given
    ]:
        raise Problem(422, "invalid", f"{misplaced[0].where} has its own field, {misplaced[0].expected}", *misplaced)
    told = body.model_dump(include=set(TOLD_APART), exclude_none=True)
    return _ask_to(id, body.status, {**body.given, **told})


def _ask_to(id: str, to: str, given: Mapping[str, Any]) -> Asked:
    shop, now = caller().shop, resources.now()
    account_id, number = postings.parts_of(id)
    account = accounts.load(shop, account_id, now)
    found = kept.get(shop, account_id, number) if account else None
    if account and found:
        _check_given(account, found.body, to, given)
    asked = operations.ask(account, number, to, given, now) if account else None
    if asked is None:
        raise not_found("posting", id)
    return Asked.model_validate({"id": id, "operation": orders_shown.shown(asked, now)["operation"]})


@router.get("/marketplace-orders/<id>")
@needs("read")
def get_marketplace_order(id: Id) -> WholeOrder:
    """Look at a posting."""
    return WholeOrder.model_validate(orders_shown.whole(_found(id), resources.now()))


def _check_given(account: Account, body: Posting, to: str, given: Mapping[str, Any]) -> None:
    """Raises Problem 422 where what comes with a wish cannot be, so that it does not fail later."""
    shipped = marketplaces.shipped(account.marketplace).operations
    operation_rules.check(body, to, shipped)
    if faults := list(operation_rules.given_faults(body, to, given, shipped)):
        shown = [Fault(one.where, one.message, expected=one.expected) for one in faults]
        raise Problem(422, "invalid", f"{faults[0].where} {faults[0].message}: {faults[0].expected}", *shown)


def _found(id: str) -> Stored:
    found = kept.get(caller().shop, *postings.parts_of(id))
    if found is None:
        raise not_found("posting", id)
    return found
