"""The list of all shops' connected accounts, by which the clock finds them, and leases on their flows."""

import zlib
from collections.abc import Iterator, Mapping
from contextlib import suppress
from datetime import datetime, timedelta

from vestnik.store import dynamo, keys

WATCHED = "due"
LEASES = "limits"
FREE = "attribute_not_exists(#pk) OR #until <= :now OR #holder = :me"


def watch(shop: str, account: str) -> None:
    """Put an account on the list. Unconditional: done twice it is the same."""
    row = {"pk": keys.every(_shard(shop, account)), "sk": keys.every_row(shop, account), "v": 1}
    dynamo.put(WATCHED, row | {"shop": shop, "account": account})


def unwatch(shop: str, account: str) -> None:
    """Take an account off the list. Unconditional: done twice it is the same."""
    dynamo.delete(WATCHED, keys.every(_shard(shop, account)), keys.every_row(shop, account))


def watched() -> Iterator[tuple[str, str]]:
    """All connected accounts: (shop, account)."""
    for shard in range(keys.EVERY):
        for row in dynamo.query_all(WATCHED, keys.every(shard)):
            yield row["shop"], row["account"]


def _shard(shop: str, account: str) -> int:
    return zlib.crc32(keys.every_row(shop, account).encode()) % keys.EVERY


def lease(shop: str, account: str, flow: str, holder: str, now: datetime, seconds: int) -> bool:
    """Take or prolong the lease on a flow, so that two runs never overlap. False while another run holds it."""
    return _hold(keys.lease(shop, account, flow), holder, now, seconds, FREE, {})


def promise(shop: str, account: str, flow: str, holder: str, now: datetime, seconds: int) -> bool:
    """Note that a flow goes on in so many seconds. False where that is promised already, for then or sooner."""
    until = int(now.timestamp()) + seconds
    pk = keys.lease(shop, account, f"{flow}.again")
    return _hold(pk, holder, now, seconds, f"{FREE} OR #until > :until", {"until": until})


def _hold(pk: str, holder: str, now: datetime, seconds: int, free: str, values: Mapping[str, int]) -> bool:
    at = int(now.timestamp())
    item = {"pk": pk, "sk": "-", "holder": holder, "until": at + seconds, "expires": at + seconds + 3600}
    try:
        dynamo.put(LEASES, item, where=free, values={"now": at, "me": holder, **values})
    except dynamo.Conflict:
        return False
    return True


def release(shop: str, account: str, flow: str, holder: str) -> bool:
    """Give a lease back; one that ran out and was taken by another stays theirs. True: somebody waits for it."""
    pk, me = keys.lease(shop, account, flow), {"me": holder}
    try:
        dynamo.delete(LEASES, pk, where="#holder = :me AND attribute_not_exists(#waits)", values=me)
    except dynamo.Conflict as conflict:
        if conflict.old.get("holder") != holder:
            return False
        with suppress(dynamo.Conflict):
            dynamo.delete(LEASES, pk, where="#holder = :me", values=me)
        return True
    return False


def wait(shop: str, account: str, flow: str, who: str, now: datetime) -> str:
    """Note in a lease that somebody waits for its end, the first who comes; who it is. "": nobody holds it any more."""
    pk, at = keys.lease(shop, account, flow), int(now.timestamp())
    held = "#until > :now AND (attribute_not_exists(#waits) OR #waits = :who)"
    try:
        dynamo.update(LEASES, pk, put={"waits": who}, where=held, values={"now": at, "who": who})
    except dynamo.Conflict as conflict:
        return str(conflict.old.get("waits", "")) if int(conflict.old.get("until", 0)) > at else ""
    return who


def waits(shop: str, account: str, flow: str, who: str) -> bool:
    """Whether somebody who waited for a lease still does: no run has begun since, and none that ended saw to it."""
    item = dynamo.get(LEASES, keys.lease(shop, account, flow))
    return item is not None and item.get("waits") == who


def leased_until(shop: str, account: str, flow: str, now: datetime) -> datetime | None:
    """When the lease on a flow ends at the latest; None where it is free."""
    item = dynamo.get(LEASES, keys.lease(shop, account, flow))
    left = int(item["until"]) - int(now.timestamp()) if item else 0
    return now + timedelta(seconds=left) if left > 0 else None
