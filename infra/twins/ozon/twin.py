"""The twin as a whole, and what a test or a player does with it: products, sales, cancellations, Ozon's moves."""

from collections.abc import Callable
from datetime import datetime
from typing import Any

from infra.twins.listening import Meet
from infra.twins.ozon import carriages
from infra.twins.ozon.cabinet import Cabinet
from infra.twins.ozon.catalogue import CatalogueRoutes
from infra.twins.ozon.operations import OperationRoutes
from infra.twins.ozon.orders import OrderRoutes
from infra.twins.ozon.records import Pile, Posting, Product
from infra.twins.ozon.stocks import StockRoutes


class Ozon(CatalogueRoutes, StockRoutes, OrderRoutes, OperationRoutes):
    """Ozon. It begins with no cabinet: `add_account`. Where a method takes `account`, it is a Client-Id; empty: the
    first cabinet. What can go wrong in a cabinet is turned there (`cabinet(...)`: row_errors, ship_fails ...).

    What a lawful client keeps to here. Told by Ozon: 50 calls a second of one Client-Id over all methods; 80 stock
    writes a minute with at most 100 pairs each; a pair of product and warehouse once in 30 seconds, else the row has
    TOO_MANY_REQUESTS inside a 200. Assumed, since Ozon does not tell: both windows slide; a call that was refused for
    a limit does not count; 429 carries no header of when to come again; a row refused for its 30 seconds does not
    begin them anew; a number written is what is free, and what is reserved stays beside it; a cancelled posting's
    units are free again at once; a split posting goes on as its first package, further ones get the next suffixes; who
    tries again to assemble is no longer marked as ship_failed.
    """

    service = "ozon"

    def __init__(self, meet: Meet, now: Callable[[], datetime]) -> None:
        super().__init__(meet, now)

    def notification(self) -> tuple[str, Any] | None:
        """The next notification of any cabinet, taken off."""
        with self.lock:
            return next((found for one in self.accounts.values() if (found := one.pushes.next())), None)

    def add_account(self, client_id: str = "", api_key: str = "", *, warehouses: tuple[int, ...] = ()) -> Cabinet:
        """Open a cabinet with FBS warehouses; what is not given follows from how many cabinets there are."""
        n = len(self.accounts) + 1
        cabinet = Cabinet(client_id or f"{100_000 + n}", api_key or f"ozon-key-{n}", self.now, n)
        for place in warehouses or (22_142_605_386_000 + n,):
            cabinet.add_warehouse(place, f"Warehouse {place}")
        self.accounts[cabinet.client_id] = cabinet
        return cabinet

    def add_warehouse(self, id: int | str, name: str = "", *, account: str = "", **more: Any) -> None:
        """Open a warehouse (`scheme`, `kgt`)."""
        self.cabinet(account).add_warehouse(int(id), name or f"Warehouse {id}", **more)

    def add_product(
        self, unit: str, article: str = "", name: str = "", barcode: str = "", *, account: str = "", **more: Any
    ) -> Product:
        """Put a card into a cabinet (`price` in kopecks, `stock`, `kgt`, `ready`)."""
        with self.lock:
            return self.cabinet(account).add_product(unit, article, name, barcode, **more)

    def add_fbo_stock(self, unit: str, warehouse: int, quantity: int, *, account: str = "") -> None:
        """Let units lie in a warehouse of Ozon's own."""
        self.cabinet(account).fbo[unit, warehouse] = Pile(quantity)

    def sell(
        self, unit: str, quantity: int = 1, warehouse: int | str | None = None, *, account: str = "", **more: Any
    ) -> str | None:
        """A buyer orders; the posting's number. None, and counted in `oversold`, where Ozon shows too few."""
        with self.lock:
            return self.cabinet(account).sell(unit, quantity, warehouse, **more)

    def cancel(self, number: str, by: str = "buyer") -> None:
        """A posting is called off, by "buyer", "seller" or "ozon"."""
        with self.lock:
            self._holder(number).cancel(number, by)

    def advance(self, number: str, status: str, substatus: str = "") -> None:
        """Ozon moves a posting on."""
        with self.lock:
            self._holder(number).advance(number, status, substatus)

    def take_carriage(self, id: int | str, *, account: str = "") -> None:
        """Ozon accepts a carriage: its postings go into delivery."""
        with self.lock:
            carriages.take(self.cabinet(account), id)

    def stock_of(self, unit: str, warehouse: int | str | None = None, *, account: str = "") -> int:
        """How many buyers can order now."""
        with self.lock:
            return self.cabinet(account).stock_of(unit, warehouse)

    @property
    def orders(self) -> dict[str, Posting]:
        """Every posting of every cabinet, by its number."""
        with self.lock:
            for cabinet in self.accounts.values():
                cabinet.settle()
            return {number: one for cabinet in self.accounts.values() for number, one in cabinet.orders.items()}

    @property
    def oversold(self) -> int:
        """How often a buyer was turned away because Ozon showed too few."""
        return sum(cabinet.oversold for cabinet in self.accounts.values())

    def _holder(self, number: str) -> Cabinet:
        return next(cabinet for cabinet in self.accounts.values() if number in cabinet.orders)
