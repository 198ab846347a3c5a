"""Records of people and orders: what customers, staff and orders do alike. Putting one notifies nobody."""

from collections.abc import Callable
from typing import Any

from pydantic import BaseModel, ConfigDict, Field

from vestnik import resources
from vestnik.api import _profiles
from vestnik.api._models import Page
from vestnik.api._paging import opened, sealed
from vestnik.api._problems import Fault, Problem, not_found
from vestnik.api._routes import caller
from vestnik.domain.cloudevents import utc
from vestnik.errors import Refused
from vestnik.flows import imports
from vestnik.store import records, settings

SENT_ONLY = ("maxLength", "minLength", "pattern")


class Kept(BaseModel):
    """A record as it stands: by puts, and by the events that carried it since."""

    model_config = ConfigDict(extra="allow", defer_build=True)

    id: str
    as_of: str = Field(description="The time of the newest fact in it (RFC 3339): older events change nothing.")


def of_shape(shape: dict[str, Any]) -> Callable[[dict[str, Any]], None]:
    """What the document says of a record's fields: those of its shape in events, by which it may have come."""

    def add(schema: dict[str, Any]) -> None:
        schema["properties"] = {**_plain(shape["properties"]), **schema["properties"]}

    return add


def _plain(schema: Any) -> Any:
    """A schema in the words that the resolver knows (it has no lists of types), and without the limits of what may
    be sent: a record may have come by an event or by a put, whose limits differ."""
    if not isinstance(schema, dict):
        return schema
    inner = {name: _plain(value) for name, value in schema.items() if name not in SENT_ONLY or isinstance(value, dict)}
    if not isinstance(inner.get("type"), list):
        return inner
    about = {name: inner.pop(name) for name in ("description",) if name in inner}
    return {"anyOf": [{**inner, "type": kind} if kind != "null" else {"type": kind} for kind in inner["type"]], **about}


def put(kind: str, id: str, profile: BaseModel) -> dict[str, Any]:
    """Keep a whole record in place of what stood there."""
    shop, now = caller().shop, resources.now()
    _check_spelling(profile)
    body = _checked(profile, id, country(shop))
    imports.keep(shop, kind, {id: body}, now)
    return {**body, "as_of": utc(now)}


def _check_spelling(profile: BaseModel) -> None:
    found = [
        Fault(f"/{fault.field.replace('.', '/')}", "there is no such field", expected=fault.expected)
        for fault in _profiles.misspelt(profile)
    ]
    if found:
        raise Problem(422, "invalid", f"{found[0].where}: there is no such field", *found)


def _checked(profile: BaseModel, id: str, country: str | None) -> dict[str, Any]:
    try:
        return _profiles.whole(profile, id, country)
    except Refused as refused:
        where = f"/{refused.where}" if refused.where else ""
        raise Refused(refused.reason, code=refused.code, where=where) from None


def country(shop: str) -> str | None:
    """The country as whose a shop's phone numbers are read where they do not begin with +."""
    found = settings.get(shop, "shop", "shop")
    told: str | None = ((found or {}).get("body") or {}).get("country")
    return told


def get(kind: str, id: str) -> dict[str, Any]:
    """One record. Raises Problem 404."""
    stored = records.get(imports.TABLE[kind], caller().shop, kind, id)
    if stored is None:
        raise not_found(kind, id)
    return _shown(stored)


def remove(kind: str, id: str) -> None:
    """Remove one record. Raises Problem 404."""
    get(kind, id)
    imports.remove(caller().shop, kind, id)


def page(kind: str, limit: int, cursor: str, shape: type[Kept]) -> Page[Any]:
    """A part of the list."""
    found, more = records.page(imports.TABLE[kind], caller().shop, kind, limit, opened(kind, cursor))
    items = [shape.model_validate(_shown(record)) for record in found]
    return Page[shape](items=items, next=sealed(kind, more) if more else None)  # type: ignore[valid-type]


def _shown(record: records.Record) -> dict[str, Any]:
    return {**record.body, "id": record.id, "as_of": record.as_of}
