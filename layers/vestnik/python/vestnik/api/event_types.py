"""Event types: the catalogue that is shipped, and types of the shop's own."""

import json
from collections.abc import Iterator, Mapping
from datetime import timedelta
from types import ModuleType
from typing import Annotated, Any

from aws_lambda_powertools.event_handler.openapi.params import Path
from pydantic import Field

from vestnik import events
from vestnik.api import _kept
from vestnik.api._models import Model, Page, Purpose
from vestnik.api._problems import Fault, Problem
from vestnik.api._routes import Cursor, Limit, Router, needs
from vestnik.domain import rules

router = Router()

KIND = "type"
LARGEST_SCHEMA = 65_536  # bytes
DEEPEST = 60
REFERENCES = ("$ref", "$dynamicRef", "$recursiveRef")
DRAFT = "https://json-schema.org/draft/2020-12/schema"
LONGEST_LIFE = timedelta(days=60)

TypeName = Annotated[
    str,
    Path(
        max_length=100,
        pattern=r"^[a-z][a-z0-9_]*(\.[a-z][a-z0-9_]*)+$",
        description="`thing.happened`, in lower case.",
    ),
]


class EventType(Model):
    """An event type of the shop's own."""

    description: str = Field("", max_length=5000, description="When to post it.", examples=["A tasting was booked."])
    schema_: dict[str, Any] = Field(
        alias="schema",
        description="JSON Schema 2020-12 of the event's `data`. References stay inside it (`#/$defs/...`).",
        examples=[{"type": "object", "properties": {"customer_id": {"type": "string"}}, "required": ["customer_id"]}],
    )
    sample: dict[str, Any] | None = Field(
        None, description="`data` of a sample event, for previews.", examples=[{"customer_id": "c-1042"}]
    )
    purpose: Purpose = Field(
        "service", description="`transactional` and `service` messages go to everybody, `marketing` needs consent."
    )
    useful_life: str = Field(
        "P14D",
        pattern=r"^P(\d{1,3}W)?(\d{1,4}D)?(T(\d{1,5}H)?(\d{1,6}M)?(\d{1,8}S)?)?$",
        description="How long after the event a message still makes sense: ISO 8601, at most 60 days.",
        examples=["P2D"],
    )


class TypeListed(Model):
    """An event type in a list."""

    type: str
    shipped: bool = Field(description="Of the catalogue; the others are the shop's own.")
    purpose: str
    useful_life: str = Field(description="ISO 8601 duration.")
    summary: str = Field(description="When it is posted.")


class TypeShown(TypeListed):
    """An event type with all that is known of it."""

    description: str = Field(description="Its page of the documentation, Markdown.")
    schema_: dict[str, Any] = Field(alias="schema", description="JSON Schema of the event's `data`.")
    sample: dict[str, Any] | None = Field(description="A sample event, as it can be posted.")
    revision: int = Field(description="The settings revision that made it so; 0: shipped. Give it as `If-Match`.")
    at: str | None = Field(description="When (RFC 3339).")
    by: str | None = Field(description="Who: `key:<id of the API key>`.")


@router.get("/event-types")
@needs("read")
def list_event_types(limit: Limit = 50, cursor: Cursor = "") -> Page[TypeListed]:
    """List the event types: the shipped ones and the shop's own."""
    entries, following = _kept.merged(KIND, {type: {} for type in events.types()}, limit, cursor)
    listed = [TypeListed.model_validate({k: v for k, v in _facts(e).items() if k in LISTED}) for e in entries]
    return Page[TypeListed](items=listed, next=following)


@router.get("/event-types/<type>")
@needs("read")
def read_event_type(type: TypeName) -> TypeShown:
    """Read an event type: schema, sample and documentation."""
    return TypeShown.model_validate(_facts(_kept.find(KIND, type, _shipped)))


@router.put("/event-types/<type>")
@needs("admin", match=True, problems=(409,), links={"read": ("read_event_type", {"type": "$response.body#/type"})})
def put_event_type(type: TypeName, body: EventType) -> TypeShown:
    """Define an event type of the shop's own.

    The shipped ones cannot be changed.
    """
    if events.find(type) is not None:
        raise Problem(409, "shipped", f"{type} is shipped; it cannot be changed", Fault("{type}", "is shipped"))
    faults = [*_life_faults(body.useful_life), *_schema_faults(body.schema_)] or [*_sample_faults(body)]
    if faults:
        raise Problem(422, "invalid-event-type", faults[0].message, *faults)
    kept = body.model_dump(mode="json", by_alias=True, exclude_none=True)
    return TypeShown.model_validate(_facts(_kept.keep(KIND, type, kept)))


@router.delete("/event-types/<type>", status_code=204)
@needs("admin", match=True, problems=(404,))
def delete_event_type(type: TypeName) -> None:
    """Remove an event type of the shop's own.

    Events of this type are refused from then on.
    """
    _kept.remove(KIND, type)


LISTED = frozenset(TypeListed.model_fields)


def _shipped(type: str) -> Mapping[str, Any] | None:
    return {} if events.find(type) is not None else None


def _facts(entry: _kept.Entry) -> dict[str, Any]:
    trail = {name: entry[name] for name in ("revision", "at", "by", "shipped")} | {"type": entry["id"]}
    module = events.find(entry["id"]) if entry["shipped"] else None
    return trail | (_of_catalogue(module) if module else _of_shop(entry))


def _of_catalogue(module: ModuleType) -> dict[str, Any]:
    return {
        "purpose": module.PURPOSE,
        "useful_life": _iso(module.USEFUL_LIFE),
        "summary": (module.__doc__ or "").partition("\n")[0],
        "description": events.page(module.TYPE),
        "schema": module.SCHEMA,
        "sample": module.SAMPLE,
    }


def _of_shop(entry: _kept.Entry) -> dict[str, Any]:
    body = {"description": "", "sample": None, "purpose": "service", "useful_life": "P14D", **entry["body"]}
    sample = body["sample"]
    body["sample"] = None if sample is None else {"type": entry["id"], "data": sample}
    return {**body, "summary": str(body["description"]).partition("\n")[0]}


def _iso(life: timedelta) -> str:
    days, seconds = divmod(int(life.total_seconds()), 86400)
    hours, rest = divmod(seconds, 3600)
    time = "".join(f"{n}{unit}" for n, unit in ((hours, "H"), (rest // 60, "M"), (rest % 60, "S")) if n)
    return f"P{f'{days}D' if days or not time else ''}{f'T{time}' if time else ''}"


def _life_faults(text: str) -> Iterator[Fault]:
    expected = "ISO 8601, such as PT2H or P14D; at most 60 days"
    try:
        life = rules.duration(text)
    except ValueError:
        yield Fault("/useful_life", "is no duration", text, expected)
        return
    if not timedelta() < life <= LONGEST_LIFE:
        yield Fault("/useful_life", "is out of bounds", text, expected)


def _schema_faults(schema: dict[str, Any]) -> Iterator[Fault]:
    """Why a schema is not taken: too large, pointing outside, or no JSON Schema."""
    import jsonschema_rs

    size = len(json.dumps(schema, ensure_ascii=False).encode())
    if size > LARGEST_SCHEMA:
        yield Fault("/schema", f"has {size} bytes", expected=f"at most {LARGEST_SCHEMA}")
    elif outside := list(_outside(schema, "/schema", 0)):
        yield from outside[:10]
    else:
        try:
            # Offline: the validator would else fetch what a reference names, from the network or from our disk.
            jsonschema_rs.validator_for(schema, validate_formats=True, offline=True)
        except ValueError as wrong:
            yield Fault("/schema", f"is no JSON Schema: {str(wrong).partition(chr(10))[0][:300]}", expected=DRAFT)


def _outside(node: Any, where: str, depth: int) -> Iterator[Fault]:
    if depth > DEEPEST:
        yield Fault(where[:100], "is nested too deeply", expected=f"at most {DEEPEST} levels")
        return
    for name, value in _members(node):
        here = f"{where}/{str(name).replace('~', '~0').replace('/', '~1')}"
        if name in REFERENCES and not (isinstance(value, str) and value.startswith("#")):
            yield Fault(here, "points outside the schema", str(value)[:100], "a reference such as #/$defs/name")
        elif name == "$id" and isinstance(value, str):
            yield Fault(here, "gives the schema an address, and references a way outside", value[:100], "no $id")
        elif name == "$schema" and value != DRAFT:
            yield Fault(here, "is another dialect", str(value)[:100], DRAFT)
        yield from _outside(value, here, depth + 1)


def _members(node: Any) -> list[tuple[Any, Any]]:
    if isinstance(node, dict):
        return list(node.items())
    return list(enumerate(node)) if isinstance(node, list) else []


def _sample_faults(body: EventType) -> Iterator[Fault]:
    """Whether the sample is one by the schema."""
    import jsonschema_rs

    if body.sample is None:
        return
    validator = jsonschema_rs.validator_for(body.schema_, validate_formats=True, offline=True)
    for error in list(validator.iter_errors(body.sample))[:10]:
        where = "".join(f"/{part}" for part in error.instance_path)
        yield Fault(f"/sample{where}", error.message[:300])
