"""The exchange with a marketplace's account fails, again and again.

Vestnik raises it itself. Post it only for a marketplace that Vestnik does not know.
Once a failure that lasts, not once a try.

The staff chat is told, and the managers by e-mail: orders or stock are not as they should be.
"""

from datetime import timedelta

from vestnik.domain.schemas import data_of_marketplace, moment, name, text
from vestnik.events._marketplace import ACCOUNT, chat_and_managers
from vestnik.events._samples import SYSTEM, event

TYPE = "marketplace.sync_failed"
PURPOSE = "service"
USEFUL_LIFE = timedelta(days=2)
STATUS = False
SECRET: tuple[str, ...] = ()
ONE_TIME = False

SCHEMA = data_of_marketplace(
    {
        "flow": name("What was exchanged: `orders`, `stock`, `products`, `readback`, `health`.", 64),
        "reason": name("What went wrong.", 500),
        "code": text("A stable word for it.", 64),
        "since": moment("When it last worked"),
        "next_at": moment("When it is tried next"),
    },
    required=("account", "flow", "reason"),
)

SAMPLE = event(
    TYPE,
    "2026-11-20T14:47:00Z",
    account=ACCOUNT,
    flow="orders",
    reason="The marketplace does not answer.",
    code="unknown",
    since="2026-11-20T14:30:00Z",
    next_at="2026-11-20T14:52:00Z",
    actor=SYSTEM,
)

RULES = chat_and_managers(TYPE, priority=70)
