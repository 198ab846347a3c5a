"""A marketplace's order must leave soon, and has not left.

Vestnik raises it itself. Post it only for a marketplace that Vestnik does not know.
Once an order.

The staff chat is told.
"""

from datetime import timedelta

from vestnik.domain.schemas import data_of_marketplace_order, whole
from vestnik.events._marketplace import ACCOUNT, OZON, chat, order
from vestnik.events._samples import event

TYPE = "marketplace.shipment_about_to_be_late"
PURPOSE = "service"
USEFUL_LIFE = timedelta(hours=12)
STATUS = False
SECRET: tuple[str, ...] = ()
ONE_TIME = False

SCHEMA = data_of_marketplace_order({"hours_left": whole("Whole hours until it is late.")})

SAMPLE = event(
    TYPE,
    "2026-11-21T08:00:00Z",
    account=ACCOUNT,
    order=order("confirmed"),
    hours_left=4,
    actor=OZON,
)

RULES = chat(TYPE, priority=70)
