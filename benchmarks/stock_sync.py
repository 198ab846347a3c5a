"""Efficiency of stock: 100,000 changed pairs of an account, against an ideal client under the same limits.

The real flows run against the twins on loopback, on a clock that only waiting moves; the floor is the twin's own
limiter, asked by a client that always knows when it may. Write calls only; read-backs are counted beside.
"""

import threading
import time
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

import psutil

from benchmarks import cabinets, offline
from benchmarks.cabinets import SHOP, SHOPS_WAREHOUSE, Cabinet
from benchmarks.offline import Offline
from infra.twins.market import SlidingWindow, Tokens
from vestnik import topology
from vestnik.flows import stock_keep, stock_send

PAIRS = 100_000
LAMBDA = timedelta(seconds=topology.SYNC_TIMEOUT - 10)
MOST_RUNS = 2_000


@dataclass(frozen=True, slots=True)
class Floor:
    """What a marketplace allows: rows a call, and the twin's own limiter, new. `path`: where stock is written."""

    rows: int
    limiter: Callable[[], SlidingWindow | Tokens]
    path: str


FLOORS = {
    "ozon": Floor(100, lambda: SlidingWindow(80, 60), "/v2/products/stocks"),
    "wildberries": Floor(1000, lambda: Tokens(0.2, 20), "/api/v3/stocks/"),
    "yandex_market": Floor(2000, lambda: SlidingWindow(50, 60), "/offers/stocks/update"),
}


def run(pairs: int = PAIRS, known: int = 1_000_000) -> dict[str, Any]:
    """Each marketplace by itself; then what a change of one in a hundred costs, by how much is known."""
    return {
        "efficiency": {name: efficiency(name, pairs) for name in FLOORS},
        "cost": {f"{n:,} known": change(n, known // 100) for n in (known // 10, known)},
    }


def efficiency(marketplace: str, pairs: int) -> dict[str, Any]:
    """How long until all changed pairs are at the marketplace, and what it took."""
    floor = FLOORS[marketplace]
    least_calls = -(-pairs // floor.rows)
    least = ideal(floor.limiter(), least_calls)
    with offline.world() as world:
        cabinet = _connected(world, marketplace)
        units = cabinets.stock_up(world, cabinet, pairs)
        _changed(pairs, 5, world.time.now())
        cabinet.twin.calls.clear()
        world.database.reset_bill()
        began = world.time.now()
        took = _until_sent(world, cabinet)
        writes = [call for call in cabinet.twin.calls if floor.path in call.path and _is_write(call.method, call.path)]
        last = max((call.at for call in writes), default=began)
        lost = sum(cabinet.show(unit) != 5 for unit in units)
        seconds = (last - began).total_seconds()
        return {
            "pairs": pairs,
            "calls": len(writes),
            "least calls": least_calls,
            "reads": len(cabinet.twin.calls) - len(writes),
            "seconds": round(seconds, 1),
            "least seconds": round(least, 1),
            "speed": round(least / seconds, 3) if seconds else 1.0,
            "too many": sum(call.status in (420, 429) for call in cabinet.twin.calls),
            "lost": lost,
            "write units a pair": round(world.database.write_units / pairs, 2),
            "read units a pair": round(world.database.read_units / pairs, 2),
            **took,
        }


def _connected(world: Offline, marketplace: str) -> Cabinet:
    """A cabinet whose first run is over: later ones read nothing before they send."""
    cabinet = cabinets.opened(world, marketplace)
    stock_send.run(cabinet.account, world.time.now, world.time.now() + LAMBDA)
    world.time.at = offline.START + timedelta(hours=1)
    return cabinet


def _is_write(method: str, path: str) -> bool:
    return method == "PUT" or not path.startswith("/api/v3/stocks/")


def ideal(limiter: SlidingWindow | Tokens, calls: int) -> float:
    """Seconds that a client needs who asks for each call exactly when it may."""
    at = offline.START
    for _ in range(calls):
        while wait := limiter.take(at):
            at += timedelta(seconds=wait)
    return (at - offline.START).total_seconds()


def _changed(pairs: int, quantity: int, now: datetime) -> None:
    """The shop tells new numbers, ten thousand rows at a time."""
    for start in range(0, pairs, 10_000):
        numbers = range(start, min(start + 10_000, pairs))
        rows = [{"item": cabinets.item(n), "warehouse": SHOPS_WAREHOUSE, "quantity": quantity} for n in numbers]
        stock_keep.keep(SHOP, rows, now)


def _until_sent(world: Offline, cabinet: Cabinet) -> dict[str, Any]:
    """Let runs follow one another as the queue would bring them, until nothing is left."""
    longest, cpu, runs = 0.0, time.process_time(), 0
    with Memory() as memory:
        for runs in range(1, MOST_RUNS):  # noqa: B007
            began, began_cpu = world.time.now(), time.process_time()
            report = stock_send.run(cabinet.account, world.time.now, began + LAMBDA)
            waited = (world.time.now() - began).total_seconds()
            longest = max(longest, waited + time.process_time() - began_cpu)
            if report.again is None:
                break
            world.time.move_to(report.again)
    return {
        "runs": runs,
        "longest run s": round(longest, 1),
        "cpu s": round(time.process_time() - cpu, 1),
        "memory MB": memory.most,
    }


class Memory:
    """The most memory that the process has while a block runs, less what the stand-ins held when it began: what a
    worker needs at most, with a bare process counted in."""

    BARE_MB = 90

    def __init__(self) -> None:
        self.most = 0
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._look, daemon=True)

    def __enter__(self) -> "Memory":
        self._before = psutil.Process().memory_info().rss
        self._thread.start()
        return self

    def __exit__(self, *error: object) -> None:
        self._stop.set()
        self._thread.join()

    def _look(self) -> None:
        while not self._stop.wait(0.05):
            with suppress(psutil.Error):
                grown = (psutil.Process().memory_info().rss - self._before) // 2**20
                self.most = max(self.most, grown + self.BARE_MB)


def change(known: int, changed: int) -> dict[str, Any]:
    """What it costs to bring `changed` of `known` items to an account: requests as DynamoDB bills them."""
    with offline.world() as world:
        cabinet = _connected(world, "wildberries")
        cabinets.stock_up(world, cabinet, known, at_the_twin=False)
        for n in range(changed):
            cabinet.add(cabinet.unit(n), 9)
        world.database.reset_bill()
        _changed(changed, 5, world.time.now())
        _until_sent(world, cabinet)
        return {
            "changed": changed,
            "write units": world.database.write_units,
            "read units": world.database.read_units,
            "requests": sum(world.database.calls.values()),
        }
