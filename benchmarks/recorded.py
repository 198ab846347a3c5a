"""Runs of the doors in the local world, kept to be played again without it: what woke each, what AWS answered."""

import copy
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any
from unittest.mock import patch

from benchmarks import load
from benchmarks.canned import Answer, Canned, Key, key_of
from infra.world import World
from infra.world.faults import Call
from vestnik import resources, topology

START = datetime(2026, 11, 20, 8, 0, tzinfo=UTC)
DOORS = ("take-events", "evaluate-events", "send-email-ses", "record-outcomes", "count-statistics")
BATCH = topology.BATCH


@dataclass(slots=True)
class Run:
    """One call of a door: what woke it, the calls it made, and what AWS answered. `asked`: (service, operation,
    parameters) as given to the SDK."""

    function: str
    event: dict[str, Any]
    answers: list[tuple[Key, Answer]] = field(default_factory=list)
    asked: list[tuple[str, str, dict[str, Any]]] = field(default_factory=list)


@dataclass(slots=True)
class Recording:
    """The runs of a load in order, those `first` that filled what doors keep apart, and each function's variables."""

    at: datetime
    first: list[Run]
    runs: list[Run]
    variables: dict[str, dict[str, str]]

    def of(self, function: str) -> list[Run]:
        """The runs of one function that began with warm caches."""
        return [run for run in self.runs if run.function == function]

    def canned(self) -> Canned:
        """AWS's answers; where a run's own do not serve (a cold process asks more), those of the first runs."""
        return Canned(answer for run in self.first for answer in run.answers)


def record(messages: int) -> Recording:
    """Let a world send `messages` e-mails in full batches, after a first batch that fills what doors keep."""
    with World(start=START) as world:
        for function in world.account.functions.values():
            world.account.variables(function)["RATE"] = "1000"
        with _watched(world) as runs:
            _post(world, 0, 4 * BATCH)
            warm = len(runs)
            for first in range(4 * BATCH, 4 * BATCH + messages, BATCH):
                _post(world, first, BATCH)
        variables = {name: dict(world.account.variables(f)) for name, f in world.account.functions.items()}
        return Recording(world.now(), runs[:warm], runs[warm:], variables)


def _post(world: World, first: int, count: int) -> None:
    batch = list(load.events(first + count))[first:]
    body = [load.at(event, world.now()) for event in batch]
    media = {"content-type": "application/cloudevents-batch+json"}
    answer = world.request("POST", "/v1/events", key=load.KEY, headers=media, body=body)
    assert answer.status == 202, answer.text
    assert answer.json()["refused"] == 0, answer.text
    world.settle()


@contextmanager
def _watched(world: World) -> Iterator[list[Run]]:
    runs: list[Run] = []
    call = world.doors.call

    def called(name: str, event: Any) -> Any:
        runs.append(Run(name, copy.deepcopy(event)))
        return call(name, event)

    def seen(call: Call, request: Any, answer: Any) -> None:
        if runs and call.function == runs[-1].function:
            key = key_of(f"before-send.{_botocore(call.service)}.{call.operation}", request)
            runs[-1].answers.append((key, (answer.status_code, dict(answer.headers), answer.content)))

    world.watch.append(seen)
    with patch.object(world.doors, "call", called), patch.object(resources, "_make", _spied(runs)):
        resources.forget_clients()
        yield runs


def _botocore(service: str) -> str:
    return {"secretsmanager": "secrets-manager"}.get(service, service)


def _spied(runs: list[Run]) -> Any:
    """How SDK clients are made, so that each notes what it is asked."""
    make = resources._make

    def made(service: str, sends: bool, region: str) -> Any:
        def note(params: dict[str, Any], model: Any, **_: Any) -> None:
            runs[-1].asked.append((service, model.name, copy.deepcopy(params)))

        client = make(service, sends, region)
        client.meta.events.register_first("provide-client-params", note, unique_id="bench")
        return client

    return made
