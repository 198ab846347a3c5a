"""What a cabinet at Ozon keeps: products, warehouses, stock, postings, carriages, returns."""

from dataclasses import dataclass, field
from datetime import date, datetime, timedelta

PAIR_SECONDS = 30
FBO = "FBO"
LEFT = frozenset({"acceptance_in_progress", "sent_by_seller", "driver_pickup", "delivering", "delivered"})
ENDED = frozenset({"delivered", "cancelled", "cancelled_from_split_pending"})


@dataclass(slots=True)
class Product:
    """A card. `unit` is the seller's offer_id; `price` in kopecks; not `ready`: still without the status price_sent."""

    unit: str
    product_id: int
    sku: int
    name: str
    barcodes: list[str]
    price: int
    made: datetime
    kgt: bool = False
    ready: bool = True
    archived: bool = False
    category: int = 17029016
    type: int = 970778135


@dataclass(slots=True)
class Warehouse:
    """A warehouse of the seller's. An FBS one is also the delivery method of the same number."""

    id: int
    name: str
    scheme: str = "FBS"
    status: str = "created"
    kgt: bool = False


@dataclass(slots=True)
class Pile:
    """Units of a product in a warehouse; `written`: when the seller last told a number."""

    present: int = 0
    reserved: int = 0
    changed: datetime | None = None
    written: datetime | None = None

    @property
    def free(self) -> int:
        """How many a buyer can order."""
        return max(0, self.present - self.reserved)

    def too_soon(self, now: datetime) -> bool:
        """Whether the pair was written less than 30 seconds ago."""
        return self.written is not None and now - self.written < timedelta(seconds=PAIR_SECONDS)

    def write(self, quantity: int, now: datetime) -> None:
        """Take the seller's number, which goes without what is reserved."""
        self.present, self.changed, self.written = quantity + self.reserved, now, now


@dataclass(slots=True)
class Line:
    """So many of one product; `price` of one, in kopecks."""

    unit: str
    sku: int
    name: str
    quantity: int
    price: int


@dataclass(slots=True)
class Packing:
    """An assembling under way: when it ends, whether it fails then, and which numbers get which lines."""

    until: datetime
    fails: bool
    names: list[str]
    parts: list[list[Line]]


@dataclass(slots=True)
class Posting:
    """What is shipped as one. `holding`: its units are still reserved in the warehouse."""

    number: str
    order_id: int
    order_number: str
    scheme: str
    warehouse: int
    lines: list[Line]
    status: str
    substatus: str
    created: datetime
    changed: datetime
    ship_by: datetime
    parent: str = ""
    children: list[str] = field(default_factory=list)
    requires: tuple[str, ...] = ()
    holding: bool = True
    before: str = ""
    carriage: int = 0
    cancel_reason: tuple[int, str] = (0, "")
    cancelled_by: str = ""
    cancelled_late: bool = False
    packing: Packing | None = None

    def touch(self, now: datetime, status: str, substatus: str) -> None:
        """Take a new status."""
        self.before, self.status, self.substatus, self.changed = self.substatus, status, substatus, now

    def quantities(self) -> dict[int, int]:
        """How many of each SKU."""
        found: dict[int, int] = {}
        for line in self.lines:
            found[line.sku] = found.get(line.sku, 0) + line.quantity
        return found


@dataclass(slots=True)
class Carriage:
    """A handing-over of postings at one delivery method: new, formed, sended, received, cancelled."""

    id: int
    method: int
    day: date
    numbers: list[str]
    created: datetime
    changed: datetime
    status: str = "new"


@dataclass(slots=True)
class Return:
    """Goods on their way back."""

    id: int
    number: str
    line: Line
    kind: str
    status: str
    reason: str
    changed: datetime
