"""The order waits for the customer at the shop or a pick-up point.

Post it with the pick-up point in the order's `delivery`; `pickup_code` is what the customer shows there, and
`storage_until` says how long the order waits.

The customer is told by e-mail and by SMS. The code is masked when staff look at the message.
"""

from datetime import timedelta

from vestnik.domain.schemas import data_of_order, moment, text
from vestnik.events._rules import tell_buyer
from vestnik.events._samples import STAFF, event, order

TYPE = "order.ready_for_pickup"
PURPOSE = "transactional"
USEFUL_LIFE = timedelta(days=3)
STATUS = True
SECRET: tuple[str, ...] = ("pickup_code",)
ONE_TIME = False

SCHEMA = data_of_order(
    {
        "pickup_code": text("What the customer shows.", 64, **{"x-secret": True}),
        "storage_until": moment("How long the order waits"),
    }
)

SAMPLE = event(
    TYPE,
    "2026-11-21T08:00:00Z",
    order=order("ready_for_pickup", {"method": "pickup", "pickup_point": "София, бул. „Витоша“ 40, 9:00-20:00"}),
    pickup_code="4471",
    storage_until="2026-11-28T18:00:00Z",
    actor=STAFF,
)

RULES = [tell_buyer(TYPE, "email"), tell_buyer(TYPE, "sms")]
