"""A marketplace does not take the number of pieces that may be sold of a card.

Vestnik raises it itself. Post it only for a marketplace that Vestnik does not know.
Once for each card and reason; again only after the marketplace has taken a number of it. What it shows stays as it is
meanwhile, so it may sell what is not there: where it shows more than there is, the card stands first.

The staff chat is told.
"""

from datetime import timedelta

from vestnik.domain.schemas import data_of_marketplace, name, shape, text
from vestnik.events._marketplace import ACCOUNT, chat
from vestnik.events._samples import SYSTEM, event

TYPE = "marketplace.stock_refused"
PURPOSE = "service"
USEFUL_LIFE = timedelta(days=1)
STATUS = False
SECRET: tuple[str, ...] = ()
ONE_TIME = False

UNIT = shape(
    "RefusedStock",
    {
        "unit": name("The marketplace's key of what is sold."),
        "name": text("What it is called there.", 500),
        "warehouse": text("The marketplace's warehouse.", 128),
        "quantity": {"type": "number", "description": "How many may be sold."},
        "shows": {"type": "number", "description": "How many it shows, as far as is known."},
        "code": text("The marketplace's word for why not.", 100),
        "message": text("Why, in the marketplace's words.", 300),
    },
    required=("unit", "quantity"),
)

SCHEMA = data_of_marketplace(
    {
        "units": {"type": "array", "items": UNIT, "minItems": 1, "maxItems": 20, "description": "The first of them."},
        "count": {"type": "integer", "minimum": 1, "description": "How many there are."},
    },
    required=("account", "units", "count"),
)

SAMPLE = event(
    TYPE,
    "2026-11-20T14:47:00Z",
    account=ACCOUNT,
    units=[
        {
            "unit": "CUP-SET-6",
            "name": "Набор из шести чашек",
            "warehouse": "22142605386000",
            "quantity": 0,
            "shows": 4,
            "code": "product_is_not_created",
            "message": "Product is not created",
        }
    ],
    count=1,
    actor=SYSTEM,
)

RULES = chat(TYPE, priority=70)
