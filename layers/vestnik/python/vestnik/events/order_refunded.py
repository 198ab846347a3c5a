"""Money for the order was sent back to the customer.

Post it when the refund is on its way, with its `amount`, whole or partial (`partial`).

The customer is told how much comes back, by which way, and when to expect it.
"""

from datetime import timedelta

from vestnik.domain.schemas import MONEY, data_of_order, moment, text
from vestnik.events._rules import tell_buyer
from vestnik.events._samples import STAFF, euro, event, order

TYPE = "order.refunded"
PURPOSE = "transactional"
USEFUL_LIFE = timedelta(days=7)
STATUS = False
SECRET: tuple[str, ...] = ()
ONE_TIME = False

SCHEMA = data_of_order(
    {
        "amount": MONEY | {"description": "How much was sent back."},
        "partial": {"type": "boolean", "description": "Whether only a part of the order was refunded."},
        "method": text("By which way: as in the order's `payment.method`.", 64),
        "arrives_by": moment("When the money should be there at the latest"),
        "reason": text("Why, in words for the customer.", 500),
    },
    required=("amount",),
)

SAMPLE = event(
    TYPE,
    "2026-11-20T11:30:00Z",
    order=order("cancelled", payment="refunded"),
    amount=euro(4390),
    partial=False,
    method="card",
    arrives_by="2026-11-27T00:00:00Z",
    actor=STAFF,
)

RULES = [tell_buyer(TYPE, "email", priority=60)]
