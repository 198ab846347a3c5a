"""Sums of the ledger by shop, day, channel, rule and template: counted from its stream, exactly once."""

from collections.abc import Mapping
from typing import Any

from vestnik.store import dynamo

TABLE = "counters"
Row = tuple[str, str, str, str, str]  # shop, day (yymmdd), channel, rule, template


def checkpoint(shard: str) -> str:
    """The sequence number up to which a shard of the stream is counted ("" at its beginning)."""
    item = dynamo.get(TABLE, f"checkpoint#{shard}")
    return item["sequence"] if item else ""


def add(shard: str, seen: str, sequence: str, sums: Mapping[Row, Mapping[str, int]], expires: int) -> bool:
    """Add sums (at most 99 rows) and move the shard's checkpoint, both or neither. False where it had moved."""
    moved = dynamo.update_request(
        TABLE,
        f"checkpoint#{shard}",
        "-",
        put={"sequence": sequence, "expires": expires},
        where="#sequence = :seen" if seen else "attribute_not_exists(#sequence)",
        values={"seen": seen} if seen else {},
    )
    rows = [dynamo.update_request(TABLE, *_key(row), put=_names(row), add=counts) for row, counts in sums.items()]
    return dynamo.transact([moved, *rows])


def day(shop: str, day: str) -> list[dict[str, Any]]:
    """A day's rows: {channel, rule, template, and a number for each thing counted}."""
    rows = dynamo.query_all(TABLE, f"{shop}#{day}")
    return [{k: v for k, v in row.items() if k not in ("pk", "sk")} for row in rows]


def replace_day(shop: str, day: str, sums: Mapping[Row, Mapping[str, int]]) -> None:
    """Put a recounted day in place of what stands."""
    rows = {_key(row): {**_names(row), **counts} for row, counts in sums.items()}
    stale = [(row["pk"], row["sk"]) for row in dynamo.query_all(TABLE, f"{shop}#{day}")]
    dynamo.write_many(TABLE, deletes=[key for key in stale if key not in rows])
    dynamo.write_many(TABLE, puts=[{"pk": pk, "sk": sk, **row} for (pk, sk), row in rows.items()])


def _key(row: Row) -> dynamo.Key:
    shop, day, channel, rule, template = row
    return f"{shop}#{day}", f"{channel}#{rule}#{template}"


def _names(row: Row) -> dict[str, Any]:
    _, _, channel, rule, template = row
    return {"channel": channel, "rule": rule, "template": template}
