"""Supplies: postings that are handed over together, where the shop makes them itself (Wildberries)."""

from typing import Annotated, Any

from aws_lambda_powertools.event_handler.openapi.params import Query
from pydantic import Field

from vestnik import resources
from vestnik.api._days import Day
from vestnik.api._models import Model, Page
from vestnik.api._paging import opened, page
from vestnik.api._problems import Fault, Problem, not_found
from vestnik.api._routes import Cursor, Id, Limit, Router, caller, needs
from vestnik.domain.market import definitions, postings
from vestnik.domain.market.accounts import Account
from vestnik.errors import Refused, Unknown
from vestnik.flows import accounts, calling, definitions_in_force, operations, syncs
from vestnik.store import supplies

router = Router()
OfAccount = Annotated[str, Query(min_length=1, max_length=120, description="Whose supplies.")]
City = Annotated[str | None, Query(max_length=100, description="In which city; where absent, the account's.")]
ShipOn = Annotated[Day | None, Query(description="On which day; where absent, today.")]


class NewSupply(Model):
    """A supply to be made."""

    account: str = Field(max_length=120)
    name: str = Field(min_length=1, max_length=128, examples=["Friday, Koledino"])
    warehouse: str | None = Field(None, max_length=40, description="From which of the account's warehouses.")
    cargo: str | None = Field(None, max_length=10, description="Of which cargo type its orders are.")


class Supply(Model):
    """A supply."""

    id: str = Field(description="`account:number`.")
    account: str
    number: str
    name: str | None
    warehouse: str | None
    cargo: str | None
    state: str = Field(description="`open`, or `handed_over`.")
    created_at: str | None
    handed_over_at: str | None


class WholeSupply(Supply):
    """A supply with what the marketplace says of it."""

    orders: list[str] | None = Field(description="The ids of its postings; null: the marketplace does not tell.")
    theirs: dict[str, Any] | None = Field(description="In the marketplace's words.")


class Orders(Model):
    """Postings to be added."""

    orders: list[str] = Field(min_length=1, max_length=500, description="Ids of postings, all of the supply's account.")


class Shipping(Model):
    """How a supply is brought."""

    ship_on: str = Field(pattern=r"^\d{4}-\d\d-\d\d$", examples=["2026-11-21"])
    point: str = Field(max_length=40, description="The point at which it is handed in.")
    shipping: str = Field("selfShipping", max_length=40, description="Who brings it, in the marketplace's word.")


class Point(Model):
    """Where supplies are handed in."""

    id: str
    name: str | None
    address: str | None
    kind: str | None = Field(description="In the marketplace's word.")
    available: bool | None = Field(description="Whether it takes this supply on that day.")


class Points(Model):
    """Where a supply may be handed in."""

    items: list[Point]


class Accepted(Model):
    """What was asked for, posting by posting: the reason where it was refused."""

    supply: str
    refused: dict[str, str]


@router.post("/supplies", status_code=201)
@needs("operate")
def make_supply(body: NewSupply) -> Supply:
    """Make a supply."""
    account = _account(body.account)
    answer = _call(account, "supply.create", {"name": body.name})
    if not answer.items or not answer.items[0].get("id"):
        raise Refused("the marketplace named no supply", code="no-supply", where="")
    number = str(answer.items[0]["id"])
    about = {**body.model_dump(exclude={"account"}), "created_at": postings.moment(resources.now())}
    return Supply.model_validate(_shown(supplies.put(account.shop, account.id, number, **about)))


@router.get("/supplies")
@needs("read")
def list_supplies(account: OfAccount, limit: Limit = 50, cursor: Cursor = "") -> Page[Supply]:
    """List the supplies of an account that were made or handed over here."""
    listing = f"supplies/{account}"
    found, more = supplies.page(caller().shop, account, limit, opened(listing, cursor))
    return page(listing, map(_shown, found), more, Supply)


@router.get("/supplies/<id>")
@needs("read")
def get_supply(id: Id) -> WholeSupply:
    """Look at a supply, as it stands at the marketplace now."""
    account, number = _parts(id)
    known = supplies.get(account.shop, account.id, number)
    if known is None:
        raise not_found("supply", id)
    theirs, inside = _asked(account, "supply.get", number), _asked(account, "supply.orders", number)
    orders = [postings.id_of(account.id, str(one["number"])) for one in inside] if inside is not None else None
    return WholeSupply.model_validate({**_shown(known), "orders": orders, "theirs": theirs[0] if theirs else None})


def _asked(account: Account, purpose: str, number: str) -> list[dict[str, Any]] | None:
    if not calling.has(account, purpose, resources.now()):
        return None
    return _call(account, purpose, {"supply": number}).items


@router.post("/supplies/<id>/orders", status_code=202)
@needs("operate", problems=(404, 409))
def add_to_supply(id: Id, body: Orders) -> Accepted:
    """Add postings to a supply: it is done by the account's next run, and makes them `packed`."""
    account, number = _parts(id)
    _still_open(account, number)
    refused = {}
    for order in dict.fromkeys(body.orders):
        whose, posting = postings.parts_of(order)
        try:
            asked = operations.ask(account, posting, "packed", {"supply": number}, resources.now())
        except Refused as reason:
            refused[order] = reason.reason
            continue
        if whose != account.id or asked is None:
            refused[order] = "there is no such posting in the supply's account"
    syncs.wake(account.shop, account.id, "orders")
    return Accepted(supply=id, refused=refused)


@router.post("/supplies/<id>/shipping", status_code=204)
@needs("operate", problems=(404, 409))
def set_shipping(id: Id, body: Shipping) -> None:
    """Say how a supply is brought to the marketplace."""
    account, number = _parts(id)
    _still_open(account, number)
    answer = _call(account, "supply.shipping", {}, [{"supply": number, **body.model_dump()}])
    bad = next((one for one in answer.outcomes.values() if not one.ok), None)
    if bad is not None:
        no = Refused(bad.message or "the marketplace refused it", code="refused", where="", said=bad.code)
        raise _advised(account, "supply.shipping", no, None)
    supplies.put(account.shop, account.id, number, shipping=body.model_dump())


@router.get("/supplies/<id>/shipping-points")
@needs("read", problems=(409,))
def list_shipping_points(id: Id, city: City = None, ship_on: ShipOn = None) -> Points:
    """List where a supply may be handed in on a day."""
    account, number = _parts(id)
    wanted = {"supply": number, "city": city, "ship_on": f"{ship_on}T00:00:00Z" if ship_on else None}
    told = {name: value for name, value in wanted.items() if value is not None}
    if city is None and not account.settings.get("city"):
        raise Problem(422, "invalid", "a city is needed", Fault("?city", "is missing: the account names none"))
    found = _call(account, "supply.shipping_points", told).items
    return Points(items=[Point.model_validate({name: one.get(name) for name in Point.model_fields}) for one in found])


@router.post("/supplies/<id>/deliver", status_code=204)
@needs("operate", problems=(404, 409))
def deliver_supply(id: Id) -> None:
    """Hand a supply over: all its postings are then in the marketplace's hands. Done twice it is the same.

    What must come before (orders in it, how it is brought) is told as a problem, with the marketplace's word in `said`.
    """
    account, number = _parts(id)
    known = supplies.get(account.shop, account.id, number)
    if known is None or known["state"] != supplies.HANDED_OVER:
        _call(account, "supply.deliver", {"supply": number})
        supplies.close(account.shop, account.id, number, postings.moment(resources.now()))
    syncs.wake(account.shop, account.id, "orders")


def _parts(id: str) -> tuple[Account, str]:
    account, number = postings.parts_of(id)
    found = accounts.load(caller().shop, account, resources.now())
    if found is None or not number:
        raise not_found("supply", id)
    return found, number


def _account(id: str) -> Account:
    found = accounts.load(caller().shop, id, resources.now())
    if found is None:
        fault = Fault("/account", "there is no such account", id)
        raise Problem(422, "unknown-account", f"there is no account {id}", fault)
    return found


def _call(account: Account, purpose: str, given: dict[str, Any], rows: Any = ()) -> calling.Answer:
    """One call at once, for a person who waits. A lost answer is told as such: look before asking again."""
    try:
        return calling.call(account, purpose, resources.now(), given=given, rows=rows)
    except Unknown as unknown:
        raise Problem(502, "unknown-outcome", f"nobody can tell whether it was done: {unknown}") from None
    except Refused as refused:
        raise _advised(account, purpose, refused, refused.more.get("status")) from None


def _advised(account: Account, purpose: str, refused: Refused, status: int | None) -> Refused | Problem:
    """A refusal with what to do about it, where the definition has a word for that."""
    said = refused.more.get("said") or ""
    found = definitions_in_force.find(account, purpose, resources.now())
    note = definitions.advice(found, status, said) if found else None
    if note is None:
        return refused
    return Problem(409, "supply-not-ready", f"{note} ({refused.reason})", Fault("", note, said), said=said)


def _still_open(account: Account, number: str) -> None:
    """Raises Problem where nothing can be changed in a supply any more."""
    known = supplies.get(account.shop, account.id, number)
    if known is not None and known["state"] == supplies.HANDED_OVER:
        raise Problem(409, "supply-closed", f"supply {number} was handed over: make another for what comes now")


def _shown(supply: supplies.Supply) -> dict[str, Any]:
    names = ("name", "warehouse", "cargo", "state", "created_at", "handed_over_at")
    told = {name: supply.get(name) for name in names}
    return {"id": postings.id_of(supply["account"], supply["id"]), "account": supply["account"], **told} | {
        "number": supply["id"]
    }
