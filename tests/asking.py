"""Asking the API of a local world, as a shop's back end would."""

import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from typing import Any

from infra.world import World
from infra.world.http_api import Response

START = datetime(2026, 11, 20, 8, 0, tzinfo=UTC)


class Shop:
    """One shop's back end: asks with its key, and a fresh Idempotency-Key for each POST."""

    def __init__(self, world: World, key: str = "local-key") -> None:
        self.world, self.key = world, key

    def get(self, path: str, **headers: str) -> Response:
        return self.ask("GET", path, **headers)

    def put(self, path: str, body: Any, **headers: str) -> Response:
        return self.ask("PUT", path, body, **headers)

    def post(self, path: str, body: Any = None, **headers: str) -> Response:
        return self.ask("POST", path, body, **{"idempotency-key": str(uuid.uuid4()), **headers})

    def delete(self, path: str, **headers: str) -> Response:
        return self.ask("DELETE", path, **headers)

    def ask(self, method: str, path: str, body: Any = None, **headers: str) -> Response:
        return self.world.request(method, f"/v1/{path}", key=self.key, headers=headers, body=body)

    def with_scopes(self, *scopes: str) -> "Shop":
        """The same shop asking with a new key that may only so much."""
        made = self.post("keys", {"name": "test", "scopes": list(scopes)})
        assert made.status == 201, made.text
        return Shop(self.world, made.json()["key"])


@contextmanager
def opened() -> Iterator[World]:
    """A world at rest."""
    with World(start=START) as world:
        yield world


def problem(response: Response, status: int, code: str) -> dict[str, Any]:
    """The problem a response carries, which must be of this kind."""
    assert response.status == status, response.text
    assert response.headers["content-type"] == "application/problem+json"
    body: dict[str, Any] = response.json()
    assert (body["type"], body["status"]) == (f"/problems/{code}", status), body
    return body
