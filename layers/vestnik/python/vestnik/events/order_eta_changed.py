"""The order will arrive at another time than was said.

Post it with the new time in `eta`, and the old one in `previous_eta` if it had been told.

The customer is told. Only the newest time is told: an older one is recorded.
"""

from datetime import timedelta

from vestnik.domain.schemas import data_of_order, moment, text
from vestnik.events._rules import tell_buyer
from vestnik.events._samples import SYSTEM, event, order

TYPE = "order.eta_changed"
PURPOSE = "transactional"
USEFUL_LIFE = timedelta(days=1)
STATUS = True
SECRET: tuple[str, ...] = ()
ONE_TIME = False

SCHEMA = data_of_order(
    {
        "eta": moment("When it should arrive now"),
        "previous_eta": moment("When it should have arrived"),
        "reason": text("Why, in words for the customer.", 500),
    },
    required=("eta",),
)

SAMPLE = event(
    TYPE,
    "2026-11-21T06:30:00Z",
    order=order("shipped", {"eta": "2026-11-24T15:00:00Z"}),
    eta="2026-11-24T15:00:00Z",
    previous_eta="2026-11-23T15:00:00Z",
    reason="Заради снега пратките закъсняват с един ден.",
    actor=SYSTEM,
)

RULES = [tell_buyer(TYPE, "email")]
