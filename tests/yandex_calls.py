"""What the tests of Yandex Market share: a cabinet of three things at the twin, and who calls it."""

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from typing import Any

from infra.twins.yandex_market import YandexMarketTwin
from tests.definition_calls import Caller, Clock

NOW = datetime(2026, 11, 20, 8, 0, 5, tzinfo=UTC)
SETTINGS = {"business": 7001, "campaign": 21001}
UNITS = ("LAMP", "MUG", "CUP")


@contextmanager
def opened(clock: Clock) -> Iterator[YandexMarketTwin]:
    """The twin, with one cabinet that has five of each."""
    twin = YandexMarketTwin(lambda service, operation, host: None, clock)
    twin.add_account("key-1")
    for unit in UNITS:
        twin.add_product(unit, name=unit.title(), barcode=f"46{len(unit)}", stock=5)
    try:
        yield twin
    finally:
        twin.close()


def calling(twin: YandexMarketTwin, clock: Clock) -> Caller:
    """Who calls it with the cabinet's key."""
    return Caller("yandex_market", twin.url, {"api_key": "key-1"}, dict(SETTINGS), clock)


def row(unit: str, quantity: int, at: datetime = NOW, warehouse: str = "901") -> dict[str, Any]:
    """A row of stock."""
    return {"unit": unit, "warehouse": warehouse, "quantity": quantity, "version": 1, "at": at.isoformat()}


def span(clock: Clock, days: int = 1) -> dict[str, Any]:
    """The last days, and an hour more."""
    return {"since": (clock() - timedelta(days=days)).isoformat(), "until": (clock() + timedelta(hours=1)).isoformat()}
