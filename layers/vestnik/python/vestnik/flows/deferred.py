"""Deferred work, brought back at its time: a sweep hands each shard with work out, a release empties it."""

import json
from collections import defaultdict
from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any

from vestnik import channels, plugins
from vestnik.store import due, keys, sqs

LATE = timedelta(minutes=5)  # an hour's shards are closed this long after it, for clocks that differ


def sweep(now: datetime) -> int:
    """Hand out every shard that may hold work due by now; how many."""
    parcels = [sqs.Parcel("due", {"v": 1, "shard": shard, "until": now.isoformat()}) for shard in due.marked(now)]
    sqs.send_all("to-release", parcels)
    return len(parcels)


def release(shard: str, until: datetime) -> int:
    """Hand the due messages of one shard to their queues; how many. Done twice it is harmless: the claim sees to it."""
    released, known = 0, plugins.names(channels)
    while rows := due.page(shard, until):
        queues: dict[str, list[sqs.Parcel]] = defaultdict(list)
        for row in rows:
            job = json.loads(row["job"])
            queues[_queue(job, known)].append(sqs.Parcel(job["shop"], job))
        for queue, parcels in queues.items():
            sqs.send_all(queue, parcels)
        due.drop(rows)
        released += len(rows)
    if shard < keys.due(keys.hour(until - LATE), 0):
        due.unmark(shard)
    return released


def _queue(job: Mapping[str, Any], known: Sequence[str]) -> str:
    """A job's own queue. Where its channel was taken out of the deployment meanwhile, any other's: the second look
    there ends it, and says why; here it would hold up the whole shard for ever."""
    queue: str = job["queue"]
    return queue if job["plugin"] in known else f"to-send-{known[0].replace('_', '-')}"
