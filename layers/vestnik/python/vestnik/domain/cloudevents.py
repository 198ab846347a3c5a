"""CloudEvents 1.0 as they are posted: structured, binary and batch mode, and a plain `{"type", "data"}`.

Source: CloudEvents specification 1.0.2 and its HTTP protocol binding.
"""

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any
from urllib.parse import unquote

from vestnik.domain import nesting
from vestnik.errors import Refused

LARGEST_BATCH = 500
LARGEST_EVENT = 128 * 1024  # bytes of JSON
AHEAD = timedelta(hours=24)
BATCH = "application/cloudevents-batch+json"
STRUCTURED = "application/cloudevents+json"
_TIME = re.compile(r"\d{4}-\d\d-\d\d[Tt]\d\d:\d\d:\d\d(\.\d+)?([Zz]|[+-]\d\d:\d\d)", re.ASCII)
_NAME = re.compile(r"[a-z0-9]+", re.ASCII)
ATTRIBUTES = frozenset(
    {"specversion", "id", "source", "type", "time", "subject", "datacontenttype", "dataschema"}
    | {"data", "data_base64", "notify"}
)
_TYPE = re.compile(r"[a-z][a-z0-9_]*(\.[a-z][a-z0-9_]*)+", re.ASCII)


@dataclass(frozen=True, slots=True)
class Posted:
    """What one request carried: the raw events, and whether they came as a batch."""

    events: list[Any]
    batch: bool


def read(headers: Mapping[str, str], body: str) -> Posted:
    """The raw events of a request. Header names are lower-case. Refused (code `unsupported-media-type`,
    `not-json`, `too-many`, `empty-batch`) where the body is none of the four modes."""
    media = headers.get("content-type", "application/json").split(";")[0].strip().lower()
    if "ce-specversion" in headers or "ce-type" in headers:
        return Posted([_binary(headers, media, body)], batch=False)
    if media not in (BATCH, STRUCTURED, "application/json"):
        raise Refused(
            f"the content type is {media!r}; post application/json, {STRUCTURED} or {BATCH}",
            code="unsupported-media-type",
            where="Content-Type",
        )
    value = _json(body)
    if media == STRUCTURED and isinstance(value, dict):
        _versioned(value)
    if isinstance(value, list):
        return Posted(_batch(value, media), batch=True)
    if media == BATCH:
        raise Refused("a batch is a JSON array of events; this is no array", code="invalid-event", where="")
    return Posted([value], batch=False)


def _batch(value: list[Any], media: str) -> list[Any]:
    if media == STRUCTURED:
        raise Refused(f"an array of events is posted as {BATCH}", code="invalid-event", where="Content-Type")
    if not value:
        raise Refused("the batch is empty; post 1 to 500 events", code="empty-batch", where="")
    if len(value) > LARGEST_BATCH:
        raise Refused(f"the batch has {len(value)} events; post at most {LARGEST_BATCH}", code="too-many", where="")
    return value


def _binary(headers: Mapping[str, str], media: str, body: str) -> dict[str, Any]:
    if media != "application/json" and not media.endswith("+json"):
        found = "in binary mode the body is the event's data as JSON"
        raise Refused(found, code="unsupported-media-type", where="Content-Type")
    attributes: dict[str, Any] = {k[3:]: _decoded(k[3:], v) for k, v in headers.items() if k.startswith("ce-")}
    _versioned(attributes)
    if "notify" in attributes:
        attributes["notify"] = attributes["notify"].lower() != "false"
    return {**attributes, "data": _json(body)}


def _decoded(name: str, value: str) -> str:
    """An attribute as its header wrote it: perhaps quoted, percent-encoded (HTTP binding 1.0.2, 3.1.3.2)."""
    if len(value) > 1 and value[0] == value[-1] == '"':
        value = re.sub(r"\\(.)", r"\1", value[1:-1])
    try:
        return unquote(value, errors="strict")
    except UnicodeDecodeError:
        raise Refused(f"{name} is not UTF-8 when decoded", code="invalid-event", where=f"/{name}") from None


def _versioned(raw: dict[str, Any]) -> None:
    """Whoever says that this is a CloudEvent must say of which version: only a plain event carries none."""
    if "specversion" not in raw:
        raise Refused('specversion is missing; it must be "1.0"', code="invalid-event", where="/specversion")


def _json(body: str) -> Any:
    try:
        return json.loads(body, parse_constant=_no_constant)
    except RecursionError:
        raise nesting.refusal() from None
    except ValueError as wrong:
        raise Refused(f"the body is not JSON: {wrong}", code="not-json", where="") from None


def _no_constant(name: str) -> Any:
    raise ValueError(f"{name} is not a JSON number")


def event(raw: Any, shop: str, fresh_id: str, now: datetime) -> dict[str, Any]:
    """One event as it is kept: {specversion, id, source, type, time (UTC), data, notify?}.

    `fresh_id` serves a plain event that carries no id. Refused (code `invalid-event`) names the attribute.
    """
    if not isinstance(raw, dict):
        raise Refused(f"an event is a JSON object, not {_kind(raw)}", code="invalid-event", where="")
    _check_whole(raw)
    structured = "specversion" in raw
    _check_names(raw, structured)
    kept = {
        "specversion": "1.0",
        "id": _text(raw, "id", fresh_id if not structured else None),
        "source": _text(raw, "source", f"/shops/{shop}" if not structured else None),
        "type": _type(raw),
        "time": _time(raw, now),
        "data": _data(raw),
    }
    if structured and raw["specversion"] != "1.0":
        raise Refused('specversion must be "1.0"', code="invalid-event", where="/specversion")
    return kept | _notify(raw)


def _check_whole(raw: dict[str, Any]) -> None:
    """Refuse what is too big or too deep, and numbers that JSON can write and no reader can hold."""
    try:
        text = json.dumps(raw, ensure_ascii=False, allow_nan=False, separators=(",", ":"))
    except ValueError:
        raise Refused("a number is too large for a double, as 1e999 is", code="not-json", where="") from None
    except RecursionError:
        raise nesting.refusal() from None
    whole = text.encode(errors="surrogatepass")
    if len(whole) > LARGEST_EVENT:
        found = f"the event has {len(whole):,} bytes; at most {LARGEST_EVENT:,} are taken"
        raise Refused(found, code="too-big", where="")
    nesting.check(whole)


def _check_names(raw: dict[str, Any], structured: bool) -> None:
    """Refuse what is no attribute: a misspelt `notify` must not pass as an extension. Names of extensions are
    lower-case letters and digits (CloudEvents 1.0.2, Naming Conventions); a plain event has none."""
    for name in sorted(raw.keys() - ATTRIBUTES):
        if structured and _NAME.fullmatch(name):
            continue
        reason = (
            "an attribute's name has lower-case letters and digits only" if structured else "there is no such field"
        )
        hint = f" (perhaps {name.lower()})" if name.lower() in ATTRIBUTES else ""
        where = name[:100].encode(errors="replace").decode().replace("~", "~0").replace("/", "~1")
        raise Refused(f"{reason}: {name[:100]!r}{hint}", code="invalid-event", where=f"/{where}")


def _text(raw: dict[str, Any], name: str, default: str | None) -> str:
    value = raw.get(name, default)
    if name not in raw and default is None:
        raise Refused(f"{name} is missing", code="invalid-event", where=f"/{name}")
    if not isinstance(value, str):
        raise Refused(f"{name} must be a text, not {_kind(value)}", code="invalid-event", where=f"/{name}")
    if not value.strip():
        raise Refused(f"{name} must not be empty", code="invalid-event", where=f"/{name}")
    if len(value) > 512:
        raise Refused(f"{name} is longer than 512 characters", code="invalid-event", where=f"/{name}")
    return _encodable(value, name)


def _encodable(value: str, name: str) -> str:
    try:
        value.encode()
    except UnicodeEncodeError:
        raise Refused(f"{name} holds half of a surrogate pair", code="invalid-event", where=f"/{name}") from None
    return value


def _type(raw: dict[str, Any]) -> str:
    value = _text(raw, "type", None)
    if not _TYPE.fullmatch(value) or len(value) > 100:
        found = f"type is {value[:100]!r}; it is written thing.happened in lower-case letters, digits and _"
        raise Refused(found, code="invalid-event", where="/type")
    return value


def _time(raw: dict[str, Any], now: datetime) -> str:
    value = raw.get("time")
    if value is None:
        return utc(now)
    try:
        at = datetime.fromisoformat(value) if _TIME.fullmatch(value) else None
    except (TypeError, ValueError):
        at = None
    if at is None:
        raise Refused("time must be RFC 3339 with a zone, as 2026-11-20T09:30:00Z", code="invalid-event", where="/time")
    return _not_ahead(at, now)


def _not_ahead(at: datetime, now: datetime) -> str:
    try:
        moment = at.astimezone(UTC)
    except OverflowError:
        raise Refused("time is out of range", code="invalid-event", where="/time") from None
    if moment > now + AHEAD:
        raise Refused(f"time lies in the future (it is {utc(now)} now)", code="invalid-event", where="/time")
    return utc(moment)


def utc(at: datetime) -> str:
    """A moment as the system writes it: UTC with microseconds, so that text order is time order."""
    return at.astimezone(UTC).isoformat(timespec="microseconds").replace("+00:00", "Z")


def _data(raw: dict[str, Any]) -> dict[str, Any]:
    if "data_base64" in raw:
        raise Refused("data is JSON here; data_base64 is not taken", code="invalid-event", where="/data_base64")
    data = raw.get("data", {})
    if not isinstance(data, dict):
        raise Refused(f"data must be a JSON object, not {_kind(data)}", code="invalid-event", where="/data")
    _encodable(json.dumps(data, ensure_ascii=False), "data")
    return data


def _notify(raw: dict[str, Any]) -> dict[str, bool]:
    if "notify" not in raw:
        return {}
    if not isinstance(raw["notify"], bool):
        raise Refused("notify must be true or false", code="invalid-event", where="/notify")
    return {"notify": raw["notify"]}


def _kind(value: Any) -> str:
    names = {type(None): "null", str: "a text", bool: "a truth value", list: "an array", dict: "an object"}
    return names.get(type(value), "a number")
