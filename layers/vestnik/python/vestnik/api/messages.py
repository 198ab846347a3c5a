"""Messages: what was sent to whom, how it went, and the very text."""

from datetime import date, timedelta
from typing import Annotated, Any, Literal

from aws_lambda_powertools.event_handler.openapi.params import Query
from pydantic import Field

from vestnik import resources
from vestnik.api._days import RECENT, Day
from vestnik.api._models import Model, Page
from vestnik.api._paging import opened, page
from vestnik.api._problems import not_found
from vestnik.api._routes import Cursor, Id, Limit, Router, caller, needs
from vestnik.flows import explanation

router = Router()

States = Literal[
    "deferred",
    "claimed",
    "retry",
    "unknown",
    "sent",
    "failed",
    "given up",
    "suppressed",
    "cancelled",
    "superseded",
    "expired",
]
Channels = Literal["email", "sms", "telegram", "webhook"]

OnDay = Annotated[Day | None, Query(description="The day it was decided on (UTC); where absent, the last seven.")]
OfState = Annotated[States | None, Query(description="Only those in this state.")]
OfChannel = Annotated[Channels | None, Query(description="Only those by this channel.")]
OfPerson = Annotated[
    str, Query(max_length=300, description="Only those to this person: `customer:42`, `staff:7`; `42` is the customer.")
]
OfOrder = Annotated[str, Query(max_length=128, description="Only those about this order.")]


class Message(Model):
    """A message and what became of it."""

    id: str
    event: str = Field(description="The event it answers: `/v1/events/{id}`.")
    type: str = Field(description="The event's type.")
    rule: str
    template: str | None
    channel: str
    plugin: str | None = Field(description="The plug-in of the sender.")
    sender: str | None
    purpose: str | None
    person: str = Field(description="To whom: `customer:42`, `staff:7`, or the kind of a fixed recipient.")
    address: str | None
    order: str | None
    state: str = Field(description="Where the sending stands; `docs/concepts.md` has a sentence on each state.")
    reason: str | None = Field(description="Why it ended so, or waits.")
    created: str | None
    updated: str | None
    until: str | None = Field(description="Until when it waits, or is held.")
    attempts: int
    doubtful: bool = Field(description="It may have been sent twice, or not at all: nobody can tell.")
    sent_at: str | None
    ended: str | None
    provider_id: str | None
    erased: bool
    times: dict[str, str] = Field(description="When each of these was first reported: delivered, bounced, opened ...")
    details: dict[str, str] = Field(description="What the provider said with it.")


class WholeMessage(Message):
    """A message with its text."""

    body: dict[str, Any] | None = Field(description="As it was sent; secrets of the event are masked.")
    body_withheld: str | None = Field(description="Why there is no body.")


@router.get("/messages")
@needs("read")
def list_messages(
    day: OnDay = None,
    state: OfState = None,
    channel: OfChannel = None,
    person: OfPerson = "",
    order: OfOrder = "",
    limit: Limit = 50,
    cursor: Cursor = "",
) -> Page[Message]:
    """List the messages of a day, or of the last seven.

    The newest day comes first, and within a part the newest message; the parts of one day are in no order of time.
    Filters are applied while reading: a part may be short, even empty, and still have a `next`. A message that no
    sender has touched yet is not listed; its event shows it as planned.
    """
    today = resources.now().date()
    whom = person if ":" in person or not person else f"customer:{person}"
    wanted = {"state": state, "channel": channel, "person": whom, "order": order}
    filters = {name: value for name, value in wanted.items() if value}
    listing = f"messages/{day or ''}/{sorted(filters.items())}"
    back_to = day or today - RECENT
    found, more = _days_back(day or today, back_to, filters, limit, opened(listing, cursor))
    newest = sorted(found, key=lambda message: message["created"] or "", reverse=True)
    return page(listing, newest, more, Message)


def _days_back(
    on: date, back_to: date, filters: dict[str, str], limit: int, cursor: str
) -> tuple[list[dict[str, Any]], str | None]:
    """Messages of the days from `on` back to `back_to`, and where to go on: `yyyy-mm-dd|the day's cursor`."""
    given, _, inside = cursor.partition("|")
    on = date.fromisoformat(given) if given else on
    found = list[dict[str, Any]]()
    while on >= back_to and len(found) < limit:
        some, more = explanation.page(caller().shop, f"{on:%y%m%d}", filters, limit - len(found), inside)
        found, inside = found + some, ""
        if more:
            return found, f"{on}|{more}"
        on -= timedelta(days=1)
    return found, f"{on}|" if on >= back_to else None


@router.get("/messages/<id>")
@needs("read")
def get_message(id: Id) -> WholeMessage:
    """Look at a message: exactly as it was sent."""
    found = explanation.message(caller().shop, id)
    if found is None:
        raise not_found("message", id)
    return WholeMessage.model_validate(found)
