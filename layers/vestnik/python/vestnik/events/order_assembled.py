"""Everything in the order has been picked and packed.

Post it when the order is ready to leave the warehouse.

The customer is told. If the order is cancelled before the message goes, the message does not go.
"""

from datetime import timedelta

from vestnik.domain.schemas import data_of_order, whole
from vestnik.events._rules import tell_buyer
from vestnik.events._samples import STAFF, event, order

TYPE = "order.assembled"
PURPOSE = "transactional"
USEFUL_LIFE = timedelta(days=1)
STATUS = True
SECRET: tuple[str, ...] = ()
ONE_TIME = False

SCHEMA = data_of_order({"packages": whole("In how many parcels.", 1)})

SAMPLE = event(TYPE, "2026-11-20T12:05:00Z", order=order("assembled"), packages=1, actor=STAFF)

RULES = [tell_buyer(TYPE, "email")]
