"""A marketplace's buyer ordered.

Vestnik raises it itself. Post it only for a marketplace that Vestnik does not know.
Orders that are imported when an account is first connected are history and notify nobody.

The staff chat is told.
"""

from datetime import timedelta

from vestnik.domain.schemas import data_of_marketplace_order
from vestnik.events._marketplace import ACCOUNT, OZON, chat, order
from vestnik.events._samples import event

TYPE = "marketplace.order_received"
PURPOSE = "service"
USEFUL_LIFE = timedelta(days=2)
STATUS = False
SECRET: tuple[str, ...] = ()
ONE_TIME = False

SCHEMA = data_of_marketplace_order({})

SAMPLE = event(
    TYPE,
    "2026-11-20T09:15:00Z",
    account=ACCOUNT,
    order=order("new"),
    actor=OZON,
)

RULES = chat(TYPE, priority=50)
