"""What is known when an event is judged: the order and customer as the newest event tells them, and the staff."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from vestnik.domain.rules import Staff
from vestnik.store import dynamo, ledger, orders, people, records, settings
from vestnik.store.records import Record
from vestnik.store.settings import Settings

FRESH = timedelta(minutes=5)
LONGEST_ID = 128
CANCELLED = "order.cancelled"
PARTS = ("consent",)  # fields that are told in part: what an event does not say of them stays as it was
TABLES = {"customer": people.TABLE, "order": orders.TABLE, "staff": people.TABLE}


@dataclass(frozen=True, slots=True)
class Facts:
    """What patterns and templates see: {type, source, time, data, order?, customer?, shop}. `overtaken`: the order
    is known by a newer event than this one."""

    plain: dict[str, Any]
    overtaken: bool


class Known:
    """The records that a batch of one shop's events speaks of, read in two calls (what the events name, then the
    owners of the orders among it) and kept up with the events. `decided`: what the ledger has of these events, by
    their ids; what a repeat says must not be kept (without a time of its own it would be news)."""

    def __init__(self, shop: str, current: Settings, events: Mapping[str, Mapping[str, Any]], now: datetime) -> None:
        self.shop, self.current, self.now = shop, current, now
        self._sought = {mention for event in events.values() for mention in mentions(event["data"])}
        self.records, self.decided = _read(shop, self._sought, events)
        self._read(_owners(self.records.values()) - self._sought)

    @property
    def staff(self) -> Staff:
        """The shop's colleagues, read once per settings revision, and every few minutes: a list may show a colleague
        only after the revision has moved."""
        staff, until = self.current.kept.get("staff") or (None, self.now)
        if staff is None or self.now >= until:
            staff = _read_staff(self.shop)
            self.current.kept["staff"] = (staff, self.now + FRESH)
        found: Staff = staff
        return found

    def of(self, event: Mapping[str, Any]) -> Facts:
        """The facts of one event, after what it says of people and orders is kept (if it is news)."""
        data, time = event["data"], event["time"]
        order = self._linked(self._kept("order", self._order(event), data.get("order_id"), time), data)
        owner = data.get("customer_id") or (order.body.get("customer_id") if order else None)
        customer = self._kept("customer", data.get("customer"), owner, time)
        self._keep_staff(data.get("staff"), time)
        plain = {"type": event["type"], "source": event["source"], "time": time, "data": data}
        plain |= {"order": order.body} if order else {}
        plain |= {"customer": customer.body} if customer else {}
        return Facts(plain | {"shop": public(self.current)}, bool(order and order.as_of > time))

    def _order(self, event: Mapping[str, Any]) -> Any:
        """What an event says of its order; a cancellation also says when, whatever the shop calls the status."""
        data = event["data"]
        snapshot = _with_owner(data)
        if event["type"] != CANCELLED:
            return snapshot
        known = self._find("order", data.get("order_id"))
        snapshot = snapshot or (known and {"id": known.id})
        return {**snapshot, "cancelled_at": event["time"]} if snapshot else None

    def _linked(self, order: Record | None, data: Mapping[str, Any]) -> Record | None:
        """An order of which nobody knew whose it is, with the customer whom this event names: an older one may, too."""
        stored = self.records.get(("order", order.id)) if order else None
        owner = _owner(data)
        if order is None or stored is None or not owner or stored.body.get("customer_id"):
            return order
        filled = records.fill(orders.TABLE, self.shop, "order", stored.id, {"customer_id": owner}, stored)
        self.records["order", stored.id] = filled
        return Record(order.id, {**order.body, "customer_id": filled.body["customer_id"]}, order.as_of)

    def _kept(self, kind: str, snapshot: Any, id: Any, time: str) -> Record | None:
        key = (kind, _identity(snapshot))
        if not key[1]:
            return self._find(kind, id)
        stored = self._find(*key)
        kept = self.records[key] = records.keep(TABLES[kind], self.shop, *key, snapshot, time, stored, PARTS)
        return _seen(snapshot, kept, time)

    def _find(self, kind: str, named: Any) -> Record | None:
        """A record that nothing named before (the customer of an order that this batch tells of) is read when met."""
        id = identity(named)
        if id and (kind, id) not in self.records:
            self._read({(kind, id)} - self._sought)
        return self.records.get((kind, id))

    def _read(self, wanted: set[tuple[str, str]]) -> None:
        self._sought |= wanted
        self.records |= _read(self.shop, wanted)[0]

    def _keep_staff(self, snapshot: Any, time: str) -> None:
        if not (id := _identity(snapshot)):
            return
        stored = self._find("staff", id)
        kept = self.records["staff", id] = records.keep(people.TABLE, self.shop, "staff", id, snapshot, time, stored)
        if stored is None or kept.body != stored.body:
            settings.touch(self.shop)
            self.current.kept.pop("staff", None)


def identity(id: Any) -> str:
    """An id as records have it; "" where it is none: an event of a shop's own type may carry anything in its place."""
    text = str(id) if isinstance(id, str | int) and not isinstance(id, bool) else ""
    return text if len(text) <= LONGEST_ID else ""


def _identity(snapshot: Any) -> str:
    return identity(snapshot.get("id")) if isinstance(snapshot, Mapping) else ""


def _owner(data: Mapping[str, Any]) -> str:
    """The customer whom an event names; "" where it names none."""
    return _identity(data.get("customer")) or identity(data.get("customer_id"))


def _with_owner(data: Mapping[str, Any]) -> Any:
    """What an event says of its order. Whose it is may stand beside it: the event's customer."""
    order, owner = data.get("order"), _owner(data)
    if not isinstance(order, Mapping) or order.get("customer_id") or not owner:
        return order
    return {**order, "customer_id": owner}


def _seen(snapshot: Mapping[str, Any], kept: Record, time: str) -> Record:
    """A record as one event's messages tell it: where newer events say nothing, the event's own word holds."""
    older, newer = (snapshot, kept.body) if kept.as_of > time else (kept.body, snapshot)
    body = {**older, **records.under(older, newer, PARTS)}
    return Record(kept.id, {**body, "id": kept.id}, kept.as_of)


def public(current: Settings) -> dict[str, Any]:
    """The shop as patterns and templates see it."""
    hidden = ("quota_per_minute", "sending", "audiences")
    return {"id": current.shop_id} | {k: v for k, v in current.shop.items() if k not in hidden}


def mentions(data: Mapping[str, Any]) -> Iterable[tuple[str, str]]:
    """The (kind, id) of each record that an event's data speaks of."""
    for kind in ("order", "customer", "staff"):
        if id := _identity(data.get(kind)) or identity(data.get(f"{kind}_id")):
            yield kind, id
    order = data.get("order")
    if isinstance(order, Mapping) and "customer" not in data and (id := identity(order.get("customer_id"))):
        yield "customer", id


def _owners(found: Iterable[Record]) -> set[tuple[str, str]]:
    """The customers of the orders among some records."""
    return {("customer", id) for record in found if (id := identity(record.body.get("customer_id")))}


type Found = dict[tuple[str, str], Record]


def _read(shop: str, wanted: set[tuple[str, str]], eids: Iterable[str] = ()) -> tuple[Found, dict[str, dynamo.Item]]:
    """Records by kind and id, and decisions by the event's id, in one call."""
    places = {mention: (TABLES[mention[0]], *records.key(shop, *mention)) for mention in sorted(wanted)}
    decided = {eid: (ledger.TABLE, *ledger.event_key(shop, eid)) for eid in eids}
    by_table: dict[str, list[dynamo.Key]] = {}
    for table, *key in (*places.values(), *decided.values()):
        by_table.setdefault(table, []).append((key[0], key[1]))
    found = dynamo.get_many(by_table)
    kept = {mention: records.from_item(found.get(place)) for mention, place in places.items()}
    return (
        {mention: record for mention, record in kept.items() if record},
        {eid: found[place] for eid, place in decided.items() if place in found},
    )


def _read_staff(shop: str) -> Staff:
    found: dict[str, dict[str, Any]] = {}
    cursor: str | None = ""
    while cursor is not None:
        page, cursor = records.page(people.TABLE, shop, "staff", 100, cursor)
        found |= {record.id: record.body for record in page}
    return Staff(found)
