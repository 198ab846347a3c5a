"""What Market knows: offers, warehouses, shelves with their stock, orders, shipments, returns."""

from dataclasses import dataclass, field
from datetime import date, datetime, time, timedelta, timezone
from typing import Any

MOSCOW = timezone(timedelta(hours=3))
ANSWER_HOURS = 48
"""How long a shop may answer a buyer's wish to cancel (Partner API, acceptOrderCancellation); then it is granted."""
LEFT = ("DELIVERY", "PICKUP", "DELIVERED", "PARTIALLY_RETURNED", "RETURNED")


@dataclass(slots=True)
class Campaign:
    """One shop of a cabinet. `placement`: FBS, FBY, DBS, EXPRESS (as orders' programType has it)."""

    id: int
    placement: str
    available: str = "AVAILABLE"


@dataclass(slots=True)
class Warehouse:
    """A warehouse of the seller. Those of one `group` share one stock."""

    id: int
    name: str
    campaign: int
    group: int | None = None

    @property
    def shelf(self) -> tuple[str, int]:
        """Where its stock is kept: its own, or its group's."""
        return ("warehouse", self.id) if self.group is None else ("group", self.group)


@dataclass(slots=True)
class Offer:
    """A sellable unit, by the seller's own SKU. `price` in kopecks."""

    unit: str
    name: str
    article: str
    barcodes: list[str]
    category: int
    price: int
    market_sku: int
    updated: datetime
    archived: bool = False


@dataclass(frozen=True, slots=True)
class Write:
    """A stock number on its way to the shop window."""

    applies: datetime
    count: int
    as_of: datetime


@dataclass(slots=True)
class Stock:
    """What of one unit lies on one shelf: for sale, and reserved for orders."""

    available: int = 0
    frozen: int = 0
    as_of: datetime | None = None
    written: datetime | None = None
    pending: list[Write] = field(default_factory=list)

    def settle(self, now: datetime) -> None:
        """Let the writes whose time has come take effect, in the order they came; an older `as_of` changes nothing.

        That an older one is ignored is this twin's reading: Market publishes the field, not what it does with it.
        """
        while self.pending and self.pending[0].applies <= now:
            write = self.pending.pop(0)
            if self.as_of is None or write.as_of >= self.as_of:
                self.available, self.as_of, self.written = write.count, write.as_of, write.applies


@dataclass(slots=True)
class Line:
    """A position of an order. `price` of one unit in kopecks; `points`: what of all units was paid with points."""

    id: int
    unit: str
    name: str
    count: int
    price: int
    points: int = 0
    requires: tuple[str, ...] = ()


@dataclass(slots=True)
class Order:
    """An order of a buyer. `moved`: what of its goods is `frozen` (reserved), or has `left`, or was put `back`."""

    number: int
    campaign: int
    program: str
    warehouse: int
    lines: list[Line]
    status: str
    substatus: str
    created: datetime
    updated: datetime
    ship_day: date
    ship_time: time | None
    shipment: int
    fake: bool = False
    moved: str = "frozen"
    asked_to_cancel: datetime | None = None
    boxes: list[dict[str, Any]] = field(default_factory=list)

    def touch(self, now: datetime, status: str, substatus: str) -> None:
        """Give it a status."""
        self.status, self.substatus, self.updated = status, substatus, now


@dataclass(slots=True)
class Shipment:
    """What the seller hands over from one warehouse on one day. It can be confirmed from `opens` on."""

    id: int
    campaign: int
    warehouse: int
    day: date
    opens: datetime
    orders: list[int] = field(default_factory=list)
    status: str = "OUTBOUND_CREATED"
    updated: datetime | None = None
    external: str | None = None

    def settle(self, now: datetime) -> None:
        """Open it for confirmation once its time has come."""
        if self.status == "OUTBOUND_CREATED" and now >= self.opens:
            self.status, self.updated = "OUTBOUND_READY_FOR_CONFIRMATION", now


@dataclass(slots=True)
class Return:
    """Goods on their way back: a buyer's return, or what was never collected (UNREDEEMED)."""

    id: int
    order: int
    campaign: int
    kind: str
    lines: list[tuple[str, int]]
    amount: int
    created: datetime
    updated: datetime
    shipment_status: str = "CREATED"
    refund_status: str | None = "STARTED_BY_USER"
