"""The list of all shops' connected accounts, by which the clock finds them, and leases on their flows."""

import zlib
from collections.abc import Iterator
from datetime import datetime, timedelta

from vestnik.store import dynamo, keys

WATCHED = "due"
LEASES = "limits"


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
    at = int(now.timestamp())
    item = {"pk": keys.lease(shop, account, flow), "sk": "-", "holder": holder, "until": at + seconds}
    item["expires"] = at + seconds + 3600
    free = "attribute_not_exists(#pk) OR #until <= :now OR #holder = :me"
    try:
        dynamo.put(LEASES, item, where=free, values={"now": at, "me": holder})
    except dynamo.Conflict:
        return False
    return True


def release(shop: str, account: str, flow: str, holder: str) -> None:
    """Give a lease back; one that ran out and was taken by another stays theirs."""
    try:
        dynamo.delete(LEASES, keys.lease(shop, account, flow), where="#holder = :me", values={"me": holder})
    except dynamo.Conflict:
        return


def clear(shop: str, account: str, flow: str) -> None:
    """End a lease whoever holds it. Unconditional."""
    dynamo.delete(LEASES, keys.lease(shop, account, flow))


def leased_until(shop: str, account: str, flow: str, now: datetime) -> datetime | None:
    """When the lease on a flow ends at the latest; None where it is free."""
    item = dynamo.get(LEASES, keys.lease(shop, account, flow))
    left = int(item["until"]) - int(now.timestamp()) if item else 0
    return now + timedelta(seconds=left) if left > 0 else None
