"""A small shop with an account at each of some marketplaces, connected and in step: where the market's cycles play."""

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any

from infra.world import World
from infra.world.faults import none
from tests.faults.market_cabinets import LINKED, OPEN, Cabinet, carriers_come
from vestnik import resources
from vestnik.domain.market import postings as rules
from vestnik.flows import accounts, connecting, stock_keep
from vestnik.store import goods, items, secrets, settings, units
from vestnik.store import postings as kept

SHOP, WAREHOUSE, TRIES = "demo", "main", 8
AT_FIRST = {"TEA": 20, "POT": 6}
STEP = timedelta(seconds=20)  # a careful back end asks again after so long


@dataclass
class Stage:
    """The shop, its cabinets by account, and what happened so far: postings by the story's name of them, what is on
    hand, and what each order takes of it. `shown_too_high`: numbers that were sent beyond what was known to be left;
    `sending`: what is to happen while the next numbers are on their way; `links`: units linked later; `met`: whether
    what a scene waits for came, None where it waits for nothing."""

    world: World
    cabinets: dict[str, Cabinet] = field(default_factory=dict)
    numbers: dict[str, str] = field(default_factory=dict)
    on_hand: dict[str, int] = field(default_factory=lambda: dict(AT_FIRST))
    takes: dict[str, tuple[str, int]] = field(default_factory=dict)
    links: dict[str, tuple[str, str]] = field(default_factory=dict)
    known_left: dict[str, int] = field(default_factory=dict)
    shown_too_high: list[str] = field(default_factory=list)
    sending: Callable[[], None] | None = None
    asked: int = 0
    met: bool | None = None

    # -- the shop ------------------------------------------------------------------------------------------------
    def ask(self, method: str, path: str, body: Any = None, *, wait_for: tuple[int, ...] = ()) -> Any:
        """Ask as a careful back end does: the same again until it is taken. `wait_for`: answers that pass with time."""
        self.asked += 1
        once = {"idempotency-key": f"{path}-{self.asked}"} if method == "POST" else {}
        for _ in range(TRIES):
            answer = self.world.request(method, f"/v1/{path}", headers=once, body=body)
            if answer.status < 300:
                return answer.json()
            assert answer.status in (409, 429, *wait_for) or answer.status >= 500, answer.text
            self.world.advance(STEP)
        raise AssertionError(f"{method} {path} was never taken: {answer.text}")

    def tell(self, **quantities: int) -> None:
        """The shop tells what it has, over the API."""
        self.ask("PUT", "stock", {"rows": self._rows(quantities)})

    def _rows(self, quantities: Mapping[str, int]) -> list[dict[str, Any]]:
        self.on_hand |= quantities
        at = self.world.now().isoformat()
        return [{"item": i, "warehouse": WAREHOUSE, "quantity": n, "as_of": at} for i, n in quantities.items()]

    def tell_meanwhile(self, **quantities: int) -> None:
        """The shop tells what it has while somebody else is at work."""
        with self.aside():
            stock_keep.keep(SHOP, self._rows(quantities), self.world.now())

    def post(self, type: str, order: str, **told: Any) -> None:
        """The shop's own system tells of an order."""
        id = f"{type}-{order}"
        event = {"type": type, "source": "/shop", "id": id, "data": {"order": {"id": order, **told}}}
        self.ask("POST", "events", event)
        self.world.settle()

    def change(self, name: str, to: str, **given: Any) -> None:
        """Staff ask that a posting be packed, handed over or cancelled, and wait until it is done or failed."""
        id = self.numbers[name]
        self.ask("POST", f"marketplace-orders/{id}/status", {"status": to, **given}, wait_for=(404,))

    def link(self, account: str, unit: str, item: str) -> None:
        """A person links a unit."""
        told = {"mode": "kit", "parts": [{"item": item, "quantity": 1}]}
        self.ask("PUT", f"links/{account}/{self.cabinets[account].units[unit]}", told)
        self.links[unit] = (account, item)

    def done(self, *names: str, minutes: int = 12) -> None:
        """Wait until what was asked for these postings has come to an end."""
        for _ in range(minutes * 3):
            states = [((self.body(name) or {}).get("operation") or {}).get("state") for name in names]
            if all(state in ("done", "failed") for state in states):
                return
            self.world.advance(STEP)

    def known(self, *names: str, minutes: int = 12) -> None:
        """Wait until these postings were read."""
        for _ in range(minutes):
            self.minutes(1)
            if all(self.body(name) for name in names):
                return

    def minutes(self, n: int) -> None:
        """Let time pass."""
        self.world.advance(timedelta(minutes=n))

    # -- the marketplaces ----------------------------------------------------------------------------------------
    def sell(self, name: str, account: str, item: str, quantity: int = 1, *, holds: str = "") -> None:
        """A buyer orders at a marketplace; `holds`: the item where the unit is linked to it later."""
        cabinet = self.cabinets[account]
        twin: Any = self.world.markets[cabinet.marketplace]
        number = twin.sell(cabinet.units[item], quantity)
        assert number is not None, f"{account} shows too little of {item}"
        self.numbers[name], self.takes[name] = f"{account}:{number}", (holds or item, quantity)

    def cancel(self, name: str) -> None:
        """The buyer thinks better of it."""
        account, number = rules.parts_of(self.numbers[name])
        twin: Any = self.world.markets[self.cabinets[account].marketplace]
        twin.cancel(number)
        del self.takes[name]

    def shows(self, account: str, item: str) -> int:
        """How many of an item's unit buyers can order there now."""
        cabinet = self.cabinets[account]
        twin: Any = self.world.markets[cabinet.marketplace]
        shown: int = twin.stock_of(cabinet.units[item], cabinet.warehouse)
        return shown

    def carriers_come(self) -> None:
        """What was handed over goes on its way."""
        carriers_come(self.world.markets)

    def while_sending(self, happens: Callable[[], None]) -> None:
        """Let something happen while the next numbers are on their way."""
        self.sending = happens

    def sending_is_over(self) -> None:
        """It happens now where nothing was sent since."""
        happens, self.sending = self.sending, None
        if happens is not None:
            happens()

    # -- looking in from outside ---------------------------------------------------------------------------------
    @contextmanager
    def aside(self, function: str = "manage-shop") -> Iterator[None]:
        """Do something that no fault meets and that is nobody's call."""
        layer = self.world.layer
        before, layer.function, faults = layer.function, "world", self.world.faults
        self.world.faults = none
        try:
            with resources.use(self.world.account.variables(self.world.account.functions[function])):
                yield
        finally:
            layer.function, self.world.faults = before, faults

    def body(self, name: str) -> rules.Posting | None:
        """A posting as it is kept."""
        with self.aside():
            found = kept.get(SHOP, *rules.parts_of(self.numbers[name]))
        return found.body if found else None

    def look(self) -> None:
        """Note what is known to be left, just before something else is told."""
        self.known_left = {item: self.left(item) for item in LINKED}

    def left(self, item: str) -> int:
        """What we know to be left of an item: as told, less every hold; of those that left, less what came after."""
        with self.aside():
            found = goods.get(SHOP, item)
        assert found is not None, item
        (stock,) = found.stock.values()
        return stock.quantity - sum(h.quantity for h in found.held.values() if not h.gone or h.gone > stock.as_of)


def opened(world: World, marketplaces: tuple[str, ...]) -> Stage:
    """A stage in a world that is empty otherwise: accounts connected, units linked, and every number sent once."""
    world.clock.move_to(world.now().replace(minute=2, second=0, microsecond=0) + timedelta(hours=1))
    world.reset()
    stage = Stage(world, {OPEN[name][0]: OPEN[name][1](world.markets[name]) for name in marketplaces})
    with stage.aside():
        stock_keep.keep(SHOP, stage._rows(AT_FIRST), world.now())
        for account, cabinet in stage.cabinets.items():
            _connect(world, account, cabinet)
    world.advance(timedelta(seconds=61))
    return stage


def _connect(world: World, id: str, cabinet: Cabinet) -> None:
    now = world.now()
    warehouse = {"id": cabinet.warehouse, "name": "Main", "scheme": "FBS", "active": True, "takes": []}
    told = {"marketplace": cabinet.marketplace, "name": id, "settings": dict(cabinet.settings), "state": "new"}
    settings.put(SHOP, "account", id, {**told, "warehouses": [warehouse]}, by="test", now=now)
    secrets.put_account_secret(SHOP, id, dict(cabinet.credentials))
    units.keep_products(SHOP, id, [{"unit": u, "name": i, "archived": False} for i, u in cabinet.units.items()], "1")
    for item in LINKED:
        unit = cabinet.units[item]
        items.tie(SHOP, item, id, unit)
        link = {"mode": "kit", "parts": [{"item": item, "quantity": 1}]}
        assert units.link(SHOP, id, unit, link, "hand", now.isoformat(), only_free=True)
    account = accounts.load(SHOP, id, now)
    assert account is not None
    connecting.connect(account, "test", now)
