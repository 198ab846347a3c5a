"""Putting and posting to a local world: what the tests of people, orders and the ledger have in common."""

import itertools
from datetime import UTC, datetime
from typing import Any

from infra.world import World
from infra.world.http_api import Response

START = datetime(2026, 11, 20, 9, 0, tzinfo=UTC)
MARIA = {"name": "Maria", "email": "maria@example.com", "language": "bg", "consent": {"email": True}}
ORDER = {"number": "1", "status": "new", "payment": {"method": "cash_on_delivery"}}
numbers = itertools.count()


def post(world: World, path: str, body: Any = None, key: str = "local-key", **headers: str) -> Response:
    """POST under a fresh Idempotency-Key."""
    named = {"idempotency-key": f"{path}-{next(numbers)}", **headers}
    return world.request("POST", path, key=key, headers=named, body=body)


def put(world: World, path: str, body: Any) -> Response:
    """PUT with the demo shop's key."""
    return world.request("PUT", path, body=body)


def event(world: World, id: str, time: datetime, **data: Any) -> Response:
    """Post that an order was placed."""
    body = {"type": "order.placed", "id": f"{id}-{next(numbers)}", "time": time.isoformat(), "data": data}
    return post(world, "/v1/events", body)
