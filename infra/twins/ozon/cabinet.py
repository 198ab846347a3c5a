"""A seller's cabinet at Ozon and what happens in it: buyers order and cancel, the seller assembles, Ozon moves on."""

from collections.abc import Callable, Iterable, Sequence
from datetime import datetime, timedelta
from itertools import count

from infra.twins.market import SlidingWindow
from infra.twins.ozon.pushes import Pushes
from infra.twins.ozon.records import (
    ENDED,
    FBO,
    LEFT,
    Carriage,
    Line,
    Packing,
    Pile,
    Posting,
    Product,
    Return,
    Warehouse,
)

MILLION = 1_000_000
REASONS = {352: "Out of stock at the seller's", 400: "Only a faulty one is left", 402: "Another reason of the seller's"}


class NotAllowed(Exception):
    """Ozon refuses; `code` is its word, `status` the HTTP one."""

    def __init__(self, code: str, status: int = 400) -> None:
        super().__init__(code)
        self.code, self.status = code, status


class Cabinet:
    """One Client-Id with its Api-Key, its own limits and its own state.

    Knobs: `row_errors` (unit -> code that its stock rows get), `ship_takes` (how long assembling lasts), `ship_fails`
    (so many next ones end in ship_failed), `split_keeps` (a split posting goes on as its first package; else it ends
    as cancelled_from_split_pending and all packages are new), `roleless` (paths that the key has no role for).
    `oversold`: how often a buyer was turned away because Ozon showed too few.
    """

    def __init__(self, client_id: str, api_key: str, now: Callable[[], datetime], number: int) -> None:
        self.client_id, self.api_key, self.now = client_id, api_key, now
        self.expires_at = now() + timedelta(days=180)
        self.roleless: set[str] = set()
        self.row_errors: dict[str, str] = {}
        self.ship_takes, self.ship_fails, self.split_keeps = timedelta(0), 0, True
        self.oversold = 0
        self.calls, self.stock_calls = SlidingWindow(50, 1), SlidingWindow(80, 60)
        self.products: dict[str, Product] = {}
        self.warehouses: dict[int, Warehouse] = {}
        self.stock: dict[int, dict[str, Pile]] = {}
        self.fbo: dict[tuple[str, int], Pile] = {}
        self.orders: dict[str, Posting] = {}
        self.carriages: dict[int, Carriage] = {}
        self.returns: dict[int, Return] = {}
        self.pushes = Pushes(number)
        self.breakers: dict[str, datetime] = {}
        self._numbers = count(number * 1_000_000 + 1)
        self._packing: set[str] = set()

    def next_number(self) -> int:
        """A number that this cabinet has not used."""
        return next(self._numbers)

    # -- what the seller has -------------------------------------------------------------------------------------
    def add_warehouse(self, id: int, name: str = "Main", *, scheme: str = "FBS", kgt: bool = False) -> Warehouse:
        """Open a warehouse of the seller's."""
        self.warehouses[id] = Warehouse(id, name, scheme, kgt=kgt)
        self.stock.setdefault(id, {})
        return self.warehouses[id]

    def add_product(
        self,
        unit: str,
        article: str = "",
        name: str = "",
        barcode: str = "",
        *,
        price: int = 199_000,
        stock: int = 0,
        kgt: bool = False,
        ready: bool = True,
    ) -> Product:
        """Put a card into the catalogue, with so many for sale in each warehouse. `article` is Ozon's unit itself."""
        number = self.next_number()
        barcodes = [barcode] if barcode else []
        product = Product(unit, number, number + 10**9, name or unit, barcodes, price, self.now(), kgt, ready)
        self.products[unit] = product
        for piles in self.stock.values() if stock else ():
            piles[unit] = Pile(stock, 0, self.now())
        return product

    def pile(self, unit: str, warehouse: int | str | None = None) -> Pile:
        """What lies of a product in a warehouse (the first one where none is named)."""
        return self.stock[self._place(warehouse)].setdefault(unit, Pile())

    def stock_of(self, unit: str, warehouse: int | str | None = None) -> int:
        """How many buyers can order now."""
        return self.pile(unit, warehouse).free

    def _place(self, warehouse: int | str | None) -> int:
        return next(iter(self.warehouses)) if warehouse is None else int(warehouse)

    def write(self, unit: str | None, product_id: int | None, warehouse: int, quantity: int) -> str:
        """Take a number of the seller's for a pair; the error's code, or "" where it is done."""
        product = self.products.get(unit) if unit else self.by_id(product_id)
        if wrong := self._unwritable(product, unit, warehouse, quantity):
            return wrong
        pile = self.pile(product.unit if product else "", warehouse)
        if pile.too_soon(self.now()):
            return "TOO_MANY_REQUESTS"
        pile.write(quantity, self.now())
        return ""

    def by_id(self, product_id: int | None) -> Product | None:
        return next((one for one in self.products.values() if one.product_id == product_id), None)

    def _unwritable(self, product: Product | None, unit: str | None, warehouse: int, quantity: int) -> str:
        place = self.warehouses.get(warehouse)
        if product is None:
            return "offer_id_not_found" if unit else "NOT_FOUND_ERROR"
        if place is None or place.status != "created":
            return "WAREHOUSE_NOT_FOUND"
        wrong = {
            "product_is_not_created": not product.ready,
            "PRODUCT_IS_ARCHIVED": product.archived,
            "NON_KGT_ON_KGT_WAREHOUSE": place.kgt and not product.kgt,
            "STOCK_TOO_BIG": quantity >= MILLION,
        }
        return self.row_errors.get(product.unit) or next((code for code, is_so in wrong.items() if is_so), "")

    # -- what buyers do ------------------------------------------------------------------------------------------
    def sell(
        self,
        unit: str,
        quantity: int = 1,
        warehouse: int | str | None = None,
        *,
        more: Sequence[tuple[str, int]] = (),
        requires: tuple[str, ...] = (),
        ship_in: timedelta = timedelta(days=1),
    ) -> str | None:
        """A buyer orders `unit` (and `more`); the posting's number, or None where Ozon shows too few."""
        place, wanted = self._place(warehouse), [(unit, quantity), *more]
        piles = [(self.pile(wish, place), amount) for wish, amount in wanted]
        if any(pile.free < amount for pile, amount in piles):
            self.oversold += 1
            return None
        for pile, amount in piles:
            pile.reserved, pile.changed = pile.reserved + amount, self.now()
        posting = self._ordered(place, wanted, ship_in, self.warehouses[place].scheme, requires)
        self.pushes.new_posting(posting)
        return posting.number

    def sell_fbo(self, unit: str, quantity: int, warehouse: int) -> str | None:
        """A buyer orders what lies in a warehouse of Ozon's."""
        pile = self.fbo.get((unit, warehouse), Pile())
        if pile.free < quantity:
            return None
        pile.reserved += quantity
        return self._ordered(warehouse, [(unit, quantity)], timedelta(days=1), FBO, ()).number

    def _ordered(
        self, place: int, wanted: Sequence[tuple[str, int]], ship_in: timedelta, scheme: str, requires: tuple[str, ...]
    ) -> Posting:
        now, id = self.now(), self.next_number()
        order = f"{id:010d}-{id % 10_000:04d}"
        lines = [self._line(unit, amount) for unit, amount in wanted]
        posting = Posting(
            number=f"{order}-1",
            order_id=id,
            order_number=order,
            scheme=scheme,
            warehouse=place,
            lines=lines,
            status="awaiting_packaging",
            substatus="posting_created",
            created=now,
            changed=now,
            ship_by=now + ship_in,
            requires=requires,
        )
        self.orders[posting.number] = posting
        return posting

    def _line(self, unit: str, quantity: int) -> Line:
        product = self.products[unit]
        return Line(unit, product.sku, product.name, quantity, product.price)

    def cancel(self, number: str, by: str = "buyer", reason: int = 0, message: str = "") -> None:
        """A posting is called off, by `buyer`, `seller` or `ozon`; what has not left is for sale again."""
        posting = self.order(number)
        posting.cancelled_late = posting.status not in ("awaiting_packaging", "awaiting_approve")
        posting.cancelled_by = {"buyer": "client"}.get(by, by)
        posting.cancel_reason = (reason or 500, message or REASONS.get(reason, "The buyer changed his mind"))
        self._release(posting)
        self._packing.discard(number)
        posting.packing = None
        before = posting.substatus
        posting.touch(self.now(), "cancelled", "posting_canceled")
        self.pushes.cancelled(posting, before)

    def _piles(self, posting: Posting) -> Iterable[tuple[Pile, int]]:
        for line in posting.lines:
            fbo = posting.scheme == FBO
            pile = self.fbo[line.unit, posting.warehouse] if fbo else self.pile(line.unit, posting.warehouse)
            yield pile, line.quantity

    def _release(self, posting: Posting) -> None:
        for pile, amount in self._piles(posting) if posting.holding else ():
            pile.reserved, pile.changed = pile.reserved - amount, self.now()
        posting.holding = False

    # -- what Ozon does ------------------------------------------------------------------------------------------
    def order(self, number: str) -> Posting:
        """A posting as it stands now. NotAllowed where there is none."""
        if number not in self.orders:
            raise NotAllowed("POSTING_NOT_FOUND", 404)
        self.settle()
        return self.orders[number]

    def advance(self, number: str, status: str, substatus: str = "") -> None:
        """Ozon moves a posting on: delivering, delivered, arbitration ... What left is no longer in the warehouse."""
        posting = self.order(number)
        if status == "cancelled":
            return self.cancel(number, by="ozon")
        if status in LEFT and posting.holding:
            for pile, amount in self._piles(posting):
                pile.present -= amount
            self._release(posting)
        posting.touch(self.now(), status, substatus or _USUAL.get(status, "posting_created"))
        return self.pushes.moved(posting)

    def give_back(self, number: str, unit: str, quantity: int = 1, kind: str = "ClientReturn", reason: str = "") -> int:
        """Goods of a posting come back; the return's id."""
        line = next(line for line in self.order(number).lines if line.unit == unit)
        part = Line(line.unit, line.sku, line.name, quantity, line.price)
        id = self.next_number()
        self.returns[id] = Return(id, number, part, kind, "MovingToSeller", reason or "Not wanted", self.now())
        return id

    def move_return(self, id: int, status: str) -> None:
        """A return goes on: ArrivedAtReturnPlace, ReceivedBySeller ..."""
        self.returns[id].status, self.returns[id].changed = status, self.now()

    # -- what the seller does --------------------------------------------------------------------------------------
    def ship(self, number: str, packages: list[dict[int, int]]) -> list[str]:
        """Begin to assemble a posting in packages {sku: quantity}; the numbers that come of it. NotAllowed."""
        posting = self.order(number)
        _shippable(posting, packages)
        parts = [_part(posting, package) for package in packages]
        fails = self.ship_fails > 0
        self.ship_fails -= fails
        names = self._part_names(posting, len(parts))
        posting.packing = Packing(self.now() + self.ship_takes, fails, names, parts)
        self._packing.add(number)
        posting.touch(self.now(), posting.status, "posting_created")
        self.settle()
        return names

    def _part_names(self, posting: Posting, parts: int) -> list[str]:
        used = sum(1 for one in self.orders.values() if one.order_id == posting.order_id)
        fresh = [f"{posting.order_number}-{used + n + 1}" for n in range(parts)]
        return [posting.number, *fresh[: parts - 1]] if parts == 1 or self.split_keeps else fresh

    def settle(self) -> None:
        """Finish the assembling whose time has come."""
        for number in sorted(self._packing):
            posting = self.orders[number]
            if posting.packing is not None and posting.packing.until <= self.now():
                self._packing.discard(number)
                self._assembled(posting)

    def _assembled(self, posting: Posting) -> None:
        assert posting.packing is not None
        packing, posting.packing = posting.packing, None
        if packing.fails:
            return posting.touch(packing.until, "awaiting_packaging", "ship_failed")
        for name, lines in zip(packing.names, packing.parts, strict=True):
            self._packed(posting, name, lines, packing.until)
        if posting.number not in packing.names:
            posting.holding = False  # its parts hold the units now
            posting.touch(packing.until, "cancelled_from_split_pending", "posting_canceled")
        return None

    def _packed(self, posting: Posting, name: str, lines: list[Line], at: datetime) -> None:
        if name == posting.number:
            posting.lines = lines
            posting.touch(at, "awaiting_deliver", "posting_registered")
            return self.pushes.moved(posting)
        child = Posting(
            name,
            posting.order_id,
            posting.order_number,
            posting.scheme,
            posting.warehouse,
            lines,
            "awaiting_deliver",
            "posting_registered",
            posting.created,
            at,
            posting.ship_by,
            parent=posting.number,
        )
        self.orders[name] = child
        posting.children.append(name)
        return self.pushes.new_posting(child)

    def cancel_by_seller(self, number: str, reason: int, message: str) -> None:
        """The seller calls a posting off. NotAllowed with an unknown reason, or where it ended."""
        posting = self.order(number)
        if reason not in REASONS or (reason == 402 and not message):
            raise NotAllowed("INVALID_CANCEL_REASON")
        if posting.status in ENDED:
            raise NotAllowed("POSTING_ALREADY_CANCELLED" if posting.status != "delivered" else "HAS_INCORRECT_STATUS")
        self.cancel(number, "seller", reason, message)


_USUAL = {
    "awaiting_deliver": "posting_registered",
    "acceptance_in_progress": "posting_acceptance_in_progress",
    "delivering": "posting_on_way_to_city",
    "driver_pickup": "posting_driver_pick_up",
    "delivered": "posting_received",
    "arbitration": "posting_in_arbitration",
    "client_arbitration": "posting_in_client_arbitration",
    "not_accepted": "posting_not_in_sort_center",
    "sent_by_seller": "posting_transferring_to_delivery",
}


def _shippable(posting: Posting, packages: list[dict[int, int]]) -> None:
    if posting.status in ("cancelled", "cancelled_from_split_pending"):
        raise NotAllowed("POSTING_ALREADY_CANCELLED")
    if posting.status == "awaiting_deliver" or posting.status in LEFT:
        raise NotAllowed("POSTING_ALREADY_SHIPPED")
    if posting.status != "awaiting_packaging" or posting.packing is not None:
        raise NotAllowed("HAS_INCORRECT_STATUS")
    if posting.requires:
        raise NotAllowed("EXEMPLAR_INFO_NOT_FILLED_COMPLETELY")
    asked: dict[int, int] = {}
    for package in packages:
        for sku, quantity in package.items():
            asked[sku] = asked.get(sku, 0) + quantity
    if set(asked) - set(posting.quantities()):
        raise NotAllowed("UNKNOWN_PRODUCT_DEFINED")
    if asked != posting.quantities() or not all(packages):
        raise NotAllowed("HAS_INCORRECT_PRODUCT_QUANTITY")


def _part(posting: Posting, package: dict[int, int]) -> list[Line]:
    lines = {line.sku: line for line in posting.lines}
    return [Line(lines[sku].unit, sku, lines[sku].name, n, lines[sku].price) for sku, n in package.items()]
