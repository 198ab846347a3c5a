"""Reports: stock at Wildberries' own warehouses, and goods on their way back."""

from datetime import date, timedelta
from typing import Any

from infra.twins.market import Ask, Reply, route
from infra.twins.wildberries.desk import Desk

MOST_ROWS, MOST_RETURNS = 250_000, 1000
LONGEST = timedelta(days=31)
OLD_NAMES = {"sku": "barcode", "returnStatus": "status", "returnReason": "reason"}


class Reports(Desk):
    """What is asked of the analytics API."""

    @route("POST", "/api/analytics/v1/stocks-report/wb-warehouses")
    def fbw_stock(self, ask: Ask) -> Reply:
        """Rows of a size at a warehouse."""
        seller, body = self.seller(ask), ask.body if isinstance(ask.body, dict) else {}
        if seller.grade == "base":
            return self._problem(403, "access denied", "the token's type does not suit the method")
        limit, offset = body.get("limit", MOST_ROWS), body.get("offset", 0)
        if not 0 < limit <= MOST_ROWS:
            return self._problem(400, "Invalid request body", "limit")
        asked = set(body.get("nmIds") or ())
        rows = [row for row in seller.fbw if not asked or row["nmId"] in asked]
        return Reply(200, {"data": {"items": rows[offset : offset + limit]}})

    @route("GET", "/api/analytics/v1/item-returns")
    def item_returns(self, ask: Ask) -> Reply:
        """By the day of the return, page by page."""
        rows = self._rows(ask)
        if rows is None:
            return self._problem(400, "Invalid query params", "dateFrom, dateTo")
        limit, offset = int(ask.query.get("limit", MOST_RETURNS)), int(ask.query.get("offset", 0))
        return Reply(200, {"count": len(rows), "report": rows[offset : offset + limit]})

    @route("GET", "/api/v1/analytics/goods-return")
    def goods_return(self, ask: Ask) -> Reply:
        """The same as the older report tells it, all at once."""
        rows = self._rows(ask)
        if rows is None:
            return self._problem(400, "Invalid query params", "dateFrom, dateTo")
        return Reply(200, {"report": [_old(row) for row in rows]})

    def _rows(self, ask: Ask) -> list[dict[str, Any]] | None:
        try:
            since, until = date.fromisoformat(ask.query["dateFrom"]), date.fromisoformat(ask.query["dateTo"])
        except (KeyError, ValueError):
            return None
        if not timedelta(0) <= until - since <= LONGEST:
            return None
        return [row for row in self.seller(ask).returns if since.isoformat() <= row["orderDt"] <= until.isoformat()]


def _old(row: dict[str, Any]) -> dict[str, Any]:
    kept = {OLD_NAMES.get(name, name): value for name, value in row.items() if name != "kiz"}
    return {**kept, "isStatusActive": 0 if row["completedDt"] else 1}
