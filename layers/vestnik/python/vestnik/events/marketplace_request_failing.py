"""A call to a marketplace no longer works: it was switched off, or fails for everything.

Vestnik raises it itself. Post it only for a marketplace that Vestnik does not know.
Once, when it begins.

`replaced_by` says what has taken its place by itself; without it somebody must mend the definition, or take the newer
one that is shipped (`shipped_version`).
The staff chat is told, and the managers by e-mail.
"""

from datetime import timedelta

from vestnik.domain.schemas import MARKETPLACE_REQUEST, data_of_marketplace, name, text, whole
from vestnik.events._marketplace import ACCOUNT, OZON, REQUEST, chat_and_managers
from vestnik.events._samples import event

TYPE = "marketplace.request_failing"
PURPOSE = "service"
USEFUL_LIFE = timedelta(days=7)
STATUS = False
SECRET: tuple[str, ...] = ()
ONE_TIME = False

SCHEMA = data_of_marketplace(
    {
        "request": MARKETPLACE_REQUEST | {"description": "The call."},
        "reason": name("What it answers now.", 500),
        "replaced": {"type": "boolean", "description": "Whether another definition has taken its place."},
        "replaced_by": text("Which one.", 128),
        "source": text("Where the definition was from: `shipped` or `own`.", 16),
        "own_version": whole("Which shipped version the shop's own was made from, where a newer one is shipped."),
        "shipped_version": whole("Which newer one is shipped: `POST /v1/requests/{id}/adopt` takes it."),
    },
    required=("request", "reason"),
)

SAMPLE = event(
    TYPE,
    "2026-11-20T14:47:00Z",
    account=ACCOUNT,
    request=REQUEST,
    reason="404 from POST /v3/posting/fbs/list",
    replaced=True,
    replaced_by="ozon.orders.list.v4",
    source="shipped",
    actor=OZON,
)

RULES = chat_and_managers(TYPE, priority=80)
