"""Customers, staff, and the addresses that must not be written to."""

import hashlib
from collections.abc import Iterable
from datetime import datetime
from typing import Any

from vestnik.store import dynamo, keys, records

TABLE = "people"
SUPPRESSION = "suppression"
OPT_OUT = "unsubscribed"
LONGEST_IN_KEY = 900  # bytes; a sort key may have 1,024, a webhook's address is longer


def suppress(shop: str, channel: str, address: str, reason: str, at: datetime, *, note: str = "") -> bool:
    """Write no more to `address` by `channel`; False where it was suppressed before.

    The first reason stands, but for an unsubscription: that holds for marketing only, and a bounce holds for all.
    """
    pk, id = suppression_key(shop, channel, address)
    item = {
        "pk": pk,
        "sk": id,
        "v": 1,
        "list": keys.listing(shop, SUPPRESSION, keys.slot(id)),
        "channel": channel,
        "address": address,
        "reason": reason,
        "note": note,
        "at": at.isoformat(),
    }
    try:
        where = "attribute_not_exists(#pk) OR (#reason = :opted_out AND :reason <> :opted_out)"
        dynamo.put(TABLE, item, where=where, values={"opted_out": OPT_OUT, "reason": reason})
    except dynamo.Conflict:
        return False
    return True


def allow(shop: str, channel: str, address: str) -> bool:
    """Lift a suppression; False where there was none."""
    try:
        dynamo.delete(TABLE, *suppression_key(shop, channel, address), where="attribute_exists(#pk)")
    except dynamo.Conflict:
        return False
    return True


def suppression_key(shop: str, channel: str, address: str) -> dynamo.Key:
    """Where a suppression lies, for a read of many at once."""
    fits = len(address.encode()) <= LONGEST_IN_KEY
    id = f"{channel}:{address if fits else hashlib.sha256(address.encode()).hexdigest()}"
    return keys.record(shop, SUPPRESSION, id), id


def suppressions(shop: str, addresses: Iterable[tuple[str, str]]) -> dict[tuple[str, str], dict[str, Any]]:
    """Which of these (channel, address) are suppressed, and why."""
    wanted = list(addresses)
    found = dynamo.get_many({TABLE: [suppression_key(shop, *a) for a in wanted]})
    return {
        a: found[(TABLE, *suppression_key(shop, *a))] for a in wanted if (TABLE, *suppression_key(shop, *a)) in found
    }


def suppression_page(shop: str, limit: int, cursor: str = "") -> tuple[list[dict[str, Any]], str | None]:
    """Up to `limit` suppressions {channel, address, reason, note, at} and where to go on."""
    ids, following = records.page_ids(TABLE, shop, SUPPRESSION, limit, cursor)
    return _whole(shop, ids), following


def _whole(shop: str, ids: list[str]) -> list[dict[str, Any]]:
    wanted = [(keys.record(shop, SUPPRESSION, id), id) for id in ids]
    found = dynamo.get_many({TABLE: wanted})
    items = (found.get((TABLE, *key)) for key in wanted)
    return [{k: item[k] for k in ("channel", "address", "reason", "note", "at")} for item in items if item]


def get(shop: str, kind: str, id: str) -> records.Record | None:
    """A `customer` or member of `staff`."""
    return records.get(TABLE, shop, kind, id)
