"""A world without moto, for volumes: the store in memory, the marketplaces' twins on loopback, and a clock that only
waiting moves (what the limiter waits in a run, and what a run hands back for later). A call takes `latency` of it."""

import json
from collections import deque
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any

from benchmarks.memory_dynamo import MemoryDynamo
from infra.twins import markets
from infra.twins.market import MarketTwin
from infra.world.faults import Fault
from vestnik import resources
from vestnik.outgoing import web
from vestnik.store import buckets, secrets, settings

START = datetime(2026, 11, 20, 8, 0, tzinfo=UTC)
TABLES = ("settings", "people", "orders", "ledger", "due", "counters", "limits", "goods")


class Time:
    """The simulated clock."""

    def __init__(self) -> None:
        self.at = START

    def now(self) -> datetime:
        """The moment it tells."""
        return self.at

    def wait(self, seconds: float) -> None:
        """Let time pass."""
        self.at += timedelta(seconds=max(0.0, seconds))

    def move_to(self, at: datetime) -> None:
        """Let time pass until `at`."""
        self.at = max(self.at, at)


class Secrets:
    """Secrets Manager, as much of it as the store asks for."""

    class exceptions:
        """What `client.exceptions` has."""

        class ResourceExistsException(Exception):
            """There is such a secret."""

        class ResourceNotFoundException(Exception):
            """There is no such secret."""

    def __init__(self) -> None:
        self._kept: dict[str, str] = {}

    def create_secret(self, Name: str, SecretString: str) -> None:
        """Keep a new secret."""
        self._kept[Name] = SecretString

    def get_secret_value(self, SecretId: str) -> dict[str, str]:
        """Read one."""
        if SecretId not in self._kept:
            raise self.exceptions.ResourceNotFoundException
        return {"SecretString": self._kept[SecretId]}


class Queues:
    """SQS as it is sent to: messages by queue, each with the moment from which it may be seen."""

    def __init__(self, time: Time) -> None:
        self._time = time
        self.sent: dict[str, deque[tuple[datetime, dict[str, Any]]]] = {}

    def send_message_batch(self, QueueUrl: str, Entries: Sequence[dict[str, Any]]) -> dict[str, Any]:
        """Take up to ten messages."""
        for entry in Entries:
            at = self._time.at + timedelta(seconds=entry.get("DelaySeconds", 0))
            self.sent.setdefault(QueueUrl, deque()).append((at, json.loads(entry["MessageBody"])))
        return {"Successful": [{"Id": entry["Id"]} for entry in Entries]}

    def send_message(self, QueueUrl: str, MessageBody: str, **more: Any) -> dict[str, Any]:
        """Take one message."""
        return self.send_message_batch(QueueUrl, [{"Id": "0", "MessageBody": MessageBody, **more}])


@dataclass(slots=True)
class Offline:
    """What a measurement may look at and move."""

    time: Time
    database: MemoryDynamo
    queues: Queues
    twins: dict[str, MarketTwin] = field(default_factory=dict)


@contextmanager
def world(latency: float = 0.0) -> Iterator[Offline]:
    """The offline world. One at a time; `latency`: seconds that each call to a marketplace takes."""
    time = Time()
    opened = Offline(time, MemoryDynamo(), Queues(time))

    def meet(service: str, operation: str, place: str) -> Fault | None:
        time.wait(latency)
        return None

    with ExitStack() as stack:
        resources.set_clock(time.now)
        stack.callback(resources.set_clock, None)
        resources.set_pause(time.wait)
        stack.callback(resources.set_pause, None)
        opened.twins = markets.opened(meet, time.now)
        for twin in opened.twins.values():
            stack.callback(twin.close)
        stack.enter_context(resources.use(_variables(opened.twins)))
        for service, client in (("dynamodb", opened.database), ("secretsmanager", Secrets()), ("sqs", opened.queues)):
            stack.enter_context(resources.lend(service, client))
        stack.callback(_forget)
        _forget()
        yield opened


def _forget() -> None:
    for kept in (settings, secrets, buckets, web):
        kept.forget()


def _variables(twins: dict[str, MarketTwin]) -> dict[str, str]:
    queues = ("to-sync", "to-evaluate", "to-record", "to-release")
    return {
        **{f"TABLE_{name.upper()}": name for name in TABLES},
        **{f"QUEUE_{name.replace('-', '_').upper()}": name for name in queues},
        "SECRETS_PREFIX": "bench/",
        "AWS_REGION": "us-east-1",
        "BUCKET_BODIES": "bodies",
        "OUTGOING_HOSTS": markets.hosts(twins),
        "OUTGOING_ALLOW": ",".join(twin.place for twin in twins.values()),
    }
