"""Faults: what may go wrong with a call, decided call by call by a test."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta


class Died(BaseException):
    """The process of a door ended here. Not an Exception: nothing in a door may catch it."""


@dataclass(frozen=True, slots=True)
class Call:
    """One call on the wire, the SDK's own repeats included.

    `function`: who called ("lambda" for the service's own polling of queues). `service`: the SDK's word (dynamodb,
    sqs, s3, secretsmanager, sesv2, sns, pinpoint-sms-voice-v2) or a provider's (telegram, webhook, smtp).
    `resource`: the word of the map (`table:ledger`) or the provider's host. `nth`: 1 for the first call of this
    function to this operation since the world began. `sequence`: the number of the call in the world.
    """

    function: str
    service: str
    operation: str
    resource: str
    nth: int
    sequence: int
    at: datetime


@dataclass(frozen=True, slots=True)
class Fault:
    """What goes wrong with a call.

    `when`: "before" (it is not done) or "after" (it is done, and the answer lost). `how`: "500", "429" (throttled,
    only before), "timeout" (no answer in time), "closed" (the connection broke), "connect" (no connection; only
    before), "die" (the process ends there). `slow`: the call takes this long on the world's clock, and "none" in
    `how` lets it then succeed. `meanwhile` (of calls to AWS): what happens in the world while the call is on
    its way; it may be a whole run of another function, so nothing is locked then.
    """

    when: str = "before"
    how: str = "500"
    slow: timedelta = timedelta(0)
    meanwhile: Callable[[], None] | None = None


Faults = Callable[[Call], Fault | None]


def none(call: Call) -> Fault | None:
    """Nothing goes wrong."""
    return None
