"""A seller's cabinet and what happens in it: buyers order, the seller writes stock, Market moves orders on."""

from collections.abc import Callable, Iterator, Sequence
from datetime import date, datetime, time, timedelta
from itertools import count

from infra.twins.yandex_market.pushes import Pushes
from infra.twins.yandex_market.records import (
    ANSWER_HOURS,
    LEFT,
    MOSCOW,
    Campaign,
    Line,
    Offer,
    Order,
    Return,
    Shipment,
    Stock,
    Warehouse,
    Write,
)

CATEGORY = 91491
CATEGORIES = {
    "id": 90401,
    "name": "All goods",
    "children": [
        {
            "id": 198119,
            "name": "Electronics",
            "children": [{"id": CATEGORY, "name": "Telephones"}, {"id": 91498, "name": "Cables"}],
        },
        {"id": 90666, "name": "House", "children": [{"id": 91597, "name": "Lamps"}]},
    ],
}


class NotAllowed(Exception):
    """Market refuses a move; `code` and the text go into its answer."""

    def __init__(self, code: str, text: str) -> None:
        super().__init__(text)
        self.code = code


class Cabinet:
    """One business with its shops, and the Api-Key that opens it.

    `lag`: how long a written stock takes to reach the shop window. `oversold`: orders that buyers tried and Market
    turned away because it had nothing to sell. `cutoff`: from how many hours before the shipping time a shipment may be
    confirmed (None: at any time).
    """

    def __init__(self, key: str, business: int, name: str, now: Callable[[], datetime]) -> None:
        self.key, self.business, self.name, self.now = key, business, name, now
        self.key_name, self.scopes = f"{name} key", ["ALL_METHODS"]
        self.lag = timedelta(0)
        self.cutoff: timedelta | None = None
        self.oversold = 0
        self.pushes = Pushes()
        self.campaigns: dict[int, Campaign] = {}
        self.warehouses: dict[int, Warehouse] = {}
        self.offers: dict[str, Offer] = {}
        self.stock: dict[tuple[tuple[str, int], str], Stock] = {}
        self.market_stock: dict[tuple[int, int, str], Stock] = {}
        self.orders: dict[int, Order] = {}
        self.shipments: dict[int, Shipment] = {}
        self.returns: dict[int, Return] = {}
        self._numbers = count(business * 1000 + 1)

    # -- what the seller has -------------------------------------------------------------------------------------
    def add_campaign(self, id: int, placement: str = "FBS") -> Campaign:
        """Open a shop."""
        self.campaigns[id] = Campaign(id, placement)
        return self.campaigns[id]

    def add_warehouse(self, id: int, campaign: int, name: str = "Main", group: int | None = None) -> Warehouse:
        """Open a warehouse of the seller for one of the shops."""
        self.warehouses[id] = Warehouse(id, name, campaign, group)
        return self.warehouses[id]

    def add_product(
        self, unit: str, article: str = "", name: str = "", barcode: str = "", *, price: int = 199_000, stock: int = 0
    ) -> Offer:
        """Put an offer into the catalogue, with so many for sale in each warehouse. `price` in kopecks."""
        barcodes = [barcode] if barcode else []
        sku = 100_000_000 + len(self.offers) + 1
        offer = Offer(unit, name or unit, article or unit, barcodes, CATEGORY, price, sku, self.now())
        self.offers[unit] = offer
        for warehouse in self.warehouses.values() if stock else ():
            self.stock[warehouse.shelf, unit] = Stock(available=stock)
        return offer

    def add_market_stock(self, campaign: int, place: int, unit: str, quantity: int) -> None:
        """Let so many of a unit lie in a warehouse of Market's own (FBY)."""
        self.market_stock[campaign, place, unit] = Stock(available=quantity, written=self.now())

    def shelf(self, warehouse: int, unit: str) -> Stock:
        """What lies there now, with every write whose time has come."""
        kept = self.stock.setdefault((self.warehouses[warehouse].shelf, unit), Stock())
        kept.settle(self.now())
        return kept

    def stock_of(self, unit: str, warehouse: int | str | None = None) -> int:
        """How many buyers can order now."""
        return self.shelf(self._warehouse(warehouse), unit).available

    def write(self, warehouse: int, unit: str, quantity: int, as_of: datetime) -> None:
        """Take a number of the seller's; it shows after the lag."""
        kept = self.shelf(warehouse, unit)
        kept.pending.append(Write(self.now() + self.lag, quantity, as_of))
        kept.settle(self.now())

    def _warehouse(self, id: int | str | None) -> int:
        return next(iter(self.warehouses)) if id is None else int(id)

    # -- what buyers do --------------------------------------------------------------------------------------------
    def sell(
        self,
        unit: str,
        quantity: int = 1,
        warehouse: int | str | None = None,
        *,
        more: Sequence[tuple[str, int]] = (),
        fake: bool = False,
        requires: tuple[str, ...] = (),
        points: int = 0,
        ship_in: timedelta = timedelta(days=1),
        status: tuple[str, str] = ("PROCESSING", "STARTED"),
    ) -> str | None:
        """A buyer orders `unit` (and `more`); its number, or None where Market shows too few. A fake one takes none."""
        place, wanted = self._warehouse(warehouse), [(unit, quantity), *more]
        shelves = [(self.shelf(place, wish), amount) for wish, amount in wanted]
        if not fake and any(kept.available < amount for kept, amount in shelves):
            self.oversold += 1
            return None
        for kept, amount in shelves if not fake else ():
            kept.available, kept.frozen = kept.available - amount, kept.frozen + amount
        lines = [self._line(wish, amount, requires, points if n == 0 else 0) for n, (wish, amount) in enumerate(wanted)]
        return str(self._ordered(place, lines, ship_in, status, fake).number)

    def _line(self, unit: str, quantity: int, requires: tuple[str, ...], points: int) -> Line:
        offer = self.offers[unit]
        return Line(next(self._numbers), unit, offer.name, quantity, offer.price, points, requires)

    def _ordered(
        self, warehouse: int, lines: list[Line], ship_in: timedelta, status: tuple[str, str], fake: bool
    ) -> Order:
        now, campaign = self.now(), self.campaigns[self.warehouses[warehouse].campaign]
        due = (now + ship_in).astimezone(MOSCOW)
        shipment = self._shipment(campaign.id, warehouse, due)
        order = Order(
            number=next(self._numbers),
            campaign=campaign.id,
            program=campaign.placement,
            warehouse=warehouse,
            lines=lines,
            status=status[0],
            substatus=status[1],
            created=now,
            updated=now,
            ship_day=due.date(),
            ship_time=due.time().replace(microsecond=0),
            shipment=shipment.id,
            fake=fake,
        )
        shipment.orders.append(order.number)
        self.orders[order.number] = order
        self.pushes.created(order)
        return order

    def _shipment(self, campaign: int, warehouse: int, due: datetime) -> Shipment:
        for known in self.shipments.values():
            same = (known.campaign, known.warehouse, known.day) == (campaign, warehouse, due.date())
            if same and known.status in ("OUTBOUND_CREATED", "OUTBOUND_READY_FOR_CONFIRMATION"):
                return known
        opens = due - self.cutoff if self.cutoff is not None else self.now()
        made = Shipment(next(self._numbers), campaign, warehouse, due.date(), opens, updated=self.now())
        self.shipments[made.id] = made
        return made

    def cancel(self, number: str | int, by: str = "buyer") -> None:
        """A buyer (or Market) calls an order off: at once while it is worked on, else the shop is asked first."""
        order = self.order(number)
        if by == "buyer" and order.status in LEFT:
            order.asked_to_cancel = order.updated = self.now()
            return self.pushes.asked_to_cancel(order)
        return self.end(order, "USER_CHANGED_MIND" if by == "buyer" else "DELIVERY_SERVICE_FAILED")

    # -- what Market does ------------------------------------------------------------------------------------------
    def order(self, number: str | int) -> Order:
        """An order as it stands now. KeyError where there is none."""
        order = self.orders[int(number)]
        asked = order.asked_to_cancel
        if asked is not None and self.now() >= asked + timedelta(hours=ANSWER_HOURS):
            self.end(order, "USER_CHANGED_MIND")
        return order

    def all_orders(self) -> Iterator[Order]:
        """Every order as it stands now, oldest first."""
        return (self.order(number) for number in list(self.orders))

    def end(self, order: Order, reason: str) -> None:
        """Cancel an order; what has not left goes back on sale."""
        self._move(order, "left" if order.moved == "left" else "back")
        order.asked_to_cancel = None
        order.touch(self.now(), "CANCELLED", reason)
        self.pushes.cancelled(order)

    def advance(self, number: str | int, status: str, substatus: str = "") -> None:
        """Market moves an order on: DELIVERY, PICKUP, DELIVERED, RETURNED ... (what left is no longer reserved)."""
        order = self.order(number)
        if status == "CANCELLED":
            return self.end(order, substatus or "DELIVERY_SERVICE_UNDELIVERED")
        if status in LEFT or substatus == "SHIPPED":
            self._move(order, "left")
        return self._touch(order, status, substatus or _USUAL.get(status, "UNKNOWN"))

    def _touch(self, order: Order, status: str, substatus: str) -> None:
        order.touch(self.now(), status, substatus)
        self.pushes.moved(order)

    def collect(self, shipment: int | str) -> None:
        """The carrier takes a shipment: what is ready to ship goes into delivery."""
        taken = self.shipments[int(shipment)]
        for number in taken.orders:
            if self.order(number).substatus == "READY_TO_SHIP":
                self.advance(number, "DELIVERY")
        taken.status, taken.updated = "ACCEPTED", self.now()

    def _move(self, order: Order, to: str) -> None:
        if order.moved == "frozen" and not order.fake:
            for line in order.lines:
                kept = self.shelf(order.warehouse, line.unit)
                kept.frozen -= line.count
                kept.available += line.count if to == "back" else 0
        order.moved = to

    def give_back(self, number: str | int, kind: str = "RETURN", lines: Sequence[tuple[str, int]] = ()) -> int:
        """Goods of an order come back; the return's id."""
        order, now = self.order(number), self.now()
        back = list(lines) or [(line.unit, line.count) for line in order.lines]
        amount = sum(line.price * n for line in order.lines for unit, n in back if unit == line.unit)
        made = Return(next(self._numbers), order.number, order.campaign, kind, back, amount, now, now)
        made.refund_status = "STARTED_BY_USER" if kind == "RETURN" else None
        self.returns[made.id] = made
        self.pushes.given_back(order, made)
        return made.id

    def move_return(self, id: int, shipment_status: str, refund_status: str | None = None) -> None:
        """A return goes on its way: IN_TRANSIT, READY_FOR_PICKUP, PICKED ..."""
        moved = self.returns[id]
        moved.shipment_status, moved.updated = shipment_status, self.now()
        moved.refund_status = refund_status or moved.refund_status
        self.pushes.return_moved(self.orders[moved.order], moved)

    # -- what the seller may ask for -------------------------------------------------------------------------------
    def pack(self, order: Order, boxes: list[dict[str, object]]) -> None:
        """Note which goods lie in which box. `NotAllowed` once it is ready to ship."""
        if (order.status, order.substatus) != ("PROCESSING", "STARTED"):
            raise NotAllowed("STATUS_NOT_ALLOWED", f"Order {order.number} is {order.status} {order.substatus}")
        order.boxes = [{**box, "boxId": next(self._numbers)} for box in boxes]
        order.updated = self.now()

    def ask_status(self, order: Order, status: str | None, substatus: str | None) -> None:
        """The seller asks for a status. `NotAllowed` for any but the moves that FBS has."""
        now, wanted = (order.status, order.substatus), (status, substatus)
        if wanted == ("PROCESSING", "READY_TO_SHIP") and now == ("PROCESSING", "STARTED"):
            if not order.boxes:
                raise NotAllowed("BAD_REQUEST", f"Order {order.number} has no boxes")
            return self._touch(order, "PROCESSING", "READY_TO_SHIP")
        if wanted == ("CANCELLED", "SHOP_FAILED") and now[0] in ("PENDING", "PROCESSING"):
            return self.end(order, "SHOP_FAILED")
        text = (
            f"Order {order.number} with status {now[0]} and substatus {now[1]} is not allowed for {status} {substatus}"
        )
        raise NotAllowed("STATUS_NOT_ALLOWED", text)

    def answer_cancellation(self, order: Order, accepted: bool) -> None:
        """The seller answers a buyer's wish to cancel. `NotAllowed` where there is none (any more)."""
        if order.asked_to_cancel is None:
            raise NotAllowed("BAD_REQUEST", f"Order {order.number} has no cancellation request")
        if accepted:
            return self.end(order, "USER_CHANGED_MIND")
        order.asked_to_cancel, order.updated = None, self.now()
        return None

    def confirm(self, shipment: Shipment, external: str | None) -> None:
        """The seller confirms that a shipment will be handed over. `NotAllowed` before its time, or twice."""
        shipment.settle(self.now())
        if shipment.status == "OUTBOUND_CREATED":
            raise NotAllowed("BAD_REQUEST", "Cutoff time for shipments has not been reached yet")
        if shipment.status != "OUTBOUND_READY_FOR_CONFIRMATION":
            raise NotAllowed("BAD_REQUEST", f"Shipment {shipment.id} is {shipment.status}")
        shipment.status, shipment.updated, shipment.external = "OUTBOUND_CONFIRMED", self.now(), external


_USUAL = {
    "PROCESSING": "STARTED",
    "DELIVERY": "DELIVERY_SERVICE_RECEIVED",
    "PICKUP": "PICKUP_SERVICE_RECEIVED",
    "DELIVERED": "DELIVERED_USER_RECEIVED",
}


def day_of(at: datetime) -> date:
    """The day by Market's clock."""
    return at.astimezone(MOSCOW).date()


def clock_of(at: time | None) -> str | None:
    """An hour as Market writes it."""
    return None if at is None else f"{at:%H:%M:%S}"
