"""A stand-in for a shop that offers its goods and orders as plain JSON: marketplaces/feed/schema.json says how."""

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from infra.twins.listening import Meet
from infra.twins.market import Ask, MarketTwin, Reply, SlidingWindow, route

TOKEN = "feed-twin"  # noqa: S105
PAGE, CAP, SECONDS = 100, 60, 60
STATES = ("new", "packed", "sent", "delivered", "cancelled")


@dataclass(slots=True)
class Shop:
    """One shop: what it sells, what was ordered, and how much of its limit is used."""

    token: str
    items: dict[str, dict[str, Any]] = field(default_factory=dict)
    orders: dict[str, dict[str, Any]] = field(default_factory=dict)
    limit: SlidingWindow = field(default_factory=lambda: SlidingWindow(CAP, SECONDS))
    oversold: int = 0


class FeedTwin(MarketTwin):
    """Shops by their token. A number of stock is what is free to sell: an order takes from it, a cancel gives back."""

    service = "feed"

    def __init__(self, meet: Meet, now: Callable[[], datetime]) -> None:
        self.accounts: dict[str, Shop] = {}
        super().__init__(meet, now)

    def forget(self) -> None:
        """Drop every shop."""
        self.accounts.clear()

    # -- for tests and play ----------------------------------------------------------------------------------------
    def add_account(self, token: str = TOKEN) -> Shop:
        """Open a shop."""
        self.accounts[token] = Shop(token)
        return self.accounts[token]

    def shop(self, token: str | None = None) -> Shop:
        """The shop of a token; the first where none is told."""
        return self.accounts[token] if token else next(iter(self.accounts.values()))

    def add_product(
        self,
        unit: str,
        article: str = "",
        name: str = "",
        barcode: str = "",
        *,
        stock: int = 0,
        account: str | None = None,
    ) -> None:
        """Offer something."""
        told = {"sku": unit, "title": name or unit, "price": "19.90", "currency": "RUB", "quantity": stock}
        coded = {"barcode": barcode} if barcode else {}
        self.shop(account).items[unit] = {**told, **coded, "changed": self._time()}

    def sell(self, unit: str, quantity: int = 1, warehouse: str = "shop", *, account: str | None = None) -> str | None:
        """A buyer orders; the order's id, or None where there are too few."""
        shop = self.shop(account)
        item = shop.items[unit]
        if item["quantity"] < quantity:
            shop.oversold += 1
            return None
        item["quantity"] -= quantity
        id = f"F{len(shop.orders) + 1:05d}"
        line = {"line": 1, "sku": unit, "title": item["title"], "count": quantity, "price": item["price"]}
        told = {"id": id, "state": "new", "created": self._time(), "changed": self._time()}
        shop.orders[id] = {**told, "currency": "RUB", "lines": [line]}
        return id

    def advance(self, number: str, status: str, account: str | None = None) -> None:
        """The shop moves an order on; what is cancelled before it was sent goes back on sale."""
        shop = self.shop(account)
        order = shop.orders[number]
        if status == "cancelled" and order["state"] in ("new", "packed"):
            for line in order["lines"]:
                shop.items[line["sku"]]["quantity"] += line["count"]
        order.update(state=status, changed=self._time())

    def cancel(self, number: str, by: str = "buyer") -> None:
        """A buyer cancels."""
        self.advance(number, "cancelled")

    def stock_of(self, unit: str, warehouse: str = "shop", account: str | None = None) -> int:
        """How many buyers can order now."""
        quantity: int = self.shop(account).items[unit]["quantity"]
        return quantity

    # -- what it answers -------------------------------------------------------------------------------------------
    def admit(self, ask: Ask) -> Reply | None:
        """Check the token and its limit."""
        shop = self.accounts.get(ask.headers.get("authorization", "").removeprefix("Bearer "))
        if shop is None:
            return Reply(401, {"error": "token", "message": "unknown token"})
        wait = shop.limit.take(self.now())
        return Reply(429, {"error": "too-many"}, {"Retry-After": str(int(wait) + 1)}) if wait else None

    @route("GET", "/items")
    def items(self, ask: Ask) -> Reply:
        """What is sold."""
        return self._page(ask, "items", list(self._asking(ask).items.values()))

    @route("PUT", "/stock")
    def put_stock(self, ask: Ask) -> Reply:
        """Set quantities; each row has its own outcome."""
        items, results = self._asking(ask).items, []
        for row in ask.body["stock"]:
            known = row["sku"] in items
            if known:
                items[row["sku"]].update(quantity=row["quantity"], changed=self._time())
            results.append({"sku": row["sku"], "ok": known} | ({} if known else {"error": "unknown-sku"}))
        return Reply(200, {"results": results})

    @route("GET", "/orders")
    def find_orders(self, ask: Ask) -> Reply:
        """Orders that changed since a time, or one."""
        since, id = datetime.fromisoformat(ask.query.get("since", "2000-01-01T00:00:00Z")), ask.query.get("id")
        known = [one for one in self._asking(ask).orders.values() if id in (None, one["id"])]
        return self._page(ask, "orders", [one for one in known if datetime.fromisoformat(one["changed"]) >= since])

    @route("POST", "/orders/{id}/status")
    def set_state(self, ask: Ask) -> Reply:
        """Move an order on, never back."""
        shop, id, state = self._asking(ask), ask.names["id"], ask.body.get("state")
        if id not in shop.orders or state not in STATES:
            return Reply(404, {"error": "unknown", "message": f"no order {id} or no state {state}"})
        if STATES.index(state) <= STATES.index(shop.orders[id]["state"]):
            return Reply(409, {"error": "state", "message": f"it is {shop.orders[id]['state']}"})
        self.advance(id, state, shop.token)
        return Reply(200, shop.orders[id])

    def _asking(self, ask: Ask) -> Shop:
        return self.accounts[ask.headers["authorization"].removeprefix("Bearer ")]

    def _page(self, ask: Ask, name: str, rows: list[dict[str, Any]]) -> Reply:
        at = int(ask.query.get("page") or 1)
        more = at + 1 if at * PAGE < len(rows) else None
        return Reply(200, {name: rows[(at - 1) * PAGE : at * PAGE], "next": more})

    def _time(self) -> str:
        return f"{self.now():%Y-%m-%dT%H:%M:%SZ}"
