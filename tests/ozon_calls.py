"""Calling Ozon's twin by the shipped definitions, each request and answer held against the official specification."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from functools import cache
from pathlib import Path
from typing import Any

import httpx
import jsonschema_rs
import pytest

from infra.twins.ozon import Cabinet, Ozon
from vestnik.domain.market import definitions, expressions, statuses
from vestnik.marketplaces import shipped

SPECS = Path(__file__).parents[1] / ".." / "shared" / "specs" / "ozon"
OLD = Path(__file__).parent / "data" / "old_definitions" / "ozon"
START = datetime(2026, 11, 20, 8, 0, tzinfo=UTC)
WAREHOUSE = "22142605386000"
READ = statuses.statuses(shipped("ozon").statuses, None, None)
Json = Any


@cache
def spec() -> Json:
    """The official specification, or None where it is not beside the project."""
    found = sorted(SPECS.glob("ozon-seller-swagger-*.json"))
    return json.loads(found[-1].read_text("utf-8")) if found else None


def needs_spec() -> Json:
    """The specification; the test is skipped where there is none."""
    if spec() is None:
        pytest.skip("the specifications are not beside the project")
    return spec()


@cache
def _validator(method: str, path: str, part: str) -> Any:
    operation = spec()["paths"][path][method.lower()]
    answers = operation["responses"]
    told = operation.get("requestBody") if part == "request" else answers.get(part, answers.get("default"))
    told = _resolved(told or {})
    schema = told.get("content", {}).get("application/json", {}).get("schema")
    if schema is None:
        return None
    whole = {**schema, "components": spec()["components"]}
    return jsonschema_rs.validator_for(whole, validate_formats=False)


def _resolved(told: Json) -> Json:
    if "$ref" not in told:
        return told
    found = spec()
    for name in told["$ref"].split("/")[1:]:
        found = found[name]
    return found


def fits(method: str, path: str, part: str, content: Json) -> None:
    """Hold a request ("request") or an answer (its status) against the specification, where there is one."""
    if spec() is None or path not in spec()["paths"]:
        return
    validator = _validator(method, path, part)
    if validator is not None:
        faults = [f"{'/'.join(map(str, one.instance_path))}: {one.message}" for one in validator.iter_errors(content)]
        assert not faults, f"{path} {part}: {faults[:3]}"


def document(
    definition: Mapping[str, Any], given: Json = None, rows: Sequence[Json] = (), page: Json = None, now: Json = START
) -> dict[str, Any]:
    """What a definition's expressions see of one call."""
    limit = definition.get("paging", {}).get("limit")
    shared = {name: rows[0][name] for name in definition.get("batch", {}).get("by", ())} if rows else {}
    return {
        "account": {"id": "ozon-1", "settings": {}},
        "given": {**shared, **(given or {})},
        "rows": list(rows),
        "page": {"limit": limit, "offset": 0, "cursor": None, **(page or {})},
        "now": expressions.rfc3339(now),
    }


@dataclass
class Called:
    """What came of a call."""

    status: int
    content: Json
    verdict: definitions.Verdict
    items: list[dict[str, Any]] = field(default_factory=list)
    next: Json = None


class Clock:
    """A clock that stands until it is moved."""

    def __init__(self) -> None:
        self.at = START

    def __call__(self) -> datetime:
        return self.at

    def move(self, **by: float) -> None:
        """Let time pass."""
        self.at += timedelta(**by)


class Seller:
    """One cabinet as its seller sees it: calls by definition, and the cabinet itself behind them."""

    def __init__(self, twin: Ozon, cabinet: Cabinet, clock: Clock) -> None:
        self.twin, self.cabinet, self.clock = twin, cabinet, clock
        self.client = httpx.Client(base_url=twin.url, timeout=60)

    def call(self, purpose: str, given: Json = None, rows: Sequence[Json] = (), page: Json = None) -> Called:
        """Call by the shipped definition of a purpose."""
        found = [one for one in shipped("ozon").definitions.values() if one["purpose"] == purpose]
        return self.by(found[0], given, rows, page)

    def by(
        self, definition: Mapping[str, Any], given: Json = None, rows: Sequence[Json] = (), page: Json = None
    ) -> Called:
        """Call by a definition; request and answer must fit the specification."""
        seen = document(definition, given, rows, page, self.clock())
        rendered = definitions.rendered(definition, seen)
        fits(rendered.method, definition["path"], "request", rendered.content)
        keys = {"Client-Id": self.cabinet.client_id, "Api-Key": self.cabinet.api_key}
        reply = self.client.request(rendered.method, rendered.target, content=rendered.body, headers=keys)
        content = reply.json() if reply.content else None
        if content is not None:
            fits(rendered.method, definition["path"], str(reply.status_code), content)
        ids = [definitions.row_id(definition, row) for row in rows]
        verdict = definitions.judged(definition, reply.status_code, content, ids, [429])
        if verdict.do != "ok" or not (definition.get("answer") or definition.get("items")):
            return Called(reply.status_code, content, verdict)
        listed = definitions.items(definition, content)
        following = definitions.following(
            definition, content, seen["page"], len(definitions.listed(definition, content))
        )
        return Called(reply.status_code, content, verdict, listed, following)

    def write(self, unit: str, quantity: int, warehouse: str = WAREHOUSE) -> definitions.Outcome:
        """Write one pair; its outcome."""
        product = self.cabinet.products.get(unit)
        id = {"product": str(product.product_id if product else 1)}
        row = {"unit": unit, "warehouse": warehouse, "quantity": quantity, **id}
        called = self.call("stock.write", rows=[row])
        return called.verdict.outcomes[f"{unit}|{warehouse}"]

    def posting(self, number: str) -> dict[str, Any]:
        """A posting as it is read."""
        return self.call("orders.get", {"number": number}).items[0]

    def sold(self, unit: str = "MUG-1", quantity: int = 1, **more: Any) -> str:
        """A buyer orders; the posting's number."""
        number = self.twin.sell(unit, quantity, account=self.cabinet.client_id, **more)
        assert number is not None
        return number

    def status(self, number: str) -> str:
        """Our status for a posting as it is read."""
        return statuses.unified(self.posting(number)["theirs"], READ)

    def pack(self, number: str, *packages: int) -> list[str]:
        """Assemble a posting of one line, whole or in packages of so many; the numbers that come of it."""
        line = self.posting(number)["lines"][0]
        told = [{"lines": [{"line": line["line"], "quantity": n}]} for n in packages or (line["quantity"],)]
        return list(self.call("order.ship", {"number": number, "packages": told}).items[0]["postings"])

    def changed(self, minutes: int = 60) -> list[dict[str, Any]]:
        """The postings that changed in the last so many minutes, all pages."""
        until = self.clock()
        given = {"since": expressions.rfc3339(until - timedelta(minutes=minutes)), "until": expressions.rfc3339(until)}
        found, cursor = [], None
        while True:
            called = self.call("orders.list", given, page={"cursor": cursor})
            found += called.items
            cursor = called.next
            if cursor is None:
                return found


OLD_LIST = json.loads((OLD / "orders.list.v3.json").read_text("utf-8"))
OLD_ID = OLD_LIST["id"]
