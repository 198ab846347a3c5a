"""From a shop's post to the queue of events: parse, check against the catalogue, keep. The door is light:
it reads no rule and writes no table but the shop's quota."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from functools import cached_property
from typing import Any

from vestnik import events
from vestnik.domain import cloudevents, messages
from vestnik.errors import Later, Refused
from vestnik.store import limits, settings, sqs

QUOTA_PER_MINUTE = 60_000
FRESH = timedelta(seconds=30)
_shops: dict[str, tuple[datetime, dict[str, Any]]] = {}
_own: dict[tuple[str, str], tuple[int, dict[str, Any]]] = {}
_validators: dict[str, tuple[dict[str, Any], Any]] = {}
_leases: dict[str, tuple[int, int]] = {}


@dataclass(slots=True)
class Item:
    """What became of one posted event: `event` if it is good, `problem` if not, `kept` once it is in the queue."""

    event: dict[str, Any] = field(default_factory=dict)
    eid: str = ""
    problem: Refused | None = None
    kept: bool = False


@dataclass(frozen=True, slots=True)
class Taken:
    """The items of one post, and whether they came as a batch."""

    items: list[Item]
    batch: bool


def take(shop: str, headers: Mapping[str, str], body: str, fresh_id: str, now: datetime) -> Taken:
    """Keep what is good of a post. Refused: the body as a whole is wrong. Later: the shop's quota is used up."""
    posted = cloudevents.read(headers, body)
    types = Types(shop)
    items = [_item(raw, types, f"{fresh_id}-{n}", now) for n, raw in enumerate(posted.events)]
    good = [item for item in items if item.problem is None]
    if good:
        _spend(shop, len(good), now)
        _keep(shop, good, now)
    return Taken(items, posted.batch)


def _item(raw: Any, types: "Types", fresh_id: str, now: datetime) -> Item:
    try:
        event = cloudevents.event(raw, types.shop, fresh_id, now)
        check(types, event["type"], event["data"])
    except Refused as problem:
        return Item(problem=problem)
    return Item(event, messages.event_id(event["source"], event["id"]))


class Types:
    """The event types as one post finds them. The settings' revision is asked for once, and only where the post has an
    event that is not of the catalogue: so a type that was changed or deleted is so from the next post on."""

    def __init__(self, shop: str) -> None:
        self.shop = shop
        self._unknown: set[str] = set()

    @cached_property
    def _revision(self) -> int:
        return settings.revision(self.shop)

    def schema(self, type: str) -> dict[str, Any]:
        """The schema of a type's data. Refused `unknown-type`."""
        module = events.find(type)
        found: dict[str, Any] | None = module.SCHEMA if module else self._of_shop(type)
        if found is None:
            reason = f"there is no event type {type!r}; GET /v1/event-types lists them, and a shop may add its own"
            raise Refused(reason, code="unknown-type", where="/type")
        return found

    def _of_shop(self, type: str) -> dict[str, Any] | None:
        revision, schema = _own.get((self.shop, type), (-1, None))
        if revision == self._revision or type in self._unknown:
            return schema
        if (kept := settings.get(self.shop, "type", type)) is None:
            _own.pop((self.shop, type), None)
            self._unknown.add(type)
            return None
        _own[self.shop, type] = (self._revision, kept["body"]["schema"])
        return _own[self.shop, type][1]


def check(types: Types, type: str, data: dict[str, Any]) -> None:
    """Hold an event's data against the schema of its type. Refused names the field and what would be right."""
    error = next(_validator(type, types.schema(type)).iter_errors(data), None)
    if error is not None:
        missing = _missing(error)
        steps = [*error.instance_path, *missing[:1]]
        where = "".join(f"/{str(part).replace('~', '~0').replace('/', '~1')}" for part in steps)
        reason = f"{' or '.join(missing)} is missing" if missing else error.message[:300]
        raise Refused(reason, code="invalid-data", where=f"/data{where}")


def _missing(error: Any) -> list[str]:
    """The properties of which one must be there, where that is what is wrong."""
    if error.kind.name == "required":
        return [error.kind.property]
    branches = error.kind.context if error.kind.name == "anyOf" else []
    return [one.kind.property for branch in branches for one in branch if one.kind.name == "required"]


def _validator(type: str, schema: dict[str, Any]) -> Any:
    known = _validators.get(type)
    if known is None or known[0] is not schema:
        import jsonschema_rs

        known = _validators[type] = (schema, jsonschema_rs.validator_for(schema, validate_formats=True, offline=True))
    return known[1]


def _spend(shop: str, n: int, now: datetime) -> None:
    """Spend `n` of the shop's quota for this minute, leased from the table in larger pieces than one post."""
    window = int(now.timestamp()) // 60
    leased, left = _leases.get(shop, (window, 0))
    left = left if leased == window else 0
    if left < n:
        cap = _shop(shop, now).get("quota_per_minute", QUOTA_PER_MINUTE)
        if n > cap:
            raise Refused(f"the shop may post {cap} events a minute: post smaller batches", code="too-many", where="")
        left += limits.take(f"{shop}#quota", max(n - left, cap // 50), cap, 60, now)
    _leases[shop] = (window, max(left - n, 0) if left >= n else left)
    if left < n:
        at = datetime.fromtimestamp((window + 1) * 60, now.tzinfo)
        raise Later("the shop's quota of events for this minute is used up", at=at)


def _shop(shop: str, now: datetime) -> dict[str, Any]:
    """The shop's own settings, as they were at most half a minute ago."""
    at, body = _shops.get(shop, (now, None))
    if body is None or not timedelta() <= now - at < FRESH:
        found = settings.get(shop, "shop", "shop")
        body = found["body"] if found else {}
        _shops[shop] = (now, body)
    return body


def forget() -> None:
    """Drop what is kept in memory."""
    _shops.clear()
    _own.clear()
    _leases.clear()


def _keep(shop: str, good: list[Item], now: datetime) -> None:
    received = cloudevents.utc(now)
    bodies = [{"v": 1, "shop": shop, "eid": i.eid, "event": i.event, "received": received} for i in good]
    refused = set(sqs.send("to-evaluate", [sqs.Parcel(shop, body) for body in bodies]))
    for position, item in enumerate(good):
        item.kept = position not in refused
