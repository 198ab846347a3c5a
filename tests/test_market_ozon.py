"""Ozon as data: each definition against its samples, the official specification and the documented answers."""

import json
import re
from typing import Any

import pytest

from tests.ozon_calls import OLD, Json, document, fits, needs_spec, spec
from vestnik.domain.market import definition_schema, definitions, expressions, operations, statuses
from vestnik.marketplaces import samples, shipped

OZON = shipped("ozon")
OLD_ONES = {path.stem: json.loads(path.read_text("utf-8")) for path in sorted(OLD.glob("*.json"))}
EVERY = {**OZON.definitions, **{one["id"]: one for one in OLD_ONES.values()}}
PURPOSES = {
    "credentials.check",
    "warehouses.list",
    "products.list",
    "products.details",
    "categories.list",
    "stock.write",
    "stock.read",
    "stock.read.all",
    "stock.fbo",
    "orders.list",
    "orders.open",
    "orders.get",
    "orders.list.fbo",
    "order.ship",
    "order.cancel",
    "cancel.reasons",
    "carriage.create",
    "carriage.deliveries",
    "carriage.postings",
    "carriage.approve",
    "carriage.get",
    "returns.list",
    "push.set",
}
UNTIL = "2026-11-20T08:00:00Z"


def _samples(id: str) -> list[Json]:
    if id in OZON.definitions:
        return samples("ozon", id)
    found: list[Json] = json.loads((OLD / "samples" / f"{id.removeprefix('ozon.')}.json").read_text("utf-8"))
    return found


SAMPLES = [(id, n) for id in EVERY for n in range(len(_samples(id)))]


def test_every_purpose_has_a_definition() -> None:
    assert {one["purpose"] for one in OZON.definitions.values()} == PURPOSES


@pytest.mark.parametrize("id", EVERY)
def test_a_definition_is_whole_and_goes_to_ozon_alone(id: str) -> None:
    definition_schema.check(EVERY[id], OZON.domains, OZON.buckets)
    assert EVERY[id]["id"] == id
    assert "credentials" not in str(EVERY[id].get("body"))
    assert EVERY[id]["limits"][0] == {"bucket": "all"}


@pytest.mark.parametrize("id", EVERY)
def test_a_definition_has_samples(id: str) -> None:
    assert _samples(id)


@pytest.mark.parametrize(("id", "n"), SAMPLES)
def test_a_sample_is_rendered_as_documented(id: str, n: int) -> None:
    definition, sample = EVERY[id], _samples(id)[n]
    told = document(definition, sample.get("given"), sample.get("rows", ()), sample.get("page"))
    rendered = definitions.rendered(definition, told)
    wanted = sample["request"]
    assert {"path": rendered.target, "body": rendered.content} == {"body": None, **wanted}
    fits(rendered.method, definition["path"], "request", rendered.content)


@pytest.mark.parametrize(("id", "n"), SAMPLES)
def test_a_samples_answer_fits_the_specification_and_maps_as_told(id: str, n: int) -> None:
    definition, sample = EVERY[id], _samples(id)[n]
    status, content, wanted = sample["status"], sample["answer"], sample["maps_to"]
    if content is not None:
        fits(definition["method"], definition["path"], str(status), content)
    ids = [definitions.row_id(definition, row) for row in sample.get("rows", ())]
    verdict = definitions.judged(definition, status, content, ids, [429])
    assert verdict.do == wanted["do"]
    assert verdict.code == wanted.get("code", "")
    told = {id: {"ok": one.ok, "again": one.again, "code": one.code} for id, one in verdict.outcomes.items()}
    assert told == wanted.get("rows", {})
    if "items" in wanted:
        found = [{k: v for k, v in one.items() if k != "raw"} for one in definitions.items(definition, content)]
        assert found == wanted["items"]
        page = document(definition, page=sample.get("page"))["page"]
        count = len(definitions.listed(definition, content))
        assert definitions.following(definition, content, page, count) == wanted["next"]


def test_every_host_path_is_in_the_specification() -> None:
    needs_spec()
    missing = {one["path"] for one in EVERY.values() if one["path"] not in spec()["paths"]}
    assert missing == set()


# What a mapping must bring for each thing that an answer lists.
# Stock by products is not among them: the specification has no example of it.
WANTED = {
    "warehouses.list": {"id", "name", "scheme", "active"},
    "products.list": {"unit", "product", "market_sku", "archived"},
    "products.details": {"unit", "product", "name", "barcodes", "price", "category", "updated_at", "image"},
    "stock.read.all": {"unit", "warehouse", "quantity", "present", "reserved", "updated_at"},
    "orders.list": {"number", "order", "scheme", "theirs", "created_at", "ship_by", "warehouse", "currency", "lines"},
    "orders.open": {"number", "order", "scheme", "theirs", "created_at", "ship_by", "warehouse", "currency", "lines"},
    "orders.get": {"number", "order", "scheme", "theirs", "created_at", "ship_by", "warehouse", "currency", "lines"},
    "orders.list.fbo": {"number", "order", "scheme", "theirs", "created_at", "warehouse", "currency", "lines"},
    "returns.list": {"id", "number", "scheme", "theirs", "changed_at", "unit", "quantity", "price", "currency"},
    "credentials.check": {"ok", "expires_at", "scopes"},
}


def _example(definition: Json) -> Json:
    operation = needs_spec()["paths"][definition["path"]][definition["method"].lower()]
    return operation["responses"]["200"].get("content", {}).get("application/json", {}).get("example")


@pytest.mark.parametrize("id", [id for id, one in EVERY.items() if one["purpose"] in WANTED])
def test_the_documented_example_maps_without_loss(id: str) -> None:
    definition = EVERY[id]
    content = _example(definition)
    found = definitions.items(definition, content)
    listed = definitions.listed(definition, content)
    assert len(found) == len(listed) > 0
    for one, theirs in zip(found, listed, strict=True):
        assert WANTED[definition["purpose"]] <= {name for name, value in one.items() if value is not None}
        if "lines" in one and "products" in theirs:
            assert [line["quantity"] for line in one["lines"]] == [line["quantity"] for line in theirs["products"]]
            assert all(isinstance(line["price"], int) and line["unit"] for line in one["lines"])


def test_the_tree_of_categories_is_walked_to_its_leaves() -> None:
    definition = EVERY["ozon.categories.list"]
    found = definitions.items(definition, _example(definition))
    assert [one["leaf"] for one in found] == [False, False, True]
    assert found[2]["parent"] == found[1]["id"]
    assert found[2]["id"] == f"{found[1]['id']}:970778135"


def _words(of: Any) -> set[str]:
    return set(re.findall(r"^- `([a-z_]+)`", of["description"], re.MULTILINE))


def test_every_documented_status_has_one_of_ours() -> None:
    needs_spec()
    read = statuses.statuses(OZON.statuses, None, None)
    asked = {"awaiting_registration", "sent_by_seller", "delivered", "cancelled"}
    schema = spec()["components"]["schemas"]
    told = [one for name, one in schema.items() if "osting" in name for one in _statuses_in(one)]
    words = set().union(*(_words(one) for one in told)) | asked
    assert len(words) >= 13
    unknown = {word for word in words if statuses.unified({"status": word}, read) == statuses.NONE}
    assert unknown == set()


def _statuses_in(schema: Json) -> list[Json]:
    found = schema.get("properties", {}).get("status", {})
    return [found] if "awaiting_packaging" in str(found.get("description")) else []


def test_an_unknown_status_is_kept_as_none() -> None:
    read = statuses.statuses(OZON.statuses, None, None)
    assert statuses.unified({"status": "teleported", "substatus": "x"}, read) == "none"


@pytest.mark.parametrize(
    ("status", "left"),
    [("awaiting_deliver", False), ("delivering", True), ("not_accepted", True), ("cancelled", False)],
)
def test_goods_have_left_once_ozon_has_them(status: str, left: bool) -> None:
    read = statuses.statuses(OZON.statuses, None, None)
    theirs = {"status": status}
    assert statuses.has_left(statuses.unified(theirs, read), theirs, read) is left


@pytest.mark.parametrize(
    ("word", "means"), [("MovingToSeller", "on_its_way"), ("ReceivedBySeller", "received"), ("DisputeOpened", None)]
)
def test_a_return_is_on_its_way_or_received(word: str, means: str | None) -> None:
    read = statuses.statuses(OZON.statuses, None, None)
    assert statuses.returning({"return": word}, read) == means


@pytest.mark.parametrize("to", ["packed", "handed_over", "cancelled"])
def test_the_steps_of_an_operation_are_calls_that_there_are(to: str) -> None:
    for step in OZON.operations[to]:
        assert step["call"] in PURPOSES
        told = [step.get(name) for name in ("unless", "given", "rows", "by", "expect")]
        told += [*step.get("keep", {}).values(), *step.get("sets", {}).values()]
        for expression in filter(None, told):
            expressions.compiled(expression)


def test_a_posting_is_packed_as_one_package_unless_told() -> None:
    line = {"unit": "MUG-1", "line": "185", "quantity": 2}
    body = {"number": "1-1", "theirs": {"status": "awaiting_packaging"}, "lines": [line], "operation": {"given": {}}}
    step = OZON.operations["packed"][0]
    seen = operations.document(body, {}, {}, UNTIL)
    assert not operations.skips(step, seen)
    assert operations.given_of(step, seen) == {
        "number": "1-1",
        "packages": [{"lines": [{"line": "185", "quantity": 2}]}],
    }
    two = [{"lines": [{"line": "185", "quantity": 1}]}] * 2
    seen = operations.document({**body, "operation": {"given": {"packages": two}}}, {}, {}, UNTIL)
    assert operations.given_of(step, seen)["packages"] == two


def test_the_old_list_of_orders_names_its_replacement() -> None:
    old = OLD_ONES["orders.list.v3"]
    assert (old["valid_until"], old["replaced_by"]) == ("2026-08-31", "ozon.orders.list.v4")
    new = OZON.definitions[old["replaced_by"]]
    assert new["purpose"] == old["purpose"]
    posting = samples("ozon", new["id"])[0]["maps_to"]["items"][0]
    assert _samples(old["id"])[0]["maps_to"]["items"][0] == posting
