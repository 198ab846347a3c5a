"""The credentials of a marketplace's account are about to end.

Vestnik raises it itself. Post it only for a marketplace that Vestnik does not know.

The staff chat is told, and the managers by e-mail: the exchange stops with them.
"""

from datetime import timedelta

from vestnik.domain.schemas import data_of_marketplace, moment, whole
from vestnik.events._marketplace import ACCOUNT, chat_and_managers
from vestnik.events._samples import SYSTEM, event

TYPE = "marketplace.credentials_expiring"
PURPOSE = "service"
USEFUL_LIFE = timedelta(days=7)
STATUS = False
SECRET: tuple[str, ...] = ()
ONE_TIME = False

SCHEMA = data_of_marketplace(
    {
        "expires_at": moment("When they end"),
        "days_left": whole("Whole days until then."),
    },
    required=("account", "expires_at"),
)

SAMPLE = event(
    TYPE,
    "2026-11-20T14:47:00Z",
    account=ACCOUNT,
    expires_at="2026-12-04T00:00:00Z",
    days_left=13,
    actor=SYSTEM,
)

RULES = chat_and_managers(TYPE, priority=70)
