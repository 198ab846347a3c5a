"""A customer's data, handed out or taken away: the profile, the orders, and what the ledger holds of 35 days.

What is found: messages to the customer, and messages to anybody about the customer or their orders (a manager's
notice carries the customer's name). What is not searched for, because it ends by itself: events that led to no message
(35 days), letters still in queues (14 days at most), answers kept for repeated requests (one day).

Suppressed addresses stay, with channel, reason and time: they keep the person from being written to again.
"""

from collections.abc import Callable, Iterator, Mapping
from datetime import datetime, timedelta
from typing import Any

from vestnik.domain import addresses, messages
from vestnik.domain.cloudevents import utc
from vestnik.domain.messages import State
from vestnik.flows import explanation, parallel
from vestnik.flows.unsubscribe import ADDRESS_FIELD
from vestnik.store import due, dynamo, keys, ledger, orders, people, records, s3

DAYS = ledger.KEPT.days + 1
AT_ONCE = 1000
MOST_BODIES = 3_000_000  # characters of an export's bodies: an answer of Lambda's may have 6 MB

KEPT_OF_ORDER = ("id", "number", "status", "manager_id", "currency", "total", "created_at", "store", "origin")
KEPT_OF_ITEM = ("sku", "name", "quantity", "price", "total")
KEPT_OF_DELIVERY = ("method", "price", "eta", "carrier")
KEPT_OF_PAYMENT = ("method", "status")

type Record = dict[str, Any]
type Enough = Callable[[], bool]


def export(shop: str, customer: str, now: datetime, enough: Enough) -> dict[str, Any] | None:
    """All that is known of a customer: {id, made_at, profile, orders, messages, suppressions, complete}; None where
    nothing is. Not `complete`: `enough` said stop, or some bodies are left out for their size (read them one by one).
    """
    profile = people.get(shop, "customer", customer)
    owned = _orders_of(shop, customer)
    found, complete = _messages(shop, now, lambda record: record["person"] == f"customer:{customer}", enough)
    if not (profile or owned or found):
        return None
    shown, whole = _with_bodies(shop, found)
    return {
        "id": customer,
        "made_at": now.isoformat(),
        "profile": profile.body if profile else None,
        "orders": [order.body for order in owned],
        "messages": shown,
        "suppressions": _suppressions(shop, profile, found),
        "complete": complete and whole,
    }


def _with_bodies(shop: str, found: list[Record]) -> tuple[list[dict[str, Any]], bool]:
    shown, room = list[dict[str, Any]](), MOST_BODIES
    for record in found:
        body, withheld = explanation.body_of(shop, record) if room > 0 else (None, "left out: the answer is large")
        room -= len(str(body))
        shown.append({**explanation.record_shown(record), "body": body, "body_withheld": withheld})
    return shown, room > 0


def _suppressions(shop: str, profile: records.Record | None, found: list[Record]) -> list[dict[str, Any]]:
    known = {(record["channel"], record["address"]) for record in found}
    known |= {(channel, (profile.body if profile else {}).get(field)) for channel, field in ADDRESS_FIELD.items()}
    same = {(channel, addresses.same_address(channel, address)) for channel, address in known if address}
    entries = people.suppressions(shop, same)
    return [{k: entry[k] for k in ("channel", "address", "reason", "at")} for entry in entries.values()]


def erase(shop: str, customer: str, now: datetime, enough: Enough) -> dict[str, Any]:
    """Take a customer's data away: {profile, orders, messages, events, cancelled, complete}, each a count.

    Not `complete`: `enough` said stop before all days were searched; the orders then keep the customer's name, so
    that the same call can find the rest. Repeated, it erases what came since.
    """
    profile = people.get(shop, "customer", customer)
    if profile:
        records.remove(people.TABLE, shop, "customer", customer)
    owned = _orders_of(shop, customer)
    concerned = _concerns(customer, {order.id for order in owned})
    found, complete = _messages(shop, now, lambda record: not record.get("erased") and concerned(record), enough)
    cancelled = sum(parallel.each(lambda record: _cancel(shop, record, now), found))
    events = _erase_bodies(shop, found)
    parallel.each(lambda record: _blank(shop, customer, record), found)
    if complete:
        parallel.each(lambda order: _blank_order(shop, order, now), owned)
    counts = {"messages": len(found), "events": events, "cancelled": cancelled}
    return {"profile": int(bool(profile)), "orders": len(owned) if complete else 0, **counts, "complete": complete}


def _concerns(customer: str, owned: set[str]) -> Callable[[Record], bool]:
    return lambda record: (
        customer == record.get("customer") or record["person"] == f"customer:{customer}" or record.get("order") in owned
    )


def _cancel(shop: str, record: Record, now: datetime) -> int:
    """End a message that still waits; 1 where it did."""
    if record["state"] not in (State.DEFERRED, State.RETRY):
        return 0
    kind, _, id = record["person"].partition(":")
    address = "" if kind == "customer" else record["address"]
    job = {**record, "shop": shop, "message": record["sk"], "recipient": {"kind": kind, "id": id, "address": address}}
    at = datetime.fromisoformat(record["until"])
    place = keys.due(keys.hour(at), keys.shard(record["sk"])), keys.due_row(at, shop, record["sk"])
    dynamo.delete(due.TABLE, *place)
    ended, _ = ledger.end(job, State.CANCELLED, "the customer's data was erased", now)
    return int(ended)


def _erase_bodies(shop: str, found: list[Record]) -> int:
    """Blank what was sent and the events it answered; how many events."""
    eids = sorted({messages.event_of(record["sk"]) for record in found})
    decided = [item for item in parallel.each(lambda eid: ledger.event(shop, eid), eids) if item]
    places: dict[str, set[int]] = {}
    for item in [*decided, *(record for record in found if record.get("body"))]:
        places.setdefault(item["body"], set()).add(item["n"])
    # One object at a time in one thread: a rewrite of the whole object would undo another's.
    parallel.each(lambda key: _erase_object(key, places[key]), places)
    parallel.each(lambda eid: ledger.blank_event(shop, eid), [item["pk"].rpartition("#")[2] for item in decided])
    return len(decided)


def _erase_object(key: str, positions: set[int]) -> None:
    for position in sorted(positions):
        s3.erase(key, position)


def _blank(shop: str, customer: str, record: Record) -> None:
    """The address goes from the customer's own messages; a colleague's stays, its text is gone."""
    ledger.blank_message(shop, record["sk"], address=record["person"] == f"customer:{customer}")


def _blank_order(shop: str, order: records.Record, now: datetime) -> None:
    records.replace(orders.TABLE, shop, orders.KIND, order.id, impersonal(order.body), utc(now))


def impersonal(order: Mapping[str, Any]) -> dict[str, Any]:
    """What an order keeps when its customer is erased: what was sold, for how much, and how; no further fields."""
    kept = _only(order, KEPT_OF_ORDER)
    kept["items"] = [_only(item, KEPT_OF_ITEM) for item in order.get("items") or []]
    kept["delivery"] = _only(order.get("delivery") or {}, KEPT_OF_DELIVERY)
    kept["payment"] = _only(order.get("payment") or {}, KEPT_OF_PAYMENT)
    return kept


def _only(fields: Mapping[str, Any], names: tuple[str, ...]) -> dict[str, Any]:
    return {name: fields[name] for name in names if name in fields}


def _orders_of(shop: str, customer: str) -> list[records.Record]:
    """The customer's orders: no index follows them, so the whole list is read, its slots side by side."""
    slots = parallel.each(lambda number: list(_slot(shop, number)), range(keys.SLOTS))
    found = {order.id: order for slot in slots for order in slot}
    return [order for _, order in sorted(found.items()) if order.body.get("customer_id") == customer]


def _slot(shop: str, number: int) -> Iterator[records.Record]:
    cursor: str | None = f"{number}:"
    while cursor and cursor.startswith(f"{number}:"):
        page, cursor = records.page(orders.TABLE, shop, orders.KIND, AT_ONCE, cursor)
        yield from page


def _messages(shop: str, now: datetime, wanted: Callable[[Record], bool], enough: Enough) -> tuple[list[Record], bool]:
    """The wanted messages in the ledger, oldest day first, and whether all its days were searched."""
    days = [keys.day(now - timedelta(days=back)) for back in reversed(range(-1, DAYS))]
    pages = parallel.each(lambda day: None if enough() else [r for r in _day(shop, day) if wanted(r)], days)
    return [record for page in pages for record in page or []], None not in pages


def _day(shop: str, day: str) -> Iterator[Record]:
    cursor: str | None = ""
    while cursor is not None:
        page, cursor = ledger.day_page(shop, day, AT_ONCE, cursor)
        yield from page
