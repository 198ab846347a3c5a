"""Staff: the shop's colleagues, whom rules can tell."""

from pydantic import ConfigDict

from vestnik.api import _records
from vestnik.api._models import Page
from vestnik.api._profiles import Staff
from vestnik.api._routes import Cursor, Id, Limit, Router, needs
from vestnik.domain.schemas import STAFF

router = Router()
KIND = "staff"


class KeptStaff(_records.Kept):
    """A colleague as we know them."""

    model_config = ConfigDict(json_schema_extra=_records.of_shape(STAFF))


@router.put("/staff/<id>")
@needs("operate")
def put_staff(id: Id, body: Staff) -> KeptStaff:
    """Put a colleague's whole record.

    It replaces what stood there. Nobody is notified.
    """
    return KeptStaff.model_validate(_records.put(KIND, id, body))


@router.get("/staff/<id>")
@needs("read")
def get_staff(id: Id) -> KeptStaff:
    """Read a colleague's record."""
    return KeptStaff.model_validate(_records.get(KIND, id))


@router.delete("/staff/<id>", status_code=204)
@needs("operate")
def delete_staff(id: Id) -> None:
    """Remove a colleague's record."""
    _records.remove(KIND, id)


@router.get("/staff")
@needs("read")
def list_staff(limit: Limit = 50, cursor: Cursor = "") -> Page[KeptStaff]:
    """List the staff."""
    return _records.page(KIND, limit, cursor, KeptStaff)
