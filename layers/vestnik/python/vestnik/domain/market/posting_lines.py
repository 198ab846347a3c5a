"""A posting's lines: how many of what, by which names, and how events show them."""

import json
from collections import defaultdict
from collections.abc import Mapping
from itertools import accumulate
from typing import Any

MOST_LINES = 500  # of an order, as an event tells it
LARGEST_LINES = 50_000  # bytes of JSON; an event may have 128 KB
GOODS = {"name": 500, "article": 200}
"""What of a line's goods events tell beside the unit, and how many signs of it."""

type Posting = dict[str, Any]
type Told = Mapping[str, Any]
type Line = dict[str, Any]


def quantities(body: Posting) -> dict[str, int]:
    """How many of each unit its lines hold."""
    found: dict[str, int] = defaultdict(int)
    for line in body["lines"]:
        found[line["unit"]] += line["quantity"]
    return dict(found)


def part(body: Posting, lines: list[Line]) -> Posting:
    """A posting of only these goods; what it costs is not known of a part."""
    known = {line["unit"]: line for line in body["lines"]}
    goods = [{**known.get(line["unit"], {}), **line} for line in lines]
    part = {**body, "lines": goods}
    return part if quantities(part) == quantities(body) else {**part, "total": None}


def named(body: Posting, found: Mapping[str, Told]) -> Posting:
    """The posting with what is known of its goods by their units, {name?, article?}, where its own lines do not tell:
    in what events show, also those that are not yet told."""
    lines = [line for line in body["lines"][:MOST_LINES] if line["unit"] in found]
    news = {line["unit"]: _lacking(line, found[line["unit"]]) for line in lines}
    fresh = {unit: facts for unit, facts in news.items() if facts and unit not in (body.get("named") or {})}
    if not fresh:
        return body
    tell = [{**event, "order": _with_names(event["order"], fresh)} for event in body["tell"]]
    return {**body, "named": {**(body.get("named") or {}), **fresh}, "tell": tell}


def _lacking(line: Told, known: Told) -> dict[str, str]:
    return {name: str(known[name]) for name in GOODS if known.get(name) and not line.get(name)}


def _with_names(order: Told, known: Mapping[str, Told]) -> dict[str, Any]:
    lines = [{**_short(known.get(line["unit"], {})), **line} for line in order["lines"]]
    return {**order, "lines": fitting(lines)}


def line_of(body: Posting, line: Line) -> Line:
    """A line with what else is known of its goods."""
    return {**(body.get("named") or {}).get(line["unit"], {}), **line}


def fitting(lines: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """As many of these lines as an event tells: the first ones, so that it has room for two such lists."""
    sizes = accumulate(len(json.dumps(line, ensure_ascii=False).encode()) + 1 for line in lines[:MOST_LINES])
    return [line for line, size in zip(lines, sizes, strict=False) if size <= LARGEST_LINES]


def shown(body: Posting) -> dict[str, Any]:
    """A posting as events show it."""
    lines = [goods_of(body, line) for line in body["lines"][:MOST_LINES]]
    order = {
        "number": body["number"],
        "status": body["status"],
        "lines": fitting([line for line in lines if line["unit"]]),
    }
    order |= {"ship_by": body["ship_by"]} if body.get("ship_by") else {}
    if body.get("total") is None or not body.get("currency"):
        return order
    return order | {"total": {"amount": body["total"], "currency": body["currency"]}}


def goods_of(body: Posting, line: Line) -> Line:
    """A line as events show it: {unit, name?, article?, quantity}."""
    known = line_of(body, line)
    return {"unit": line["unit"]} | _short({name: known[name] for name in (*GOODS, "quantity") if name in known})


def _short(facts: Told) -> dict[str, Any]:
    """Names as long as an event has room for."""
    return {name: fact[: GOODS[name]] if name in GOODS else fact for name, fact in facts.items()}
