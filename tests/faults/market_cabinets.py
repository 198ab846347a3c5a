"""Cabinets at the marketplaces' twins: opened with a few cards, and what differs between them."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from infra.twins.feed import FeedTwin
from infra.twins.ozon import Ozon
from infra.twins.wildberries import Wildberries
from infra.twins.yandex_market import YandexMarketTwin

LINKED, UNLINKED = ("TEA", "POT"), "CARD"
CARDS = (*LINKED, UNLINKED)
FIRST_WB = 50_000_001
TOKEN = "feed-one"  # noqa: S105


@dataclass(frozen=True, slots=True)
class Cabinet:
    """A cabinet at a twin: what an account of it is told, where its stock is written, and its words for our units."""

    marketplace: str
    warehouse: str
    credentials: Mapping[str, str]
    settings: Mapping[str, Any]
    units: Mapping[str, str]


def _ozon(twin: Any) -> Cabinet:
    assert isinstance(twin, Ozon)
    made = twin.add_account("100", "key-1")
    for item in CARDS:
        made.add_product(item, name=item, stock=5)
    keys = {"client_id": made.client_id, "api_key": made.api_key}
    return Cabinet("ozon", str(next(iter(made.warehouses))), keys, {}, _named(str))


def _wildberries(twin: Any) -> Cabinet:
    assert isinstance(twin, Wildberries)
    twin.add_warehouse(101)
    ids = {item: FIRST_WB + n for n, item in enumerate(CARDS)}
    for item, unit in ids.items():
        twin.add_product(unit, f"wb-{item}", item, f"46000000{unit % 100:04d}")
        twin.set_stock(unit, 101, 5)
    units = {item: str(unit) for item, unit in ids.items()}
    return Cabinet(
        "wildberries", "101", {"token": twin.token}, {"token_type": "personal", "shipping_point": 100}, units
    )


def _yandex(twin: Any) -> Cabinet:
    assert isinstance(twin, YandexMarketTwin)
    made = twin.add_account()
    for item in CARDS:
        made.add_product(item, name=item, stock=5)
    place = next(iter(made.warehouses))
    told = {"business": made.business, "campaign": next(iter(made.campaigns))}
    return Cabinet("yandex_market", str(place), {"api_key": made.key}, told, _named(str))


def _feed(twin: Any) -> Cabinet:
    assert isinstance(twin, FeedTwin)
    twin.add_account(TOKEN)
    for item in CARDS:
        twin.add_product(item, name=item, stock=5)
    return Cabinet("feed", "shop", {"token": TOKEN}, {}, _named(str))


def _named(unit: Callable[[str], str]) -> dict[str, str]:
    return {item: unit(item) for item in CARDS}


OPEN: dict[str, tuple[str, Callable[[Any], Cabinet]]] = {
    "ozon": ("oz", _ozon),
    "wildberries": ("wb", _wildberries),
    "yandex_market": ("ym", _yandex),
    "feed": ("fd", _feed),
}


def written(marketplace: str, body: Any) -> list[tuple[str, int]]:
    """The (unit, number) rows of a call that writes stock."""
    rows: dict[str, Callable[[], list[tuple[str, int]]]] = {
        "ozon": lambda: [(r["offer_id"], r["stock"]) for r in body["stocks"]],
        "wildberries": lambda: [(str(r["chrtId"]), r["amount"]) for r in body["stocks"]],
        "yandex_market": lambda: [(r["sku"], r["count"]) for r in body["skuItems"]],
        "feed": lambda: [(r["sku"], r["quantity"]) for r in body["stock"]],
    }
    return rows[marketplace]()


def is_write(marketplace: str, method: str, path: str) -> bool:
    """Whether a call writes stock."""
    ways = {
        "ozon": ("POST", "/v2/products/stocks"),
        "wildberries": ("PUT", "/api/v3/stocks/"),
        "yandex_market": ("POST", "/offers/stocks/update"),
        "feed": ("PUT", "/stock"),
    }
    how, part = ways[marketplace]
    return method == how and part in path


def carriers_come(twins: Mapping[str, Any]) -> None:
    """Every marketplace's carrier takes what was handed over."""
    for made in twins["ozon"].accounts.values():
        for id in [id for id, carriage in made.carriages.items() if carriage.status == "formed"]:
            twins["ozon"].take_carriage(id, account=made.client_id)
    for number, order in twins["wildberries"].orders.items():
        if order.supplier == "complete":
            twins["wildberries"].advance(number, "complete/sorted")
    for cabinet in twins["yandex_market"].accounts.values():
        for id in [id for id, shipment in cabinet.shipments.items() if shipment.status == "OUTBOUND_CONFIRMED"]:
            cabinet.collect(id)


def handed(twins: Mapping[str, Any]) -> dict[str, list[tuple[str, list[str]]]]:
    """What was made to hand goods over, by marketplace: [(status, numbers in it)]; each is to be made once."""
    carriages = [c for made in twins["ozon"].accounts.values() for c in made.carriages.values()]
    sellers = twins["wildberries"].sellers.values()
    supplies = [(seller, supply) for seller in sellers for supply in seller.supplies.values()]
    shipments = [one for made in twins["yandex_market"].accounts.values() for one in made.shipments.values()]
    return {
        "ozon": sorted((one.status, sorted(one.numbers)) for one in carriages),
        "wildberries": sorted(
            ("closed" if supply.closed else "open", sorted(str(order.id) for order in seller.inside(supply)))
            for seller, supply in supplies
        ),
        "yandex_market": sorted((one.status, sorted(map(str, one.orders))) for one in shipments),
    }
