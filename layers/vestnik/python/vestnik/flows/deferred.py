"""Deferred work, brought back at its time: a sweep hands each (hour, shard) out, a release empties it."""

import json
from collections import defaultdict
from collections.abc import Iterator
from datetime import datetime, timedelta

from vestnik.store import due, keys, sqs

LATE = timedelta(minutes=3)  # writers may be late by this much: the sweep looks back
FIRST_LOOK = timedelta(hours=48)


def sweep(now: datetime) -> int:
    """Hand out every shard that may hold work due by now; how many. A missed sweep loses nothing: the next begins
    at the watermark."""
    seen = due.watermark()
    hours = list(_hours((seen or now - FIRST_LOOK) - LATE, now))
    parcels = [
        sqs.Parcel("due", {"v": 1, "hour": hour, "shard": shard, "until": now.isoformat()})
        for hour in hours
        for shard in range(keys.SHARDS)
    ]
    sqs.send_all("to-release", parcels)
    due.move_watermark(seen, now)
    return len(parcels)


def _hours(start: datetime, end: datetime) -> Iterator[str]:
    at = start.replace(minute=0, second=0, microsecond=0)
    while at <= end:
        yield keys.hour(at)
        at += timedelta(hours=1)


def release(hour: str, shard: int, until: datetime) -> int:
    """Hand the due messages of one shard to their queues; how many. Done twice it is harmless: the claim sees to it."""
    released = 0
    while rows := due.page(hour, shard, until):
        queues: dict[str, list[sqs.Parcel]] = defaultdict(list)
        for row in rows:
            job = json.loads(row["job"])
            queues[job["queue"]].append(sqs.Parcel(job["shop"], job))
        for queue, parcels in queues.items():
            sqs.send_all(queue, parcels)
        due.drop(rows)
        released += len(rows)
    return released
