"""What tests share: the local world."""

from collections.abc import Iterator
from datetime import UTC, datetime

import pytest
from hypothesis import HealthCheck, settings
from hypothesis.internal.conjecture import providers
from hypothesis.internal.constants_ast import Constants

from infra.world import World
from tests.asking import Shop
from tests.posting import numbers

START = datetime(2026, 11, 20, 8, 0, tzinfo=UTC)

# The same examples each time, however busy the machine is.
slow = [HealthCheck.too_slow]
settings.register_profile("suite", derandomize=True, deadline=None, database=None, suppress_health_check=slow)
settings.load_profile("suite")
# Hypothesis also tries the constants of whatever modules are loaded, which differ from worker to worker.
setattr(providers, "_get_local_constants", Constants)  # noqa: B010  (mypy knows it as a function)


LONG = (
    "openapi",
    "market_faults",
    "faults",
    "drift_drill",
    "marketplace_operations_world",
    "marketplaces_play",
    "marketplaces_world",
    "isolation",
    "benchmarks",
    "docs",
)
"""Modules of few and long tests (test_*.py): they begin first, so that no worker is left with one at the end."""


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """The long ones first."""
    names = {f"test_{name}.py" for name in LONG}
    items.sort(key=lambda item: item.path.name not in names)


@pytest.fixture(scope="module")
def world() -> Iterator[World]:
    """The whole map with its real doors; its clock stands still unless moved. One for all tests of a module."""
    with World(start=START) as opened:
        yield opened


@pytest.fixture(scope="module")
def shop(world: World) -> Shop:
    """The demo shop, as its back end asks."""
    return Shop(world)


@pytest.fixture
def id() -> str:
    """An id that no other test uses."""
    return f"id-{next(numbers)}"
