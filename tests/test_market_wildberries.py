"""Wildberries' definitions against its published specification: what they ask, and how every answer is read."""

import json
from collections.abc import Iterator
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any
from urllib.parse import parse_qsl, urlsplit

import pytest

from infra.twins.wildberries import desk, tokens
from tests import wildberries_contract as contract
from vestnik import marketplaces
from vestnik.domain.market import definition_schema, definitions, expressions, statuses
from vestnik.marketplaces._shipped import FOLDER

SAMPLES = FOLDER / "wildberries" / "samples"
OLD = Path(__file__).parent / "data" / "old_definitions" / "wildberries"
MARKET = marketplaces.shipped("wildberries")
NOW = datetime(2026, 11, 20, 8, 0, tzinfo=UTC)
PURPOSES = {
    *("credentials.check", "seller.info", "warehouses.list", "products.list", "categories.list", "categories.parents"),
    *("stock.write", "stock.read", "stock.fbo", "orders.new", "orders.list", "orders.statuses", "order.cancel"),
    *("supplies.list", "supply.create", "supply.add", "supply.shipping_points", "supply.shipping", "supply.deliver"),
    *("supply.orders", "supply.get", "returns.list", "orders.list.fbo"),
    *(f"orders.{listing}.{what}" for listing in ("dbs", "dbw", "pickup") for what in ("new", "list", "statuses")),
}
Json = Any


CASES = [
    pytest.param(path.stem, sample, id=f"{path.stem}-{n}-{sample['status']}")
    for path in sorted(SAMPLES.glob("*.json"))
    for n, sample in enumerate(json.loads(path.read_text("utf-8")))
]


def definition(name: str) -> Json:
    return MARKET.definitions[f"wildberries.{name}"]


def document(one: Json, sample: Json) -> Json:
    rows = sample.get("rows", [])
    shared = {name: rows[0][name] for name in one.get("batch", {}).get("by", ())} if rows else {}
    page = {"limit": one.get("paging", {}).get("limit"), "offset": 0, "cursor": None, **sample.get("page", {})}
    account = {"id": "a", "settings": sample.get("account", {})}
    return {
        "account": account,
        "given": {**shared, **sample.get("given", {})},
        "rows": rows,
        "page": page,
        "now": expressions.rfc3339(NOW),
    }


def judged(one: Json, sample: Json) -> definitions.Verdict:
    rows = [definitions.row_id(one, row) for row in sample.get("rows", [])]
    return definitions.judged(one, sample["status"], sample["answer"], rows, MARKET.too_many)


def test_every_purpose_has_a_definition_and_every_definition_a_sample() -> None:
    assert {one["purpose"] for one in MARKET.definitions.values()} == PURPOSES
    named = {f"wildberries.{path.stem}" for path in SAMPLES.glob("*.json")}
    assert named == set(MARKET.definitions)
    assert all(one["source"] for one in MARKET.definitions.values())


def test_every_definition_says_only_what_a_definition_may_say() -> None:
    for one in MARKET.definitions.values():
        definition_schema.check(one, MARKET.domains, MARKET.buckets)


@pytest.mark.parametrize(("name", "sample"), CASES)
def test_the_request_is_as_the_sample_has_it(name: str, sample: Json) -> None:
    one, wanted = definition(name), sample["request"]
    written = definitions.rendered(one, document(one, sample))
    parts = urlsplit(written.target)
    assert parts.path == wanted["path"]
    assert dict(parse_qsl(parts.query)) == wanted.get("query", {})
    assert written.content == wanted.get("body")
    assert written.headers == {"Authorization": "{credentials.token}"}


@contract.needed
@pytest.mark.parametrize(("name", "sample"), CASES)
def test_the_request_is_as_the_specification_wants_it(name: str, sample: Json) -> None:
    one = definition(name)
    written = definitions.rendered(one, document(one, sample))
    published, own = contract.operation(one["method"], one["path"]), contract.own(name)
    assert (published is None) == (own is not None), "an own schema stands only for what the specification has not"
    parameters = published["parameters"] if published else own["query"] if own else []
    contract.query_fits(parameters, written.target)
    schema = contract.body_schema(published) if published else own["request"] if own else None
    assert (schema is None) == (written.content is None)
    if schema is not None:
        contract.fits(schema, written.content)


@contract.needed
@pytest.mark.parametrize(("name", "sample"), CASES)
def test_the_sample_answer_is_as_the_specification_has_it(name: str, sample: Json) -> None:
    one = definition(name)
    contract.answer_fits(one["method"], one["path"], sample["status"], sample["answer"], name)


@pytest.mark.parametrize(("name", "sample"), CASES)
def test_the_answer_means_what_the_sample_says(name: str, sample: Json) -> None:
    one, wanted = definition(name), sample["maps_to"]
    verdict = judged(one, sample)
    if "do" in wanted:
        assert verdict.do == wanted["do"]
    elif "rows" not in wanted:
        assert verdict.do == "ok"
    assert verdict.code == wanted.get("code", verdict.code)
    for row, outcome in wanted.get("rows", {}).items():
        assert {field: getattr(verdict.outcomes[row], field) for field in outcome} == outcome


@pytest.mark.parametrize(("name", "sample"), CASES)
def test_an_answer_is_mapped_without_loss(name: str, sample: Json) -> None:
    one, wanted = definition(name), sample["maps_to"]
    if "items" not in wanted:
        return
    asked = document(one, sample)
    shared = {field: asked["rows"][0][field] for field in one.get("batch", {}).get("by", ())} if asked["rows"] else {}
    found = definitions.items(one, sample["answer"], shared)
    assert [{name: value for name, value in item.items() if name != "raw"} for item in found] == wanted["items"]
    if one.get("raw"):
        told = definitions.listed(one, sample["answer"])
        assert [item["raw"] for item in found] == [row for row in told if definitions._parts(one, row)]
    if "next" in wanted:
        count = len(definitions.listed(one, sample["answer"]))
        assert definitions.following(one, sample["answer"], asked["page"], count) == wanted["next"]
    if "total" in wanted:
        assert expressions.value(one["paging"]["total"], sample["answer"]) == wanted["total"]


def documented(one: Json) -> Iterator[tuple[int, Json]]:
    """(status, an answer that the specification shows for it)."""
    published = contract.operation(one["method"], one["path"]) or {"responses": {}}
    for status, told in published["responses"].items():
        content = next(iter((told.get("content") or {"": {}}).values()))
        shown = content.get("examples") or {"": {"value": content.get("example")}}
        yield from ((int(status), example["value"]) for example in shown.values())


@contract.needed
@pytest.mark.parametrize("id", sorted(MARKET.definitions))
def test_every_documented_answer_is_understood(id: str) -> None:
    one = MARKET.definitions[id]
    rows = ["1", "2"] if "rows" in str(one.get("body")) else []
    for status, answer in documented(one):
        verdict = definitions.judged(one, status, answer, rows, MARKET.too_many)
        assert (verdict.do == "park") == (status == 429)
        if status >= 300:
            assert verdict.do in ("give-up", "retry", "take-out", "halve", "park", "gone")
            assert verdict.code
        elif answer is not None:
            assert verdict.do == "ok"
            assert not one.get("items") or definitions.items(one, answer)


def test_a_token_tells_when_it_ends_and_what_it_is_good_for() -> None:
    token = tokens.made("sid", ("content", "marketplace"), "personal", NOW, 1, read_only=True)
    claims = definitions.claimed(definition("credentials.check"), {"token": token})
    assert claims == {
        "expires_at": "2026-11-20T08:00:00Z",
        "seller": "sid",
        "read_only": True,
        "token_type": "personal",
        "scopes": ["content", "marketplace", "read-only"],
    }
    assert definitions.claimed(definition("credentials.check"), {"token": "no token"}) == {}


SUPPLIER = ("new", "confirm", "complete", "cancel", "cancel_carrier")
WB = (
    *("waiting", "sorted", "sold", "canceled", "canceled_by_client", "declined_by_client", "defect"),
    *("ready_for_pickup", "postponed_delivery", "accepted_by_carrier", "sent_to_carrier", "canceled_by_carrier"),
)


def read(supplier: str, wb: str, **more: str) -> tuple[str, bool, bool]:
    """(ours, left, closed) of a pair."""
    theirs = {"supplierStatus": supplier, "wbStatus": wb, **more}
    table = statuses.statuses(MARKET.statuses, None, None)
    ours = statuses.unified(theirs, table)
    return ours, statuses.has_left(ours, theirs, table), statuses.is_closed(ours, theirs, table)


def test_every_documented_pair_of_statuses_has_one_of_ours() -> None:
    pairs = {(supplier, wb): read(supplier, wb)[0] for supplier in SUPPLIER for wb in WB}
    assert set(pairs.values()) == {"new", "packed", "shipped", "delivered", "cancelled"}
    assert pairs["new", "waiting"] == "new"
    assert pairs["confirm", "waiting"] == "packed"
    assert pairs["complete", "waiting"] == "shipped"
    assert {pairs["cancel", wb] for wb in WB} == {"cancelled"}
    assert {pairs[supplier, "declined_by_client"] for supplier in SUPPLIER} == {"cancelled"}
    assert read("surprise", "surprise")[0] == statuses.NONE


WORDS = {
    "dbs": (("deliver", "cancel_missed_call"), ("canceled_by_missed_call", "ready_for_pickup")),
    "dbw": (("complete", "cancel_missed_call"), ("canceled_by_missed_call", "postponed_delivery")),
    "pickup": (("prepare", "cancel_shelf_life"), ("ready_for_pickup",)),
}
SHARED = ("new", "confirm", "receive", "reject", "cancel")
SHARED_WB = ("waiting", "sold", "canceled", "canceled_by_client", "declined_by_client", "defect")


@pytest.mark.parametrize("delivery", sorted(WORDS))
def test_every_documented_pair_of_the_other_schemes_has_one_of_ours(delivery: str) -> None:
    own, own_wb = WORDS[delivery]
    pairs = [(one, wb) for one in (*SHARED, *own) for wb in (*SHARED_WB, *own_wb)]
    found = {pair: read(*pair, delivery=delivery)[0] for pair in pairs}
    assert statuses.NONE not in found.values()
    assert found["confirm", "waiting"] == "confirmed"
    assert {found["reject", wb] for wb in (*SHARED_WB, *own_wb)} == {"cancelled"}


@pytest.mark.parametrize(
    ("delivery", "supplier", "wb", "wanted"),
    [
        ("dbs", "deliver", "waiting", ("shipped", True, False)),
        ("dbs", "deliver", "ready_for_pickup", ("shipped", True, False)),
        ("dbs", "deliver", "canceled_by_client", ("cancelled", True, True)),
        ("dbs", "receive", "sold", ("delivered", True, True)),
        ("dbs", "reject", "canceled_by_client", ("cancelled", True, True)),
        ("dbs", "cancel_missed_call", "canceled_by_missed_call", ("cancelled", False, True)),
        ("dbw", "complete", "postponed_delivery", ("shipped", True, False)),
        ("pickup", "prepare", "ready_for_pickup", ("packed", False, False)),
        ("pickup", "reject", "canceled_by_client", ("cancelled", False, True)),
        ("pickup", "cancel_shelf_life", "canceled", ("cancelled", False, True)),
        ("pickup", "receive", "sold", ("delivered", True, True)),
    ],
)
def test_goods_of_the_other_schemes_leave_when_they_are_on_their_way_or_fetched(
    delivery: str, supplier: str, wb: str, wanted: tuple[str, bool, bool]
) -> None:
    assert read(supplier, wb, delivery=delivery) == wanted


def test_every_further_list_names_schemes_there_are_and_has_its_requests() -> None:
    named = [scheme for schemes in MARKET.orders["lists"].values() for scheme in schemes]
    assert sorted(named) == sorted(scheme for scheme, means in MARKET.schemes.items() if means == "shown")
    for listing in MARKET.orders["lists"]:
        assert {f"orders.{listing}.{what}" for what in ("new", "list", "statuses")} <= PURPOSES


@pytest.mark.parametrize(
    ("supplier", "wb", "left", "closed"),
    [
        ("new", "waiting", False, False),
        ("confirm", "waiting", False, False),
        ("confirm", "canceled_by_client", False, True),
        ("new", "declined_by_client", False, True),
        ("cancel", "canceled", False, True),
        ("complete", "waiting", True, False),
        ("complete", "sorted", True, False),
        ("complete", "canceled_by_client", True, True),
        ("complete", "sold", True, True),
    ],
)
def test_goods_have_left_once_the_supply_is_handed_over(supplier: str, wb: str, left: bool, closed: bool) -> None:
    assert read(supplier, wb)[1:] == (left, closed)


def published_limits() -> Json:
    return json.loads((contract.SPECS / "wb-rate-limits-2026-08-19.json").read_text("utf-8"))


SECONDS = {"ms": 0.001, "s": 1.0, "min": 60.0, "h": 3600.0}


def seconds(text: str) -> float:
    number, unit = text.split()
    return float(number) * SECONDS[unit]


def limits() -> Iterator[tuple[Json, Json, bool]]:
    """(definition, a published limit of its method, whether a 4XX costs ten)."""
    told = {_alike(name): one for name, one in published_limits().items()}
    for one in MARKET.definitions.values():
        found = told.get(_alike(f"{one['method']} {one['path']}"), {})
        yield from ((one, limit, "10 requests" in found.get("note", "")) for limit in found.get("limits", ()))


@contract.needed
def test_no_bucket_lets_more_through_than_is_published() -> None:
    assert len({one["id"] for one, _, _ in limits()}) >= 28
    for one, limit, fined in limits():
        bucket = MARKET.buckets[one["limits"][0]["bucket"]]
        kind = "base" if limit.get("type") == "Base" else "personal"
        spec = bucket["variants"][kind] if "variants" in bucket else bucket
        assert spec["every_ms"] / 1000 >= seconds(limit["interval"]), one["id"]
        assert spec["burst"] <= int(limit["burst"].split()[0]), one["id"]
        assert bool(spec.get("penalty")) == fined, one["id"]


@contract.needed
def test_the_twin_s_limits_are_the_published_ones() -> None:
    for one, limit, fined in limits():
        group = desk.group(one["path"])
        table = {**desk.LIMITS, **desk.BASE} if limit.get("type") == "Base" else desk.LIMITS
        assert table[group].every == pytest.approx(seconds(limit["interval"])), one["id"]
        assert table[group].burst == int(limit["burst"].split()[0]), one["id"]
        assert table[group].fined == fined, one["id"]


def _alike(call: str) -> str:
    method, _, path = call.partition(" ")
    return f"{method} {contract._plain(path)}"


def test_old_definitions_name_the_ones_that_followed_them() -> None:
    for path in sorted(OLD.glob("*.json")):
        old = json.loads(path.read_text("utf-8"))
        definition_schema.check(old, MARKET.domains, MARKET.buckets)
        heir = MARKET.definitions[old["replaced_by"]]
        assert heir["purpose"] == old["purpose"]
        assert date.fromisoformat(old["valid_until"]) >= date.fromisoformat(heir["valid_from"])


def test_every_host_is_one_of_the_marketplace_s_own() -> None:
    assert all(host.endswith(".wildberries.ru") for host in MARKET.domains)
    assert {one["host"] for one in MARKET.definitions.values()} <= set(MARKET.domains)
