"""Customers, staff and orders as they are put: checked strictly here, since a person or a program waits for the answer.

Every object takes further fields of the shop's own, as it does in events: rules and templates may use them, and what
was read can be put back. But a customer's or colleague's field that looks like one of ours misspelt (`e-mail`, or
`mail` where there is no `email`) is refused, and not silently never written to.
"""

import difflib
import json
from collections.abc import Iterator, Mapping
from datetime import datetime
from typing import Annotated, Any, Literal
from zoneinfo import ZoneInfo

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, ValidationError

from vestnik.domain import addresses, schemas
from vestnik.errors import Refused
from vestnik.flows.imports import Fault

MOMENT = schemas.moment("")["pattern"]
NEAR = 0.8  # alike in four letters of five, by `difflib`
LARGEST = 100_000  # bytes of one record; DynamoDB takes 400 KB, and each event about an order carries it


def _email(text: str) -> str:
    try:
        return addresses.email(text)
    except Refused as refused:
        raise ValueError(refused.reason) from None


def _timezone(text: str) -> str:
    try:
        ZoneInfo(text)
    except (KeyError, OSError, ValueError):
        raise ValueError("no such time zone: give its IANA name, such as Europe/Sofia") from None
    return text


def _moment(text: str) -> str:
    datetime.fromisoformat(text)
    return text


Id = Annotated[str, Field(min_length=1, max_length=128)]
Text = Annotated[str, Field(max_length=300)]
Line = Annotated[str, Field(max_length=500)]
Url = Annotated[str, Field(max_length=2048, pattern=r"^https?://[^\s]+$")]
Moment = Annotated[str, Field(pattern=MOMENT, description="A time by RFC 3339."), AfterValidator(_moment)]
Email = Annotated[str, Field(max_length=320), AfterValidator(_email)]
Phone = Annotated[str, Field(max_length=40, description="As people write it; kept as E.164 (+359...).")]
Chat = Annotated[str, Field(pattern=r"^(-?\d{1,20}|@\w{5,32})$", description="Telegram chat id, as a text.")]
Language = Annotated[str, Field(pattern=r"^[A-Za-z]{2,3}(-[A-Za-z0-9]{2,8})*$", description="en, ru, bg ...")]
Zone = Annotated[str, Field(max_length=64, description="IANA name.", examples=["Europe/Sofia"])]
KnownZone = Annotated[Zone, AfterValidator(_timezone)]
Currency = Annotated[str, Field(pattern=r"^[A-Z]{3}$", description="ISO 4217 code.")]
Tags = Annotated[list[Text], Field(max_length=100)]
Role = Literal["owner", "manager", "operator", "warehouse", "kitchen", "marketer", "accountant"]


class Open(BaseModel):
    """Takes the shop's own further fields."""

    model_config = ConfigDict(extra="allow", strict=True, defer_build=True)


class Money(Open):
    """`amount` in the currency's smallest unit: 1990 is 19.90 EUR."""

    amount: int = Field(ge=-(2**53), le=2**53)
    currency: Currency


class Consent(Open):
    """Whether marketing may come by a channel."""

    email: bool | None = None
    sms: bool | None = None
    telegram: bool | None = None


class Customer(Open):
    """A customer's whole record. Fields of your own are kept beside these, for rules and templates."""

    id: Id | None = Field(None, description="As in the address, or absent.")
    kind: Literal["person", "company"] | None = None
    name: Text | None = None
    email: Email | None = None
    phone: Phone | None = None
    telegram: Chat | None = None
    language: Language | None = None
    timezone: KnownZone | None = None
    manager_id: Id | None = None
    consent: Consent | None = None
    tags: Tags | None = None
    as_of: str | None = Field(None, max_length=40, description="As an answer told it; has no effect here.")


class Staff(Open):
    """A colleague's whole record. Fields of your own are kept beside these."""

    id: Id | None = Field(None, description="As in the address, or absent.")
    name: Text | None = None
    email: Email | None = None
    phone: Phone | None = None
    telegram: Chat | None = None
    language: Language | None = None
    timezone: KnownZone | None = None
    roles: list[Role] | None = Field(None, max_length=7)
    groups: Tags | None = None
    active: bool | None = None
    as_of: str | None = Field(None, max_length=40, description="As an answer told it; has no effect here.")


class Item(Open):
    """A line of an order."""

    sku: Text | None = None
    name: Line | None = None
    quantity: Annotated[int, Field(gt=0)] | Annotated[float, Field(gt=0, allow_inf_nan=False)] | None = None
    price: Money | None = None
    total: Money | None = None
    url: Url | None = None
    image: Url | None = None


class Delivery(Open):
    """How an order travels."""

    method: Text | None = None
    address: Line | None = None
    price: Money | None = None
    eta: Moment | None = None
    carrier: Text | None = None
    tracking_number: Text | None = None
    tracking_url: Url | None = None
    pickup_point: Line | None = None


class Payment(Open):
    """How an order is paid."""

    method: Text | None = None
    status: Text | None = None
    url: Url | None = None


class OfMarketplace(Open):
    """Which order of a marketplace's the shop made its own from: both are one reservation."""

    account: str | None = Field(None, max_length=120, description="The account at the marketplace, by its id here.")
    number: str | None = Field(None, max_length=128, description="The marketplace's number of the order.")


class Order(Open):
    """An order's whole record. Fields of your own are kept beside these, for rules and templates."""

    id: Id | None = Field(None, description="As in the address, or absent.")
    number: Text | None = None
    status: Text | None = None
    customer_id: Id | None = None
    manager_id: Id | None = None
    currency: Currency | None = None
    total: Money | None = None
    items: list[Item] | None = Field(None, max_length=500)
    delivery: Delivery | None = None
    payment: Payment | None = None
    url: Url | None = None
    created_at: Moment | None = None
    store: Text | None = None
    origin: Text | None = None
    marketplace: OfMarketplace | None = None
    comment: str | None = Field(None, max_length=2000)
    as_of: str | None = Field(None, max_length=40, description="As an answer told it; has no effect here.")


MODELS: dict[str, type[BaseModel]] = {"customer": Customer, "staff": Staff, "order": Order}


def whole(profile: BaseModel, id: str, country: str | None) -> dict[str, Any]:
    """What is kept of a checked profile, under `id`: no nulls, the phone as E.164. Refused where it does not fit."""
    body = profile.model_dump(mode="json", exclude_none=True, exclude={"as_of"})
    if body.setdefault("id", id) != id:
        raise Refused(f"The address says {id!r}, the body {body['id']!r}.", code="wrong-id", where="id")
    if phone := body.get("phone") if isinstance(profile, Customer | Staff) else None:
        body["phone"] = addresses.phone(phone, country).e164
    if _size(body) > LARGEST:
        raise Refused(f"A record may have {LARGEST:,} bytes.", code="too-big")
    return body


def _size(body: Mapping[str, Any]) -> int:
    try:
        return len(json.dumps(body, ensure_ascii=False, allow_nan=False).encode())
    except ValueError as odd:  # half a surrogate pair, or NaN: in a further field, which no model reads
        raise Refused(f"This cannot be written as JSON: {odd}.", code="bad-json") from None


def check(kind: str, row: Any, country: str | None) -> tuple[dict[str, Any], list[Fault]]:
    """A row of an import: what would be kept, and what is wrong with it."""
    if not isinstance(row, Mapping):
        return {}, [Fault("", _shown(row), "an object with the fields of one record")]
    id = row.get("id")
    if not isinstance(id, str) or not id:
        return {}, [Fault("id", _shown(id) if "id" in row else "nothing", "the record's id, a text")]
    try:
        profile = MODELS[kind].model_validate_json(json.dumps(row))
        return whole(profile, id, country), list(misspelt(profile))
    except ValidationError as invalid:
        return {"id": id}, [_fault(error) for error in invalid.errors(include_url=False)[:10]]
    except Refused as refused:
        return {"id": id}, [Fault(refused.where, _shown(row.get(refused.where)), refused.reason)]


def _fault(error: Mapping[str, Any]) -> Fault:
    field = ".".join(str(step) for step in error["loc"])
    return Fault(field, _shown(error["input"]), error["msg"].removeprefix("Value error, "))


def misspelt(profile: BaseModel) -> Iterator[Fault]:
    """The further fields of a customer or colleague that must be fields of ours: only written otherwise (`timeZone`),
    or nearly one that is not there (`mail`; beside an `email` it may be the shop's own)."""
    if isinstance(profile, Customer | Staff):
        yield from _misspelt(profile, "")
    if isinstance(profile, Customer) and profile.consent:
        yield from _misspelt(profile.consent, "consent.")


def _misspelt(part: BaseModel, within: str) -> Iterator[Fault]:
    ours = {_letters(name): name for name in type(part).model_fields}
    missing = [letters for letters, name in ours.items() if name not in part.model_fields_set]
    for name in part.model_extra or {}:
        near = [_letters(name)] if _letters(name) in ours else _near(name, missing)
        if near:
            yield Fault(f"{within}{name[:100]}", "a field we do not know", f"{ours[near[0]]}?")


def _near(name: str, missing: list[str]) -> list[str]:
    return difflib.get_close_matches(_letters(name)[:100], missing, n=1, cutoff=NEAR)


def _letters(name: str) -> str:
    return "".join(filter(str.isalnum, name)).casefold()


def _shown(value: Any) -> str:
    text = value if isinstance(value, str) else json.dumps(value, ensure_ascii=False, default=str)
    return text if len(text) <= 100 else text[:99] + "…"
