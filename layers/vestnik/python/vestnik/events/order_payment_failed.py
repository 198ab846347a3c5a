"""The online payment of an order did not go through.

Post it for each failed try, with the address where the customer can try again (`retry_url`, or the order's
`payment.url`) and, if it is known, a reason that the customer may read.

The customer is told, unless the order is known to be paid by now; so are the staff, since a call often saves the
order.
"""

from datetime import timedelta

from vestnik.domain.schemas import data_of_order, link, text
from vestnik.events._rules import STAFF_CHAT, tell_buyer, tell_staff
from vestnik.events._samples import SYSTEM, event, order

TYPE = "order.payment_failed"
PURPOSE = "transactional"
USEFUL_LIFE = timedelta(hours=6)
STATUS = False
SECRET: tuple[str, ...] = ()
ONE_TIME = False

SCHEMA = data_of_order(
    {
        "reason": text("Why, in words for the customer, in the customer's language.", 500),
        "retry_url": link("Where to pay again."),
    }
)

SAMPLE = event(
    TYPE,
    "2026-11-20T09:16:40Z",
    order=order("new", payment="failed"),
    reason="Недостатъчна наличност по картата.",
    retry_url="https://samovar.example/pay/o-20871",
    actor=SYSTEM,
)

RULES = [
    tell_buyer(TYPE, "email", {"payment": {"status": [{"exists": False}, {"anything-but": ["paid"]}]}}, priority=60),
    tell_staff(TYPE, "telegram", STAFF_CHAT),
]
