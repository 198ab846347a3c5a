"""Waking a flow of an account without flooding its queue, however many changes and notifications come in.

The first is heard at once, and one more some seconds later for what came meanwhile: none waits for the clock.
"""

from datetime import datetime

from vestnik.store import limits, sqs

QUEUE = "to-sync"
EVERY = 5  # seconds
WOKEN = {"woken": True}
"""What a message says that a change sent, and not the clock: it waits for a run under way, and is not dropped."""
_heard_of: dict[tuple[str, str, str], int] = {}


def soon(shop: str, account: str, flow: str, now: datetime) -> None:
    """Let a flow of an account run soon. Of many that wake it within seconds two are heard: the first, and one for all
    that came after."""
    window = int(now.timestamp()) // EVERY
    if _heard_of.get((shop, account, flow)) == window:
        return
    left = (window + 1) * EVERY - int(now.timestamp())
    if _heard(shop, account, flow, "now", now):
        _send(shop, account, flow, 0)
    elif _heard(shop, account, flow, "then", now):
        _send(shop, account, flow, left)
    else:
        _heard_of[shop, account, flow] = window


def _heard(shop: str, account: str, flow: str, which: str, now: datetime) -> bool:
    return limits.take(f"{shop}#wake-{which}#{account}#{flow}", 1, 1, EVERY, now) == 1


def _send(shop: str, account: str, flow: str, delay: int) -> None:
    message = {"v": 1, "shop": shop, "account": account, "flow": flow, **WOKEN}
    sqs.send_all(QUEUE, [sqs.Parcel(shop, message, delay=delay)])


def forget() -> None:
    """Drop what is kept in memory."""
    _heard_of.clear()
