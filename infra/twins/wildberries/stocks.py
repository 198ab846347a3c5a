"""Warehouses and stock, with the lie: names in a body are not checked, and what is not understood is answered 204."""

from collections import defaultdict
from collections.abc import Mapping
from datetime import date
from typing import Any

from infra.twins.market import Ask, Reply, route
from infra.twins.wildberries.desk import Desk, failure
from infra.twins.wildberries.seller import Seller, Size, Warehouse

CHRT_ID_SINCE = date(2026, 2, 9)  # until then a row named its barcode, `sku`
MOST_ROWS, MOST_PIECES = 1000, 100_000
RESTRICTIONS = {
    1: "CargoWarehouseRestrictionMGT",
    2: "CargoWarehouseRestrictionSGT",
    3: "CargoWarehouseRestrictionKGTPlus",
}
Row = Mapping[str, Any]


class Stocks(Desk):
    """What is asked of warehouses and stock. `partial`: whether the good rows of a refused batch are applied all the
    same, which is not published."""

    partial = False

    @route("GET", "/api/v3/warehouses")
    def warehouses(self, ask: Ask) -> Reply:
        """The seller's own."""
        return Reply(200, [_told(one) for one in self.seller(ask).warehouses.values()])

    @route("PUT", "/api/v3/stocks/{warehouse}")
    def write_stock(self, ask: Ask) -> Reply:
        """Set numbers. 204 says that the names were not looked at, not that anything was done."""
        seller = self.seller(ask)
        warehouse = _warehouse(seller, ask)
        refused = _closed(warehouse)
        if refused is not None or warehouse is None:
            return refused or failure(404, "NotFound")
        rows = ask.body.get("stocks", []) if isinstance(ask.body, dict) else None
        if not _sound(rows) or (isinstance(ask.body, dict) and rows == [] and "stocks" in ask.body):
            return failure(400, "IncorrectRequestBody", "Incorrect required body")
        known = [(row, self._unit(seller, row)) for row in rows or [] if "amount" in row]
        named = [(row, unit) for row, unit in known if unit is not None]
        faults = _faults(seller, warehouse, named)
        if not faults or self.partial:
            self._apply(seller, warehouse, named, faults)
        return Reply(409, list(faults.values())) if faults else Reply(204)

    def _unit(self, seller: Seller, row: Row) -> int | None:
        if "chrtId" in row:
            return int(row["chrtId"])
        if self.today < CHRT_ID_SINCE and "sku" in row:
            return seller.barcodes.get(str(row["sku"]), 0)
        return None

    def _apply(
        self, seller: Seller, warehouse: Warehouse, rows: list[tuple[Row, int]], faults: dict[str, dict[str, Any]]
    ) -> None:
        bad = {one["chrtId"] for fault in faults.values() for one in fault["data"]}
        shelf = seller.stock.setdefault(warehouse.id, {})
        shelf.update({unit: row["amount"] for row, unit in rows if unit not in bad})

    @route("POST", "/api/v3/stocks/{warehouse}")
    def read_stock(self, ask: Ask) -> Reply:
        """The numbers shown for the sizes asked; one whose number was never set is left out."""
        seller = self.seller(ask)
        warehouse = _warehouse(seller, ask)
        if warehouse is None:
            return failure(404, "NotFound")
        shelf = seller.stock.get(warehouse.id, {})
        body = ask.body if isinstance(ask.body, dict) else {}
        if self.today < CHRT_ID_SINCE and "skus" in body:
            asked = [(sku, seller.barcodes.get(sku)) for sku in body["skus"]]
            return Reply(200, {"stocks": [{"sku": sku, "amount": shelf[id]} for sku, id in asked if id in shelf]})
        if "skus" in body:
            return failure(400, "SKUUploadDisabled", "Uploading stock is not allowed by 'sku'")
        units = body.get("chrtIds")
        if not isinstance(units, list) or len(units) > MOST_ROWS:
            return failure(400, "IncorrectRequestBody", "Incorrect required body")
        return Reply(200, {"stocks": [{"chrtId": id, "amount": shelf[id]} for id in units if id in shelf]})


def _warehouse(seller: Seller, ask: Ask) -> Warehouse | None:
    id = ask.names["warehouse"]
    return seller.warehouses.get(int(id)) if id.isdigit() else None


def _closed(warehouse: Warehouse | None) -> Reply | None:
    if warehouse is None:
        return failure(404, "NotFound")
    if warehouse.blocked:
        return failure(406, "WarehouseStocksUpdateBlock", "The warehouse is processing")
    if warehouse.processing or warehouse.deleting:
        return Reply(409, [{"code": "StoreIsProcessing", "message": "The store is processing", "data": None}])
    return None


def _sound(rows: Any) -> bool:
    if not isinstance(rows, list) or len(rows) > MOST_ROWS:
        return False
    return all(isinstance(row, dict) and _whole(row.get("amount", 0)) and _whole(row.get("chrtId", 1)) for row in rows)


def _whole(found: Any) -> bool:
    return isinstance(found, int) and not isinstance(found, bool) and found >= 0


def _faults(seller: Seller, warehouse: Warehouse, rows: list[tuple[Row, int]]) -> dict[str, dict[str, Any]]:
    """What is wrong with rows, by code."""
    found: dict[str, list[dict[str, Any]]] = defaultdict(list)
    for row, unit in rows:
        code = _fault(seller.sizes.get(unit), warehouse, row["amount"])
        if code:
            found[code].append({"sku": str(row.get("sku", "")), "chrtId": unit, "amount": row["amount"]})
    return {code: {"code": code, "message": code, "data": data} for code, data in found.items()}


def _fault(size: Size | None, warehouse: Warehouse, amount: int) -> str:
    if size is None:
        return "NotFound"
    if amount > MOST_PIECES:
        return "UploadDataLimit"
    if size.restricted:
        return "DeliveryTypeRestriction"
    return "" if size.cargo == warehouse.cargo else RESTRICTIONS[size.cargo]


def _told(one: Warehouse) -> dict[str, Any]:
    return {
        "id": one.id,
        "name": one.name,
        "officeId": one.office,
        "cargoType": one.cargo,
        "deliveryType": one.delivery,
        "isDeleting": one.deleting,
        "isProcessing": one.processing,
    }
