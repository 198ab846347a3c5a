"""The order was cancelled, by the customer or by the shop.

Post it with who did it as `actor`, and a reason that the customer may read. `refund` says what goes back to the
customer, if anything was paid; the refund itself is `order.refunded`.

The customer is told. The staff chat and the order's manager are told too, so that nobody goes on packing; the
manager who cancelled it is left out. A cancellation is told even when newer things are known of the order.
"""

from datetime import timedelta

from vestnik.domain.schemas import MONEY, data_of_order, text
from vestnik.events._rules import ORDER_MANAGER, STAFF_CHAT, tell_buyer, tell_staff
from vestnik.events._samples import BUYER, euro, event, order

TYPE = "order.cancelled"
PURPOSE = "transactional"
USEFUL_LIFE = timedelta(days=3)
STATUS = False
SECRET: tuple[str, ...] = ()
ONE_TIME = False

SCHEMA = data_of_order(
    {
        "reason": text("Why, in words for the customer.", 500),
        "refund": MONEY | {"description": "What goes back to the customer."},
    }
)

SAMPLE = event(
    TYPE,
    "2026-11-20T10:02:00Z",
    order=order("cancelled"),
    reason="По молба на клиента.",
    refund=euro(4390),
    actor=BUYER,
)

RULES = [
    tell_buyer(TYPE, "email", priority=60),
    tell_staff(TYPE, "telegram", STAFF_CHAT, priority=70),
    tell_staff(TYPE, "email", ORDER_MANAGER, priority=70),
]
