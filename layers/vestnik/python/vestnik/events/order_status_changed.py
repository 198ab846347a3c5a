"""The status of an order changed.

Post it for statuses that have no event type of their own (confirmed, waiting for goods, on hold ...), with the
order's new `status`; `status_name` says it in the customer's words where the status is the shop's own. For a
change that has its own type, such as `order.shipped`, post that type and not this one, or the customer reads
twice of one change.

The customer is told, except of `new`. A status older than the one already known is recorded, not told.
"""

from datetime import timedelta

from vestnik.domain.schemas import data_of_order, text
from vestnik.events._rules import tell_buyer
from vestnik.events._samples import STAFF, event, order

TYPE = "order.status_changed"
PURPOSE = "transactional"
USEFUL_LIFE = timedelta(days=1)
STATUS = True
SECRET: tuple[str, ...] = ()
ONE_TIME = False

SCHEMA = data_of_order(
    {
        "status_name": text("The status in the customer's words and language.", 200),
        "previous_status": text("What it was before.", 64),
        "comment": text("What the shop adds for the customer.", 1000),
    }
)

SAMPLE = event(
    TYPE,
    "2026-11-20T09:40:00Z",
    order=order("confirmed"),
    previous_status="paid",
    comment="Ще подготвим поръчката до 15 часа.",
    actor=STAFF,
)

RULES = [tell_buyer(TYPE, "email", {"status": [{"anything-but": ["new"]}]})]
