"""Yandex Market: its definitions against the official specification, and its twin with its limits and lies."""

import json
from collections.abc import Iterator
from datetime import timedelta
from functools import cache
from pathlib import Path
from typing import Any

import pytest
import yaml

from infra.twins.yandex_market import YandexMarketTwin
from infra.twins.yandex_market.limits import RESOURCES
from infra.world import World
from tests import definition_calls
from tests.asking import Shop
from tests.definition_calls import Caller, Clock, Heard
from tests.openapi_checks import Specification
from tests.yandex_calls import NOW, SETTINGS, calling, opened, row, span
from vestnik import marketplaces
from vestnik.domain.market import definition_schema, definitions, statuses

SPECS = Path(__file__).parents[2] / "shared" / "specs" / "yandex-market"
DEFINITIONS = marketplaces.shipped("yandex_market").definitions
SAMPLES = definition_calls.samples("yandex_market")
HOURS = {"minutes": 60, "hours": 3600}

needs_specification = pytest.mark.skipif(not SPECS.is_dir(), reason="the marketplaces' specifications are not here")


@cache
def specification() -> Specification:
    text = (SPECS / "yandex-market-partner-api-2026-08.yaml").read_text("utf-8")
    return Specification(yaml.load(text, Loader=getattr(yaml, "CSafeLoader", yaml.SafeLoader)))  # noqa: S506


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


def wrong(heard: Heard) -> list[str]:
    """What the specification has against a call and its answer."""
    call, spec = heard.asked, specification()
    found = spec.request(call.method, call.path, call.query, call.body)
    return found + spec.answer(call.method, call.path, heard.status, heard.content)


# -- the definitions against the specification ---------------------------------------------------------------------


@pytest.mark.parametrize("id", sorted(DEFINITIONS))
def test_a_definition_is_whole_and_has_samples(id: str) -> None:
    market = marketplaces.shipped("yandex_market")
    definition_schema.check(DEFINITIONS[id], market.domains, market.buckets)
    assert [sample for sampled, sample in SAMPLES if sampled == id]


def test_there_is_no_sample_without_a_definition() -> None:
    assert {id for id, _ in SAMPLES} == set(DEFINITIONS)


@pytest.mark.parametrize(("id", "sample"), SAMPLES, ids=[f"{id}: {sample['about']}" for id, sample in SAMPLES])
def test_a_documented_answer_maps_without_loss(id: str, sample: dict[str, Any]) -> None:
    request, meant = definition_calls.sampled(id, sample, SETTINGS, NOW)
    assert definition_calls.wanted(request) == sample["request"]
    assert meant == sample["maps_to"]


@needs_specification
@pytest.mark.parametrize(("id", "sample"), SAMPLES, ids=[f"{id}: {sample['about']}" for id, sample in SAMPLES])
def test_a_request_and_its_documented_answer_are_as_specified(id: str, sample: dict[str, Any]) -> None:
    asked, method = sample["request"], DEFINITIONS[id]["method"]
    spec = specification()
    assert spec.request(method, asked["path"], asked.get("query", {}), asked.get("body")) == []
    complaints = spec.answer(method, asked["path"], sample["status"], sample["answer"])
    assert bool(complaints) == sample.get("beyond", False), complaints


@needs_specification
def test_the_check_itself_finds_a_misspelt_field_and_a_missing_one() -> None:
    path, item = "/v3/businesses/1/offers/stocks/update", {"sku": "A", "partnerWarehouseId": 1, "count": 1}
    spec = specification()
    assert spec.request("POST", path, {}, {"skuItems": [item]}) == []
    assert spec.request("POST", path, {}, {"skuItems": [{**item, "amount": 1}]})
    assert spec.request("POST", path, {}, {"skuItems": [{"sku": "A", "count": 1}]})
    assert spec.request("POST", path, {"limit": "5"}, {"skuItems": [item]})
    assert spec.answer("POST", path, 200, {"status": "FINE"})


@needs_specification
@pytest.mark.parametrize("id", sorted(DEFINITIONS))
def test_a_bucket_holds_what_the_specification_allows(id: str) -> None:
    definition, market = DEFINITIONS[id], marketplaces.shipped("yandex_market")
    limit = _limit(definition["source"].split(", ")[1])
    bucket = market.buckets[definition["limits"][0]["bucket"]]
    assert (bucket["cap"], bucket["seconds"]) == limit[:2]
    assert ("cost" in definition["limits"][0]) == (limit[2] != "resp")
    assert definition["limits"][1] == {"bucket": "parallel"}


@needs_specification
@pytest.mark.parametrize("resource", RESOURCES, ids=lambda resource: resource.name)
def test_the_twin_limits_as_the_specification_says(resource: Any) -> None:
    cap, seconds, counted = _limit(resource.name)
    counts = {"resp": "calls", "req.skus": "rows"}.get(counted, "answers")
    assert (resource.cap, resource.seconds, resource.counts) == (cap, seconds, counts)
    assert resource.parallel == specification().operation(resource.name)["x-resource-limit-config"].get(
        "parallel-limit-value", 4
    )


def _limit(operation: str) -> tuple[int, int, str]:
    """How many in how many seconds, counted where, without a subscription."""
    told = specification().operation(operation)["x-resource-limit-config"]
    usual = told["none"]
    return usual["amount"], HOURS[usual["period"]] * usual["period-duration"], told["path"]


@needs_specification
def test_every_status_of_the_specification_has_one_of_ours_and_an_unknown_one_is_kept() -> None:
    read = statuses.statuses(marketplaces.shipped("yandex_market").statuses, None, None)
    spec = specification()
    ours = {
        word: statuses.unified({"status": word, "substatus": "STARTED"}, read) for word in spec.enum("OrderStatusType")
    }
    assert {word for word, our in ours.items() if our == statuses.NONE} == {"UNKNOWN"}
    for substatus in spec.enum("OrderSubstatusType"):
        assert statuses.unified({"status": "CANCELLED", "substatus": substatus}, read) == "cancelled"
    assert statuses.unified({"status": "SOMETHING_NEW", "substatus": "STARTED"}, read) == statuses.NONE
    assert statuses.unified({"status": "PROCESSING", "substatus": "READY_TO_SHIP"}, read) == "packed"


# -- the twin against the specification ----------------------------------------------------------------------------


@needs_specification
def test_every_answer_of_the_twin_is_as_specified(twin: YandexMarketTwin, caller: Caller, clock: Clock) -> None:
    cabinet = twin.cabinet()
    caller.settings["fby_campaign"] = cabinet.add_campaign(21002, "FBY").id
    cabinet.add_market_stock(21002, 172, "LAMP", 4)
    number = twin.sell("LAMP", 2, more=[("MUG", 1)], requires=("CIS",), points=5000, ship_in=timedelta(hours=8))
    twin.sell("CUP", fake=True)
    for id in (
        "credentials.check",
        "campaigns.list",
        "warehouses.list",
        "products.list",
        "categories.list",
        "stock.fbo",
    ):
        assert caller.call(id).items, id
    assert caller.call("stock.write", rows=[row("LAMP", 7)]).rows["LAMP|901"].ok
    assert caller.call("stock.read.all", warehouse="901").items
    assert caller.call("stock.read", rows=[row("LAMP", 0)]).items
    assert len(caller.call("orders.list", **span(clock)).items) == 2
    order = caller.call("orders.get", number=number).items[0]
    assert caller.call("orders.statuses", rows=[{"number": number}]).items[0]["theirs"]["substatus"] == "STARTED"
    assert caller.call("order.boxes", number=number, lines=order["lines"]).items[0]["boxes"]
    assert caller.call("order.status", number=number, status="PROCESSING", substatus="READY_TO_SHIP").do == "ok"
    shipment = caller.call("shipments.list", orders=[number], **span(clock)).items[0]
    assert shipment["id"] == order["supply"]
    assert caller.call("shipment.confirm", supply=shipment["id"], external="A-1").do == "ok"
    assert caller.call("shipment.confirm", supply=shipment["id"]).do == "give-up"
    twin.advance(str(number), "DELIVERY")
    twin.cancel(str(number))
    assert caller.call("orders.get", number=number).items[0]["cancel_requested"]
    assert caller.call("cancellation.accept", number=number, accepted=True).do == "ok"
    cabinet.give_back(str(number), "UNREDEEMED")
    cabinet.give_back(str(number))
    assert len(caller.call("returns.list", **span(clock)).items) == 2
    other = twin.sell("CUP")
    assert caller.call("order.cancel", number=other).items[0]["theirs"]["status"] == "CANCELLED"
    assert caller.call("orders.get", number="999").items == []
    assert caller.call("order.cancel", number="999").do == "give-up"
    assert [complaint for heard in caller.heard for complaint in wrong(heard)] == []


@needs_specification
def test_its_answers_for_groups_of_warehouses_are_as_specified(twin: YandexMarketTwin, clock: Clock) -> None:
    cabinet = twin.add_account("key-2", 7002, fbs=21010, warehouses=[1])
    cabinet.warehouses[1].group = 55
    cabinet.add_warehouse(2, cabinet.add_campaign(21011).id, "South", group=55)
    cabinet.add_product("LAMP", stock=1)
    settings = {"business": 7002, "campaign": 21010, "warehouse_groups": True}
    caller = Caller("yandex_market", twin.url, {"api_key": "key-2"}, settings, clock)
    assert [one["group"] for one in caller.call("warehouses.list.group").items] == ["55"]
    assert caller.call("stock.write.group", rows=[row("LAMP", 3, warehouse="1")]).do == "ok"
    assert (cabinet.stock_of("LAMP", 1), cabinet.stock_of("LAMP", 2)) == (3, 3)
    assert [one["quantity"] for one in caller.call("stock.read.all.group", warehouse="1").items] == [3]
    assert [one["quantity"] for one in caller.call("stock.read.group", rows=[row("LAMP", 0, warehouse="1")]).items] == [
        3
    ]
    assert caller.call("stock.write", rows=[row("LAMP", 4, warehouse="1")]).do == "take-out"
    assert [complaint for heard in caller.heard for complaint in wrong(heard)] == []


@needs_specification
def test_its_refusals_are_as_specified(twin: YandexMarketTwin, caller: Caller, clock: Clock) -> None:
    strangers = [
        Caller("yandex_market", twin.url, {"api_key": key}, {"business": business, "campaign": campaign}, clock)
        for key, business, campaign in (("none", 7001, 21001), ("key-1", 7999, 21001), ("key-1", 7001, 999))
    ]
    heard = [stranger.call("returns.list", **span(clock)) for stranger in strangers]
    heard += [strangers[1].call("warehouses.list")]
    assert [one.status for one in heard] == [401, 200, 404, 403]
    twin.cabinet().scopes = ["ALL_METHODS_READ_ONLY"]
    heard.append(caller.call("stock.write", rows=[row("LAMP", 1)]))
    heard.append(caller.call("warehouses.list"))
    assert [one.status for one in heard[-2:]] == [403, 200]
    assert [complaint for one in heard for complaint in wrong(one)] == []


def test_two_thousand_rows_of_the_longest_skus_are_what_bytes_are_for() -> None:
    definition = DEFINITIONS["yandex_market.stock.write"]
    rows = [row("x" * 255, 2_000_000_000) for _ in range(definition["batch"]["rows"])]
    document = definition_calls.document_of(definition, SETTINGS, {}, rows, {}, NOW)
    assert len(definitions.rendered(definition, document).body) > definition["batch"]["bytes"]


def test_the_samples_are_json_in_one_style() -> None:
    folder = Path(marketplaces.__file__).parent / "yandex_market"
    for file in folder.rglob("*.json"):
        text = file.read_text("utf-8")
        assert text == json.dumps(json.loads(text), ensure_ascii=False, indent=2) + "\n", file.name


# -- with the whole house ------------------------------------------------------------------------------------------


def test_from_the_first_connection_to_the_handover(world: World, shop: Shop) -> None:
    twin = world.markets["yandex_market"]
    assert isinstance(twin, YandexMarketTwin)
    cabinet = twin.add_account("key-1", 7001, fbs=21001)
    cabinet.add_product("TEA", name="Tea")
    assert shop.put("items", {"item": "TEA", "name": "Tea"}).status == 200
    assert shop.put("stock", {"rows": [{"item": "TEA", "warehouse": "main", "quantity": 5}]}).status == 200
    account = {"marketplace": "yandex_market", "settings": SETTINGS, "credentials": {"api_key": "key-1"}}
    assert shop.put("accounts/ym", {**account, "name": "Market"}).json()["check"]["ok"]
    shop.post("products/import", {"account": "ym"})
    world.settle()
    shop.post("links/auto", {"account": "ym"})
    shop.post("accounts/ym/connect", {})
    world.settle()
    assert cabinet.stock_of("TEA") == 5
    number = cabinet.sell("TEA", 2)
    world.advance(timedelta(minutes=6))
    assert cabinet.stock_of("TEA") == 3
    for status in ("packed", "handed_over"):
        assert shop.post(f"marketplace-orders/ym:{number}/status", {"status": status}).status == 202
        world.advance(timedelta(minutes=3))
        operation = shop.get(f"marketplace-orders/ym:{number}").json()["operation"]
        assert (operation["to"], operation["state"]) == (status, "done"), operation
    assert twin.orders[str(number)].substatus == "READY_TO_SHIP"
    assert [one.status for one in cabinet.shipments.values()] == ["OUTBOUND_CONFIRMED"]
    cabinet.collect(next(iter(cabinet.shipments)))
    world.advance(timedelta(minutes=6))
    assert shop.get(f"marketplace-orders/ym:{number}").json()["status"] == "shipped"
    assert cabinet.stock_of("TEA") == 3
    assert {call.status for call in twin.calls} == {200}
