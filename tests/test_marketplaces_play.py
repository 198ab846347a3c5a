"""The last half hour of the example day on marketplaces: connected, sold from, packed, called off, told."""

import json
from collections import Counter
from collections.abc import Iterator
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from examples import marketplaces as example
from infra.world import World, market_report, marketplaces, pages
from infra.world.http_api import Request
from infra.world.server import control

ROOT = Path(__file__).parents[1]


def test_the_marketplaces_of_the_example_are_what_their_generator_writes() -> None:
    assert example.text(example.make()) == (ROOT / "examples" / "marketplaces.json").read_text("utf-8")


def asked(world: World, path: str, **told: Any) -> tuple[int, Any]:
    answer = control(world, Request("POST", path, "", {}, json.dumps(told).encode(), "127.0.0.1"))
    return answer.status, json.loads(answer.body)


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


def test_without_cabinets_the_page_says_how_to_open_some(world: World) -> None:
    world.reset()
    answer = pages.answer(world, "/_local/marketplaces", {})
    assert answer is not None
    assert "POST /_local/marketplaces/open" in answer.body.decode()


def test_stand_ins_are_opened_bought_from_and_changed_from_outside(world: World) -> None:
    world.reset()
    status, opened = asked(world, "/_local/marketplaces/open", connect=["feed-1"])
    assert (status, len(opened["items"])) == (200, 2 * len(world.markets))
    assert asked(world, "/_local/marketplaces/open") == (200, opened)
    bought = asked(world, "/_local/marketplaces/buy", account="feed-1", article="CUP-SET-6", quantity=2)
    assert bought == (200, {"number": "F00001"})
    assert asked(world, "/_local/marketplaces/buy", account="feed-1", article="CUP-SET-6", quantity=99)[1] == {
        "number": None
    }
    assert asked(world, "/_local/marketplaces/buy", account="feed-1", article="NOTHING")[0] == 422
    assert asked(world, "/_local/marketplaces/buy", account="nobody", article="CUP-SET-6")[0] == 422
    assert asked(world, "/_local/marketplaces/move", marketplace="none")[0] == 422


def test_a_method_that_was_moved_answers_at_its_new_place_alone(world: World) -> None:
    world.reset()
    asked(world, "/_local/marketplaces/open", connect=["feed-1"])
    told = {"marketplace": "feed", "from": "/orders", "to": "/v2/orders"}
    assert asked(world, "/_local/marketplaces/move", **told) == (200, {"off": ["/orders"]})
    world.advance(timedelta(minutes=2))
    paths = {(called.path, called.status) for called in world.markets["feed"].calls[-3:]}
    assert ("/orders", 404) in paths
    definition = world.request("GET", "/v1/requests/feed.orders.list").json()["definition"]
    body = {
        "account": "feed-1",
        "definition": {**definition, "path": "/v2/orders"},
        "given": {"since": "2026-01-01T00:00:00Z"},
    }
    tried = world.request(
        "POST", "/v1/requests/feed.orders.list/test", headers={"idempotency-key": "moved"}, body=body
    ).json()
    assert tried["outcome"] == "ok"
