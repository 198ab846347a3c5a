"""What a million messages cost over the provider's own fee, from the calls of a local world under three profiles.

One event is one e-mail, with SES's event `Delivery` as feedback (the stack asks for no `Send`). Calls, item sizes and
batches are those of the run; the queues are polled as Lambda does (`polling`); a function's time is its measured CPU at
the share of a core that its memory buys, and for each of its AWS calls the wait below.
"""

import io
import json
from collections import Counter, defaultdict
from collections.abc import Iterator
from contextlib import contextmanager, redirect_stdout
from dataclasses import dataclass, field
from datetime import timedelta
from math import ceil
from pathlib import Path
from time import process_time
from typing import Any
from unittest.mock import patch

from benchmarks import load, polling
from benchmarks.metering import Meter, chunks
from benchmarks.recorded import START
from infra.world import World
from infra.world.http_layer import HttpLayer
from vestnik import topology

PRICES = Path(__file__).with_name("prices-2026-11.json")
FULL_CORE_MB = 1769
WAITS = {"dynamodb": 0.005, "sqs": 0.01, "s3": 0.03, "sesv2": 0.07, "secretsmanager": 0.03}
"""Seconds a function waits for the answer of a service in its own region: taken, not measured here."""
ACCESS_LOG_BYTES = 190  # infra/edge.py's line, filled, and what CloudWatch counts for each
STORED_SHARE_OF_LOG = 0.15  # CloudWatch keeps logs compressed
MONTH_SECONDS = 30 * 24 * 3600
GB = 2**30


@dataclass(frozen=True)
class Profile:
    """Posts of `batch` events, `every` so many seconds. `aim`: dollars a million messages."""

    name: str
    batch: int
    every: float
    posts: int
    aim: float | None = None


PROFILES = (
    Profile("50 single posts a second", 1, 0.02, 600, aim=10.0),
    Profile("batches of 50, one a second", 50, 1.0, 14, aim=8.0),
    Profile("one event in 10 seconds", 1, 10.0, 40),
)
WARM = Profile("what fills the doors' caches", 50, 1.0, ceil(load.WARM / 50) + 1)


@dataclass(slots=True)
class Bill:
    """Dollars a million messages by service; how the batches filled; what was written; seconds of the functions."""

    profile: Profile
    messages: int
    dollars: dict[str, float]
    batches: dict[str, float]
    writes: dict[str, float]
    functions: dict[str, dict[str, float]]

    @property
    def total(self) -> float:
        """Dollars a million messages."""
        return sum(self.dollars.values())


def prices() -> dict[str, Any]:
    """The dated list prices."""
    found: dict[str, Any] = json.loads(PRICES.read_text())
    return found


def bill(profile: Profile, posts: int | None = None) -> Bill:
    """Run a profile in a world of its own and bill it."""
    with World(start=START) as world:
        for function in world.account.functions.values():
            world.account.variables(function)["RATE"] = "1000"
        metered = Metered(world)
        with metered.open():
            count = posts or profile.posts
            events = list(load.events(WARM.posts * WARM.batch + count * profile.batch))
            metered.play(WARM, events[: WARM.posts * WARM.batch])
            metered.begin()
            metered.play(profile, events[WARM.posts * WARM.batch :])
            return metered.bill(profile)


@dataclass(slots=True)
class Spent:
    """What a function's runs came to."""

    runs: int = 0
    cpu: float = 0.0
    seconds: float = 0.0
    gb_seconds: float = 0.0


@dataclass
class Metered:
    """A world whose calls are billed."""

    world: World
    meter: Meter = field(default_factory=Meter)
    spent: dict[str, Spent] = field(default_factory=dict)
    log_bytes: int = 0
    below: float = 0.0
    _place: int = 0

    @contextmanager
    def open(self) -> Iterator[None]:
        """Count everything in the block, and wake functions as Lambda does."""
        self._call = self.world.doors.call
        self.mappings = polling.as_lambda(self.world, self.meter, self._invoke)
        self.world.feedback = self._told
        self.world.layer.signs = True
        self.world.watch.append(self.meter.watch)
        for name in self.world.account.tables():
            self._remember(name)
        with (
            patch.object(self.world.doors, "call", self._metered_call),
            patch.object(HttpLayer, "__call__", self._timed()),
        ):
            yield

    def _remember(self, name: str) -> None:
        table = self.world.account.table(name)
        for partition in table.items.values():
            for item in partition.values():
                plain = item.to_json()["Attributes"]
                self.meter.stored[table.name, plain["pk"]["S"], plain["sk"]["S"]] = plain

    def _timed(self) -> Any:
        take = HttpLayer.__call__

        def timed(layer: HttpLayer, event_name: str, request: Any) -> Any:
            start = process_time()
            try:
                return take(layer, event_name, request)
            finally:
                self.below += process_time() - start

        return timed

    def begin(self) -> None:
        """Forget what was counted so far."""
        self.meter.reset()
        self.spent.clear()
        self.log_bytes = 0
        self._bytes_before = self.meter.table_bytes()
        self.meter.objects.clear()
        for mapping in self.mappings.values():
            mapping.batches.clear()

    def play(self, profile: Profile, events: list[dict[str, Any]]) -> None:
        """Post the events at the profile's pace, and wait until all is done."""
        for start in range(0, len(events), profile.batch):
            self._post([load.at(event, self.world.now()) for event in events[start : start + profile.batch]])
            self.world.advance_to(self.world.now() + timedelta(seconds=profile.every))
        self.world.advance(timedelta(seconds=90))

    def _post(self, events: list[dict[str, Any]]) -> None:
        single = len(events) == 1
        media = "application/cloudevents+json" if single else "application/cloudevents-batch+json"
        body = json.dumps(events[0] if single else events, ensure_ascii=False).encode()
        answer = self.world.request("POST", "/v1/events", key=load.KEY, headers={"content-type": media}, body=body)
        assert answer.status == 202, answer.text
        self.meter.count("HTTP API", "http-api request", ceil(len(body) / (512 * 1024)))
        self.log_bytes += ACCESS_LOG_BYTES

    def _invoke(self, function: str, event: dict[str, Any]) -> tuple[float, Any]:
        answer = self.world.doors.call(function, event)
        return self._last, answer

    def _metered_call(self, name: str, event: Any) -> Any:
        printed = io.StringIO()
        calls, below, start = Counter(self.meter.by_function), self.below, process_time()
        try:
            with redirect_stdout(printed):
                return self._call(name, event)
        finally:
            cpu = process_time() - start - (self.below - below)
            made = self.meter.by_function - calls
            waits = sum(WAITS[service] * n for (function, service, _), n in made.items() if function == name)
            self._spend(name, cpu, waits)
            # Lambda's own lines are of failed runs only: infra/work.py sets its log level to WARN.
            self.log_bytes += len(printed.getvalue().encode())

    def _spend(self, name: str, cpu: float, waits: float) -> None:
        memory = self.world.account.functions[name].memory
        seconds = ceil(1000 * (cpu * max(1.0, FULL_CORE_MB / memory) + waits)) / 1000
        spent = self.spent.setdefault(name, Spent())
        spent.runs += 1
        spent.cpu += cpu
        spent.seconds += seconds
        spent.gb_seconds += seconds * memory / 1024
        self._last = seconds

    def _told(self, topic: str, delay: timedelta, event: dict[str, Any]) -> list[tuple[timedelta, dict[str, Any]]]:
        """A provider's event: published to a topic, and put into a queue. The world's clock stands still while a door
        sends its batch; here the letters go, and their events come, one after the other."""
        self._place = (self._place + 1) % topology.BATCH
        requests = chunks(len(json.dumps(event).encode()))
        self.meter.count("SNS", "sns publish", requests)
        self.meter.queue_requests(requests, fair=False)
        return [(delay + self._place * timedelta(seconds=WAITS["sesv2"] + 2 * WAITS["dynamodb"]), event)]

    def bill(self, profile: Profile) -> Bill:
        """The bill of what was counted since `begin`, by the messages that were sent."""
        messages = self.meter.by_function["send-email-ses", "sesv2", "SendEmail"]
        for spent in self.spent.values():
            self.meter.count("Lambda", "lambda request", spent.runs)
            self.meter.count("Lambda", "lambda gb-second arm64", spent.gb_seconds)
        batches = {name: sum(m.batches) / len(m.batches) for name, m in self.mappings.items() if m.batches}
        functions = {name: _shown(spent, messages) for name, spent in sorted(self.spent.items())}
        writes = {name: n / messages for name, n in self.meter.writes.most_common()}
        return Bill(profile, messages, self._dollars(messages), batches, writes, functions)

    def _dollars(self, messages: int) -> dict[str, float]:
        """By service, a million messages."""
        listed = prices()
        found: defaultdict[str, float] = defaultdict(float)
        for (service, unit), n in self.meter.units.items():
            found[service] += n / messages * listed["per_million"][unit]
        found["CloudWatch logs"] = self._gb(self.log_bytes, messages) * _per_gb(
            listed, {"logs ingested": 1.0, "logs stored month": STORED_SHARE_OF_LOG}
        )
        items = self._gb(self.meter.table_bytes() - self._bytes_before, messages)
        bodies = self._gb(sum(self.meter.objects.values()), messages)
        kept = {"dynamodb stored month": 1.0, "dynamodb recovery month": 1.0}
        found["30 days' storage"] = items * _per_gb(listed, kept) + bodies * _per_gb(listed, {"s3 stored month": 1.0})
        return dict(sorted(found.items(), key=lambda part: -part[1]))

    def _gb(self, count: int, messages: int) -> float:
        """GB of a million messages, where so many took `count` bytes."""
        return count / messages * 1e6 / GB


def _per_gb(listed: dict[str, Any], parts: dict[str, float]) -> float:
    return sum(share * float(listed["per_gb"][name]) for name, share in parts.items())


def _shown(spent: Spent, messages: int) -> dict[str, float]:
    return {
        "runs_a_message": spent.runs / messages,
        "cpu_ms_a_run": 1000 * spent.cpu / spent.runs,
        "billed_ms_a_run": 1000 * spent.seconds / spent.runs,
    }


def fixed() -> dict[str, float]:
    """Dollars a month that are due however little is sent: what idles, watches and keeps."""
    listed = prices()
    million, month = listed["per_million"], listed["per_month"]
    functions, queues = topology.functions(), topology.queues()
    readers = sum(isinstance(wake, topology.FromStream) for f in functions for wake in f.wakes)
    minutes = sum(
        MONTH_SECONDS / 60 / w.minutes for f in functions for w in f.wakes if isinstance(w, topology.Schedule)
    )
    waits = sum(not name.endswith("-marketing") for name in topology.send_queues()) + 1
    alarms = len(queues) + 2 * readers + waits + 5  # as infra/watch.py makes them
    keyed = sum(word.partition(":")[0] in ("table", "bucket") for f in functions for word in f.uses) + len(
        topology.TOPICS
    )
    return {
        "idle queues, polled by Lambda": polling.idle_receives_a_month() * million["sqs request"] / 1e6,
        "alarms": alarms * month["alarm"],
        "KMS key": month["kms key"],
        "KMS requests (a data key for each function and table, five minutes)": keyed
        * MONTH_SECONDS
        / 300
        * million["kms request"]
        / 1e6,
        "secrets (the link key; each sender's own is one more)": month["secret"],
        "dashboard (the first three are free)": 0.0,
        "schedules": minutes * (million["lambda request"] + 0.25 * 0.02 * million["lambda gb-second arm64"]) / 1e6,
    }


def run(*, quick: bool = False) -> dict[str, Any]:
    """The bills of the three profiles, and the fixed part."""
    share = 4 if quick else 1
    return {"bills": [bill(p, max(p.posts // share, 4)) for p in PROFILES], "fixed": fixed()}


def main() -> None:
    for profile in PROFILES:
        found = bill(profile)
        print(f"{found.total:6.2f} $ a million: {profile.name}")
        for part in (found.dollars, found.batches, found.writes, found.functions):
            for name, value in part.items():
                print(f"       {name:40} {value if isinstance(value, dict) else round(value, 3)}")
    print(fixed())


if __name__ == "__main__":
    main()
