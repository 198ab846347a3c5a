"""Work deferred by more than a queue can delay: sixteen shards an hour, swept by a watermark."""

import json
from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any

from vestnik.store import dynamo, keys

TABLE = "due"
KEPT = timedelta(days=7)


def put(job: Mapping[str, Any], at: datetime) -> None:
    """Keep a job (without its facts: they lie with the event's body) until its time."""
    slim = {k: v for k, v in job.items() if k != "facts"}
    item = {
        "pk": keys.due(keys.hour(at), keys.shard(job["message"])),
        "sk": keys.due_row(at, job["shop"], job["message"]),
        "v": 1,
        "job": json.dumps(slim, ensure_ascii=False, separators=(",", ":")),
        "expires": int((at + KEPT).timestamp()),
    }
    dynamo.put(TABLE, item)


def page(hour: str, shard: int, until: datetime) -> list[dict[str, Any]]:
    """Up to a hundred of a shard's rows {pk, sk, job} whose time has come by `until`."""
    rows, _ = dynamo.query(TABLE, keys.due(hour, shard), until=f"{until:%Y%m%d%H%M%S}~", limit=100)
    return rows


def drop(rows: list[dict[str, Any]]) -> None:
    """Remove rows that were released. A row released twice is harmless: the claim sees to it."""
    dynamo.write_many(TABLE, deletes=[(row["pk"], row["sk"]) for row in rows])


def watermark() -> datetime | None:
    """The time up to which all is swept, or None before the first sweep."""
    item = dynamo.get(TABLE, "watermark")
    return datetime.fromisoformat(item["at"]) if item else None


def move_watermark(seen: datetime | None, at: datetime) -> None:
    """Move the watermark forward, unless another sweeper moved it meanwhile."""
    where = "#at = :seen" if seen else "attribute_not_exists(#at)"
    try:
        values = {"seen": seen.isoformat()} if seen else {}
        dynamo.update(TABLE, "watermark", put={"at": at.isoformat()}, where=where, values=values)
    except dynamo.Conflict:
        return
