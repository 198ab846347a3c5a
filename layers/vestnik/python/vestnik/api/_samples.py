"""Facts to try a text with: a sample event, or a real past order in it."""

from collections.abc import Mapping
from typing import Any

from vestnik import events, resources
from vestnik.api._problems import Fault, Problem
from vestnik.api._routes import caller
from vestnik.flows import known
from vestnik.store import orders, people, settings

Json = dict[str, Any]

UNSUBSCRIBE = "https://shop.example/unsubscribe"
TIME = "2026-11-20T09:15:00Z"


def event(type: str, where: str) -> tuple[Mapping[str, Any], Json]:
    """The schema of a type's data, and a sample event. Raises Problem 422 at `where`."""
    module = events.find(type)
    if module is not None:
        return module.SCHEMA, module.SAMPLE
    own = settings.get(caller().shop, "type", type)
    if own is None:
        fault = Fault(where, "there is no such event type", type[:100], "one of GET /v1/event-types")
        raise Problem(422, "unknown-type", f"there is no event type {type[:100]}", fault)
    body = own["body"]
    return body["schema"], {"type": type, "source": "/samples", "time": TIME, "data": body.get("sample") or {}}


def facts(sample: Json, language: str, order_id: str | None = None) -> Json:
    """What patterns and templates see of a sample event, for a recipient who reads `language`."""
    data = dict(sample["data"])
    if order_id is not None:
        data |= _real(order_id)
    order, customer = data.get("order"), data.get("customer")
    shown = {name: sample[name] for name in ("type", "source", "time")} | {"data": data}
    shown |= {name: value for name, value in (("order", order), ("customer", customer)) if value}
    shop = known.public(settings.current(caller().shop, resources.now()))
    return {**shown, "shop": shop, "recipient": _recipient(customer or {}, language), "unsubscribe_url": UNSUBSCRIBE}


def _real(order_id: str) -> Json:
    shop = caller().shop
    record = orders.get(shop, order_id)
    if record is None:
        fault = Fault("/order_id", "there is no such order", order_id[:100])
        raise Problem(422, "unknown-order", f"there is no order {order_id[:100]}", fault)
    found: Json = {"order": record.body}
    owner = record.body.get("customer_id")
    if owner and (customer := people.get(shop, "customer", str(owner))):
        found["customer"] = customer.body
    return found


def _recipient(customer: Mapping[str, Any], language: str) -> Json:
    about = {"kind": "customer", "id": customer.get("id", ""), "name": customer.get("name", "")}
    return {**about, "timezone": customer.get("timezone") or "UTC", "language": language}
