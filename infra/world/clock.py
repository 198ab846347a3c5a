"""The world's time: it stands still unless moved, or runs beside the machine's."""

import time
from collections.abc import Callable
from datetime import UTC, datetime, timedelta


class Clock:
    """Tells the world's time, UTC. `runs`: it goes on by itself; otherwise it moves only by `move_to`."""

    def __init__(self, start: datetime, *, runs: bool = False, steady: Callable[[], float] = time.monotonic) -> None:
        self._steady = steady
        self._runs = runs
        self._base = start.astimezone(UTC)
        self._since = steady()

    def now(self) -> datetime:
        """The time in the world."""
        if not self._runs:
            return self._base
        return self._base + timedelta(seconds=self._steady() - self._since)

    def move_to(self, at: datetime) -> None:
        """Let it be `at`; an earlier time than now changes nothing, for time never goes back."""
        if at > self.now():
            self._base, self._since = at.astimezone(UTC), self._steady()

    def run(self, runs: bool) -> None:
        """Let the clock go on by itself, or stand still."""
        self._base, self._since = self.now(), self._steady()
        self._runs = runs

    @property
    def runs(self) -> bool:
        """Whether it goes on by itself."""
        return self._runs

    def millis(self) -> float:
        """The time in milliseconds since 1970, as SQS counts."""
        return self.now().timestamp() * 1000.0
