"""Cabinets at the marketplaces' twins: opened with the cards they sell, bought from, and looked at.

What differs between the twins ends here: a card is found by its article everywhere.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Protocol

from infra.twins.feed import FeedTwin
from infra.twins.market import MarketTwin
from infra.twins.ozon import Ozon
from infra.twins.wildberries import Wildberries
from infra.twins.yandex_market import YandexMarketTwin

FIRST_UNIT = 50_000_000
POINT = 100  # where Wildberries takes supplies in

type Card = Mapping[str, Any]
type Order = dict[str, Any]


class NoReturns(Exception):
    """The marketplace does not tell of returns."""


class Counter(Protocol):
    """What buyers and lookers do at a cabinet."""

    def sell(self, article: str, quantity: int) -> str | None:
        """A buyer orders; the number, None where the marketplace shows too few."""

    def cancel(self, number: str) -> None:
        """The buyer calls it off."""

    def take(self, number: str) -> None:
        """The marketplace takes the parcel over."""

    def deliver(self, number: str) -> None:
        """The buyer has the parcel."""

    def give_back(self, number: str, *, received: bool) -> None:
        """All of an order is on its way back to the seller, or back with him. Raises NoReturns."""

    def shows(self, article: str) -> int:
        """How many buyers can order now."""

    def orders(self) -> Iterator[Order]:
        """What was ordered: {number, theirs, lines: [(article, quantity)], at}."""


@dataclass(slots=True)
class Cabinet:
    """A cabinet at a twin: the account's id here, its marketplace, what it signs in with, its cards by article."""

    account: str
    marketplace: str
    name: str
    credentials: dict[str, str]
    counter: Counter
    cards: dict[str, str] = field(default_factory=dict)
    settings: dict[str, Any] = field(default_factory=dict)


def opened(
    markets: Mapping[str, MarketTwin], account: str, marketplace: str, name: str, cards: Sequence[Card]
) -> Cabinet:
    """Open a cabinet at its twin. A card: {article, name, quantity (shown before we are connected), price (1/100)}."""
    twin = markets[marketplace]
    credentials, settings, counter = OPEN[marketplace](twin, account, cards)
    return Cabinet(
        account, marketplace, name, credentials, counter, {one["article"]: one["name"] for one in cards}, settings
    )


type Opened = tuple[dict[str, str], dict[str, Any], Counter]


@dataclass(frozen=True, slots=True)
class _AtOzon:
    twin: Ozon
    id: str

    def sell(self, article: str, quantity: int) -> str | None:
        return self.twin.sell(article, quantity, account=self.id)

    def cancel(self, number: str) -> None:
        self.twin.cancel(number)

    def take(self, number: str) -> None:
        self.twin.advance(number, "delivering")

    def deliver(self, number: str) -> None:
        self.twin.advance(number, "delivered")

    def give_back(self, number: str, *, received: bool) -> None:
        with self.twin.lock:
            cabinet = self.twin.cabinet(self.id)
            known = [id for id, one in cabinet.returns.items() if one.number == number]
            lines = () if known else cabinet.order(number).lines
            known += [cabinet.give_back(number, line.unit, line.quantity) for line in lines]
            for id in known if received else ():
                cabinet.move_return(id, "ReceivedBySeller")

    def shows(self, article: str) -> int:
        return self.twin.stock_of(article, account=self.id)

    def orders(self) -> Iterator[Order]:
        with self.twin.lock:
            for one in self.twin.cabinet(self.id).orders.values():
                lines = [(line.unit, line.quantity) for line in one.lines]
                yield {"number": one.number, "theirs": one.status, "lines": lines, "at": one.created}


def _ozon(twin: Any, account: str, cards: Sequence[Card]) -> Opened:
    assert isinstance(twin, Ozon)
    n = 101 + len(twin.accounts)
    made = twin.add_account(f"{n}", f"local-{account}")
    for card in cards:
        made.add_product(
            card["article"], name=card["name"], stock=card.get("quantity", 0), price=card.get("price", 99_000)
        )
    return {"client_id": made.client_id, "api_key": made.api_key}, {}, _AtOzon(twin, made.client_id)


@dataclass(frozen=True, slots=True)
class _AtWildberries:
    """WB's unit is a number of its own; an order there is of one piece, a basket of several."""

    twin: Wildberries
    seller: str
    warehouse: int
    units: dict[str, int]

    def sell(self, article: str, quantity: int) -> str | None:
        return self.twin.sell(self.units[article], quantity, account=self.seller)

    def cancel(self, number: str) -> None:
        self.twin.cancel(number)

    def take(self, number: str) -> None:
        self.twin.advance(number, "sorted")

    def deliver(self, number: str) -> None:
        self.twin.advance(number, "sold")

    def give_back(self, number: str, *, received: bool) -> None:
        self.twin.send_back(number, received=f"{self.twin.now():%Y-%m-%dT%H:%M:%S}" if received else None)

    def shows(self, article: str) -> int:
        return self.twin.stock_of(self.units[article], self.warehouse, account=self.seller)

    def orders(self) -> Iterator[Order]:
        for one in list(self.twin.sellers[self.seller].orders.values()):
            theirs = f"{one.supplier} / {one.wb}"
            yield {"number": str(one.id), "theirs": theirs, "lines": [(one.size.article, 1)], "at": one.at}


def _wildberries(twin: Any, account: str, cards: Sequence[Card]) -> Opened:
    assert isinstance(twin, Wildberries)
    n = len(twin.sellers)
    token = twin.add_seller(account)
    warehouse = twin.add_warehouse(100 + n, account=account).id
    units = {card["article"]: FIRST_UNIT + n * 1000 + place for place, card in enumerate(cards)}
    for card in cards:
        unit = units[card["article"]]
        price = card.get("price", 99_000)
        twin.add_product(unit, card["article"], card["name"], f"27{unit}", account=account, price=price)
        twin.set_stock(unit, warehouse, card.get("quantity", 0), account=account)
    settings = {"token_type": "personal", "shipping_point": POINT}
    return {"token": token}, settings, _AtWildberries(twin, account, warehouse, units)


@dataclass(frozen=True, slots=True)
class _AtYandex:
    twin: YandexMarketTwin
    key: str

    def sell(self, article: str, quantity: int) -> str | None:
        return self.twin.sell(article, quantity, account=self.key)

    def cancel(self, number: str) -> None:
        self.twin.cancel(number)

    def take(self, number: str) -> None:
        self.twin.advance(number, "DELIVERY")

    def deliver(self, number: str) -> None:
        self.twin.advance(number, "DELIVERED")

    def give_back(self, number: str, *, received: bool) -> None:
        cabinet = self.twin.cabinet(self.key)
        known = [id for id, one in cabinet.returns.items() if one.order == int(number)]
        for id in known or [cabinet.give_back(number)]:
            cabinet.move_return(id, "PICKED" if received else "IN_TRANSIT")

    def shows(self, article: str) -> int:
        return self.twin.stock_of(article, account=self.key)

    def orders(self) -> Iterator[Order]:
        for one in list(self.twin.cabinet(self.key).all_orders()):
            theirs = f"{one.status} / {one.substatus}"
            lines = [(line.unit, line.count) for line in one.lines]
            yield {"number": str(one.number), "theirs": theirs, "lines": lines, "at": one.created}


def _yandex(twin: Any, account: str, cards: Sequence[Card]) -> Opened:
    assert isinstance(twin, YandexMarketTwin)
    n = 1 + len(twin.accounts)
    made = twin.add_account(f"local-{account}", 7000 + n, account, fbs=21_000 + n)
    for card in cards:
        price = card.get("price", 99_000)
        made.add_product(card["article"], name=card["name"], stock=card.get("quantity", 0), price=price)
    settings = {"business": made.business, "campaign": 21_000 + n}
    return {"api_key": made.key}, settings, _AtYandex(twin, made.key)


@dataclass(frozen=True, slots=True)
class _AtFeed:
    twin: FeedTwin
    token: str

    def sell(self, article: str, quantity: int) -> str | None:
        return self.twin.sell(article, quantity, account=self.token)

    def cancel(self, number: str) -> None:
        self.twin.advance(number, "cancelled", self.token)

    def take(self, number: str) -> None:
        self.twin.advance(number, "sent", self.token)

    def deliver(self, number: str) -> None:
        self.twin.advance(number, "delivered", self.token)

    def give_back(self, number: str, *, received: bool) -> None:
        raise NoReturns

    def shows(self, article: str) -> int:
        return self.twin.stock_of(article, account=self.token)

    def orders(self) -> Iterator[Order]:
        for one in list(self.twin.shop(self.token).orders.values()):
            lines = [(line["sku"], line["count"]) for line in one["lines"]]
            at = datetime.fromisoformat(one["created"])
            yield {"number": one["id"], "theirs": one["state"], "lines": lines, "at": at}


def _feed(twin: Any, account: str, cards: Sequence[Card]) -> Opened:
    assert isinstance(twin, FeedTwin)
    token = f"local-{account}"
    twin.add_account(token)
    for card in cards:
        twin.add_product(card["article"], name=card["name"], stock=card.get("quantity", 0), account=token)
    return {"token": token}, {}, _AtFeed(twin, token)


OPEN: dict[str, Callable[[Any, str, Sequence[Card]], Opened]] = {
    "ozon": _ozon,
    "wildberries": _wildberries,
    "yandex_market": _yandex,
    "feed": _feed,
}
