"""The customer has the order.

Post it when the courier or the pick-up point hands it over.

The customer is thanked and told where to turn if something is amiss.
"""

from datetime import timedelta

from vestnik.domain.schemas import data_of_order, moment, text
from vestnik.events._rules import tell_buyer
from vestnik.events._samples import SYSTEM, event, order

TYPE = "order.delivered"
PURPOSE = "transactional"
USEFUL_LIFE = timedelta(days=3)
STATUS = True
SECRET: tuple[str, ...] = ()
ONE_TIME = False

SCHEMA = data_of_order(
    {
        "delivered_at": moment("When it was handed over"),
        "received_by": text("Who took it, where that was not the customer.", 200),
    }
)

SAMPLE = event(
    TYPE,
    "2026-11-21T09:41:00Z",
    order=order("delivered"),
    delivered_at="2026-11-21T09:40:00Z",
    actor=SYSTEM,
)

RULES = [tell_buyer(TYPE, "email")]
