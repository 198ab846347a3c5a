"""Customers, staff, orders: profiles that only a newer event time may change, and their lists."""

import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from vestnik import resources
from vestnik.store import dynamo, keys

LARGEST = 350_000  # bytes of a body; an item of DynamoDB's may have 400 KB


@dataclass(frozen=True, slots=True)
class Record:
    """A profile as it stands. `as_of`: the time (RFC 3339 UTC) of the newest fact in it."""

    id: str
    body: dict[str, Any]
    as_of: str


def get(table: str, shop: str, kind: str, id: str) -> Record | None:
    """One record, or None."""
    item = dynamo.get(table, keys.record(shop, kind, id), id)
    return _record(item) if item else None


def key(shop: str, kind: str, id: str) -> dynamo.Key:
    """Where a record lies, for a read of many at once."""
    return keys.record(shop, kind, id), id


def keep(
    table: str,
    shop: str,
    kind: str,
    id: str,
    snapshot: Mapping[str, Any],
    as_of: str,
    stored: Record | None,
    parts: Iterable[str] = (),
) -> Record:
    """The record after `snapshot` (its fields replace those of the same name) if it is news, and as it was if not.

    `parts`: fields that are told in part; what is not told of them stays. `stored` is what the caller read; where
    another writer came between, the record is read again. An event has room (128 KB), but fields of many events may
    not: then the largest of those that this one does not tell are left out.
    """
    while stored is None or stored.as_of < as_of:
        before = stored.body if stored else {}
        body = _fitting(before, {**under(before, snapshot, parts), "id": id})
        if (found := _write(table, shop, kind, id, body, as_of, stored)) is None:
            return Record(id, body, as_of)
        stored = found
    return stored


def fill(table: str, shop: str, kind: str, id: str, fields: Mapping[str, Any], stored: Record) -> Record:
    """The record with those `fields` that it lacks. Its time stays: they are no news, they were only not known."""
    while lacking := {name: value for name, value in fields.items() if not stored.body.get(name)}:
        body = {**stored.body, **lacking}
        if (found := _write(table, shop, kind, id, body, stored.as_of, stored)) is None:
            return Record(id, body, stored.as_of)
        stored = found
    return stored


def under(before: Mapping[str, Any], told: Mapping[str, Any], parts: Iterable[str]) -> dict[str, Any]:
    """What is told, its `parts` (objects told in part) completed by what was known of them before."""
    both = [name for name in parts if isinstance(before.get(name), Mapping) and isinstance(told.get(name), Mapping)]
    return {**told, **{name: {**before[name], **told[name]} for name in both}}


def _fitting(before: Mapping[str, Any], told: Mapping[str, Any]) -> dict[str, Any]:
    """What was known under what is told now, as much of it as there is room for."""
    body = {**before, **told}
    older = sorted(before.keys() - told, key=lambda name: _size(before[name])) if _size(body) > LARGEST else []
    while older and _size(body) > LARGEST:
        resources.log("record-too-big", id=told["id"], left_out=older[-1])
        del body[older.pop()]
    return body


def _size(value: Any) -> int:
    return len(_text(value).encode())


def _text(value: Any) -> str:
    return json.dumps(value, ensure_ascii=False, separators=(",", ":"))


def replace(table: str, shop: str, kind: str, id: str, body: Mapping[str, Any], as_of: str) -> Record:
    """Put a whole record, whatever stood there (a person's or a back end's own word, not an event's)."""
    _put(table, shop, kind, id, {**body, "id": id}, as_of, "", {})
    return Record(id, {**body, "id": id}, as_of)


def _write(
    table: str, shop: str, kind: str, id: str, body: dict[str, Any], as_of: str, stored: Record | None
) -> Record | None:
    """None if written; else the record that came between."""
    where = "#as_of = :seen" if stored else "attribute_not_exists(#pk)"
    try:
        _put(table, shop, kind, id, body, as_of, where, {"seen": stored.as_of} if stored else {})
    except dynamo.Conflict as conflict:
        found = _record(conflict.old)
        return None if (found.as_of, found.body) == (as_of, body) else found
    return None


def _put(
    table: str,
    shop: str,
    kind: str,
    id: str,
    body: dict[str, Any],
    as_of: str,
    where: str,
    values: dict[str, Any],
) -> None:
    entry = {"v": 1, "as_of": as_of, "body": _text(body), "list": keys.listing(shop, kind, keys.slot(id))}
    dynamo.update(table, *key(shop, kind, id), put=entry, where=where, values=values)


def remove(table: str, shop: str, kind: str, id: str) -> None:
    """Remove a record."""
    dynamo.delete(table, *key(shop, kind, id))


def page(table: str, shop: str, kind: str, limit: int, cursor: str = "") -> tuple[list[Record], str | None]:
    """Up to `limit` records and where to go on ("" begins). Order: by slot, then id."""
    ids, following = page_ids(table, shop, kind, limit, cursor)
    found = dynamo.get_many({table: [key(shop, kind, id) for id in ids]})
    items = (found.get((table, *key(shop, kind, id))) for id in ids)
    return [_record(item) for item in items if item], following


def page_ids(table: str, shop: str, kind: str, limit: int, cursor: str) -> tuple[list[str], str | None]:
    """The ids of one page of a list that is spread over slots. A cursor is `<slot>:<last id>`."""
    slot, _, after = cursor.partition(":") if cursor else ("0", "", "")
    number, found = int(slot), list[str]()
    while number < keys.SLOTS and len(found) < limit:
        listing = keys.listing(shop, kind, number)
        items, more = dynamo.query(table, listing, after=after, limit=limit - len(found), index=True)
        found += [item["sk"] for item in items]
        number, after = (number, more) if more else (number + 1, "")
    return found, f"{number}:{after}" if number < keys.SLOTS else None


def from_item(item: dynamo.Item | None) -> Record | None:
    """The record in an item that a read of many brought."""
    return _record(item) if item else None


def _record(item: dynamo.Item) -> Record:
    return Record(item["sk"], json.loads(item["body"]), item["as_of"])
