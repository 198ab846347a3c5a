"""The courier is near and rings in a few minutes.

Post it once a delivery, with a link to the map if there is one.

The customer is told by SMS and by e-mail. After two hours the news is worth nothing, and the message does not go.
"""

from datetime import timedelta

from vestnik.domain.schemas import COURIER, data_of_order, link, whole
from vestnik.events._rules import tell_buyer
from vestnik.events._samples import SYSTEM, event, order

TYPE = "order.courier_near"
PURPOSE = "transactional"
USEFUL_LIFE = timedelta(hours=2)
STATUS = True
SECRET: tuple[str, ...] = ()
ONE_TIME = False

SCHEMA = data_of_order(
    {
        "courier": COURIER,
        "map_url": link("Where the customer can see the courier on a map."),
        "minutes": whole("In about how many minutes the courier is there."),
    }
)

SAMPLE = event(
    TYPE,
    "2026-11-21T09:20:00Z",
    order=order("out_for_delivery", {"eta": "2026-11-21T09:35:00Z"}),
    courier={"name": "Georgi", "phone": "+359980700011"},
    map_url="https://samovar.example/map/o-20871",
    minutes=15,
    actor=SYSTEM,
)

RULES = [tell_buyer(TYPE, "sms", priority=70), tell_buyer(TYPE, "email", priority=70)]
