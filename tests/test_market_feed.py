"""The smallest marketplace: a folder of data and a twin, and nothing else in the house knows its name."""

import json
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import jsonschema_rs
import pytest

from infra.twins.feed import FeedTwin
from tests import definition_calls
from tests.definition_calls import Caller, Clock
from vestnik import marketplaces
from vestnik.domain.market import definition_schema, statuses

NOW = datetime(2026, 11, 20, 8, 0, tzinfo=UTC)
ROOT = Path(__file__).parents[1]
FOLDER = Path(marketplaces.__file__).parent / "feed"
SCHEMA = json.loads((FOLDER / "schema.json").read_text("utf-8"))
SAMPLES = definition_calls.samples("feed")
DEFINITIONS = marketplaces.shipped("feed").definitions


@pytest.fixture
def clock() -> Clock:
    return Clock(NOW)


@pytest.fixture
def twin(clock: Clock) -> Iterator[FeedTwin]:
    opened = FeedTwin(lambda service, operation, host: None, clock)
    opened.add_account("one")
    yield opened
    opened.close()


@pytest.fixture
def caller(twin: FeedTwin, clock: Clock) -> Caller:
    return Caller("feed", twin.url, {"token": "one"}, {}, clock)


def complaints(part: str, what: str, value: Any) -> list[str]:
    schema = {"$ref": f"#/$defs/{_pointer(part)}/{what}", "$defs": SCHEMA["$defs"]}
    return [error.message for error in jsonschema_rs.Draft202012Validator(schema).iter_errors(value)]


def _pointer(part: str) -> str:
    return part.replace("~", "~0").replace("/", "~1").replace(" ", "%20").replace("{", "%7B").replace("}", "%7D")


def part_of(method: str, path: str) -> str:
    return f"{method} {'/orders/{id}/status' if path.endswith('/status') else path}"


def held(method: str, path: str, query: Any, body: Any, status: int, answer: Any) -> list[str]:
    """What is wrong with a call and its answer, by the feed's own schema."""
    part = part_of(method, path)
    wrong = complaints(part, "query", query) if "query" in SCHEMA["$defs"][part] else []
    wrong += complaints(part, "body", body) if "body" in SCHEMA["$defs"][part] else []
    return wrong + complaints(part if status == 200 else "error", "answer", answer)


@pytest.mark.parametrize("id", sorted(DEFINITIONS))
def test_a_definition_is_whole_and_has_samples(id: str) -> None:
    market = marketplaces.shipped("feed")
    definition_schema.check(DEFINITIONS[id], market.domains, market.buckets)
    assert [sample for sampled, sample in SAMPLES if sampled == id]


@pytest.mark.parametrize(("id", "sample"), SAMPLES, ids=[f"{id}: {sample['about']}" for id, sample in SAMPLES])
def test_a_documented_answer_maps_without_loss(id: str, sample: dict[str, Any]) -> None:
    request, meant = definition_calls.sampled(id, sample, {}, NOW)
    assert definition_calls.wanted(request) == sample["request"]
    assert meant == sample["maps_to"]
    wrong = held(request.method, request.path, request.query, request.body, sample["status"], sample["answer"])
    assert wrong == []


def test_the_schema_tells_a_wrong_answer_from_a_right_one() -> None:
    assert complaints("GET /items", "answer", {"items": [{"sku": "A"}], "next": None})
    assert complaints("PUT /stock", "body", {"stock": [{"sku": "A", "amount": 1}]})


def test_the_twin_answers_as_the_schema_says(twin: FeedTwin, caller: Caller) -> None:
    for n in range(101):
        twin.add_product(f"MUG-{n}", name="Mug", barcode=str(n), stock=2)
    units = [item["unit"] for page in caller.pages("products.list") for item in page.items]
    assert len(units) == 101
    assert caller.call("credentials.check").items == [{"ok": True}]
    rows = [{"unit": unit, "warehouse": "shop", "quantity": 5} for unit in ("MUG-0", "NONE")]
    written = caller.call("stock.write", rows=rows)
    assert {id: one.ok for id, one in written.rows.items()} == {"MUG-0": True, "NONE": False}
    assert {one["unit"]: one["quantity"] for one in caller.call("stock.read").items}["MUG-0"] == 5
    number = twin.sell("MUG-0", 2)
    assert [one["number"] for one in caller.call("orders.list", since="2026-11-20T07:00:00Z").items] == [number]
    assert caller.call("order.status", number=number, state="packed").items[0]["theirs"] == {"status": "packed"}
    assert caller.call("order.status", number=number, state="new").do == "give-up"
    assert caller.call("orders.get", number=number).items[0]["lines"][0]["price"] == 1990
    for heard in caller.heard:
        call = heard.asked
        assert held(call.method, call.path, call.query, call.body, heard.status, heard.content) == []


def test_a_shop_sells_what_it_has_and_takes_back_what_is_cancelled(twin: FeedTwin) -> None:
    twin.add_product("CUP", stock=1)
    number = twin.sell("CUP")
    assert (twin.sell("CUP"), twin.stock_of("CUP"), twin.shop().oversold) == (None, 0, 1)
    twin.cancel(str(number))
    assert twin.stock_of("CUP") == 1


def test_sixty_calls_go_in_a_minute_and_the_next_is_told_when(caller: Caller, twin: FeedTwin, clock: Clock) -> None:
    assert {caller.call("stock.read").status for _ in range(60)} == {200}
    refused = caller.call("stock.read")
    assert (refused.do, refused.headers["retry-after"]) == ("park", "61")
    clock.move(seconds=61)
    assert caller.call("stock.read").status == 200


def test_a_wrong_token_opens_nothing(twin: FeedTwin, clock: Clock) -> None:
    stranger = Caller("feed", twin.url, {"token": "two"}, {}, clock)
    assert (stranger.call("credentials.check").status, stranger.call("credentials.check").do) == (401, "give-up")


@pytest.mark.parametrize("word", SCHEMA["$defs"]["POST /orders/{id}/status"]["body"]["properties"]["state"]["enum"])
def test_every_state_has_a_status_of_ours(word: str) -> None:
    read = statuses.statuses(marketplaces.shipped("feed").statuses, None, None)
    assert statuses.unified({"status": word}, read) != statuses.NONE


def test_no_code_of_the_product_names_the_feed() -> None:
    """That a marketplace is a folder and a twin is shown by there being no word of it in anything that runs."""
    words = ('"feed"', "'feed'", "marketplaces.feed")
    folders = (ROOT / "layers/vestnik/python/vestnik", ROOT / "functions")
    files = [file for folder in folders for file in folder.rglob("*.py")]
    assert len(files) > 100
    named = [str(file) for file in files if any(word in file.read_text("utf-8") for word in words)]
    assert named == []


def test_the_recipe_tells_every_key_of_a_request_and_of_a_marketplace() -> None:
    page = (ROOT / "docs/add-a-marketplace.md").read_text("utf-8")
    keys = set(definition_schema.SCHEMA["properties"]) - {"version"}
    keys |= set(json.loads((FOLDER / "marketplace.json").read_text("utf-8")))
    assert [key for key in sorted(keys) if f"`{key}" not in page] == []


def test_the_request_shown_in_the_recipe_is_the_shipped_one() -> None:
    page = (ROOT / "docs/add-a-marketplace.md").read_text("utf-8")
    shown = json.loads(page.split("```json\n")[1].split("```")[0])
    assert shown == json.loads((FOLDER / "requests/stock.write.json").read_text("utf-8"))
