"""CPU a message takes in evaluation and in sending, beside the same AWS calls made by bare boto3 clients.

Both get the same canned answers below the SDK, so serialising, signing and parsing are in, the network is not.
Recorded batches are full (10); times are CPU times, medians of rounds that take turns.
"""

import importlib
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from statistics import median
from time import process_time
from types import SimpleNamespace
from typing import Any
from unittest.mock import patch

import boto3
from botocore import xform_name

from benchmarks import recorded
from benchmarks.canned import Canned
from benchmarks.recorded import Recording, Run
from infra.world.account import CREDENTIALS
from vestnik import resources, topology

type Work = Callable[[Run], None]

AIM_MS = 1.0
DOORS = ("evaluate-events", "send-email-ses")
MESSAGES, ROUNDS = 200, 5


def run(messages: int = MESSAGES, rounds: int = ROUNDS) -> dict[str, dict[str, float]]:
    """By door and for both: {messages_a_second, ms, calls, bare_ms, excess_ms} a message."""
    recording = recorded.record(messages)
    figures = {door: _beside(recording, door, rounds) for door in DOORS}
    both = {key: sum(f[key] for f in figures.values()) for key in ("ms", "calls", "bare_ms", "excess_ms")}
    return {**figures, "both": {**both, "a_second": 1000 / both["ms"], "aim_ms": AIM_MS}}


def _beside(recording: Recording, door: str, rounds: int) -> dict[str, float]:
    runs = recording.of(door)
    count = sum(len(run.event["Records"]) for run in runs)
    with _canned(recording, door) as canned:
        handler, bare = _handler(door), _bare(runs)
        times = [_pair(canned, run, handler, bare, rounds) for run in runs]
    ms, floor = (1000 * sum(column) / count for column in zip(*times, strict=True))
    calls = sum(len(run.asked) for run in runs) / count
    return {"a_second": 1000 / ms, "ms": ms, "calls": calls, "bare_ms": floor, "excess_ms": ms - floor}


def _pair(canned: Canned, run: Run, handler: Work, bare: Work, rounds: int) -> tuple[float, float]:
    """Seconds of CPU of one batch by our door and by bare clients: medians, after a round that warms up."""
    ours, theirs = [], []
    for _ in range(rounds + 1):
        ours.append(_cpu(canned, run, handler))
        theirs.append(_cpu(canned, run, bare))
    return median(ours[1:]), median(theirs[1:])


@contextmanager
def _canned(recording: Recording, door: str) -> Iterator[Canned]:
    resources.forget_clients()
    resources.set_clock(lambda: recording.at)
    given = resources.use(recording.variables[door])
    with patch.dict("os.environ", CREDENTIALS), recording.canned().open() as canned, given:
        yield canned
    resources.set_clock(None)
    resources.forget_clients()


def _handler(door: str) -> Work:
    spec = next(f for f in topology.functions() if f.name == door)
    handler = importlib.import_module(f"functions.{spec.door}").handler
    context = SimpleNamespace(get_remaining_time_in_millis=lambda: spec.timeout * 1000)

    def work(run: Run) -> None:
        answer = handler(run.event, context)
        assert answer == {"batchItemFailures": []}, answer

    return work


def _bare(runs: list[Run]) -> Work:
    """The same calls by boto3 clients as one makes them, in the same order."""
    services = {service for run in runs for service, _, _ in run.asked}
    make: Any = boto3.client
    clients = {service: make(service, region_name="us-east-1") for service in services}

    def work(run: Run) -> None:
        for service, operation, params in run.asked:
            getattr(clients[service], xform_name(operation))(**params)

    return work


def _cpu(canned: Canned, run: Run, work: Work) -> float:
    canned.turn_to(run.answers)
    start = process_time()
    work(run)
    return process_time() - start


def main() -> None:
    for door, figures in run().items():
        print(f"{door:18}", "  ".join(f"{name} {value:.2f}" for name, value in figures.items()))


if __name__ == "__main__":
    main()
