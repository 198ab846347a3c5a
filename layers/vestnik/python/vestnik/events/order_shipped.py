"""The order was handed to a delivery service.

Post it with the carrier and the tracking number in the order's `delivery`.

The customer is told by e-mail and by SMS, with the tracking number and a link to follow the parcel.
"""

from datetime import timedelta

from vestnik.domain.schemas import data_of_order
from vestnik.events._rules import tell_buyer
from vestnik.events._samples import STAFF, event, order

TYPE = "order.shipped"
PURPOSE = "transactional"
USEFUL_LIFE = timedelta(days=3)
STATUS = True
SECRET: tuple[str, ...] = ()
ONE_TIME = False

SCHEMA = data_of_order({})

SAMPLE = event(
    TYPE,
    "2026-11-20T15:30:00Z",
    order=order(
        "shipped",
        {
            "carrier": "Balkan Post",
            "tracking_number": "BP100207871BG",
            "tracking_url": "https://post.example/track/BP100207871BG",
            "eta": "2026-11-23T15:00:00Z",
        },
    ),
    actor=STAFF,
)

RULES = [tell_buyer(TYPE, "email"), tell_buyer(TYPE, "sms")]
