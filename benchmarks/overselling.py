"""Overselling: two hours of buyers in three marketplaces and the shop, all after the same few pieces.

The real flows run: the clock's minute, the queue of syncs, orders before stock, holds, marks, calls. What is done to
them: the shop posts late, twice and out of order; queue messages are delayed, doubled and shuffled; each marketplace
is away for ten minutes. Compared with `least_oversold` for the same buyers.
"""

import random
import re
from collections import defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from datetime import timedelta
from statistics import quantiles
from typing import Any

from benchmarks import cabinets, least_oversold, offline
from benchmarks.cabinets import SHOP, SHOPS_WAREHOUSE
from benchmarks.least_oversold import Buyer, Delays
from benchmarks.offline import START, Offline
from vestnik import marketplaces, topology
from vestnik.domain.market import stock
from vestnik.flows import stock_keep, stock_orders, syncs
from vestnik.store import accounts, goods, settings

MARKETPLACES = ("ozon", "wildberries", "yandex_market")
LAMBDA = timedelta(seconds=topology.SYNC_TIMEOUT - 10)
OUTAGE = 600
HOURS = 2
CALL_SECONDS = 0.15


@dataclass(slots=True)
class Sales:
    """What a play came to: pieces sold by item, when each was sold, and when every other channel showed it."""

    sold: dict[str, int] = field(default_factory=lambda: defaultdict(int))
    turned_away: int = 0
    waiting: list[tuple[float, str, str]] = field(default_factory=list)
    spread: list[float] = field(default_factory=list)


def run(items: int = 40, pieces: int = 4, buyers: int = 900, seed: int = 7) -> dict[str, Any]:
    """Play it, and say what was oversold, how long news took, and what differs when all is at rest."""
    chance = random.Random(seed)
    crowd = list(_crowd(chance, items, buyers))
    outages = {name: [(1800.0 * (n + 1), 1800.0 * (n + 1) + OUTAGE)] for n, name in enumerate(MARKETPLACES)}
    had = {cabinets.item(n): pieces for n in range(items)}
    with offline.world(CALL_SECONDS) as world:
        play = Play(world, chance, outages, items, pieces)
        play.go(crowd)
        ours = sum(max(0, n - had[item]) for item, n in play.sales.sold.items())
        delays = Delays({name: _looks(name, world) for name in MARKETPLACES}, outages)
        p50, p99 = _quantiles(play.sales.spread)
        return {
            "buyers": buyers,
            "sold": sum(play.sales.sold.values()),
            "oversold": ours,
            "least oversold": least_oversold.oversold(crowd, had, delays),
            "drift": play.drift(),
            "seen elsewhere p50 s": p50,
            "seen elsewhere p99 s": p99,
        }


def _crowd(chance: random.Random, items: int, buyers: int) -> Iterator[Buyer]:
    for _ in range(buyers):
        channel = chance.choice([*MARKETPLACES, least_oversold.SHOP])
        at, item = chance.uniform(60, HOURS * 3600), cabinets.item(int(chance.triangular(0, items, 0)))
        yield Buyer(at, channel, item, chance.uniform(0, 30))


def _looks(marketplace: str, world: Offline) -> list[float]:
    """When a marketplace was asked for its orders, seconds from the start."""
    told = marketplaces.shipped(marketplace).definitions.values()
    paths = [
        re.sub(r"\{[^}]*\}", "[^/]+", one["path"]) for one in told if one["purpose"] in ("orders.list", "orders.new")
    ]
    pattern = re.compile("|".join(paths))
    calls = world.twins[marketplace].calls
    return [(call.at - START).total_seconds() for call in calls if call.status == 200 and pattern.fullmatch(call.path)]


def _quantiles(spread: Sequence[float]) -> tuple[float, float]:
    cuts = quantiles(spread, n=100) if len(spread) > 1 else [0.0] * 99
    return round(cuts[49], 1), round(cuts[98], 1)


class Play:
    """The world, its buyers and its clock."""

    def __init__(
        self,
        world: Offline,
        chance: random.Random,
        outages: dict[str, list[tuple[float, float]]],
        items: int,
        pieces: int,
    ) -> None:
        self.world, self.chance, self.outages, self.sales = world, chance, outages, Sales()
        self.cabinets = {name: cabinets.opened(world, name) for name in MARKETPLACES}
        self.unit: dict[str, dict[str, str]] = {name: {} for name in MARKETPLACES}
        links = defaultdict[str, set[str]](set)
        for name, cabinet in self.cabinets.items():
            for n, unit in enumerate(cabinets.stock_up(world, cabinet, items, pieces)):
                self.unit[name][cabinets.item(n)] = unit
                links[cabinets.item(n)].add(f"{cabinet.account.id}|{unit}")
            accounts.watch(SHOP, cabinet.account.id)
        cabinets.link_all(world, links)
        stock_keep.keep(SHOP, [_row(n, pieces) for n in range(items)], START)
        self._posts: list[tuple[float, dict[str, Any]]] = []
        self._orders = 0

    def go(self, crowd: Sequence[Buyer]) -> None:
        """Second by second: buyers, the shop's posts, the minute, the queue."""
        coming = sorted(crowd, key=lambda buyer: buyer.at, reverse=True)
        end = START + timedelta(hours=HOURS, minutes=40)
        second = 0
        while self.world.time.now() < end:
            second = max(second + 1, int((self.world.time.now() - START).total_seconds()))
            self.world.time.move_to(START + timedelta(seconds=second))
            self._outages(second)
            while coming and coming[-1].at <= self._elapsed():
                self._buy(coming.pop())
            self._post()
            if second % 60 == 0:
                syncs.start(self.world.time.now())
            self._serve()
            self._see()

    def _elapsed(self) -> float:
        return (self.world.time.now() - START).total_seconds()

    def _outages(self, second: int) -> None:
        for name, times in self.outages.items():
            for begin, end in times:
                if begin <= second < end:
                    self.world.twins[name].down_until = START + timedelta(seconds=end)

    def _buy(self, buyer: Buyer) -> None:
        if buyer.channel == least_oversold.SHOP:
            bought = self._buy_at_the_shop(buyer)
        else:
            bought = self.cabinets[buyer.channel].sell(self.unit[buyer.channel][buyer.item]) is not None
        if not bought:
            self.sales.turned_away += 1
            return
        self.sales.sold[buyer.item] += 1
        self.sales.waiting.append((self._elapsed(), buyer.channel, buyer.item))

    def _buy_at_the_shop(self, buyer: Buyer) -> bool:
        """The shop sells what Vestnik tells it is left, less what it has not told yet itself."""
        item = goods.get(SHOP, buyer.item)
        untold = sum(event["data"]["order"]["items"][0]["sku"] == buyer.item for _, event in self._untold())
        if item is None or (stock.available(item) or 0) - untold <= 0:
            return False
        self._orders += 1
        order = {"id": f"o-{self._orders}", "items": [{"sku": buyer.item, "quantity": 1}]}
        event = {"type": "order.placed", "time": self.world.time.now().isoformat(), "data": {"order": order}}
        at = self._elapsed() + buyer.told_after
        self._posts.append((at, event))
        if self.chance.random() < 0.2:  # the shop's back end posts it once more
            self._posts.append((at + self.chance.uniform(0, 60), event))
        return True

    def _untold(self) -> list[tuple[float, dict[str, Any]]]:
        told: dict[str, tuple[float, dict[str, Any]]] = {}
        for at, event in sorted(self._posts, key=lambda post: post[0]):
            told.setdefault(event["data"]["order"]["id"], (at, event))
        return [post for post in told.values() if post[0] > self._elapsed() and not post[1].get("posted")]

    def _post(self) -> None:
        now = self._elapsed()
        due = [event for at, event in self._posts if at <= now]
        self._posts = [post for post in self._posts if post[0] > now]
        self.chance.shuffle(due)
        for event in due:
            at = self.world.time.now()
            stock_orders.take(SHOP, event, settings.current(SHOP, at), at)
            event["posted"] = True

    def _serve(self) -> None:
        """Give the messages whose time has come to the worker: late, in any order, some twice."""
        queue = self.world.queues.sent.get(syncs.QUEUE)
        if not queue:
            return
        now = self.world.time.now()
        ready = [message for at, message in queue if at <= now]
        left = [entry for entry in queue if entry[0] > now]
        queue.clear()
        queue.extend(left)
        self.chance.shuffle(ready)
        for message in ready:
            if self.chance.random() < 0.1:
                queue.append((now + timedelta(seconds=self.chance.uniform(0, 5)), message))
            syncs.take(message, self.world.time.now, self.world.time.now() + LAMBDA)

    def _see(self) -> None:
        """Note since when every marketplace shows no more than there is after each sale."""
        left = list[tuple[float, str, str]]()
        for at, channel, item in self.sales.waiting:
            found = goods.get(SHOP, item)
            known = max(0, stock.available(found) or 0) if found else 0
            shown = [self.cabinets[n].show(self.unit[n][item]) for n in MARKETPLACES if n != channel]
            if max(shown) <= known and self._is_known(channel, item):
                self.sales.spread.append(self._elapsed() - at)
            else:
                left.append((at, channel, item))
        self.sales.waiting = left

    def _is_known(self, channel: str, item: str) -> bool:
        """Whether Vestnik holds as many of an item as were sold."""
        found = goods.get(SHOP, item)
        return found is not None and sum(hold.quantity for hold in found.held.values()) >= self.sales.sold[item]

    def drift(self) -> int:
        """Pairs whose number is not what it should be, when all is at rest."""
        wrong = 0
        for name, cabinet in self.cabinets.items():
            for item, unit in self.unit[name].items():
                found = goods.get(SHOP, item)
                due = max(0, stock.available(found) or 0) if found else 0
                wrong += cabinet.show(unit) != due
        return wrong


def _row(n: int, pieces: int) -> dict[str, Any]:
    return {"item": cabinets.item(n), "warehouse": SHOPS_WAREHOUSE, "quantity": pieces}
