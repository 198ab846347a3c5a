"""Yandex Market's twin: its stock, its limits, its orders, and its lies."""

import threading
from collections.abc import Iterator
from datetime import date, datetime, timedelta
from email.utils import parsedate_to_datetime
from typing import Any

import httpx
import pytest

from infra.twins.yandex_market import YandexMarketTwin
from tests.definition_calls import Caller, Clock
from tests.yandex_calls import NOW, SETTINGS, calling, opened, row, span
from vestnik import marketplaces
from vestnik.domain.market import statuses

GROUPED = {**SETTINGS, "warehouse_groups": True}
DEFINITIONS = marketplaces.shipped("yandex_market").definitions


@pytest.fixture
def clock() -> Clock:
    return Clock(NOW)


@pytest.fixture
def twin(clock: Clock) -> Iterator[YandexMarketTwin]:
    with opened(clock) as twin:
        yield twin


@pytest.fixture
def caller(twin: YandexMarketTwin, clock: Clock) -> Caller:
    return calling(twin, clock)


# -- its stock -----------------------------------------------------------------------------------------------------


def test_a_sale_takes_from_what_is_free_and_a_cancellation_before_the_handover_gives_it_back(
    twin: YandexMarketTwin, caller: Caller
) -> None:
    number = str(twin.sell("LAMP", 2))
    shown = caller.call("stock.read", rows=[row("LAMP", 0)]).items[0]
    assert (shown["quantity"], shown["reserved"], shown["present"]) == (3, 2, 5)
    twin.cancel(number)
    assert caller.call("stock.read", rows=[row("LAMP", 0)]).items[0]["quantity"] == 5
    assert twin.orders[number].substatus == "USER_CHANGED_MIND"


def test_what_left_is_no_longer_there(twin: YandexMarketTwin, caller: Caller) -> None:
    number = str(twin.sell("LAMP", 2))
    twin.advance(number, "DELIVERY")
    twin.advance(number, "CANCELLED", "USER_REFUSED_PRODUCT")
    shown = caller.call("stock.read", rows=[row("LAMP", 0)]).items[0]
    assert (shown["quantity"], shown["reserved"], shown["present"]) == (3, 0, 3)


def test_a_buyer_cannot_order_what_is_not_shown(twin: YandexMarketTwin) -> None:
    assert twin.sell("LAMP", 6) is None
    assert (twin.oversold, twin.stock_of("LAMP")) == (1, 5)


def test_a_test_order_takes_no_stock(twin: YandexMarketTwin, caller: Caller, clock: Clock) -> None:
    number = twin.sell("LAMP", 99, fake=True)
    assert twin.stock_of("LAMP") == 5
    assert [(one["number"], one["fake"]) for one in caller.call("orders.list", **span(clock)).items] == [(number, True)]


def test_written_stock_shows_after_its_delay_and_a_sale_meanwhile_is_overwritten(
    twin: YandexMarketTwin, caller: Caller, clock: Clock
) -> None:
    twin.cabinet().lag = timedelta(minutes=3)
    assert caller.call("stock.write", rows=[row("LAMP", 9)]).rows["LAMP|901"].ok
    twin.sell("LAMP", 1)
    assert twin.stock_of("LAMP") == 4
    clock.move(minutes=3)
    assert twin.stock_of("LAMP") == 9


def test_a_number_that_is_older_than_the_one_shown_changes_nothing(twin: YandexMarketTwin, caller: Caller) -> None:
    caller.call("stock.write", rows=[row("LAMP", 8, NOW)])
    caller.call("stock.write", rows=[row("LAMP", 2, NOW - timedelta(seconds=1))])
    assert twin.stock_of("LAMP") == 8
    caller.call("stock.write", rows=[row("LAMP", 3, NOW)])
    assert twin.stock_of("LAMP") == 3


def test_a_larger_page_is_cut_without_a_word(twin: YandexMarketTwin, caller: Caller) -> None:
    for n in range(120):
        twin.add_product(f"UNIT-{n}")
    url = f"{twin.url}/v3/businesses/7001/offers/stocks?limit=500"
    answer = httpx.post(url, json={"partnerWarehouseId": 901}, headers={"Api-Key": "key-1"})
    assert (answer.status_code, len(answer.json()["result"]["offers"])) == (200, 100)
    assert [len(page.items) for page in caller.pages("stock.read.all", warehouse="901")] == [100, 23]
    twin.dated = date(2026, 8, 1)
    answer = httpx.post(url, json={"partnerWarehouseId": 901}, headers={"Api-Key": "key-1"})
    assert len(answer.json()["result"]["offers"]) == 123


def test_an_unknown_sku_is_passed_over_in_silence(twin: YandexMarketTwin, caller: Caller) -> None:
    assert caller.call("stock.write", rows=[row("NOBODY", 1), row("LAMP", 1)]).do == "ok"
    assert caller.call("stock.read", rows=[row("NOBODY", 0), row("LAMP", 0)]).items[0]["unit"] == "LAMP"


def test_a_pair_may_come_once_in_a_batch(caller: Caller) -> None:
    assert caller.call("stock.write", rows=[row("LAMP", 1), row("LAMP", 2)]).do == "halve"


def test_a_body_over_half_a_megabyte_is_refused(twin: YandexMarketTwin) -> None:
    body = {"skuItems": [{"sku": "x" * 255, "partnerWarehouseId": 901, "count": 1}] * 2000}
    url = f"{twin.url}/v3/businesses/7001/offers/stocks/update"
    answer = httpx.post(url, json=body, headers={"Api-Key": "key-1"})
    assert answer.status_code == 400
    assert "too big" in answer.json()["errors"][0]["message"]
    assert DEFINITIONS["yandex_market.stock.write"]["batch"]["bytes"] < 512 * 1024


# -- its limits ----------------------------------------------------------------------------------------------------


def test_fifty_writes_go_in_a_clock_minute_and_the_next_is_told_until_when(caller: Caller, clock: Clock) -> None:
    heard = [caller.call("stock.write", rows=[row("LAMP", n)]) for n in range(51)]
    assert [one.status for one in heard] == [200] * 50 + [420]
    assert heard[-1].do == "park"
    assert heard[0].headers["x-ratelimit-resource-remaining"] == "49"
    until = parsedate_to_datetime(heard[-1].headers["x-ratelimit-resource-until"])
    assert until == NOW.replace(second=0) + timedelta(minutes=1)
    clock.at = until
    assert caller.call("stock.write", rows=[row("LAMP", 7)]).status == 200


def test_each_method_and_each_cabinet_has_a_limit_of_its_own(
    twin: YandexMarketTwin, caller: Caller, clock: Clock
) -> None:
    for n in range(51):
        caller.call("stock.write", rows=[row("LAMP", n)])
    assert caller.call("stock.read.all", warehouse="901").status == 200
    twin.add_account("key-2", 7002, warehouses=[1]).add_product("LAMP")
    other = Caller("yandex_market", twin.url, {"api_key": "key-2"}, {"business": 7002, "campaign": 21002}, clock)
    assert other.call("stock.write", rows=[row("LAMP", 1, warehouse="1")]).status == 200
    assert twin.stock_of("LAMP", account="key-2") == 1


def test_stock_by_shop_is_limited_by_its_rows(twin: YandexMarketTwin, clock: Clock) -> None:
    twin.cabinet().warehouses[901].group = 5
    caller = Caller("yandex_market", twin.url, {"api_key": "key-1"}, dict(GROUPED), clock)
    rows = [row(f"UNIT-{n}", 1) for n in range(2000)]
    left = caller.call("stock.write.group", rows=rows).headers["x-ratelimit-resource-remaining"]
    assert left == "98000"
    for window in twin._windows.values():
        window.use(NOW, 97_999)
    assert caller.call("stock.write.group", rows=rows[:2]).do == "park"
    assert caller.call("stock.write.group", rows=rows[:1]).do == "ok"


def test_a_wrong_call_counts_against_the_limit_too(caller: Caller) -> None:
    first = caller.call("stock.write", rows=[row("LAMP", -1)])
    assert (first.status, first.headers["x-ratelimit-resource-remaining"]) == (400, "49")


def test_four_calls_go_at_once_and_not_five(twin: YandexMarketTwin) -> None:
    under_way, go_on, met = threading.Semaphore(0), threading.Event(), list[int]()
    url, headers = f"{twin.url}/v3/businesses/7001/warehouses", {"Api-Key": "key-1"}

    def meanwhile() -> None:
        under_way.release()
        go_on.wait(60)

    twin.meanwhile = meanwhile
    ask = [
        threading.Thread(target=lambda: met.append(httpx.post(url, headers=headers, timeout=60).status_code))
        for _ in range(4)
    ]
    for one in ask:
        one.start()
    for _ in ask:
        assert under_way.acquire(timeout=60)
    assert httpx.post(url, headers=headers).status_code == 420
    go_on.set()
    for one in ask:
        one.join()
    assert met == [200] * 4


# -- orders --------------------------------------------------------------------------------------------------------


def test_the_moves_that_fbs_has_and_no_others(twin: YandexMarketTwin, caller: Caller) -> None:
    number = twin.sell("LAMP", 2)
    ready: dict[str, Any] = {"number": number, "status": "PROCESSING", "substatus": "READY_TO_SHIP"}
    assert caller.call("order.status", **ready).do == "give-up"
    order = caller.call("orders.get", number=number).items[0]
    short = [{**order["lines"][0], "quantity": 1}]
    assert caller.call("order.boxes", number=number, lines=short).do == "give-up"
    assert caller.call("order.boxes", number=number, lines=order["lines"]).do == "ok"
    assert caller.call("order.status", **ready).do == "ok"
    again = caller.call("order.status", **ready)
    assert (again.do, again.code) == ("give-up", "STATUS_NOT_ALLOWED")
    assert caller.call("order.status", number=number, status="DELIVERY").do == "give-up"
    assert caller.call("order.boxes", number=number, lines=order["lines"]).do == "give-up"
    assert caller.call("order.cancel", number=number).items[0]["theirs"]["substatus"] == "SHOP_FAILED"
    assert twin.stock_of("LAMP") == 5


def test_a_buyers_wish_to_cancel_is_granted_after_48_hours_of_silence(
    twin: YandexMarketTwin, caller: Caller, clock: Clock
) -> None:
    number = str(twin.sell("LAMP"))
    twin.advance(number, "DELIVERY")
    twin.cancel(number)
    told = caller.call("orders.get", number=number).items[0]
    deadline = clock() + timedelta(hours=48)
    assert datetime.fromisoformat(told["cancel_requested"]["deadline"]) == deadline
    clock.at = deadline - timedelta(seconds=1)
    assert twin.orders[number].status == "DELIVERY"
    clock.at = deadline
    assert caller.call("orders.get", number=number).items[0]["theirs"]["status"] == "CANCELLED"
    assert caller.call("cancellation.accept", number=number, accepted=True).do == "give-up"


def test_a_wish_to_cancel_may_be_refused_with_a_reason(twin: YandexMarketTwin, caller: Caller) -> None:
    number = str(twin.sell("LAMP"))
    twin.advance(number, "PICKUP")
    twin.cancel(number)
    assert caller.call("cancellation.accept", number=number, accepted=False).do == "give-up"
    assert caller.call("cancellation.accept", number=number, accepted=False, reason="ORDER_DELIVERED").do == "ok"
    assert twin.orders[number].status == "PICKUP"


def test_orders_are_asked_for_by_when_they_changed_and_30_days_at_most(
    twin: YandexMarketTwin, caller: Caller, clock: Clock
) -> None:
    number = str(twin.sell("LAMP"))
    clock.move(hours=24 * 40)
    twin.sell("LAMP")
    assert [one["number"] for one in caller.call("orders.list", **span(clock)).items] != [number]
    twin.advance(number, "DELIVERY")
    assert number in [one["number"] for one in caller.call("orders.list", **span(clock)).items]
    assert caller.call("orders.list", **span(clock, days=31)).do == "give-up"


def test_orders_of_other_shops_of_the_cabinet_are_not_this_accounts(
    twin: YandexMarketTwin, caller: Caller, clock: Clock
) -> None:
    cabinet = twin.cabinet()
    cabinet.add_warehouse(950, cabinet.add_campaign(21050, "DBS").id)
    cabinet.add_product("VASE", stock=1)
    twin.sell("VASE", 1, 950)
    assert caller.call("orders.list", **span(clock)).items == []
    caller.settings["dbs_campaign"] = 21050
    assert [one["scheme"] for one in caller.call("orders.list", **span(clock)).items] == ["DBS"]


def test_fifty_orders_a_page(twin: YandexMarketTwin, caller: Caller, clock: Clock) -> None:
    numbers = [twin.sell("LAMP", fake=True) for _ in range(120)]
    pages = list(caller.pages("orders.list", **span(clock)))
    assert [len(page.items) for page in pages] == [50, 50, 20]
    assert [one["number"] for page in pages for one in page.items] == numbers


def test_a_shipment_is_confirmed_from_its_cutoff_on_and_the_carrier_takes_what_is_ready(
    twin: YandexMarketTwin, caller: Caller, clock: Clock
) -> None:
    cabinet = twin.cabinet()
    cabinet.cutoff = timedelta(hours=2)
    ready, late = (str(twin.sell("LAMP", ship_in=timedelta(hours=6))) for _ in range(2))
    order = caller.call("orders.get", number=ready).items[0]
    assert caller.call("shipment.confirm", supply=order["supply"]).do == "give-up"
    caller.call("order.boxes", number=ready, lines=order["lines"])
    caller.call("order.status", number=ready, status="PROCESSING", substatus="READY_TO_SHIP")
    clock.move(hours=4)
    found = caller.call("shipments.list", orders=[ready], **span(clock)).items[0]
    assert (found["status"], found["orders"]) == ("OUTBOUND_READY_FOR_CONFIRMATION", [ready, late])
    assert caller.call("shipment.confirm", supply=found["id"]).do == "ok"
    assert caller.call("shipments.list", **span(clock)).items[0]["status"] == "OUTBOUND_CONFIRMED"
    cabinet.collect(found["id"])
    assert (twin.orders[ready].status, twin.orders[late].status) == ("DELIVERY", "PROCESSING")


def test_a_return_goes_its_way(twin: YandexMarketTwin, caller: Caller, clock: Clock) -> None:
    number = str(twin.sell("LAMP", 2))
    twin.advance(number, "DELIVERED")
    id = twin.cabinet().give_back(number, lines=[("LAMP", 1)])
    twin.cabinet().move_return(id, "READY_FOR_PICKUP", "REFUNDED")
    told = caller.call("returns.list", **span(clock)).items[0]
    assert (told["number"], told["lines"], told["amount"]) == (number, [{"unit": "LAMP", "quantity": 1}], 199_000)
    read = statuses.statuses(marketplaces.shipped("yandex_market").statuses, None, None)
    assert statuses.returning(told["theirs"], read) == "on_its_way"


# -- drift and outages ---------------------------------------------------------------------------------------------


def test_before_its_day_and_once_it_is_off_a_method_is_gone(twin: YandexMarketTwin, caller: Caller) -> None:
    twin.dated = date(2026, 7, 1)
    assert caller.call("stock.write", rows=[row("LAMP", 1)]).do == "gone"
    twin.dated = None
    twin.off.add("/v3/businesses/7001/offers/stocks/update")
    assert caller.call("stock.write", rows=[row("LAMP", 1)]).do == "gone"
    assert caller.call("stock.read.all", warehouse="901").do == "ok"


def test_in_an_outage_it_hangs_up(twin: YandexMarketTwin, caller: Caller, clock: Clock) -> None:
    twin.outage(timedelta(minutes=10))
    with pytest.raises(httpx.HTTPError):
        caller.call("warehouses.list")
    clock.move(minutes=10)
    assert caller.call("warehouses.list").do == "ok"
