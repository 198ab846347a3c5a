"""Faults, one a run: where (a function's n-th call of an operation) and how it fails."""

from collections import Counter
from collections.abc import Callable
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


@dataclass(frozen=True)
class Place:
    """One call of the story: the `nth` of a function's calls of an operation."""

    function: str
    service: str
    operation: str
    nth: int


class Recorder:
    """Lets every call pass and writes down which there are."""

    def __init__(self) -> None:
        self.seen: Counter[tuple[str, str, str]] = Counter()

    def __call__(self, call: Call) -> None:
        """No fault, noted."""
        if call.function not in ("world", "lambda"):
            self.seen[call.function, call.service, call.operation] += 1

    def places(self) -> list[Place]:
        """Every call that was seen."""
        return [Place(*key, nth) for key, count in sorted(self.seen.items()) for nth in range(1, count + 1)]


class Injector:
    """Lets one call fail; an AWS call that is refused stays so for all of the SDK's own repeats."""

    def __init__(self, place: Place, how: str) -> None:
        self.place, self.fault, self.count, self.hit = place, HOW[how], 0, False
        refused = how == "fails before" and place.service not in PROVIDERS
        self.last = place.nth + (SDK_TRIES - 1 if refused else 0)

    def __call__(self, call: Call) -> Fault | None:
        """The fault, where this is its place."""
        if (call.function, call.service, call.operation) != (
            self.place.function,
            self.place.service,
            self.place.operation,
        ):
            return None
        self.count += 1
        if not self.place.nth <= self.count <= self.last:
            return None
        self.hit = True
        return self.fault


type Faults = Callable[[Call], Fault | None]
