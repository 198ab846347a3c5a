"""Work deferred by more than a queue can delay: sixteen shards an hour, and a mark for each that holds any.

A mark is written before the first row of its shard and removed when its hour is over and it is empty. Rows are
written at least a quarter of an hour ahead, so no row comes to an hour whose mark is gone. A sweep that was missed
loses nothing: the marks stand until their work is done.
"""

import json
from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any

from vestnik.store import dynamo, keys

TABLE = "due"
KEPT = timedelta(days=7)


MARKS = "hours"
_marked: set[str] = set()


def put(job: Mapping[str, Any], at: datetime) -> None:
    """Keep a job (without its facts: they lie with the event's body) until its time."""
    slim = {k: v for k, v in job.items() if k != "facts"}
    shard = keys.due(keys.hour(at), keys.shard(job["message"]))
    expires = int((at + KEPT).timestamp())
    if shard not in _marked:
        dynamo.put(TABLE, {"pk": MARKS, "sk": shard, "v": 1, "expires": expires})
        _marked.add(shard)
    row = {"pk": shard, "sk": keys.due_row(at, job["shop"], job["message"]), "v": 1, "expires": expires}
    dynamo.put(TABLE, row | {"job": json.dumps(slim, ensure_ascii=False, separators=(",", ":"))})


def forget() -> None:
    """Drop what is kept in memory."""
    _marked.clear()


def marked(until: datetime) -> list[str]:
    """The shards that may hold work due by a time, oldest first."""
    shards: list[str] = []
    after: str | None = ""
    while after is not None:
        rows, after = dynamo.query(TABLE, MARKS, until=f"{keys.hour(until)}~", after=after)
        shards += [row["sk"] for row in rows]
    return shards


def page(shard: str, until: datetime) -> list[dict[str, Any]]:
    """Up to a hundred of a shard's rows {pk, sk, job} whose time has come by `until`."""
    rows, _ = dynamo.query(TABLE, shard, until=f"{until:%Y%m%d%H%M%S}~", limit=100)
    return rows


def drop(rows: list[dict[str, Any]]) -> None:
    """Remove rows that were released. A row released twice is harmless: the claim sees to it."""
    dynamo.write_many(TABLE, deletes=[(row["pk"], row["sk"]) for row in rows])


def unmark(shard: str) -> None:
    """Remove the mark of a shard whose hour is over and whose work is done."""
    dynamo.delete(TABLE, MARKS, shard)
