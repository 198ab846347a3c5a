"""The least that can be oversold: the same buyers met by a system that thinks and writes in no time, and is held up by
the same things as ours. A marketplace tells of a sale when it is asked, the shop when it posts, nobody in an outage.
"""

import math
from bisect import bisect_left, bisect_right
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field

SHOP = "shop"


@dataclass(frozen=True, slots=True)
class Buyer:
    """Somebody who wants one piece: when (seconds from the start), where (a marketplace or SHOP), of which item.
    `told_after`: how late the shop posts the order, where it is the shop's."""

    at: float
    channel: str
    item: str
    told_after: float = 0.0


@dataclass(frozen=True, slots=True)
class Delays:
    """What holds everybody up. `looks`: by marketplace, when it was asked for its orders, in order; `outages`: by
    marketplace, (from, to) in which it can neither be asked nor written to."""

    looks: Mapping[str, Sequence[float]]
    outages: Mapping[str, Sequence[tuple[float, float]]] = field(default_factory=dict)

    def known(self, buyer: Buyer) -> float:
        """When a sale can be known at the earliest."""
        if buyer.channel == SHOP:
            return buyer.at + buyer.told_after
        looks = self.looks[buyer.channel]
        after = bisect_right(looks, buyer.at)
        return looks[after] if after < len(looks) else math.inf

    def reachable(self, channel: str, at: float) -> float:
        """The first moment from `at` on at which a marketplace can be spoken to."""
        for begin, end in self.outages.get(channel, ()):
            if begin <= at < end:
                return end
        return at


def oversold(buyers: Iterable[Buyer], stock: Mapping[str, int], delays: Delays) -> int:
    """How many pieces that system sells beyond what there is."""
    sold: dict[str, int] = defaultdict(int)
    own: dict[tuple[str, str], int] = defaultdict(int)
    heard: dict[tuple[str, str], list[float]] = defaultdict(list)
    channels = sorted({SHOP, *delays.outages})
    for buyer in sorted(buyers, key=lambda one: one.at):
        here = (buyer.channel, buyer.item)
        shown = stock[buyer.item] - own[here] - bisect_right(heard[here], buyer.at)
        if shown <= 0:
            continue
        sold[buyer.item] += 1
        own[here] += 1
        known = delays.known(buyer)
        for channel in channels:
            if channel != buyer.channel:
                reached = delays.reachable(channel, known)
                times = heard[channel, buyer.item]
                times.insert(bisect_left(times, reached), reached)
    return sum(max(0, n - stock[item]) for item, n in sold.items())
