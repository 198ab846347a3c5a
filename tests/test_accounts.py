"""Accounts: several a marketplace, credentials checked and kept apart, and a first connection that harms nothing."""

import base64
import json
from datetime import timedelta
from typing import Any

import pytest

from infra.twins.yandex_market import YandexMarketTwin
from infra.world import World
from tests.asking import START, Shop, problem
from tests.market_accounts import TOKEN, account, as_door, body, stock, twin_of
from vestnik.domain.market import accounts, expressions
from vestnik.flows import accounts as fares
from vestnik.flows import orders_let_go, stock_touch
from vestnik.marketplaces import names, shipped
from vestnik.store import secrets, settings, stock_sent


@pytest.fixture(autouse=True)
def anew(world: World) -> None:
    world.reset()


def health(shop: Shop, id: str = "one") -> dict[str, Any]:
    answer = shop.get(f"accounts/{id}/health")
    assert answer.status == 200, answer.text
    found: dict[str, Any] = answer.json()
    return found


def test_an_account_is_kept_without_its_credentials_and_its_key_is_checked(shop: Shop) -> None:
    put = account(shop, "one").json()
    assert put["check"]["ok"] is True
    shown = shop.get("accounts/one")
    assert shown.json()["secrets"] == ["token"]
    assert shown.json()["state"] == "new"
    assert TOKEN not in shown.text


def test_a_wrong_key_is_told_at_once_and_connects_nothing(shop: Shop) -> None:
    twin_of(shop.world).add_account(TOKEN)
    put = shop.put("accounts/one", body("wrong")).json()
    assert put["check"]["ok"] is False
    assert put["check"]["error"]["code"] == "credentials"
    problem(shop.post("accounts/one/connect", {}), 422, "credentials-refused")


def test_what_an_account_lacks_is_named(shop: Shop) -> None:
    wrong = {"marketplace": "yandex_market", "schemes": ["FBW"], "settings": {"colour": "red"}, "credentials": {}}
    found = problem(shop.put("accounts/one", wrong), 422, "invalid-account")["errors"]
    where = {error["where"] for error in found}
    assert {"/schemes/0", "/settings/colour"} <= where
    assert any(one.startswith("/credentials/") for one in where)
    problem(shop.put("accounts/one", {"marketplace": "bazaar"}), 422, "invalid-account")


def test_credentials_that_are_not_given_again_stay(shop: Shop) -> None:
    account(shop, "one")
    again = shop.put("accounts/one", {"marketplace": "feed", "name": "Renamed"}).json()
    assert (again["name"], again["secrets"], again["check"]["ok"]) == ("Renamed", ["token"], True)


def test_an_account_without_credentials_is_refused(shop: Shop) -> None:
    found = problem(shop.put("accounts/one", {"marketplace": "feed"}), 422, "invalid-account")
    assert found["errors"][0]["where"] == "/credentials/token"


@pytest.mark.parametrize("key", ["local\n1", "ключ", "k\x00", "k\u200b"])
def test_a_credential_that_no_header_can_hold_is_refused_and_nothing_is_kept(shop: Shop, key: str) -> None:
    wanted = {"marketplace": "ozon", "credentials": {"client_id": "101", "api_key": key}}
    found = problem(shop.put("accounts/k0", wanted), 422, "invalid-account")
    assert [one["where"] for one in found["errors"]] == ["/credentials/api_key"]
    assert key not in json.dumps(found, ensure_ascii=False)
    assert shop.get("accounts").json()["items"] == []


def test_space_around_a_credential_is_cut_off(shop: Shop) -> None:
    assert account(shop, "one").status == 200
    again = shop.put("accounts/one", body(f" {TOKEN}\r\n"))
    assert again.json()["check"]["ok"] is True


def test_a_credential_that_was_kept_though_it_cannot_be_sent_is_told_without_it(shop: Shop) -> None:
    account(shop, "one")
    with as_door(shop.world, "manage-shop"):
        secrets.put_account_secret("demo", "one", {"token": "secret\n1"})
    checked = shop.post("accounts/one/check")
    assert checked.json()["ok"] is False
    assert "secret" not in checked.text
    problem(shop.post("accounts/one/connect", {}), 422, "credentials-refused")


def test_a_marketplace_has_one_main_account(shop: Shop) -> None:
    assert account(shop, "one").json()["main"] is True
    assert account(shop, "two", "feed-two").json()["main"] is False
    assert account(shop, "two", "feed-two", main=True).json()["main"] is True
    mains = {one["id"]: one["main"] for one in shop.get("accounts").json()["items"]}
    assert mains == {"one": False, "two": True}
    assert shop.delete("accounts/two").status == 204
    assert shop.get("accounts/one").json()["main"] is True


def test_an_account_stays_at_its_marketplace(shop: Shop) -> None:
    account(shop, "one")
    moved = {"marketplace": "ozon", "credentials": {"client_id": "1", "api_key": "k"}}
    problem(shop.put("accounts/one", moved), 422, "invalid-account")


def test_a_connected_account_is_not_removed(shop: Shop) -> None:
    account(shop, "one")
    assert shop.post("accounts/one/connect", {}).json()["state"] == "connected"
    problem(shop.delete("accounts/one"), 409, "account-connected")
    assert shop.post("accounts/one/pause").json()["state"] == "paused"
    assert shop.delete("accounts/one").status == 204
    problem(shop.get("accounts/one"), 404, "not-found")


def test_another_shop_sees_no_account_of_ours(shop: Shop) -> None:
    account(shop, "one")
    other = Shop(shop.world, "other-key")
    for path in ("accounts/one", "accounts/one/health", "products?account=one", "warehouses?account=one"):
        problem(other.get(path), 404, "not-found")
    assert other.get("accounts").json()["items"] == []


def test_an_unreachable_marketplace_leaves_the_credentials_unchecked(shop: Shop) -> None:
    account(shop, "one")
    twin_of(shop.world).outage(timedelta(minutes=10))
    assert shop.post("accounts/one/check").json()["ok"] is None
    problem(shop.post("accounts/one/connect", {}), 422, "credentials-unchecked")


# Removing


def sold(shop: Shop) -> None:
    """A paused account with an open order of two of its five pieces of tea."""
    selling(shop)
    twin_of(shop.world).sell("TEA", 2, account=TOKEN)
    shop.world.advance(timedelta(minutes=2))
    assert reserved(shop) == 2
    shop.post("accounts/one/pause")


def reserved(shop: Shop) -> int:
    found: int = shop.get("stock/TEA").json()["held"]
    return found


def test_an_account_whose_orders_hold_goods_is_removed_only_with_their_release(shop: Shop) -> None:
    sold(shop)
    problem(shop.delete("accounts/one"), 409, "orders-open")
    assert reserved(shop) == 2
    assert shop.delete("accounts/one?release=true").status == 204
    assert reserved(shop) == 0
    (order,) = shop.get("marketplace-orders").json()["items"]
    assert shop.get(f"marketplace-orders/{order['id']}").json()["holds"] == {}


def test_orders_that_were_let_go_hold_again_when_they_are_read_again(shop: Shop) -> None:
    sold(shop)
    assert shop.delete("accounts/one?release=true").status == 204
    assert shop.put("accounts/one", body()).status == 200
    shop.post("accounts/one/connect", {})
    shop.world.advance(timedelta(minutes=2))
    assert reserved(shop) == 2


def test_letting_go_that_was_cut_short_goes_on(shop: Shop) -> None:
    sold(shop)
    with as_door(shop.world, "manage-shop"):
        one = fares.load("demo", "one", shop.world.now())
        assert one is not None
        assert not orders_let_go.let_go(one, shop.world.now, shop.world.now())
        assert orders_let_go.holding(one)
        for _ in range(2):
            assert orders_let_go.let_go(one, shop.world.now, shop.world.now() + timedelta(seconds=1))
        assert orders_let_go.holding(one) is None
    shop.post("accounts/one/connect", {})
    shop.world.advance(timedelta(minutes=2))
    assert reserved(shop) == 2


# The first connection


def goods(shop: Shop) -> None:
    """Three cards for sale there: of a stocked item, of an item whose stock was never told, and of none."""
    account(shop, "one")
    for unit in ("TEA", "POT", "CUP"):
        twin_of(shop.world).add_product(unit, stock=7, account=TOKEN)
    stock(shop, TEA=5)
    assert shop.put("items", {"item": "POT"}).status == 200


def linked(shop: Shop) -> None:
    shop.world.settle()
    assert shop.post("links/auto", {"account": "one"}).status == 200


def numbers(shop: Shop) -> dict[str, int]:
    return {unit: twin_of(shop.world).stock_of(unit, account=TOKEN) for unit in ("TEA", "POT", "CUP")}


def test_a_dry_run_shows_what_would_change_and_changes_nothing(shop: Shop) -> None:
    goods(shop)
    assert shop.post("accounts/one/connect", {"dry": True}).json()["state"] == "dry"
    linked(shop)
    shop.post("accounts/one/connect", {"dry": True})
    shop.world.settle()
    report = health(shop)["flows"]["dry"]["report"]
    counts = {name: report[name] for name in ("units", "linked", "unlinked", "unknown", "down", "zero", "above_zero")}
    assert counts == {"units": 3, "linked": 2, "unlinked": 1, "unknown": 1, "down": 1, "zero": 0, "above_zero": 2}
    (sample,) = report["samples"]
    assert (sample["unit"], sample["shows"], sample["would_show"]) == ("TEA", 7, 5)
    assert numbers(shop) == {"TEA": 7, "POT": 7, "CUP": 7}
    writes = [call for call in twin_of(shop.world).calls if call.method != "GET"]
    assert not writes


def test_a_dry_run_says_that_a_run_would_wait_for_a_person(shop: Shop) -> None:
    goods(shop)
    shop.post("accounts/one/connect", {"dry": True})
    linked(shop)
    shop.world.advance(timedelta(seconds=1))
    stock(shop, TEA=0)
    shop.post("accounts/one/connect", {"dry": True})
    shop.world.settle()
    report = health(shop)["flows"]["dry"]["report"]
    assert (report["zero"], report["zero_percent"], report["would_wait"]) == (1, 50.0, True)


def selling(shop: Shop) -> None:
    """A connected account that shows five of its tea."""
    goods(shop)
    shop.post("accounts/one/connect", {"dry": True})
    linked(shop)
    assert shop.post("accounts/one/connect", {}).status == 200
    shop.world.advance(timedelta(minutes=12))
    assert numbers(shop)["TEA"] == 5


def test_connecting_zeroes_neither_unlinked_cards_nor_items_without_a_stock_record(shop: Shop) -> None:
    selling(shop)
    assert numbers(shop) == {"TEA": 5, "POT": 7, "CUP": 7}


def test_connecting_without_any_link_writes_nothing(shop: Shop) -> None:
    goods(shop)
    assert shop.post("accounts/one/connect", {}).status == 200
    shop.world.advance(timedelta(minutes=12))
    assert numbers(shop) == {"TEA": 7, "POT": 7, "CUP": 7}
    assert health(shop)["counts"] == {"units": 3, "linked": 0, "unlinked": 3, "archived": 0, "gone": 0}


def test_a_dry_run_that_is_cut_short_goes_on_where_it_was(shop: Shop) -> None:
    goods(shop)
    shop.post("accounts/one/connect", {"dry": True})
    twin_of(shop.world).outage(timedelta(seconds=45))
    shop.world.advance(timedelta(minutes=2))
    assert health(shop)["flows"]["dry"]["report"]["units"] == 3


# Pausing


def test_a_paused_account_is_left_alone_and_goes_on_when_connected_again(shop: Shop) -> None:
    account(shop, "one")
    shop.post("accounts/one/connect", {})
    shop.world.advance(timedelta(minutes=2))
    shop.post("accounts/one/pause")
    before = len(twin_of(shop.world).calls)
    shop.world.advance(timedelta(minutes=10))
    assert len(twin_of(shop.world).calls) == before
    connected_at = shop.get("accounts/one").json()["connected_at"]
    shop.post("accounts/one/connect", {})
    shop.world.advance(timedelta(minutes=2))
    assert len(twin_of(shop.world).calls) > before
    assert shop.get("accounts/one").json()["connected_at"] == connected_at


def any_mark(shop: Shop) -> bool:
    with as_door(shop.world):
        return bool(stock_sent.look("demo", "one", 1).marks)


def test_what_is_told_while_an_account_rests_leaves_no_marks_and_is_sent_when_it_goes_on(shop: Shop) -> None:
    selling(shop)
    shop.post("accounts/one/pause")
    shop.world.advance(timedelta(seconds=stock_touch.FRESH))
    for quantity in (4, 3, 2):
        shop.world.advance(timedelta(seconds=10))
        stock(shop, TEA=quantity)
    shop.world.settle()
    assert not any_mark(shop)
    shop.post("accounts/one/connect", {})
    shop.world.advance(timedelta(seconds=30))
    assert numbers(shop)["TEA"] == 2


def test_a_touch_by_who_has_not_heard_that_an_account_goes_on_is_not_lost(shop: Shop) -> None:
    selling(shop)
    world = shop.world
    shop.post("accounts/one/pause")
    with as_door(world):
        settings.current("demo", world.now())  # what this worker knows for some seconds to come
        heard = settings._cache["demo"]
    shop.post("accounts/one/connect", {})
    world.advance(timedelta(seconds=30))
    with as_door(world):
        settings._cache["demo"], settings._checked["demo"] = heard, world.now().timestamp()
        assert stock_touch.touch("demo", ["TEA"], world.now()) == 1


def test_an_accounts_own_orders_are_marked_even_while_it_rests(shop: Shop) -> None:
    selling(shop)
    shop.post("accounts/one/pause")
    shop.world.advance(timedelta(seconds=stock_touch.FRESH))
    with as_door(shop.world):
        assert stock_touch.touch("demo", ["TEA"], shop.world.now(), forced=True) == 0
        assert stock_touch.touch("demo", ["TEA"], shop.world.now(), forced=True, of="one") == 1


def test_nothing_is_confirmed_where_nothing_waits(shop: Shop) -> None:
    account(shop, "one")
    problem(shop.post("accounts/one/confirm"), 409, "nothing-held")


# Expiry


def test_credentials_that_end_soon_are_told_before_they_do_and_once_a_step(world: World, shop: Shop) -> None:
    account(shop, "one")
    ends = START + timedelta(days=8, hours=1)
    answer = f"{{ok: `true`, expires_at: '{ends:%Y-%m-%dT%H:%M:%SZ}'}}"
    checks = {**shipped("feed").definitions["feed.credentials.check"], "answer": answer}
    with as_door(world, "manage-shop"):
        settings.put("demo", "request", "feed.credentials.check", checks, by="test", now=world.now())
    world.advance(timedelta(minutes=1))  # a revision of the settings is taken as read for some seconds
    owner = accounts.account("demo", "one", shop.get("accounts/one").json())
    steps = [fares.step(ends - START - timedelta(days=day)) for day in (-9, 0, 1, 2, 5, 7, 8)]
    assert steps == [None, 14, 14, 7, 7, 3, 1]
    for _ in range(2):
        with as_door(world):
            fares.watch(owner, world.now())
        world.settle()
    (told,) = [item for item in world.outbox if item["channel"] == "telegram"]
    assert "Feed" in told["text"]


def test_an_account_declares_its_settings_by_name_and_kind() -> None:
    wanted = {"business": {"title": "Cabinet", "type": "integer", "required": True}, "city": {"type": "string"}}
    assert not list(accounts.settings_faults(wanted, {"business": 5}))
    found = [one.where for one in accounts.settings_faults(wanted, {"business": True, "city": 5, "other": 1})]
    assert found == ["/settings/business", "/settings/city", "/settings/other"]
    assert [one.message for one in accounts.settings_faults(wanted, {})] == ["is missing"]


# The cabinet


def test_a_cabinet_is_one_account(shop: Shop) -> None:
    account(shop, "one")
    found = problem(shop.put("accounts/two", body()), 409, "same-cabinet")
    assert "one" in found["detail"]
    assert TOKEN not in json.dumps(found)
    assert [one["id"] for one in shop.get("accounts").json()["items"]] == ["one"]
    account(shop, "two", "feed-two")
    problem(shop.put("accounts/two", body()), 409, "same-cabinet")
    assert shop.put("accounts/one", body()).status == 200


def token_of(seller: str, exp: int) -> str:
    """A token of Wildberries: a JSON Web Token that names its seller."""
    told = {"sid": seller, "exp": exp, "s": 16}
    parts = [base64.urlsafe_b64encode(json.dumps(one).encode()).decode().rstrip("=") for one in ({}, told)]
    return ".".join([*parts, "x"])


@pytest.mark.parametrize(
    ("marketplace", "settings", "first", "same", "other"),
    [
        ("ozon", {}, *({"client_id": id, "api_key": key} for id, key in (("1", "a"), ("1", "b"), ("2", "b")))),
        (
            "wildberries",
            {"token_type": "personal"},
            {"token": token_of("s1", 1)},
            {"token": token_of("s1", 2)},
            {"token": token_of("s2", 1)},
        ),
    ],
)
def test_a_cabinet_is_known_by_what_does_not_change_with_its_key(
    shop: Shop, marketplace: str, settings: dict[str, Any], first: Any, same: Any, other: Any
) -> None:
    told = {"marketplace": marketplace, "settings": settings}
    assert shop.put("accounts/one", {**told, "credentials": first}).status == 200
    problem(shop.put("accounts/two", {**told, "credentials": same}), 409, "same-cabinet")
    assert shop.put("accounts/two", {**told, "credentials": other}).status == 200


def yandex(shop: Shop, settings: dict[str, int], id: str = "ym") -> Any:
    """An account at Yandex Market whose key is good."""
    twin = shop.world.markets["yandex_market"]
    assert isinstance(twin, YandexMarketTwin)
    if not twin.accounts:
        twin.add_account("key-1", 7001, fbs=21001).add_campaign(21002, "FBY")
    told = {"business": 7001, "campaign": 21001} | settings
    wanted = {"marketplace": "yandex_market", "settings": told, "credentials": {"api_key": "key-1"}}
    answer = shop.put(f"accounts/{id}", wanted)
    assert answer.status == 200, answer.text
    return answer.json()["check"]


@pytest.mark.parametrize("wrong", [{"campaign": 999}, {"business": 7999}, {"fby_campaign": 5}])
def test_a_shop_that_the_key_does_not_see_is_told_on_saving_and_connects_nothing(
    shop: Shop, wrong: dict[str, int]
) -> None:
    said = yandex(shop, wrong)
    setting = "campaign" if "business" in wrong else next(iter(wrong))
    assert (said["ok"], said["error"]["code"], said["error"]["where"]) == (False, "settings", f"/settings/{setting}")
    assert health(shop, "ym")["credentials"]["error"]["code"] == "settings"
    found = problem(shop.post("accounts/ym/connect", {}), 422, "settings-refused")
    assert found["errors"][0]["where"] == f"/settings/{setting}"


def test_two_shops_of_one_cabinet_are_two_accounts(shop: Shop) -> None:
    assert yandex(shop, {"fby_campaign": 21002})["ok"] is True
    assert yandex(shop, {"campaign": 21002}, "other")["ok"] is True
    told = {"business": 7001, "campaign": 21001}
    wanted = {"marketplace": "yandex_market", "settings": told, "credentials": {"api_key": "another"}}
    problem(shop.put("accounts/third", wanted), 409, "same-cabinet")


def test_only_an_account_whose_credentials_are_good_becomes_the_main_one_by_itself(shop: Shop) -> None:
    twin_of(shop.world).add_account(TOKEN)
    assert shop.put("accounts/one", body("wrong")).json()["main"] is False
    assert account(shop, "two", "feed-two").json()["main"] is True
    assert shop.put("accounts/one", body()).json()["main"] is False
    assert shop.put("accounts/two", {"marketplace": "feed", "name": "Renamed"}).json()["main"] is True


@pytest.mark.parametrize("marketplace", names())
def test_what_a_marketplace_tells_of_cabinets_checks_and_reasons_is_whole(marketplace: str) -> None:
    market = shipped(marketplace)
    purposes = {one["purpose"] for one in market.definitions.values()}
    assert expressions.compiled(market.body["cabinet"])
    for one in market.body.get("checks", ()):
        assert (one["call"] in purposes, one["setting"] in market.settings) == (True, True)
        assert expressions.compiled(one["expect"])
    assert set(market.operations.get("takes", {})) <= set(market.operations)
    for status, reasons in market.operations.get("reasons", {}).items():
        assert status in market.operations
        assert set(reasons.get("message", ())) <= set(reasons["known"])
