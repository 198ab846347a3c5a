"""A stock run would take so much of an account to zero that it waits for a person.

Vestnik raises it itself. Post it only for a marketplace that Vestnik does not know.

Once a run that is held. It goes on when somebody confirms it (`POST /v1/accounts/{id}/confirm`), or by itself once
what is wrong is right again. The staff chat is told, and the managers by e-mail.
"""

from datetime import timedelta

from vestnik.domain.schemas import data_of_marketplace, whole
from vestnik.events._marketplace import ACCOUNT, chat_and_managers
from vestnik.events._samples import SYSTEM, event

TYPE = "marketplace.zeroing_held"
PURPOSE = "service"
USEFUL_LIFE = timedelta(days=7)
STATUS = False
SECRET: tuple[str, ...] = ()
ONE_TIME = False

SCHEMA = data_of_marketplace(
    {
        "percent": {"type": "number", "minimum": 0, "description": "How much of what is for sale would become zero."},
        "limit_percent": {"type": "number", "minimum": 0, "description": "How much may without a person."},
        "units": whole("How many units would become zero."),
        "linked": whole("How many linked units are for sale now."),
    },
    required=("account", "percent", "limit_percent"),
)

SAMPLE = event(
    TYPE,
    "2026-11-20T14:47:00Z",
    account=ACCOUNT,
    percent=64,
    limit_percent=20,
    units=128,
    linked=200,
    actor=SYSTEM,
)

RULES = chat_and_managers(TYPE, priority=80)
