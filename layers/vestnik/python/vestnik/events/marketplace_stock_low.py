"""An item that is sold on marketplaces is about to run out.

Vestnik raises it itself. Post it only for a marketplace that Vestnik does not know.
Once a crossing of the item's minimum; again only after it has been above it.

The staff chat is told.
"""

from datetime import timedelta

from vestnik.domain.schemas import PRODUCT, data_of_marketplace
from vestnik.events._marketplace import ACCOUNT, chat
from vestnik.events._samples import SYSTEM, event

TYPE = "marketplace.stock_low"
PURPOSE = "service"
USEFUL_LIFE = timedelta(days=1)
STATUS = False
SECRET: tuple[str, ...] = ()
ONE_TIME = False

SCHEMA = data_of_marketplace(
    {"product": PRODUCT | {"description": "The item, and how many can still be sold over all channels."}},
    required=("product",),
)

SAMPLE = event(
    TYPE,
    "2026-11-20T14:47:00Z",
    account=ACCOUNT,
    product={"sku": "TEA-ASSAM-250", "name": "Assam tea, 250 g", "quantity": 3, "minimum": 3, "warehouse": "Sofia"},
    actor=SYSTEM,
)

RULES = chat(TYPE)
