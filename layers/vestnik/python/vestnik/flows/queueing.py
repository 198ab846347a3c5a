"""Handing messages to the senders' queues, now or at their time."""

from collections import defaultdict
from collections.abc import Iterable, Mapping
from datetime import datetime
from typing import Any

from vestnik.store import due, ledger, sqs

LONGEST_DELAY = 900  # seconds, SQS


def enqueue(jobs: Iterable[Mapping[str, Any]], now: datetime) -> None:
    """Hand messages on, each at its `until`: at once, by a delayed queue message, or by the table of deferred work."""
    queues: dict[str, list[sqs.Parcel]] = defaultdict(list)
    for job in jobs:
        wait = seconds_until(job["until"], now)
        if wait > 0 and not ledger.defer(job, datetime.fromisoformat(job["until"]), now):
            continue  # a repeat: the message is further on already
        _place(job, wait, queues)
    for queue, parcels in queues.items():
        sqs.send_all(queue, parcels)


def again(job: Mapping[str, Any], at: datetime, now: datetime) -> None:
    """Hand one message on once more, to be looked at again at a time."""
    all_again([(job, at)], now)


def all_again(jobs: Iterable[tuple[Mapping[str, Any], datetime]], now: datetime) -> None:
    """Hand messages on once more, each to be looked at again at its time."""
    queues: dict[str, list[sqs.Parcel]] = defaultdict(list)
    for job, at in jobs:
        _place({**job, "until": at.isoformat()}, seconds_until(at.isoformat(), now), queues)
    for queue, parcels in queues.items():
        sqs.send_all(queue, parcels)


def _place(job: Mapping[str, Any], wait: int, queues: dict[str, list[sqs.Parcel]]) -> None:
    if wait > LONGEST_DELAY:
        due.put(job, datetime.fromisoformat(job["until"]))
    else:
        queues[job["queue"]].append(sqs.Parcel(job["shop"], dict(job), delay=wait))


def hide(queue: str, handle: str, seconds: int) -> None:
    """Let a queue message that is to come again do so in `seconds`."""
    sqs.hide(f"queue:{queue}", handle, seconds)


def seconds_until(at: str, now: datetime) -> int:
    """Whole seconds from now to a moment, rounded up; 0 where it is past."""
    return max(0, -int((now - datetime.fromisoformat(at)).total_seconds() // 1))
