"""The whole way to Wildberries: an account made over the API, calls through limits and credentials, the answer read."""

from collections.abc import Iterator
from datetime import timedelta
from typing import Any

import pytest

from infra.twins.wildberries import Wildberries
from infra.world import World
from tests.asking import Shop
from tests.market_accounts import as_door
from tests.wildberries_bench import HOME
from vestnik.domain.market.accounts import Account
from vestnik.errors import Later, Refused
from vestnik.flows import calling, operations, orders_poll, products
from vestnik.store import postings as kept
from vestnik.store import units

SETTINGS = {"token_type": "personal", "city": "Москва"}


@pytest.fixture
def twin(world: World) -> Iterator[Wildberries]:
    """The twin with thirty cards of one size and a warehouse."""
    made = world.markets["wildberries"]
    assert isinstance(made, Wildberries)
    made.reset()
    world.advance(timedelta(minutes=2))
    made.add_warehouse(HOME)
    for n in range(30):
        made.add_product(str(1000 + n), f"mug-{n}", "Mug", f"46{n:011d}", subject=(50, "Mugs"))
    yield made
    made.reset()


@pytest.fixture
def account(shop: Shop, twin: Wildberries, id: str) -> Iterator[Account]:
    """An account that has the twin's token; a cabinet is one account, so it is removed in the end."""
    body: dict[str, Any] = {"marketplace": "wildberries", "name": "WB", "settings": SETTINGS}
    answer = shop.put(f"accounts/{id}", {**body, "credentials": {"token": twin.token}})
    assert answer.status == 200, answer.text
    yield Account("demo", id, "wildberries", SETTINGS, body)
    shop.post(f"accounts/{id}/pause")
    assert shop.delete(f"accounts/{id}?release=true").status == 204


def rows(n: int, quantity: int = 1, first: int = 1000) -> list[dict[str, Any]]:
    return [{"unit": str(first + i), "warehouse": HOME, "quantity": quantity} for i in range(n)]


def test_a_token_is_known_by_its_end_and_its_categories(world: World, account: Account) -> None:
    with as_door(world):
        found = calling.call(account, "credentials.check", world.now()).items[0]
    assert found["ok"] is True
    assert found["expires_at"][:7] == "2027-05"
    assert set(found["scopes"]) >= {"content", "marketplace", "analytics"}
    assert found["read_only"] is False


def test_a_token_that_has_ended_is_a_matter_of_credentials(world: World, twin: Wildberries, account: Account) -> None:
    twin.accounts.clear()
    with as_door(world), pytest.raises(Refused) as refused:
        calling.call(account, "orders.new", world.now())
    assert refused.value.code == "credentials"


def test_all_cards_come_over_many_pages(world: World, twin: Wildberries, account: Account) -> None:
    for n in range(230):
        twin.add_product(str(5000 + n), f"cup-{n}", "Cup", f"47{n:011d}")
    with as_door(world):
        answers = list(calling.pages(account, "products.list", world.now()))
    assert len(answers) == 3
    assert len({one["unit"] for answer in answers for one in answer.items}) == 260


def test_a_later_import_asks_only_for_what_changed_since(world: World, twin: Wildberries, account: Account) -> None:
    for n in range(120):
        twin.add_product(str(5000 + n), f"cup-{n}", "Cup", f"47{n:011d}")
    with as_door(world):
        first = products.run(account, world.now, world.now() + timedelta(minutes=1))
        world.advance(timedelta(minutes=5))
        twin.add_product("7000", "jug", "Jug", "480000000001")
        twin.calls.clear()
        second = products.run(account, world.now, world.now() + timedelta(minutes=1))
        world.advance(timedelta(minutes=5))
        third = products.run(account, world.now, world.now() + timedelta(minutes=1))
        assert units.get("demo", account.id, "7000") is not None
    assert (first.did, second.did, third.did) == (150, 1, 0)
    assert len([call for call in twin.calls if call.path.endswith("/cards/list")]) == 2


def test_a_burst_of_writes_meets_no_429(world: World, twin: Wildberries, account: Account) -> None:
    done = 0
    with as_door(world):
        for n in range(60):
            try:
                answer = calling.call(account, "stock.write", world.now(), rows=rows(30, n))
            except Later as later:
                world.advance_to(later.at or world.now())
                continue
            done += all(one.ok for one in answer.outcomes.values())
    assert done >= 55
    assert {call.status for call in twin.calls if "/stocks/" in call.path} == {204}


def test_the_bad_row_is_taken_out_and_the_fine_is_paid(world: World, twin: Wildberries, account: Account) -> None:
    with as_door(world):
        answer = calling.call(account, "stock.write", world.now(), rows=[*rows(2), *rows(1, first=9999)])
        assert (answer.outcomes["9999"].ok, answer.outcomes["9999"].again) == (False, False)
        assert answer.outcomes["9999"].code == "NotFound"
        assert answer.outcomes["1000"].again
        for _ in range(11):
            try:
                calling.call(account, "stock.write", world.now(), rows=rows(2))
            except Later:
                break
    assert 429 not in {call.status for call in twin.calls}


def test_what_was_written_is_read_back_with_its_warehouse(world: World, account: Account) -> None:
    with as_door(world):
        calling.call(account, "stock.write", world.now(), rows=rows(2, 7))
        found = calling.call(account, "stock.read", world.now(), rows=rows(3)).items
    assert found == [{"warehouse": HOME, "unit": unit, "quantity": 7} for unit in ("1000", "1001")]


def test_batches_are_of_a_thousand_rows_and_one_warehouse(world: World, account: Account) -> None:
    many = [*rows(2500), {"unit": "1", "warehouse": "7", "quantity": 1}]
    with as_door(world):
        cut = list(calling.batches(account, "stock.write", many, world.now()))
    assert [len(batch) for batch in cut] == [1000, 1000, 500, 1]


def test_a_base_token_has_no_report_on_their_warehouses(world: World, account: Account) -> None:
    base = Account(account.shop, account.id, "wildberries", {"token_type": "base"}, account.body)
    with as_door(world):
        assert calling.has(account, "stock.fbo", world.now())
        assert not calling.has(base, "stock.fbo", world.now())


def test_an_order_goes_its_way_through_our_calls(world: World, twin: Wildberries, account: Account) -> None:
    with as_door(world):
        now = world.now()
        calling.call(account, "stock.write", now, rows=rows(1, 3))
        number = twin.sell("1000")
        found = calling.call(account, "orders.new", now).items
        assert [one["number"] for one in found] == [number]
        assert found[0]["raw"]["orderUid"] == found[0]["order"]
        supply = calling.call(account, "supply.create", now, given={"name": "Morning"}).items[0]["id"]
        row = {"number": number, "supply": supply}
        assert calling.call(account, "supply.add", now, rows=[row]).outcomes[str(number)].ok
        with pytest.raises(Refused, match="SupplyShippingRequired"):
            calling.call(account, "supply.deliver", now, given={"supply": supply})
        points = calling.call(account, "supply.shipping_points", now, given={"supply": supply}).items
        shipping = {"supply": supply, "ship_on": now.isoformat(), "point": points[0]["id"]}
        assert calling.call(account, "supply.shipping", now, rows=[shipping]).outcomes[supply].ok
        calling.call(account, "supply.deliver", now, given={"supply": supply})
        theirs = calling.call(account, "orders.statuses", now, rows=[{"number": number}]).items[0]["theirs"]
    assert theirs == {"supplierStatus": "complete", "wbStatus": "waiting"}


def selling(world: World, twin: Wildberries, account: Account, pieces: int) -> tuple[Account, list[str]]:
    """The account connected, a unit of it linked, and so many orders of one piece."""
    settings = {**SETTINGS, "shipping_point": 100}
    told = {**account.body, "state": "connected", "connected_at": (world.now() - timedelta(days=1)).isoformat()}
    mine = Account(account.shop, account.id, "wildberries", settings, {**told, "settings": settings})
    twin.set_stock("1000", HOME, 5)
    link(world, mine, "1000")
    return mine, [str(twin.sell("1000")) for _ in range(pieces)]


def asked(world: World, account: Account, numbers: list[str], to: str) -> set[str]:
    """Ask for a change of all; the states in which that is after a run."""
    for number in numbers:
        operations.ask(account, number, to, {}, world.now())
    orders_poll.run(account, world.now, world.now() + timedelta(minutes=5))
    found = [kept.get(account.shop, account.id, number) for number in numbers]
    return {one.body["operation"]["state"] for one in found if one}


def test_packed_and_handed_over_are_done_there_and_read_back(world: World, twin: Wildberries, account: Account) -> None:
    mine, numbers = selling(world, twin, account, 3)
    with as_door(world):
        orders_poll.run(mine, world.now, world.now() + timedelta(minutes=5))
        for to, wanted in (("packed", "confirm"), ("handed_over", "complete")):
            assert asked(world, mine, numbers, to) == {"done"}
            assert {twin.status_of(number)["supplierStatus"] for number in numbers} == {wanted}
    assert len({twin.orders[number].supply for number in numbers}) == 1
    assert [call.status for call in twin.calls if call.path.endswith("/deliver")] == [204]


def test_a_cancellation_of_ours_is_done_there_and_read_back(world: World, twin: Wildberries, account: Account) -> None:
    mine, numbers = selling(world, twin, account, 1)
    with as_door(world):
        orders_poll.run(mine, world.now, world.now() + timedelta(minutes=5))
        assert asked(world, mine, numbers, "cancelled") == {"done"}
    assert twin.status_of(numbers[0]) == {"supplierStatus": "cancel", "wbStatus": "canceled"}


def link(world: World, account: Account, unit: str) -> None:
    """Join a unit to an item of the shop."""
    with as_door(world, "manage-shop"):
        units.keep_products(account.shop, account.id, [{"unit": unit, "name": unit}], "run")
        parts = [{"item": "mug", "quantity": 1, "priority": 0}]
        units.link(
            account.shop, account.id, unit, {"mode": "kit", "parts": parts}, "hand", str(world.now()), only_free=False
        )
