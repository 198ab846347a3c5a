"""From the ledger's stream to sums, exactly once: sums and the shard's checkpoint move in one transaction."""

from collections import Counter
from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any

from vestnik.domain import statistics
from vestnik.domain.statistics import Row
from vestnik.store import counters, dynamo

ROWS = 99  # a transaction takes 100 writes, one is the checkpoint
KEPT = timedelta(days=3)  # a stream's records live a day, its shards' checkpoints a little longer


def count(shard: str, records: list[dict[str, Any]], now: datetime) -> None:
    """Count a batch of one shard's records, in order; those counted before are passed over."""
    while True:
        seen = counters.checkpoint(shard)
        fresh = [record for record in records if _after(record, seen)]
        if not fresh or _count(shard, seen, fresh, now):
            return


def _after(record: Mapping[str, Any], seen: str) -> bool:
    return not seen or int(record["dynamodb"]["SequenceNumber"]) > int(seen)


def _count(shard: str, seen: str, records: list[dict[str, Any]], now: datetime) -> bool:
    """False where the checkpoint moved meanwhile: then what is left must be looked at anew."""
    sums: dict[Row, Counter[str]] = {}
    expires = int((now + KEPT).timestamp())
    last = seen
    for record in records:
        row, words = _change(record)
        if words and row not in sums and len(sums) == ROWS:
            if not counters.add(shard, seen, last, sums, expires):
                return False
            seen, sums = last, {}
        if words:
            sums.setdefault(row, Counter()).update(words)
        last = record["dynamodb"]["SequenceNumber"]
    return counters.add(shard, seen, last, sums, expires)


def _change(record: Mapping[str, Any]) -> tuple[Row, set[str]]:
    """What a record adds to which sum; nothing where it is no message's, or a removal (the TTL's)."""
    nothing: tuple[Row, set[str]] = (("", "", "", "", ""), set())
    if record.get("eventName") == "REMOVE":
        return nothing
    new = dynamo.unwire(record["dynamodb"].get("NewImage"))
    if "#m#" not in new.get("pk", ""):
        return nothing
    return statistics.row(new), statistics.change(dynamo.unwire(record["dynamodb"].get("OldImage")), new)
