"""The shop itself: what its messages say of it, where it is, and its switches."""

from typing import Annotated, Any

from pydantic import AfterValidator, Field

from vestnik.api import _kept
from vestnik.api._models import Model
from vestnik.api._routes import Router, caller, needs
from vestnik.errors import Refused
from vestnik.store import settings

router = Router()

ID = "shop"
MOST_A_MINUTE = 60_000


def _zone(name: str) -> str:
    from vestnik.rendering.zones import zone

    try:
        known = zone(name) is not None
    except KeyError:  # no such file, and no package with zones either
        known = False
    if not known:
        raise ValueError("is no IANA time zone, such as Europe/Sofia")
    return name


def _email(text: str) -> str:
    from vestnik.domain import addresses

    try:
        return addresses.email(text)
    except Refused as refused:
        raise ValueError(refused.reason) from None


type Link = Annotated[str, Field(max_length=2048, pattern=r"^https?://[^\s]+$")]


class Sending(Model):
    """The switch of each channel: off, nothing goes by it, whatever the rules say."""

    email: bool = True
    sms: bool = True
    telegram: bool = True
    webhook: bool = True


class Audiences(Model):
    """The switch of each audience; `machine` is webhooks."""

    customer: bool = True
    staff: bool = True
    machine: bool = True


class Shop(Model):
    """The shop. Patterns and templates see it as `shop`."""

    name: str | None = Field(None, max_length=200, description="As customers know it.", examples=["Samovar"])
    url: Link | None = Field(None, description="Its front page.", examples=["https://samovar.example"])
    email: Annotated[str, AfterValidator(_email)] | None = Field(
        None, max_length=320, description="Where customers can write to.", examples=["hello@samovar.example"]
    )
    phone: str | None = Field(None, max_length=40, description="Where customers can call.")
    address: str | None = Field(None, max_length=500, description="Postal address, in one line.")
    logo_url: Link | None = Field(None, description="Its logo.")
    color: str | None = Field(None, pattern="^#[0-9a-fA-F]{6}$", description="Its colour.", examples=["#1d4e89"])
    language: str = Field("en", pattern="^[a-z]{2,3}$", description="Language of last resort.")
    timezone: Annotated[str, AfterValidator(_zone)] = Field("UTC", max_length=64, description="IANA name.")
    country: str | None = Field(
        None, pattern="^[A-Z]{2}$", description="ISO 3166 code: how local phone numbers are read.", examples=["BG"]
    )
    currency: str | None = Field(None, pattern="^[A-Z]{3}$", description="ISO 4217 code.", examples=["EUR"])
    bank_details: str | None = Field(None, max_length=2000, description="For bank transfers; lines are kept.")
    staff_chat: str | None = Field(
        None, pattern=r"^(-?\d{1,20}|@\w{5,32})$", description="Id of the Telegram chat where staff read."
    )
    quota_per_minute: int | None = Field(
        None, ge=1, le=MOST_A_MINUTE, description=f"How many events may be posted a minute: {MOST_A_MINUTE} or fewer."
    )
    sending: Sending = Field(default_factory=Sending)
    audiences: Audiences = Field(default_factory=Audiences)


class ShopShown(Shop):
    """The shop as it is set."""

    id: str = Field(description="The shop's id; nobody can change it.")
    revision: int = Field(description="The settings revision that made it so; 0: never set. Give it as `If-Match`.")
    at: str | None = Field(description="When (RFC 3339).")
    by: str | None = Field(description="Who: `key:<id of the API key>`.")


@router.get("/shop")
@needs("read")
def read_shop() -> ShopShown:
    """Read the shop."""
    entry = settings.get(caller().shop, "shop", ID) or {"body": {}, "revision": 0, "at": None, "by": None}
    return _shown(entry)


@router.put("/shop")
@needs("admin", match=True)
def put_shop(body: Shop) -> ShopShown:
    """Set the shop.

    The whole of it: what is left out is as if never set.
    """
    kept = body.model_dump(mode="json", exclude_none=True)
    return _shown(_kept.keep("shop", ID, kept))


@router.get("/shop/revision")
@needs("read")
def read_revision() -> dict[str, int]:
    """Read the revision of the shop's settings.

    Every change of any setting raises it by one.
    """
    return {"revision": settings.revision(caller().shop)}


def _shown(entry: dict[str, Any]) -> ShopShown:
    trail = {name: entry[name] for name in ("revision", "at", "by")}
    return ShopShown.model_validate({**entry["body"], **trail, "id": caller().shop})
