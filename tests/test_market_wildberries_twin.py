"""The twin of Wildberries: answers as its specification has them, limits, tokens, lies, and the ways of an order."""

import http.client
import json
from collections.abc import Iterator
from datetime import date, timedelta
from pathlib import Path
from typing import Any

import pytest

from tests.wildberries_bench import FAR, HOME, MARKET, Bench, Said
from vestnik.domain.market import definitions, expressions

OLD = Path(__file__).parent / "data" / "old_definitions" / "wildberries"
BEFORE = date(2026, 2, 1)


@pytest.fixture
def bench() -> Iterator[Bench]:
    """Two cards (one in two sizes), two warehouses, five pieces of each shown at the first."""
    made = Bench()
    made.twin.add_warehouse(HOME, "Home")
    made.twin.add_warehouse(FAR, "Far", cargo=2)
    made.twin.add_product("101", "mug", "Mug", "4600000000101", product=11, size="S")
    made.twin.add_product("102", "mug", "Mug", "4600000000102", product=11, size="M")
    made.twin.add_product("201", "bed", "Bed", "4600000000201", cargo=2)
    for unit in ("101", "102"):
        made.twin.set_stock(unit, HOME, 5)
    yield made
    made.twin.close()


def test_a_token_is_checked_and_tells_of_itself(bench: Bench) -> None:
    assert bench.ask("credentials.check").items == [{"ok": True}]
    assert bench.ask("seller.info").items[0]["name"] == "Seller 1"
    claims = definitions.claimed(MARKET.definitions["wildberries.credentials.check"], {"token": bench.twin.token})
    assert claims["expires_at"] == "2027-05-19T08:00:00Z"
    assert "marketplace" in claims["scopes"]


def test_a_wrong_token_an_expired_one_and_one_without_the_category_are_turned_away(bench: Bench) -> None:
    content = bench.twin.add_token(scopes=["content"])
    reader = bench.twin.add_token(read_only=True)
    assert bench.ask("credentials.check", token="a.b.c").status == 401  # noqa: S106
    assert bench.ask("credentials.check", token=content).status == 401
    assert bench.ask("products.list", token=content).status == 200
    assert bench.ask("orders.new", token=reader).status == 200
    assert bench.ask("order.cancel", token=reader, number="1").status == 403
    bench.wait(days=181)
    assert bench.ask("orders.new").status == 401


def test_two_sellers_see_nothing_of_each_other(bench: Bench) -> None:
    other = bench.twin.add_seller("Other")
    bench.twin.add_warehouse("900", account="Other")
    bench.sold()
    assert bench.ask("warehouses.list", token=other).items[0]["id"] == "900"
    assert bench.ask("orders.new", token=other).items == []
    assert bench.ask("products.list", token=other).items == []
    assert len(bench.ask("orders.new").items) == 1


def test_cards_come_page_by_page_a_row_for_each_size(bench: Bench) -> None:
    first = bench.ask("products.list", page={"limit": 1})
    assert [(one["unit"], one["size"], one["article"]) for one in first.items] == [
        ("101", "S", "mug"),
        ("102", "M", "mug"),
    ]
    one = MARKET.definitions["wildberries.products.list"]
    place = definitions.following(one, first.body, {"limit": 1}, 1)
    second = bench.ask("products.list", page={"limit": 1, "cursor": place})
    assert [item["unit"] for item in second.items] == ["201"]
    place = definitions.following(one, second.body, {"limit": 1}, 1)
    assert bench.ask("products.list", page={"limit": 1, "cursor": place}).items == []
    bench.wait(minutes=1)
    bench.twin.add_product("102", "mug", "Mug, new", "4600000000102", product=11, size="M")
    changed = bench.ask("products.list", page={"cursor": place}).items
    assert {item["unit"] for item in changed} == {"101", "102"}
    assert {item["unit"] for item in bench.ask("products.list", since="2026-11-20T08:01:00Z").items} == {"101", "102"}


def test_categories_have_two_levels(bench: Bench) -> None:
    leaves, parents = bench.ask("categories.list").items, bench.ask("categories.parents").items
    assert {one["parent"] for one in leaves} <= {one["id"] for one in parents}


def test_stock_is_written_and_read_back(bench: Bench) -> None:
    assert bench.write({"101": 7, "102": 0}).status == 204
    assert bench.read("101", "102", "201") == {"101": 7, "102": 0}
    assert bench.twin.stock_of("101", HOME) == 7


def test_a_misspelt_name_is_answered_204_and_nothing_is_done(bench: Bench) -> None:
    path = f"/api/v3/stocks/{HOME}"
    assert bench.raw("PUT", path, {"stocks": [{"chrtID": 101, "amount": 1}]})[0] == 204
    assert bench.raw("PUT", path, {"stocks": [{"chrtId": 101, "ammount": 1}]})[0] == 204
    assert bench.raw("PUT", path, {"stock": [{"chrtId": 101, "amount": 1}]})[0] == 204
    assert bench.raw("PUT", path, {"stocks": [{"sku": "4600000000101", "amount": 1}]})[0] == 204
    assert bench.read("101") == {"101": 5}


def test_before_its_day_a_barcode_names_the_row_and_after_it_nothing_happens(bench: Bench) -> None:
    old = json.loads((OLD / "stock.write.json").read_text("utf-8"))
    rows = [{"unit": "101", "warehouse": HOME, "quantity": 9, "barcode": "4600000000101"}]
    assert bench.perform(old, rows).status == 204
    assert bench.twin.stock_of("101", HOME) == 5
    bench.twin.dated = BEFORE
    assert bench.perform(old, rows).status == 204
    assert bench.twin.stock_of("101", HOME) == 9
    asked = json.loads((OLD / "stock.read.json").read_text("utf-8"))
    bench.checked = False
    assert bench.perform(asked, rows).items == [{"warehouse": HOME, "unit": "4600000000101", "quantity": 9}]
    bench.twin.dated = None
    assert bench.perform(asked, rows).status == 400


@pytest.mark.parametrize("partial", [False, True])
def test_bad_rows_are_named_and_the_others_may_go_again(bench: Bench, partial: bool) -> None:
    bench.twin.partial = partial
    said = bench.write({"101": 1, "999": 1, "201": 2, "102": 100_001})
    assert said.status == 409
    codes = {row: one.code for row, one in said.verdict.outcomes.items() if not one.ok and not one.again}
    assert codes == {"999": "NotFound", "201": "CargoWarehouseRestrictionSGT", "102": "UploadDataLimit"}
    assert said.verdict.outcomes["101"].again
    assert bench.twin.stock_of("101", HOME) == (1 if partial else 5)


def test_a_busy_or_blocked_warehouse_is_asked_again(bench: Bench) -> None:
    home = bench.twin.add_warehouse(HOME)
    home.processing = True
    said = bench.write({"101": 1})
    assert (said.status, said.verdict.do, said.verdict.code) == (409, "retry", "StoreIsProcessing")
    assert bench.ask("warehouses.list").items[0]["busy"] is True
    home.processing, home.blocked = False, True
    said = bench.write({"101": 1})
    assert (said.status, said.verdict.do, said.verdict.outcomes["101"].again) == (406, "retry", True)
    bench.wait(seconds=10)
    assert bench.write({"101": 1}, warehouse="5").status == 404


def test_twenty_go_at_once_and_then_one_each_200_ms(bench: Bench) -> None:
    answers = [bench.write({"101": n}) for n in range(20)]
    assert {one.status for one in answers} == {204}
    assert [int(one.headers["x-ratelimit-remaining"]) for one in answers] == list(range(19, -1, -1))
    refused = bench.write({"101": 99})
    assert (refused.status, refused.verdict.do) == (429, "park")
    assert refused.headers["x-ratelimit-retry"] == "1"
    assert refused.headers["x-ratelimit-limit"] == "20"
    assert int(refused.headers["x-ratelimit-reset"]) >= 1
    bench.wait(milliseconds=201)
    assert bench.write({"101": 3}).status == 204
    assert bench.ask("orders.new").status == 200  # another group of methods has its own bucket


def test_a_refused_call_costs_ten(bench: Bench) -> None:
    assert bench.write({"999": 1}).headers["x-ratelimit-remaining"] == "10"
    assert bench.write({"999": 1}).headers["x-ratelimit-remaining"] == "0"
    assert bench.write({"101": 1}).status == 429
    bench.wait(seconds=1)
    assert bench.write({"101": 1}).headers["x-ratelimit-remaining"] == "4"


def test_a_base_token_is_asked_to_wait_longer(bench: Bench) -> None:
    base = bench.twin.add_seller("Small", "base")
    assert bench.ask("seller.info", token=base).status == 200
    refused = bench.ask("seller.info", token=base)
    assert refused.status == 429
    assert int(refused.headers["x-ratelimit-retry"]) == 86400
    bench.checked = False
    assert bench.ask("stock.fbo", token=base).status == 403


def test_the_ping_may_be_asked_thrice_in_half_a_minute(bench: Bench) -> None:
    assert [bench.ask("credentials.check").status for _ in range(4)] == [200, 200, 200, 429]
    bench.wait(seconds=31)
    assert bench.ask("credentials.check").status == 200


def test_what_is_sold_is_no_longer_shown_and_no_more_is_sold_than_is_shown(bench: Bench) -> None:
    number = bench.sold(quantity=2)
    assert bench.read("101") == {"101": 3}
    assert bench.twin.sell("101", 4) is None
    assert bench.twin.oversold == 4
    found = bench.ask("orders.new").items
    assert [one["number"] for one in found] == [number, str(int(number) + 1)]
    assert len({one["buyer_group"] for one in found}) == 1
    assert found[0]["lines"] == [{**found[0]["lines"][0], "unit": "101", "quantity": 1, "price": 100_000}]
    assert (found[0]["currency"], found[0]["warehouse"], found[0]["scheme"]) == ("RUB", HOME, "FBS")
    assert found[0]["theirs"] == {"supplierStatus": "new", "wbStatus": "waiting"}


def test_orders_come_by_date_page_by_page(bench: Bench) -> None:
    numbers = []
    for _ in range(3):
        numbers.append(bench.sold())
        bench.wait(hours=1)
    given: dict[str, Any] = {"since": "2026-11-20T08:30:00Z", "until": "2026-11-20T11:00:00Z"}
    first = bench.ask("orders.list", page={"limit": 1}, **given)
    assert [one["number"] for one in first.items] == numbers[1:2]
    second = bench.ask("orders.list", page={"limit": 1, "cursor": first.body["next"]}, **given)
    assert [one["number"] for one in second.items] == numbers[2:]
    assert "theirs" not in second.items[0]
    assert bench.ask("orders.list", since="2026-10-01T00:00:00Z", until="2026-11-20T00:00:00Z").status == 400


def test_a_buyer_declines_early_and_cancels_late(bench: Bench) -> None:
    early, late = bench.sold(), bench.sold("102")
    bench.twin.cancel(early)
    bench.wait(hours=2)
    bench.twin.cancel(late)
    assert bench.pair(early)["wbStatus"] == "declined_by_client"
    assert bench.pair(late)["wbStatus"] == "canceled_by_client"
    assert bench.ask("orders.new").items == []
    assert bench.read("101") == {"101": 4}  # what comes free is the seller's to say


def test_the_seller_cancels_only_what_was_not_handed_over(bench: Bench) -> None:
    number = bench.sold()
    assert bench.ask("order.cancel", number=number).status == 204
    assert bench.pair(number) == {"supplierStatus": "cancel", "wbStatus": "canceled"}
    assert bench.ask("order.cancel", number=number).verdict.code == "StatusMismatch"
    assert bench.ask("order.cancel", number="77").status == 404


def open_supply(bench: Bench, *numbers: str) -> str:
    supply: str = bench.ask("supply.create", name="Morning").items[0]["id"]
    said = bench.ask("supply.add", [{"number": number, "supply": supply} for number in numbers])
    assert said.status == 204
    return supply


def shipped(bench: Bench, supply: str, point: int = 100, **more: Any) -> Said:
    row = {"supply": supply, "ship_on": expressions.rfc3339(bench.at), "point": point, **more}
    return bench.ask("supply.shipping", [row])


def test_a_supply_goes_its_way(bench: Bench) -> None:
    first, second = bench.sold(), bench.sold("102")
    supply = open_supply(bench, first, second)
    assert bench.pair(first) == {"supplierStatus": "confirm", "wbStatus": "waiting"}
    assert {one["number"] for one in bench.ask("supply.orders", supply=supply).items} == {first, second}
    assert bench.ask("supply.deliver", supply=supply).verdict.code == "SupplyShippingRequired"
    bench.wait(seconds=10)
    points = bench.ask("supply.shipping_points", supply=supply).items
    assert [one["id"] for one in points] == ["100", "101"]
    assert shipped(bench, supply).verdict.outcomes[supply].ok
    assert bench.ask("supply.deliver", supply=supply).status == 204
    assert bench.pair(second) == {"supplierStatus": "complete", "wbStatus": "waiting"}
    told = bench.ask("supply.get", supply=supply).items[0]
    assert (told["done"], told["ship_on"], told["shipping_point"]) == (True, "2026-11-20", "100")
    assert bench.ask("supplies.list").items == [told]
    bench.twin.advance(first, "sorted")
    assert bench.pair(first)["wbStatus"] == "sorted"
    assert shipped(bench, supply).verdict.outcomes[supply].message == "SupplyAlreadyScanned"


def test_a_supply_takes_orders_of_one_kind_only(bench: Bench) -> None:
    bench.twin.set_stock("201", FAR, 1)
    small, big, lost = bench.sold(), bench.sold("201"), bench.sold()
    bench.twin.cancel(lost)
    supply = open_supply(bench, small)
    for number in (big, lost, "77"):
        said = bench.ask("supply.add", [{"number": number, "supply": supply}])
        assert said.verdict.outcomes[number].code == "FailedToAddSupplyOrder"
        bench.wait(seconds=10)
    assert bench.ask("supply.add", [{"number": big, "supply": "WB-GI-1"}]).status == 404
    bench.wait(seconds=10)
    both = bench.ask("supply.add", [{"number": n, "supply": supply} for n in (small, big)])
    assert both.verdict.do == "halve"
    bench.wait(seconds=10)
    assert bench.pair(big)["supplierStatus"] == "new"


def test_a_supply_in_which_an_order_was_cancelled_still_takes_others(bench: Bench) -> None:
    first, second = bench.sold(), bench.sold("102")
    supply = open_supply(bench, first)
    bench.twin.cancel(first)
    assert bench.ask("supply.add", [{"number": second, "supply": supply}]).status == 204
    shipped(bench, supply)
    assert bench.ask("supply.deliver", supply=supply).status == 204
    assert bench.pair(second)["supplierStatus"] == "complete"


def test_an_empty_supply_or_an_unmarked_order_is_not_delivered(bench: Bench) -> None:
    supply = bench.ask("supply.create", name="Empty").items[0]["id"]
    assert bench.ask("supply.deliver", supply=supply).verdict.code == "SupplyHasZeroOrders"
    bench.wait(seconds=10)
    bench.twin.add_product("301", "ring", "Ring", "4600000000301", meta=["uin"])
    bench.twin.set_stock("301", HOME, 1)
    number = bench.sold("301")
    assert bench.ask("orders.new").items[0]["requires"] == ["uin"]
    bench.ask("supply.add", [{"number": number, "supply": supply}])
    assert bench.ask("supply.deliver", supply=supply).verdict.code == "MetaValidationFail"
    bench.twin.orders[number].marked.append("uin")
    assert shipped(bench, supply).status == 200
    assert bench.ask("supply.deliver", supply=supply).status == 204


def test_each_supply_has_its_own_answer_to_where_it_is_shipped(bench: Bench) -> None:
    supply = open_supply(bench, bench.sold())
    row = {"ship_on": "2026-11-20T00:00:00Z", "point": 100}
    said = bench.ask("supply.shipping", [{**row, "supply": supply}, {**row, "supply": "WB-GI-1"}])
    assert [said.verdict.outcomes[id].ok for id in (supply, "WB-GI-1")] == [True, False]
    assert shipped(bench, supply, point=5).verdict.outcomes[supply].message == "IncorrectRequestBody"
    assert shipped(bench, supply, ship_on="2026-11-01").verdict.outcomes[supply].message == "InvalidShippingDt"


def test_the_older_list_of_shipping_points_ended_on_its_day(bench: Bench) -> None:
    old = json.loads((OLD / "supply.shipping_points.json").read_text("utf-8"))
    bench.checked = False
    bench.twin.dated = date(2026, 11, 19)
    assert len(bench.perform(old, None).items) == 2
    bench.twin.dated = date(2026, 11, 20)
    assert bench.perform(old, None).status == 404


def test_stock_at_their_warehouses_and_returns_are_told(bench: Bench) -> None:
    bench.twin.add_fbw_stock("101", 507, "Коледино", 43)
    assert bench.ask("stock.fbo").items[0]["quantity"] == 43
    number = bench.sold()
    bench.twin.send_back(number)
    given: dict[str, Any] = {"since": "2026-11-01T00:00:00Z", "until": "2026-11-20T00:00:00Z"}
    assert bench.ask("returns.list", **given).items[0]["state"] == "on_its_way"
    bench.twin.send_back(number, received="2026-11-20T09:00:00")
    for name in ("returns.list", "returns.list.v1"):
        found = bench.ask(name, **given).items
        assert [(one["number"], one["state"]) for one in found] == [(number, "received")]


def test_an_outage_a_fault_and_a_switched_off_method(bench: Bench) -> None:
    bench.twin.outage(timedelta(minutes=10))
    with pytest.raises((http.client.HTTPException, OSError)):
        bench.ask("orders.new")
    bench.wait(minutes=11)
    assert bench.ask("orders.new").status == 200
    bench.twin.off.add("/api/v3/orders/new")
    assert bench.raw("GET", "/api/v3/orders/new")[0] == 404
    assert bench.raw("GET", "/api/v3/orders/old")[0] == 404
    bench.twin.reset()
    assert (bench.twin.calls, bench.twin.orders, len(bench.twin.accounts)) == ([], {}, 1)
