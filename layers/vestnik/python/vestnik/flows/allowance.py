"""What provider and sender allow now: one counter per bucket and window, one write for a whole run.

A fifth of what all shops share is kept for shops that have had little in the window, or a shop that sends much would
let its neighbours starve: everybody's retries compete, and the loudest has the most of them.
"""

import zlib
from collections import Counter
from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any

from vestnik import channels, plugins
from vestnik.domain.messages import Letter, Sender
from vestnik.store import limits

KEPT = 5  # one part in five of a shared bucket is kept for those who have had little
SHARE = 10  # and of that each shop gets one part in ten of the bucket
SPREAD = 2  # windows over which those that must wait come back; each time they wait again it is one more
LONGEST = 600  # seconds

type Bucket = tuple[str, int, int]  # name, cap, window in seconds


def grant(wanted: Sequence[tuple[Mapping[str, Any], Sender]], now: datetime) -> list[datetime | None]:
    """For each job of one shop None, if it may go now, else when it is to ask again. `asked` of a job: how often it
    has asked in vain; a long backlog then asks some 2 * sqrt(seconds) times until it is through, and not always."""
    needs = [_buckets(job, sender) for job, sender in wanted]
    short: list[Bucket | None] = [None] * len(wanted)
    for level in range(max(map(len, needs), default=0)):
        going = [n for n, need in enumerate(needs) if short[n] is None and level < len(need)]
        left = _left(Counter(needs[n][level] for n in going), wanted[0][1].shop, now)
        for n in going:
            bucket = needs[n][level]
            left[bucket] -= 1
            short[n] = bucket if left[bucket] < 0 else None
    return [_later(lacks[2], job, now) if lacks else None for lacks, (job, _) in zip(short, wanted, strict=True)]


def _buckets(job: Mapping[str, Any], sender: Sender) -> list[Bucket]:
    """A job's buckets, those that refill soonest first: only what these grant is asked of the others, so that what is
    not used is lost for a moment and not for a minute."""
    channel = plugins.load(channels, sender.plugin)
    assert channel is not None, sender.plugin
    letter = Letter(sender.shop, job["message"], "", sender.channel, job["recipient"]["address"])
    return sorted(channel.buckets(letter, sender), key=lambda bucket: (bucket[2], bucket[1]))


def _left(asked: Mapping[Bucket, int], shop: str, now: datetime) -> dict[Bucket, int]:
    return {bucket: _take(bucket, n, shop, now) for bucket, n in asked.items()}


def _take(bucket: Bucket, n: int, shop: str, now: datetime) -> int:
    """How many of `n` a bucket grants: of what is for all, then of what is kept for those who have had little."""
    name, cap, window = bucket
    kept = 0 if f"#{shop}#" in name else cap // KEPT
    granted = limits.take(name, n, cap - kept, window, now)
    if kept and granted < n:
        due = limits.take(f"{name}#share#{shop}", n - granted, max(1, cap // SHARE), window, now)
        granted += limits.take(name, due, cap, window, now) if due else 0
    return granted


def _later(window: int, job: Mapping[str, Any], now: datetime) -> datetime:
    """Behind the window's end, spread so that those that wait do not all come back at once."""
    end = (int(now.timestamp()) // window + 1) * window
    spread = min(window * (SPREAD + job.get("asked", 0)), LONGEST)
    jitter = zlib.crc32(f"{job['message']}{end}".encode()) % spread
    return datetime.fromtimestamp(end, now.tzinfo) + timedelta(seconds=jitter)
