"""The only place where keys of tables and objects are built. Every one begins with the shop, but the look-ups
that find it."""

import zlib
from datetime import datetime

SLOTS = 8
SHARDS = 16
EVERY = 4


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


def every(shard: int) -> str:
    """One of the shards of the list of all shops' connected accounts, in the table of deferred work."""
    return f"every#{shard}"


def every_row(shop: str, account: str) -> str:
    """Where an account stands in that list."""
    return f"{shop}#{account}"


def lease(shop: str, account: str, flow: str) -> str:
    """The lease on one flow of an account."""
    return f"{shop}#lease#{account}#{flow}"


def item(shop: str, shard: int) -> str:
    """A sixteenth of a shop's items with their stock, holds and links, in the table of goods."""
    return f"{shop}#item#{shard:x}"


def hold(shop: str, shard: int) -> str:
    """A sixteenth of what a shop's own orders take from its items."""
    return f"{shop}#hold#{shard:x}"


def sent(shop: str, account: str, shard: int) -> str:
    """A sixteenth of what an account's units were last sent, per warehouse."""
    return f"{shop}#sent#{account}#{shard:x}"


def fbo(shop: str, account: str, shard: int) -> str:
    """A sixteenth of what of an account's units lies in its marketplace's own warehouses."""
    return f"{shop}#fbo#{account}#{shard:x}"


def dirty(shop: str, account: str, slot: int) -> str:
    """An eighth of an account's marks: units whose stock is to be looked at and sent."""
    return f"{shop}#dirty#{account}#{slot}"


def mark(priority: str, ms: int, unit: str, random: str) -> str:
    """Where a mark stands: by priority, then by time. Never written twice: each touch makes one of its own."""
    return f"{priority}#{ms:013d}#{unit}#{random}"


def described(shop: str, shard: int) -> str:
    """A sixteenth of what a shop told of its items (name, barcodes, fields)."""
    return f"{shop}#described#{shard:x}"


def barcode(shop: str, code: str) -> str:
    """The partition of a barcode, by which items are found; the sort keys beneath it are the items."""
    return f"{shop}#barcode#{code}"


def unit(shop: str, account: str, shard: int) -> str:
    """A sixteenth of an account's sellable units."""
    return f"{shop}#unit#{account}#{shard:x}"


def seen(shop: str, account: str) -> str:
    """The partition of what a whole import of an account's products came upon."""
    return f"{shop}#seen#{account}"


def account(shop: str, account: str) -> str:
    """The partition of an account's own records: how its flows fare."""
    return f"{shop}#account#{account}"


def tree(shop: str, account: str, what: str) -> str:
    """What an account's marketplace lists that is no unit: its `category` tree, its `warehouse`s."""
    return f"{shop}#{what}#{account}"


def postings(shop: str, day: str) -> str:
    """The partition of a day's postings, by the time of their creation."""
    return f"{shop}#posting#{day}"


def open_postings(shop: str, account: str) -> str:
    """The partition of an account's postings of which more is expected, the most urgent first."""
    return f"{shop}#open#{account}"


def open_row(ship_by: str, id: str) -> str:
    """Where a posting stands among the open ones: by when it must leave; those without such a time stand last."""
    return f"{ship_by or '~'}#{id}"


def together(shop: str, account: str, group: str) -> str:
    """The partition of postings that one buyer ordered together."""
    return f"{shop}#together#{account}#{group}"


def polled(shop: str, account: str) -> str:
    """Up to where an account's orders were read."""
    return f"{shop}#polled#{account}"


def supplies(shop: str, account: str) -> str:
    """The list of an account's supplies."""
    return f"{shop}#supply#{account}"


def filling(shop: str, account: str) -> str:
    """The partition of the supplies that are being filled: one for each warehouse and cargo type."""
    return f"{shop}#filling#{account}"


def body(shop: str, day: str, what: str, id: str) -> str:
    """The object that keeps bodies of events (`events`) or of messages as sent (`sent`)."""
    return f"{shop}/{day}/{what}/{id}.json.gz"
