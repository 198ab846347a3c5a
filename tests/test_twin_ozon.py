"""Ozon's twin: its limits, its lies and its moves, met through the shipped definitions and held against the spec."""

from collections.abc import Iterator
from datetime import date, timedelta

import httpx
import pytest

from infra.twins.ozon import Ozon
from infra.world.faults import Fault
from tests.ozon_calls import OLD_ID, OLD_LIST, READ, WAREHOUSE, Clock, Seller
from vestnik.domain.market import expressions, operations, statuses
from vestnik.marketplaces import shipped

SPAN = {"since": "2026-11-20T07:00:00Z", "until": "2026-11-20T09:00:00Z"}


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def faults() -> list[Fault]:
    return []


@pytest.fixture
def twin(clock: Clock, faults: list[Fault]) -> Iterator[Ozon]:
    made = Ozon(lambda *_: faults.pop() if faults else None, clock)
    yield made
    made.close()


@pytest.fixture
def seller(twin: Ozon, clock: Clock) -> Iterator[Seller]:
    cabinet = twin.add_account("100", "key", warehouses=(int(WAREHOUSE),))
    made = Seller(twin, cabinet, clock)
    twin.add_product("MUG-1", name="Mug", barcode="4600000000017", price=125_050, stock=10)
    twin.add_product("CUP-2", name="Cup", price=9_000, stock=10)
    yield made
    made.client.close()


# -- keys and limits -------------------------------------------------------------------------------------------------
def test_a_key_tells_until_when_it_lives(seller: Seller) -> None:
    found = seller.call("credentials.check").items[0]
    assert found["ok"]
    assert found["expires_at"] == expressions.rfc3339(seller.cabinet.expires_at)


def test_a_wrong_an_expired_and_a_roleless_key_are_refused_as_credentials(seller: Seller) -> None:
    seller.cabinet.roleless.add("/v1/roles")
    assert seller.call("credentials.check").verdict.code == "credentials"
    seller.cabinet.roleless.clear()
    seller.clock.move(days=181)
    assert seller.call("credentials.check").verdict.code == "credentials"
    seller.cabinet.expires_at += timedelta(days=181)
    assert seller.call("credentials.check").verdict.do == "ok"
    seller.cabinet.api_key, right = "another", seller.cabinet.api_key
    keys = {"Client-Id": "100", "Api-Key": right}
    assert seller.client.post("/v1/roles", headers=keys).status_code == 403


def test_the_51st_call_in_a_second_is_one_too_many(seller: Seller) -> None:
    assert all(seller.call("warehouses.list").verdict.do == "ok" for _ in range(50))
    assert [seller.call(one).verdict.do for one in ("warehouses.list", "credentials.check")] == ["park", "park"]
    seller.clock.move(seconds=1)
    assert seller.call("warehouses.list").verdict.do == "ok"


def test_the_81st_stock_write_in_any_minute_is_one_too_many(seller: Seller) -> None:
    units = [f"U-{n}" for n in range(121)]
    for unit in units:
        seller.twin.add_product(unit)
    assert all(seller.write(unit, 1).ok for unit in units[:40])
    seller.clock.move(seconds=30)
    assert all(seller.write(unit, 1).ok for unit in units[40:80])
    assert (seller.write(units[80], 1).again, seller.call("warehouses.list").verdict.do) == (True, "ok")
    seller.clock.move(seconds=30)  # the first 40 are a minute ago, the others are not
    assert all(seller.write(unit, 1).ok for unit in units[80:120])
    assert seller.write(units[120], 1).again


def test_each_cabinet_has_limits_stock_and_keys_of_its_own(seller: Seller, twin: Ozon) -> None:
    other = Seller(twin, twin.add_account("200", "key-2"), seller.clock)
    twin.add_product("MUG-1", account="200", stock=3)
    for _ in range(50):
        seller.call("warehouses.list")
    assert other.call("warehouses.list").verdict.do == "ok"
    assert (twin.stock_of("MUG-1"), twin.stock_of("MUG-1", account="200")) == (10, 3)
    other.client.close()


def test_an_open_circle_is_waited_out(seller: Seller) -> None:
    seller.twin.open_breaker("/v2/warehouse/list", timedelta(minutes=3))
    assert seller.call("warehouses.list").verdict.code == "circle_is_open"
    assert seller.call("credentials.check").verdict.do == "ok"
    seller.clock.move(minutes=3)
    assert seller.call("warehouses.list").verdict.do == "ok"


# -- stock -----------------------------------------------------------------------------------------------------------
def test_a_pair_is_written_once_in_30_seconds_and_told_so_inside_a_200(seller: Seller) -> None:
    assert seller.write("MUG-1", 5).ok
    seller.clock.move(seconds=29)
    again = seller.write("MUG-1", 4)
    assert (again.ok, again.again, again.code) == (False, True, "TOO_MANY_REQUESTS")
    assert seller.twin.stock_of("MUG-1") == 5
    seller.clock.move(seconds=1)
    assert seller.write("MUG-1", 4).ok
    assert seller.twin.stock_of("MUG-1") == 4


def test_the_same_product_in_another_warehouse_is_another_pair(seller: Seller, twin: Ozon) -> None:
    twin.add_warehouse(77)
    assert seller.write("MUG-1", 5).ok
    assert seller.write("MUG-1", 6, "77").ok
    rows = [{"unit": "MUG-1", "warehouse": WAREHOUSE}]
    found = {one["warehouse"]: one["quantity"] for one in seller.call("stock.read", rows=rows).items}
    assert found == {WAREHOUSE: 5, "77": 6}


def test_a_refused_row_is_taken_out_and_the_others_are_done(seller: Seller, twin: Ozon) -> None:
    twin.add_product("RAW", ready=False)
    seller.cabinet.row_errors["CUP-2"] = "MULTIBOX_NOT_ALLOWED_FOR_FBS"
    units = {"MUG-1": 1, "CUP-2": 2, "RAW": 3, "NONE": 4}
    ids = {unit: str(one.product_id) for unit, one in seller.cabinet.products.items()}
    rows = [{"unit": u, "quantity": n, "warehouse": WAREHOUSE, "product": ids.get(u, "1")} for u, n in units.items()]
    found = seller.call("stock.write", rows=[*rows, {**rows[0], "warehouse": "5"}, {**rows[0], "quantity": 10**6}])
    codes = [one.code for one in found.verdict.outcomes.values()]
    # The sixth row is the first one's pair again: rows are known by their pair, and the last answer counts.
    expected = ["STOCK_TOO_BIG", "MULTIBOX_NOT_ALLOWED_FOR_FBS", "product_is_not_created", "offer_id_not_found"]
    assert codes == [*expected, "WAREHOUSE_NOT_FOUND"]
    assert found.status == 200
    assert not any(one.again for one in found.verdict.outcomes.values())
    assert twin.stock_of("MUG-1") == 1


def test_a_call_of_101_pairs_is_refused_whole(seller: Seller) -> None:
    row = {"unit": "MUG-1", "warehouse": WAREHOUSE, "quantity": 1, "product": "1"}
    assert seller.call("stock.write", rows=[row] * 101).status == 400


def test_a_written_number_goes_without_what_is_reserved(seller: Seller, twin: Ozon) -> None:
    seller.sold(quantity=2)
    assert twin.stock_of("MUG-1") == 8
    seller.write("MUG-1", 7)
    shown = seller.call("stock.read.all", {"warehouse": WAREHOUSE}).items[0]
    assert (shown["quantity"], shown["present"], shown["reserved"]) == (7, 9, 2)


def test_ozon_sells_nothing_that_it_does_not_show(seller: Seller, twin: Ozon) -> None:
    assert twin.sell("MUG-1", 11) is None
    assert (twin.oversold, twin.stock_of("MUG-1")) == (1, 10)


def test_a_warehouse_is_read_page_by_page(seller: Seller, twin: Ozon) -> None:
    for n in range(5):
        twin.add_product(f"P-{n}", stock=n + 1)
    found, cursor = [], None
    while True:
        called = seller.call("stock.read.all", {"warehouse": WAREHOUSE}, page={"limit": 3, "cursor": cursor})
        found += called.items
        cursor = called.next
        if cursor is None:
            break
    assert len(found) == len({one["unit"] for one in found}) == 7


def test_fbo_stock_and_orders_are_read(seller: Seller, twin: Ozon) -> None:
    twin.add_fbo_stock("MUG-1", 1020001835658000, 12)
    assert seller.cabinet.sell_fbo("MUG-1", 5, 1020001835658000) is not None
    shown = seller.call("stock.fbo", rows=[{"unit": "MUG-1"}]).items[0]
    assert (shown["warehouse"], shown["quantity"]) == ("1020001835658000", 7)
    order = seller.call("orders.list.fbo", SPAN).items[0]
    assert (order["scheme"], order["lines"][0]["quantity"], order["lines"][0]["price"]) == ("FBO", 5, 125_050)
    assert seller.changed() == []
    assert twin.stock_of("MUG-1") == 10


# -- products --------------------------------------------------------------------------------------------------------
def test_products_come_page_by_page_with_details_beside(seller: Seller) -> None:
    first = seller.call("products.list", page={"limit": 1})
    second = seller.call("products.list", page={"limit": 1, "cursor": first.next})
    assert [one["unit"] for one in first.items + second.items] == ["MUG-1", "CUP-2"]
    assert seller.call("products.list", page={"limit": 1, "cursor": second.next}).next is None
    detail = seller.call("products.details", rows=first.items).items[0]
    assert (detail["name"], detail["barcodes"]) == ("Mug", ["4600000000017"])
    assert detail["price"] == {"amount": 125_050, "currency": "RUB"}
    leaves = [one["id"] for one in seller.call("categories.list").items if one["leaf"]]
    assert detail["category"] in leaves


# -- postings --------------------------------------------------------------------------------------------------------
def test_an_order_is_listed_with_its_lines_in_minor_units(seller: Seller) -> None:
    number = seller.sold(quantity=2, more=[("CUP-2", 1)], requires=("gtd",))
    seller.clock.move(minutes=1)
    (found,) = seller.changed()
    assert (found["number"], found["scheme"], found["warehouse"]) == (number, "FBS", WAREHOUSE)
    assert [(one["unit"], one["quantity"], one["price"]) for one in found["lines"]] == [
        ("MUG-1", 2, 125_050),
        ("CUP-2", 1, 9_000),
    ]
    assert found["requires"] == ["gtd"]
    assert found["ship_by"] == "2026-11-21T08:00:00Z"
    assert seller.call("orders.open").items[0]["number"] == number


def test_a_list_tells_of_what_changed_and_of_nothing_else(seller: Seller) -> None:
    old, new = seller.sold(), seller.sold()
    seller.clock.move(hours=3)
    seller.twin.advance(new, "delivering")
    seller.clock.move(minutes=1)
    assert [one["number"] for one in seller.changed()] == [new]
    assert {one["number"] for one in seller.changed(minutes=300)} == {old, new}


def test_what_leaves_the_list_between_two_pages_makes_nobody_else_be_missed(seller: Seller) -> None:
    numbers = [seller.sold() for _ in range(4)]
    seller.clock.move(minutes=1)
    given = {"since": SPAN["since"], "until": expressions.rfc3339(seller.clock())}
    first = seller.call("orders.list", given, page={"limit": 2})
    seller.clock.move(minutes=5)
    seller.twin.cancel(numbers[0])
    second = seller.call("orders.list", given, page={"limit": 2, "cursor": first.next})
    assert [one["number"] for one in first.items + second.items] == numbers


def test_a_cancelled_postings_units_are_for_sale_again_and_shipped_ones_are_gone(seller: Seller, twin: Ozon) -> None:
    one, other = seller.sold(quantity=2), seller.sold(quantity=3)
    twin.cancel(one)
    twin.advance(other, "delivering")
    twin.cancel(other)
    pile = seller.cabinet.pile("MUG-1")
    assert (pile.present, pile.reserved, pile.free) == (7, 0, 7)
    assert seller.status(one) == "cancelled"


@pytest.mark.parametrize(("day", "v3", "v4"), [(date(2026, 4, 1), 200, 404), (date(2026, 8, 30), 200, 200)])
def test_the_old_list_answers_until_it_was_switched_off(seller: Seller, day: date, v3: int, v4: int) -> None:
    number = seller.sold(quantity=2)
    seller.twin.dated = day
    old, new = seller.by(OLD_LIST, SPAN), seller.call("orders.list", SPAN)
    assert (old.status, new.status) == (v3, v4)
    assert old.items[0]["number"] == number
    if v4 == 200:
        drop = {"raw"}
        assert [{k: v for k, v in one.items() if k not in drop} for one in old.items] == [
            {k: v for k, v in one.items() if k not in drop} for one in new.items
        ]


def test_today_the_old_list_is_gone(seller: Seller) -> None:
    assert OLD_ID == "ozon.orders.list.v3"
    assert seller.by(OLD_LIST, SPAN).verdict.do == "gone"
    seller.twin.off.add("/v4/posting/fbs/list")
    assert seller.call("orders.list", SPAN).verdict.do == "gone"


# -- operations ------------------------------------------------------------------------------------------------------
def test_shipping_is_confirmed_by_reading_back_alone(seller: Seller) -> None:
    number = seller.sold(quantity=2)
    seller.cabinet.ship_takes = timedelta(seconds=20)
    assert seller.pack(number) == [number]
    assert seller.status(number) == "confirmed"
    seller.clock.move(seconds=20)
    assert seller.status(number) == "packed"


def test_a_ship_that_was_answered_200_fails_and_succeeds_when_it_is_tried_again(seller: Seller) -> None:
    number = seller.sold()
    seller.cabinet.ship_fails = 1
    assert seller.pack(number) == [number]
    assert seller.posting(number)["theirs"] == {"status": "awaiting_packaging", "substatus": "ship_failed"}
    assert seller.pack(number) == [number]
    assert seller.status(number) == "packed"


def test_a_ship_whose_answer_was_lost_is_done_once(seller: Seller, faults: list[Fault]) -> None:
    number = seller.sold()
    told = [{"lines": [{"line": one["line"], "quantity": one["quantity"]} for one in seller.posting(number)["lines"]]}]
    faults.append(Fault("after", "timeout"))
    with pytest.raises(httpx.TransportError):
        seller.call("order.ship", {"number": number, "packages": told})
    assert seller.status(number) == "packed"
    assert seller.call("order.ship", {"number": number, "packages": told}).verdict.do == "ok"


@pytest.mark.parametrize("keeps", [True, False])
def test_a_split_makes_new_numbers_with_their_parent_and_reserves_nothing_twice(seller: Seller, keeps: bool) -> None:
    number = seller.sold(quantity=3)
    seller.cabinet.split_keeps = keeps
    numbers = seller.pack(number, 1, 2)
    found = {one["number"]: one for one in seller.changed()}
    assert (number in numbers) is keeps
    assert [found[one]["lines"][0]["quantity"] for one in numbers] == [1, 2]
    assert {found[one].get("parent", number) for one in numbers} == {number}
    assert statuses.unified(found[number]["theirs"], READ) == ("packed" if keeps else "cancelled")
    assert seller.cabinet.pile("MUG-1").reserved == 3
    for one in numbers:
        seller.twin.cancel(one)
    assert seller.twin.stock_of("MUG-1") == 10


def test_a_wrong_quantity_and_a_missing_mark_are_not_assembled(seller: Seller) -> None:
    number, marked = seller.sold(quantity=2), seller.sold(requires=("mandatory_mark",))
    line = seller.posting(number)["lines"][0]["line"]
    told = {"number": number, "packages": [{"lines": [{"line": line, "quantity": 1}]}]}
    assert seller.call("order.ship", told).verdict.code == "HAS_INCORRECT_PRODUCT_QUANTITY"
    told = {"number": marked, "packages": [{"lines": [{"line": line, "quantity": 1}]}]}
    assert seller.call("order.ship", told).verdict.code == "EXEMPLAR_INFO_NOT_FILLED_COMPLETELY"
    assert seller.call("orders.get", {"number": "0-0-1"}).verdict.code == "POSTING_NOT_FOUND"


def test_a_carriage_takes_what_is_named_and_is_formed_once(seller: Seller, twin: Ozon) -> None:
    numbers = [seller.sold() for _ in range(3)]
    for number in numbers:
        seller.pack(number)
    id = _carriage(seller)
    rows = [{"number": number} for number in [*numbers[:2], "0-0-1"]]
    loaded = seller.call("carriage.postings", {"carriage": id}, rows=rows).verdict.outcomes
    assert [one.ok for one in loaded.values()] == [True, True, False]
    assert seller.call("carriage.approve", {"carriage": id}).verdict.do == "ok"
    assert seller.call("carriage.approve", {"carriage": id}).verdict.do == "ok"
    assert seller.call("carriage.get", {"carriage": id}).items[0]["status"] == "formed"
    told = [seller.posting(number)["theirs"]["substatus"] for number in numbers]
    assert told == ["posting_in_carriage", "posting_in_carriage", "posting_registered"]
    twin.take_carriage(id)
    assert [seller.status(number) for number in numbers] == ["shipped", "shipped", "packed"]


def test_a_carriage_whose_making_was_not_answered_is_found_again(seller: Seller) -> None:
    seller.pack(seller.sold())
    id = _carriage(seller)
    assert _carriage(seller) == id


def _carriage(seller: Seller) -> str:
    """Open a carriage and find it, as the first two steps of a handing-over do."""
    create, find = shipped("ozon").operations["handed_over"][:2]
    body = {"number": "", "warehouse": WAREHOUSE, "theirs": {}, "operation": {"given": {}}}
    seen = operations.document(body, {}, {}, expressions.rfc3339(seller.clock()))
    assert seller.call(create["call"], operations.given_of(create, seen)).verdict.do == "ok"
    items = seller.call(find["call"], operations.given_of(find, seen)).items
    assert operations.expected(find, seen, items)
    return str(operations.kept_of(find, items)["supply"])


def test_nothing_packed_makes_no_carriage(seller: Seller) -> None:
    seller.sold()
    assert seller.call("carriage.create", {"method": WAREHOUSE}).verdict.code == "no_postings"


def test_a_cancellation_needs_a_reason_of_ozons_list(seller: Seller) -> None:
    number = seller.sold()
    reasons = {one["id"] for one in seller.call("cancel.reasons", {"number": number}).items}
    assert "352" in reasons
    assert seller.call("order.cancel", {"number": number, "reason": "1"}).verdict.do == "give-up"
    assert seller.call("order.cancel", {"number": number, "reason": "402"}).verdict.do == "give-up"
    for _ in range(2):
        assert seller.call("order.cancel", {"number": number, "reason": "352"}).verdict.do == "ok"
    assert seller.status(number) == "cancelled"


# -- returns, notifications, outages ---------------------------------------------------------------------------------
def test_a_return_is_told_of_when_it_moves(seller: Seller, twin: Ozon) -> None:
    number = seller.sold(quantity=2)
    twin.advance(number, "delivered")
    id = seller.cabinet.give_back(number, "MUG-1")
    assert seller.call("returns.list", SPAN).items[0]["theirs"] == {"return": "MovingToSeller"}
    seller.cabinet.move_return(id, "ReceivedBySeller")
    (found,) = seller.call("returns.list", SPAN).items
    assert (found["number"], found["unit"], found["quantity"]) == (number, "MUG-1", 1)
    assert statuses.returning(found["theirs"], READ) == "received"


def test_returns_go_on_after_the_last_id(seller: Seller, twin: Ozon) -> None:
    number = seller.sold(quantity=3)
    twin.advance(number, "delivered")
    ids = [str(seller.cabinet.give_back(number, "MUG-1")) for _ in range(3)]
    first = seller.call("returns.list", SPAN, page={"limit": 2})
    second = seller.call("returns.list", SPAN, page={"limit": 2, "cursor": first.next})
    assert [one["id"] for one in first.items + second.items] == ids
    assert second.next is None


def test_notifications_are_kept_for_the_address_that_was_set(seller: Seller, twin: Ozon) -> None:
    seller.sold()
    assert seller.cabinet.pushes.due == []
    push = shipped("ozon").body["push"]
    assert seller.call(push["set"], {"url": "https://shop.example/push"}).verdict.do == "ok"
    assert set(push["orders"]) <= seller.cabinet.pushes.types
    number = seller.sold()
    twin.cancel(number)
    told = [(one[push["kind"]], one[push["number"]]) for one in seller.cabinet.pushes.due]
    assert told == [("TYPE_NEW_POSTING", number), ("TYPE_POSTING_CANCELLED", number)]


def test_in_an_outage_nobody_is_answered(seller: Seller, twin: Ozon) -> None:
    twin.outage(timedelta(minutes=10))
    with pytest.raises(httpx.TransportError):
        seller.call("warehouses.list")
    assert twin.sell("MUG-1") is not None  # buyers go on buying
    seller.clock.move(minutes=10)
    assert len(seller.changed()) == 1
