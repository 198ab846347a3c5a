"""The example shop on marketplaces: its goods there, its accounts, and an hour of buyers, packers and second thoughts.

All of it is told for the end of the example day, when the marketplaces are connected.
"""

import json
import random
from datetime import UTC, datetime, timedelta
from typing import Any

from examples.words import GOODS

type Fields = dict[str, Any]

CONNECT = datetime(2026, 11, 21, 5, 36, tzinfo=UTC)
SEED = 20261121
BUYERS = 9
PLENTY = (24, 60)
SCARCE = {"SAM-BRASS-3": 2, "POT-IRON-10": 5, "TEA-PUER-357": 4}
WANTED = ("CUP-SET-6", "HON-LINDEN-500", "POT-IRON-10", "TEA-ASSAM-250")
UNLINKED: Fields = {"article": "GIFT-BOX-1", "name": "Подарочная коробка", "quantity": 4}
"""A card that stands for nothing among the shop's items: an order of it waits for a link."""
ACCOUNTS = (
    ("ozon-main", "ozon", "Ozon, main"),
    ("ozon-outlet", "ozon", "Ozon, outlet"),
    ("wb-main", "wildberries", "Wildberries, main"),
    ("wb-outlet", "wildberries", "Wildberries, outlet"),
    ("yandex-main", "yandex_market", "Yandex Market, main"),
    ("yandex-outlet", "yandex_market", "Yandex Market, outlet"),
)


def make(seed: int = SEED) -> Fields:
    """{connect, stock, accounts, happenings}: what there is, where it is sold, and what happens then, by time."""
    chance = random.Random(seed)
    stock = [_stock(place, sku, chance) for place, sku in enumerate(sorted(GOODS))]
    return {
        "connect": _text(CONNECT),
        "stock": stock,
        "accounts": [_account(*one, chance) for one in ACCOUNTS],
        "happenings": _happenings(chance),
    }


def _stock(place: int, sku: str, chance: random.Random) -> Fields:
    quantity = SCARCE.get(sku) or chance.randrange(*PLENTY)
    return {"item": sku, "name": GOODS[sku][1], "barcode": f"460000000{place:04d}", "quantity": quantity}


def _account(id: str, marketplace: str, name: str, chance: random.Random) -> Fields:
    """An outlet sells a part of the goods; of one account a card belongs to nothing."""
    sells = sorted(GOODS) if id.endswith("main") else sorted({*WANTED, *chance.sample(sorted(GOODS), 5)})
    cards = [{"article": sku, "name": GOODS[sku][1], "quantity": 5, "price": GOODS[sku][4] * 100} for sku in sells]
    extra = [UNLINKED | {"price": 49_000}] if id == "ozon-main" else []
    return {"account": id, "marketplace": marketplace, "name": name, "cards": cards + extra}


def _happenings(chance: random.Random) -> list[Fields]:
    """Buyers at every account; then what becomes of the first of their orders."""
    at, found = CONNECT + timedelta(minutes=2), list[Fields]()
    for number in range(BUYERS):
        account = ACCOUNTS[number % len(ACCOUNTS)][0]
        article = "POT-IRON-10" if number in (1, 5, 8) else chance.choice(WANTED[:2] + WANTED[3:])
        found.append(_buys(at, number + 1, account, article, 2 if number % 5 == 1 else 1))
        at += timedelta(seconds=chance.randrange(30, 70))
    found.append(_buys(at, BUYERS + 1, "ozon-main", UNLINKED["article"], 1))
    return sorted([*found, *_worked()], key=lambda one: (one["at"], one["what"]))


def _buys(at: datetime, number: int, account: str, article: str, quantity: int) -> Fields:
    told = {"account": account, "article": article, "quantity": quantity}
    return {"at": _text(at), "what": "buys", "order": f"b{number}", **told}


def _worked() -> list[Fields]:
    """The first three orders of the main accounts are packed, two of them handed over and taken; another is called
    off by its buyer."""
    steps = [(12, "packs", ["b1", "b3", "b5"]), (13, "cancels", ["b4"])]
    steps += [(14, "hands_over", ["b1", "b3"]), (17, "is_taken", ["b1", "b3"])]
    return [
        {"at": _text(CONNECT + timedelta(minutes=minutes)), "what": what, "order": order}
        for minutes, what, orders in steps
        for order in orders
    ]


def _text(at: datetime) -> str:
    return at.strftime("%Y-%m-%dT%H:%M:%SZ")


def text(told: Fields) -> str:
    """marketplaces.json: one thing a line."""
    parts = [f'"connect": {json.dumps(told["connect"])}']
    for name in ("stock", "accounts", "happenings"):
        lines = ",\n".join(f"  {json.dumps(row, ensure_ascii=False)}" for row in told[name])
        parts.append(f'"{name}": [\n{lines}\n]')
    return "{" + ",\n".join(parts) + "}\n"
