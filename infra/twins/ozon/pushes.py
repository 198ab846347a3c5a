"""Notifications as Ozon would send them: kept until somebody carries them to the address that was set."""

from datetime import datetime
from typing import Any

from infra.twins.ozon.records import Posting


class Pushes:
    """The address and kinds that a seller set, and what is due to go there (`due`, oldest first)."""

    def __init__(self, seller: int) -> None:
        self.seller = seller
        self.url = ""
        self.types: set[str] = set()
        self.due: list[dict[str, Any]] = []

    def set(self, url: str, types: list[str]) -> None:
        """Send these kinds to this address from now on."""
        self.url, self.types = url, set(types)

    def next(self) -> tuple[str, dict[str, Any]] | None:
        """Take the oldest one off, with the address it goes to."""
        return (self.url, self.due.pop(0)) if self.due else None

    def new_posting(self, posting: Posting) -> None:
        """Tell of a new posting."""
        told = {
            "products": [{"sku": one.sku, "offer_id": one.unit, "quantity": one.quantity} for one in posting.lines],
            "in_process_at": stamp(posting.created),
            "shipment_date": stamp(posting.ship_by),
        }
        self._add("TYPE_NEW_POSTING", posting, told)

    def cancelled(self, posting: Posting, before: str) -> None:
        """Tell that a posting was called off."""
        told = {
            "products": [{"sku": one.sku, "quantity": one.quantity} for one in posting.lines],
            "old_state": before,
            "new_state": posting.substatus,
            "changed_state_date": stamp(posting.changed),
            "reason": {"id": posting.cancel_reason[0], "message": posting.cancel_reason[1]},
        }
        self._add("TYPE_POSTING_CANCELLED", posting, told)

    def moved(self, posting: Posting) -> None:
        """Tell of a posting's new state."""
        told = {"new_state": posting.substatus, "changed_state_date": stamp(posting.changed)}
        self._add("TYPE_STATE_CHANGED", posting, told)

    def _add(self, kind: str, posting: Posting, told: dict[str, Any]) -> None:
        if kind in self.types:
            common = {"warehouse_id": posting.warehouse, "seller_id": self.seller}
            self.due.append({"message_type": kind, "posting_number": posting.number, **told, **common})


def stamp(at: datetime) -> str:
    """A time as Ozon writes it."""
    return f"{at:%Y-%m-%dT%H:%M:%S}.{at.microsecond // 1000:03d}Z"
