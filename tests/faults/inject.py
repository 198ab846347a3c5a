"""Faults, one a run: where (a function's n-th call of an operation) and how it fails."""

import zlib
from collections import Counter
from collections.abc import Callable, Mapping
from dataclasses import dataclass

from infra.world.faults import Call, Fault

PROVIDERS = ("sesv2", "sns", "pinpoint-sms-voice-v2", "telegram", "webhook", "smtp")
SDK_TRIES = 4

# How a call may fail: it is refused, it is done and the answer lost, the process dies before it or after it.
HOW = {
    "fails before": Fault("before", "500"),
    "fails after": Fault("after", "timeout"),
    "dies before": Fault("before", "die"),
    "dies after": Fault("after", "die"),
}


@dataclass(frozen=True, slots=True)
class Place:
    """One call of the story: the `nth` of a function's calls of an operation (`path`: from one place in the code)."""

    function: str
    service: str
    operation: str
    nth: int
    path: str = ""


def lot(fault: tuple[Place, str]) -> int:
    """The lot by which a fault is drawn for a sample. It is of its name alone: calls that come or go, as some do with
    the order of sets, draw no other faults in place of the rest."""
    return zlib.crc32(repr(fault).encode())


type Path = Callable[[Call], str | None]


def anywhere(call: Call) -> str | None:
    """Calls are told apart by who makes them; None: it is nobody's."""
    return None if call.function in ("world", "lambda") else ""


class Recorder:
    """Lets every call pass and writes down which there are."""

    def __init__(self, path: Path = anywhere) -> None:
        self.seen: Counter[tuple[str, str, str, str]] = Counter()
        self.path = path

    def __call__(self, call: Call) -> None:
        """No fault, noted."""
        if (path := self.path(call)) is not None:
            self.seen[call.function, call.service, call.operation, path] += 1

    def places(self) -> list[Place]:
        """Every call that was seen."""
        found = sorted(self.seen.items())
        return [Place(*key[:3], nth, key[3]) for key, count in found for nth in range(1, count + 1)]


class Injector:
    """Lets one call fail; an AWS call that is refused stays so for all of the SDK's own repeats."""

    def __init__(
        self,
        place: Place,
        how: str,
        *,
        ways: Mapping[str, Fault] = HOW,
        outside: tuple[str, ...] = PROVIDERS,
        path: Path = anywhere,
    ) -> None:
        self.place, self.fault, self.count, self.hit = place, ways[how], 0, False
        self.path = path
        refused = self.fault.when == "before" and self.fault.how.isdigit() and place.service not in outside
        self.last = place.nth + (SDK_TRIES - 1 if refused else 0)

    def __call__(self, call: Call) -> Fault | None:
        """The fault, where this is its place."""
        named = (call.function, call.service, call.operation)
        if named != (self.place.function, self.place.service, self.place.operation):
            return None
        if self.path(call) != self.place.path:
            return None
        self.count += 1
        if not self.place.nth <= self.count <= self.last:
            return None
        self.hit = True
        return self.fault


type Faults = Callable[[Call], Fault | None]
