"""What wakes the doors: queues, a table's stream, schedules. Each tells when it is due next, and fires once."""

import contextlib
import json
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any, Protocol

from moto.sqs import models as sqs

from infra.world.account import PREFIX, REGION, Account
from infra.world.clock import Clock
from infra.world.doors import Doors, Failed
from infra.world.http_layer import HttpLayer
from vestnik import topology
from vestnik.domain import patterns


class Trigger(Protocol):
    """Something that wakes a door. `fire` does one step; it is called only when `due(...) <= now`."""

    def due(self, patient: bool) -> datetime | None:
        """When it wants to fire next; None: not before something else happens. `patient`: it gathers for its window
        first, as in the cloud; otherwise what is there is taken at once."""

    def fire(self) -> None:
        """Call the door once."""


class QueueTrigger:
    """Polls a queue for a function, as Lambda's event source mapping does, with partial batch responses."""

    def __init__(
        self, function: str, trigger: topology.FromQueue, account: Account, doors: Doors, layer: HttpLayer
    ) -> None:
        self.function, self.trigger, self._doors, self._layer = function, trigger, doors, layer
        self._queue = account.queue(trigger.queue)
        self._word = f"queue:{trigger.queue}"
        self._since: float | None = None

    def due(self, patient: bool) -> datetime | None:
        """When the queue's next message can be taken."""
        at = self._queue.due()
        if at is None:
            self._since = None
            return None
        if not patient or self._queue.approximate_number_of_messages >= self.trigger.batch:
            return datetime.fromtimestamp(at / 1000, UTC)
        self._since = at if self._since is None else min(at, self._since)
        return datetime.fromtimestamp(self._since / 1000 + self.trigger.window, UTC)

    def fire(self) -> None:
        """Take a batch, call the door, delete what it did not report as failed."""
        self._since = None
        messages = self._queue.take(self.trigger.batch, self._queue.visibility_timeout)
        if not messages:
            return
        self._layer.polled("ReceiveMessage", self._word)
        records = [_sqs_record(m, self._queue.queue_arn) for m in messages]
        try:
            failed = _failed_ids(self._doors.call(self.function, {"Records": records}), records)
        except Failed:
            return  # the messages show themselves again when their visibility time-out is over
        done = [r["receiptHandle"] for r in records if r["messageId"] not in failed]
        if done and self._layer.polled("DeleteMessageBatch", self._word):
            for handle in done:
                self._queue.delete_message(handle)


def _sqs_record(message: Any, arn: str) -> dict[str, Any]:
    attributes = {
        "ApproximateReceiveCount": str(message.approximate_receive_count),
        "SentTimestamp": str(int(message.sent_timestamp)),
        "SenderId": message.sender_id,
        "ApproximateFirstReceiveTimestamp": str(int(message.approximate_first_receive_timestamp)),
    }
    attributes |= {"MessageGroupId": message.group_id} if message.group_id else {}
    return {
        "messageId": message.id,
        "receiptHandle": message.receipt_handle,
        "body": message.body,
        "attributes": attributes,
        "messageAttributes": {},
        "md5OfBody": message.body_md5,
        "eventSource": "aws:sqs",
        "eventSourceARN": arn,
        "awsRegion": REGION,
    }


def _failed_ids(answer: Any, records: list[dict[str, Any]]) -> set[str]:
    """The message ids that a partial batch response names. A response that names a stranger fails the whole batch,
    as Lambda has it ("Using Lambda with Amazon SQS", reporting batch item failures)."""
    known = {r["messageId"] for r in records}
    named = {item.get("itemIdentifier") for item in (answer or {}).get("batchItemFailures") or []}
    return named if named <= known else known


class StreamTrigger:
    """Reads a table's stream for a function in tumbling windows, as Lambda does: records are filtered, a failed batch
    is halved, a record that goes on failing is named in `<function>-dead` and left."""

    def __init__(
        self, function: str, trigger: topology.FromStream, account: Account, doors: Doors, clock: Clock
    ) -> None:
        self.function, self.trigger, self._doors, self._clock = function, trigger, doors, clock
        self._shard = account.table(trigger.table).stream_shard
        self._dead = account.queue(f"{function}-dead")
        self._arn = f"arn:aws:dynamodb:{REGION}:123456789012:table/{PREFIX}{trigger.table}/stream/local"
        self._wanted = patterns.compile_index({"wanted": trigger.records})
        self._position, self._tries, self._size = 0, 0, trigger.batch
        self._retry_at: datetime | None = None
        self._since: datetime | None = None
        self._window_end: datetime | None = None
        self._state: dict[str, Any] = {}

    def due(self, patient: bool) -> datetime | None:
        """Now where there are records (or at the next try), else at the end of the open window."""
        waiting = len(self._shard.items) - self._position
        if not waiting:
            return self._window_end
        if self._retry_at or not patient or waiting >= self._size:
            return self._retry_at or self._clock.now()
        self._since = self._since or self._clock.now()
        return self._since + timedelta(seconds=self.trigger.window)

    def fire(self) -> None:
        """Hand over the next batch, or close the window that is over."""
        if self._window_end is not None and self._clock.now() >= self._window_end:
            self._close()
        self._since = None
        batch = self._shard.items[self._position : self._position + self._size]
        records = [{**entry.to_json(), "eventSourceARN": self._arn} for entry in batch]
        wanted = [record for record in records if self._wanted.match(record)]
        if wanted and (failed_from := self._failed_from(wanted)) is not None:
            self._try_again(records, failed_from)
        else:
            self._pass(len(batch))

    def _failed_from(self, records: list[dict[str, Any]]) -> str | None:
        """The sequence number from which on the door failed; None where it took all."""
        self._open()
        first = str(records[0]["dynamodb"]["SequenceNumber"])
        try:
            answer = self._doors.call(self.function, self._event(records, final=False)) or {}
        except Failed:
            return first
        failures = answer.get("batchItemFailures") or []
        if not failures:
            self._state = answer.get("state") or {}
            return None
        return min((str(f.get("itemIdentifier") or first) for f in failures), key=lambda n: (len(n), n))

    def _try_again(self, records: list[dict[str, Any]], failed_from: str) -> None:
        numbers = [str(record["dynamodb"]["SequenceNumber"]) for record in records]
        done = numbers.index(failed_from) if failed_from in numbers else 0
        if done:
            self._pass(done)
        elif len(records) > 1:
            self._size = max(1, len(records) // 2)
        elif self._tries >= self.trigger.retries:
            self._give_up(failed_from)
        else:
            self._tries += 1
            self._retry_at = self._clock.now() + timedelta(seconds=min(60, 2 ** (self._tries - 1)))

    def _give_up(self, sequence: str) -> None:
        batch = {"shardId": self._shard.id, "startSequenceNumber": sequence, "endSequenceNumber": sequence}
        why = {"condition": "RetryAttemptsExhausted"}
        told = {"requestContext": why, "DDBStreamBatchInfo": {**batch, "batchSize": 1}}
        letter = sqs.Message(f"stream-{sequence}", json.dumps(told))
        letter.mark_sent()
        self._dead.add_message(letter)
        self._pass(1)

    def _pass(self, count: int) -> None:
        # moto keeps every record for good; what has been read is let go.
        self._shard.items[self._position : self._position + count] = [None] * count
        self._position += count
        self._tries, self._retry_at, self._size = 0, None, self.trigger.batch

    def _open(self) -> None:
        if self._window_end is None:
            length = self.trigger.window
            start = int(self._clock.now().timestamp()) // length * length
            self._window_end = datetime.fromtimestamp(start + length, UTC)

    def _close(self) -> None:
        with contextlib.suppress(Failed):
            self._doors.call(self.function, self._event([], final=True))
        self._window_end, self._state = None, {}

    def _event(self, records: list[dict[str, Any]], *, final: bool) -> dict[str, Any]:
        end = self._window_end or self._clock.now()
        start = end - timedelta(seconds=self.trigger.window)
        return {
            "Records": records,
            "window": {"start": _zulu(start), "end": _zulu(end)},
            "state": self._state,
            "shardId": self._shard.id,
            "eventSourceARN": self._arn,
            "isFinalInvokeForWindow": final,
            "isWindowTerminatedEarly": False,
        }


class ScheduleTrigger:
    """Wakes a function at each full `minutes` of the clock, as an EventBridge rule of a rate does."""

    def __init__(self, function: str, trigger: topology.Schedule, doors: Doors, clock: Clock) -> None:
        self.function, self._doors, self._clock = function, doors, clock
        self._step = timedelta(minutes=trigger.minutes)
        self._next = self._after(clock.now())

    def _after(self, at: datetime) -> datetime:
        step = self._step.total_seconds()
        return datetime.fromtimestamp((at.timestamp() // step + 1) * step, UTC)

    def due(self, patient: bool) -> datetime:
        """The next full minute."""
        return self._next

    def fire(self) -> None:
        """Tell the function what time it is."""
        at = self._next
        event = {
            "version": "0",
            "id": f"{int(at.timestamp()):x}",
            "detail-type": "Scheduled Event",
            "source": "aws.events",
            "account": "123456789012",
            "time": _zulu(at),
            "region": REGION,
            "resources": [f"arn:aws:events:{REGION}:123456789012:rule/{PREFIX}{self.function}"],
            "detail": {},
        }
        # A tick that failed is not repeated: the next one makes it good.
        with contextlib.suppress(Failed):
            self._doors.call(self.function, event)
        # One run at a time: the ticks that a slow run slept through are not made up for.
        self._next = self._after(self._clock.now())


def _zulu(at: datetime) -> str:
    return at.strftime("%Y-%m-%dT%H:%M:%SZ")


def of_map(account: Account, doors: Doors, layer: HttpLayer, clock: Clock) -> list[Trigger]:
    """Every trigger of the map but the HTTP routes."""
    made: list[Trigger] = []
    kinds: dict[type, Callable[[str, Any], Trigger]] = {
        topology.FromQueue: lambda name, t: QueueTrigger(name, t, account, doors, layer),
        topology.FromStream: lambda name, t: StreamTrigger(name, t, account, doors, clock),
        topology.Schedule: lambda name, t: ScheduleTrigger(name, t, doors, clock),
    }
    for function in account.functions.values():
        made += [kinds[type(t)](function.name, t) for t in function.wakes if type(t) in kinds]
    return made
