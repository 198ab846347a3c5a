"""Somebody asked for a new password for an account.

Post it with a one-time link (`reset_url`), a one-time `code`, or both.

The customer gets the link by e-mail, and by SMS where there is a code. After 15 minutes neither goes any more.
When it is doubtful whether a message went, it is not repeated: the customer can ask again. Link and code are
masked when staff look at the message.
"""

from datetime import timedelta

from vestnik.domain.schemas import data_of_customer, link, moment, text
from vestnik.events._rules import tell_customer
from vestnik.events._samples import BUYER, CUSTOMER, event

TYPE = "customer.password_reset_requested"
PURPOSE = "transactional"
USEFUL_LIFE = timedelta(minutes=15)
STATUS = False
SECRET: tuple[str, ...] = ("reset_url", "code")
ONE_TIME = True

SCHEMA = data_of_customer(
    {
        "reset_url": link("One-time link to choose a new password.") | {"x-secret": True},
        "code": text("One-time code.", 16, **{"x-secret": True}),
        "expires_at": moment("How long the link works"),
    }
)

SAMPLE = event(
    TYPE,
    "2026-11-20T18:04:00Z",
    customer=CUSTOMER,
    reset_url="https://samovar.example/reset/f41f0d1b77",
    code="402917",
    expires_at="2026-11-20T18:19:00Z",
    actor=BUYER,
)

RULES = [
    tell_customer(TYPE, "email", priority=90),
    tell_customer(TYPE, "sms", {"data": {"code": [{"exists": True}]}}, priority=90),
]
