"""Dead letters: seen masked, sent on their way again, or discarded."""

import json
from collections.abc import Callable, Iterator
from datetime import timedelta
from typing import Any

import pytest

from infra.world import Call, Fault, World
from infra.world.faults import none
from tests.asking import Shop
from tests.happenings import placed
from tests.posting import START
from vestnik import resources
from vestnik.domain import messages
from vestnik.flows import dead_letters
from vestnik.store import sqs


@pytest.fixture(scope="module")
def world() -> Iterator[World]:
    with World(start=START) as world:
        yield world


def granted(world: World) -> Any:
    return resources.use(world.account.variables(world.account.functions["manage-shop"]))


def dies(world: World, act: Callable[[], Any], function: str, operation: str) -> None:
    """Let a door break so often that its queue gives up."""

    def broken(call: Call) -> Fault | None:
        return Fault(how="500") if (call.function, call.operation) == (function, operation) else None

    world.faults = broken
    try:
        act()
        world.advance(timedelta(hours=1))
    finally:
        world.faults = none


def test_a_dead_letter_is_seen_masked_and_sent_on_its_way_again(shop: Shop, id: str) -> None:
    dies(shop.world, lambda: placed(shop, id), "evaluate-events", "PutObject")
    (letter,) = shop.get("dead-letters?queue=to-evaluate").json()["items"]
    assert (letter["type"], letter["message"]) == ("order.placed", None)
    assert letter["receives"] >= 5
    assert letter["body"]["event"]["data"]["order"]["id"] == f"o-{id}"
    text = json.dumps(letter)
    assert "Maria" not in text
    assert "example.com" not in text
    one = shop.get(f"dead-letters/to-evaluate/{letter['id']}").json()
    assert one["ledger"]["event_decided"] is False
    assert shop.get(f"events/{letter['event']}").status == 404
    assert shop.post(f"dead-letters/to-evaluate/{letter['id']}/redrive").status == 204
    shop.world.settle()
    assert [item for item in shop.world.outbox if item["to"] == f"{id}@example.com"]
    assert shop.get("dead-letters").json() == {"items": [], "complete": True}
    assert shop.post(f"dead-letters/to-evaluate/{letter['id']}/redrive").status == 404


def test_a_dead_message_tells_where_it_stands_and_can_be_discarded(shop: Shop, id: str) -> None:
    dies(shop.world, lambda: placed(shop, id), "send-telegram", "BatchGetItem")
    (letter,) = shop.get("dead-letters?queue=to-send-telegram").json()["items"]
    assert messages.event_of(letter["message"]) == letter["event"]
    place = f"dead-letters/to-send-telegram/{letter['id']}"
    assert shop.get(place).json()["ledger"]["event_decided"] is True
    assert shop.delete(place).status == 204
    assert shop.delete(place).status == 404
    assert shop.get("dead-letters").json()["items"] == []


def test_only_letters_that_name_the_shop_are_shown_and_all_are_left_where_they_are(shop: Shop) -> None:
    bodies = [
        ('{"shop": "demo", "event": "mine"}', "demo"),
        ('{"shop": "other", "event": "theirs"}', "other"),
        ('{"shop": "demo", "event": "forged"}', "other"),
        ('{"event": "nobody"}', "demo"),
        ("[1]", "demo"),
        ("no JSON", "demo"),
    ]
    with granted(shop.world):
        for body, group in bodies:
            sqs.send_one("dead:to-evaluate", body, group)
    for _ in range(2):
        items = shop.get("dead-letters").json()["items"]
        assert [item["event"] for item in items] == ["mine"]
    other = Shop(shop.world, "other-key").get("dead-letters").json()["items"]
    assert [item["event"] for item in other] == ["theirs"]
    assert Shop(shop.world, "other-key").delete(f"dead-letters/to-evaluate/{items[0]['id']}").status == 404
    with granted(shop.world):
        found = sqs.receive("dead:to-evaluate", limit=10, hide=30)
        assert len(found) == len(bodies)
        for letter in found:
            sqs.delete("dead:to-evaluate", letter["ReceiptHandle"])


def test_every_queue_of_the_map_is_looked_into(world: World) -> None:
    dead = {name.removesuffix("-dead") for name in world.account.queues() if name.endswith("-dead")}
    with granted(world):
        assert dead - set(dead_letters.queues()) <= {"to-record", "count-statistics"}


def test_an_unknown_queue_is_named(shop: Shop) -> None:
    answer = shop.get("dead-letters?queue=to-nowhere")
    assert answer.status == 422
    assert "to-evaluate" in answer.json()["detail"]
    assert shop.get("dead-letters/to-nowhere/1").status == 422


def test_the_doors_call_nothing_that_the_map_does_not_grant(world: World) -> None:
    assert world.refused_grants() == set()
