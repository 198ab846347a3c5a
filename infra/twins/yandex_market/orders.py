"""Orders, their boxes and statuses, shipments of the first mile, and returns."""

from collections.abc import Iterable
from datetime import date, datetime, timedelta
from typing import Any

from infra.twins.market import Ask, Reply, route
from infra.twins.yandex_market import answers
from infra.twins.yandex_market.asked import Routes, body
from infra.twins.yandex_market.cabinet import Cabinet, NotAllowed, day_of
from infra.twins.yandex_market.paging import page
from infra.twins.yandex_market.records import Order

LONGEST = timedelta(days=30)


class OrderRoutes(Routes):
    """What happens to orders."""

    @route("POST", "/v1/businesses/{business}/orders")
    def business_orders(self, ask: Ask) -> Reply:
        """The cabinet's orders; 30 days at most, and the last 30 where no time and no number is asked for."""
        asked, dates = body(ask), body(ask).get("dates") or {}
        if any(_span(dates, kind) > LONGEST for kind in ("creationDate", "updateDate", "shipmentDate")):
            return answers.bad(400, "BAD_REQUEST", "Too long time period. Maximum is '30' days")
        known = [order for order in self.asking(ask).all_orders() if _matches(order, asked) and _within(order, dates)]
        if not dates and not asked.get("orderIds"):
            known = [order for order in known if order.created >= self.now() - LONGEST]
        shown, paging = page(ask, known, 50, 50)
        return Reply(200, {"orders": [answers.order(one) for one in shown], "paging": paging})

    @route("PUT", "/v2/campaigns/{campaign}/orders/{order}/boxes")
    def boxes(self, ask: Ask) -> Reply:
        """Take an order's boxes; every piece must lie in one."""
        order = self._order(ask)
        if order is None:
            return _no_order(ask)
        boxes = body(ask).get("boxes")
        if not boxes or _counts(boxes) != {line.id: line.count for line in order.lines}:
            return answers.bad(400, "BAD_REQUEST", f"Boxes of order {order.number} do not hold its items")
        try:
            self.asking(ask).pack(order, boxes)
        except NotAllowed as refused:
            return answers.bad(400, refused.code, str(refused))
        return answers.good({"boxes": order.boxes})

    @route("PUT", "/v2/campaigns/{campaign}/orders/{order}/status")
    def status(self, ask: Ask) -> Reply:
        """Give an order the status the shop asks for, where FBS lets it."""
        order, asked = self._order(ask), body(ask).get("order") or {}
        if order is None:
            return _no_order(ask)
        try:
            self.asking(ask).ask_status(order, asked.get("status"), asked.get("substatus"))
        except NotAllowed as refused:
            return answers.bad(400, refused.code, str(refused))
        return Reply(200, {"order": answers.old_order(order)})

    @route("PUT", "/v2/campaigns/{campaign}/orders/{order}/cancellation/accept")
    def cancellation(self, ask: Ask) -> Reply:
        """Grant or refuse a buyer's wish to cancel; a refusal needs a reason."""
        order, asked = self._order(ask), body(ask)
        if order is None:
            return _no_order(ask)
        if not isinstance(asked.get("accepted"), bool) or not (asked["accepted"] or asked.get("reason")):
            return answers.bad(400, "BAD_REQUEST", "Missing field")
        try:
            self.asking(ask).answer_cancellation(order, asked["accepted"])
        except NotAllowed as refused:
            return answers.bad(400, refused.code, str(refused))
        return answers.good()

    @route("PUT", "/v2/campaigns/{campaign}/first-mile/shipments")
    def shipments(self, ask: Ask) -> Reply:
        """Find shipments by day, status and orders."""
        cabinet, asked = self.asking(ask), body(ask)
        if not asked.get("dateFrom") or not asked.get("dateTo"):
            return answers.bad(400, "BAD_REQUEST", "Missing field")
        for known in cabinet.shipments.values():
            known.settle(self.now())
        found = [one for one in cabinet.shipments.values() if one.campaign == int(ask.names["campaign"])]
        found = [one for one in found if asked["dateFrom"] <= one.day.isoformat() <= asked["dateTo"]]
        found = [one for one in found if _any(asked.get("statuses"), [one.status])]
        found = [one for one in found if _any(asked.get("orderIds"), one.orders)]
        shown, paging = page(ask, found, 15, 30)
        return answers.good({"shipments": [answers.shipment(one, cabinet) for one in shown], "paging": paging})

    @route("POST", "/v2/campaigns/{campaign}/first-mile/shipments/{shipment}/confirm")
    def confirm(self, ask: Ask) -> Reply:
        """Confirm a shipment."""
        cabinet = self.asking(ask)
        shipment = cabinet.shipments.get(int(ask.names["shipment"]))
        if shipment is None or shipment.campaign != int(ask.names["campaign"]):
            return answers.bad(404, "NOT_FOUND", f"Shipment not found: {ask.names['shipment']}")
        try:
            cabinet.confirm(shipment, body(ask).get("externalShipmentId"))
        except NotAllowed as refused:
            return answers.bad(400, refused.code, str(refused))
        return answers.good()

    @route("GET", "/v2/campaigns/{campaign}/returns")
    def find_returns(self, ask: Ask) -> Reply:
        """Returns and what was never collected, by the day they were made."""
        cabinet, asked = self.asking(ask), ask.query
        found = [one for one in cabinet.returns.values() if one.campaign == int(ask.names["campaign"])]
        found = [one for one in found if asked.get("type") in (None, one.kind)]
        found = [one for one in found if asked.get("fromDate", "") <= day_of(one.created).isoformat()]
        found = [one for one in found if day_of(one.created).isoformat() <= asked.get("toDate", "9")]
        shown, paging = page(ask, found, 50, 100)
        return answers.good({"returns": [answers.returned(one, cabinet) for one in shown], "paging": paging})

    def _order(self, ask: Ask) -> Order | None:
        cabinet: Cabinet = self.asking(ask)
        number = int(ask.names["order"])
        known = number in cabinet.orders and cabinet.orders[number].campaign == int(ask.names["campaign"])
        return cabinet.order(number) if known else None


def _no_order(ask: Ask) -> Reply:
    return answers.bad(404, "NOT_FOUND", f"Order not found: {ask.names['order']}")


def _any(wanted: list[Any] | None, has: Iterable[Any]) -> bool:
    return not wanted or any(one in wanted for one in has)


def _matches(order: Order, asked: dict[str, Any]) -> bool:
    """Whether an order is one of those asked for, but for its times."""
    has = {
        "orderIds": order.number,
        "campaignIds": order.campaign,
        "programTypes": order.program,
        "statuses": order.status,
        "substatuses": order.substatus,
    }
    flags = {"fake": order.fake, "waitingForCancellationApprove": order.asked_to_cancel is not None}
    listed = all(_any(asked.get(name), [value]) for name, value in has.items())
    return listed and all(asked.get(name) in (None, value) for name, value in flags.items())


def _within(order: Order, dates: dict[str, str]) -> bool:
    made, ship = day_of(order.created).isoformat(), order.ship_day.isoformat()
    if not dates.get("creationDateFrom", "") <= made < dates.get("creationDateTo", "9"):
        return False
    if not dates.get("shipmentDateFrom", "") <= ship < dates.get("shipmentDateTo", "9"):
        return False
    since, until = dates.get("updateDateFrom"), dates.get("updateDateTo")
    return not (since and order.updated < _time(since)) and not (until and order.updated > _time(until))


def _span(dates: dict[str, str], kind: str) -> timedelta:
    since, until = dates.get(f"{kind}From"), dates.get(f"{kind}To")
    if not since or not until:
        return timedelta(0)
    if kind == "updateDate":
        return _time(until) - _time(since)
    return date.fromisoformat(until) - date.fromisoformat(since)


def _time(text: str) -> datetime:
    return datetime.fromisoformat(text)


def _counts(boxes: list[dict[str, Any]]) -> dict[int, int]:
    """How many of each item the boxes hold; an item cut into parts counts once for its first part."""
    held: dict[int, int] = {}
    for item in (item for box in boxes for item in box.get("items", [])):
        part = item.get("partialCount")
        pieces = int(part["current"] == 1) if part else item.get("fullCount", 0)
        held[item["id"]] = held.get(item["id"], 0) + pieces
    return held
