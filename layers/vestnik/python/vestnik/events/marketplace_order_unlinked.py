"""A marketplace's order has goods that are linked to no item of the shop.

Vestnik raises it itself. Post it only for a marketplace that Vestnik does not know.

What of its goods is linked is reserved at once. It is packed and handed over only when the rest is linked too: then it
goes on by itself. The staff chat is told.
"""

from datetime import timedelta

from vestnik.domain.schemas import MARKETPLACE_LINE, data_of_marketplace_order
from vestnik.events._marketplace import ACCOUNT, OZON, chat, order
from vestnik.events._samples import event

TYPE = "marketplace.order_unlinked"
PURPOSE = "service"
USEFUL_LIFE = timedelta(days=3)
STATUS = False
SECRET: tuple[str, ...] = ()
ONE_TIME = False

SCHEMA = data_of_marketplace_order(
    {
        "units": {
            "type": "array",
            "items": MARKETPLACE_LINE,
            "maxItems": 500,
            "description": "What is linked to nothing.",
        }
    },
    required=("units",),
)

SAMPLE = event(
    TYPE,
    "2026-11-20T09:15:00Z",
    account=ACCOUNT,
    order=order("new"),
    units=[{"unit": "CUP-SET-6", "name": "Набор из шести чашек", "quantity": 1}],
    actor=OZON,
)

RULES = chat(TYPE, priority=70)
