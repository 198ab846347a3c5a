"""How long one shop waits while another posts 100,000 events at once: queues, pollers and limiter on a simulated clock.

The queues are the project's imitation of SQS's fair queues; batches and windows are the map's; what the provider
allows is shared out by the project's own `flows.allowance`, its counters kept in memory. A message's wait is from the
post to its sending, through both queues. Lambda's pollers stay at their first five: in the cloud they grow.
"""

import itertools
from collections import Counter
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from statistics import median
from typing import Any
from unittest.mock import patch

from infra.world.fair_queue import READY, FairQueue
from vestnik import topology
from vestnik.domain.messages import Sender
from vestnik.flows import allowance
from vestnik.store import limits

START = datetime(2026, 11, 20, 8, 0, tzinfo=UTC)
POLLERS = 5
EVALUATION_SECONDS, SENDING_SECONDS, REFUSAL_SECONDS = 0.027, 0.1, 0.02  # a message, in its batch
NOISY, QUIET = "shop-a", "shop-b"


class Message:
    """A message as the fair queue handles it."""

    numbers = itertools.count()

    def __init__(self, shop: str, posted: float, visible: float, asked: int = 0) -> None:
        self.id = self.receipt_handle = f"{next(self.numbers)}"
        self.group_id, self.posted, self.delayed_until, self.asked = shop, posted, visible, asked
        self.visible_at = 0.0
        self.place, self.ticket = READY, 0
        self.all_receipt_handles: list[str] = []

    def mark_received(self, visibility_timeout: int) -> None:
        """Hide it; no run here is so slow that it would show itself again."""
        self.visible_at = float("inf")


@dataclass(slots=True)
class Time:
    """The simulated clock: seconds since START."""

    now: float = 0.0

    def at(self) -> datetime:
        """The moment it tells."""
        return START + timedelta(seconds=self.now)


def queue(time: Time) -> FairQueue:
    """A fair queue with neither moto's backend nor dead letters."""
    made = FairQueue.__new__(FairQueue)
    made.clock = lambda: time.now * 1000
    made.dead_letter_queue, made.redrive_policy, made.deleted_messages = None, None, set()
    made._messages = []
    return made


@dataclass(slots=True)
class Poller:
    """One poller and the run it feeds."""

    free_at: float = 0.0
    since: float = 0.0
    gathered: list[Message] = field(default_factory=list)


class Stage:
    """A queue and the function behind it. `work` handles a batch and answers how long it takes."""

    def __init__(self, time: Time, trigger: topology.FromQueue, work: Any) -> None:
        self.time, self.trigger, self.work = time, trigger, work
        self.queue = queue(time)
        self.pollers = [Poller() for _ in range(POLLERS)]

    def put(self, shop: str, posted: float, at: float, asked: int = 0) -> None:
        """Queue a message, to be seen from a time on. `asked`: how often it has asked the limiter in vain."""
        self.queue.add_message(Message(shop, posted, at * 1000, asked))

    def next(self) -> float:
        """When something is to be done here."""
        return min(self._due(poller) for poller in self.pollers)

    def _due(self, poller: Poller) -> float:
        if len(poller.gathered) >= self.trigger.batch:
            return max(poller.free_at, self.time.now)
        there = self.queue.due()
        arrival = float("inf") if there is None else there / 1000
        end = poller.since + self.trigger.window if poller.gathered else float("inf")
        return max(poller.free_at, min(arrival, end))

    def step(self) -> None:
        """Let the poller that is due first receive, or run its batch."""
        poller = min(self.pollers, key=self._due)
        full = len(poller.gathered) >= self.trigger.batch
        if poller.gathered and (full or self.time.now >= poller.since + self.trigger.window):
            return self._run(poller)
        poller.since = poller.since if poller.gathered else self.time.now
        poller.gathered += self.queue.take(min(10, self.trigger.batch - len(poller.gathered)), 60)
        poller.free_at = self.time.now + 0.02
        return None

    def _run(self, poller: Poller) -> None:
        batch, poller.gathered = poller.gathered, []
        poller.free_at = self.time.now + self.work(batch)
        for message in batch:
            self.queue.delete_message(message.receipt_handle)


class Shops:
    """The way of messages from the post to their sending. `waits`: seconds by shop, in order of sending."""

    def __init__(self) -> None:
        self.time = Time()
        self.waits: dict[str, list[float]] = {NOISY: [], QUIET: []}
        self.evaluation = Stage(self.time, _trigger("to-evaluate"), self._evaluate)
        self.sending = Stage(self.time, _trigger("to-send-email-ses"), self._send)
        self._used: Counter[tuple[str, int]] = Counter()

    def _evaluate(self, batch: list[Message]) -> float:
        took = EVALUATION_SECONDS * len(batch)
        for message in batch:
            self.sending.put(message.group_id, message.posted, self.time.now + took)
        return took

    def _send(self, batch: list[Message]) -> float:
        """Ask the limiter for each shop's part, as flows.delivery does; who may not go comes again later."""
        took = 0.0
        for shop in dict.fromkeys(message.group_id for message in batch):
            group = [message for message in batch if message.group_id == shop]
            with patch.object(limits, "take", self._take):
                granted = allowance.grant([(_job(message), _sender(shop)) for message in group], self.time.at())
            for message, later in zip(group, granted, strict=True):
                took += SENDING_SECONDS if later is None else REFUSAL_SECONDS
                if later is None:
                    self.waits[shop].append(self.time.now + took - message.posted)
                else:
                    self.sending.put(shop, message.posted, (later - START).total_seconds(), message.asked + 1)
        return took

    def _take(self, bucket: str, n: int, cap: int, window: int, now: datetime) -> int:
        """store.limits.take, in memory."""
        key = bucket, int(now.timestamp()) // window
        granted = max(0, min(n, cap - self._used[key]))
        self._used[key] += granted
        return granted

    def run(self, posts: list[tuple[float, str]], seconds: float) -> None:
        """Post (second, shop) and let `seconds` pass."""
        waiting = sorted(posts, reverse=True)
        while self.time.now < seconds:
            at = min(self.evaluation.next(), self.sending.next(), waiting[-1][0] if waiting else seconds, seconds)
            self.time.now = max(self.time.now, at)
            if waiting and waiting[-1][0] <= self.time.now:
                posted, shop = waiting.pop()
                self.evaluation.put(shop, posted, posted)
            elif self.evaluation.next() <= self.time.now:
                self.evaluation.step()
            elif self.sending.next() <= self.time.now:
                self.sending.step()


def _trigger(queue: str) -> topology.FromQueue:
    wakes = (wake for function in topology.functions() for wake in function.wakes)
    return next(wake for wake in wakes if isinstance(wake, topology.FromQueue) and wake.queue == queue)


def _job(message: Message) -> dict[str, Any]:
    return {
        "message": message.id,
        "asked": message.asked,
        "recipient": {"address": "buyer@example.com"},
        "purpose": "transactional",
    }


def _sender(shop: str) -> Sender:
    return Sender(shop, "ses", "email", "email_ses", shop, {"from_address": "orders@example.com"})


def waits(noise: int, *, every: float = 1.0, count: int = 30) -> list[float]:
    """Seconds that each of the quiet shop's `count` messages waited, while the other posts `noise` events at once."""
    shops = Shops()
    posts = [(0.0, NOISY)] * noise + [(5.0 + n * every, QUIET) for n in range(count)]
    shops.run(posts, 5.0 + count * every + 30)
    found = shops.waits[QUIET]
    return found + [float("inf")] * (count - len(found))


def run(noise: int = 100_000) -> dict[str, float]:
    """{quiet_s, busy_s, worst_s, times}: medians without and with the noise, the worst, and worst by quiet median."""
    quiet, busy = waits(0), waits(noise)
    base = median(quiet)
    return {"quiet_s": base, "busy_s": median(busy), "worst_s": max(busy), "times": max(busy) / base, "aim": 2.0}


def main() -> None:
    for name, value in run().items():
        print(f"{name:10} {value:.2f}")


if __name__ == "__main__":
    main()
