"""A marketplace's order should have left by now, and has not.

Vestnik raises it itself. Post it only for a marketplace that Vestnik does not know.
Once an order.

The staff chat is told: a late shipment costs fines and standing.
"""

from datetime import timedelta

from vestnik.domain.schemas import data_of_marketplace_order
from vestnik.events._marketplace import ACCOUNT, OZON, chat, order
from vestnik.events._samples import event

TYPE = "marketplace.shipment_late"
PURPOSE = "service"
USEFUL_LIFE = timedelta(days=2)
STATUS = False
SECRET: tuple[str, ...] = ()
ONE_TIME = False

SCHEMA = data_of_marketplace_order({})

SAMPLE = event(
    TYPE,
    "2026-11-21T12:01:00Z",
    account=ACCOUNT,
    order=order("confirmed"),
    actor=OZON,
)

RULES = chat(TYPE, priority=80)
