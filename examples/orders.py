"""The life of an example order, from its placing to the customer's door, as the shop's back end would post it."""

import random
from datetime import datetime, timedelta
from typing import Any

from examples.people import Person, address
from examples.words import (
    CANCELLED,
    CARRIERS,
    COMMENTS,
    COURIERS,
    GOODS,
    LATE,
    NO_MONEY,
    PHONES,
    POINTS,
    SHOP,
)

SOURCE = str(SHOP["url"])
SYSTEM = {"kind": "system", "id": "shop"}
WAREHOUSE = ("s-ivan", "s-petya")
COLUMN = {"en": 0, "ru": 1, "bg": 2}

type Fields = dict[str, Any]


class Diary:
    """The events of the day; what falls outside it is not noted."""

    def __init__(self, start: datetime, end: datetime) -> None:
        self.start, self.end = start, end
        self.events: list[tuple[datetime, int, Fields]] = []

    def note(self, type: str, at: datetime, data: Fields) -> bool:
        """Note an event, if it falls into the day; says whether it does."""
        falls = self.start <= at < self.end
        if falls:
            self.events.append((at, len(self.events), {"type": type, "time": self.text(at), "data": data}))
        return falls

    def text(self, at: datetime) -> str:
        """A time as the events carry it."""
        return at.strftime("%Y-%m-%dT%H:%M:%SZ")

    def in_order(self) -> list[Fields]:
        """The events in order of time, with ids of their own."""
        frame = {"specversion": "1.0", "source": SOURCE}
        noted = sorted(self.events, key=lambda entry: entry[:2])
        return [{**frame, "id": f"day-{n:05d}", **event} for n, (_, _, event) in enumerate(noted, 1)]


class Life:
    """An order as it goes on: each step moves its clock, and notes what changed of it."""

    def __init__(self, diary: Diary, order: Fields, buyer: Person, at: datetime, chance: random.Random) -> None:
        self.diary, self.order, self.buyer, self.at, self.chance = diary, order, buyer, at, chance
        self.told: Fields = {}  # what the events of the day have carried so far

    def wait(self, least: int, most: int) -> None:
        """Let `least` to `most` minutes go by."""
        self.at += timedelta(minutes=self.chance.randrange(least, most), seconds=self.chance.randrange(60))

    def happens(self, type: str, actor: Fields, **data: Any) -> None:
        """Note an event with what is new of the order since the day's last event of it (at first: all)."""
        always = ("id", "number", "status")
        news = {k: v for k, v in self.order.items() if k in always or self.told.get(k) != v}
        if self.diary.note(type, self.at, {"order": news, **data, "actor": actor}):
            self.told = dict(self.order)

    def likely(self, share: float) -> bool:
        """True in `share` of the cases."""
        return self.chance.random() < share

    @property
    def language(self) -> str:
        """The buyer's language."""
        return str(self.buyer["language"])

    @property
    def client(self) -> Fields:
        """The buyer, as the one who did it."""
        return {"kind": "customer", "id": self.buyer["id"]}

    @property
    def manager(self) -> Fields:
        """The order's manager, as the one who did it."""
        return {"kind": "staff", "id": self.order["manager_id"]}


def live(diary: Diary, number: int, buyer: Person, at: datetime, chance: random.Random) -> None:
    """One order of the shop's own, from `at` until it is delivered, is cancelled, or the day is over."""
    life = Life(diary, _order(diary, number, buyer, at, chance), buyer, at, chance)
    snapshot = {k: v for k, v in buyer.items() if k in ("id", "name", "email", "phone", "language", "timezone")}
    life.happens("order.placed", life.client, customer=snapshot)
    if not _paid(life) or _cancelled(life, 0.05):
        return
    if life.likely(0.15):
        life.wait(5, 40)
        life.order["status"] = "confirmed" if life.likely(0.7) else "awaiting_goods"
        life.happens("order.status_changed", life.manager)
    life.wait(40, 300)
    life.order["status"] = "assembled"
    by = {"kind": "staff", "id": chance.choice(WAREHOUSE)}
    life.happens("order.assembled", by, packages=1 + (len(life.order["items"]) > 3))
    _on_the_way(life)


def marketplace(diary: Diary, number: int, at: datetime, chance: random.Random) -> None:
    """An order that came in by a marketplace: its buyer is not the shop's customer."""
    items = _items("ru", chance)
    order = {
        "id": f"o-{number}",
        "number": f"OZ-{number}",
        "status": "new",
        "currency": "RUB",
        "total": _money(sum(item["total"]["amount"] for item in items), "RUB"),
        "items": items,
        "created_at": diary.text(at),
        "origin": "ozon",
    }
    diary.note("order.placed", at, {"order": order, "actor": {"kind": "marketplace", "id": "ozon"}})


def _order(diary: Diary, number: int, buyer: Person, at: datetime, chance: random.Random) -> Fields:
    language = buyer["language"]
    currency = "RUB" if language == "ru" else "EUR"
    items = _items(language, chance)
    delivery = _delivery(buyer, currency, chance)
    id, method = f"o-{number}", chance.choices(("card", "bank_transfer", "cash_on_delivery"), (60, 12, 28))[0]
    pay = {"url": f"{SOURCE}/pay/{id}"} if method == "card" else {}
    return {
        "id": id,
        "number": str(number),
        "status": "new",
        "customer_id": buyer["id"],
        "manager_id": buyer["manager_id"],
        "currency": currency,
        "total": _money(sum(i["total"]["amount"] for i in items) + delivery["price"]["amount"], currency),
        "items": items,
        "delivery": delivery,
        "payment": {"method": method, "status": "pending", **pay},
        "url": f"{SOURCE}/account/orders/{id}",
        "created_at": diary.text(at),
        "store": "main",
        **({"comment": chance.choice(COMMENTS[language])} if chance.random() < 0.1 else {}),
    }


def _money(amount: int, currency: str) -> Fields:
    return {"amount": amount, "currency": currency}


def _items(language: str, chance: random.Random) -> list[Fields]:
    picked = chance.sample(sorted(GOODS), chance.choices((1, 2, 3, 4, 5), (35, 30, 18, 10, 7))[0])
    return [_item(sku, language, chance.choices((1, 2, 3), (75, 18, 7))[0]) for sku in picked]


def _item(sku: str, language: str, quantity: int) -> Fields:
    row = GOODS[sku]
    price, currency = (row[4] * 100, "RUB") if language == "ru" else (row[3], "EUR")
    return {
        "sku": sku,
        "name": row[COLUMN[language]],
        "quantity": quantity,
        "price": _money(price, currency),
        "total": _money(price * quantity, currency),
    }


def _delivery(buyer: Person, currency: str, chance: random.Random) -> Fields:
    method = chance.choices(("courier", "post", "pickup"), (40, 35, 25))[0]
    if method == "pickup":
        return {"method": method, "pickup_point": POINTS[buyer["language"]], "price": _money(0, currency)}
    price = {"courier": (400, 39900), "post": (550, 45000)}[method]
    return {"method": method, "address": address(buyer), "price": _money(price[currency == "RUB"], currency)}


def _paid(life: Life) -> bool:
    """Whether the order may go on: money is there, or comes on delivery."""
    method = life.order["payment"]["method"]
    if method == "card":
        return _by_card(life)
    if method == "bank_transfer":
        return _by_transfer(life)
    return True


def _by_card(life: Life) -> bool:
    life.wait(1, 6)
    if life.likely(0.17):
        life.order["payment"] = {**life.order["payment"], "status": "failed"}
        retry = life.order["payment"]["url"]
        life.happens("order.payment_failed", SYSTEM, reason=NO_MONEY[life.language], retry_url=retry)
        if life.likely(0.25):
            return False
        life.wait(4, 45)
    life.order |= {"status": "paid", "payment": {"method": "card", "status": "paid"}}
    life.happens("order.paid", SYSTEM, payment=_payment(life, "card"))
    return True


def _by_transfer(life: Life) -> bool:
    """Accounting books the transfer, sometimes the manager does, who then needs no notice."""
    life.wait(60, 500)
    if life.likely(0.15):
        return False
    life.order |= {"status": "paid", "payment": {"method": "bank_transfer", "status": "paid"}}
    by = life.manager if life.likely(0.3) else {"kind": "staff", "id": "s-lev"}
    life.happens("payment.received", by, payment=_payment(life, "bank_transfer"))
    return True


def _payment(life: Life, method: str) -> Fields:
    id, at = f"p-{life.order['number']}", life.diary.text(life.at)
    return {"id": id, "amount": life.order["total"], "method": method, "received_at": at}


def _cancelled(life: Life, share: float) -> bool:
    """In `share` of the cases the order is cancelled here, and paid money goes back."""
    if not life.likely(share):
        return False
    life.wait(5, 120)
    ours = life.likely(0.35)
    paid = life.order["payment"]["status"] == "paid"
    refund = {"refund": life.order["total"]} if paid else {}
    life.order["status"] = "cancelled"
    by, reason = life.manager if ours else life.client, CANCELLED[life.language][ours]
    life.happens("order.cancelled", by, reason=reason, **refund)
    if paid:
        _refund(life, life.order["total"], partial=False)
    return True


def _refund(life: Life, amount: Fields, *, partial: bool) -> None:
    life.wait(20, 200)
    method = life.order["payment"]["method"]
    status = "partially_refunded" if partial else "refunded"
    life.order["payment"] = {"method": method, "status": status}
    arrives = life.diary.text(life.at + timedelta(days=7))
    way = {"amount": amount, "partial": partial, "method": method, "arrives_by": arrives}
    life.happens("order.refunded", life.manager, **way)


def _on_the_way(life: Life) -> None:
    if _cancelled(life, 0.02):
        return
    {"courier": _by_courier, "post": _by_post, "pickup": _to_pickup}[life.order["delivery"]["method"]](life)


def _by_courier(life: Life) -> None:
    life.wait(30, 150)
    if life.at.hour >= 17 or life.at.hour < 5:  # couriers drive by day
        life.at = (life.at + timedelta(hours=12)).replace(hour=6) + timedelta(minutes=life.chance.randrange(90))
    eta = life.at + timedelta(minutes=life.chance.randrange(60, 180))
    courier = {"name": COURIERS[life.language], "phone": PHONES["bg"].format(n=700_011)}
    hours = {"window_from": life.diary.text(life.at), "window_to": life.diary.text(eta + timedelta(hours=1))}
    _status(life, "out_for_delivery", eta=life.diary.text(eta))
    life.happens("order.out_for_delivery", SYSTEM, courier=courier, **hours)
    if life.likely(0.12):
        eta = _is_late(life, eta)
    life.at = eta - timedelta(minutes=15)
    if life.likely(0.7):
        where = {"map_url": f"{SOURCE}/map/{life.order['id']}", "minutes": life.chance.randrange(4, 22)}
        life.happens("order.courier_near", SYSTEM, courier=courier, **where)
    life.wait(8, 25)
    _delivered(life)


def _is_late(life: Life, eta: datetime) -> datetime:
    life.wait(10, 40)
    later = eta + timedelta(minutes=life.chance.randrange(40, 120))
    was = life.order["delivery"]["eta"]
    _status(life, "out_for_delivery", eta=life.diary.text(later))
    change = {"eta": life.diary.text(later), "previous_eta": was, "reason": LATE[life.language]}
    life.happens("order.eta_changed", SYSTEM, **change)
    return later


def _by_post(life: Life) -> None:
    life.wait(60, 240)
    tracking = f"SV{life.order['number']}{life.chance.randrange(10**6):06d}"
    follow = f"https://track.example/{tracking}"
    eta = life.diary.text(life.at + timedelta(days=life.chance.randrange(2, 6)))
    carrier = CARRIERS[life.language]
    _status(life, "shipped", carrier=carrier, tracking_number=tracking, tracking_url=follow, eta=eta)
    by = {"kind": "staff", "id": life.chance.choice(WAREHOUSE)}
    life.happens("order.shipped", by)
    life.wait(36 * 60, 80 * 60)
    life.at = life.at.replace(hour=6 + life.chance.randrange(3))  # postmen come in the morning
    _status(life, "out_for_delivery")
    life.happens("order.out_for_delivery", SYSTEM)
    life.wait(60, 300)
    _delivered(life)


def _to_pickup(life: Life) -> None:
    life.wait(60, 300)
    kept = life.diary.text(life.at + timedelta(days=7))
    _status(life, "ready_for_pickup")
    code = f"{life.chance.randrange(10**4):04d}"
    life.happens("order.ready_for_pickup", SYSTEM, pickup_code=code, storage_until=kept)
    life.wait(90, 900)
    _delivered(life)


def _status(life: Life, status: str, **delivery: Any) -> None:
    life.order |= {"status": status, "delivery": {**life.order["delivery"], **delivery}}


def _delivered(life: Life) -> None:
    life.order["status"] = "delivered"
    life.happens("order.delivered", SYSTEM, delivered_at=life.diary.text(life.at))
    if life.order["payment"]["method"] == "cash_on_delivery":
        life.wait(5, 90)
        life.order["payment"] = {**life.order["payment"], "status": "paid"}
        life.happens("payment.received", SYSTEM, payment=_payment(life, "cash_on_delivery"))
    elif life.likely(0.03):
        _refund(life, life.order["items"][0]["total"], partial=True)
