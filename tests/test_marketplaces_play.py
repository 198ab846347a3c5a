"""The last half hour of the example day on marketplaces: connected, sold from, packed, called off, told."""

from collections import Counter
from collections.abc import Iterator
from datetime import datetime, timedelta
from pathlib import Path

import pytest

from examples import marketplaces as example
from infra.world import World, market_report, marketplaces, pages

pytestmark = pytest.mark.slow

ROOT = Path(__file__).parents[1]


def test_the_marketplaces_of_the_example_are_what_their_generator_writes() -> None:
    assert example.text(example.make()) == (ROOT / "examples" / "marketplaces.json").read_text("utf-8")


@pytest.fixture(scope="module")
def played() -> Iterator[World]:
    plan = example.make()
    with World(start=datetime.fromisoformat(plan["connect"]) - timedelta(minutes=1)) as world:
        table = marketplaces.Timetable(world, plan)
        for at, do in table.due(datetime.fromisoformat(plan["happenings"][-1]["at"])):
            world.advance_to(at)
            do()
        world.advance(timedelta(minutes=2))
        assert table.turned_away == 0
        yield world


def test_two_accounts_of_each_marketplace_share_the_stock_without_drift(played: World) -> None:
    rows = market_report.rows(played)
    assert Counter(row.cabinet.marketplace for row in rows) == {"ozon": 2, "wildberries": 2, "yandex_market": 2}
    assert {row.drift for row in rows} == {0}
    assert all(row.shown == row.linked > 0 for row in rows)
    assert sum(row.products - row.linked for row in rows) == 1
    item = played.request("GET", "/v1/stock/POT-IRON-10").json()
    assert (item["on_hand"], item["held"], item["available"]) == (5, 4, 1)
    assert {one.counter.shows("POT-IRON-10") for one in played.cabinets} == {1}


def test_orders_are_packed_handed_over_taken_and_called_off(played: World) -> None:
    orders = sum((row.orders for row in market_report.rows(played)), Counter[str]())
    assert (orders["shipped"], orders["packed"], orders["cancelled"]) == (2, 1, 1)
    assert sum(orders.values()) == example.BUYERS + 1
    assert not played.doors.failures
    assert not played.refused_grants()


def test_the_staff_hear_of_orders_a_missing_link_a_cancellation_and_low_stock(played: World) -> None:
    heard = [item["text"].splitlines()[0] for item in played.outbox if item["channel"] == "telegram"]
    assert sum("new order" in text for text in heard) == example.BUYERS + 1
    assert sum("its goods are not linked" in text for text in heard) == 1
    assert sum("is cancelled" in text for text in heard) == 1
    assert sum("Stock is low: Чугунный чайник" in text for text in heard) == 1


def test_the_page_shows_stock_orders_and_what_was_told(played: World) -> None:
    answer = pages.answer(played, "/_local/marketplaces", {})
    assert answer is not None
    text = answer.body.decode()
    assert all(one.name in text for one in played.cabinets)
    assert "declined_by_client" in text
    assert "unlinked" in text
    assert "its goods are not linked" in text
    assert "<script" not in text
