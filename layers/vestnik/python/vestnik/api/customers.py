"""Customers: kept from the events that carry them, and put and read here; their data exported and erased."""

from datetime import timedelta
from typing import Any

from pydantic import ConfigDict, Field

from vestnik import resources
from vestnik.api import _records
from vestnik.api._models import Model, Page
from vestnik.api._problems import not_found
from vestnik.api._profiles import Customer
from vestnik.api._routes import Cursor, Id, Limit, Router, caller, needs
from vestnik.domain.schemas import CUSTOMER
from vestnik.flows import erasure

router = Router()
KIND = "customer"
BUDGET = timedelta(seconds=20)  # of the 29 that the function has


class KeptCustomer(_records.Kept):
    """A customer as we know them."""

    model_config = ConfigDict(json_schema_extra=_records.of_shape(CUSTOMER))


class Export(Model):
    """All that is known of a customer."""

    id: str
    made_at: str = Field(description="When this was put together (RFC 3339).")
    profile: dict[str, Any] | None = Field(description="The record, consent with it; null where it was removed.")
    orders: list[dict[str, Any]] = Field(description="Orders of this customer.")
    messages: list[dict[str, Any]] = Field(
        description="Messages to the customer of the last 35 days, each as `/v1/messages/{id}` shows it."
    )
    suppressions: list[dict[str, Any]] = Field(description="The customer's addresses that are not written to.")
    complete: bool = Field(description="False: it was too much for one answer; read the rest message by message.")


class Erased(Model):
    """What was taken away."""

    profile: int = Field(description="1, or 0 where there was none.")
    orders: int = Field(description="Orders that keep what was sold, and nothing of whom.")
    messages: int = Field(description="Messages whose text and address are gone.")
    events: int = Field(description="Events whose content is gone.")
    cancelled: int = Field(description="Messages that waited and now never go.")
    complete: bool = Field(description="False: more days are to be searched; send it again with a fresh key.")


@router.put("/customers/<id>")
@needs("operate")
def put_customer(id: Id, body: Customer) -> KeptCustomer:
    """Put a customer's whole record.

    It replaces what stood there; events after this moment change it further. Nobody is notified.
    """
    return KeptCustomer.model_validate(_records.put(KIND, id, body))


@router.get("/customers/<id>")
@needs("read")
def get_customer(id: Id) -> KeptCustomer:
    """Read a customer's record."""
    return KeptCustomer.model_validate(_records.get(KIND, id))


@router.delete("/customers/<id>", status_code=204)
@needs("operate")
def delete_customer(id: Id) -> None:
    """Remove a customer's record.

    Orders and messages stay: see `erase` for all of it.
    """
    _records.remove(KIND, id)


@router.get("/customers")
@needs("read")
def list_customers(limit: Limit = 50, cursor: Cursor = "") -> Page[KeptCustomer]:
    """List the customers."""
    return _records.page(KIND, limit, cursor, KeptCustomer)


@router.get("/customers/<id>/export")
@needs("operate")
def export_customer(id: Id) -> Export:
    """Export all that is known of a customer.

    Secrets of events (one-time links, codes) are masked.
    """
    now = resources.now()
    found = erasure.export(caller().shop, id, now, lambda: resources.now() > now + BUDGET)
    if found is None:
        raise not_found(KIND, id)
    return Export.model_validate(found)


@router.post("/customers/<id>/erase")
@needs("admin")
def erase_customer(id: Id) -> Erased:
    """Erase a customer's personal data.

    The record, the personal fields of the orders, and the messages and events of the last 35 days that concern
    them, bodies included. Suppressed addresses stay suppressed, so that nobody writes to them again. What led to no
    message, or still lies in a queue, ends by itself within 35 days.
    """
    now = resources.now()
    return Erased.model_validate(erasure.erase(caller().shop, id, now, lambda: resources.now() > now + BUDGET))
