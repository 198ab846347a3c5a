"""How the accounts fare, for the table at the end of a play and for a page: asked of the API, and of the twins."""

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from infra.world import marketplaces
from infra.world.cabinets import Cabinet
from infra.world.world import World


@dataclass(frozen=True, slots=True)
class Row:
    """An account. `orders`: how many by status; `shown`: the numbers that its marketplace shows by our writing;
    `drift`: how many of these are not what they should be; `alerts`: messages to staff that name the account."""

    cabinet: Cabinet
    products: int
    linked: int
    orders: Counter[str]
    shown: int
    drift: int
    alerts: int


def rows(world: World) -> list[Row]:
    """A row for each account that is connected, by the API's own word."""
    pairs = _pairs(world)
    orders: dict[str, Counter[str]] = {}
    for one in marketplaces.every(world, "marketplace-orders"):
        orders.setdefault(one["account"], Counter())[one["status"]] += 1
    return [_row(world, cabinet, pairs, orders.get(cabinet.account, Counter())) for cabinet in world.cabinets]


def _row(world: World, cabinet: Cabinet, pairs: list[dict[str, Any]], orders: Counter[str]) -> Row:
    units = list(marketplaces.every(world, f"products?account={cabinet.account}"))
    articles = {one["unit"]: one["article"] for one in units}
    mine = [one for one in pairs if one["account"] == cabinet.account]
    wrong = [one for one in mine if one["desired"] != cabinet.counter.shows(articles[one["unit"]])]
    told = sum(1 for item in world.outbox if item["channel"] == "telegram" and cabinet.name in item["text"])
    linked = sum(1 for one in units if one["link"])
    return Row(cabinet, len(units), linked, orders, sum(one["sent"] is not None for one in mine), len(wrong), told)


def _pairs(world: World) -> list[dict[str, Any]]:
    """What each unit of each account should show, and was sent: {account, unit, desired, sent}."""
    items = [one["item"] for one in marketplaces.every(world, "stock")]
    return [pair for item in items for pair in _of_item(marketplaces.ask(world, "GET", f"stock/{item}"))]


def _of_item(item: dict[str, Any]) -> Iterator[dict[str, Any]]:
    for unit in item["units"]:
        for place in unit["warehouses"]:
            numbers = {name: place[name] for name in ("desired", "sent")}
            yield {"account": unit["account"], "unit": unit["unit"], **numbers}
