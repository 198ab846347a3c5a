"""Marketplaces in the local world: cabinets on the twins, connected as a user does it; and buyers.

A plan (examples/marketplaces.json) tells the goods, the accounts and what happens when. Everything that the shop does
goes through the API; what buyers do happens at the twins.
"""

import hashlib
import json
import random
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

from infra.world.cabinets import Cabinet, opened
from infra.world.world import World
from vestnik.marketplaces import shipped

WAREHOUSE = "main"
EVERY = timedelta(seconds=45)
KEY = "local-key"
PAGE = 100
GOODS = {
    "TEA-ASSAM-250": ("Assam tea, 250 g", 40),
    "TEA-SENCHA-100": ("Sencha, 100 g", 12),
    "POT-GLASS-08": ("Glass teapot, 0.8 l", 6),
    "CUP-SET-6": ("Six cups", 9),
    "SAMOVAR-3L": ("Samovar, 3 l", 3),
    "HONEY-500": ("Lime honey, 500 g", 25),
}

type Plan = Mapping[str, Any]


class Failed(Exception):
    """The API answered what was not expected."""


def small(world: World, each: int = 2) -> dict[str, Any]:
    """A plan without happenings: `each` accounts at every marketplace that has a twin, all selling all goods."""
    cards = [{"article": item, "name": name} for item, (name, _) in GOODS.items()]
    stock = [{"item": item, "name": name, "barcode": "", "quantity": n} for item, (name, n) in GOODS.items()]
    accounts = [
        {"account": f"{name}-{n}", "marketplace": name, "name": f"{shipped(name).title} {n}", "cards": cards}
        for name in sorted(world.markets)
        for n in range(1, each + 1)
    ]
    return {"stock": stock, "accounts": accounts, "happenings": []}


def open_all(world: World, plan: Plan) -> list[Cabinet]:
    """Open the plan's cabinets at their twins; the shop does not know of them yet."""
    found = [
        opened(world.markets, one["account"], one["marketplace"], one["name"], one["cards"]) for one in plan["accounts"]
    ]
    world.cabinets += found
    return found


def seed(world: World, plan: Plan | None = None, *, connect: bool = True) -> list[Cabinet]:
    """Open a plan's cabinets, tell the goods' stock, and bring the cabinets in. Raises Failed."""
    plan = plan or small(world)
    cabinets = open_all(world, plan)
    tell(world, plan["stock"])
    bring_in(world, cabinets, connect=connect)
    return cabinets


def bring_in(world: World, cabinets: list[Cabinet], *, connect: bool = True) -> None:
    """Write, check, import, link, look at and connect an account of each cabinet. Raises Failed."""
    for cabinet in cabinets:
        _account(world, cabinet)
    world.settle()
    for cabinet in cabinets:
        ask(world, "POST", "links/auto", {"account": cabinet.account})
        if connect:
            ask(world, "POST", f"accounts/{cabinet.account}/connect", {"dry": True})
    world.settle()
    for cabinet in cabinets if connect else ():
        _connect(world, cabinet)
    world.settle()


def tell(world: World, stock: Iterable[Mapping[str, Any]]) -> None:
    """Describe the goods, and tell how many there are: what is left after the shop's own reservations."""
    told = list(stock)
    for one in told:
        codes = [one["barcode"]] if one.get("barcode") else []
        ask(world, "PUT", "items", {"item": one["item"], "name": one["name"], "barcodes": codes})
    rows = [{"item": one["item"], "warehouse": WAREHOUSE, "quantity": one["quantity"], "kind": "free"} for one in told]
    ask(world, "PUT", "stock", {"rows": rows})


def _account(world: World, cabinet: Cabinet) -> None:
    told = {"marketplace": cabinet.marketplace, "name": cabinet.name, "settings": cabinet.settings}
    answer = ask(world, "PUT", f"accounts/{cabinet.account}", {**told, "credentials": cabinet.credentials})
    if not answer["check"]["ok"]:
        raise Failed(f"{cabinet.account}: the credentials were not taken: {answer['check']}")
    ask(world, "POST", "products/import", {"account": cabinet.account})


def _connect(world: World, cabinet: Cabinet) -> None:
    """Connect where the dry run has shown that nothing waits for a person."""
    report = ask(world, "GET", f"accounts/{cabinet.account}/health")["flows"]["dry"].get("report")
    if not report or report["would_wait"]:
        raise Failed(f"{cabinet.account}: the dry run shows that a person should look: {report}")
    ask(world, "POST", f"accounts/{cabinet.account}/connect", {})


def ask(world: World, method: str, path: str, body: Any = None) -> Any:
    """Ask the API with the demo shop's key; its answer. Raises Failed."""
    digest = hashlib.sha256(json.dumps(body).encode()).hexdigest()
    once = {"idempotency-key": f"{path} {world.now().isoformat()} {digest}"} if method == "POST" else {}
    answer = world.request(method, f"/v1/{path}", key=KEY, headers=once, body=body)
    if answer.status >= 300:
        raise Failed(f"{method} {path}: {answer.status} {answer.text[:300]}")
    return answer.json() if answer.text else None


def every(world: World, path: str) -> Iterator[dict[str, Any]]:
    """All items of a list of the API."""
    cursor, join = "", "&" if "?" in path else "?"
    while True:
        page = ask(world, "GET", f"{path}{join}limit={PAGE}" + (f"&cursor={cursor}" if cursor else ""))
        yield from page["items"]
        cursor = page.get("next") or ""
        if not cursor:
            return


@dataclass(slots=True)
class Timetable:
    """What happens on the marketplaces, and when: first they are connected, then each happening in its time."""

    world: World
    plan: Plan
    cabinets: list[Cabinet] = field(default_factory=list)
    numbers: dict[str, tuple[str, str]] = field(default_factory=dict)
    """The plan's orders: account and number."""
    done: int = 0
    turned_away: int = 0

    def due(self, until: datetime) -> Iterator[tuple[datetime, Callable[[], None]]]:
        """What is to be done up to a time, in order; it is done when the caller calls it."""
        if not self.cabinets and datetime.fromisoformat(self.plan["connect"]) <= until:
            yield datetime.fromisoformat(self.plan["connect"]), self._connect
        while self.done < len(self.plan["happenings"]):
            one = self.plan["happenings"][self.done]
            at = datetime.fromisoformat(one["at"])
            if at > until:
                return
            self.done += 1
            yield at, lambda one=one: self._happens(one)  # type: ignore[misc]

    def _connect(self) -> None:
        self.cabinets = seed(self.world, self.plan)

    def _happens(self, one: Mapping[str, Any]) -> None:
        if one["what"] == "buys":
            return self._buys(one)
        if one["order"] not in self.numbers:
            return None  # there were none left to buy
        account, number = self.numbers[one["order"]]
        if one["what"] in ("cancels", "is_taken"):
            counter = self._cabinet(account).counter
            return counter.cancel(number) if one["what"] == "cancels" else counter.take(number)
        body = {"status": {"packs": "packed", "hands_over": "handed_over"}[one["what"]]}
        ask(self.world, "POST", f"marketplace-orders/{account}:{number}/status", body)
        return None

    def _buys(self, one: Mapping[str, Any]) -> None:
        number = self._cabinet(one["account"]).counter.sell(one["article"], one["quantity"])
        if number is None:
            self.turned_away += 1
        else:
            self.numbers[one["order"]] = one["account"], number

    def _cabinet(self, account: str) -> Cabinet:
        return next(one for one in self.cabinets if one.account == account)


class Buyers:
    """Buyers who order now and then, at any of the cabinets, while the world's clock runs on."""

    def __init__(self, world: World, cabinets: list[Cabinet], seed: int = 1, every: timedelta = EVERY) -> None:
        self.world, self.cabinets, self.every = world, cabinets, every
        self.random = random.Random(seed)
        self.orders: list[str] = []
        self.turned_away = 0

    def begin(self) -> None:
        """Let the first one come, and the next after each."""
        with self.world.lock:
            self.world.engine.later(self.every, self._come, flying=False)

    def _come(self) -> None:
        cabinet = self.random.choice(self.cabinets)
        number = cabinet.counter.sell(self.random.choice(sorted(cabinet.cards)), self.random.choice((1, 1, 1, 2)))
        if number is None:
            self.turned_away += 1
        else:
            self.orders.append(f"{cabinet.account}:{number}")
        self.begin()
