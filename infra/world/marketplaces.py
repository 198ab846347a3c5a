"""Two accounts at every marketplace for the demo shop, opened on the twins and connected as a user does it; and buyers.

Goods are the shop's; each account sells some of them, so that one item is for sale in several places.
"""

import hashlib
import json
import random
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any

from infra.twins.feed import FeedTwin
from infra.twins.ozon import Ozon
from infra.twins.wildberries import Wildberries
from infra.twins.yandex_market import YandexMarketTwin
from infra.world.world import World

GOODS = {
    "TEA-ASSAM-250": ("Assam tea, 250 g", 40),
    "TEA-SENCHA-100": ("Sencha, 100 g", 12),
    "POT-GLASS-08": ("Glass teapot, 0.8 l", 6),
    "CUP-SET-6": ("Six cups", 9),
    "SAMOVAR-3L": ("Samovar, 3 l", 3),
    "HONEY-500": ("Lime honey, 500 g", 25),
}
WAREHOUSE = "main"
ACCOUNTS_EACH = 2
EVERY = timedelta(seconds=30)
KEY = "local-key"
FIRST_UNIT = 50_000_000

type Sell = Callable[[str, int], str | None]


@dataclass(slots=True)
class Cabinet:
    """A cabinet at a twin: the account's id here, what it signs in with, and how a buyer orders an item there."""

    account: str
    credentials: dict[str, str]
    sell: Sell
    settings: dict[str, Any] = field(default_factory=dict)


class Failed(Exception):
    """The API answered what was not expected."""


def seed(world: World, goods: dict[str, tuple[str, int]] | None = None, *, connect: bool = True) -> list[Cabinet]:
    """Tell the goods' stock, open two cabinets at each twin, and write, import, link and connect an account of each.
    Raises Failed."""
    goods = goods or GOODS
    _tell(world, goods)
    cabinets = [
        OPEN[name](world.markets[name], f"{name}-{n}", n, goods)
        for name in sorted(world.markets)
        if name in OPEN
        for n in range(1, ACCOUNTS_EACH + 1)
    ]
    for cabinet in cabinets:
        _account(world, cabinet)
    world.settle()
    for cabinet in cabinets:
        _ask(world, "POST", "links/auto", {"account": cabinet.account})
        if connect:
            _ask(world, "POST", f"accounts/{cabinet.account}/connect", {})
    world.settle()
    return cabinets


def _tell(world: World, goods: dict[str, tuple[str, int]]) -> None:
    for item, (name, _) in goods.items():
        _ask(world, "PUT", "items", {"item": item, "name": name, "barcodes": [_barcode(item, goods)]})
    rows = [{"item": item, "warehouse": WAREHOUSE, "quantity": stock} for item, (_, stock) in goods.items()]
    _ask(world, "PUT", "stock", {"rows": rows})


def _account(world: World, cabinet: Cabinet) -> None:
    marketplace, _, number = cabinet.account.rpartition("-")
    told = {"marketplace": marketplace, "name": f"{marketplace.replace('_', ' ').capitalize()} {number}"}
    body = {**told, "settings": cabinet.settings, "credentials": cabinet.credentials}
    _ask(world, "PUT", f"accounts/{cabinet.account}", body)
    _ask(world, "POST", "products/import", {"account": cabinet.account})


def _ask(world: World, method: str, path: str, body: Any) -> Any:
    digest = hashlib.sha256(json.dumps(body).encode()).hexdigest()
    once = {"idempotency-key": f"{path} {world.now().isoformat()} {digest}"}
    answer = world.request(method, f"/v1/{path}", key=KEY, headers=once, body=body)
    if answer.status >= 300:
        raise Failed(f"{method} {path}: {answer.status} {answer.text[:300]}")
    return answer.json()


def _barcode(item: str, goods: dict[str, tuple[str, int]]) -> str:
    return f"460000000{list(goods).index(item):04d}"


def _ozon(twin: Any, account: str, n: int, goods: dict[str, tuple[str, int]]) -> Cabinet:
    assert isinstance(twin, Ozon)
    made = twin.add_account(f"{1000 + n}", f"ozon-local-{n}")
    for item, (name, _) in goods.items():
        made.add_product(item, name=name)
    keys = {"client_id": made.client_id, "api_key": made.api_key}
    return Cabinet(account, keys, lambda item, quantity: made.sell(item, quantity))


def _wildberries(twin: Any, account: str, n: int, goods: dict[str, tuple[str, int]]) -> Cabinet:
    """WB's unit is a number of its own, so its cards are found by their barcodes."""
    assert isinstance(twin, Wildberries)
    token = twin.add_seller(account)
    twin.add_warehouse(100 + n, account=account)
    units = {item: FIRST_UNIT + n * 1000 + place for place, item in enumerate(goods)}
    for item, unit in units.items():
        twin.add_product(unit, f"wb-{item}", goods[item][0], _barcode(item, goods), account=account)

    def sell(item: str, quantity: int) -> str | None:
        return twin.sell(units[item], quantity, account=account)

    return Cabinet(account, {"token": token}, sell, {"token_type": "personal"})


def _yandex(twin: Any, account: str, n: int, goods: dict[str, tuple[str, int]]) -> Cabinet:
    assert isinstance(twin, YandexMarketTwin)
    made = twin.add_account(f"yandex-local-{n}", 7000 + n, f"Cabinet {n}", fbs=21000 + n)
    for item, (name, _) in goods.items():
        made.add_product(item, name=name)
    settings = {"business": made.business, "campaign": 21000 + n}
    return Cabinet(account, {"api_key": made.key}, lambda item, quantity: made.sell(item, quantity), settings)


def _feed(twin: Any, account: str, n: int, goods: dict[str, tuple[str, int]]) -> Cabinet:
    assert isinstance(twin, FeedTwin)
    token = f"feed-local-{n}"
    twin.add_account(token)
    for item, (name, _) in goods.items():
        twin.add_product(item, name=name, account=token)
    return Cabinet(account, {"token": token}, lambda item, quantity: twin.sell(item, quantity, account=token))


OPEN: dict[str, Callable[[Any, str, int, dict[str, tuple[str, int]]], Cabinet]] = {
    "ozon": _ozon,
    "wildberries": _wildberries,
    "yandex_market": _yandex,
    "feed": _feed,
}


class Buyers:
    """Buyers who order now and then, at any of the cabinets, while the world's clock runs on."""

    def __init__(self, world: World, cabinets: list[Cabinet], seed: int = 1) -> None:
        self.world, self.cabinets = world, cabinets
        self.random = random.Random(seed)
        self.orders: list[str] = []
        self.turned_away = 0

    def begin(self) -> None:
        """Let the first one come, and the next after each."""
        self.world.engine.later(EVERY, self._come, flying=False)

    def _come(self) -> None:
        cabinet = self.random.choice(self.cabinets)
        number = cabinet.sell(self.random.choice(list(GOODS)), self.random.choice((1, 1, 1, 2)))
        if number is None:
            self.turned_away += 1
        else:
            self.orders.append(f"{cabinet.account}:{number}")
        self.begin()
