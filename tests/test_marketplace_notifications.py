"""Marketplaces' notifications: a hint by which an account's orders are read at once, and nothing else."""

import json
from datetime import timedelta
from typing import Any
from urllib.parse import urlsplit

import pytest

from infra.twins.ozon import Cabinet, Ozon
from infra.twins.yandex_market import YandexMarketTwin
from infra.world import World
from infra.world.http_api import Response
from tests import market_accounts
from tests.asking import Shop
from tests.market_accounts import as_door
from vestnik import marketplaces
from vestnik.flows import notifications
from vestnik.store import postings

OZON, YANDEX, MARKET = "ozon-notified", "yandex-notified", "market-notified"
PING = {"message_type": "TYPE_PING", "time": "2026-11-20T08:00:00Z"}


@pytest.fixture(scope="module")
def twin(world: World) -> Ozon:
    return market_accounts.twin(world, "ozon", Ozon)


@pytest.fixture(scope="module")
def cabinet(shop: Shop, twin: Ozon) -> Cabinet:
    """A connected cabinet, whose notifications come here."""
    made = twin.add_account()
    made.add_product("TEA", stock=1000)
    keys = {"client_id": made.client_id, "api_key": made.api_key}
    answer = shop.put(f"accounts/{OZON}", {"marketplace": "ozon", "name": "Ozon", "credentials": keys})
    assert answer.status == 200, answer.text
    assert shop.post(f"accounts/{OZON}/connect", {}).status == 200
    shop.world.settle()
    return made


def _address(shop: Shop, account: str) -> str:
    url: str = shop.get(f"accounts/{account}").json()["notifications"]["url"]
    return urlsplit(url).path


def _tell(world: World, path: str, told: Any) -> Response:
    body = told if isinstance(told, bytes) else json.dumps(told).encode()
    return world.request("POST", path, key=None, body=body, headers={"content-type": "application/json"})


def test_connecting_tells_ozon_where_to_send_its_notifications(world: World, shop: Shop, cabinet: Cabinet) -> None:
    assert urlsplit(cabinet.pushes.url).path == _address(shop, OZON)
    assert cabinet.pushes.types == {
        "TYPE_NEW_POSTING",
        "TYPE_POSTING_CANCELLED",
        "TYPE_STATE_CHANGED",
        "TYPE_CUTOFF_DATE_CHANGED",
    }
    assert shop.get(f"accounts/{OZON}").json()["notifications"]["set_in"] is None
    assert shop.get(f"accounts/{OZON}/health").json()["flows"]["push"]["last_ok"]


def test_a_new_order_is_known_before_the_clock_asks_for_it(world: World, twin: Ozon, cabinet: Cabinet) -> None:
    world.advance_to(world.now().replace(second=10, microsecond=0) + timedelta(minutes=1))
    number = str(cabinet.sell("TEA"))
    world.settle()
    assert world.now().second < 30
    with as_door(world):
        assert postings.get("demo", OZON, number) is not None
    assert world.notifications.answers[-1] == 200


def test_ozon_gets_the_answers_that_it_expects(world: World, shop: Shop, cabinet: Cabinet) -> None:
    path = _address(shop, OZON)
    pong = _tell(world, path, PING)
    assert (pong.status, set(pong.json())) == (200, {"version", "name", "time"})
    for told in ({"message_type": "TYPE_NEW_POSTING"}, {"message_type": "TYPE_OF_TOMORROW"}, b"{", b"", [1]):
        answer = _tell(world, path, told)
        assert (answer.status, answer.json()) == (200, {"result": True}), told


def test_a_notification_that_is_replayed_wakes_twice_in_some_seconds_at_most(
    world: World, shop: Shop, cabinet: Cabinet
) -> None:
    world.advance(timedelta(seconds=20))
    calls = len(twin_calls(world))
    for _ in range(20):
        assert _tell(world, _address(shop, OZON), {"message_type": "TYPE_STATE_CHANGED"}).status == 200
    world.advance(timedelta(seconds=10))
    lists = [one for one in twin_calls(world)[calls:] if one.path.endswith("/v4/posting/fbs/list")]
    assert 1 <= len(lists) <= 3


def twin_calls(world: World) -> list[Any]:
    return world.markets["ozon"].calls


def test_what_is_no_order_wakes_nobody(world: World, shop: Shop, cabinet: Cabinet) -> None:
    world.advance_to(world.now().replace(second=20, microsecond=0) + timedelta(minutes=1))
    calls = len(twin_calls(world))
    for told in (PING, {"message_type": "TYPE_STOCKS_CHANGED"}, {"message_type": "TYPE_OF_TOMORROW"}, b"no json"):
        _tell(world, _address(shop, OZON), told)
    world.advance_to(world.now() + timedelta(seconds=10))
    assert len(twin_calls(world)) == calls


@pytest.mark.parametrize("harm", ["cut", "turned", "no-token", "another-account", "another-purpose"])
def test_an_address_that_was_changed_is_nobodys(world: World, shop: Shop, cabinet: Cabinet, harm: str) -> None:
    path = _address(shop, OZON)
    head, _, token = path.rpartition("/")
    last = "A" if token[-3] != "A" else "B"
    changed = {
        "cut": f"{head}/{token[:-5]}",
        "turned": f"{head}/{token[:-3]}{last}{token[-2:]}",
        "no-token": f"{head}/x",
        "another-account": f"{head}x/{token}",
        "another-purpose": path.replace("marketplace-notifications/" + OZON, "unsubscribe"),
    }
    assert _tell(world, changed[harm], PING).status == 404


def test_another_shops_account_of_the_same_name_has_an_address_of_its_own(
    world: World, shop: Shop, twin: Ozon, cabinet: Cabinet
) -> None:
    other, made = Shop(world, "other-key"), twin.add_account()
    keys = {"client_id": made.client_id, "api_key": made.api_key}
    written = other.put(f"accounts/{OZON}", {"marketplace": "ozon", "name": "Ozon", "credentials": keys})
    assert written.status == 200, written.text
    assert _address(other, OZON) != _address(shop, OZON)
    world.advance_to(world.now().replace(second=20, microsecond=0) + timedelta(minutes=1))
    calls = len(twin_calls(world))
    assert _tell(world, _address(other, OZON), {"message_type": "TYPE_NEW_POSTING"}).status == 200
    world.advance_to(world.now() + timedelta(seconds=10))
    assert len(twin_calls(world)) == calls, "it woke the account of the first shop"


def test_a_new_address_ends_the_old_and_ozon_is_told(world: World, shop: Shop, cabinet: Cabinet) -> None:
    before = _address(shop, OZON)
    answer = shop.post(f"accounts/{OZON}/notifications")
    assert answer.status == 200, answer.text
    world.advance(timedelta(seconds=notifications.FRESH + 1))
    after = _address(shop, OZON)
    assert [_tell(world, path, PING).status for path in (before, after)] == [404, 200]
    assert urlsplit(cabinet.pushes.url).path == after


def test_a_body_that_no_notification_has_is_too_large(world: World, shop: Shop, cabinet: Cabinet) -> None:
    assert _tell(world, _address(shop, OZON), b" " * (notifications.LARGEST + 1)).status == 413


def test_a_paused_account_takes_notifications_and_does_nothing(world: World, shop: Shop, cabinet: Cabinet) -> None:
    shop.post(f"accounts/{OZON}/pause")
    world.advance(timedelta(seconds=notifications.FRESH + 1))
    calls = len(twin_calls(world))
    assert _tell(world, _address(shop, OZON), {"message_type": "TYPE_NEW_POSTING"}).status == 200
    world.settle()
    assert len(twin_calls(world)) == calls
    shop.post(f"accounts/{OZON}/connect", {})


def test_yandex_is_told_in_its_cabinet_and_gets_its_own_answer(world: World, shop: Shop) -> None:
    body = {"marketplace": "yandex_market", "name": "Market", "settings": {"business": 1, "campaign": 2}}
    assert shop.put(f"accounts/{YANDEX}", {**body, "credentials": {"api_key": "none"}}).status == 200
    world.advance(timedelta(seconds=20))  # for so long the door takes the settings as read
    found = shop.get(f"accounts/{YANDEX}").json()["notifications"]
    assert "cabinet" in found["set_in"]
    answer = _tell(world, urlsplit(found["url"]).path, {"notificationType": "ORDER_CREATED", "orderId": 1})
    assert (answer.status, set(answer.json())) == (200, {"version", "name", "time"})


@pytest.fixture(scope="module")
def market(shop: Shop) -> YandexMarketTwin:
    """A connected cabinet at Yandex Market, in which the seller typed the address."""
    found = shop.world.markets["yandex_market"]
    assert isinstance(found, YandexMarketTwin)
    made = found.add_account()
    made.add_product("TEA", stock=1000)
    body = {"marketplace": "yandex_market", "name": "Market", "credentials": {"api_key": made.key}}
    told = {"business": made.business, "campaign": next(iter(made.campaigns))}
    written = shop.put(f"accounts/{MARKET}", {**body, "settings": told})
    assert written.status == 200, written.text
    assert shop.post(f"accounts/{MARKET}/connect", {}).status == 200
    shop.world.advance(timedelta(minutes=2))
    found.notify(written.json()["notifications"]["url"])
    shop.world.settle()
    return found


def test_yandex_pings_the_address_that_was_typed_before_it_tells_anything(
    world: World, market: YandexMarketTwin
) -> None:
    assert market.cabinet().pushes.on
    other = market.add_account("key-of-another")
    other.add_product("TEA", stock=9)
    market.notify("http://127.0.0.1/v1/marketplace-notifications/nobody/x", other.key)
    world.settle()
    other.sell("TEA")
    assert (world.notifications.answers[-1], other.pushes.on, other.pushes.due) == (404, False, [])


def test_an_order_at_yandex_is_known_within_seconds(world: World, market: YandexMarketTwin) -> None:
    world.advance_to(world.now().replace(second=10, microsecond=0) + timedelta(minutes=1))
    number = str(market.sell("TEA", 2))
    world.settle()
    assert world.now().second < 30
    with as_door(world):
        assert postings.get("demo", MARKET, number) is not None


def test_what_becomes_of_an_order_at_yandex_is_known_within_seconds(
    world: World, shop: Shop, market: YandexMarketTwin
) -> None:
    number = str(market.sell("TEA"))
    for move, status in ((market.advance, "shipped"), (None, "cancelled")):
        world.advance_to(world.now().replace(second=10, microsecond=0) + timedelta(minutes=1))
        if move is not None:
            move(number, "DELIVERY")
        else:
            market.advance(number, "CANCELLED", "USER_REFUSED_DELIVERY")
        world.settle()
        assert shop.get(f"marketplace-orders/{MARKET}:{number}").json()["status"] == status


def test_yandex_tells_of_each_event_in_its_own_words(market: YandexMarketTwin) -> None:
    cabinet = market.cabinet()
    number = str(cabinet.sell("TEA"))
    cabinet.advance(number, "DELIVERY")
    cabinet.cancel(number)
    cabinet.advance(number, "DELIVERED")
    back = cabinet.give_back(number)
    cabinet.move_return(back, "IN_TRANSIT")
    cabinet.cancel(str(cabinet.sell("TEA")))
    told = [cabinet.pushes.next() for _ in range(8)]
    assert [one and one[1]["notificationType"] for one in told] == [
        "ORDER_CREATED",
        "ORDER_STATUS_UPDATED",
        "ORDER_CANCELLATION_REQUEST",
        "ORDER_STATUS_UPDATED",
        "ORDER_RETURN_CREATED",
        "ORDER_RETURN_STATUS_UPDATED",
        "ORDER_CREATED",
        "ORDER_CANCELLED",
    ]
    known = marketplaces.shipped("yandex_market").body["push"]
    assert {one[1][known["kind"]] for one in told if one} <= set(known["orders"])
    assert all(one[1][known["number"]] for one in told if one)


def test_a_marketplace_without_notifications_has_no_address(shop: Shop) -> None:
    body = {"marketplace": "feed", "name": "Feed", "credentials": {"token": "none"}}
    assert shop.put("accounts/silent", body).json()["notifications"] is None
    assert shop.post("accounts/silent/notifications").status == 422


def test_the_doors_call_nothing_that_the_map_does_not_grant(world: World, cabinet: Cabinet) -> None:
    assert not world.doors.failures
    assert not world.refused_grants()
