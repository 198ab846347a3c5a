"""What provider and sender allow now: one counter per bucket and window, one write for a whole run."""

import zlib
from collections import Counter
from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any

from vestnik import channels, plugins
from vestnik.domain.messages import Letter, Sender
from vestnik.store import limits

SPREAD = 10  # windows over which those that must wait come back


def grant(wanted: Sequence[tuple[Mapping[str, Any], Sender]], now: datetime) -> list[datetime | None]:
    """For each job None, if it may go now, else when it is to ask again."""
    needs = [_buckets(job, sender) for job, sender in wanted]
    left = {
        bucket: limits.take(bucket[0], n, bucket[1], bucket[2], now)
        for bucket, n in Counter(b for need in needs for b in need).items()
    }
    return [_use(need, left, job["message"], now) for need, (job, _) in zip(needs, wanted, strict=True)]


def _buckets(job: Mapping[str, Any], sender: Sender) -> list[tuple[str, int, int]]:
    channel = plugins.load(channels, sender.plugin)
    assert channel is not None, sender.plugin
    letter = Letter(sender.shop, job["message"], "", sender.channel, job["recipient"]["address"])
    buckets: list[tuple[str, int, int]] = channel.buckets(letter, sender)
    return buckets


def _use(
    need: list[tuple[str, int, int]], left: dict[tuple[str, int, int], int], message: str, now: datetime
) -> datetime | None:
    short = [bucket for bucket in need if left[bucket] <= 0]
    if short:
        return _later(max(window for _, _, window in short), message, now)
    for bucket in need:
        left[bucket] -= 1
    return None


def _later(window: int, message: str, now: datetime) -> datetime:
    """Behind the window's end, spread so that those that wait do not all come back at once."""
    end = (int(now.timestamp()) // window + 1) * window
    jitter = zlib.crc32(f"{message}{end}".encode()) % (window * SPREAD)
    return datetime.fromtimestamp(end, now.tzinfo) + timedelta(seconds=min(jitter, 600))
