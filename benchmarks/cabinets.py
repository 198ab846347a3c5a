"""Accounts for measurements: a cabinet at a twin, the account that works it, and as many goods as are wanted."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

from benchmarks.offline import START, Offline
from infra.twins.market import MarketTwin
from vestnik.domain.market.accounts import Account, account
from vestnik.store import dynamo, keys, runs, secrets, settings

SHOP = "bench"
SHOPS_WAREHOUSE = "main"
AS_OF = "2026-11-20T00:00:00+00:00"
ONE = {"N": "1"}

type Typed = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Cabinet:
    """An account and its twin. `show(unit)`: what buyers see; `sell(unit)`: a buyer orders one, None where none is
    shown; `unit(n)`: how its marketplace calls the n-th thing."""

    account: Account
    warehouse: str
    unit: Callable[[int], str]
    add: Callable[[str, int], Any]
    show: Callable[[str], int]
    sell: Callable[[str], str | None]
    twin: MarketTwin


def opened(world: Offline, marketplace: str, id: str = "") -> Cabinet:
    """A connected account with one warehouse and nothing in it."""
    return MADE[marketplace](world.twins[marketplace], id or marketplace)


def _account(marketplace: str, id: str, warehouse: str, told: dict[str, Any], secret: dict[str, str]) -> Account:
    body = {
        "marketplace": marketplace,
        "name": id,
        "state": "connected",
        "settings": told,
        "schemes": ["FBS"],
        "warehouses": [{"id": warehouse, "name": "Main", "scheme": "FBS", "takes": [SHOPS_WAREHOUSE], "active": True}],
        "connected_at": START.isoformat(),
    }
    secrets.put_account_secret(SHOP, id, secret)
    settings.put(SHOP, "account", id, body, by="bench", now=START)
    runs.put(SHOP, id, "stock", above=0)
    return account(SHOP, id, body)


def _ozon(twin: Any, id: str) -> Cabinet:
    secret = {"client_id": f"{1000 + len(twin.accounts)}", "api_key": f"key-of-{id}"}
    cabinet = twin.add_account(secret["client_id"], secret["api_key"])
    warehouse = str(next(iter(cabinet.warehouses)))
    return Cabinet(
        _account("ozon", id, warehouse, {}, secret),
        warehouse,
        lambda n: f"T-{n:07}",
        lambda unit, stock: cabinet.add_product(unit, unit, unit, stock=stock),
        lambda unit: int(cabinet.stock_of(unit)),
        lambda unit: cabinet.sell(unit),
        twin,
    )


def _wildberries(twin: Any, id: str) -> Cabinet:
    token, warehouse = twin.add_seller(id), str(700_000 + len(twin.sellers))
    twin.add_warehouse(warehouse, account=id)

    def add(unit: str, stock: int) -> None:
        twin.add_product(unit, f"A-{unit}", f"A-{unit}", f"20{unit}", account=id)
        twin.set_stock(unit, warehouse, stock, account=id)

    return Cabinet(
        _account("wildberries", id, warehouse, {"token_type": "personal"}, {"token": token}),
        warehouse,
        lambda n: str(10_000_000 + n),
        add,
        lambda unit: int(twin.stock_of(unit, warehouse, account=id)),
        lambda unit: twin.sell(unit, 1, warehouse, account=id),
        twin,
    )


def _yandex(twin: Any, id: str) -> Cabinet:
    key = f"key-of-{id}"
    cabinet = twin.add_account(key)
    warehouse = str(next(iter(cabinet.warehouses)))
    told = {"business": cabinet.business, "campaign": next(iter(cabinet.campaigns))}
    return Cabinet(
        _account("yandex_market", id, warehouse, told, {"api_key": key}),
        warehouse,
        lambda n: f"T-{n:07}",
        lambda unit, stock: cabinet.add_product(unit, unit, unit, stock=stock),
        lambda unit: int(cabinet.stock_of(unit)),
        lambda unit: cabinet.sell(unit),
        twin,
    )


MADE: dict[str, Callable[[Any, str], Cabinet]] = {
    "ozon": _ozon,
    "wildberries": _wildberries,
    "yandex_market": _yandex,
}


def stock_up(world: Offline, cabinet: Cabinet, count: int, stock: int = 9, *, at_the_twin: bool = True) -> list[str]:
    """Let the cabinet sell `count` things of which there are `stock` each, as last sent; their units. The n-th is the
    shop's item `T-<n>`. Written straight into the tables: how goods come in is not what is measured."""
    names, table = [cabinet.unit(n) for n in range(count)], world.database.table("goods")
    sent = dynamo.wire({cabinet.warehouse: {"q": stock, "at": AS_OF}})
    number = dynamo.wire({"q": stock, "kind": "physical", "as_of": AS_OF})
    for n, unit in enumerate(names):
        if at_the_twin:
            cabinet.add(unit, stock)
        for row in _rows(cabinet.account.id, unit, item(n), sent, number):
            table.put(row)
    runs.put(SHOP, cabinet.account.id, "stock", above=count)
    return names


def item(n: int) -> str:
    """What the shop calls the n-th thing."""
    return f"T-{n:07}"


def _rows(account: str, unit: str, item: str, sent: Typed, number: Typed) -> Iterator[Typed]:
    """A unit, what it was sent, and its item, as DynamoDB types them; what is the same in all is shared."""
    shard = keys.shard(unit)
    part = {"M": {"item": {"S": item}, "quantity": ONE, "priority": ONE}}
    link = {"M": {"mode": {"S": "kit"}, "parts": {"L": [part]}}}
    product = {"S": f"{1000 + shard}"}
    yield {**_place(keys.unit(SHOP, account, shard), unit), "article": {"S": item}, "product": product, "link": link}
    yield {**_place(keys.sent(SHOP, account, shard), unit), "n": ONE, "w": sent}
    links = {"SS": [f"{account}|{unit}"]}
    place = _place(keys.item(SHOP, keys.shard(item)), item)
    yield {**place, f"stock/{SHOPS_WAREHOUSE}": number, "stock": {"SS": [SHOPS_WAREHOUSE]}, "links": links}


def _place(pk: str, sk: str) -> Typed:
    return {"pk": {"S": pk}, "sk": {"S": sk}, "v": ONE}


def link_all(world: Offline, links: dict[str, set[str]]) -> None:
    """Let items be linked to units of several accounts: "account|unit" by item."""
    table = world.database.table("goods")
    for item, units_ in links.items():
        pk = keys.item(SHOP, keys.shard(item))
        table.put({**table.items[pk][item], "links": dynamo.wire(units_)})
