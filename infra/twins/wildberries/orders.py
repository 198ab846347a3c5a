"""Orders: new ones, by date, their pair of statuses, cancelling."""

from datetime import datetime, timedelta
from itertools import islice
from typing import Any

from infra.twins.market import Ask, Reply, route
from infra.twins.wildberries.desk import Desk, failure
from infra.twins.wildberries.seller import Order

MOST = 1000
LONGEST = timedelta(days=30)
OLDEST = timedelta(days=92)


class Orders(Desk):
    """What is asked of orders."""

    @route("GET", "/api/v3/orders/new")
    def new_orders(self, ask: Ask) -> Reply:
        """All that nobody has taken up; declined ones are not among them."""
        found = [one for one in self.seller(ask).orders.values() if one.supplier == "new" and not one.cancelled]
        return Reply(200, {"orders": [_new(one) for one in found]})

    @route("GET", "/api/v3/orders")
    def orders_by_date(self, ask: Ask) -> Reply:
        """Those made in a time, by id; without statuses."""
        limit, after = number(ask.query.get("limit")), number(ask.query.get("next"))
        span = asked_span(ask, self.now())
        if limit is None or not 1 <= limit <= MOST or after is None or span is None:
            return failure(400, "IncorrectParameter", "an incorrect parameter was passed")
        since, until = span
        asked = (one for one in self.seller(ask).orders.values() if one.id > after and since <= one.at <= until)
        page = list(islice(asked, limit))
        return Reply(200, {"next": page[-1].id if page else 0, "orders": [_listed(one) for one in page]})

    @route("POST", "/api/v3/orders/status")
    def statuses(self, ask: Ask) -> Reply:
        """The pairs; an id that is not the seller's is left out."""
        asked = ask.body.get("orders") if isinstance(ask.body, dict) else None
        if not isinstance(asked, list) or not 1 <= len(asked) <= MOST or not all(isinstance(id, int) for id in asked):
            return failure(400, "IncorrectRequestBody", "incorrect request body")
        orders = self.seller(ask).orders
        return Reply(200, {"orders": [_status(orders[id]) for id in asked if id in orders]})

    @route("PATCH", "/api/v3/orders/{order}/cancel")
    def cancel_order(self, ask: Ask) -> Reply:
        """The seller cancels, as long as the order was not handed over."""
        seller = self.seller(ask)
        order = seller.orders.get(number(ask.names["order"]) or 0)
        if order is None:
            return failure(404, "NotFound", "not found")
        if order.cancelled or order.supplier == "complete":
            return failure(409, "StatusMismatch", "the statuses do not match")
        seller.cancel(order, "seller", self.now())
        order.supply = ""
        return Reply(204)


def number(text: str | None) -> int | None:
    """A whole number of a query, or None where it is none."""
    return int(text) if text is not None and text.isdigit() else None


def asked_span(ask: Ask, now: datetime) -> tuple[datetime, datetime] | None:
    """From when to when a list is asked for, as far back as it goes; None where that is too long at once."""
    until = _at(ask.query.get("dateTo"), now)
    since = _at(ask.query.get("dateFrom"), until - LONGEST)
    return (max(since, now - OLDEST), until) if until - since <= LONGEST else None


def _at(text: str | None, otherwise: datetime) -> datetime:
    seconds = number(text)
    return otherwise if seconds is None else datetime.fromtimestamp(seconds, otherwise.tzinfo)


def _status(one: Order) -> dict[str, Any]:
    open_still = one.supplier in ("new", "confirm") and not one.cancelled
    return {
        "id": one.id,
        "supplierStatus": one.supplier,
        "wbStatus": one.wb,
        "isCancellable": open_still,
        "isTransferable": False,
    }


def _both(one: Order) -> dict[str, Any]:
    """What both lists tell of an order."""
    return {
        "address": None,
        "scanPrice": None,
        "deliveryType": "fbs",
        "orderUid": one.group,
        "article": one.size.article,
        "colorCode": "",
        "rid": one.srid,
        "createdAt": f"{one.at:%Y-%m-%dT%H:%M:%SZ}",
        "offices": ["Москва"],
        "skus": one.size.barcodes,
        "id": one.id,
        "warehouseId": one.warehouse,
        "officeId": 15,
        "nmId": one.size.product,
        "chrtId": one.size.unit,
        "price": one.size.price,
        "convertedPrice": one.size.price,
        "currencyCode": 643,
        "convertedCurrencyCode": 643,
        "cargoType": one.size.cargo,
        "crossBorderType": one.border,
        "comment": "",
        "isZeroOrder": False,
        "options": {"isB2B": False},
    }


def _new(one: Order) -> dict[str, Any]:
    return _both(one) | {
        "finalPrice": one.size.price,
        "convertedFinalPrice": one.size.price,
        "salePrice": one.size.price,
        "requiredMeta": one.size.meta,
        "optionalMeta": [],
        "isPickupPointShipmentAllowed": True,
    }


def _listed(one: Order) -> dict[str, Any]:
    return _both(one) | ({"supplyId": one.supply} if one.supply else {})
