"""Cards that vanish at a marketplace: noticed by whole imports alone, kept with their links, and back by themselves."""

from datetime import datetime, timedelta
from typing import Any
from urllib.parse import quote

import pytest

from infra.twins.wildberries import Wildberries
from infra.world import World
from tests.asking import Shop
from tests.market_accounts import TOKEN, account, as_door, imported, stock, twin_of
from vestnik.domain.market import accounts
from vestnik.domain.market.accounts import Account
from vestnik.errors import Later
from vestnik.flows import products, products_gone
from vestnik.flows.ran import Ran
from vestnik.store import runs, seen, units


@pytest.fixture(autouse=True)
def anew(world: World) -> None:
    world.reset()


def cards(shop: Shop, count: int) -> dict[str, dict[str, Any]]:
    """So many cards, known here; what the marketplace has of them."""
    account(shop, "one")
    for n in range(count):
        twin_of(shop.world).add_product(f"U-{n:03d}", name=f"Thing {n}", stock=7, account=TOKEN)
    imported(shop, "one")
    return twin_of(shop.world).shop(TOKEN).items


def whole(shop: Shop, **more: Any) -> dict[str, Any]:
    """An import of the whole list, a moment after the one before, and what it says then."""
    shop.world.advance(timedelta(seconds=1))
    assert shop.post("products/import", {"account": "one", "whole": True, **more}).status == 202
    shop.world.settle()
    state: dict[str, Any] = shop.get("products/import?account=one").json()
    return state


def missed(shop: Shop) -> dict[str, Any]:
    """Two whole imports, the second of which believes what both did not see; what it says."""
    whole(shop)
    found: dict[str, Any] = whole(shop)["missing"]
    return found


def gone(shop: Shop) -> list[str]:
    return [one["unit"] for one in shop.get("products?account=one&state=gone").json()["items"]]


def owner(shop: Shop, id: str = "one") -> Account:
    return accounts.account("demo", id, shop.get(f"accounts/{id}").json())


def run(shop: Shop, at: datetime, until: datetime | None = None) -> Ran:
    """A run of the import at a time, with a minute for it where nothing else is said."""
    with as_door(shop.world):
        return products.run(owner(shop), lambda: at, until or at + timedelta(minutes=1))


def test_a_card_that_a_whole_import_does_not_see_is_kept_and_shown_as_gone(shop: Shop) -> None:
    items = cards(shop, 12)
    del items["U-003"]
    first = whole(shop)["missing"]
    assert (first["known"], first["missed"], first["gone"], gone(shop)) == (12, 1, 0, [])
    again = whole(shop)["missing"]
    assert (again["known"], again["missed"], again["gone"]) == (12, 1, 1)
    assert gone(shop) == ["U-003"]
    found = shop.get("products/one/U-003").json()
    assert (found["name"], found["gone"] is None) == ("Thing 3", False)
    assert len(shop.get("products?account=one&state=listed").json()["items"]) == 11
    assert len(shop.get("products?account=one").json()["items"]) == 12
    counts = shop.get("accounts/one/health").json()["counts"]
    assert counts == {"units": 11, "linked": 0, "unlinked": 11, "archived": 0, "gone": 1}
    assert "U-003" not in [one["unit"] for one in shop.get("links/unlinked?account=one").json()["items"]]


def test_no_stock_is_written_to_a_card_that_is_gone_and_all_of_it_when_it_is_back(shop: Shop) -> None:
    items = cards(shop, 10)
    twin = twin_of(shop.world)
    stock(shop, A=5)
    shop.post("accounts/one/connect", {})
    assert shop.put("links/one/U-001", {"parts": [{"item": "A"}]}).status == 200
    shop.world.advance(timedelta(minutes=6))
    assert items["U-001"]["quantity"] == 5
    away = items.pop("U-001")
    missed(shop)
    assert shop.get("accounts/one/health").json()["counts"]["linked"] == 0
    twin.calls.clear()
    stock(shop, A=4)
    shop.world.advance(timedelta(minutes=6))
    assert [call for call in twin.calls if call.path == "/stock"] == []
    assert shop.get("products/one/U-001").json()["link"]["parts"][0]["item"] == "A"
    items["U-001"] = {**away, "quantity": 7}
    imported(shop, "one")  # not a whole one: any that sees it
    shop.world.advance(timedelta(seconds=20))
    assert (gone(shop), items["U-001"]["quantity"]) == ([], 4)
    assert shop.get("accounts/one/health").json()["counts"]["linked"] == 1


def test_a_card_that_comes_back_is_sent_even_the_number_that_it_had(shop: Shop) -> None:
    items = cards(shop, 10)
    stock(shop, A=5)
    shop.post("accounts/one/connect", {})
    shop.put("links/one/U-001", {"parts": [{"item": "A"}]})
    shop.world.advance(timedelta(minutes=6))
    away = items.pop("U-001")
    missed(shop)
    items["U-001"] = {**away, "quantity": 0}  # a card made anew shows nothing
    imported(shop, "one")
    shop.world.advance(timedelta(seconds=20))
    assert items["U-001"]["quantity"] == 5


def test_a_card_that_is_taken_out_of_the_archive_is_looked_at_like_one_that_is_back(world: World) -> None:
    with as_door(world):
        units.keep_products("demo", "one", [{"unit": "A", "archived": True}, {"unit": "B", "archived": True}], "1")
        units.link("demo", "one", "A", {"mode": "kit", "parts": []}, "hand", "now", only_free=False)
        kept = units.keep_products("demo", "one", [{"unit": "A", "archived": False}, {"unit": "B"}], "2")
    assert (kept.changed, kept.back) == (2, ("A",))


def test_a_card_that_is_back_is_told_again_to_a_run_that_died_before_it_heard_so(world: World) -> None:
    with as_door(world):
        for run, archived in (("1", True), ("2", False)):
            units.keep_products("demo", "one", [{"unit": "A", "archived": archived}], run)
            units.link("demo", "one", "A", {"mode": "kit", "parts": []}, "hand", "now", only_free=False)
        again = [units.keep_products("demo", "one", [{"unit": "A", "archived": False}], run) for run in ("2", "3")]
    assert [(one.changed, one.back) for one in again] == [(0, ("A",)), (0, ())]


def test_an_import_that_broke_off_marks_nothing_until_it_is_at_the_end(shop: Shop) -> None:
    items = cards(shop, 230)
    del items["U-005"]
    later = shop.world.now() + timedelta(days=1)
    assert run(shop, later, later).again is not None  # one page and no more
    assert gone(shop) == []
    assert run(shop, later + timedelta(hours=1)).again is None
    run(shop, later + timedelta(days=1))
    assert gone(shop) == ["U-005"]


def test_an_import_that_fails_half_way_marks_nothing(shop: Shop) -> None:
    items = cards(shop, 150)
    del items["U-005"]
    later = shop.world.now() + timedelta(days=1)
    run(shop, later, later)
    twin_of(shop.world).outage(timedelta(minutes=3))
    with pytest.raises(Later):
        run(shop, later)
    assert gone(shop) == []


def test_an_import_that_was_begun_anew_marks_nothing_for_the_one_before(shop: Shop) -> None:
    items = cards(shop, 150)
    later = shop.world.now() + timedelta(days=1)
    run(shop, later, later)
    del items["U-120"]
    with as_door(shop.world):
        products.begin_anew(owner(shop), whole=False)
        run(shop, later, later)
        state = runs.get("demo", "one", products.FLOW)
        assert (state["progress"]["seen"], state["whole"]) == (100, True)
    assert gone(shop) == []


def test_where_what_was_written_down_is_not_all_there_any_more_nothing_is_marked(shop: Shop) -> None:
    items = cards(shop, 12)
    del items["U-003"]
    at, counted = shop.world.now() + timedelta(days=1), 0
    while counted < 16:
        run(shop, at, at)
        with as_door(shop.world):
            counted = (runs.get("demo", "one", products.FLOW).get("check") or {}).get("counted", 0)
    with as_door(shop.world):
        seen.forget("demo", "one")  # another run, that began meanwhile
    assert run(shop, at).again is not None
    assert run(shop, at).again is None
    assert (gone(shop), shop.get("products/import?account=one").json()["missing"]["held"]) == ([], "incomplete")


def test_what_another_run_has_counted_is_not_taken_over(shop: Shop) -> None:
    items = cards(shop, 12)
    for n in range(5):
        del items[f"U-{n:03d}"]
    at = shop.world.now() + timedelta(days=1)
    run(shop, at, at)
    with as_door(shop.world):
        other = {"run": "another", "counted": 16, "known": 12, "missed": 0, "written": 7}
        runs.put("demo", "one", products.FLOW, check=other)
    run(shop, at)
    assert shop.get("products/import?account=one").json()["missing"]["missed"] == 5


def test_an_import_of_what_changed_marks_nothing(shop: Shop) -> None:
    items = cards(shop, 12)
    del items["U-003"]
    assert imported(shop, "one")["missing"] is None
    assert gone(shop) == []


def test_once_a_day_an_import_reads_the_whole_list(shop: Shop) -> None:
    items = cards(shop, 12)
    del items["U-003"]
    now, found = shop.world.now(), []
    for hours in (22, 23, 45, 46):
        run(shop, now + timedelta(hours=hours))
        found.append(gone(shop))
    assert found == [[], [], [], ["U-003"]]


def test_a_card_that_one_list_missed_and_the_next_has_is_not_gone_with_a_third(shop: Shop) -> None:
    items = cards(shop, 12)
    away = items.pop("U-003")
    whole(shop)
    items["U-003"] = away
    whole(shop)
    del items["U-003"]
    whole(shop)
    assert gone(shop) == []


def test_a_list_that_is_known_to_be_whole_is_believed_at_once() -> None:
    seen_all, unsure = {"run": "2", "progress": {"total": 12}}, {"run": "2", "progress": {}}
    assert products_gone._is_gone({"unit": "U"}, seen_all)
    assert not products_gone._is_gone({"unit": "U"}, unsure)
    assert not products_gone._is_gone({"unit": "U", "missed": "2"}, unsure)  # a run that goes on where it was
    assert products_gone._is_gone({"unit": "U", "missed": "1"}, unsure)


def test_a_marketplace_that_tells_what_changed_is_asked_for_all_once_a_day(world: World, shop: Shop) -> None:
    twin = world.markets["wildberries"]
    assert isinstance(twin, Wildberries)
    for n in range(30):
        twin.add_product(str(1000 + n), f"mug-{n}", "Mug", f"46{n:011d}", subject=(50, "Mugs"))
    settings = {"token_type": "personal", "city": "Москва"}
    body: dict[str, Any] = {"marketplace": "wildberries", "name": "WB", "settings": settings}
    assert shop.put("accounts/one", {**body, "credentials": {"token": twin.token}}).status == 200
    own, at = Account("demo", "one", "wildberries", settings, body), world.now()
    with as_door(world):
        did = [
            products.run(own, lambda: at + timedelta(hours=hours), at + timedelta(hours=hours + 1)).did  # noqa: B023
            for hours in (0, 1, 24, 25)
        ]
    assert did == [30, 0, 30, 0]


def test_more_than_a_fifth_of_an_account_waits_for_a_person_and_is_told_once(shop: Shop) -> None:
    items = cards(shop, 20)
    for n in range(5):
        del items[f"U-{n:03d}"]
    missing = whole(shop)["missing"]
    assert (missing["missed"], missing["gone"], missing["held"]) == (5, 0, "too-many")
    assert gone(shop) == []
    again = whole(shop)["missing"]
    assert again["since"] == missing["since"]
    shop.world.advance(timedelta(seconds=10))
    told = shop.get(f"events?source=/marketplaces/feed/one&id={quote('one:gone:' + missing['since'])}").json()
    assert (told["event"]["type"], told["event"]["data"]["code"]) == ("marketplace.sync_failed", "too-many-gone")
    agreed = whole(shop, confirm=True)["missing"]
    assert (agreed["gone"], "held" in agreed) == (5, False)
    assert len(gone(shop)) == 5


def test_a_persons_word_is_for_one_import(shop: Shop) -> None:
    items = cards(shop, 20)
    whole(shop, confirm=True)
    for n in range(5):
        del items[f"U-{n:03d}"]
    assert whole(shop)["missing"]["held"] == "too-many"


def test_a_list_that_is_empty_marks_nothing_in_however_small_an_account(shop: Shop) -> None:
    items = cards(shop, 2)
    items.clear()
    assert whole(shop)["missing"]["held"] == "too-many"
    assert gone(shop) == []


@pytest.mark.parametrize(("written", "total", "why"), [(11, 0, "incomplete"), (12, 13, "incomplete"), (12, 12, "")])
def test_a_list_of_which_not_all_was_seen_marks_nothing(written: int, total: int, why: str) -> None:
    state = {"progress": {"seen": 12, "total": total}}
    assert products_gone._held(state, {"known": 13, "missed": 1, "written": written}) == why


def test_where_time_runs_out_the_search_goes_on_where_it_was(shop: Shop) -> None:
    items = cards(shop, 60)
    del items["U-003"], items["U-033"]
    at, tries = shop.world.now() + timedelta(days=1), 1
    while run(shop, at, at).again is not None:  # a page, or a sixteenth, at a time
        tries += 1
    assert tries > 16
    run(shop, at + timedelta(days=1))
    assert sorted(gone(shop)) == ["U-003", "U-033"]


def test_what_was_written_down_is_a_row_a_page_and_is_gone_after_the_run(shop: Shop) -> None:
    cards(shop, 230)
    at = shop.world.now() + timedelta(days=1)
    with as_door(shop.world):
        run(shop, at, at)
        written = seen.of_shard("demo", "one", at.isoformat(), 0)
        assert written[1] == 100
        run(shop, at)
        assert seen.of_shard("demo", "one", at.isoformat(), 0) == (set(), 0)


def test_a_card_that_was_removed_meanwhile_is_not_made_again(world: World) -> None:
    with as_door(world):
        units.missed("demo", "one", "U", "run", gone=True)
        assert units.get("demo", "one", "U") is None
