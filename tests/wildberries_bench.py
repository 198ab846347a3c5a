"""A seller's program on a bench with the twin of Wildberries: our definitions, spoken over HTTP, each answer held
against the specification."""

import http.client
import json
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any
from urllib.parse import urlsplit

from infra.twins.wildberries import Wildberries
from tests import wildberries_contract as contract
from vestnik import marketplaces
from vestnik.domain.market import definitions, expressions

MARKET = marketplaces.shipped("wildberries")
START = datetime(2026, 11, 20, 8, 0, tzinfo=UTC)
HOME, FAR = "658434", "658435"
Json = Any


@dataclass
class Said:
    """An answer, and what our definition makes of it."""

    status: int
    headers: dict[str, str]
    body: Json
    verdict: definitions.Verdict
    items: list[dict[str, Any]]


@dataclass
class Bench:
    """A twin with a clock that is moved by hand, and a seller's program that speaks to it by our definitions."""

    at: datetime = START
    twin: Wildberries = field(init=False)
    checked: bool = True

    def __post_init__(self) -> None:
        self.twin = Wildberries(lambda *_: None, lambda: self.at)

    def wait(self, **time: float) -> None:
        self.at += timedelta(**time)

    def ask(
        self, called: str, /, rows: list[Json] | None = None, page: Json = None, token: str = "", **given: Any
    ) -> Said:
        """Make the call of a definition, hold the answer against the specification, and read it."""
        return self.perform(MARKET.definitions[f"wildberries.{called}"], rows, page, token, **given)

    def perform(self, one: Json, /, rows: list[Json] | None, page: Json = None, token: str = "", **given: Any) -> Said:
        rows = rows or []
        shared = {name: rows[0][name] for name in one.get("batch", {}).get("by", ())} if rows else {}
        written = definitions.rendered(one, self._document(one, rows, {**shared, **given}, page))
        status, headers, body = self.raw(written.method, written.target, written.content, token)
        if contract.SPECS.is_dir() and self.checked:
            name = one["id"].partition(".")[2]
            contract.answer_fits(one["method"], one["path"], status, body, name)
        ids = [definitions.row_id(one, row) for row in rows]
        verdict = definitions.judged(one, status, body, ids, MARKET.too_many)
        items = definitions.items(one, body, shared) if verdict.do == "ok" and one.get("answer") else []
        return Said(status, headers, body, verdict, items)

    def _document(self, one: Json, rows: list[Json], given: Json, page: Json) -> Json:
        told = {"limit": one.get("paging", {}).get("limit"), "offset": 0, "cursor": None, **(page or {})}
        account = {"id": "a", "settings": {"city": "Москва"}}
        return {"account": account, "given": given, "rows": rows, "page": told, "now": expressions.rfc3339(self.at)}

    def raw(self, method: str, target: str, body: Json = None, token: str = "") -> tuple[int, dict[str, str], Json]:
        """One request; (status, headers, body)."""
        place = urlsplit(self.twin.url)
        wire = http.client.HTTPConnection(place.hostname or "", place.port, timeout=60)
        try:
            content = None if body is None else json.dumps(body).encode()
            wire.request(method, target, content, {"Authorization": token or self.twin.token})
            answer = wire.getresponse()
            text = answer.read()
            headers = {name.lower(): value for name, value in answer.getheaders()}
            return answer.status, headers, json.loads(text) if text else None
        finally:
            wire.close()

    def write(self, quantities: dict[str, int], warehouse: str = HOME) -> Said:
        rows = [{"unit": unit, "warehouse": warehouse, "quantity": n} for unit, n in quantities.items()]
        return self.ask("stock.write", rows)

    def read(self, *units: str, warehouse: str = HOME) -> dict[str, int]:
        found = self.ask("stock.read", [{"unit": unit, "warehouse": warehouse} for unit in units]).items
        assert {one["warehouse"] for one in found} <= {warehouse}
        return {one["unit"]: one["quantity"] for one in found}

    def pair(self, number: str) -> dict[str, str]:
        found = self.ask("orders.statuses", [{"number": number}]).items
        theirs: dict[str, str] = found[0]["theirs"]
        return theirs

    def sold(self, unit: str = "101", quantity: int = 1) -> str:
        number = self.twin.sell(unit, quantity)
        assert number is not None
        return number
