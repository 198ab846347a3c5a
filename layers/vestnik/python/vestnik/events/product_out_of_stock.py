"""The last piece of an item is gone.

Post it once, when the quantity comes down to zero; post it again only after the item has been in stock meanwhile.

The staff chat and the warehouse are told, unless the item is marked as not tracked (`product.tracked` is false).
"""

from datetime import timedelta

from vestnik.domain.schemas import data_of_product
from vestnik.events._rules import STAFF_CHAT, group, tell_staff
from vestnik.events._samples import SYSTEM, event

TYPE = "product.out_of_stock"
PURPOSE = "service"
USEFUL_LIFE = timedelta(days=1)
STATUS = False
SECRET: tuple[str, ...] = ()
ONE_TIME = False

SCHEMA = data_of_product({})

SAMPLE = event(
    TYPE,
    "2026-11-20T16:12:00Z",
    product={
        "sku": "TEA-ASSAM-250",
        "name": "Assam tea, 250 g",
        "quantity": 0,
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
    tell_staff(TYPE, "telegram", STAFF_CHAT, pattern=TRACKED, priority=60),
    tell_staff(TYPE, "email", group("warehouse"), pattern=TRACKED, priority=60),
]
