"""A shop's life in a few words: something happened, and what the ledger tells of it."""

from typing import Any

from tests.asking import Shop


def placed(shop: Shop, id: str, **more: Any) -> str:
    """An order paid on delivery, placed by a customer with an e-mail address; the event's id in the ledger."""
    order = {"id": f"o-{id}", "number": id, "status": "new", "payment": {"method": "cash_on_delivery"}}
    customer = {"id": f"c-{id}", "name": "Maria", "email": f"{id}@example.com", "language": "en"}
    return happened(shop, id, "order.placed", order=order, customer=customer, **more)


def happened(shop: Shop, id: str, type: str, **data: Any) -> str:
    """Post an event and let the world come to rest; the event's id in the ledger."""
    event = {"type": type, "source": "/test", "id": id, "data": data}
    answer = shop.post("events", event)
    assert answer.status == 202, answer.text
    shop.world.settle()
    eid: str = answer.json()["event"]
    return eid
