"""The stock of items changed.

Post it when what lies in a warehouse changes otherwise than by an order that the shop tells of: goods came in, were
counted, written off, sold over the counter, brought back. Up to 500 numbers an event; for more use `PUT /v1/stock`.

Nobody is told by default: what is for sale on every marketplace follows. Each number says how many there are, never by
how many they changed. One that is no newer than what is known (`as_of`, else the event's time) changes nothing.
"""

from datetime import timedelta
from typing import Any

from vestnik.domain.schemas import ACTOR, Schema, moment, name
from vestnik.events._samples import SYSTEM, event

TYPE = "stock.changed"
PURPOSE = "service"
USEFUL_LIFE = timedelta(days=1)
STATUS = False
SECRET: tuple[str, ...] = ()
ONE_TIME = False

ROW: Schema = {
    "type": "object",
    "required": ["item", "warehouse", "quantity"],
    "properties": {
        "item": name("The shop's code of the item, as `sku` in its orders."),
        "warehouse": name("The shop's warehouse."),
        "quantity": {
            "type": "integer",
            "minimum": 0,
            "maximum": 1_000_000_000,
            "description": "How many there are.",
        },
        "kind": {
            "type": ["string", "null"],
            "enum": ["physical", "free", None],
            "description": "`physical` (also when absent): all that lies there. `free`: what is left after the "
            "shop's own reservations.",
        },
        "as_of": moment("When it was so; the event's time when absent"),
    },
}

SCHEMA: Schema = {
    "type": "object",
    "required": ["items"],
    "properties": {
        "items": {
            "type": "array",
            "minItems": 1,
            "maxItems": 500,
            "items": ROW,
            "description": "The numbers, one an item and warehouse.",
        },
        "actor": ACTOR,
    },
}

SAMPLE = event(
    TYPE,
    "2026-11-20T14:30:00Z",
    items=[
        {
            "item": "TEA-ASSAM-250",
            "warehouse": "sofia",
            "quantity": 120,
            "kind": "physical",
            "as_of": "2026-11-20T14:29:58Z",
        },
        {"item": "POT-GLASS-08", "warehouse": "sofia", "quantity": 14},
    ],
    actor=SYSTEM,
)

RULES: list[dict[str, Any]] = []
