"""The marketplaces' page: what buyers see of each article at every twin, what the shop
has of it, their orders, and what the staff heard."""

from typing import Any

from infra.world import marketplaces
from infra.world.cabinets import Cabinet
from infra.world.world import World
from vestnik import marketplaces as known

ORDERS_SHOWN, TOLD_SHOWN = 25, 15


def facts(world: World) -> dict[str, Any]:
    """What the page shows: cabinets by marketplace, a row for each article, and the newest orders."""
    articles = sorted({article for one in world.cabinets for article in one.cards})
    names = {article: name for one in world.cabinets for article, name in one.cards.items()}
    stock = {one["item"]: one for one in marketplaces.every(world, "stock")} if world.cabinets else {}
    return {
        "columns": [_column(one) for one in world.cabinets],
        "rows": [_row(world, article, names[article], stock.get(article)) for article in articles],
        "orders": _orders(world),
        "told": _told(world),
    }


def _column(cabinet: Cabinet) -> dict[str, str]:
    market = known.shipped(cabinet.marketplace)
    title = cabinet.name.removeprefix(market.title).strip(" ,") or cabinet.account
    return {"market": market.title, "title": title, "colour": str(market.body.get("colour", "#5b6675"))}


def _row(world: World, article: str, name: str, stock: dict[str, Any] | None) -> dict[str, Any]:
    numbers = [one.counter.shows(article) if article in one.cards else None for one in world.cabinets]
    told = {key: stock[key] if stock else None for key in ("on_hand", "held", "available")}
    return {"article": article, "name": name, "numbers": numbers, **told}


def _orders(world: World) -> list[dict[str, Any]]:
    """The newest orders as the twins have them, each with our word for where it stands."""
    found = [
        {**one, "account": cabinet.account, "name": cabinet.name, "colour": _column(cabinet)["colour"]}
        for cabinet in world.cabinets
        for one in cabinet.counter.orders()
    ]
    newest = sorted(found, key=lambda one: (one["at"], one["number"]), reverse=True)[:ORDERS_SHOWN]
    return [{**one, "clock": f"{one['at']:%H:%M:%S}", **_ours(world, one)} for one in newest]


def _told(world: World) -> list[dict[str, Any]]:
    """What the staff heard of the accounts lately: {number, clock, text}."""
    names = [one.name for one in world.cabinets]
    heard = [
        {"number": number, "clock": item["at"][11:19], "text": " ".join(item["text"].split())}
        for number, item in enumerate(world.outbox)
        if item["channel"] == "telegram" and any(name in item["text"] for name in names)
    ]
    return heard[: -TOLD_SHOWN - 1 : -1]


def _ours(world: World, order: dict[str, Any]) -> dict[str, Any]:
    answer = world.request("GET", f"/v1/marketplace-orders/{order['account']}:{order['number']}")
    if answer.status != 200:
        return {"ours": "not read yet", "held_up": None}
    told = answer.json()
    return {"ours": told["status"], "held_up": told["held_up"]}
