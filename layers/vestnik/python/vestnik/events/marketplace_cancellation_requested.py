"""A marketplace's buyer asks to cancel an order, and we may still refuse.

Vestnik raises it itself. Post it only for a marketplace that Vestnik does not know.

No answer by the deadline counts as agreement on most marketplaces. The staff chat is told.
"""

from datetime import timedelta

from vestnik.domain.schemas import data_of_marketplace_order, moment, text
from vestnik.events._marketplace import ACCOUNT, OZON, chat, order
from vestnik.events._samples import event

TYPE = "marketplace.cancellation_requested"
PURPOSE = "service"
USEFUL_LIFE = timedelta(days=2)
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
    order=order("confirmed"),
    deadline="2026-11-22T09:15:00Z",
    reason="Покупатель передумал",
    actor=OZON,
)

RULES = chat(TYPE, priority=70)
