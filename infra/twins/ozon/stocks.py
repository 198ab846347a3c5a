"""Stock: written by pairs with an answer for each row, read by products, by warehouse, and in Ozon's own warehouses."""

from typing import Any

from infra.twins.market import Ask, Reply, route
from infra.twins.ozon import shapes
from infra.twins.ozon.cabinet import Cabinet
from infra.twins.ozon.desk import STOCK_WRITE, Desk, beyond, number, page, refused
from infra.twins.ozon.pushes import stamp

MOST = 100
TEXTS = {"TOO_MANY_REQUESTS": "Stock is updated too frequently"}


class StockRoutes(Desk):
    """A row that is refused has `updated: false` and its errors, in an answer that is 200 all the same."""

    @route("POST", STOCK_WRITE)
    def write_stock(self, ask: Ask) -> Reply:
        """Take up to 100 pairs."""
        rows = (ask.body or {}).get("stocks")
        if not isinstance(rows, list) or not 1 <= len(rows) <= MOST:
            return refused(400, f"Request validation error: invalid Stocks: from 1 to {MOST} items")
        for n, row in enumerate(rows):
            if number(row.get("warehouse_id")) <= 0 or number(row.get("stock")) < 0:
                return refused(
                    400, f"Request validation error: invalid Stocks[{n}]: embedded message failed validation"
                )
        cabinet = self.asking(ask)
        return Reply(200, {"result": [_written(cabinet, row) for row in rows]})

    @route("POST", "/v2/product/info/stocks-by-warehouse/fbs")
    def stock_by_product(self, ask: Ask) -> Reply:
        """Products by their offer_id or sku, in every warehouse that has a number for them."""
        cabinet, body = self.asking(ask), ask.body or {}
        wanted = body.get("offer_id") or body.get("sku") or []
        if wrong := beyond(body, 1000):
            return wrong
        if bool(body.get("offer_id")) == bool(body.get("sku")) or len(wanted) > 1000:
            return refused(400, "either offer_id or sku, at most 1000")
        skus = {str(one.sku): one.unit for one in cabinet.products.values()} if body.get("sku") else {}
        units = dict.fromkeys(skus.get(str(one), str(one)) for one in wanted)
        pairs = [(u, place) for u in units for place, piles in cabinet.stock.items() if u in piles]
        rows, cursor, more = page([pair for pair in pairs if pair[0] in cabinet.products], body, 1000)
        found = [_shown(cabinet, unit, place) for unit, place in rows]
        named = [{**row, "warehouse_name": cabinet.warehouses[row["warehouse_id"]].name} for row in found]
        return Reply(200, {"products": named, "cursor": cursor, "has_next": more})

    @route("POST", "/v1/product/info/warehouse/stocks")
    def stock_of_warehouse(self, ask: Ask) -> Reply:
        """All that one warehouse has a number for."""
        cabinet, body = self.asking(ask), ask.body or {}
        place = number(body.get("warehouse_id"))
        if wrong := beyond(body, 1000):
            return wrong
        if place not in cabinet.warehouses:
            return refused(404, "WAREHOUSE_NOT_FOUND")
        rows, cursor, more = page(list(cabinet.stock[place]), body, 1000)
        found = [_shown(cabinet, unit, place) for unit in rows]
        when = [stamp(cabinet.stock[place][unit].changed or self.now()) for unit in rows]
        stocks = [{**row, "updated_at": at} for row, at in zip(found, when, strict=True)]
        return Reply(200, {"stocks": stocks, "cursor": cursor if more else "", "has_next": more})

    @route("POST", "/v1/product/info/stocks-by-warehouse/fbo")
    def stock_fbo(self, ask: Ask) -> Reply:
        """What lies in Ozon's own warehouses."""
        cabinet, body = self.asking(ask), ask.body or {}
        if wrong := beyond(body, 1000):
            return wrong
        wanted = set(body.get("offer_ids") or []) | {str(sku) for sku in body.get("skus") or []}
        pairs = [pair for pair in cabinet.fbo if {pair[0], str(cabinet.products[pair[0]].sku)} & wanted]
        rows, cursor, more = page(pairs, body, 1000)
        found = [shapes.stock(cabinet.products[u], place, cabinet.fbo[u, place]) for u, place in rows]
        for row in found:
            row.pop("free_stock")
        return Reply(200, {"products": found, "cursor": cursor, "has_next": more})


def _written(cabinet: Cabinet, row: dict[str, Any]) -> dict[str, Any]:
    unit, place = row.get("offer_id"), number(row["warehouse_id"])
    code = cabinet.write(unit, number(row.get("product_id")), place, number(row["stock"]))
    product = cabinet.products.get(unit) if unit else cabinet.by_id(number(row.get("product_id")))
    return {
        "warehouse_id": place,
        "product_id": product.product_id if product else 0,
        "offer_id": product.unit if product else unit or "",
        "updated": not code,
        "errors": [{"code": code, "message": TEXTS.get(code, code)}] if code else [],
    }


def _shown(cabinet: Cabinet, unit: str, place: int) -> dict[str, Any]:
    return shapes.stock(cabinet.products[unit], place, cabinet.stock[place][unit])
