"""Suppressions: addresses that are not written to, because they bounced, complained, unsubscribed, or by hand."""

from typing import Annotated, Literal

from aws_lambda_powertools.event_handler.openapi.params import Path
from pydantic import Field

from vestnik import resources
from vestnik.api import _records
from vestnik.api._models import Model, Page
from vestnik.api._paging import opened, page
from vestnik.api._problems import not_found
from vestnik.api._routes import Cursor, Limit, Router, caller, needs
from vestnik.domain import addresses
from vestnik.errors import Refused
from vestnik.store import people

router = Router()

Channel = Literal["email", "sms", "telegram"]
OfChannel = Annotated[Channel, Path(description="By which channel.")]
Address = Annotated[str, Path(min_length=1, max_length=320, description="E-mail address, phone number or chat id.")]


class NewSuppression(Model):
    """An address that must get no more."""

    channel: Channel
    address: str = Field(min_length=1, max_length=320, examples=["maria@example.com"])
    reason: str = Field(
        "manual",
        pattern=r"^[a-z][a-z -]{0,39}$",
        description="Why, in a word or two. `unsubscribed` holds for marketing only, all else for everything.",
    )


class Suppression(Model):
    """An address that gets no more."""

    channel: str
    address: str
    reason: str
    note: str = Field(description="What the provider said.")
    at: str = Field(description="Since when (RFC 3339).")


@router.get("/suppressions")
@needs("read")
def list_suppressions(limit: Limit = 50, cursor: Cursor = "") -> Page[Suppression]:
    """List the suppressed addresses."""
    found, more = people.suppression_page(caller().shop, limit, opened("suppressions", cursor))
    return page("suppressions", found, more, Suppression)


@router.post("/suppressions", status_code=201)
@needs("operate")
def add_suppression(body: NewSuppression) -> Suppression:
    """Write no more to an address.

    Where it is suppressed already, the first reason stands.
    """
    shop, address = caller().shop, _same(body.channel, body.address, "/address")
    people.suppress(shop, body.channel, address, body.reason, resources.now())
    stands = people.suppressions(shop, [(body.channel, address)])[body.channel, address]
    return Suppression.model_validate({name: stands[name] for name in Suppression.model_fields})


@router.delete("/suppressions/<channel>/<address>", status_code=204)
@needs("operate")
def lift_suppression(channel: OfChannel, address: Address) -> None:
    """Let an address be written to again."""
    if not people.allow(caller().shop, channel, _listed(channel, address)):
        raise not_found("suppression", address)


def _listed(channel: str, address: str) -> str:
    """The form of an address in the list; what came from an event and is none of the channel's lies there as it is."""
    try:
        return _same(channel, address, "{address}")
    except Refused:
        return addresses.same_address(channel, address)


def _same(channel: str, address: str, where: str) -> str:
    """The form in which the address is kept, and compared when a message is about to go."""
    try:
        if channel == "email":
            address = addresses.email(address)
        elif channel == "sms":
            address = addresses.phone(address, _records.country(caller().shop)).e164
    except Refused as refused:
        raise Refused(refused.reason, code=refused.code, where=where) from None
    return addresses.same_address(channel, address)
