"""Reports: stock at Wildberries' own warehouses, goods on their way back, and the feed of all schemes' orders."""

from datetime import date, datetime, timedelta
from typing import Any

from infra.twins.market import Ask, Reply, route
from infra.twins.wildberries.desk import Desk
from infra.twins.wildberries.seller import Order

MOST_ROWS, MOST_RETURNS = 250_000, 1000
LONGEST = timedelta(days=31)
MOST_ORDERS = 80_000
FEED_EVERY = timedelta(minutes=30)
MOSCOW = timedelta(hours=3)
NEVER = "0001-01-01T00:00:00"
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

    @route("GET", "/api/v1/supplier/orders")
    def feed(self, ask: Ask) -> Reply:
        """All schemes' orders by their last change, or (flag 1) of one day; brought up to date each half hour."""
        since = _moscow(ask.query.get("dateFrom"))
        if since is None:
            return self._problem(400, "Invalid query params", "dateFrom")
        seller, day = self.seller(ask), ask.query.get("flag") == "1"
        fresh = datetime.min.replace(tzinfo=self.now().tzinfo)
        told = self.now() - (self.now() - fresh) % FEED_EVERY
        rows = [_fed(one, told) for one in (*seller.orders.values(), *seller.apart.values()) if one.at <= told]
        rows.sort(key=lambda row: str(row["lastChangeDate"]))
        if day:
            return Reply(200, [row for row in rows if row["date"][:10] == f"{since:%Y-%m-%d}"])
        return Reply(200, [row for row in rows if row["lastChangeDate"] >= f"{since:%Y-%m-%dT%H:%M:%S}"][:MOST_ORDERS])


def _moscow(text: str | None) -> datetime | None:
    """A time as the feed is asked for: Moscow's, without a zone."""
    try:
        at = datetime.fromisoformat(text or "")
    except ValueError:
        return None
    return at if at.tzinfo is None else None


def _there(at: datetime) -> str:
    return f"{at + MOSCOW:%Y-%m-%dT%H:%M:%S}"


def _fed(one: Order, told: datetime) -> dict[str, Any]:
    """A row of the feed as it stood at `told`. Money is in whole units of the currency."""
    known = one.changed is not None and one.changed <= told
    size, price, changed = one.size, one.size.price / 100, one.changed if known and one.changed else one.at
    over = one.cancelled and known
    return {
        "date": _there(one.at),
        "lastChangeDate": _there(changed),
        "warehouseName": "Коледино" if one.kind == "fbw" else "Москва",
        "warehouseType": "Склад WB" if one.kind == "fbw" else "Склад продавца",
        "countryName": "Россия",
        "oblastOkrugName": "Центральный федеральный округ",
        "regionName": "Московская",
        "supplierArticle": size.article,
        "nmId": size.product,
        "barcode": size.barcodes[0],
        "category": "Дом",
        "subject": size.subject[1],
        "brand": "Twin",
        "techSize": size.size,
        "incomeID": 0,
        "isSupply": False,
        "isRealization": True,
        "totalPrice": price,
        "discountPercent": 0,
        "spp": 0,
        "finishedPrice": price,
        "priceWithDisc": price,
        "isCancel": over,
        "cancelDate": _there(changed) if over else NEVER,
        "sticker": "",
        "gNumber": one.group,
        "srid": one.srid,
    }


def _old(row: dict[str, Any]) -> dict[str, Any]:
    kept = {OLD_NAMES.get(name, name): value for name, value in row.items() if name != "kiz"}
    return {**kept, "isStatusActive": 0 if row["completedDt"] else 1}
