"""What tests share: the local world."""

from collections.abc import Iterator
from datetime import UTC, datetime

import pytest

from infra.world import World

START = datetime(2026, 11, 20, 8, 0, tzinfo=UTC)


@pytest.fixture(scope="module")
def world() -> Iterator[World]:
    """The whole map with its real doors; its clock stands still unless moved. One for all tests of a module."""
    with World(start=START) as opened:
        yield opened
