"""A buyer disputes a marketplace's order.

Vestnik raises it itself. Post it only for a marketplace that Vestnik does not know.

The staff chat is told.
"""

from datetime import timedelta

from vestnik.domain.schemas import data_of_marketplace_order, moment, text
from vestnik.events._marketplace import ACCOUNT, OZON, chat, order
from vestnik.events._samples import event

TYPE = "marketplace.dispute_opened"
PURPOSE = "service"
USEFUL_LIFE = timedelta(days=5)
STATUS = False
SECRET: tuple[str, ...] = ()
ONE_TIME = False

SCHEMA = data_of_marketplace_order(
    {
        "deadline": moment("Until when it must be answered"),
        "reason": text("Why, in the marketplace's words or ours.", 500),
    }
)

SAMPLE = event(
    TYPE,
    "2026-11-20T09:15:00Z",
    account=ACCOUNT,
    order=order("disputed"),
    deadline="2026-11-25T09:15:00Z",
    reason="Товар повреждён",
    actor=OZON,
)

RULES = chat(TYPE, priority=70)
