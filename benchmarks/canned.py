"""AWS's answers out of memory: the SDK works as ever, and the network below it is cut away.

Needs nothing but botocore, so that a fresh interpreter on the layers can use it too.
"""

import re
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from io import BytesIO
from typing import Any

from botocore.awsrequest import AWSResponse
from botocore.handlers import BUILTIN_HANDLERS

Answer = tuple[int, dict[str, str], bytes]
Key = tuple[str, str, str]
"""Service and operation, as botocore's events name them, and the table or queue ("" where the body names none)."""
PLACE = re.compile(rb'"(?:TableName|QueueUrl)": ?"([^"]+)"')


class Body(BytesIO):
    """A response body as urllib3 hands it over."""

    def stream(self, **_: Any) -> Iterator[bytes]:
        while chunk := self.read():
            yield chunk


class Canned:
    """Answers every request of clients made while it is `open`: each key in the order of the answers given to
    `turn_to`, round and round; a key that has none there by those of `otherwise`."""

    def __init__(self, otherwise: Iterable[tuple[Key, Answer]] = ()) -> None:
        self._otherwise = _by_key(otherwise)
        self._answers: dict[Key, list[Answer]] = {}
        self._turns: dict[Key, int] = {}

    def turn_to(self, answers: Iterable[tuple[Key, Answer]]) -> None:
        """Answer with these from now on, from the first."""
        self._answers = _by_key(answers)
        self._turns.clear()

    def __call__(self, event_name: str, request: Any, **more: Any) -> AWSResponse:
        key = key_of(event_name, request)
        known = self._answers.get(key) or self._otherwise[key]
        turn = self._turns.get(key, 0)
        self._turns[key] = turn + 1
        status, headers, body = known[turn % len(known)]
        kept: Any = headers
        return AWSResponse(request.url, status, kept, Body(body))

    @contextmanager
    def open(self) -> Iterator["Canned"]:
        """Take the requests of all clients made in the block."""
        entry: tuple[str, Callable[..., Any]] = ("before-send", self)
        BUILTIN_HANDLERS.insert(0, entry)
        try:
            yield self
        finally:
            BUILTIN_HANDLERS.remove(entry)


def key_of(event_name: str, request: Any) -> Key:
    """What a request ("before-send.service.Operation") is answered by."""
    _, service, operation = event_name.split(".")
    body = request.body or b""
    place = PLACE.search(body if isinstance(body, bytes) else body.encode()) if isinstance(body, (bytes, str)) else None
    return service, operation, place[1].decode() if place else ""


def _by_key(answers: Iterable[tuple[Key, Answer]]) -> dict[Key, list[Answer]]:
    found: dict[Key, list[Answer]] = {}
    for key, answer in answers:
        found.setdefault(key, []).append(answer)
    return found
