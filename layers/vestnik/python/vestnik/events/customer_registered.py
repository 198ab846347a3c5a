"""A customer opened an account.

Post it with the whole customer; `confirmation_url` is the one-time link that proves the e-mail address.

The customer is welcomed, and asked to confirm the address if there is a link. The link is masked when staff look
at the message.
"""

from datetime import timedelta

from vestnik.domain.schemas import data_of_customer, link
from vestnik.events._rules import tell_customer
from vestnik.events._samples import BUYER, CUSTOMER, event

TYPE = "customer.registered"
PURPOSE = "transactional"
USEFUL_LIFE = timedelta(days=1)
STATUS = False
SECRET: tuple[str, ...] = ("confirmation_url",)
ONE_TIME = False

SCHEMA = data_of_customer(
    {"confirmation_url": link("One-time link that confirms the e-mail address.") | {"x-secret": True}}
)

SAMPLE = event(
    TYPE,
    "2026-11-20T08:30:00Z",
    customer=CUSTOMER,
    confirmation_url="https://samovar.example/confirm/7d1c0f5a9b",
    actor=BUYER,
)

RULES = [tell_customer(TYPE, "email")]
