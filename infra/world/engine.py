"""What happens when: work that is due now, and time that passes."""

import heapq
from collections.abc import Callable
from datetime import UTC, datetime, timedelta

from infra.world.account import Account
from infra.world.clock import Clock
from infra.world.moto_patches import expire
from infra.world.triggers import Trigger

HOUR = 3600


class Engine:
    """Runs triggers and deeds (things that were put off: a provider's answer) in the order of their time."""

    def __init__(self, clock: Clock, account: Account, triggers: list[Trigger]) -> None:
        self._clock, self._account, self._triggers = clock, account, triggers
        self._deeds: list[tuple[datetime, int, bool, Callable[[], None]]] = []
        self._count = 0
        self._turn = 0
        self._cleaned = self._hour()

    def later(self, delay: timedelta, do: Callable[[], None], *, flying: bool = True) -> None:
        """Do something after `delay`. `flying`: it is on its way already, so a settled world has seen it."""
        self._count += 1
        heapq.heappush(self._deeds, (self._clock.now() + delay, self._count, flying, do))

    def step(self, *, patient: bool = False) -> bool:
        """Do one thing that is due now; False where nothing is. Triggers take turns, so none starves."""
        now = self._clock.now()
        if self._deeds and self._deeds[0][0] <= now:
            heapq.heappop(self._deeds)[3]()
            return True
        if self._hour() != self._cleaned:
            self._clean(now)
        for offset in range(len(self._triggers)):
            place = (self._turn + offset) % len(self._triggers)
            trigger = self._triggers[place]
            due = trigger.due(patient)
            if due is not None and due <= self._clock.now():
                self._turn = place + 1
                trigger.fire()
                return True
        return False

    def next_due(self, *, patient: bool = False) -> datetime | None:
        """When the next thing is due; None where nothing ever is."""
        times = [at for trigger in self._triggers if (at := trigger.due(patient)) is not None]
        times += [self._deeds[0][0]] if self._deeds else []
        return min(times, default=None)

    def flying(self) -> datetime | None:
        """When the last thing that is on its way arrives; None where nothing is."""
        return max((at for at, _, flying, _ in self._deeds if flying), default=None)

    def _hour(self) -> datetime:
        return datetime.fromtimestamp(self._clock.now().timestamp() // HOUR * HOUR, UTC)

    def _clean(self, now: datetime) -> None:
        """Each hour, remove what has expired. DynamoDB promises no time for it: "typically within a few days"."""
        self._cleaned = self._hour()
        for name in self._account.tables():
            expire(self._account.table(name), now)
