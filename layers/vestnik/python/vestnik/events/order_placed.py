"""An order was placed.

Post it as soon as the shop has the order, with the whole order and the customer.

Staff are told at once. The customer is told at once when the order is to be paid by bank transfer (with the
shop's bank details) or on delivery. An order that is paid online is confirmed to the customer once the payment
has succeeded (`order.paid`); until then the customer hears only of a failed payment (`order.payment_failed`).
An order that is already paid when it is placed is confirmed at once: post no `order.paid` for it.
Buyers of a marketplace are not written to.
"""

from datetime import timedelta

from vestnik.domain.schemas import data_of_order
from vestnik.events._rules import ORDER_MANAGER, STAFF_CHAT, tell_buyer, tell_staff
from vestnik.events._samples import BUYER, CUSTOMER, ORDER, event

TYPE = "order.placed"
PURPOSE = "transactional"
USEFUL_LIFE = timedelta(days=2)
STATUS = False
SECRET: tuple[str, ...] = ()
ONE_TIME = False

SCHEMA = data_of_order({})

SAMPLE = event(TYPE, "2026-11-20T09:15:00Z", order=ORDER, customer=CUSTOMER, actor=BUYER)

# Offline ways to pay (or none named), or money that is already there.
TO_CONFIRM = {
    "$or": [
        {"payment": {"method": [{"exists": False}, "bank_transfer", "cash_on_delivery"]}},
        {"payment": {"status": ["paid"]}},
    ]
}

RULES = [
    tell_buyer(TYPE, "email", TO_CONFIRM, priority=60),
    tell_staff(TYPE, "telegram", STAFF_CHAT),
    tell_staff(TYPE, "email", ORDER_MANAGER),
]
