"""What a shop's people configure: versioned, and read once per settings revision.

Every write raises the shop's revision by one and keeps the version it made, so that the settings of any earlier
revision can be read again (to explain a decision taken under it).
"""

import json
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from vestnik.store import dynamo

TABLE = "settings"
KINDS = (
    "shop",
    "rule",
    "template",
    "sender",
    "domain",
    "type",
    "account",
    "request",
    "request_draft",
    "request_state",
    "statuses",
)


@dataclass(slots=True)
class Settings:
    """All settings of a shop at one revision. `kept`: what readers derive from them (an index of rules), once."""

    shop_id: str
    revision: int
    shop: dict[str, Any] = field(default_factory=dict)
    rules: dict[str, dict[str, Any]] = field(default_factory=dict)
    templates: dict[str, dict[str, Any]] = field(default_factory=dict)
    senders: dict[str, dict[str, Any]] = field(default_factory=dict)
    domains: dict[str, dict[str, Any]] = field(default_factory=dict)
    types: dict[str, dict[str, Any]] = field(default_factory=dict)
    accounts: dict[str, dict[str, Any]] = field(default_factory=dict)
    requests: dict[str, dict[str, Any]] = field(default_factory=dict)
    request_states: dict[str, dict[str, Any]] = field(default_factory=dict)
    statuses: dict[str, dict[str, Any]] = field(default_factory=dict)
    kept: dict[str, Any] = field(default_factory=dict)


def template_key(id: str, channel: str) -> str:
    """What a template is kept under: one id may have a text for each channel. Ids have no `#`."""
    return f"{id}#{channel}"


def template_named(key: str) -> tuple[str, str]:
    """The id and the channel of what a template is kept under; of any other id itself, and ""."""
    id, _, channel = key.partition("#")
    return id, channel


_cache: dict[str, Settings] = {}
_checked: dict[str, float] = {}


def revision(shop: str) -> int:
    """The shop's settings revision now; 0 before the first write."""
    item = dynamo.get(TABLE, shop, "REVISION")
    return item["n"] if item else 0


def current(shop: str, now: datetime, *, fresh_for: float = 0) -> Settings:
    """The settings in force. Read anew only when the revision moved; the revision itself is asked for at most
    once in `fresh_for` seconds."""
    at = now.timestamp()
    kept = _cache.get(shop)
    if kept and 0 <= at - _checked.get(shop, 0) < fresh_for:
        return kept
    n = revision(shop)
    if kept is None or kept.revision != n:
        kept = _cache[shop] = _read(shop, n)
    _checked[shop] = at
    return kept


def forget() -> None:
    """Drop what is kept in memory."""
    _cache.clear()
    _checked.clear()


def _read(shop: str, n: int) -> Settings:
    while True:
        heads = list(dynamo.query_all(TABLE, shop, begins="HEAD#"))
        if (after := revision(shop)) == n:
            return _settings(shop, n, heads)
        n = after  # somebody wrote in between: what was read may be of two revisions


def at_revision(shop: str, n: int) -> Settings:
    """The settings as they were at revision `n`."""
    if (kept := _cache.get(shop)) and kept.revision == n:
        return kept
    newest: dict[tuple[str, str], dynamo.Item] = {}
    for item in dynamo.query_all(TABLE, shop, begins="VERS#"):
        if item["revision"] <= n:
            newest[item["kind"], item["id"]] = item
    return _settings(shop, n, [item for item in newest.values() if item["body"]])


def _settings(shop: str, n: int, items: list[dynamo.Item]) -> Settings:
    settings = Settings(shop, n)
    folders = {
        "rule": settings.rules,
        "template": settings.templates,
        "sender": settings.senders,
        "domain": settings.domains,
        "type": settings.types,
        "account": settings.accounts,
        "request": settings.requests,
        "request_state": settings.request_states,
        "statuses": settings.statuses,
    }
    for item in items:
        if item["kind"] == "shop":
            settings.shop = json.loads(item["body"])
        elif item["kind"] in folders:  # drafts are in force nowhere: they are read by their id
            folders[item["kind"]][item["id"]] = {"id": item["id"], **json.loads(item["body"])}
    return settings


def put(
    shop: str, kind: str, id: str, body: dict[str, Any], *, by: str, now: datetime, expect: int | None = None
) -> int:
    """Write one setting; the revision this made. `by`: who did it, for the trail. `expect`: the revision that the
    writer saw it at (0: it was not there); Conflict where it is another by now."""
    return _change(shop, kind, id, body, by, now, expect)


def delete(shop: str, kind: str, id: str, *, by: str, now: datetime, expect: int | None = None) -> int:
    """Remove one setting; its versions stay. `expect` as in `put`."""
    return _change(shop, kind, id, None, by, now, expect)


def _change(
    shop: str, kind: str, id: str, body: dict[str, Any] | None, by: str, now: datetime, expect: int | None
) -> int:
    text = json.dumps(body, ensure_ascii=False, separators=(",", ":")) if body is not None else ""
    while True:
        # The revision is read before the setting and moves on condition: nothing changes in between unseen.
        n = revision(shop)
        if expect is not None:
            found = get(shop, kind, id)
            if (found["revision"] if found else 0) != expect:
                raise dynamo.Conflict(found or {})
        item = {"v": 1, "kind": kind, "id": id, "revision": n + 1, "by": by, "at": now.isoformat(), "body": text}
        if dynamo.transact(_writes(shop, n, item, removed=body is None)):
            return n + 1


def _writes(shop: str, n: int, item: dict[str, Any], *, removed: bool) -> list[dict[str, Any]]:
    kind, id = item["kind"], item["id"]
    head = f"HEAD#{kind}#{id}"
    moved = dynamo.update_request(
        TABLE,
        shop,
        "REVISION",
        put={"n": n + 1},
        where="#n = :seen" if n else "attribute_not_exists(#n)",
        values={"seen": n} if n else {},
    )
    version = dynamo.put_request(TABLE, {"pk": shop, "sk": f"VERS#{kind}#{id}#{n + 1:010d}", **item})
    now = dynamo.delete_request(TABLE, shop, head)
    return [moved, version, now if removed else dynamo.put_request(TABLE, {"pk": shop, "sk": head, **item})]


def touch(shop: str) -> None:
    """Raise the revision for a change elsewhere that readers keep by revision (the shop's staff)."""
    dynamo.update(TABLE, shop, "REVISION", add={"n": 1})


def get(shop: str, kind: str, id: str) -> dict[str, Any] | None:
    """One setting as it stands: {body, revision, by, at}, or None."""
    item = dynamo.get(TABLE, shop, f"HEAD#{kind}#{id}")
    return _open(item) if item else None


def version(shop: str, kind: str, id: str, n: int) -> dict[str, Any] | None:
    """One setting as revision `n` made it, or None."""
    item = dynamo.get(TABLE, shop, f"VERS#{kind}#{id}#{n:010d}")
    return _open(item) if item else None


def versions(shop: str, kind: str, id: str, limit: int, cursor: str = "") -> tuple[list[dict[str, Any]], str | None]:
    """The versions of one setting, newest first: {body or None where removed, revision, by, at}."""
    begins = f"VERS#{kind}#{id}#"
    items, more = dynamo.query(
        TABLE, shop, begins=begins, after=begins + cursor if cursor else "", limit=limit, backwards=True
    )
    return [_open(item) for item in items], more.removeprefix(begins) if more else None


def page(shop: str, kind: str, limit: int, cursor: str = "") -> tuple[list[dict[str, Any]], str | None]:
    """The settings of one kind by id: {id, body, revision, by, at}."""
    begins = f"HEAD#{kind}#"
    items, more = dynamo.query(TABLE, shop, begins=begins, after=begins + cursor if cursor else "", limit=limit)
    return [_open(item) for item in items], more.removeprefix(begins) if more else None


def _open(item: dynamo.Item) -> dict[str, Any]:
    body = json.loads(item["body"]) if item["body"] else None
    return {"id": item["id"], "body": body, "revision": item["revision"], "by": item["by"], "at": item["at"]}


def create_key(shop: str, key_id: str, digest: str, scopes: list[str], name: str, now: datetime) -> None:
    """Keep an API key by the SHA-256 of its text; the text itself is kept nowhere."""
    shown = {"v": 1, "id": key_id, "name": name, "scopes": scopes, "at": now.isoformat(), "digest": digest}
    lookup = {"pk": f"KEY#{digest}", "sk": "KEY", "v": 1, "shop": shop, "id": key_id, "scopes": scopes}
    dynamo.transact(
        [
            dynamo.put_request(TABLE, {"pk": shop, "sk": f"APIKEY#{key_id}", **shown}),
            dynamo.put_request(TABLE, lookup),
        ]
    )


def find_key(digest: str) -> dict[str, Any] | None:
    """Whose key this is: {shop, id, scopes}, or None."""
    return dynamo.get(TABLE, f"KEY#{digest}", "KEY")


def revoke_key(shop: str, key_id: str) -> bool:
    """Take a key out of force; False where the shop has no such key."""
    item = dynamo.get(TABLE, shop, f"APIKEY#{key_id}")
    if item is None:
        return False
    dynamo.transact(
        [
            dynamo.delete_request(TABLE, shop, f"APIKEY#{key_id}"),
            dynamo.delete_request(TABLE, f"KEY#{item['digest']}", "KEY"),
        ]
    )
    return True


def key_page(shop: str, limit: int, cursor: str = "") -> tuple[list[dict[str, Any]], str | None]:
    """The shop's API keys: {id, name, scopes, at}."""
    items, more = dynamo.query(TABLE, shop, begins="APIKEY#", after=f"APIKEY#{cursor}" if cursor else "", limit=limit)
    shown = [{k: item[k] for k in ("id", "name", "scopes", "at")} for item in items]
    return shown, more.removeprefix("APIKEY#") if more else None
