"""Yandex Market on this machine: its keys and limits, and every method that the shipped definitions call."""

import threading
from collections import defaultdict
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from datetime import datetime
from typing import Any
from urllib.parse import urlsplit

from infra.twins.listening import METHOD, Answer, Meet
from infra.twins.market import Ask, Called, MarketTwin, Reply
from infra.twins.yandex_market import answers
from infra.twins.yandex_market.cabinet import Cabinet
from infra.twins.yandex_market.catalogue import CatalogueRoutes
from infra.twins.yandex_market.limits import LARGEST, MINUTE, Resource, Window, entity, resource
from infra.twins.yandex_market.orders import OrderRoutes
from infra.twins.yandex_market.stocks import V3_SINCE, StockRoutes

KEY = "ACMA:twin:1"


class YandexMarketTwin(CatalogueRoutes, StockRoutes, OrderRoutes, MarketTwin):
    """Cabinets by their Api-Key, in one Market. It begins with none: `add_account`, then goods in the cabinet.

    The plain methods below act on the first cabinet unless they are told a key. `meanwhile`: called while a call is
    being answered (it may wait, so that calls overlap). `dated`: before 2026-07-29 there is no v3 stock, before
    2026-08-04 its page is 200.
    """

    service = "yandex_market"

    def __init__(self, meet: Meet, now: Callable[[], datetime]) -> None:
        self.accounts: dict[str, Cabinet] = {}
        self.meanwhile: Callable[[], object] = lambda: None
        self._windows: dict[tuple[str, str], Window] = {}
        self._flying: dict[str, int] = defaultdict(int)
        self._lock = threading.RLock()
        self._told: Window | None = None
        super().__init__(meet, now)

    def forget(self) -> None:
        """Drop every cabinet and every count."""
        self.accounts.clear()
        self._windows.clear()

    # -- for tests and play ----------------------------------------------------------------------------------------
    def add_account(
        self,
        key: str = KEY,
        business: int = 0,
        name: str = "",
        *,
        fbs: int | None = None,
        warehouses: Sequence[int] = (),
    ) -> Cabinet:
        """Open a cabinet with an FBS shop and its warehouses; ids that are not given follow from how many there are."""
        n = len(self.accounts) + 1
        cabinet = Cabinet(key, business or 7_000 + n, name or f"Cabinet {n}", self.now)
        campaign = cabinet.add_campaign(fbs or 21_000 + n)
        for id in warehouses or (900 + n,):
            cabinet.add_warehouse(id, campaign.id, f"Warehouse {id}")
        self.accounts[key] = cabinet
        return cabinet

    def cabinet(self, key: str | None = None) -> Cabinet:
        """The cabinet that a key opens; the first where none is told."""
        return self.accounts[key] if key else next(iter(self.accounts.values()))

    def add_product(self, unit: str, article: str = "", name: str = "", barcode: str = "", **more: Any) -> None:
        """Put an offer into a cabinet's catalogue (`account`, `price`, `stock`)."""
        self.cabinet(more.pop("account", None)).add_product(unit, article, name, barcode, **more)

    def notify(self, url: str, account: str | None = None) -> None:
        """The seller types an address for notifications in the cabinet; it is pinged first."""
        with self._lock:
            self.cabinet(account).pushes.set(url, self.now())

    def notification(self) -> tuple[str, Any] | None:
        """The next notification of any cabinet, taken off."""
        with self._lock:
            return next((found for one in self.accounts.values() if (found := one.pushes.next())), None)

    def answered(self, url: str, told: Any, status: int, body: Any) -> None:
        """Hear how a notification was answered."""
        with self._lock:
            for cabinet in self.accounts.values():
                if cabinet.pushes.url == url:
                    cabinet.pushes.answered(told, status, body)

    def sell(self, unit: str, quantity: int = 1, warehouse: int | str | None = None, **more: Any) -> str | None:
        """A buyer orders; the order's number, or None where Market shows too few."""
        with self._lock:
            return self.cabinet(more.pop("account", None)).sell(unit, quantity, warehouse, **more)

    def cancel(self, number: str, by: str = "buyer") -> None:
        """A buyer (or Market) cancels."""
        with self._lock:
            self._holder(number).cancel(number, by)

    def advance(self, number: str, status: str, substatus: str = "") -> None:
        """Market moves an order on."""
        with self._lock:
            self._holder(number).advance(number, status, substatus)

    def stock_of(self, unit: str, warehouse: int | str | None = None, account: str | None = None) -> int:
        """How many buyers can order now."""
        with self._lock:
            return self.cabinet(account).stock_of(unit, warehouse)

    @property
    def oversold(self) -> int:
        """Orders that buyers tried and Market turned away."""
        return sum(cabinet.oversold for cabinet in self.accounts.values())

    @property
    def orders(self) -> dict[str, Any]:
        """Every order of every cabinet, by its number."""
        return {str(order.number): order for cabinet in self.accounts.values() for order in cabinet.all_orders()}

    def _holder(self, number: str) -> Cabinet:
        return next(cabinet for cabinet in self.accounts.values() if int(number) in cabinet.orders)

    # -- admission -------------------------------------------------------------------------------------------------
    def answer(self, path: str, headers: dict[str, str], body: bytes) -> Answer:
        """Answer, unless as many calls of this shop or cabinet are being answered as may be at once."""
        place = urlsplit(path).path
        limited = resource(headers[METHOD], place)
        whose = entity(place, headers.get("api-key", ""))
        with self._in_flight(whose) as flying:
            most = limited.parallel if limited else 4
            if flying > most:
                return self._too_many_at_once(headers[METHOD], place, whose, most)
            self.meanwhile()
            with self._lock:
                return super().answer(path, headers, body)

    @contextmanager
    def _in_flight(self, whose: str) -> Iterator[int]:
        with self._lock:
            self._flying[whose] += 1
            flying = self._flying[whose]
        try:
            yield flying
        finally:
            with self._lock:
                self._flying[whose] -= 1

    def _too_many_at_once(self, method: str, path: str, whose: str, most: int) -> Answer:
        self.calls.append(Called(self.now(), method, path, 420, None))
        kind, _, id = whose.partition("/")
        named = {"campaigns": "campaignId", "businesses": "businessId"}.get(kind, "token")
        return answers.bad(420, "LIMIT_EXCEEDED", f"Hit rate limit of {most} parallel requests for {named} {id}").sent()

    def admit(self, ask: Ask) -> Reply | None:
        """Check key, access, limit and size: in this order, so that a refused key uses up nobody's limit."""
        self._told = None
        cabinet = self.accounts.get(ask.headers.get("api-key", ""))
        if cabinet is None:
            told = "Api-Key token is invalid" if "api-key" in ask.headers else "Credentials are not specified"
            return answers.bad(401, "UNAUTHORIZED", told)
        limited = resource(ask.method, ask.path)
        if not limited or not self._exists(ask):
            return self.unknown(ask)
        return self._denied(ask, cabinet, limited) or self._spent(ask, limited) or _too_big(ask)

    def _exists(self, ask: Ask) -> bool:
        young = ask.path.startswith("/v3/") and "/offers/stocks" in ask.path
        return not (young and self.dated is not None and self.dated < V3_SINCE)

    def _denied(self, ask: Ask, cabinet: Cabinet, limited: Resource) -> Reply | None:
        business, campaign = ask.names.get("business"), ask.names.get("campaign")
        everywhere = {id for known in self.accounts.values() for id in known.campaigns}
        if campaign is not None and int(campaign) not in everywhere:
            return answers.bad(404, "NOT_FOUND", f"Campaign not found: {campaign}")
        if campaign is not None and int(campaign) not in cabinet.campaigns:
            return answers.bad(403, "FORBIDDEN", "Access denied")
        if business is not None and int(business) != cabinet.business:
            return answers.bad(403, "FORBIDDEN", "Access denied")
        if campaign is not None and cabinet.campaigns[int(campaign)].available != "AVAILABLE":
            return answers.bad(403, "FORBIDDEN", f"Access denied for campaign {campaign} because it is not active")
        if not limited.reads and all(scope.endswith("READ_ONLY") for scope in cabinet.scopes):
            return answers.bad(403, "FORBIDDEN", "Token does not have any of the scopes to access the API method")
        return None

    def _spent(self, ask: Ask, limited: Resource) -> Reply | None:
        whose = entity(ask.path, ask.headers["api-key"])
        window = self._windows.setdefault((whose, limited.name), Window(limited.cap, limited.seconds))
        self._told, cost = window, _cost(ask, limited)
        if window.fits(self.now(), cost):
            window.use(self.now(), cost if limited.counts != "answers" else 0)
            return None
        period = "minute" if limited.seconds == MINUTE else "hour"
        told = f"Hit rate limit of {limited.cap} requests per {period} for resource {limited.name}"
        return answers.bad(420, "LIMIT_EXCEEDED", told)

    def charge(self, n: int) -> None:
        """Count rows of an answer against the limit of the call that is being answered."""
        if self._told is not None:
            self._told.use(self.now(), n)

    def _reply(self, ask: Ask) -> Reply:
        reply = super()._reply(ask)
        told = self._told.headers(self.now()) if self._told is not None else {}
        self._told = None
        return Reply(reply.status, reply.body, {**reply.headers, **told})

    def unknown(self, ask: Ask) -> Reply:
        """There is no such method (any more)."""
        return answers.bad(404, "NOT_FOUND", f"No handler found for {ask.method} {ask.path}")


def _cost(ask: Ask, limited: Resource) -> int:
    rows = ask.body.get("skus") if isinstance(ask.body, dict) else None
    return max(1, len(rows or [])) if limited.counts == "rows" else 1


def _too_big(ask: Ask) -> Reply | None:
    told = f"The request is too big: {ask.size} bytes"
    return answers.bad(400, "BAD_REQUEST", told) if ask.size > LARGEST else None
