"""A customer's e-mail address is to be confirmed, for the first time or after a change.

Post it with a one-time link. `email` is the address to confirm where it is not yet the profile's: the message
names it.

The customer is told by e-mail. When it is doubtful whether the message went, it is not repeated: the customer can
ask for another link. The link is masked when staff look at the message.
"""

from datetime import timedelta

from vestnik.domain.schemas import data_of_customer, link, moment, text
from vestnik.events._rules import tell_customer
from vestnik.events._samples import BUYER, CUSTOMER, event

TYPE = "customer.email_confirmation_requested"
PURPOSE = "transactional"
USEFUL_LIFE = timedelta(hours=24)
STATUS = False
SECRET: tuple[str, ...] = ("confirmation_url",)
ONE_TIME = True

SCHEMA = data_of_customer(
    {
        "confirmation_url": link("One-time link.") | {"x-secret": True},
        "email": text("The address to confirm.", 320),
        "expires_at": moment("How long the link works"),
    },
    required=("confirmation_url",),
)

SAMPLE = event(
    TYPE,
    "2026-11-20T08:31:00Z",
    customer=CUSTOMER,
    confirmation_url="https://samovar.example/confirm/b2e08c44f1",
    email="maria.ivanova@example.com",
    expires_at="2026-11-21T08:31:00Z",
    actor=BUYER,
)

RULES = [tell_customer(TYPE, "email", priority=90)]
