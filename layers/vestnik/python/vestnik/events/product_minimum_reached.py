"""The stock of an item came down to its minimum.

Post it once a crossing: when the quantity reaches the minimum, and again only after it has been above it.

The staff chat and the warehouse are told, so that the item is ordered in time, unless it is marked as not tracked
(`product.tracked` is false).
"""

from datetime import timedelta

from vestnik.domain.schemas import data_of_product
from vestnik.events._rules import STAFF_CHAT, group, tell_staff
from vestnik.events._samples import SYSTEM, event

TYPE = "product.minimum_reached"
PURPOSE = "service"
USEFUL_LIFE = timedelta(days=1)
STATUS = False
SECRET: tuple[str, ...] = ()
ONE_TIME = False

SCHEMA = data_of_product({})

SAMPLE = event(
    TYPE,
    "2026-11-20T14:47:00Z",
    product={
        "sku": "TEA-ASSAM-250",
        "name": "Assam tea, 250 g",
        "quantity": 10,
        "minimum": 10,
        "unit": "pcs",
        "warehouse": "Sofia",
        "url": "https://samovar.example/items/TEA-ASSAM-250",
        "tracked": True,
    },
    actor=SYSTEM,
)

TRACKED = {"data": {"product": {"tracked": [{"exists": False}, True]}}}

RULES = [
    tell_staff(TYPE, "telegram", STAFF_CHAT, pattern=TRACKED),
    tell_staff(TYPE, "email", group("warehouse"), pattern=TRACKED),
]
