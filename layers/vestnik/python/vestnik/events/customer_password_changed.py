"""The password of an account was changed.

Post it after every change, whoever made it; never with the password.

The customer is told by e-mail and by SMS, so that a stranger's change does not go unnoticed.
"""

from datetime import timedelta

from vestnik.domain.schemas import data_of_customer, link, moment
from vestnik.events._rules import tell_customer
from vestnik.events._samples import BUYER, CUSTOMER, event

TYPE = "customer.password_changed"
PURPOSE = "transactional"
USEFUL_LIFE = timedelta(days=2)
STATUS = False
SECRET: tuple[str, ...] = ()
ONE_TIME = False

SCHEMA = data_of_customer(
    {
        "changed_at": moment("When"),
        "support_url": link("Where to turn if it was somebody else."),
    }
)

SAMPLE = event(
    TYPE,
    "2026-11-20T18:09:00Z",
    customer=CUSTOMER,
    changed_at="2026-11-20T18:09:00Z",
    support_url="https://samovar.example/help/account",
    actor=BUYER,
)

RULES = [tell_customer(TYPE, "email", priority=80), tell_customer(TYPE, "sms", priority=80)]
