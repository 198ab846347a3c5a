"""How Lambda wakes functions in the cloud, on the world's clock: pollers, batching windows, shards; and what it bills.

Sources: Lambda developer guide, "Using Lambda with Amazon SQS" (five pollers, long polls of 20 s, batching window),
"Using Lambda with DynamoDB" (each shard is read four times a second). What AWS does not tell is taken at its worst:
a long poll answers as soon as one message is there, so that at a slow pace nearly each message is a receive of its
own.
"""

import zlib
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any

from benchmarks.metering import Meter, chunks
from infra.world import World
from infra.world.triggers import QueueTrigger, StreamTrigger, _failed_ids, _sqs_record
from vestnik import topology

POLLERS = 5
RECEIVE_SECONDS = 0.02
MOST_RECEIVED = 10
READS_A_SECOND = 4
SHARDS = 4  # an on-demand table begins with four partitions

NEVER = datetime.max.replace(tzinfo=UTC)

Invoke = Callable[[str, dict[str, Any]], tuple[float, Any]]
"""Call a function's door: the seconds it took, and its answer."""


@dataclass(slots=True)
class Poller:
    """One of Lambda's pollers: what it has gathered since when, and when it is free again."""

    free_at: datetime
    gathered: list[Any] = field(default_factory=list)
    since: datetime = NEVER
    turns: int = 0


class Pollers(QueueTrigger):
    """A queue's event source mapping: gathers up to `batch` messages for up to `window` seconds, then invokes."""

    def __init__(self, trigger: QueueTrigger, world: World, meter: Meter, invoke: Invoke) -> None:
        super().__init__(trigger.function, trigger.trigger, world.account, world.doors, world.layer)
        self._now, self._meter, self._invoke = world.clock.now, meter, invoke
        self._pollers = [Poller(world.now()) for _ in range(POLLERS)]
        self.batches: list[int] = []

    def due(self, patient: bool = True) -> datetime | None:
        """When a poller next has something to do."""
        return min((at for poller in self._pollers if (at := self._next(poller))), default=None)

    def _next(self, poller: Poller) -> datetime | None:
        if poller.gathered and self._is_full(poller):
            return max(poller.free_at, self._now())
        there = self._queue.due()
        times = [] if there is None else [datetime.fromtimestamp(there / 1000, UTC)]
        times += [poller.since + timedelta(seconds=self.trigger.window)] if poller.gathered else []
        return max(poller.free_at, min(times)) if times else None

    def _is_full(self, poller: Poller) -> bool:
        return len(poller.gathered) >= self.trigger.batch or not self.trigger.window

    def fire(self) -> None:
        """Let the poller that is due first gather, or invoke."""
        waiting = [(at, poller.turns, n) for n, poller in enumerate(self._pollers) if (at := self._next(poller))]
        poller = self._pollers[min(waiting)[2]]
        over = poller.gathered and self._now() >= poller.since + timedelta(seconds=self.trigger.window)
        if poller.gathered and (over or self._is_full(poller)):
            return self._hand_over(poller)
        return self._receive(poller)

    def _receive(self, poller: Poller) -> None:
        most = min(MOST_RECEIVED, self.trigger.batch - len(poller.gathered))
        messages = self._queue.take(most, self._queue.visibility_timeout)
        size = sum(len(message.body.encode()) for message in messages)
        self._meter.queue_requests(chunks(size), fair=self._fair(messages))
        if not poller.gathered:
            poller.since = self._now()
        poller.gathered += messages
        poller.turns += 1
        poller.free_at = self._now() + timedelta(seconds=RECEIVE_SECONDS)

    @staticmethod
    def _fair(messages: list[Any]) -> bool:
        return any(message.group_id for message in messages)

    def _hand_over(self, poller: Poller) -> None:
        if self.trigger.window and not self._is_full(poller):
            self._meter.queue_requests(1, fair=False)  # the long poll that was still waiting
        messages, poller.gathered = poller.gathered, []
        records = [_sqs_record(message, self._queue.queue_arn) for message in messages]
        self.batches.append(len(records))
        took, answer = self._invoke(self.function, {"Records": records})
        failed = _failed_ids(answer, records)
        for start in range(0, len(records), MOST_RECEIVED):
            self._meter.queue_requests(1, fair=self._fair(messages[start : start + MOST_RECEIVED]))
        for record in records:
            if record["messageId"] not in failed:
                self._queue.delete_message(record["receiptHandle"])
        poller.free_at = self._now() + timedelta(seconds=took)


class Shards(StreamTrigger):
    """A stream's event source mapping: each shard by itself, four reads a second, a window gathered before a call."""

    def __init__(self, trigger: StreamTrigger, world: World, invoke: Invoke) -> None:
        super().__init__(trigger.function, trigger.trigger, world.account, world.doors, world.clock)
        self._invoke = invoke
        self._held: list[list[dict[str, Any]]] = [[] for _ in range(SHARDS)]
        self._first: list[datetime | None] = [None] * SHARDS
        self._windows: list[datetime | None] = [None] * SHARDS
        self.batches: list[int] = []

    def due(self, patient: bool = True) -> datetime | None:
        """At the next read while there is something to read or to hand over; at the end of an open window."""
        self._read()
        times = [at + self._gather for at in self._first if at] + [end for end in self._windows if end]
        return min(times, default=None)

    @property
    def _gather(self) -> timedelta:
        return timedelta(seconds=max(self.trigger.window, 1 / READS_A_SECOND))

    def _read(self) -> None:
        for entry in self._shard.items[self._position :]:
            record = {**entry.to_json(), "eventSourceARN": self._arn}
            if self._wanted.match(record):
                shard = zlib.crc32(record["dynamodb"]["Keys"]["pk"]["S"].encode()) % SHARDS
                self._held[shard].append(record)
                self._first[shard] = self._first[shard] or self._clock.now()
        self._pass(len(self._shard.items) - self._position)

    def fire(self) -> None:
        """Hand over what a shard has gathered, and close its window when that is over."""
        now = self._clock.now()
        for shard in range(SHARDS):
            since, end = self._first[shard], self._windows[shard]
            if since and since + self._gather <= now:
                self._hand_over(shard)
            elif end and end <= now:
                self._windows[shard] = None
                self._invoke(self.function, self._of(shard, [], final=True))

    def _hand_over(self, shard: int) -> None:
        held, self._held[shard], self._first[shard] = self._held[shard], [], None
        for start in range(0, len(held), self.trigger.batch):
            batch = held[start : start + self.trigger.batch]
            self.batches.append(len(batch))
            self._invoke(self.function, self._of(shard, batch, final=False))
        length = self.trigger.window
        if length:
            start_of_window = int(self._clock.now().timestamp()) // length * length
            self._windows[shard] = datetime.fromtimestamp(start_of_window + length, UTC)

    def _of(self, shard: int, records: list[dict[str, Any]], *, final: bool) -> dict[str, Any]:
        return {**self._event(records, final=final), "shardId": f"shardId-{shard:020d}"}


def as_lambda(world: World, meter: Meter, invoke: Invoke) -> dict[str, Pollers | Shards]:
    """Put these in place of the world's own triggers; by the name of the queue or table."""
    made: dict[str, Pollers | Shards] = {}
    triggers = world.engine._triggers
    for place, trigger in enumerate(triggers):
        if isinstance(trigger, QueueTrigger):
            triggers[place] = made[trigger.trigger.queue] = Pollers(trigger, world, meter, invoke)
        elif isinstance(trigger, StreamTrigger):
            triggers[place] = made[trigger.trigger.table] = Shards(trigger, world, invoke)
    return made


def idle_receives_a_month() -> int:
    """Receives of Lambda's pollers on queues where nothing comes: each waits 20 s."""
    queues = {wake.queue for f in topology.functions() for wake in f.wakes if isinstance(wake, topology.FromQueue)}
    return len(queues) * POLLERS * 3 * 60 * 24 * 30
