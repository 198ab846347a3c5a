"""A seller at the twin: sizes of cards, warehouses, stock, orders of one item each, supplies, returns."""

from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from itertools import count
from typing import Any

from infra.twins.market import SlidingWindow, Tokens

DECLINING = timedelta(hours=1)  # so long a buyer may still decline what the seller has not taken up
GIVEN_UP = {
    "refusal": ("reject", "canceled_by_client"),
    "missed call": ("cancel_missed_call", "canceled_by_missed_call"),
    "shelf life": ("cancel_shelf_life", "canceled"),
}
SCANNED = {"sorted", "ready_for_pickup", "sold", "postponed_delivery", "accepted_by_carrier", "sent_to_carrier"}


@dataclass(slots=True)
class Size:
    """One size of a card: what is sold. `unit`: chrtID; `product`: nmID; `cargo`: 1 small, 2 oversized, 3 bulky."""

    unit: int
    product: int
    article: str
    name: str
    barcodes: list[str]
    size: str = "0"
    price: int = 100_000
    cargo: int = 1
    subject: tuple[int, str] = (50, "Mugs")
    restricted: bool = False
    meta: list[str] = field(default_factory=list)


@dataclass(slots=True)
class Warehouse:
    """One of the seller's own warehouses. `processing`: its stock cannot be written now."""

    id: int
    name: str
    cargo: int = 1
    delivery: int = 1
    office: int = 15
    processing: bool = False
    deleting: bool = False
    blocked: bool = False


@dataclass(slots=True)
class Order:
    """An order of one item; those of one basket share `group`. `supplier`, `wb`: the pair of statuses. `kind`: fbs, or
    how else it reaches the buyer (dbs, edbs, dbw, pickup), or fbw: then `warehouse` is Wildberries' own. `changed`:
    when the feed of orders last had news of it."""

    id: int
    size: Size
    warehouse: int
    group: str
    at: datetime
    supplier: str = "new"
    wb: str = "waiting"
    supply: str = ""
    marked: list[str] = field(default_factory=list)
    border: int = 0
    kind: str = "fbs"
    changed: datetime | None = None

    @property
    def cancelled(self) -> bool:
        """Whether nothing will come of it."""
        return self.supplier.startswith(("cancel", "reject")) or self.wb.startswith(("canceled", "declined"))

    @property
    def completed(self) -> bool:
        """Whether it is over, one way or the other."""
        return self.cancelled or self.supplier == "receive" or self.wb in ("sold", "defect")

    @property
    def srid(self) -> str:
        """What it is called in all reports."""
        return f"{self.id:032x}"


@dataclass(slots=True)
class Supply:
    """Orders that are handed over together. `shipping`: day, point and kind, or None while nobody said."""

    id: str
    number: int
    name: str
    at: datetime
    closed: datetime | None = None
    scanned: datetime | None = None
    shipping: tuple[str, int, str] | None = None


class Seller:
    """What one seller has. `oversold`: sales that were asked for and refused, as nothing was shown any more."""

    def __init__(self, name: str, sid: str, grade: str, ids: Iterator[int]) -> None:
        self.name, self.sid, self.grade = name, sid, grade
        self.sizes: dict[int, Size] = {}
        self.barcodes: dict[str, int] = {}
        self.cards: dict[int, list[Size]] = {}  # by nmID
        self.changed: dict[int, datetime] = {}  # a card, by nmID
        self._by_change: list[tuple[str, int]] | None = None
        self.warehouses: dict[int, Warehouse] = {}
        self.stock: dict[int, dict[int, int]] = {}
        self.orders: dict[int, Order] = {}
        self.apart: dict[int, Order] = {}  # those that are not FBS
        self.supplies: dict[str, Supply] = {}
        self.fbw: list[dict[str, Any]] = []
        self.returns: list[dict[str, Any]] = []
        self.meters: dict[str, Tokens | SlidingWindow] = {}
        self.oversold = 0
        self._ids = ids
        self._groups = count(1)

    def put(self, size: Size, at: datetime) -> None:
        """Have a size, or have it anew."""
        self.sizes[size.unit] = size
        self.barcodes.update(dict.fromkeys(size.barcodes, size.unit))
        card = self.cards.setdefault(size.product, [])
        card[:] = [*(one for one in card if one.unit != size.unit), size]
        self.changed[size.product] = at
        self._by_change = None

    def by_change(self) -> list[tuple[str, int]]:
        """(time of the last change, nmID) of all cards, oldest first."""
        if self._by_change is None:
            self._by_change = sorted((written(at), product) for product, at in self.changed.items())
        return self._by_change

    def shown(self, unit: int, warehouse: int) -> int:
        """How many the marketplace offers from there."""
        return self.stock.get(warehouse, {}).get(unit, 0)

    def sell(self, unit: int, quantity: int, warehouse: int | None, at: datetime, kind: str = "fbs") -> list[Order]:
        """A buyer's basket: an order for each piece; none at all where fewer are shown."""
        places = [warehouse] if warehouse is not None else [id for id in self.warehouses if self.shown(unit, id)]
        place = next((id for id in places if self.shown(unit, id) >= quantity), None)
        if place is None:
            self.oversold += quantity
            return []
        self.stock[place][unit] -= quantity
        return self._ordered(unit, quantity, place, at, kind)

    def sell_fbw(self, unit: int, quantity: int, at: datetime) -> list[Order]:
        """A buyer's basket out of one of Wildberries' own warehouses."""
        shelf = next((one for one in self.fbw if one["chrtId"] == unit and one["quantity"] >= quantity), None)
        if shelf is None:
            self.oversold += quantity
            return []
        shelf["quantity"] -= quantity
        return self._ordered(unit, quantity, shelf["warehouseId"], at, "fbw")

    def _ordered(self, unit: int, quantity: int, place: int, at: datetime, kind: str) -> list[Order]:
        group = f"{self.sid[:8]}_{next(self._groups):024d}"
        size = self.sizes[unit]
        made = [Order(next(self._ids), size, place, group, at, kind=kind, changed=at) for _ in range(quantity)]
        (self.orders if kind == "fbs" else self.apart).update({order.id: order for order in made})
        return made

    def cancel(self, order: Order, by: str, at: datetime) -> None:
        """End an order. What was reserved is not offered again: the seller has to say so."""
        order.changed = at
        if by in GIVEN_UP:
            order.supplier, order.wb = GIVEN_UP[by]
        elif by == "buyer":
            early = order.supplier == "new" and at - order.at < DECLINING
            order.wb = "declined_by_client" if early else "canceled_by_client"
        else:
            order.wb = {"carrier": "canceled_by_carrier", "defect": "defect"}.get(by, "canceled")
        if by in ("seller", "carrier"):
            order.supplier = "cancel" if by == "seller" else "cancel_carrier"

    def advance(self, order: Order, status: str, at: datetime) -> None:
        """The marketplace's own moves: `sorted`, `sold`, ... What is scanned counts as handed over, its supply too."""
        supplier, _, wb = status.rpartition("/")
        order.wb, order.changed = wb, at
        order.supplier = supplier or ("complete" if wb in SCANNED else order.supplier)
        supply = self.supplies.get(order.supply)
        if supply is not None and wb in SCANNED:
            supply.closed = supply.closed or at
            supply.scanned = supply.scanned or at

    def inside(self, supply: Supply) -> list[Order]:
        """A supply's orders."""
        return [order for order in self.orders.values() if order.supply == supply.id]

    def take_back(self, order: Order, status: str, at: datetime, **more: Any) -> None:
        """Goods on their way back to the seller, as the report has them."""
        row = {
            "orderId": order.id,
            "srid": order.srid,
            "nmId": order.size.product,
            "techSize": order.size.size,
            "sku": order.size.barcodes[0],
            "brand": "Twin",
            "subjectName": order.size.subject[1],
            "returnStatus": status,
            "returnType": more.get("kind", "Возврат товара"),
            "orderDt": f"{at:%Y-%m-%d}",
            "dstOfficeId": 310105,
            "dstOfficeAddress": "Москва, улица Первая 1",
            "stickerId": str(30_000_000_000 + order.id),
            "shkId": 20_000_000_000 + order.id,
            "completedDt": more.get("received"),
            "expiredDt": None,
            "readyToReturnDt": more.get("ready"),
            "kiz": None,
        }
        self.returns = [one for one in self.returns if one["orderId"] != order.id] + [row]


def written(at: datetime) -> str:
    """A time as cards have it, of one length, so that texts stand in the order of times."""
    return f"{at:%Y-%m-%dT%H:%M:%S.%fZ}"
