"""A courier took the order and brings it today.

Post it when the courier leaves; `window_from` and `window_to` say between which hours the courier comes.

The customer is told by e-mail and by SMS, so that somebody is at home.
"""

from datetime import timedelta

from vestnik.domain.schemas import COURIER, data_of_order, moment
from vestnik.events._rules import tell_buyer
from vestnik.events._samples import SYSTEM, event, order

TYPE = "order.out_for_delivery"
PURPOSE = "transactional"
USEFUL_LIFE = timedelta(hours=12)
STATUS = True
SECRET: tuple[str, ...] = ()
ONE_TIME = False

SCHEMA = data_of_order(
    {
        "courier": COURIER,
        "window_from": moment("The courier comes after"),
        "window_to": moment("The courier comes before"),
    }
)

SAMPLE = event(
    TYPE,
    "2026-11-21T07:10:00Z",
    order=order("out_for_delivery", {"eta": "2026-11-21T10:00:00Z"}),
    courier={"name": "Georgi", "phone": "+359980700011"},
    window_from="2026-11-21T08:00:00Z",
    window_to="2026-11-21T11:00:00Z",
    actor=SYSTEM,
)

RULES = [tell_buyer(TYPE, "email"), tell_buyer(TYPE, "sms")]
