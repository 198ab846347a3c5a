"""How fast a channel may send, as buckets of the limiter."""

import math

from vestnik.domain.messages import Sender
from vestnik.resources import env

Bucket = tuple[str, int, int]


def bucket(name: str, rate: float) -> Bucket:
    """(name, cap, window in seconds) for `rate` messages per second; a rate below one widens the window."""
    return (name, int(rate), 1) if rate >= 1 else (name, 1, math.ceil(1 / rate))


def account_rate(rate: float) -> float:
    """What the account may send a second: the variable RATE of the channel's function, else the channel's own."""
    return float(env("RATE", str(rate)))


def account(plugin: str, rate: float) -> Bucket:
    """The bucket that all shops of the deployment share."""
    return bucket(plugin, account_rate(rate))


def own(sender: Sender, rate: float) -> Bucket:
    """The bucket of one sender of a shop's, at its own rate or the channel's."""
    return bucket(f"{sender.plugin}#{sender.shop}#{sender.id}", sender.rate or rate)
