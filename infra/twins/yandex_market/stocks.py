"""Stock: written by warehouse (v3) or by shop (v2, for groups of warehouses), and read back."""

from collections.abc import Iterator
from datetime import date, datetime
from typing import Any

from infra.twins.market import Ask, Reply, route
from infra.twins.yandex_market import answers
from infra.twins.yandex_market.asked import Routes, body
from infra.twins.yandex_market.cabinet import Cabinet
from infra.twins.yandex_market.paging import page

MOST_ROWS, MOST_COUNT = 2000, 2_000_000_000
V3_SINCE = date(2026, 7, 29)
PAGE_CUT_SINCE = date(2026, 8, 4)
GROUPED = "The business has warehouse groups: use PUT v2/campaigns/{campaignId}/offers/stocks"
NOT_GROUPED = "The business has no warehouse groups: use POST v3/businesses/{businessId}/offers/stocks/update"


class StockRoutes(Routes):
    """Writes answer OK before they show, and pass over SKUs that are not in the catalogue without a word."""

    @route("POST", "/v3/businesses/{business}/offers/stocks/update")
    def write_by_warehouse(self, ask: Ask) -> Reply:
        """Take numbers for pairs of SKU and warehouse."""
        cabinet, rows = self.asking(ask), body(ask).get("skuItems") or []
        if wrong := _wrong(rows, "skuItems", "partnerWarehouseId"):
            return answers.bad(400, "BAD_REQUEST", wrong)
        if _grouped(cabinet):
            return answers.bad(400, "BAD_REQUEST", GROUPED)
        if strange := {row["partnerWarehouseId"] for row in rows} - set(cabinet.warehouses):
            return answers.bad(404, "NOT_FOUND", f"Warehouse not found: {min(strange)}")
        for row in rows:
            self._take(cabinet, row["partnerWarehouseId"], row["sku"], row)
        return answers.good()

    @route("PUT", "/v2/campaigns/{campaign}/offers/stocks")
    def write_by_shop(self, ask: Ask) -> Reply:
        """Take numbers for a shop's warehouse, and so for all of its group."""
        cabinet, rows = self.asking(ask), body(ask).get("skus") or []
        if wrong := _wrong(rows, "skus", "sku"):
            return answers.bad(400, "BAD_REQUEST", wrong)
        if not _grouped(cabinet) and not self._before_v3():
            return answers.bad(400, "BAD_REQUEST", NOT_GROUPED)
        warehouse = next(one.id for one in cabinet.warehouses.values() if one.campaign == int(ask.names["campaign"]))
        for row in rows:
            self._take(cabinet, warehouse, row["sku"], row["items"][0])
        return answers.good()

    def _take(self, cabinet: Cabinet, warehouse: int, unit: str, row: dict[str, Any]) -> None:
        if unit in cabinet.offers:
            as_of = datetime.fromisoformat(row["updatedAt"]) if row.get("updatedAt") else self.now()
            cabinet.write(warehouse, unit, row["count"], as_of)

    def _before_v3(self) -> bool:
        return self.dated is not None and self.dated < V3_SINCE

    @route("POST", "/v3/businesses/{business}/offers/stocks")
    def read_by_warehouse(self, ask: Ask) -> Reply:
        """What one warehouse has."""
        cabinet, asked = self.asking(ask), body(ask)
        warehouse = asked.get("partnerWarehouseId")
        if warehouse not in cabinet.warehouses:
            return answers.bad(404, "NOT_FOUND", f"Warehouse not found: {warehouse}")
        shown, paging = page(ask, list(_units(cabinet, asked)), 50, self._page())
        told = [answers.stock(unit, cabinet.shelf(warehouse, unit)) for unit in shown]
        return answers.good({"partnerWarehouseId": warehouse, "offers": told, "paging": paging})

    @route("POST", "/v2/campaigns/{campaign}/offers/stocks")
    def read_by_shop(self, ask: Ask) -> Reply:
        """What a shop's warehouses have; for an FBY shop, what Market's own warehouses have of it."""
        cabinet, campaign = self.asking(ask), int(ask.names["campaign"])
        at_market = cabinet.campaigns[campaign].placement == "FBY"
        rows = (_at_market if at_market else _at_seller)(cabinet, campaign, body(ask))
        shown, paging = page(ask, list(rows), 50, self._page())
        self.charge(len(shown))
        told: dict[int, list[dict[str, Any]]] = {}
        for place, unit in shown:
            kept = cabinet.market_stock[campaign, place, unit] if at_market else cabinet.shelf(place, unit)
            told.setdefault(place, []).append(answers.stock(unit, kept))
        warehouses = [{"warehouseId": place, "offers": offers} for place, offers in told.items()]
        return answers.good({"warehouses": warehouses, "paging": paging})

    def _page(self) -> int:
        return 200 if self.dated is not None and self.dated < PAGE_CUT_SINCE else 100


def _grouped(cabinet: Cabinet) -> bool:
    return any(warehouse.group is not None for warehouse in cabinet.warehouses.values())


def _units(cabinet: Cabinet, asked: dict[str, Any]) -> Iterator[str]:
    wanted = asked.get("offerIds")
    return (unit for unit in wanted if unit in cabinet.offers) if wanted else iter(cabinet.offers)


def _at_seller(cabinet: Cabinet, campaign: int, asked: dict[str, Any]) -> Iterator[tuple[int, str]]:
    for warehouse in cabinet.warehouses.values():
        if warehouse.campaign == campaign and asked.get("stocksWarehouseId") in (None, warehouse.id):
            for unit in _units(cabinet, asked):
                yield warehouse.id, unit


def _at_market(cabinet: Cabinet, campaign: int, asked: dict[str, Any]) -> Iterator[tuple[int, str]]:
    wanted = set(_units(cabinet, asked))
    for (shop, place, unit), kept in cabinet.market_stock.items():
        here = shop == campaign and unit in wanted and asked.get("stocksWarehouseId") in (None, place)
        if here and (kept.available or not asked.get("hasStocks")):
            yield place, unit


def _wrong(rows: Any, name: str, second: str) -> str:
    """What is wrong with the rows of a write; nothing for good ones."""
    if not isinstance(rows, list) or not 1 <= len(rows) <= MOST_ROWS:
        return f"Length of field {name} must be between 1 and {MOST_ROWS}"
    pairs = [(row.get("sku"), row.get(second)) for row in rows]
    if any(None in pair for pair in pairs):
        return f"Missing field in {name}"
    if len(set(pairs)) < len(pairs):
        return f"Duplicate items in {name}"
    counts = [item.get("count") for row in rows for item in row.get("items", [row])]
    good = all(isinstance(n, int) and 0 <= n <= MOST_COUNT for n in counts)
    return "" if good and len(counts) == len(rows) else f"Value of field count must be between 0 and {MOST_COUNT}"
