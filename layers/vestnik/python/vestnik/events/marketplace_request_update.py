"""Vestnik ships a newer definition of a call than the one that the shop's own version was made from.

Vestnik raises it itself. Post it only for a marketplace that Vestnik does not know.
Once a newer version.

The shop's own version stays in force until somebody takes the shipped one (`POST /v1/requests/{id}/adopt`).
The staff chat is told.
"""

from datetime import timedelta

from vestnik.domain.schemas import MARKETPLACE_REQUEST, data_of_marketplace, whole
from vestnik.events._marketplace import REQUEST, chat
from vestnik.events._samples import SYSTEM, event

TYPE = "marketplace.request_update"
PURPOSE = "service"
USEFUL_LIFE = timedelta(days=7)
STATUS = False
SECRET: tuple[str, ...] = ()
ONE_TIME = False

SCHEMA = data_of_marketplace(
    {
        "request": MARKETPLACE_REQUEST | {"description": "The call."},
        "own_version": whole("Which shipped version the shop's own was made from."),
        "shipped_version": whole("Which one is shipped now."),
    },
    required=("request",),
)

SAMPLE = event(
    TYPE,
    "2026-11-20T14:47:00Z",
    request=REQUEST,
    own_version=1,
    shipped_version=2,
    actor=SYSTEM,
)

RULES = chat(TYPE)
