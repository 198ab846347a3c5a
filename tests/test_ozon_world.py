"""Ozon in the whole house: a cabinet is connected, its orders arrive, are packed and handed over, and stock follows."""

from datetime import timedelta
from typing import Any

import pytest

from infra.twins.ozon import Cabinet, Ozon
from infra.world import World
from tests import market_accounts
from tests.asking import Shop
from tests.market_accounts import as_door, imported, stock
from vestnik.flows import accounts, operations
from vestnik.store import postings

ACCOUNT, UNITS = "ozon", ("TEA", "POT")


@pytest.fixture(autouse=True)
def anew(world: World) -> None:
    world.reset()


@pytest.fixture
def twin(world: World) -> Ozon:
    return market_accounts.twin(world, "ozon", Ozon)


@pytest.fixture
def cabinet(twin: Ozon, shop: Shop) -> Cabinet:
    """A connected cabinet with two cards that are linked, and their stock told."""
    made = twin.add_account("100", "key-1")
    for unit in UNITS:
        twin.add_product(unit, name=unit, price=9_900, stock=20)
    keys = {"client_id": made.client_id, "api_key": made.api_key}
    written = shop.put(f"accounts/{ACCOUNT}", {"marketplace": "ozon", "name": "Ozon", "credentials": keys})
    assert written.status == 200, written.text
    stock(shop, TEA=10, POT=6)
    assert imported(shop, ACCOUNT)["progress"]["seen"] == 2
    assert shop.post("links/auto", {"account": ACCOUNT}).status == 200
    assert shop.post(f"accounts/{ACCOUNT}/connect", {}).status == 200
    shop.world.advance(timedelta(minutes=6))
    return made


def _body(world: World, number: str) -> dict[str, Any]:
    with as_door(world):
        found = postings.get("demo", ACCOUNT, number)
    assert found is not None
    return found.body


def _ask(world: World, number: str, to: str, **given: Any) -> None:
    with as_door(world):
        account = accounts.load("demo", ACCOUNT, world.now())
        assert operations.ask(account, number, to, given, world.now()) is not None
    world.advance(timedelta(minutes=2))


def _state(world: World, number: str) -> tuple[str, str]:
    body = _body(world, number)
    return body["status"], body["operation"]["state"]


def test_a_connected_cabinet_shows_the_shops_stock_and_a_sale_is_not_written_over(
    world: World, twin: Ozon, cabinet: Cabinet
) -> None:
    assert (twin.stock_of("TEA"), twin.stock_of("POT")) == (10, 6)
    number = twin.sell("TEA", 3)
    world.advance(timedelta(minutes=7))
    assert number is not None
    assert _body(world, number)["status"] == "confirmed"
    pile = cabinet.pile("TEA")
    assert (pile.free, pile.reserved) == (7, 3)
    assert _refusals(twin) == []


def _refusals(twin: Ozon) -> list[tuple[str, int]]:
    return [(called.path, called.status) for called in twin.calls if called.status >= 400]


def test_a_posting_is_packed_handed_over_and_taken(world: World, twin: Ozon, cabinet: Cabinet) -> None:
    numbers = [str(twin.sell("TEA")), str(twin.sell("POT", 2, more=[("TEA", 1)]))]
    world.advance(timedelta(minutes=2))
    for number in numbers:
        _ask(world, number, "packed")
        assert _state(world, number) == ("packed", "done")
    for number in numbers:
        _ask(world, number, "handed_over")
    assert [_state(world, number) for number in numbers] == [("packed", "done")] * 2
    assert {one.status for one in cabinet.carriages.values()} == {"formed"}
    for id in list(cabinet.carriages):
        twin.take_carriage(id)
    world.advance(timedelta(minutes=2))
    assert [_body(world, number)["status"] for number in numbers] == ["shipped"] * 2
    assert _refusals(twin) == []


def test_a_failed_assembling_is_tried_again(world: World, twin: Ozon, cabinet: Cabinet) -> None:
    number = str(twin.sell("TEA"))
    world.advance(timedelta(minutes=2))
    cabinet.ship_fails = 1
    _ask(world, number, "packed")
    world.advance(timedelta(minutes=4))
    assert _state(world, number) == ("packed", "done")


@pytest.mark.parametrize("keeps", [True, False])
def test_a_split_reserves_nothing_twice(world: World, twin: Ozon, cabinet: Cabinet, keeps: bool) -> None:
    cabinet.split_keeps = keeps
    number = str(twin.sell("TEA", 3))
    world.advance(timedelta(minutes=2))
    line = _body(world, number)["lines"][0]["line"]
    parts = [{"lines": [{"line": line, "quantity": n}]} for n in (1, 2)]
    _ask(world, number, "packed", packages=parts)
    world.advance(timedelta(minutes=6))
    packed = [one for one in twin.orders.values() if one.status == "awaiting_deliver"]
    assert sorted(one.lines[0].quantity for one in packed) == [1, 2]
    assert {_body(world, one.number)["status"] for one in packed} == {"packed"}
    pile = cabinet.pile("TEA")
    assert (pile.free, pile.reserved) == (7, 3)


def test_a_cancellation_frees_the_goods_there_and_here(world: World, twin: Ozon, cabinet: Cabinet) -> None:
    number = str(twin.sell("TEA", 4))
    world.advance(timedelta(minutes=7))
    assert twin.stock_of("TEA") == 6
    _ask(world, number, "cancelled", reason="352")
    world.advance(timedelta(minutes=6))
    assert _body(world, number)["status"] == "cancelled"
    assert twin.stock_of("TEA") == 10
