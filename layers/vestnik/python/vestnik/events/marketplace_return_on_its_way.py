"""Goods of a marketplace's order are coming back.

Vestnik raises it itself. Post it only for a marketplace that Vestnik does not know.

The staff chat is told. Stock does not change: that is for the shop to report, when the goods are on the shelf again.
"""

from datetime import timedelta

from vestnik.domain.schemas import data_of_marketplace_order, text
from vestnik.events._marketplace import ACCOUNT, OZON, chat, order
from vestnik.events._samples import event

TYPE = "marketplace.return_on_its_way"
PURPOSE = "service"
USEFUL_LIFE = timedelta(days=5)
STATUS = False
SECRET: tuple[str, ...] = ()
ONE_TIME = False

SCHEMA = data_of_marketplace_order(
    {
        "reason": text("Why, in the marketplace's words or ours.", 500),
        "tracking_number": text("The parcel's number.", 128),
    }
)

SAMPLE = event(
    TYPE,
    "2026-11-20T09:15:00Z",
    account=ACCOUNT,
    order=order("cancelled"),
    reason="Не подошёл размер",
    tracking_number="80510000123456",
    actor=OZON,
)

RULES = chat(TYPE, priority=60)
