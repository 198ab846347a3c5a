"""Using a marketplace's definitions without the rest of the house: written for the wire, asked of a twin, read back."""

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from functools import cache
from pathlib import Path
from typing import Any
from urllib.parse import parse_qsl, urlsplit

import httpx

from vestnik import marketplaces
from vestnik.domain.market import definitions, expressions
from vestnik.domain.market.definitions import Outcome

Json = Any


class Clock:
    """A clock that stands still unless it is moved."""

    def __init__(self, at: datetime) -> None:
        self.at = at

    def __call__(self) -> datetime:
        return self.at

    def move(self, **by: float) -> None:
        """Let time pass (`hours`, `minutes`, `seconds`)."""
        self.at += timedelta(**by)


@dataclass(slots=True)
class Heard:
    """What one call brought."""

    status: int
    content: Json
    do: str
    code: str
    items: list[dict[str, Json]]
    rows: dict[str, Outcome]
    next: Json
    headers: dict[str, str]
    asked: "Asked"


@dataclass(slots=True)
class Asked:
    """A call as it went out, taken apart."""

    method: str
    path: str
    query: dict[str, Json]
    body: Json


@dataclass(slots=True)
class Caller:
    """One account that calls a twin at `url` by the shipped definitions of its marketplace."""

    marketplace: str
    url: str
    credentials: dict[str, str]
    settings: dict[str, Json]
    clock: Clock
    heard: list[Heard] = field(default_factory=list)

    def call(self, id: str, *, rows: Sequence[Mapping[str, Json]] = (), page: Json = None, **given: Json) -> Heard:
        """Make the call that a definition (its id without the marketplace) describes."""
        definition = marketplaces.shipped(self.marketplace).definitions[f"{self.marketplace}.{id}"]
        document = document_of(definition, self.settings, given, rows, {"cursor": page}, self.clock())
        wanted = definitions.rendered(definition, document)
        headers = {n: expressions.filled(v, {"credentials": self.credentials}) for n, v in wanted.headers.items()}
        answer = _client().request(
            wanted.method, self.url + wanted.target, content=wanted.body or None, headers=headers
        )
        told = answer.json() if answer.content else None
        heard = read(definition, document, asked(definition, document), answer.status_code, told, self.marketplace)
        heard.headers = dict(answer.headers)
        self.heard.append(heard)
        return heard

    def pages(self, id: str, **given: Json) -> Iterator[Heard]:
        """One page after the other."""
        following: Json = None
        while True:
            heard = self.call(id, page=following, **given)
            yield heard
            if (following := heard.next) is None:
                return


def document_of(
    definition: Mapping[str, Json],
    settings: Mapping[str, Json],
    given: Mapping[str, Json],
    rows: Sequence[Mapping[str, Json]],
    page: Mapping[str, Json],
    now: datetime,
) -> dict[str, Json]:
    """What a definition's expressions see, as flows/calling.py makes it."""
    shared = {name: rows[0][name] for name in definition.get("batch", {}).get("by", ())} if rows else {}
    limit = definition.get("paging", {}).get("limit")
    return {
        "account": {"id": "main", "settings": settings, **settings},
        "given": {**shared, **given},
        "rows": list(rows),
        "page": {"limit": limit, "offset": 0, "cursor": None, **page},
        "now": expressions.rfc3339(now),
    }


def asked(definition: Mapping[str, Json], document: Mapping[str, Json]) -> Asked:
    """The call that a definition makes, taken apart. A query parameter that comes more than once is a list."""
    call = definitions.rendered(definition, document)
    parts, query = urlsplit(call.target), dict[str, Json]()
    for name, value in parse_qsl(parts.query):
        query[name] = value if name not in query else [*_listed(query[name]), value]
    return Asked(call.method, parts.path, query, call.content)


def read(
    definition: Mapping[str, Json],
    document: Mapping[str, Json],
    request: Asked,
    status: int,
    content: Json,
    marketplace: str,
) -> Heard:
    """What an answer means: the verdict, the items in our form, the outcome of each row, the next page."""
    rows = [definitions.row_id(definition, row) for row in document["rows"]]
    verdict = definitions.judged(definition, status, content, rows, marketplaces.shipped(marketplace).too_many)
    listed = definition.get("answer") or definition.get("items")
    items = definitions.items(definition, content) if listed and verdict.do == "ok" else []
    following = definitions.following(definition, content, document["page"], len(items)) if verdict.do == "ok" else None
    bare = [{name: value for name, value in item.items() if name != "raw"} for item in items]
    return Heard(status, content, verdict.do, verdict.code, bare, verdict.outcomes, following, {}, request)


def samples(marketplace: str) -> list[tuple[str, dict[str, Json]]]:
    """Every documented answer that is shipped: the definition's id and the sample."""
    folder = Path(marketplaces.__file__).parent / marketplace / "samples"
    files = sorted(folder.glob("*.json"))
    return [(f"{marketplace}.{file.stem}", one) for file in files for one in json.loads(file.read_text("utf-8"))]


def sampled(
    id: str, sample: Mapping[str, Json], settings: Mapping[str, Json], now: datetime
) -> tuple[Asked, dict[str, Json]]:
    """A sample's request as the definition writes it, and all that is read out of its answer."""
    marketplace = id.partition(".")[0]
    definition = marketplaces.shipped(marketplace).definitions[id]
    told = {**settings, **sample.get("account", {})}
    page, given, rows = sample.get("page", {}), sample.get("given", {}), sample.get("rows", [])
    document = document_of(definition, told, given, rows, page, now)
    request = asked(definition, document)
    heard = read(definition, document, request, sample["status"], sample["answer"], marketplace)
    meant: dict[str, Json] = {"do": heard.do}
    meant |= {"items": heard.items} if heard.items else {}
    meant |= {"next": heard.next} if heard.next is not None else {}
    meant |= {"code": heard.code} if heard.do != "ok" else {}
    meant |= {"rows": {id: _outcome(one) for id, one in heard.rows.items()}} if rows else {}
    return request, meant


@cache
def _client() -> httpx.Client:
    """One for all calls: each new one reads the machine's certificates anew."""
    return httpx.Client()


def _outcome(one: Outcome) -> dict[str, Json]:
    return {"ok": one.ok, "again": one.again} | ({"code": one.code} if one.code else {})


def _listed(value: Json) -> list[Json]:
    return value if isinstance(value, list) else [value]


def wanted(request: Asked) -> dict[str, Json]:
    """A request as samples have it."""
    told: dict[str, Json] = {"path": request.path}
    told |= {"query": request.query} if request.query else {}
    return told | ({"body": request.body} if request.body is not None else {})
