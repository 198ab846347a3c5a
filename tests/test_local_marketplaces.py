"""Marketplaces of the local world from outside: stand-ins are opened, bought from, changed, and looked at."""

import json
from datetime import timedelta
from typing import Any

from infra.world import World, pages
from infra.world.http_api import Request
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
