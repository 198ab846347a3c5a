"""What tests share: the local world."""

from collections.abc import Iterator
from datetime import UTC, datetime

import pytest

from infra.world import World
from tests.asking import Shop
from tests.posting import numbers

START = datetime(2026, 11, 20, 8, 0, tzinfo=UTC)


@pytest.fixture(scope="module")
def world() -> Iterator[World]:
    """The whole map with its real doors; its clock stands still unless moved. One for all tests of a module."""
    with World(start=START) as opened:
        yield opened


@pytest.fixture
def shop(world: World) -> Shop:
    """The demo shop, as its back end asks."""
    return Shop(world)


@pytest.fixture
def id() -> str:
    """An id that no other test uses."""
    return f"id-{next(numbers)}"
