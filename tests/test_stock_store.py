"""Stock as it is kept: newer news only, one hold an order, and orders in whatever sequence they are told."""

from datetime import timedelta
from typing import Any

import pytest

from infra.world import World
from tests.asking import Shop, problem
from tests.happenings import happened
from tests.market_accounts import as_door
from vestnik.domain.market import stock
from vestnik.domain.market.stock import Item, Stock
from vestnik.flows import stock_holds, stock_touch, waking
from vestnik.store import goods, items, stock_sent

SHOP = "demo"


def tell(shop: Shop, item: str, quantity: int, **more: Any) -> dict[str, Any]:
    answer = shop.put("stock", {"rows": [{"item": item, "warehouse": "main", "quantity": quantity, **more}]})
    assert answer.status == 200, answer.text
    report: dict[str, Any] = answer.json()
    return report


def kept(shop: Shop, item: str) -> Item:
    with as_door(shop.world):
        return goods.get(SHOP, item) or Item(item)


def available(shop: Shop, item: str) -> int | None:
    return stock.available(kept(shop, item))


def at(shop: Shop, **ago: float) -> str:
    return (shop.world.now() - timedelta(**ago)).isoformat()


def order(shop: Shop, id: str, type: str, item: str, quantity: float = 1, **more: Any) -> None:
    told = {"id": f"o-{id}", "items": [{"sku": item, "quantity": quantity}], **more}
    happened(shop, f"{id}-{type}-{shop.world.now():%H%M%S}", type, order=told)


def test_a_number_that_is_no_newer_changes_nothing(shop: Shop, id: str) -> None:
    assert tell(shop, id, 5, as_of=at(shop, minutes=5))["changed"] == 1
    assert tell(shop, id, 9, as_of=at(shop, minutes=6)) == {
        "rows": 1,
        "kept": 0,
        "stale": 1,
        "changed": 0,
        "bad": 0,
        "errors": [],
    }
    assert tell(shop, id, 9, as_of=at(shop, minutes=5))["stale"] == 1
    assert available(shop, id) == 5
    assert tell(shop, id, 4)["kept"] == 1
    assert available(shop, id) == 4


def test_of_two_numbers_told_in_one_moment_without_a_time_the_later_word_stands(shop: Shop, id: str) -> None:
    assert [tell(shop, id, quantity)["kept"] for quantity in (5, 4)] == [1, 1]
    assert available(shop, id) == 4


def test_times_with_any_offset_are_compared_as_times(shop: Shop, id: str) -> None:
    tell(shop, id, 5, as_of="2026-11-20T08:30:00+02:00")
    assert tell(shop, id, 9, as_of="2026-11-20T06:29:59Z")["stale"] == 1
    assert tell(shop, id, 4, as_of="2026-11-20T06:30:01Z")["kept"] == 1


def test_a_time_that_is_ahead_of_ours_shuts_out_no_later_news(shop: Shop, id: str) -> None:
    tell(shop, id, 5, as_of="2099-01-01T00:00:00Z")
    shop.world.advance(timedelta(minutes=1))
    tell(shop, id, 4)
    assert available(shop, id) == 4
    assert tell(shop, id, 9, as_of="0001-01-01T00:00:00+05:00")["stale"] == 1


def test_of_two_warehouses_told_at_once_each_is_judged_by_itself(shop: Shop, id: str) -> None:
    tell(shop, id, 5)
    rows = [
        {"item": id, "warehouse": "main", "quantity": 9, "as_of": at(shop, hours=1)},
        {"item": id, "warehouse": "second", "quantity": 2, "as_of": at(shop, hours=1)},
    ]
    report = shop.put("stock", {"rows": rows}).json()
    assert (report["kept"], report["stale"]) == (1, 1)
    assert available(shop, id) == 7


def test_every_row_that_is_wrong_is_named_and_the_others_are_kept(shop: Shop, id: str) -> None:
    rows = [
        {"item": id, "warehouse": "main", "quantity": 5},
        {"item": id, "warehouse": "second", "quantity": -1},
        {"warehouse": "main", "quantity": 5},
        {"item": id, "warehouse": "main", "quantity": 5, "kind": "some"},
        {"item": id, "warehouse": "main", "quantity": 5, "as_of": "yesterday"},
        {"item": id, "warehouse": "main", "quantity": 5, "amount": 7},
        7,
    ]
    report = shop.put("stock", {"rows": rows}).json()
    assert (report["rows"], report["kept"], report["bad"]) == (7, 1, 6)
    assert [(one["row"], one["field"]) for one in report["errors"]] == [
        (2, "quantity"),
        (3, "item"),
        (4, "kind"),
        (5, "as_of"),
        (6, "amount"),
        (7, ""),
    ]
    assert available(shop, id) == 5


def test_more_than_ten_thousand_rows_are_refused(shop: Shop) -> None:
    problem(shop.put("stock", {"rows": [{}] * 10_001}), 422, "invalid")


def test_stock_comes_by_event_too(shop: Shop, id: str) -> None:
    rows = [{"item": id, "warehouse": "main", "quantity": 6}]
    happened(shop, id, "stock.changed", items=rows)
    assert available(shop, id) == 6


@pytest.mark.parametrize("told", [("order.placed", "order.cancelled"), ("order.cancelled", "order.placed")])
def test_a_cancelled_order_holds_nothing_in_whatever_sequence_it_is_told(
    shop: Shop, id: str, told: tuple[str, ...]
) -> None:
    tell(shop, id, 5)
    for type in told:
        order(shop, id, type, id, 2)
    assert (available(shop, id), kept(shop, id).held) == (5, {})


def test_an_order_holds_what_it_takes_once_however_often_it_is_told(shop: Shop, id: str) -> None:
    tell(shop, id, 5)
    order(shop, id, "order.placed", id, 2)
    shop.world.advance(timedelta(seconds=5))
    order(shop, id, "order.placed", id, 2)
    assert available(shop, id) == 3


def test_goods_by_weight_take_whole_pieces(shop: Shop, id: str) -> None:
    tell(shop, id, 5)
    order(shop, id, "order.placed", id, 1.2)
    assert available(shop, id) == 3


def test_what_was_shipped_stays_off_until_the_shop_tells_a_number_from_after_it(shop: Shop, id: str) -> None:
    tell(shop, id, 5)
    order(shop, id, "order.placed", id, 2)
    shop.world.advance(timedelta(minutes=5))
    order(shop, id, "order.shipped", id, 2)
    assert available(shop, id) == 3
    shop.world.advance(timedelta(minutes=5))
    tell(shop, id, 3)
    assert (available(shop, id), kept(shop, id).held) == (3, {})


def test_a_cancellation_after_the_goods_left_brings_nothing_back(shop: Shop, id: str) -> None:
    tell(shop, id, 5)
    order(shop, id, "order.placed", id, 2)
    shop.world.advance(timedelta(minutes=5))
    order(shop, id, "order.shipped", id, 2)
    order(shop, id, "order.cancelled", id, 2)
    assert available(shop, id) == 3


def test_a_free_number_of_a_shop_that_knew_of_the_order_is_not_lowered_again(shop: Shop, id: str) -> None:
    tell(shop, id, 5, kind="free")
    shop.world.advance(timedelta(minutes=5))
    order(shop, id, "order.placed", id, 2)
    assert available(shop, id) == 3
    shop.world.advance(timedelta(minutes=5))
    tell(shop, id, 3, kind="free")
    assert available(shop, id) == 3


def test_an_order_that_changed_holds_what_it_takes_now(shop: Shop, id: str) -> None:
    tell(shop, id, 5)
    tell(shop, f"{id}-b", 5)
    order(shop, id, "order.placed", id, 2)
    shop.world.advance(timedelta(minutes=1))
    order(shop, id, "order.placed", f"{id}-b", 1)
    assert (available(shop, id), available(shop, f"{id}-b")) == (5, 4)


def test_a_hold_is_the_same_however_often_its_steps_are_done(shop: Shop, id: str) -> None:
    tell(shop, id, 9)
    now = shop.world.now()
    with as_door(shop.world):
        for quantity in (2, 2, 3):
            stock_holds.reserve(SHOP, "acc:1", {id: quantity}, ["main"], now)
    assert available(shop, id) == 6
    with as_door(shop.world):
        for _ in range(2):
            stock_holds.consume(SHOP, "acc:1", [id], now.isoformat(), now)
        stock_holds.release(SHOP, "acc:1", [id], now)
    assert kept(shop, id).held["acc:1"].gone == now.isoformat()
    with as_door(shop.world):
        stock_holds.reserve(SHOP, "acc:2", {id: 1}, [], now)
        for _ in range(2):
            stock_holds.release(SHOP, "acc:2", [id], now)
    assert set(kept(shop, id).held) == {"acc:1"}


def test_a_touch_marks_each_unit_once_by_how_scarce_its_item_is(shop: Shop, id: str) -> None:
    tell(shop, f"{id}-few", 2)
    tell(shop, f"{id}-none", 0)
    with as_door(shop.world):
        for item in (f"{id}-few", f"{id}-none"):
            items.tie(SHOP, item, id, "set#1|x")
        stock_touch.touch(SHOP, [f"{id}-few", f"{id}-none"], shop.world.now())
        look = stock_sent.look(SHOP, id, 10)
    assert [(mark.unit, mark.priority, mark.forced) for mark in look.marks] == [("set#1|x", "0", False)]
    assert (look.whole, look.more) == (True, False)


def test_a_number_told_anew_that_is_the_same_marks_nothing(shop: Shop, id: str) -> None:
    tell(shop, id, 5)
    with as_door(shop.world):
        items.tie(SHOP, id, id, "u")
    shop.world.advance(timedelta(minutes=1))
    assert tell(shop, id, 5)["changed"] == 0
    with as_door(shop.world):
        assert stock_sent.look(SHOP, id, 10).marks == []


def test_an_account_is_woken_at_once_and_once_more_for_what_came_after(shop: Shop, id: str) -> None:
    with as_door(shop.world):
        now = shop.world.now().replace(second=0, microsecond=0)
        for second in (0, 1, 2, 3):
            stock_touch.wake(SHOP, id, now + timedelta(seconds=second))
        assert waking._heard(SHOP, id, "stock", "now", now + timedelta(seconds=4)) is False
        assert waking._heard(SHOP, id, "stock", "then", now + timedelta(seconds=4)) is False
        assert waking._heard(SHOP, id, "stock", "now", now + timedelta(seconds=5)) is True


def test_the_stock_of_an_item_shows_who_holds_it_and_what_is_for_sale(shop: Shop, id: str) -> None:
    tell(shop, id, 5)
    order(shop, id, "order.placed", id, 2)
    shown = shop.get(f"stock/{id}").json()
    assert (shown["on_hand"], shown["held"], shown["available"]) == (5, 2, 3)
    assert [(one["order"], one["quantity"], one["counts"]) for one in shown["orders"]] == [(f"order/o-{id}", 2, 2)]
    assert shown["warehouses"][0]["available"] == 3
    problem(shop.get(f"stock/no-{id}"), 404, "not-found")


def test_the_list_of_stock_goes_on_from_page_to_page(shop: Shop, id: str) -> None:
    wanted = {f"{id}-{n}" for n in range(7)}
    shop.put("stock", {"rows": [{"item": item, "warehouse": "main", "quantity": 1} for item in wanted]})
    page = shop.get("stock?limit=3").json()
    found = page["items"]
    while page["next"]:
        page = shop.get(f"stock?limit=3&cursor={page['next']}").json()
        assert len(page["items"]) <= 3
        found += page["items"]
    assert wanted <= {one["item"] for one in found}


@pytest.mark.parametrize("body", [{}, {"item": "a", "all": True}, {"item": "a", "account": "b"}])
def test_a_sync_by_hand_names_one_thing(shop: Shop, body: dict[str, Any]) -> None:
    problem(shop.post("stock/sync", body), 422, "invalid")


def test_a_sync_by_hand_of_an_item_counts_its_units(shop: Shop, id: str) -> None:
    tell(shop, id, 5)
    with as_door(shop.world):
        items.tie(SHOP, id, "some-account", "u")
    assert shop.post("stock/sync", {"item": id}).json() == {"units": 1, "accounts": []}
    problem(shop.post("stock/sync", {"account": f"no-{id}"}), 404, "not-found")


def test_news_of_stock_that_came_between_two_writes_is_not_lost(shop: Shop, id: str) -> None:
    early, late = Stock(5, "physical", "2026-11-20T08:00:00Z"), Stock(3, "physical", "2026-11-20T09:00:00Z")
    with as_door(shop.world):
        goods.keep_stock(SHOP, id, {"main": late})
        before, after, stale = goods.keep_stock(SHOP, id, {"main": early, "second": early})
    assert (before.stock, stale) == ({"main": late}, {"main"})
    assert after.stock == {"main": late, "second": early}


def test_the_doors_call_nothing_that_the_map_does_not_grant(world: World) -> None:
    assert world.refused_grants() == set()
