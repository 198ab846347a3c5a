"""What tests need of the catalogue: its types, their samples as facts, their validators."""

from functools import cache
from pathlib import Path
from types import ModuleType
from typing import Any

import jsonschema_rs

from examples.words import SHOP
from vestnik import events
from vestnik.events._samples import CUSTOMER

ROOT = Path(__file__).parents[1]
MESSAGES = ROOT / "templates" / "messages"
TYPES = events.types()
LANGUAGES = ("en", "ru", "bg")
SILENT = {"stock.changed"}  # what is for sale follows; nobody is told
PEOPLE = {"customer": "Maria", "staff": "Elena"}


def module_of(type: str) -> ModuleType:
    found = events.find(type)
    assert found is not None, type
    return found


@cache
def validator(type: str) -> Any:
    return jsonschema_rs.validator_for(module_of(type).SCHEMA, validate_formats=True)


def facts(type: str, audience: str = "customer", language: str = "en") -> dict[str, Any]:
    event = module_of(type).SAMPLE
    known = {name: event["data"][name] for name in ("order",) if name in event["data"]}
    return {
        **{name: event[name] for name in ("type", "source", "time", "data")},
        **known,
        "customer": CUSTOMER,
        "shop": SHOP,
        "recipient": {"kind": audience, "id": "1", "name": PEOPLE[audience], "language": language},
        "language": language,
    }
