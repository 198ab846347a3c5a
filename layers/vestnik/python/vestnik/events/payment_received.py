"""A payment came in.

Post it for money that reached the shop by bank transfer, in cash, on delivery, or to the customer's balance; the
order it belongs to is named if there is one. The online payment of an order is `order.paid`.

The customer is told; so are the order's manager and the customer's manager, unless the manager recorded the
payment (`actor`).
"""

from datetime import timedelta

from vestnik.domain.schemas import RECEIVED_PAYMENT, data_of_order, name
from vestnik.events._rules import CUSTOMER_MANAGER, ORDER_MANAGER, tell_buyer, tell_staff
from vestnik.events._samples import euro, event, order

TYPE = "payment.received"
PURPOSE = "transactional"
USEFUL_LIFE = timedelta(days=3)
STATUS = False
SECRET: tuple[str, ...] = ()
ONE_TIME = False

SCHEMA = {
    "type": "object",
    "properties": {
        **data_of_order({"payment": {**RECEIVED_PAYMENT, "required": ["amount"]}})["properties"],
        "customer_id": name("The customer, where there is no order and nothing of the profile changed."),
    },
    "required": ["payment"],
}

SAMPLE = event(
    TYPE,
    "2026-11-20T13:20:00Z",
    order={**order("paid"), "payment": {"method": "bank_transfer", "status": "paid"}},
    payment={
        "id": "p-77154",
        "amount": euro(4390),
        "method": "bank_transfer",
        "received_at": "2026-11-20T13:05:00Z",
    },
    actor={"kind": "staff", "id": "s-accounts"},
)

RULES = [
    tell_buyer(TYPE, "email", priority=60),
    tell_staff(TYPE, "email", ORDER_MANAGER, CUSTOMER_MANAGER),
]
