"""The twin's reception: whose token it is, what it may do, and how much of each limit is left."""

import math
from dataclasses import dataclass
from typing import Any

from infra.twins.market import Ask, MarketTwin, Reply, SlidingWindow, Tokens
from infra.twins.wildberries import tokens
from infra.twins.wildberries.seller import Seller


@dataclass(frozen=True, slots=True)
class Limit:
    """A published limit: one request each `every` seconds, `burst` at once; `fined`: a 4XX costs ten."""

    every: float
    burst: int
    category: str = ""
    fined: bool = False


LIMITS = {
    "content": Limit(0.6, 5, "content"),
    "stock": Limit(0.2, 20, "marketplace", True),
    "warehouses": Limit(0.2, 20, "marketplace", True),
    "fbs": Limit(0.2, 20, "marketplace", True),
    "fbs-cancel": Limit(0.6, 20, "marketplace", True),
    "fbw-stock": Limit(20, 1, "analytics"),
    "dbs": Limit(0.2, 20, "marketplace", True),
    "dbw": Limit(0.2, 20, "marketplace", True),
    "pickup": Limit(0.2, 20, "marketplace", True),
    "pickup-statuses": Limit(1, 10, "marketplace", True),
    "feed": Limit(60, 10, "statistics"),
    "returns": Limit(60, 10, "analytics"),
    "seller-info": Limit(60, 10),
}
BASE = {
    "seller-info": Limit(86400, 1),
    "returns": Limit(1800, 1, "analytics"),
    "feed": Limit(10800, 1, "statistics"),
}
PING = (3, 30)
FINE = 10
PLACES = (
    ("/ping", "ping"),
    ("/api/v1/seller-info", "seller-info"),
    ("/content/", "content"),
    ("/api/v3/stocks/", "stock"),
    ("/api/v3/warehouses", "warehouses"),
    ("/api/v3/orders", "fbs"),
    ("/api/v3/supplies", "fbs"),
    ("/api/v3/dbs/orders", "dbs"),
    ("/api/marketplace/v3/dbs/orders", "dbs"),
    ("/api/v3/dbw/orders", "dbw"),
    ("/api/v3/click-collect/orders", "pickup"),
    ("/api/marketplace/v3/click-collect/orders/status", "pickup-statuses"),
    ("/api/v1/supplier/orders", "feed"),
    ("/api/marketplace/v3/", "fbs"),
    ("/api/analytics/v1/stocks-report/", "fbw-stock"),
    ("/api/analytics/v1/item-returns", "returns"),
    ("/api/v1/analytics/goods-return", "returns"),
)


def group(path: str) -> str:
    """The group of methods whose limit a path counts against; empty for an unknown path."""
    if path.startswith("/api/v3/orders/") and path.endswith("/cancel"):
        return "fbs-cancel"
    return next((name for begins, name in PLACES if path.startswith(begins)), "")


def failure(status: int, code: str, message: str = "", data: Any = None) -> Reply:
    """An error as the Marketplace methods write it."""
    return Reply(status, {"code": code, "message": message, "data": data})


class Desk(MarketTwin):
    """Checks tokens and limits. `accounts`: sellers by token; `sellers`: by name, the first being the one meant when
    none is named."""

    accounts: dict[str, Seller]
    sellers: dict[str, Seller]

    def seller(self, ask: Ask) -> Seller:
        """Whose call this is."""
        return self.accounts[ask.headers["authorization"]]

    def admit(self, ask: Ask) -> Reply | None:
        """401 for a wrong token, 403 for one that may not, 429 for one that asked too often."""
        token = ask.headers.get("authorization", "")
        seller, payload = self.accounts.get(token), tokens.read(token)
        if seller is None or payload is None:
            return self._problem(401, "unauthorized", "token problem; token is malformed")
        if payload["exp"] <= self.now().timestamp():
            return self._problem(401, "unauthorized", "token problem; token is expired")
        return self._scope(ask, payload) or self._limit(seller, group(ask.path))

    def _scope(self, ask: Ask, payload: dict[str, Any]) -> Reply | None:
        name = group(ask.path)
        needed = "marketplace" if name == "ping" else LIMITS[name].category
        if needed and not tokens.may(payload, needed):
            return self._problem(401, "unauthorized", "token scope not allowed")
        if ask.method in ("PUT", "PATCH", "DELETE") and tokens.only_reads(payload):
            return failure(403, "AccessDenied", "the token is read-only")
        return None

    def _limit(self, seller: Seller, name: str) -> Reply | None:
        meter = self._meter(seller, name)
        wait = meter.take(self.now())
        if not wait:
            return None
        burst = meter.burst if isinstance(meter, Tokens) else meter.cap
        whole = burst * meter.every if isinstance(meter, Tokens) else meter.seconds
        told = {"Limit": burst, "Retry": math.ceil(wait), "Reset": math.ceil(max(wait, whole)), "Remaining": 0}
        problem = self._problem(429, "too many requests", f"limited by {seller.sid}")
        return Reply(429, problem.body, {f"X-Ratelimit-{name}": str(value) for name, value in told.items()})

    def _meter(self, seller: Seller, name: str) -> Tokens | SlidingWindow:
        if name not in seller.meters:
            limit = (BASE if seller.grade == "base" else {}).get(name) or LIMITS.get(name)
            seller.meters[name] = Tokens(limit.every, limit.burst) if limit else SlidingWindow(*PING)
        return seller.meters[name]

    def _reply(self, ask: Ask) -> Reply:
        reply = super()._reply(ask)
        seller, name = self.accounts.get(ask.headers.get("authorization", "")), group(ask.path)
        if seller is None or not name or reply.status in (401, 429):
            return reply
        meter, limit = self._meter(seller, name), LIMITS.get(name)
        if isinstance(meter, Tokens) and limit and limit.fined and 400 <= reply.status < 500:
            meter.burn(self.now(), FINE - 1)
        return Reply(reply.status, reply.body, {**reply.headers, "X-Ratelimit-Remaining": str(meter.left(self.now()))})

    def _problem(self, status: int, title: str, detail: str) -> Reply:
        at = f"{self.now():%Y-%m-%dT%H:%M:%SZ}"
        body = {"title": title, "detail": detail, "code": "twin", "requestId": "0" * 32, "origin": "twin"}
        return Reply(status, {**body, "status": status, "statusText": title.title(), "timestamp": at})

    def unknown(self, ask: Ask) -> Reply:
        """No such path."""
        return self._problem(404, "path not found", "Please consult the documentation")
