"""What a seller does with postings: assemble, cancel, hand over."""

from collections.abc import Callable
from typing import Any

from infra.twins.market import Ask, Reply, route
from infra.twins.ozon import carriages
from infra.twins.ozon.cabinet import REASONS, Cabinet, NotAllowed
from infra.twins.ozon.desk import Desk, beyond, number, page, read, refused
from infra.twins.ozon.pushes import stamp
from infra.twins.ozon.records import Carriage, Warehouse

Json = dict[str, Any]


class OperationRoutes(Desk):
    """Assembling, cancelling, carriages."""

    @route("POST", "/v4/posting/fbs/ship")
    def ship(self, ask: Ask) -> Reply:
        """Begin to assemble; 200 says only that it was begun."""
        body = ask.body or {}
        packages = [_package(one) for one in body.get("packages") or []]
        if not packages:
            return refused(400, "Request validation error: packages are required")
        return _done(lambda: {"result": self.asking(ask).ship(str(body.get("posting_number")), packages)})

    @route("POST", "/v2/posting/fbs/cancel")
    def cancel_posting(self, ask: Ask) -> Reply:
        """Call a posting off, for a reason."""
        cabinet, body = self.asking(ask), ask.body or {}
        reason, message = number(body.get("cancel_reason_id")), str(body.get("cancel_reason_message") or "")

        def done() -> Json:
            cabinet.cancel_by_seller(str(body.get("posting_number")), reason, message)
            return {"result": True}

        return _done(done)

    @route("POST", "/v1/posting/fbs/cancel-reason")
    def cancel_reasons(self, ask: Ask) -> Reply:
        """For which reasons postings may be cancelled."""
        reasons = [{"id": id, "title": title, "type_id": "seller"} for id, title in REASONS.items()]
        numbers = (ask.body or {}).get("related_posting_numbers") or []
        return Reply(200, {"result": [{"posting_number": one, "reasons": reasons} for one in numbers]})

    @route("POST", "/v2/carriage/delivery/list")
    def deliveries(self, ask: Ask) -> Reply:
        """Delivery methods that have postings, with their carriages."""
        cabinet, body = self.asking(ask), ask.body or {}
        if wrong := beyond(body, 1000):
            return wrong
        wanted = number((body.get("filter") or {}).get("delivery_method_id"))
        found = [one for one in cabinet.warehouses.values() if wanted in (-1, one.id) and _postings(cabinet, one)]
        rows, cursor, more = page(found, body, 1000)
        day = (body.get("filter") or {}).get("departure_date") or f"{self.now():%Y-%m-%d}"
        return Reply(200, {"methods": [_method(cabinet, one, day) for one in rows], "cursor": cursor, "has_next": more})

    @route("POST", "/v1/carriage/create")
    def carriage_create(self, ask: Ask) -> Reply:
        """Open a carriage."""
        cabinet, body = self.asking(ask), ask.body or {}
        day = (read(body.get("departure_date")) or self.now()).date()
        return _done(lambda: {"carriage_id": carriages.opened(cabinet, number(body.get("delivery_method_id")), day).id})

    @route("POST", "/v1/carriage/set-postings")
    def carriage_postings(self, ask: Ask) -> Reply:
        """Choose what goes with a carriage."""
        cabinet, body = self.asking(ask), ask.body or {}

        def done() -> Json:
            can = carriages.load(cabinet, number(body.get("carriage_id")), body.get("posting_numbers") or [])
            told = {number: "" if good else "HAS_INCORRECT_STATUS" for number, good in can.items()}
            return {"result": [{"posting_number": one, "result": not e, "error": e} for one, e in told.items()]}

        return _done(done)

    @route("POST", "/v1/carriage/approve")
    def carriage_approve(self, ask: Ask) -> Reply:
        """Form a carriage."""
        cabinet, body = self.asking(ask), ask.body or {}

        def done() -> Json:
            carriages.approve(cabinet, number(body.get("carriage_id")))
            return {}

        return _done(done)

    @route("POST", "/v1/carriage/cancel")
    def carriage_cancel(self, ask: Ask) -> Reply:
        """Drop a carriage."""
        cabinet, body = self.asking(ask), ask.body or {}

        def done() -> Json:
            carriages.cancel(cabinet, number(body.get("carriage_id")))
            return {"carriage_status": "cancelled", "error": ""}

        return _done(done)

    @route("POST", "/v1/carriage/get")
    def carriage_get(self, ask: Ask) -> Reply:
        """One carriage."""
        cabinet = self.asking(ask)
        return _done(lambda: _carriage(cabinet, carriages.known(cabinet, number((ask.body or {}).get("carriage_id")))))


def _done(what: Callable[[], Json]) -> Reply:
    try:
        return Reply(200, what())
    except NotAllowed as no:
        return refused(no.status, no.code)


def _package(one: Json) -> dict[int, int]:
    found: dict[int, int] = {}
    for line in one.get("products") or []:
        sku = number(line.get("product_id"))
        found[sku] = found.get(sku, 0) + number(line.get("quantity"))
    return found


def _postings(cabinet: Cabinet, place: Warehouse) -> list[str]:
    waits = ("awaiting_packaging", "awaiting_deliver")
    return [one.number for one in cabinet.orders.values() if one.warehouse == place.id and one.status in waits]


def _method(cabinet: Cabinet, place: Warehouse, day: str) -> Json:
    numbers = _postings(cabinet, place)
    packed = [one for one in numbers if cabinet.orders[one].status == "awaiting_deliver"]
    own = [one for one in cabinet.carriages.values() if one.method == place.id and f"{one.day}" == day[:10]]
    return {
        "delivery_method_id": place.id,
        "delivery_method_name": f"Ozon, {place.name}",
        "delivery_method_status": "ACTIVE",
        "departure_date": day,
        "warehouse_id": place.id,
        "warehouse_name": place.name,
        "is_rfbs": place.scheme == "rFBS",
        "mandatory_postings_count": len(numbers),
        "mandatory_packaged_count": len(packed),
        "carriage_postings_count": sum(len(one.numbers) for one in own),
        "carriages": [{"id": one.id, "status": one.status, "postings_count": len(one.numbers)} for one in own],
        "errors": [],
    }


def _carriage(cabinet: Cabinet, one: Carriage) -> Json:
    return {
        "carriage_id": one.id,
        "status": one.status,
        "delivery_method_id": one.method,
        "warehouse_id": one.method,
        "departure_date": f"{one.day}",
        "created_at": stamp(one.created),
        "updated_at": stamp(one.changed),
        "company_id": cabinet.pushes.seller,
        "available_actions": ["get_shipping_list"] if one.status == "formed" else [],
        "cancel_availability": {"is_cancel_available": one.status in ("new", "formed"), "reason": ""},
        "integration_type": "ozon",
    }
