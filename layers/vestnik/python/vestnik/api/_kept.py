"""Settings as the API shows and keeps them: the shop's own, and beneath them what is shipped."""

import json
import re
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from datetime import datetime
from typing import Any

from vestnik import resources
from vestnik.api._paging import opened, sealed
from vestnik.api._problems import Fault, Problem, not_found
from vestnik.api._routes import caller, request
from vestnik.store import settings
from vestnik.store.dynamo import Conflict as Changed

Entry = dict[str, Any]  # {id, body, revision, by, at, shipped}
Shipped = Callable[[str], Mapping[str, Any] | None]

LARGEST_PAGE = 3_000_000  # bytes
MATCH = re.compile(r'\*|"?\d{1,15}"?', re.ASCII)
LARGEST = 380_000  # bytes of one setting: DynamoDB takes 400 KB


def nothing(id: str) -> Mapping[str, Any] | None:
    """Of this kind, nothing is shipped."""
    return None


def find(kind: str, id: str, shipped: Shipped = nothing) -> Entry:
    """A setting as it is in force. Raises Problem 404."""
    entry = own(kind, id) or _as_shipped(id, shipped(id))
    if entry is None:
        raise not_found(kind, settings.template_named(id)[0])
    return entry


def own(kind: str, id: str) -> Entry | None:
    """The shop's own setting, or None."""
    entry = settings.get(caller().shop, kind, id)
    return {**entry, "shipped": False} if entry else None


def _as_shipped(id: str, body: Mapping[str, Any] | None) -> Entry | None:
    if body is None:
        return None
    return {"id": id, "body": dict(body), "revision": 0, "by": None, "at": None, "shipped": True}


def keep(kind: str, id: str, body: Mapping[str, Any], at: datetime | None = None, seen: int | None = None) -> Entry:
    """Write the shop's own setting (`at`: now; `seen`: made from what stood there at this revision). Raises Problem
    412, 413."""
    size = len(json.dumps(body, ensure_ascii=False).encode())
    if size > LARGEST:
        raise Problem(413, "too-big", f"it has {size} bytes with what is kept beside it; at most {LARGEST} fit")
    wanted = _expected(kind, id)
    expect = seen if seen is not None else wanted
    now, by = at or resources.now(), me()
    with _seen(kind, id):
        revision = settings.put(caller().shop, kind, id, dict(body), by=by, now=now, expect=expect)
    return {"id": id, "body": dict(body), "revision": revision, "by": by, "at": now.isoformat(), "shipped": False}


def unchanged(kind: str, id: str) -> None:
    """Raises Problem 412 where the writer saw another revision."""
    _expected(kind, id)


def remove(kind: str, id: str) -> None:
    """Remove the shop's own setting; what is shipped is in force again. Raises Problem 404, 412."""
    if own(kind, id) is None:
        raise not_found(f"{kind} of your own", settings.template_named(id)[0])
    expect = _expected(kind, id)
    with _seen(kind, id):
        settings.delete(caller().shop, kind, id, by=me(), now=resources.now(), expect=expect)


@contextmanager
def _seen(kind: str, id: str) -> Iterator[None]:
    """Somebody else's change between the look and the write is told as the look would have told it."""
    try:
        yield
    except Changed:
        raise _changed(own(kind, id), request().headers.get("if-match", "")) from None


def me() -> str:
    """Who is writing, for the trail."""
    return f"key:{caller().key}"


def _expected(kind: str, id: str) -> int | None:
    """If-Match: the revision that the writer saw (RFC 9110, 13.1.1); None where the request does not mind."""
    wanted = request().headers.get("if-match")
    if wanted is None:
        return None
    if not MATCH.fullmatch(wanted):
        fault = Fault("If-Match", "is not usable", wanted[:40], 'a revision such as "12", or *')
        raise Problem(422, "invalid", "the header If-Match is not usable", fault)
    entry = own(kind, id)
    found = int(entry["revision"]) if entry else 0
    if wanted.strip('"') != str(found) and not (wanted == "*" and entry):
        raise _changed(entry, wanted)
    return found


def _changed(entry: Entry | None, wanted: str) -> Problem:
    found = str(entry["revision"]) if entry else "0"
    fault = Fault("If-Match", "is another revision", wanted[:40], f'"{found}"')
    return Problem(412, "changed-meanwhile", f"it is at revision {found}", fault)


def merged(
    kind: str, shipped: Mapping[str, Mapping[str, Any]], limit: int, cursor: str
) -> tuple[list[Entry], str | None]:
    """A part of the shop's own settings and the shipped ones they do not replace, by id; and the cursor of the next."""
    after = opened(kind, cursor)
    ours, more = settings.page(caller().shop, kind, limit, after)
    found = {id: _as_shipped(id, body) for id, body in shipped.items() if id > after}
    found |= {entry["id"]: {**entry, "shipped": False} for entry in ours}
    entries = [entry for _, entry in sorted(found.items()) if entry]
    part = _fitting(entries[:limit])
    left = more is not None or len(entries) > len(part)
    return part, sealed(kind, part[-1]["id"]) if left and part else None


def _fitting(entries: list[Entry]) -> list[Entry]:
    """As many as fit into one answer (Lambda's may have 6 MB), but at least one."""
    size, kept = 0, list[Entry]()
    for entry in entries:
        size += len(json.dumps(entry["body"], ensure_ascii=False).encode())
        if kept and size > LARGEST_PAGE:
            break
        kept.append(entry)
    return kept


def versions(kind: str, id: str, limit: int, cursor: str) -> tuple[list[Entry], str | None]:
    """The versions of the shop's own setting, newest first (body None: removed); and the cursor of the next."""
    listing = f"{kind}/{id}/versions"
    entries, more = settings.versions(caller().shop, kind, id, limit, opened(listing, cursor))
    if not entries and not cursor:
        raise not_found(f"{kind} of your own", settings.template_named(id)[0])
    part = _fitting(entries)
    more = more if len(part) == len(entries) else f"{part[-1]['revision']:010d}"
    return [{**entry, "shipped": False} for entry in part], sealed(listing, more) if more else None


def flat(entry: Entry) -> dict[str, Any]:
    """An entry in one level: the body's fields, and where it comes from."""
    trail = {name: entry[name] for name in ("id", "revision", "at", "by", "shipped")}
    return {**entry["body"], **trail}
