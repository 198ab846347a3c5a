"""SQS standard queues as moto keeps them, but fair and quick.

moto looks through the whole queue at each send, receive and delete. Here each takes the same time at any depth, and
messages of different groups take turns as in SQS's fair queues: the group with the fewest messages in flight is
served first, so a noisy shop delays itself and not its neighbours.
"""

import heapq
from collections import deque
from collections.abc import Callable
from typing import Any

from moto.sqs import models

READY, WAITING, FLYING, GONE = "ready", "waiting", "flying", "gone"

# moto's class, which this module gives two more attributes: `place` and `ticket`.
type Message = Any


class FairQueue(models.Queue):  # type: ignore[misc]
    """A queue whose messages are `ready` (by group), `waiting` (delayed), `flying` (received) or `gone`."""

    clock: Callable[[], float]  # milliseconds; given by the world
    newest_first = False
    on_message: Callable[[], None] = staticmethod(lambda: None)

    @property
    def _messages(self) -> list[Message]:
        return list(dict.fromkeys(self._known.values()))

    @_messages.setter
    def _messages(self, _: list[Message]) -> None:
        # moto assigns [] at birth and at a purge.
        self._known: dict[str, Message] = {}
        self._ready: dict[str, deque[Message]] = {}
        self._timers: list[tuple[float, int, Message]] = []
        self._flying: dict[str, int] = {}
        self._counts = {READY: 0, WAITING: 0, FLYING: 0, GONE: 0}
        self._tickets = 0

    @property
    def messages(self) -> list[Message]:
        self._wake()
        return [m for group in self._ready.values() for m in group if m.place == READY]

    @property
    def approximate_number_of_messages(self) -> int:
        self._wake()
        return self._counts[READY]

    @property
    def approximate_number_of_messages_delayed(self) -> int:
        self._wake()
        return self._counts[WAITING]

    @property
    def approximate_number_of_messages_not_visible(self) -> int:
        self._wake()
        return self._counts[FLYING]

    def add_message(self, message: Message) -> None:
        """Put a message in, delayed where it asks for it."""
        message.place, message.ticket = GONE, 0
        self._known[message.id] = message
        if message.delayed_until > self.clock():
            self._wait(message, WAITING, message.delayed_until)
        else:
            self._enter(message)
        self.on_message()

    def take(self, count: int, hide_seconds: int) -> list[Message]:
        """Up to `count` messages, hidden for `hide_seconds`; those received too often go to the dead-letter queue."""
        self._wake()
        taken: list[Message] = []
        while len(taken) < count and (message := self._next()) is not None:
            if self._worn_out(message):
                self._bury(message)
                continue
            message.mark_received(visibility_timeout=hide_seconds)
            self._known[message.receipt_handle] = message
            if hide_seconds:
                self._wait(message, FLYING, message.visible_at)
            else:
                self._enter(message)
            taken.append(message)
        return taken

    def delete_message(self, receipt_handle: str) -> None:
        """Take a message out for good; once more is harmless."""
        message = self._known.get(receipt_handle)
        if message is None and receipt_handle not in self.deleted_messages:
            raise models.ReceiptHandleIsInvalid
        if message is not None:
            self._drop(message)

    def hide(self, receipt_handle: str, seconds: int) -> None:
        """Let a message show itself again in `seconds`."""
        message = self._known.get(receipt_handle)
        if message is None:
            raise models.ReceiptHandleIsInvalid
        message.change_visibility(seconds)
        if seconds:
            self._wait(message, FLYING, message.visible_at)
        else:
            self._enter(message)

    def due(self) -> float | None:
        """When the next message can be taken (milliseconds since 1970): now, later, or never."""
        self._wake()
        if self._counts[READY]:
            return self.clock()
        while self._timers and self._timers[0][1] != self._timers[0][2].ticket:
            heapq.heappop(self._timers)
        return self._timers[0][0] if self._timers else None

    def _wake(self) -> None:
        now = self.clock()
        while self._timers and self._timers[0][0] <= now:
            _, ticket, message = heapq.heappop(self._timers)
            if ticket == message.ticket and message.place in (WAITING, FLYING):
                self._enter(message)

    def _move(self, message: Message, place: str) -> None:
        group = message.group_id or ""
        self._counts[message.place] -= 1
        self._counts[place] += 1
        self._flying[group] = self._flying.get(group, 0) + (place == FLYING) - (message.place == FLYING)
        message.place = place
        self._tickets += 1
        message.ticket = self._tickets

    def _enter(self, message: Message) -> None:
        self._move(message, READY)
        self._ready.setdefault(message.group_id or "", deque()).append(message)

    def _wait(self, message: Message, place: str, until: float) -> None:
        self._move(message, place)
        heapq.heappush(self._timers, (until, message.ticket, message))

    def _next(self) -> Message | None:
        while self._ready:
            name = min(self._ready, key=lambda g: (self._flying.get(g, 0), self._ready[g][0].ticket))
            group = self._ready[name]
            message = group.pop() if self.newest_first else group.popleft()
            if not group:
                del self._ready[name]
            if message.place == READY:
                return message
        return None

    def _worn_out(self, message: Message) -> bool:
        if self.dead_letter_queue is None or not self.redrive_policy:
            return False
        return bool(message.approximate_receive_count >= self.redrive_policy["maxReceiveCount"])

    def _bury(self, message: Message) -> None:
        self._drop(message)
        message.delayed_until = 0.0
        self.dead_letter_queue.add_message(message)

    def _drop(self, message: Message) -> None:
        self._move(message, GONE)
        handles = [h for h in message.all_receipt_handles if h]
        self.deleted_messages.update(handles)
        for name in (message.id, *handles):
            self._known.pop(name, None)


def send_message(
    backend: Any,
    queue_name: str,
    message_body: str,
    message_attributes: dict[str, Any] | None = None,
    delay_seconds: int | None = None,
    deduplication_id: str | None = None,
    group_id: str | None = None,
    system_attributes: dict[str, Any] | None = None,
    validate_group_id: bool = True,
) -> Message:
    """SQSBackend.send_message for standard queues: moto asks for all attributes of the queue at each message."""
    queue: Any = backend.get_queue(queue_name)
    delay = int(queue.delay_seconds if delay_seconds is None else delay_seconds)
    backend._validate_message(queue, message_body=message_body, delay_seconds=delay)
    if not 0 <= delay <= models.MAXIMUM_MESSAGE_DELAY:
        problem = f"Value {delay} for parameter DelaySeconds is invalid. Reason: DelaySeconds must be >= 0 and <= 900."
        raise models.InvalidParameterValue(problem)
    message = models.Message(str(models.random.uuid4()), message_body, system_attributes)
    message.message_attributes, message.group_id = message_attributes or {}, group_id
    message.mark_sent(delay_seconds=delay)
    queue.add_message(message)
    return message


def receive_message(
    backend: Any,
    queue_name: str,
    count: int,
    wait_seconds_timeout: int,
    visibility_timeout: int,
    message_attribute_names: list[str] | None = None,
) -> list[Message]:
    """SQSBackend.receive_message: it never waits, for nothing arrives while a door holds the world."""
    taken: list[Message] = backend.get_queue(queue_name).take(count, int(visibility_timeout))
    return taken


def change_message_visibility(backend: Any, queue_name: str, receipt_handle: str, visibility_timeout: int) -> None:
    """SQSBackend.change_message_visibility."""
    backend.get_queue(queue_name).hide(receipt_handle, int(visibility_timeout))
