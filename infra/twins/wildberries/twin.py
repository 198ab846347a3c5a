"""The twin as a whole, and what a test or a player does with it: products, sales, cancellations, the market's moves."""

import threading
from collections.abc import Callable, Iterable
from datetime import datetime, timedelta
from itertools import count
from typing import Any
from uuid import NAMESPACE_URL, uuid5

from infra.twins.listening import Answer, Meet
from infra.twins.wildberries import tokens
from infra.twins.wildberries.apart import Apart
from infra.twins.wildberries.cards import Cards
from infra.twins.wildberries.orders import Orders
from infra.twins.wildberries.reports import Reports
from infra.twins.wildberries.seller import Order, Seller, Size, Warehouse
from infra.twins.wildberries.stocks import Stocks
from infra.twins.wildberries.supplies import Supplies

SCOPES = ("content", "analytics", "marketplace", "statistics", "supplies", "returns")
LIFE = timedelta(days=180)
FIRST_ID = 5_000_000_001
SRID = 32  # characters


class Wildberries(Cards, Stocks, Orders, Apart, Supplies, Reports):
    """Wildberries. Where a method takes `account`, it is a seller's name; empty: the first seller.

    It begins with one seller, "Seller 1", and its token in `token`; `add_seller` makes more.
    """

    service = "wildberries"

    def __init__(self, meet: Meet, now: Callable[[], datetime]) -> None:
        self._lock = threading.RLock()
        self.now = now
        self.forget()
        super().__init__(meet, now)

    def forget(self) -> None:
        """Drop everything but one empty seller."""
        self.accounts: dict[str, Seller] = {}
        self.sellers: dict[str, Seller] = {}
        self._ids, self._tokens, self.numbers = count(FIRST_ID), count(1), count(1_000_001)
        self.token = self.add_seller("Seller 1")

    def answer(self, path: str, headers: dict[str, str], body: bytes) -> Answer:
        """One request at a time."""
        with self._lock:
            return super().answer(path, headers, body)

    def add_seller(self, name: str, grade: str = "personal", **token: Any) -> str:
        """A further seller; its token. `token`: see `add_token`."""
        sid = str(uuid5(NAMESPACE_URL, f"seller:{name}"))
        self.sellers[name] = Seller(name, sid, grade, self._ids)
        return self.add_token(name, **token)

    def add_token(
        self, account: str = "", *, life: timedelta = LIFE, scopes: Iterable[str] = SCOPES, read_only: bool = False
    ) -> str:
        """A further token of a seller, good for `life` and for these categories."""
        seller = self._named(account)
        ends = self.now() + life
        token = tokens.made(seller.sid, scopes, seller.grade, ends, next(self._tokens), read_only=read_only)
        self.accounts[token] = seller
        return token

    def add_warehouse(self, id: int | str, name: str = "", *, account: str = "", **more: Any) -> Warehouse:
        """A warehouse of a seller's own. `more`: cargo, delivery, office."""
        warehouse = Warehouse(int(id), name or f"Warehouse {id}", **more)
        self._named(account).warehouses[warehouse.id] = warehouse
        return warehouse

    def add_product(
        self, unit: str | int, article: str, name: str, barcode: str, *, account: str = "", **more: Any
    ) -> Size:
        """A size of a card: `unit` is its chrtID. `more`: product (nmID; a card of its own if absent), size, price in
        1/100, cargo, subject, meta (marks it needs), restricted."""
        product = int(more.pop("product", 0)) or int(unit) + 1_000_000_000
        size = Size(int(unit), product, article, name, [barcode], **more)
        with self._lock:
            self._named(account).put(size, self.now())
        return size

    def add_fbw_stock(self, unit: str | int, warehouse: int, name: str, quantity: int, *, account: str = "") -> None:
        """A row of the report on Wildberries' own warehouses."""
        seller = self._named(account)
        row = {"nmId": seller.sizes[int(unit)].product, "chrtId": int(unit), "warehouseId": warehouse}
        told = {"warehouseName": name, "regionName": "Центральный", "quantity": quantity}
        seller.fbw.append(row | told | {"inWayToClient": 0, "inWayFromClient": 0})

    def sell(
        self,
        unit: str | int,
        quantity: int = 1,
        warehouse: str | int | None = None,
        *,
        account: str = "",
        kind: str = "fbs",
    ) -> str | None:
        """A buyer orders; the number of the (first) order. None, and counted in `oversold`, where too few are shown.
        `kind`: fbs, dbs, edbs, dbw or pickup; all sell what the seller's own warehouses show."""
        with self._lock:
            place = None if warehouse is None else int(warehouse)
            made = self._named(account).sell(int(unit), quantity, place, self.now(), kind)
        return str(made[0].id) if made else None

    def sell_fbw(self, unit: str | int, quantity: int = 1, *, account: str = "") -> str | None:
        """A buyer orders out of Wildberries' own warehouses; the `srid` of the (first) order, or None as in `sell`."""
        with self._lock:
            made = self._named(account).sell_fbw(int(unit), quantity, self.now())
        return made[0].srid if made else None

    def cancel(self, number: str | int, by: str = "buyer") -> None:
        """An order (its number, or `srid`) ends, by "buyer", "seller", "market", "carrier", "defect", "refusal" (when
        it was brought), "missed call" or "shelf life"."""
        with self._lock:
            seller, order = self._order(number)
            seller.cancel(order, by, self.now())

    def advance(self, number: str | int, status: str) -> None:
        """The marketplace's own move: a wbStatus, or a pair "complete/sorted"."""
        with self._lock:
            seller, order = self._order(number)
            seller.advance(order, status, self.now())

    def send_back(self, number: str | int, status: str = "В пути в пвз", **more: Any) -> None:
        """An order's goods are on their way back. `more`: kind, ready, received (times as the report writes them)."""
        with self._lock:
            seller, order = self._order(number)
            seller.take_back(order, status, self.now(), **more)

    def stock_of(self, unit: str | int, warehouse: str | int, *, account: str = "") -> int:
        """How many are shown."""
        return self._named(account).shown(int(unit), int(warehouse))

    def set_stock(self, unit: str | int, warehouse: str | int, quantity: int, *, account: str = "") -> None:
        """What is shown, as if the seller had typed it in."""
        with self._lock:
            self._named(account).stock.setdefault(int(warehouse), {})[int(unit)] = quantity

    def status_of(self, number: str | int) -> dict[str, str]:
        """An order's pair."""
        order = self._order(number)[1]
        return {"supplierStatus": order.supplier, "wbStatus": order.wb}

    @property
    def orders(self) -> dict[str, Order]:
        """All sellers' orders by number."""
        found = (order for one in self.sellers.values() for order in (*one.orders.values(), *one.apart.values()))
        return {order.srid if order.kind == "fbw" else str(order.id): order for order in found}

    @property
    def oversold(self) -> int:
        """Pieces that somebody wanted when none was shown any more."""
        return sum(seller.oversold for seller in self.sellers.values())

    def _named(self, account: str) -> Seller:
        return self.sellers[account] if account else next(iter(self.sellers.values()))

    def _order(self, number: str | int) -> tuple[Seller, Order]:
        id = int(number, 16) if isinstance(number, str) and len(number) == SRID else int(number)
        found = ((one, {**one.orders, **one.apart}) for one in self.sellers.values())
        return next((one, orders[id]) for one, orders in found if id in orders)
