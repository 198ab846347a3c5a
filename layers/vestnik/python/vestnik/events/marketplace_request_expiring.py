"""A call to a marketplace ends within 14 days.

Vestnik raises it itself. Post it only for a marketplace that Vestnik does not know.
Once a definition.

The staff chat is told.
"""

from datetime import timedelta

from vestnik.domain.schemas import MARKETPLACE_REQUEST, data_of_marketplace, moment, text
from vestnik.events._marketplace import REQUEST, chat
from vestnik.events._samples import SYSTEM, event

TYPE = "marketplace.request_expiring"
PURPOSE = "service"
USEFUL_LIFE = timedelta(days=7)
STATUS = False
SECRET: tuple[str, ...] = ()
ONE_TIME = False

SCHEMA = data_of_marketplace(
    {
        "request": MARKETPLACE_REQUEST | {"description": "The call."},
        "valid_until": moment("When it ends"),
        "replaced_by": text("What takes its place then.", 128),
    },
    required=("request", "valid_until"),
)

SAMPLE = event(
    TYPE,
    "2026-11-20T14:47:00Z",
    request=REQUEST,
    valid_until="2026-12-01T00:00:00Z",
    replaced_by="ozon.orders.list.v4",
    actor=SYSTEM,
)

RULES = chat(TYPE)
