"""Who may ask: keys, roles and limits, and how Ozon says no."""

from collections.abc import Callable, Sequence
from datetime import date, datetime, timedelta
from typing import Any

from infra.twins.listening import Meet
from infra.twins.market import Ask, MarketTwin, Reply
from infra.twins.ozon.cabinet import Cabinet

GRPC = {400: 3, 401: 16, 403: 7, 404: 5, 409: 10, 429: 8, 500: 13}
STOCK_WRITE = "/v2/products/stocks"
DATES: dict[str, tuple[date, date]] = {
    "/v3/posting/fbs/list": (date(2023, 1, 1), date(2026, 8, 31)),
    "/v4/posting/fbs/list": (date(2026, 4, 30), date.max),
    "/v4/posting/fbs/unfulfilled/list": (date(2026, 4, 30), date.max),
    "/v3/posting/fbo/list": (date(2026, 4, 30), date.max),
}
"""From and until which day (that one no more) a method is there; others always are."""


def refused(status: int, message: str) -> Reply:
    """An error of the whole call."""
    return Reply(status, {"code": GRPC.get(status, 2), "message": message, "details": []})


class Desk(MarketTwin):
    """Cabinets by their Client-Id; each call is held against its key, its roles, and the cabinet's limits."""

    def __init__(self, meet: Meet, now: Callable[[], datetime]) -> None:
        self.accounts: dict[str, Cabinet] = {}
        super().__init__(meet, now)

    def forget(self) -> None:
        """Drop every cabinet."""
        self.accounts.clear()

    def asking(self, ask: Ask) -> Cabinet:
        """The cabinet of who asks; the desk has let it in."""
        cabinet = self.accounts[ask.headers["client-id"]]
        cabinet.settle()
        return cabinet

    def admit(self, ask: Ask) -> Reply | None:
        """403 for a wrong key, 404 for a method that is not there on this day, 429 beyond a limit."""
        cabinet = self.accounts.get(ask.headers.get("client-id", ""))
        since, until = DATES.get(ask.path, (date.min, date.max))
        if cabinet is None or cabinet.api_key != ask.headers.get("api-key"):
            return refused(403, "Invalid Api-Key, please check the key and try again")
        if self.now() >= cabinet.expires_at:
            return refused(403, "Api-key is deactivated, use another one or generate a new one")
        if ask.path in cabinet.roleless:
            return refused(403, "Api-Key is missing a required role for a method")
        if not since <= self.today < until:
            return self.unknown(ask)
        return self._over(cabinet, ask) or _unreadable(ask)

    def _over(self, cabinet: Cabinet, ask: Ask) -> Reply | None:
        now = self.now()
        if cabinet.breakers.get(ask.path, now) > now:
            return refused(429, "Circle is open")
        if cabinet.calls.take(now):
            return refused(429, "You have reached request rate limit per second")
        if ask.path == STOCK_WRITE and cabinet.stock_calls.take(now):
            return refused(429, "You have reached request rate limit per minute")
        return None

    def unknown(self, ask: Ask) -> Reply:
        """There is no such method (any more)."""
        return refused(404, f"method is not allowed: {ask.path}")

    def open_breaker(self, path: str, lasts: timedelta, account: str = "") -> None:
        """Shut a method for one cabinet, as Ozon does after too many calls."""
        self.cabinet(account).breakers[path] = self.now() + lasts

    def cabinet(self, account: str = "") -> Cabinet:
        """The cabinet of a Client-Id; the first where none is told."""
        return self.accounts[account] if account else next(iter(self.accounts.values()))


def _unreadable(ask: Ask) -> Reply | None:
    if ask.body is not None and not isinstance(ask.body, dict):
        return refused(400, "proto: syntax error")
    return None


def number(value: Any) -> int:
    """An int64, which may come as text; -1 for what is none."""
    try:
        return int(value)
    except (TypeError, ValueError):
        return -1


def read(value: Any) -> datetime | None:
    """A time of a filter; None where there is none."""
    try:
        return datetime.fromisoformat(str(value)) if value else None
    except ValueError:
        return None


def page[T](found: Sequence[T], body: dict[str, Any], most: int, *, key: str = "cursor") -> tuple[list[T], str, bool]:
    """A page of what was found: its rows, the cursor of the next one, and whether there is more."""
    start = max(0, number(body.get(key) or 0))
    limit = min(most, max(1, number(body.get("limit") or most)))
    rows = list(found[start : start + limit])
    return rows, str(start + len(rows)), start + len(rows) < len(found)


def beyond(body: dict[str, Any], most: int) -> Reply | None:
    """400 where `limit` is missing or not within 1..most."""
    if 1 <= number(body.get("limit")) <= most:
        return None
    return refused(400, f"Request validation error: invalid Limit: value must be inside range [1, {most}]")
