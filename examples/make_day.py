"""Writes the example day: `python -m examples.make_day` makes people.json, day.jsonl and marketplaces.json, the same
each time.

The day runs from 2026-11-20T06:00Z to 2026-11-21T06:00Z. About 300 orders are placed in it; 320 of the days before
go on in it.
"""

import json
import random
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from examples import marketplaces, orders, people
from examples.orders import SOURCE, Diary
from examples.words import GOODS

HERE = Path(__file__).parent
SEED = 20261120
START = datetime(2026, 11, 20, 6, 0, tzinfo=UTC)
END = START + timedelta(days=1)
PLACED, CARRIED_OVER, MARKETPLACE = 300, 320, 6
SHOPPING = (4, 7, 9, 10, 11, 12, 11, 9, 8, 8, 9, 11, 13, 14, 12, 8, 4, 2, 1, 1, 1, 1, 1, 2)  # by hour, from START

type Event = dict[str, Any]


def make(seed: int = SEED) -> tuple[dict[str, Any], list[Event]]:
    """The people before the day, and the day's events in order of time."""
    chance = random.Random(seed)
    everybody = people.customers(chance)
    known = everybody[: -len(everybody) // 10]
    diary = Diary(START, END)
    _accounts(diary, everybody[len(known) :], known, chance)
    _orders(diary, known, chance)
    _stock(diary, chance)
    return {"staff": people.staff(), "customers": known}, diary.in_order()


def _orders(diary: Diary, known: list[people.Person], chance: random.Random) -> None:
    buyers = [*known, *chance.choices(known, k=CARRIED_OVER + PLACED)]
    chance.shuffle(buyers)
    for number in range(CARRIED_OVER):
        orders.live(diary, 20200 + number, buyers.pop(), _earlier(chance), chance)
    for number in range(PLACED):
        orders.live(diary, 20600 + number, buyers.pop(), _shopping_hour(chance), chance)
    for number in range(MARKETPLACE):
        orders.marketplace(diary, 21100 + number, _shopping_hour(chance), chance)


def _earlier(chance: random.Random) -> datetime:
    return START - timedelta(minutes=chance.randrange(4 * 60, 100 * 60))


def _shopping_hour(chance: random.Random) -> datetime:
    """People shop at lunch and in the evening, and hardly at night."""
    hour = chance.choices(range(24), weights=SHOPPING)[0]
    return START + timedelta(hours=hour, seconds=chance.randrange(3600))


def _accounts(diary: Diary, newcomers: list[people.Person], known: list[people.Person], chance: random.Random) -> None:
    for person in newcomers:
        at = _shopping_hour(chance)
        _register(diary, person, at, chance)
    for person in chance.sample(known, 25):
        _forgets(diary, person, _shopping_hour(chance), chance)


def _register(diary: Diary, person: people.Person, at: datetime, chance: random.Random) -> None:
    token, actor = f"{chance.getrandbits(80):020x}", {"kind": "customer", "id": person["id"]}
    link = {"confirmation_url": f"{SOURCE}/confirm/{token}"}
    diary.note("customer.registered", at, {"customer": person, **link, "actor": actor})
    if chance.random() < 0.3:
        at += timedelta(minutes=chance.randrange(20, 90))
        link = {"confirmation_url": f"{SOURCE}/confirm/{chance.getrandbits(80):020x}"}
        expires = diary.text(at + timedelta(hours=24))
        data = {"customer_id": person["id"], **link, "email": person["email"], "expires_at": expires, "actor": actor}
        diary.note("customer.email_confirmation_requested", at, data)
    elif chance.random() < 0.6:
        orders.live(diary, 21000 + int(person["id"][-2:]), person, at + timedelta(minutes=12), chance)


def _forgets(diary: Diary, person: people.Person, at: datetime, chance: random.Random) -> None:
    """A forgotten password; some ask twice, most then choose a new one."""
    actor = {"kind": "customer", "id": person["id"]}
    for again in range(1 + (chance.random() < 0.2)):
        asked = at + timedelta(minutes=4 * again)
        link = f"{SOURCE}/reset/{chance.getrandbits(80):020x}"
        code = {"code": f"{chance.randrange(10**6):06d}"} if person["phone"] and chance.random() < 0.5 else {}
        expires = diary.text(asked + timedelta(minutes=15))
        data = {"customer_id": person["id"], "reset_url": link, **code, "expires_at": expires, "actor": actor}
        diary.note("customer.password_reset_requested", asked, data)
    if chance.random() < 0.8:
        changed = at + timedelta(minutes=chance.randrange(5, 13))
        data = {"customer_id": person["id"], "changed_at": diary.text(changed), "actor": actor}
        diary.note("customer.password_changed", changed, data)


def _stock(diary: Diary, chance: random.Random) -> None:
    """Items sell down to their minimum; half of them run out."""
    for sku in chance.sample(sorted(GOODS), 11):
        minimum, at = chance.choice((5, 10, 20)), START + timedelta(minutes=chance.randrange(60, 800))
        product = {"sku": sku, "name": GOODS[sku][0], "quantity": minimum, "minimum": minimum, "unit": "pcs"}
        product |= {"warehouse": "Sofia", "url": f"{SOURCE}/items/{sku}", "tracked": sku != "FIL-PAPER-100"}
        diary.note("product.minimum_reached", at, {"product": product, "actor": orders.SYSTEM})
        if chance.random() < 0.6:
            gone = at + timedelta(minutes=chance.randrange(40, 400))
            diary.note("product.out_of_stock", gone, {"product": {**product, "quantity": 0}, "actor": orders.SYSTEM})


def people_text(everybody: dict[str, Any]) -> str:
    """people.json: {staff: [...], customers: [...]}, one person a line."""
    parts = []
    for kind, rows in everybody.items():
        lines = ",\n".join(f"  {json.dumps(row, ensure_ascii=False)}" for row in rows)
        parts.append(f'"{kind}": [\n{lines}\n]')
    return "{" + ",\n".join(parts) + "}\n"


def day_text(events: list[Event]) -> str:
    """day.jsonl: one event a line."""
    return "".join(json.dumps(event, ensure_ascii=False, separators=(",", ":")) + "\n" for event in events)


def main() -> None:
    """Write the files beside this one."""
    everybody, events = make()
    (HERE / "people.json").write_text(people_text(everybody), "utf-8")
    (HERE / "day.jsonl").write_text(day_text(events), "utf-8")
    (HERE / "marketplaces.json").write_text(marketplaces.text(marketplaces.make()), "utf-8")
    print(f"{len(everybody['customers'])} customers, {len(everybody['staff'])} staff, {len(events)} events")


if __name__ == "__main__":
    main()
