"""What is known when an event is judged: the order and customer as the newest event tells them, and the staff."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from vestnik.domain.rules import Staff
from vestnik.store import dynamo, orders, people, records, settings
from vestnik.store.records import Record
from vestnik.store.settings import Settings

TABLES = {"customer": people.TABLE, "order": orders.TABLE, "staff": people.TABLE}


@dataclass(frozen=True, slots=True)
class Facts:
    """What patterns and templates see: {type, source, time, data, order?, customer?, shop}. `overtaken`: the order
    is known by a newer event than this one."""

    plain: dict[str, Any]
    overtaken: bool


class Known:
    """The records that a batch of one shop's events speaks of, read in two calls (what the events name, then the
    owners of the orders among it) and kept up with the events."""

    def __init__(self, shop: str, current: Settings, events: Iterable[Mapping[str, Any]]) -> None:
        self.shop, self.current = shop, current
        self._sought = {mention for event in events for mention in mentions(event["data"])}
        self.records = _read(shop, self._sought)
        self._read(_owners(self.records.values()) - self._sought)

    @property
    def staff(self) -> Staff:
        """The shop's colleagues, read once per settings revision."""
        if "staff" not in self.current.kept:
            self.current.kept["staff"] = _read_staff(self.shop)
        staff: Staff = self.current.kept["staff"]
        return staff

    def of(self, event: Mapping[str, Any]) -> Facts:
        """The facts of one event, after what it says of people and orders is kept (if it is news)."""
        data, time = event["data"], event["time"]
        order = self._kept("order", data.get("order"), data.get("order_id"), time)
        owner = data.get("customer_id") or (order.body.get("customer_id") if order else None)
        customer = self._kept("customer", data.get("customer"), owner, time)
        self._keep_staff(data.get("staff"), time)
        plain = {"type": event["type"], "source": event["source"], "time": time, "data": data}
        plain |= {"order": order.body} if order else {}
        plain |= {"customer": customer.body} if customer else {}
        return Facts(plain | {"shop": public(self.current)}, bool(order and order.as_of > time))

    def _kept(self, kind: str, snapshot: Any, id: Any, time: str) -> Record | None:
        if not isinstance(snapshot, Mapping) or "id" not in snapshot:
            return self._find(kind, str(id)) if id else None
        key = (kind, str(snapshot["id"]))
        stored = self.records.get(key)
        self.records[key] = records.keep(TABLES[kind], self.shop, *key, snapshot, time, stored)
        return self.records[key]

    def _find(self, kind: str, id: str) -> Record | None:
        """A record that nothing named before (the customer of an order that this batch tells of) is read when met."""
        if (kind, id) not in self.records:
            self._read({(kind, id)} - self._sought)
        return self.records.get((kind, id))

    def _read(self, wanted: set[tuple[str, str]]) -> None:
        self._sought |= wanted
        self.records |= _read(self.shop, wanted)

    def _keep_staff(self, snapshot: Any, time: str) -> None:
        if not isinstance(snapshot, Mapping) or "id" not in snapshot:
            return
        id = str(snapshot["id"])
        stored = self._find("staff", id)
        kept = self.records["staff", id] = records.keep(people.TABLE, self.shop, "staff", id, snapshot, time, stored)
        if stored is None or kept.body != stored.body:
            settings.touch(self.shop)
            self.current.kept.pop("staff", None)


def public(current: Settings) -> dict[str, Any]:
    """The shop as patterns and templates see it."""
    hidden = ("quota_per_minute", "sending", "audiences")
    return {"id": current.shop_id} | {k: v for k, v in current.shop.items() if k not in hidden}


def mentions(data: Mapping[str, Any]) -> Iterable[tuple[str, str]]:
    """The (kind, id) of each record that an event's data speaks of."""
    for kind in ("order", "customer", "staff"):
        snapshot = data.get(kind)
        if isinstance(snapshot, Mapping) and "id" in snapshot:
            yield kind, str(snapshot["id"])
        elif data.get(f"{kind}_id"):
            yield kind, str(data[f"{kind}_id"])
    order = data.get("order")
    if isinstance(order, Mapping) and order.get("customer_id") and "customer" not in data:
        yield "customer", str(order["customer_id"])


def _owners(found: Iterable[Record]) -> set[tuple[str, str]]:
    """The customers of the orders among some records."""
    return {("customer", str(id)) for record in found if (id := record.body.get("customer_id"))}


def _read(shop: str, wanted: set[tuple[str, str]]) -> dict[tuple[str, str], Record]:
    by_table: dict[str, list[dynamo.Key]] = {}
    for kind, id in sorted(wanted):
        by_table.setdefault(TABLES[kind], []).append(records.key(shop, kind, id))
    found = dynamo.get_many(by_table)
    items = {(kind, id): found.get((TABLES[kind], *records.key(shop, kind, id))) for kind, id in wanted}
    return {key: record for key, item in items.items() if (record := records.from_item(item))}


def _read_staff(shop: str) -> Staff:
    found: dict[str, dict[str, Any]] = {}
    cursor: str | None = ""
    while cursor is not None:
        page, cursor = records.page(people.TABLE, shop, "staff", 100, cursor)
        found |= {record.id: record.body for record in page}
    return Staff(found)
