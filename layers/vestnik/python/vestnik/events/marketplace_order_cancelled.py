"""A marketplace's order was cancelled: by its buyer, by the marketplace, or by us.

Vestnik raises it itself. Post it only for a marketplace that Vestnik does not know.

`handed_over` says that the parcel had left: the goods come back, and count as stock only when the shop reports them.
The staff chat is told, so that nobody goes on packing.
"""

from datetime import timedelta

from vestnik.domain.schemas import data_of_marketplace_order, text
from vestnik.events._marketplace import ACCOUNT, OZON, chat, order
from vestnik.events._samples import event

TYPE = "marketplace.order_cancelled"
PURPOSE = "service"
USEFUL_LIFE = timedelta(days=3)
STATUS = False
SECRET: tuple[str, ...] = ()
ONE_TIME = False

SCHEMA = data_of_marketplace_order(
    {
        "reason": text("Why, in the marketplace's words or ours.", 500),
        "handed_over": {"type": "boolean", "description": "Whether the parcel had left already."},
    }
)

SAMPLE = event(
    TYPE,
    "2026-11-20T09:15:00Z",
    account=ACCOUNT,
    order=order("cancelled"),
    reason="Покупатель передумал",
    handed_over=False,
    actor=OZON,
)

RULES = chat(TYPE, priority=70)
