"""The only place where keys of tables and objects are built. Every one begins with the shop, but the look-ups
that find it."""

import zlib
from datetime import datetime

SLOTS = 8
SHARDS = 16


def record(shop: str, kind: str, id: str) -> str:
    """The partition of a customer, member of staff, order."""
    return f"{shop}#{kind}#{id}"


def listing(shop: str, kind: str, slot: int) -> str:
    """One of the partitions that a list of records is spread over."""
    return f"{shop}#{kind}#{slot}"


def slot(id: str) -> int:
    """Which of a list's partitions a record stands in."""
    return zlib.crc32(id.encode()) % SLOTS


def event(shop: str, eid: str) -> str:
    """The partition of an event in the ledger."""
    return f"{shop}#e#{eid}"


def messages(shop: str, day: str, slot: str) -> str:
    """A sixteenth of a day's messages in the ledger."""
    return f"{shop}#m#{day}#{slot}"


def day(at: datetime) -> str:
    """A day as the ledger writes it: yymmdd, UTC."""
    return at.strftime("%y%m%d")


def hour(at: datetime) -> str:
    """An hour of the table of deferred work: yyyymmddHH, UTC."""
    return at.strftime("%Y%m%d%H")


def due(hour: str, shard: int) -> str:
    """One of the shards that an hour's deferred work is spread over."""
    return f"{hour}#{shard:x}"


def due_row(at: datetime, shop: str, message: str) -> str:
    """Where a message stands within its hour and shard: by its time, to the second."""
    return f"{at:%Y%m%d%H%M%S}#{shop}#{message}"


def shard(message: str) -> int:
    """Which shard of its hour a message is deferred to."""
    return zlib.crc32(message.encode()) % SHARDS


def body(shop: str, day: str, what: str, id: str) -> str:
    """The object that keeps bodies of events (`events`) or of messages as sent (`sent`)."""
    return f"{shop}/{day}/{what}/{id}.json.gz"
