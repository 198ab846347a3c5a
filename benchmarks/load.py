"""The load of a shop: orders that live through four events, each of which sends its buyer one e-mail.

Every order is placed with the whole order and its customer, as a shop's back end posts it, and is then assembled,
shipped and delivered by events that tell only what changed: the shares of the example day. Half of the orders are of
customers known before; languages take turns.
"""

from collections.abc import Iterator
from datetime import datetime
from typing import Any

SHOP, KEY = "other", "other-key"
STEPS = ("order.placed", "order.assembled", "order.shipped", "order.delivered")
STATUS = {
    "order.placed": "new",
    "order.assembled": "assembled",
    "order.shipped": "shipped",
    "order.delivered": "delivered",
}
APART = 60  # orders between two steps of one order: more than are on their way at a time
WARM = 6 * APART  # events until all four steps take turns
LANGUAGES = ("en", "ru", "bg")
NAMES = {"en": "Margaret Whitfield", "ru": "Вера Ладных", "bg": "Мария Иванова"}
GOODS = {
    "en": ("Assam tea, 250 g", "Glass teapot, 0.8 l"),
    "ru": ("Чай ассам, 250 г", "Чайник стеклянный, 0,8 л"),
    "bg": ("Чай Асам, 250 г", "Стъклен чайник, 0,8 л"),
}
STREETS = {"en": "14 Bridge Street, Leeds", "ru": "Чайный пер., 3, Москва", "bg": "ул. „Шипка“ 12, 1504 София"}


def events(count: int) -> Iterator[dict[str, Any]]:
    """`count` events without their time, in the order in which a shop of many open orders posts them."""
    made = 0
    turn = 0
    while made < count:
        for step, type in enumerate(STEPS):
            order = turn - step * APART
            if order >= 0 and made < count:
                yield event(type, order)
                made += 1
        turn += 1


def event(type: str, order: int) -> dict[str, Any]:
    """One step of an order's life, as posted."""
    data = (
        {"order": _placed(order), "customer": _customer(order)} if type == STEPS[0] else {"order": _told(type, order)}
    )
    return {
        "specversion": "1.0",
        "id": f"{type}-{order}",
        "source": "https://other.example/orders",
        "type": type,
        "data": {**data, "actor": {"kind": "system", "id": "shop"}},
    }


def at(event: dict[str, Any], time: datetime) -> dict[str, Any]:
    """The event as it is posted at a time."""
    return {**event, "time": time.strftime("%Y-%m-%dT%H:%M:%S.") + f"{time.microsecond // 1000:03d}Z"}


def _customer(order: int) -> dict[str, Any]:
    number = order // 2
    language = LANGUAGES[number % 3]
    return {
        "id": f"c-{10_000 + number}",
        "kind": "person",
        "name": NAMES[language],
        "email": f"buyer{number}@example.com",
        "phone": f"+3598{70_000_000 + number}",
        "language": language,
        "timezone": "Europe/Sofia",
        "consent": {"email": True, "sms": False, "telegram": False},
    }


def _placed(order: int) -> dict[str, Any]:
    customer = _customer(order)
    prices = (1245, 1500)
    items = [
        {"sku": f"SKU-{n}{order % 90:02}", "name": name, "quantity": 1, "price": _euro(price), "total": _euro(price)}
        for n, (name, price) in enumerate(zip(GOODS[customer["language"]], prices, strict=True))
    ]
    return {
        "id": f"o-{20_000 + order}",
        "number": str(20_000 + order),
        "status": "new",
        "customer_id": customer["id"],
        "currency": "EUR",
        "total": _euro(sum(prices) + 400),
        "items": items,
        "delivery": {"method": "courier", "address": STREETS[customer["language"]], "price": _euro(400)},
        "payment": {"method": "cash_on_delivery", "status": "pending"},
        "url": f"https://other.example/account/orders/{20_000 + order}",
        "created_at": "2026-11-20T08:00:00Z",
    }


def _told(type: str, order: int) -> dict[str, Any]:
    told: dict[str, Any] = {"id": f"o-{20_000 + order}", "number": str(20_000 + order), "status": STATUS[type]}
    if type == "order.shipped":
        tracking = f"BG{100_000 + order}"
        told["delivery"] = {"method": "courier", "address": "", "price": _euro(400), "tracking_number": tracking}
        told["delivery"]["tracking_url"] = f"https://carrier.example/{tracking}"
    return told


def _euro(amount: int) -> dict[str, Any]:
    return {"amount": amount, "currency": "EUR"}
