"""Orders that are not FBS: the seller delivers them (DBS), Wildberries' courier fetches them (DBW), or the buyer does
(pickup). Each kind has lists of its own: the new ones, the completed ones, and the pairs of statuses."""

from collections.abc import Iterator
from itertools import islice
from typing import Any

from infra.twins.market import Ask, Reply, route
from infra.twins.wildberries.desk import Desk, failure
from infra.twins.wildberries.orders import MOST, asked_span, number
from infra.twins.wildberries.seller import Order

DBS, DBW, PICKUP = ("dbs", "edbs", "dbsPickupPoint"), ("dbw",), ("pickup",)
PLACE = {"fullAddress": "Москва, улица Первая 1", "longitude": 37.61, "latitude": 55.75}


class Apart(Desk):
    """What is asked of orders that are not FBS."""

    @route("GET", "/api/v3/dbs/orders/new")
    def new_dbs(self, ask: Ask) -> Reply:
        """Those that nobody has taken up."""
        return self._new(ask, DBS)

    @route("GET", "/api/v3/dbs/orders")
    def completed_dbs(self, ask: Ask) -> Reply:
        """Those that are over, page by page."""
        return self._completed(ask, DBS)

    @route("POST", "/api/marketplace/v3/dbs/orders/status/info")
    def dbs_statuses(self, ask: Ask) -> Reply:
        """The pairs; an id that is not one of these has an error instead."""
        return self._info(ask, DBS)

    @route("GET", "/api/v3/dbw/orders/new")
    def new_dbw(self, ask: Ask) -> Reply:
        """Those that nobody has taken up."""
        return self._new(ask, DBW)

    @route("GET", "/api/v3/dbw/orders")
    def completed_dbw(self, ask: Ask) -> Reply:
        """Those that are over, page by page."""
        return self._completed(ask, DBW)

    @route("POST", "/api/v3/dbw/orders/status")
    def dbw_statuses(self, ask: Ask) -> Reply:
        """The pairs; an id that is not one of these is left out."""
        ids = _ids(ask, "orders")
        if not ids:
            return failure(400, "IncorrectRequestBody", "incorrect request body")
        found = (one for one in self._of(ask, DBW) if one.id in ids)
        return Reply(200, {"orders": [{"id": one.id, **_pair(one)} for one in found]})

    @route("GET", "/api/v3/click-collect/orders/new")
    def new_pickup(self, ask: Ask) -> Reply:
        """Those that nobody has taken up."""
        return self._new(ask, PICKUP)

    @route("GET", "/api/v3/click-collect/orders")
    def completed_pickup(self, ask: Ask) -> Reply:
        """Those that are over, page by page."""
        return self._completed(ask, PICKUP)

    @route("POST", "/api/marketplace/v3/click-collect/orders/status/info")
    def pickup_statuses(self, ask: Ask) -> Reply:
        """The pairs; an id that is not one of these has an error instead."""
        return self._info(ask, PICKUP)

    def _of(self, ask: Ask, kinds: tuple[str, ...]) -> Iterator[Order]:
        return (one for one in self.seller(ask).apart.values() if one.kind in kinds)

    def _new(self, ask: Ask, kinds: tuple[str, ...]) -> Reply:
        told, fresh = TOLD[kinds]
        new = (one for one in self._of(ask, kinds) if one.supplier == "new" and not one.completed)
        return Reply(200, {"orders": [told(one) | fresh(one) for one in new]})

    def _completed(self, ask: Ask, kinds: tuple[str, ...]) -> Reply:
        limit, after = number(ask.query.get("limit")), number(ask.query.get("next"))
        span = asked_span(ask, self.now()) if {"dateFrom", "dateTo"} <= ask.query.keys() else None
        if limit is None or not 1 <= limit <= MOST or after is None or span is None:
            return failure(400, "IncorrectParameter", "an incorrect parameter was passed")
        since, until = span
        over = (one for one in self._of(ask, kinds) if one.completed and one.id > after and since <= one.at <= until)
        page = list(islice(over, limit))
        told, _ = TOLD[kinds]
        return Reply(200, {"next": page[-1].id if page else 0, "orders": [told(one) for one in page]})

    def _info(self, ask: Ask, kinds: tuple[str, ...]) -> Reply:
        ids = _ids(ask, "ordersIds")
        if not ids:
            return Reply(400, {"title": "Invalid request body", "detail": {}, "requestId": "0" * 32, "origin": "twin"})
        known = {one.id: one for one in self._of(ask, kinds)}
        return Reply(200, {"orders": [_one(id, known.get(id)) for id in ids]})


def _ids(ask: Ask, name: str) -> list[int]:
    """The ids asked for; none where the body is not as it must be."""
    ids = ask.body.get(name) if isinstance(ask.body, dict) else None
    sound = isinstance(ids, list) and len(ids) <= MOST and all(isinstance(id, int) for id in ids)
    return ids if sound and isinstance(ids, list) else []


def _one(id: int, one: Order | None) -> dict[str, Any]:
    if one is None:
        missing = {"code": 404, "detail": "NotFound"}
        return {"orderId": id, "supplierStatus": "", "wbStatus": "", "errors": [missing]}
    return {"orderId": id, **_pair(one), "errors": []}


def _pair(one: Order) -> dict[str, str]:
    return {"supplierStatus": one.supplier, "wbStatus": one.wb}


def _goods(one: Order) -> dict[str, Any]:
    """What all lists tell of an order."""
    return {
        "id": one.id,
        "rid": one.srid,
        "createdAt": f"{one.at:%Y-%m-%dT%H:%M:%SZ}",
        "warehouseId": one.warehouse,
        "article": one.size.article,
        "nmId": one.size.product,
        "chrtId": one.size.unit,
        "skus": one.size.barcodes,
        "price": one.size.price,
        "convertedPrice": one.size.price,
        "currencyCode": 643,
        "convertedCurrencyCode": 643,
        "cargoType": one.size.cargo,
        "isZeroOrder": False,
        "options": {"isB2b": False},
    }


def _dbw(one: Order) -> dict[str, Any]:
    group = f"00000000-0000-4000-8000-{one.group[-12:]}"
    more = {"address": PLACE, "orderUid": one.group, "groupId": group, "colorCode": "", "comment": ""}
    return _goods(one) | more


def _dbs(one: Order) -> dict[str, Any]:
    more = {"deliveryType": one.kind, "finalPrice": one.size.price, "convertedFinalPrice": one.size.price}
    return _dbw(one) | more


def _pickup(one: Order) -> dict[str, Any]:
    more = {"orderCode": one.group, "payMode": "prepaid", "warehouseAddress": PLACE["fullAddress"]}
    return _goods(one) | more | {"finalPrice": one.size.price, "convertedFinalPrice": one.size.price}


def _fresh(one: Order) -> dict[str, Any]:
    return {"salePrice": one.size.price, "requiredMeta": one.size.meta}


def _asked_for(one: Order) -> dict[str, Any]:
    return _fresh(one) | {"ddate": f"{one.at:%d.%m.%Y}"}


TOLD = {DBS: (_dbs, _fresh), DBW: (_dbw, _fresh), PICKUP: (_pickup, _asked_for)}
"""What the lists of a kind tell of an order, and those of new ones besides."""
