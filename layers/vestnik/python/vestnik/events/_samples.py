"""One order, its customer and its people, as every sample tells of them."""

from typing import Any

SOURCE = "https://samovar.example"

CUSTOMER: dict[str, Any] = {
    "id": "c-1042",
    "kind": "person",
    "name": "Maria Ivanova",
    "email": "maria.ivanova@example.com",
    "phone": "+359980100042",
    "language": "bg",
    "timezone": "Europe/Sofia",
    "manager_id": "s-elena",
    "consent": {"email": True, "sms": False, "telegram": False},
    "tags": ["regular"],
}


def euro(amount: int) -> dict[str, Any]:
    """Money in euro cents."""
    return {"amount": amount, "currency": "EUR"}


ORDER: dict[str, Any] = {
    "id": "o-20871",
    "number": "20871",
    "status": "new",
    "customer_id": "c-1042",
    "manager_id": "s-elena",
    "currency": "EUR",
    "total": euro(4390),
    "items": [
        {"sku": "TEA-ASSAM-250", "name": "Чай Асам, 250 г", "quantity": 2, "price": euro(1245), "total": euro(2490)},
        {
            "sku": "POT-GLASS-08",
            "name": "Стъклен чайник, 0,8 л",
            "quantity": 1,
            "price": euro(1500),
            "total": euro(1500),
        },
    ],
    "delivery": {"method": "courier", "address": "ул. „Шипка“ 12, 1504 София", "price": euro(400)},
    "payment": {"method": "card", "status": "pending", "url": "https://samovar.example/pay/o-20871"},
    "url": "https://samovar.example/account/orders/o-20871",
    "created_at": "2026-11-20T09:15:00Z",
    "store": "main",
    "origin": "shop",
}

STAFF = {"kind": "staff", "id": "s-elena"}
BUYER = {"kind": "customer", "id": "c-1042"}
SYSTEM = {"kind": "system", "id": "shop"}


def order(status: str, delivery: dict[str, Any] | None = None, payment: str = "paid") -> dict[str, Any]:
    """The sample order as it stands at `status`, with what is known of its delivery by then."""
    return {
        **ORDER,
        "status": status,
        "delivery": {**ORDER["delivery"], **(delivery or {})},
        "payment": {**ORDER["payment"], "status": payment},
    }


def event(type: str, time: str, **data: Any) -> dict[str, Any]:
    """A complete sample event of the shop at `time`."""
    id = f"sample-{type.replace('.', '-')}"
    return {"specversion": "1.0", "id": id, "source": SOURCE, "type": type, "time": time, "data": data}
