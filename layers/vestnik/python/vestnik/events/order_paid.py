"""The online payment of an order succeeded.

Post it when the payment provider confirms, with the order (its `payment.status` is now `paid`). Money that comes
by another way, such as a bank transfer, is `payment.received`; post one of the two, or the customer reads twice
of one payment.

The customer is told: for an order paid online this is the confirmation of the order as well. The order's manager
is told, who may now start on it.
"""

from datetime import timedelta

from vestnik.domain.schemas import RECEIVED_PAYMENT, data_of_order
from vestnik.events._rules import ORDER_MANAGER, tell_buyer, tell_staff
from vestnik.events._samples import SYSTEM, euro, event, order

TYPE = "order.paid"
PURPOSE = "transactional"
USEFUL_LIFE = timedelta(days=2)
STATUS = False
SECRET: tuple[str, ...] = ()
ONE_TIME = False

SCHEMA = data_of_order({"payment": RECEIVED_PAYMENT})

SAMPLE = event(
    TYPE,
    "2026-11-20T09:17:30Z",
    order=order("paid"),
    payment={"id": "p-77120", "amount": euro(4390), "method": "card", "received_at": "2026-11-20T09:17:12Z"},
    actor=SYSTEM,
)

RULES = [
    tell_buyer(TYPE, "email", priority=60),
    tell_staff(TYPE, "email", ORDER_MANAGER),
]
