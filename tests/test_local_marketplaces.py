"""Marketplaces of the local world from outside: stand-ins are opened, bought from, changed, and looked at."""

import json
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from infra.world import World, pages
from infra.world.http_api import Request
from infra.world.market_controls import HAPPENINGS
from infra.world.server import control


def asked(world: World, path: str, **told: Any) -> tuple[int, Any]:
    answer = control(world, Request("POST", path, "", {}, json.dumps(told).encode(), "127.0.0.1"))
    return answer.status, json.loads(answer.body)


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


OPERATED = ("ozon-1", "wildberries-1", "yandex_market-1")


@pytest.fixture(scope="module")
def sold(world: World) -> dict[str, str]:
    """An order at each marketplace, packed and handed over by nobody yet; by account."""
    world.reset()
    asked(world, "/_local/marketplaces/open", connect=OPERATED)
    found = {}
    for account in OPERATED:
        bought = asked(world, "/_local/marketplaces/buy", account=account, article="HONEY-500")[1]
        found[account] = f"{account}:{bought['number']}"
    world.advance(timedelta(minutes=3))
    return found


def status_of(world: World, order: str) -> str:
    status: str = world.request("GET", f"/v1/marketplace-orders/{order}").json()["status"]
    return status


@pytest.mark.slow
def test_a_parcel_is_taken_delivered_and_sent_back_as_the_marketplace_tells(world: World, sold: dict[str, str]) -> None:
    for what, status in (("take", "shipped"), ("deliver", "delivered")):
        for order in sold.values():
            assert asked(world, f"/_local/marketplaces/{what}", order=order)[0] == 200
        world.advance(timedelta(minutes=2))
        assert {status_of(world, order) for order in sold.values()} == {status}
    for order in sold.values():
        assert asked(world, "/_local/marketplaces/return", order=order)[0] == 200
        assert asked(world, "/_local/marketplaces/return", order=order, received=True)[0] == 200
    world.advance(timedelta(minutes=61))
    heard = "\n".join(item["text"] for item in world.outbox if item["channel"] == "telegram")
    numbers = [order.partition(":")[2] for order in sold.values()]
    assert [one for one in numbers if f"the return of order {one} has arrived" not in heard] == []


def test_a_buyer_calls_off_and_an_unknown_order_is_refused(world: World, sold: dict[str, str]) -> None:
    number = asked(world, "/_local/marketplaces/buy", account="ozon-1", article="CUP-SET-6")[1]["number"]
    told = asked(world, "/_local/marketplaces/cancel", order=f"ozon-1:{number}")
    assert told == (200, {"theirs": "cancelled"})
    for order in ("ozon-1:nobody", "nobody:1", None):
        refused = asked(world, "/_local/marketplaces/cancel", order=order)
        assert (refused[0], refused[1]["errors"][0]["where"]) == (422, "/order")


def test_a_feed_knows_no_returns(world: World) -> None:
    world.reset()
    assert asked(world, "/_local/marketplaces/open", connect="feed-1")[0] == 422  # not a list
    asked(world, "/_local/marketplaces/open", connect=["feed-1"])
    number = asked(world, "/_local/marketplaces/buy", account="feed-1", article="CUP-SET-6")[1]["number"]
    status, told = asked(world, "/_local/marketplaces/return", order=f"feed-1:{number}")
    assert (status, told["detail"]) == (422, "feed does not tell of returns")


def test_an_outage_hangs_up_until_it_ends(world: World) -> None:
    world.reset()
    asked(world, "/_local/marketplaces/open", connect=["feed-1"])
    assert asked(world, "/_local/marketplaces/outage", marketplace="feed", lasts="PT10M")[0] == 200
    before = len(world.markets["feed"].calls)
    world.advance(timedelta(minutes=9))
    assert len(world.markets["feed"].calls) == before
    world.advance(timedelta(minutes=5))
    assert len(world.markets["feed"].calls) > before
    assert asked(world, "/_local/marketplaces/outage", marketplace="feed", lasts="for ever")[0] == 422


def test_a_marketplace_serves_the_api_of_a_day(world: World) -> None:
    world.reset()
    told = asked(world, "/_local/marketplaces/date", marketplace="ozon", date="2026-05-01")
    assert told == (200, {"date": "2026-05-01"})
    assert asked(world, "/_local/marketplaces/date", marketplace="ozon", date="May")[0] == 422
    assert asked(world, "/_local/marketplaces/date", marketplace="ozon", date=None)[0] == 200
    assert world.markets["ozon"].dated is None


def test_all_that_can_be_made_to_happen_is_told_in_the_docs() -> None:
    page = (Path(__file__).parents[1] / "docs/marketplaces.md").read_text("utf-8")
    assert [what for what in HAPPENINGS if f"| `{what}` |" not in page] == []
