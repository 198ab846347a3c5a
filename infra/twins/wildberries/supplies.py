"""Supplies: opened, filled with orders of one kind, told where and when they are handed in, delivered as a whole."""

from collections.abc import Iterator, Sequence
from datetime import date
from typing import Any

from infra.twins.market import Ask, Reply, route
from infra.twins.wildberries.desk import Desk, failure
from infra.twins.wildberries.seller import Order, Seller, Supply

SHIPPING_SINCE = date(2026, 9, 1)  # deliver without a shipping point: 409
BY_SUPPLY_SINCE = date(2026, 9, 15)
BY_CITY_UNTIL = date(2026, 11, 20)
MOST_ADDED = MOST_SHIPPED = 100
KINDS = ("selfShipping", "transportCompany")
POINTS: tuple[dict[str, Any], ...] = (
    {"id": 100, "name": "Москва Первая", "address": "г Москва, ул Первая 1", "city": "Москва", "officeType": "sc"},
    {"id": 101, "name": "Москва Вторая", "address": "г Москва, ул Вторая 2", "city": "Москва", "officeType": "pp"},
    {"id": 200, "name": "Казань", "address": "г Казань, ул Первая 1", "city": "Казань", "officeType": "sw"},
)
PLACE = {"latitude": 55.75, "longitude": 37.61, "fulfillment": True}


class Supplies(Desk):
    """What is asked of supplies. `numbers`: those of the next ones."""

    numbers: Iterator[int]

    @route("POST", "/api/v3/supplies")
    def open_supply(self, ask: Ask) -> Reply:
        """A new one, empty."""
        name = ask.body.get("name") if isinstance(ask.body, dict) else None
        if not isinstance(name, str) or not 1 <= len(name) <= 128:
            return failure(400, "IncorrectRequestBody", "incorrect request body")
        seller = self.seller(ask)
        number = next(self.numbers)
        supply = Supply(f"WB-GI-{number}", number, name, self.now())
        seller.supplies[supply.id] = supply
        return Reply(201, {"id": supply.id})

    @route("GET", "/api/v3/supplies")
    def supplies(self, ask: Ask) -> Reply:
        """All, by number."""
        limit, after = int(ask.query.get("limit", 0)), int(ask.query.get("next", 0))
        seller = self.seller(ask)
        page = [one for one in seller.supplies.values() if one.number > after][:limit]
        return Reply(200, {"next": page[-1].number if page else 0, "supplies": [_told(seller, one) for one in page]})

    @route("GET", "/api/v3/supplies/{supply}")
    def supply(self, ask: Ask) -> Reply:
        """One."""
        seller, supply = self._asked(ask)
        return failure(404, "NotFound", "not found") if supply is None else Reply(200, _told(seller, supply))

    @route("DELETE", "/api/v3/supplies/{supply}")
    def drop_supply(self, ask: Ask) -> Reply:
        """An empty one goes."""
        seller, supply = self._asked(ask)
        if supply is None:
            return failure(404, "NotFound", "not found")
        if seller.inside(supply):
            return failure(409, "SupplyHasOrders", "orders are in it")
        del seller.supplies[supply.id]
        return Reply(204)

    @route("GET", "/api/marketplace/v3/supplies/{supply}/order-ids")
    def supply_orders(self, ask: Ask) -> Reply:
        """What is in it."""
        seller, supply = self._asked(ask)
        if supply is None:
            return failure(404, "NotFound", "not found")
        return Reply(200, {"orderIds": [one.id for one in seller.inside(supply)]})

    @route("PATCH", "/api/marketplace/v3/supplies/{supply}/orders")
    def add_orders(self, ask: Ask) -> Reply:
        """Put orders in: all or none."""
        seller, supply = self._asked(ask)
        ids = ask.body.get("orders") if isinstance(ask.body, dict) else None
        if not isinstance(ids, list) or not 1 <= len(ids) <= MOST_ADDED:
            return failure(400, "IncorrectParameter", "an incorrect parameter was passed")
        if supply is None:
            return failure(404, "NotFound", "not found")
        orders = [seller.orders[id] for id in ids if id in seller.orders]
        if len(orders) < len(ids) or supply.closed or not _together(seller.inside(supply), orders):
            return failure(409, "FailedToAddSupplyOrder", "an order does not suit the supply")
        for order in orders:
            order.supply, order.supplier = supply.id, "confirm"
        return Reply(204)

    @route("PATCH", "/api/v3/supplies/{supply}/deliver")
    def deliver(self, ask: Ask) -> Reply:
        """Hand it over. Once more is as once; what the real one says to that is not published."""
        seller, supply = self._asked(ask)
        if supply is None:
            return failure(404, "NotFound", "not found")
        refused = self._not_yet(seller, supply)
        if refused is not None:
            return refused
        supply.closed = self.now()
        for order in seller.inside(supply):
            order.supplier = "complete" if order.supplier == "confirm" else order.supplier
        return Reply(204)

    def _not_yet(self, seller: Seller, supply: Supply) -> Reply | None:
        inside = [one for one in seller.inside(supply) if not one.cancelled]
        if not inside:
            return failure(409, "SupplyHasZeroOrders", "there is no order in it")
        unmarked = [one for one in inside if set(one.size.meta) - set(one.marked)]
        if unmarked:
            return failure(409, "MetaValidationFail", "Fix them to dispatch items", {"orders": _marks(unmarked)})
        if supply.shipping is None and self.today >= SHIPPING_SINCE:
            return failure(409, "SupplyShippingRequired", "Specify shipping point, type and date to close the supply")
        return None

    @route("GET", "/api/marketplace/v3/fbs/supplies/{supply}/shipping-points")
    def points_of_supply(self, ask: Ask) -> Reply:
        """Where it may be handed in."""
        seller, supply = self._asked(ask)
        if self.today < BY_SUPPLY_SINCE:
            return self.unknown(ask)
        if supply is None:
            return failure(404, "NotFound", "not found")
        if not ask.query.get("city") or not ask.query.get("officeType"):
            return failure(400, "IncorrectParameter", "city and officeType are needed")
        if _cargo(seller, supply) != 2 and not ask.query.get("shippingDt"):
            return failure(400, "IncorrectParameter", "shippingDt is needed")
        kinds = ask.query["officeType"].split(",")
        found = [one for one in POINTS if one["city"] == ask.query["city"] and one["officeType"] in kinds]
        return Reply(200, {"shippingPoints": [{**one, **PLACE, "available": True} for one in found]})

    @route("GET", "/api/marketplace/v3/fbs/shipping-points")
    def points_of_city(self, ask: Ask) -> Reply:
        """The same as it was asked until 20.11.2026."""
        if not SHIPPING_SINCE <= self.today < BY_CITY_UNTIL:
            return self.unknown(ask)
        found = [one for one in POINTS if one["city"] == ask.query.get("city")]
        return Reply(200, {"shippingPoints": [{**one, **PLACE} for one in found]})

    @route("PATCH", "/api/marketplace/v3/fbs/supplies/shipping-method")
    def ship(self, ask: Ask) -> Reply:
        """How, when and where; each supply has its own result under 200."""
        rows = ask.body.get("data") if isinstance(ask.body, dict) else None
        if self.today < SHIPPING_SINCE:
            return self.unknown(ask)
        if not isinstance(rows, list) or not 1 <= len(rows) <= MOST_SHIPPED:
            return failure(400, "IncorrectRequestBody", "incorrect request body")
        return Reply(200, {"results": [self._shipped(self.seller(ask), row) for row in rows]})

    def _shipped(self, seller: Seller, row: dict[str, Any]) -> dict[str, Any]:
        id = str(row.get("supplyId"))
        supply = seller.supplies.get(id)
        day, point, kind = row.get("shippingDt"), row.get("shippingPointId"), row.get("shippingType")
        if supply is None:
            return _refused(id, 404, "NotFound")
        if supply.scanned:
            return _refused(id, 409, "SupplyAlreadyScanned")
        if kind not in KINDS or not isinstance(point, int) or not isinstance(day, str):
            return _refused(id, 400, "IncorrectRequestBody")
        if point not in {one["id"] for one in POINTS}:
            return _refused(id, 400, "IncorrectRequestBody")
        if day < self.today.isoformat():
            return _refused(id, 409, "InvalidShippingDt")
        supply.shipping = (day, point, kind)
        return {"supplyId": id, "success": True}

    def _asked(self, ask: Ask) -> tuple[Seller, Supply | None]:
        seller = self.seller(ask)
        return seller, seller.supplies.get(ask.names["supply"])


def _refused(id: str, code: int, detail: str) -> dict[str, Any]:
    return {"supplyId": id, "error": {"code": code, "detail": detail}}


def _together(inside: Sequence[Order], more: Sequence[Order]) -> bool:
    """Whether orders may come into a supply: still open, and all of one kind, from one warehouse."""
    open_still = all(one.supplier in ("new", "confirm") and not one.cancelled for one in more)
    return open_still and len({(one.size.cargo, one.warehouse, one.border) for one in (*inside, *more)}) == 1


def _marks(orders: Sequence[Order]) -> list[dict[str, Any]]:
    return [
        {"id": one.id, "metaDetails": [{"key": key, "value": "null", "decision": "pending"} for key in one.size.meta]}
        for one in orders
    ]


def _cargo(seller: Seller, supply: Supply) -> int:
    return next((one.size.cargo for one in seller.inside(supply)), 0)


def _told(seller: Seller, one: Supply) -> dict[str, Any]:
    inside = seller.inside(one)
    day, point, kind = one.shipping or (None, None, None)
    told = {
        "id": one.id,
        "isB2b": False if inside else None,
        "isPickupPointShipmentAllowed": True,
        "done": one.closed is not None,
        "createdAt": _time(one.at),
        "closedAt": _time(one.closed),
        "scanDt": _time(one.scanned),
        "name": one.name,
        "cargoType": _cargo(seller, one),
        "crossBorderType": inside[0].border if inside else None,
        "destinationOfficeId": 15 if inside else None,
        "recommendedWhId": 0,
        "spotAvailable": False,
    }
    return told | ({"shippingDt": day, "shippingPointId": point, "shippingType": kind} if one.shipping else {})


def _time(at: Any) -> str | None:
    return f"{at:%Y-%m-%dT%H:%M:%SZ}" if at else None
