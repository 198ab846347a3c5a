"""Orders: kept from the events that carry them, and put and read here."""

from pydantic import ConfigDict

from vestnik.api import _records
from vestnik.api._models import Page
from vestnik.api._profiles import Order
from vestnik.api._routes import Cursor, Id, Limit, Router, needs
from vestnik.domain.schemas import ORDER

router = Router()
KIND = "order"


class KeptOrder(_records.Kept):
    """An order as we know it."""

    model_config = ConfigDict(json_schema_extra=_records.of_shape(ORDER))


@router.put("/orders/<id>")
@needs("operate")
def put_order(id: Id, body: Order) -> KeptOrder:
    """Put an order's whole record.

    It replaces what stood there; events after this moment change it further. Nobody is notified. Fields of your own
    are kept, here and in the order's parts: 100,000 bytes in all.
    """
    return KeptOrder.model_validate(_records.put(KIND, id, body))


@router.get("/orders/<id>")
@needs("read")
def get_order(id: Id) -> KeptOrder:
    """Read an order's record."""
    return KeptOrder.model_validate(_records.get(KIND, id))


@router.delete("/orders/<id>", status_code=204)
@needs("operate")
def delete_order(id: Id) -> None:
    """Remove an order's record."""
    _records.remove(KIND, id)


@router.get("/orders")
@needs("read")
def list_orders(limit: Limit = 50, cursor: Cursor = "") -> Page[KeptOrder]:
    """List the orders."""
    return _records.page(KIND, limit, cursor, KeptOrder)
