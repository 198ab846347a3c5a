"""What the tests of orders share: the tables in moto, an account, and a marketplace that answers from a script."""

import json
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from typing import Any

import moto

from infra.world import moto_patches
from vestnik import resources
from vestnik.domain.market.accounts import Account
from vestnik.domain.market.definitions import Outcome
from vestnik.domain.market.stock import Stock
from vestnik.errors import Refused
from vestnik.flows import intake, stock_touch
from vestnik.flows.calling import Answer
from vestnik.store import goods, settings, units

SHOP = "teashop"
START = datetime(2026, 11, 20, 8, 0, tzinfo=UTC)
TABLES = ("settings", "orders", "goods", "limits")
QUEUES = ("to-evaluate", "to-sync")


class Clock:
    """A clock that a test moves; a little time goes by between any two looks at it, as it does outside."""

    def __init__(self) -> None:
        self.now = START

    def __call__(self) -> datetime:
        self.now += timedelta(microseconds=1)
        return self.now

    def move(self, **by: float) -> None:
        self.now += timedelta(**by)


@contextmanager
def cloud() -> Iterator[None]:
    """The tables and queues that orders touch, empty."""
    names = {f"TABLE_{name.upper()}": name for name in TABLES}
    names |= {f"QUEUE_{name.replace('-', '_').upper()}": f"http://sqs.us-east-1.local/{name}" for name in QUEUES}
    with moto.mock_aws(), moto_patches.quick(), resources.use(names):
        resources.forget_clients()
        for name in TABLES:
            _table(name)
        names |= {f"QUEUE_{name.replace('-', '_').upper()}": _queue(name) for name in QUEUES}
        with resources.use(names):
            for module in (settings, intake, stock_touch):
                module.forget()
            yield
    resources.forget_clients()


@contextmanager
def tea_shop(on_hand: int) -> Iterator[None]:
    """A cloud in which a unit TEA is linked to an item of which so much is there."""
    with cloud():
        linked("TEA", ("tea", 1))
        stocked("tea", on_hand)
        yield


def _table(name: str) -> None:
    keys = [{"AttributeName": "pk", "KeyType": "HASH"}, {"AttributeName": "sk", "KeyType": "RANGE"}]
    listed = [{"AttributeName": "list", "KeyType": "HASH"}, {"AttributeName": "sk", "KeyType": "RANGE"}]
    index = {"IndexName": "list", "KeySchema": listed, "Projection": {"ProjectionType": "KEYS_ONLY"}}
    resources.client("dynamodb").create_table(
        TableName=name,
        KeySchema=keys,
        AttributeDefinitions=[{"AttributeName": one, "AttributeType": "S"} for one in ("pk", "sk", "list")],
        GlobalSecondaryIndexes=[index],
        BillingMode="PAY_PER_REQUEST",
    )


def _queue(name: str) -> str:
    url: str = resources.client("sqs").create_queue(QueueName=name)["QueueUrl"]
    return url


def account(marketplace: str = "ozon", **body: Any) -> Account:
    """A connected account of the shop."""
    whole = {"name": "Main", "marketplace": marketplace, "state": "connected"}
    whole |= {"connected_at": (START - timedelta(days=1)).isoformat(), **body}
    return Account(SHOP, "main", marketplace, whole.get("settings", {}), whole)


def stocked(item: str, quantity: int) -> None:
    """The shop tells how much of an item lies there."""
    goods.keep_stock(SHOP, item, {"central": Stock(quantity, "physical", "2026-11-20T00:00:00.000000Z")})


def linked(unit: str, *parts: tuple[str, int], mode: str = "kit") -> None:
    """A unit of the account, linked to items (none: not linked)."""
    units.keep_products(SHOP, "main", [{"unit": unit, "name": unit}], "run")
    if parts:
        told = [{"item": item, "quantity": n, "priority": i} for i, (item, n) in enumerate(parts)]
        units.link(SHOP, "main", unit, {"mode": mode, "parts": told}, "hand", "now", only_free=False)


def posting(number: str = "100-1", status: str = "awaiting_packaging", **more: Any) -> dict[str, Any]:
    """A posting as a definition's mapping makes it."""
    lines = [{"unit": "TEA", "name": "Tea", "quantity": 2, "price": 1000}]
    told = {"number": number, "scheme": "FBS", "theirs": {"status": status}, "created_at": "2026-11-20T07:30:00Z"}
    return {**told, "currency": "RUB", "lines": lines, "ship_by": "2026-11-21T12:00:00Z", **more}


def held(item: str) -> dict[str, int]:
    """How much each order takes of an item, with those that are gone."""
    found = goods.get(SHOP, item)
    return {id: hold.quantity for id, hold in found.held.items()} if found else {}


def gone(item: str) -> set[str]:
    """The orders whose goods have left."""
    found = goods.get(SHOP, item)
    return {id for id, hold in found.held.items() if hold.gone} if found else set()


def told() -> list[dict[str, Any]]:
    """The events that were queued since the last look, by their time and id."""
    client, url, found = resources.client("sqs"), resources.env("QUEUE_TO_EVALUATE"), list[dict[str, Any]]()
    while messages := client.receive_message(QueueUrl=url, MaxNumberOfMessages=10).get("Messages"):
        for one in messages:
            found.append(json.loads(one["Body"])["event"])
            client.delete_message(QueueUrl=url, ReceiptHandle=one["ReceiptHandle"])
    return sorted(found, key=lambda event: (event["time"], event["id"]))


def types() -> list[str]:
    """The types of those events, without `marketplace.`."""
    return [event["type"].removeprefix("marketplace.") for event in told()]


class Script:
    """A marketplace that answers what it is told to: by purpose a list of items, pages of them, or a function."""

    def __init__(self, **answers: Any) -> None:
        self.answers = {name.replace("__", "."): answer for name, answer in answers.items()}
        self.calls: list[tuple[str, dict[str, Any], list[Any]]] = []

    def count(self, purpose: str) -> int:
        return sum(1 for call in self.calls if call[0] == purpose)

    def has(self, account: Account, purpose: str, now: datetime) -> bool:
        return purpose in self.answers

    def call(
        self,
        account: Account,
        purpose: str,
        now: datetime,
        *,
        given: Mapping[str, Any] | None = None,
        rows: Sequence[Mapping[str, Any]] = (),
    ) -> Answer:
        self.calls.append((purpose, dict(given or {}), list(rows)))
        if purpose not in self.answers:
            raise Refused(f"no {purpose}", code="no-definition")
        found = self.answers[purpose]
        found = found(given or {}, list(rows)) if callable(found) else found
        if isinstance(found, Exception):
            raise found
        if isinstance(found, Answer):
            return found
        ids = [str(row.get("number", row.get("supply", ""))) for row in rows]
        return Answer(items=list(found or []), outcomes=dict.fromkeys(ids, Outcome(True)))

    def pages(
        self,
        account: Account,
        purpose: str,
        now: datetime,
        *,
        given: Mapping[str, Any] | None = None,
        start: Any = None,
    ) -> Iterator[Answer]:
        """A list whose items are lists is pages, numbered from 0."""
        found = self.answers[purpose]
        found = found(given or {}, []) if callable(found) else found
        pages = found if found and isinstance(found[0], list) else [found]
        for number in range(start or 0, len(pages)):
            self.calls.append((purpose, dict(given or {}), [number]))
            yield Answer(items=list(pages[number]), next=number + 1 if number + 1 < len(pages) else None)

    def batches(
        self, account: Account, purpose: str, rows: Sequence[Mapping[str, Any]], now: datetime
    ) -> Iterator[list[Mapping[str, Any]]]:
        for at in range(0, len(rows), 100):
            yield list(rows[at : at + 100])
