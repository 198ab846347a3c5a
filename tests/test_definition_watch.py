"""A call that no longer works is told at once, and replaced where a successor is named; a person can mend the rest."""

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from infra.world import World
from tests.asking import Shop
from vestnik import resources
from vestnik.domain.market.accounts import Account
from vestnik.domain.market.definitions import Outcome
from vestnik.errors import Refused
from vestnik.flows import calling, definition_watch, definitions_in_force
from vestnik.store import secrets, settings

LIST = "wildberries.warehouses.list"
HEIR = f"{LIST}.next"
WRITE = "wildberries.stock.write"
GONE = [{"status": 404, "do": "gone"}]
MESSAGES = Path(__file__).parents[1] / "templates" / "messages" / "marketplace.request_failing"
ACCOUNT = Account("demo", "wb", "wildberries", {"token_type": "personal"}, {"name": "WB"})


@contextmanager
def syncing(world: World) -> Iterator[None]:
    """As the function that syncs accounts runs."""
    with resources.use(world.account.variables(world.account.functions["sync-accounts"])):
        yield


@pytest.fixture(autouse=True)
def a_shop_with_an_account(world: World) -> None:
    world.reset()
    twin: Any = world.markets["wildberries"]
    twin.add_warehouse(7, "Sofia")
    with resources.use(world.account.variables(world.account.functions["manage-shop"])):
        secrets.put_account_secret("demo", "wb", {"token": twin.token})


def published(shop: Shop, id: str, base: str, **changes: Any) -> None:
    """Publish a definition that is `base` as shipped with some changes, over the API."""
    shipped = shop.get(f"requests/{base}").json()["shipped"]
    assert shop.put(f"requests/{id}", {"definition": {**shipped, "id": id, **changes}}).status == 200
    assert shop.post(f"requests/{id}/publish").status == 200


def called(world: World, days: int = 0) -> list[dict[str, Any]]:
    world.advance(timedelta(minutes=1))  # an answer that refuses costs ten ordinary calls
    with syncing(world):
        return calling.call(ACCOUNT, "warehouses.list", world.now() + timedelta(days=days)).items


def looked(world: World, days: int = 0) -> None:
    with syncing(world):
        definition_watch.look(ACCOUNT, world.now() + timedelta(days=days))
    world.settle()


def told(world: World, words: str) -> list[str]:
    world.settle()
    return [item["text"] for item in world.outbox if item["channel"] == "telegram" and words in item["text"]]


def health(shop: Shop, id: str = LIST) -> dict[str, Any]:
    found: dict[str, Any] = shop.get(f"requests/{id}").json()["health"]
    return found


def test_a_call_that_is_switched_off_goes_on_by_its_replacement_with_nobody_there(world: World, shop: Shop) -> None:
    published(shop, HEIR, LIST, valid_from="2030-01-01")
    published(shop, LIST, LIST, path="/api/v3/gone", errors=GONE, replaced_by=HEIR)
    assert [one["name"] for one in called(world)] == ["Sofia"]
    assert [one["name"] for one in called(world)] == ["Sofia"]
    assert health(shop)["state"] == "replaced"
    assert health(shop)["replaced_by"] == HEIR
    (text,) = told(world, "no longer works")
    assert f"Its replacement is in force now: {HEIR}" in text
    paths = [call.path for call in world.markets["wildberries"].calls]
    assert paths.count("/api/v3/gone") == 1


@pytest.mark.parametrize("own", [HEIR, f"{LIST}.a"], ids=["later in the alphabet", "earlier"])
def test_a_replacement_that_names_no_day_stands_by_until_it_is_needed(world: World, shop: Shop, own: str) -> None:
    published(shop, LIST, LIST, replaced_by=own, valid_from=None)
    published(shop, own, LIST, path="/api/v9/warehouses", valid_from=None)
    assert [one["name"] for one in called(world)] == ["Sofia"]
    assert shop.get(f"requests/{own}").json()["serves"] == []
    paths = [call.path for call in world.markets["wildberries"].calls]
    assert "/api/v9/warehouses" not in paths
    assert serving(world) == LIST
    published(shop, LIST, LIST, replaced_by=own, valid_from=None, valid_until="2026-01-01")
    assert serving(world) == own


def test_a_replacement_serves_from_its_own_day(world: World, shop: Shop) -> None:
    published(shop, LIST, LIST, replaced_by=HEIR, valid_from=None)
    published(shop, HEIR, LIST, valid_from="2026-11-21")
    assert (serving(world), serving(world, days=2)) == (LIST, HEIR)


def serving(world: World, days: int = 0) -> str:
    with syncing(world):
        return str(definitions_in_force.need(ACCOUNT, "warehouses.list", world.now() + timedelta(days=days))["id"])


def test_one_without_a_replacement_is_told_once_a_day_until_it_is_mended(world: World, shop: Shop) -> None:
    published(shop, LIST, LIST, path="/api/v3/gone", errors=GONE)
    for _ in range(3):
        with pytest.raises(Refused) as refused:
            called(world)
        assert refused.value.code == "gone"
    assert health(shop)["state"] == "failing"
    assert len(told(world, "please mend the definition")) == 1
    published(shop, LIST, LIST)
    assert health(shop)["state"] == "ok"
    assert [one["name"] for one in called(world)] == ["Sofia"]


def test_one_that_works_again_by_itself_is_held_to_be_well_after_a_while(world: World, shop: Shop) -> None:
    twin: Any = world.markets["wildberries"]
    twin.off.add("/api/v3/warehouses")
    with pytest.raises(Refused):
        called(world)
    twin.off.clear()
    assert (called(world)[0]["name"], health(shop)["state"]) == ("Sofia", "failing")
    world.advance(timedelta(minutes=15))
    called(world)
    assert health(shop)["state"] == "ok"
    assert len(told(world, "no longer works")) == 1


def test_a_plain_list_that_is_refused_is_a_call_that_is_written_wrong(world: World, shop: Shop) -> None:
    published(shop, LIST, LIST, path="/api/v3/gone", errors=[])
    with pytest.raises(Refused):
        called(world)
    assert health(shop)["state"] == "failing"


def test_a_key_that_may_not_is_no_fault_of_the_definition(world: World, shop: Shop) -> None:
    with resources.use(world.account.variables(world.account.functions["manage-shop"])):
        secrets.put_account_secret("demo", "wb", {"token": "no such token"})
    secrets.forget()
    with pytest.raises(Refused) as refused:
        called(world)
    assert refused.value.code == "credentials"
    assert health(shop)["state"] == "ok"


def test_rows_that_are_all_refused_in_one_voice_speak_of_the_call(world: World, shop: Shop) -> None:
    rows = [{"unit": str(900 + n), "warehouse": "7", "quantity": 1} for n in range(6)]
    with syncing(world):
        answer = calling.call(ACCOUNT, "stock.write", world.now(), rows=rows)
    assert set(answer.outcomes.values()) == {Outcome(False, False, "NotFound", "NotFound")}
    assert health(shop, WRITE)["state"] == "failing"
    assert len(told(world, "no longer works")) == 1


def test_a_person_who_was_quicker_is_followed(world: World, shop: Shop) -> None:
    published(shop, LIST, LIST, path="/api/v3/gone", errors=GONE)
    with syncing(world):
        old = definitions_in_force.need(ACCOUNT, "warehouses.list", world.now())
    published(shop, LIST, LIST)
    with syncing(world):
        assert definition_watch.failed(ACCOUNT, old, "404", world.now())
    assert health(shop)["state"] == "ok"
    assert told(world, "no longer works") == []


def test_a_replacement_that_fails_too_is_passed_over(world: World, shop: Shop) -> None:
    published(shop, f"{HEIR}.next", LIST, valid_from="2030-01-01")
    published(shop, HEIR, LIST, path="/api/v4/gone", errors=GONE, valid_from="2030-01-01", replaced_by=f"{HEIR}.next")
    published(shop, LIST, LIST, path="/api/v3/gone", errors=GONE, replaced_by=HEIR)
    with pytest.raises(Refused):
        called(world)  # one replacement a call: the next run goes on
    assert [one["name"] for one in called(world)] == ["Sofia"]


def test_definitions_that_replace_one_another_in_a_circle_end(world: World, shop: Shop) -> None:
    published(shop, HEIR, LIST, path="/api/v4/gone", errors=GONE, replaced_by=LIST)
    published(shop, LIST, LIST, path="/api/v3/gone", errors=GONE, replaced_by=HEIR)
    for _ in range(3):
        with pytest.raises(Refused):
            called(world)


def test_a_definition_gives_way_on_its_last_day_and_that_is_told(world: World, shop: Shop) -> None:
    today = world.now().date()
    published(shop, LIST, LIST, path="/api/v3/old", valid_until=f"{today}", replaced_by=HEIR)
    published(shop, HEIR, LIST, valid_from=f"{today + timedelta(days=1)}")
    with syncing(world):
        assert definitions_in_force.need(ACCOUNT, "warehouses.list", world.now())["path"] == "/api/v3/old"
    assert [one["name"] for one in called(world, days=1)] == ["Sofia"]
    looked(world, days=1)
    looked(world, days=1)
    assert len(told(world, f"Its replacement is in force now: {HEIR}")) == 1


def test_what_is_over_without_a_replacement_is_still_used_and_told(world: World, shop: Shop) -> None:
    published(shop, LIST, LIST, valid_until=f"{(world.now() - timedelta(days=1)).date()}")
    assert [one["name"] for one in called(world)] == ["Sofia"]
    looked(world)
    assert len(told(world, "There is no replacement")) == 1
    assert health(shop)["state"] == "over"


def test_what_ends_within_a_fortnight_is_told_once(world: World, shop: Shop) -> None:
    published(shop, LIST, LIST, valid_until=f"{(world.now() + timedelta(days=15)).date()}")
    looked(world)
    assert told(world, "A call ends soon") == []
    for days in (1, 2, 5):
        looked(world, days)
    assert len(told(world, "A call ends soon")) == 1
    assert health(shop)["state"] == "ok"
    published(shop, LIST, LIST, valid_until=f"{(world.now() + timedelta(days=14)).date()}")
    assert health(shop)["state"] == "expiring"


def test_a_newer_shipped_version_is_offered_and_does_not_take_over(world: World, shop: Shop) -> None:
    shipped = shop.get(f"requests/{LIST}").json()["shipped"]
    with syncing(world):
        settings.put("demo", "request", LIST, {**shipped, "version": 0, "note": "mine"}, by="test", now=world.now())
    looked(world)
    looked(world)
    assert len(told(world, "A newer definition is shipped")) == 1
    shown = shop.get(f"requests/{LIST}").json()
    assert (shown["source"], shown["update"]) == ("own", True)
    shown = shop.post(f"requests/{LIST}/adopt").json()
    assert (shown["source"], shown["update"]) == ("shipped", False)


def test_an_own_version_that_fails_is_told_with_the_newer_one_that_is_shipped_and_how_to_take_it(
    world: World, shop: Shop
) -> None:
    shipped = shop.get(f"requests/{LIST}").json()["shipped"]
    own = {**shipped, "version": 0, "path": "/api/v3/gone", "errors": GONE}
    with syncing(world):
        settings.put("demo", "request", LIST, own, by="test", now=world.now())
    with pytest.raises(Refused):
        called(world)
    (text,) = told(world, "no longer works")
    assert "A newer definition is shipped (version 1; yours was made from 0)" in text
    assert f"POST /v1/requests/{LIST}/adopt" in text
    assert "There is no replacement" not in text
    assert shop.post(f"requests/{LIST}/adopt").status == 200
    assert [one["name"] for one in called(world)] == ["Sofia"]
    assert health(shop)["state"] == "ok"


@pytest.mark.parametrize("language", ["en", "ru", "bg"])
@pytest.mark.parametrize("kind", ["email", "telegram"])
def test_how_to_take_the_newer_one_is_told_in_every_language(language: str, kind: str) -> None:
    (file,) = MESSAGES.glob(f"*.{kind}.{language}.j2")
    source = file.read_text("utf-8")
    assert source.count("POST /v1/requests/{{ data.request.id }}/adopt") == {"email": 2, "telegram": 1}[kind]


def test_what_was_held_against_an_older_version_is_forgotten_when_a_newer_one_is_shipped(
    world: World, shop: Shop
) -> None:
    with syncing(world):
        body = {"reason": "404", "at": world.now().isoformat(), "day": "", "version": 0, "replaced_by": None}
        settings.put("demo", "request_state", LIST, body, by="test", now=world.now())
    assert health(shop)["state"] == "failing"
    looked(world)
    assert health(shop)["state"] == "ok"


def test_a_call_that_works_writes_nothing_about_it(world: World, shop: Shop) -> None:
    called(world)
    before = settings_revision(world)
    for _ in range(3):
        called(world)
    assert settings_revision(world) == before


def settings_revision(world: World) -> int:
    with syncing(world):
        return settings.revision("demo")
