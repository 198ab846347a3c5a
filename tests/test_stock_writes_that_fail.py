"""A definition that writes no stock, whatever it is answered: it is found and told, and costs little until mended."""

from datetime import timedelta
from typing import Any

import pytest

from infra.world import World
from tests.asking import Shop
from tests.market_accounts import as_door, imported, stock
from vestnik.domain.market.definitions import Outcome
from vestnik.flows.calling import HALVED
from vestnik.flows.stock_refusals import Refusals
from vestnik.store import runs

WRITE = "wildberries.stock.write"
GOOD = "{stocks: rows[].{chrtId: integer(unit), amount: quantity}}"
MISSPELT = "{stocks: rows[].{chrtId: integer(unit), amuont: quantity}}"
OF_ANOTHER = "{stocks: rows[].{chrtId: `1`, amount: quantity}}"
UNITS = [str(unit) for unit in range(501, 507)]
WAREHOUSE = 7


@pytest.fixture
def twin(world: World, shop: Shop) -> Any:
    """A connected cabinet at Wildberries that shows 2 of each of six units."""
    world.reset()
    found: Any = world.markets["wildberries"]
    found.add_warehouse(WAREHOUSE, "Sofia")
    for unit in UNITS:
        found.add_product(unit, f"A-{unit}", f"Tea {unit}", unit)
    told = {"marketplace": "wildberries", "name": "WB", "settings": {"token_type": "personal"}}
    assert shop.put("accounts/wb", {**told, "credentials": {"token": found.token}}).status == 200
    imported(shop, "wb")
    stock(shop, **{f"I{unit}": 2 for unit in UNITS})
    for unit in UNITS:
        parts = [{"item": f"I{unit}", "quantity": 1}]
        assert shop.put(f"links/wb/{unit}", {"mode": "kit", "parts": parts}).status == 200
    assert shop.post("accounts/wb/connect", {}).status == 200
    world.advance(timedelta(minutes=6))
    assert shown(found) == {2}
    return found


def shown(twin: Any, units: list[str] = UNITS) -> set[int]:
    return {twin.stock_of(unit, WAREHOUSE) for unit in units}


def written(shop: Shop, body: str) -> None:
    definition = shop.get(f"requests/{WRITE}").json()["definition"]
    assert shop.put(f"requests/{WRITE}", {"definition": {**definition, "body": body}}).status == 200
    assert shop.post(f"requests/{WRITE}/publish").status == 200
    shop.world.advance(timedelta(minutes=2))


def health(shop: Shop) -> dict[str, Any]:
    found: dict[str, Any] = shop.get(f"requests/{WRITE}").json()["health"]
    return found


def alarms(world: World) -> list[str]:
    texts = [item["text"] for item in world.outbox if item["channel"] == "telegram"]
    return [text for text in texts if "no longer works" in text]


def refused(twin: Any) -> int:
    return sum(1 for call in twin.calls if call.method == "PUT" and call.status == 409)


@pytest.mark.slow
@pytest.mark.parametrize("units", [UNITS, UNITS[:1]], ids=["six units", "one unit"])
def test_a_restocking_that_is_answered_204_and_changes_nothing_is_told(
    world: World, shop: Shop, twin: Any, units: list[str]
) -> None:
    written(shop, MISSPELT)
    stock(shop, **{f"I{unit}": 9 for unit in units})
    world.advance(timedelta(minutes=40))
    assert shown(twin) == {2}
    assert health(shop)["state"] == "failing"
    assert len(alarms(world)) == 1
    with as_door(world):
        assert runs.get("demo", "wb", "stock")["drift"]["healed"] == 0
    written(shop, GOOD)
    world.advance(timedelta(minutes=6))
    assert shown(twin, units) == {9}
    assert health(shop)["state"] == "ok"


@pytest.mark.slow
def test_a_refusal_that_names_no_row_comes_to_an_end_and_is_told(world: World, shop: Shop, twin: Any) -> None:
    written(shop, OF_ANOTHER)
    stock(shop, **{f"I{unit}": 9 for unit in UNITS})
    world.advance(timedelta(minutes=30))
    assert health(shop)["state"] == "failing"
    assert len(alarms(world)) == 1
    tried = refused(twin)
    assert tried < 20
    world.advance(timedelta(minutes=30))
    assert refused(twin) == tried
    with as_door(world):
        assert runs.get("demo", "wb", "stock").get("error") is None
    written(shop, GOOD)
    world.advance(timedelta(minutes=6))
    assert shown(twin) == {9}


@pytest.mark.slow
def test_two_units_whose_every_write_is_refused_are_told_after_a_few_runs(world: World, shop: Shop, twin: Any) -> None:
    written(shop, OF_ANOTHER)
    for quantity in range(10, 16):
        stock(shop, **{f"I{unit}": quantity for unit in UNITS[:2]})
        world.advance(timedelta(minutes=6))
    assert health(shop)["state"] == "failing"
    assert len(alarms(world)) == 1


# What refusals say

NO = Outcome(False, False, "NotFound", "no such card")
NOT_TRIED = Outcome(False, True, HALVED, "used up")


def sizes(voice: Refusals, rows: int) -> list[int]:
    return [len(part) for part in voice.parts([{"unit": str(n)} for n in range(rows)])]


def test_calls_become_smaller_where_a_limit_ends_the_search_and_grow_again() -> None:
    voice = Refusals()
    assert sizes(voice, 6) == [6]
    voice.heard(list("abcdef"), [NOT_TRIED] * 6, 100)
    assert sizes(voice, 6) == [3, 3]
    voice.heard(list("abc"), [NO, NOT_TRIED, NOT_TRIED], 100)
    assert sizes(Refusals.of(voice.kept() or {}), 3) == [1, 1, 1]
    for _ in range(8):
        voice.heard(["d"], [Outcome(True)], 100)
    assert sizes(voice, 100) == [100]
    assert voice.kept() is None


def test_one_unit_that_is_always_refused_says_nothing_of_the_call() -> None:
    voice = Refusals()
    for _ in range(20):
        voice.heard(["a"], [NO], 100)
    assert voice.useless == ""
    voice.heard(["b"], [NO], 100)
    assert voice.useless == "all rows refused: NotFound no such card"


def test_one_row_that_is_taken_says_that_the_call_works() -> None:
    voice = Refusals()
    voice.heard(list("abcd"), [NO] * 4, 100)
    voice.heard(list("ef"), [Outcome(True), NO], 100)
    voice.heard(list("gh"), [NO] * 2, 100)
    assert voice.useless == ""


def test_the_doors_call_nothing_that_the_map_does_not_grant(world: World) -> None:
    assert not world.doors.failures
    assert not world.refused_grants()
