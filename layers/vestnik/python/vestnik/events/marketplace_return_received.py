"""Goods of a marketplace's order have come back to us, or to the marketplace's point of return.

Vestnik raises it itself. Post it only for a marketplace that Vestnik does not know.

The staff chat is told. They count as stock only when the shop reports them.
"""

from datetime import timedelta

from vestnik.domain.schemas import data_of_marketplace_order, text
from vestnik.events._marketplace import ACCOUNT, OZON, chat, order
from vestnik.events._samples import event

TYPE = "marketplace.return_received"
PURPOSE = "service"
USEFUL_LIFE = timedelta(days=5)
STATUS = False
SECRET: tuple[str, ...] = ()
ONE_TIME = False

SCHEMA = data_of_marketplace_order({"reason": text("Why, in the marketplace's words or ours.", 500)})

SAMPLE = event(
    TYPE,
    "2026-11-20T09:15:00Z",
    account=ACCOUNT,
    order=order("cancelled"),
    reason="Не подошёл размер",
    actor=OZON,
)

RULES = chat(TYPE, priority=60)
