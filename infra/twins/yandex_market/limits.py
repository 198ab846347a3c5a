"""Market's limits: so many requests or items of a method per clock minute or clock hour, and so many calls at once."""

import re
from dataclasses import dataclass
from datetime import UTC, datetime
from email.utils import format_datetime

PARALLEL = 4
LARGEST = 512 * 1024
MINUTE, HOUR = 60, 3600


@dataclass(frozen=True, slots=True)
class Resource:
    """A method's limit. `counts`: `calls`, `rows` (of the request) or `answers` (rows of the answer)."""

    name: str
    path: re.Pattern[str]
    method: str
    cap: int
    seconds: int
    counts: str = "calls"
    parallel: int = PARALLEL
    reads: bool = True


def _resource(
    name: str,
    method: str,
    path: str,
    cap: int,
    seconds: int,
    counts: str = "calls",
    parallel: int = PARALLEL,
    *,
    reads: bool = True,
) -> Resource:
    pattern = re.compile(re.sub(r"\{\w+\}", r"[^/]+", path))
    return Resource(name, pattern, method, cap, seconds, counts, parallel, reads)


B, C = "/v2/businesses/{businessId}", "/v2/campaigns/{campaignId}"
RESOURCES = [
    _resource("getAuthTokenInfo", "POST", "/v2/auth/token", 100, HOUR),
    _resource("getCampaigns", "GET", "/v2/campaigns", 1000, HOUR),
    _resource("getPartnerWarehouses", "POST", "/v3/businesses/{businessId}/warehouses", 100, HOUR),
    _resource("getPagedWarehouses", "POST", f"{B}/warehouses", 100, HOUR),
    _resource("getOfferMappings", "POST", f"{B}/offer-mappings", 100, MINUTE),
    _resource("getCategoriesTree", "POST", "/v2/categories/tree", 50, HOUR),
    _resource("updateStocksOnPartnerWarehouses", "POST", "/v3/businesses/{businessId}/offers/stocks/update", 50, MINUTE,
              reads=False),
    _resource("updateStocks", "PUT", f"{C}/offers/stocks", 100_000, MINUTE, "rows", reads=False),
    _resource("getStocksOnPartnerWarehouses", "POST", "/v3/businesses/{businessId}/offers/stocks", 500, MINUTE),
    _resource("getStocks", "POST", f"{C}/offers/stocks", 100_000, MINUTE, "answers"),
    _resource("getBusinessOrders", "POST", "/v1/businesses/{businessId}/orders", 10_000, HOUR, "calls", 6),
    _resource("setOrderBoxLayout", "PUT", f"{C}/orders/{{orderId}}/boxes", 10_000, HOUR, reads=False),
    _resource("updateOrderStatus", "PUT", f"{C}/orders/{{orderId}}/status", 10_000, HOUR, reads=False),
    _resource("acceptOrderCancellation", "PUT", f"{C}/orders/{{orderId}}/cancellation/accept", 500, HOUR, reads=False),
    _resource("searchShipments", "PUT", f"{C}/first-mile/shipments", 200, HOUR),
    _resource("confirmShipment", "POST", f"{C}/first-mile/shipments/{{shipmentId}}/confirm", 200, HOUR, reads=False),
    _resource("getReturns", "GET", f"{C}/returns", 5000, HOUR),
]  # fmt: skip
"""Each method's limit without a subscription: `x-resource-limit-config` of the specification of August 2026."""


def resource(method: str, path: str) -> Resource | None:
    """Which method's limit a call counts against."""
    return next((known for known in RESOURCES if known.method == method and known.path.fullmatch(path)), None)


def entity(path: str, key: str) -> str:
    """Whose limits a call counts against: the campaign's or business's that its path names, else the key's."""
    found = re.match(r"/v\d/(campaigns|businesses)/(\d+)", path)
    return f"{found[1]}/{found[2]}" if found else f"key/{key}"


class Window:
    """What of one limit is used in the clock minute (or hour) that it now is.

    Aligned to the clock, as recorded answers show: `Until` is the minute's end, not a minute after the first call.
    """

    def __init__(self, cap: int, seconds: int) -> None:
        self.cap, self.seconds = cap, seconds
        self._number, self._used = -1, 0

    def fits(self, now: datetime, n: int) -> bool:
        """Whether `n` more go."""
        return self.left(now) >= n

    def use(self, now: datetime, n: int) -> None:
        """Count `n`."""
        self._turn(now)
        self._used += n

    def left(self, now: datetime) -> int:
        """How many go until the window ends."""
        self._turn(now)
        return max(0, self.cap - self._used)

    def headers(self, now: datetime) -> dict[str, str]:
        """As Market tells of it with each answer."""
        until = datetime.fromtimestamp((int(now.timestamp()) // self.seconds + 1) * self.seconds, UTC)
        return {
            "X-RateLimit-Resource-Limit": str(self.cap),
            "X-RateLimit-Resource-Until": format_datetime(until, usegmt=True),
            "X-RateLimit-Resource-Remaining": str(self.left(now)),
        }

    def _turn(self, now: datetime) -> None:
        number = int(now.timestamp()) // self.seconds
        if number != self._number:
            self._number, self._used = number, 0
