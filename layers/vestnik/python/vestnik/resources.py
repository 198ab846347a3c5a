"""What running code is given from outside: variables, the clock, fresh ids and SDK clients.

A door runs with the variables that the map grants its function, and no others. In the cloud they are the
process's environment; the local world runs many doors in one process and so gives each its own with `use`.
"""

import json
import os
import secrets
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from contextvars import ContextVar
from datetime import UTC, datetime
from typing import Any

_environment: ContextVar[Mapping[str, str]] = ContextVar("environment", default=os.environ)
_clients: dict[tuple[str, bool, str], Any] = {}
_session: Any = None


def _machine_time() -> datetime:
    return datetime.now(UTC)


_clock: Callable[[], datetime] = _machine_time
_pause: Callable[[float], None] = time.sleep


def env(name: str, default: str | None = None) -> str:
    """The variable `name` of the running function. KeyError where the map does not grant it."""
    value = _environment.get().get(name, default)
    if value is None:
        raise KeyError(f"{name} is not among this function's variables: grant it in topology.py")
    return value


@contextmanager
def use(environment: Mapping[str, str]) -> Iterator[None]:
    """Run a block with these variables instead of the process's."""
    token = _environment.set(environment)
    try:
        yield
    finally:
        _environment.reset(token)


def now() -> datetime:
    """The time, UTC. Doors read it once and pass it on."""
    return _clock()


def set_clock(clock: Callable[[], datetime] | None) -> None:
    """Let `clock` tell the time (None: the machine's)."""
    global _clock
    _clock = clock or _machine_time


def pause(seconds: float) -> None:
    """Wait within a run, for what refills by itself in a moment: longer waits go back to the queue."""
    _pause(seconds)


def set_pause(pause: Callable[[float], None] | None) -> None:
    """Let `pause` do the waiting (None: the machine's time passes)."""
    global _pause
    _pause = pause or time.sleep


def new_id(size: int = 16) -> str:
    """A fresh random id: `size` bytes as lower-case hexadecimal."""
    return secrets.token_hex(size)


def client(service: str, *, sends: bool = False) -> Any:
    """The SDK client of `service`, kept for the life of the process.

    `sends` is for services that reach people: the SDK repeats a send by itself after a time-out or a 500, so
    these clients get one attempt and short time-outs.
    """
    region = env("AWS_REGION", "us-east-1")
    key = (service, sends, region)
    if key not in _clients:
        _clients[key] = _make(service, sends, region)
    return _clients[key]


def _make(service: str, sends: bool, region: str) -> Any:
    global _session
    import botocore.session
    from botocore.config import Config

    if _session is None:
        _session = botocore.session.get_session()
    config = Config(
        connect_timeout=2,
        read_timeout=8 if sends else 5,
        retries={"total_max_attempts": 1 if sends else 4, "mode": "standard"},
        tcp_keepalive=True,
        # A fifth of a call's CPU. The store's requests are well formed by construction, what goes to people is made of
        # what shops write; and the SDK puts its own name together anew for every call.
        parameter_validation=sends,
        user_agent="vestnik",
    )
    return _session.create_client(service, region_name=region, config=config)


@contextmanager
def lend(service: str, client: Any) -> Iterator[None]:
    """Let `client` speak for a service meanwhile (a measurement's store in memory)."""
    keys = [(service, sends, env("AWS_REGION", "us-east-1")) for sends in (False, True)]
    before = {key: _clients[key] for key in keys if key in _clients}
    _clients.update(dict.fromkeys(keys, client))
    try:
        yield
    finally:
        for key in keys:
            _clients.pop(key)
        _clients.update(before)


def forget_clients() -> None:
    """Drop the kept clients (a world that starts anew under other end points)."""
    global _session
    _clients.clear()
    _session = None


def log(event: str, **fields: object) -> None:
    """One line of JSON for the function's log. No personal data, no secrets: ids only."""
    print(json.dumps({"at": now().isoformat(), "event": event, **fields}, ensure_ascii=False, default=str))
