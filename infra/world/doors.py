"""Doors: `functions/<door>.py`, called as Lambda calls them."""

import importlib
import json
import traceback
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

from infra.world.account import REGION, Account
from infra.world.clock import Clock
from infra.world.faults import Died
from infra.world.http_layer import HttpLayer
from vestnik import resources, topology

Handler = Callable[[Any, Any], Any]
Loader = Callable[[str], Handler]


class Failed(Exception):
    """The door raised, ran out of time or died. `why`: its traceback, or "" where it died."""

    def __init__(self, why: str, *, timed_out: bool = False) -> None:
        super().__init__(why.strip().rpartition("\n")[2])
        self.why, self.timed_out = why, timed_out


@dataclass(slots=True)
class Context:
    """Lambda's context object: what handlers and powertools ask of it."""

    function_name: str
    memory_limit_in_mb: int
    aws_request_id: str
    deadline: datetime
    clock: Clock = field(repr=False)
    function_version: str = "$LATEST"

    @property
    def invoked_function_arn(self) -> str:
        """The function's ARN."""
        return f"arn:aws:lambda:{REGION}:123456789012:function:{self.function_name}"

    @property
    def log_group_name(self) -> str:
        """Where its log would go."""
        return f"/aws/lambda/{self.function_name}"

    log_stream_name = "local"

    def get_remaining_time_in_millis(self) -> int:
        """Milliseconds until Lambda would end it, on the world's clock."""
        return max(0, int((self.deadline - self.clock.now()) / timedelta(milliseconds=1)))


def load(door: str) -> Handler:
    """The handler of `functions/<door>.py`."""
    handler: Handler = importlib.import_module(f"functions.{door}").handler
    return handler


class Doors:
    """Calls doors one at a time, each with exactly the variables that the map grants its function."""

    def __init__(self, account: Account, clock: Clock, layer: HttpLayer, loader: Loader = load) -> None:
        self._account, self._clock, self._layer, self._load = account, clock, layer, loader
        self.failures: list[tuple[datetime, str, str]] = []
        self._count = 0

    def call(self, name: str, event: Any) -> Any:
        """Call the door of function `name`; its answer as plain JSON. Raises Failed."""
        function = self._account.functions[name]
        self._count += 1
        started = self._clock.now()
        deadline = started + timedelta(seconds=function.timeout)
        context = Context(name, function.memory, f"{self._count:08x}-local", deadline, self._clock)
        answer = self._run(function, json.loads(json.dumps(event)), context)
        if self._clock.now() > deadline and not self._clock.runs:
            raise self._failed(name, f"timed out after {function.timeout} s", timed_out=True)
        return answer

    def _run(self, function: topology.Function, event: Any, context: Context) -> Any:
        caller, self._layer.function, self._layer.dead = self._layer.function, function.name, False
        try:
            with resources.use(self._account.variables(function)):
                answer = json.loads(json.dumps(self._load(function.door)(event, context)))
        except Died as end:
            raise self._failed(function.name, "") from end
        except Exception as error:
            raise self._failed(function.name, traceback.format_exc()) from error
        finally:
            dead, self._layer.function, self._layer.dead = self._layer.dead, caller, False
        if dead:
            raise self._failed(function.name, "")
        return answer

    def _failed(self, name: str, why: str, *, timed_out: bool = False) -> Failed:
        self.failures.append((self._clock.now(), name, why))
        del self.failures[:-200]
        return Failed(why, timed_out=timed_out)
