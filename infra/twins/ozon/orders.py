"""Lists of postings, in the form of their day, and what comes back."""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

from infra.twins.market import Ask, Reply, route
from infra.twins.ozon import shapes
from infra.twins.ozon.cabinet import Cabinet
from infra.twins.ozon.desk import Desk, beyond, number, page, read, refused
from infra.twins.ozon.records import FBO, Posting

Json = dict[str, Any]
YEAR = timedelta(days=366)
OPEN = ("awaiting_packaging", "awaiting_deliver", "awaiting_registration", "awaiting_approve", "not_accepted")
Shape = Callable[[Posting, str], Json]


class OrderRoutes(Desk):
    """FBS postings by v3 (until 31 August 2026) and v4, FBO postings, one posting, returns."""

    @route("POST", "/v4/posting/fbs/list")
    def list_v4(self, ask: Ask) -> Reply:
        """Postings by a span of their creation and of their last change, at most 100."""
        cabinet, body = self.asking(ask), ask.body or {}
        if wrong := beyond(body, 100) or _span(body):
            return wrong
        rows, cursor, more = _page(_chosen(cabinet, body["filter"]), body)
        return Reply(200, {"postings": _shaped(cabinet, rows, shapes.posting_v4), "cursor": cursor, "has_next": more})

    @route("POST", "/v4/posting/fbs/unfulfilled/list")
    def unfulfilled(self, ask: Ask) -> Reply:
        """Postings still to be worked on, by the time they must be assembled."""
        cabinet, body = self.asking(ask), ask.body or {}
        asked = body.get("filter") or {}
        since, until = read(asked.get("cutoff_from")), read(asked.get("cutoff_to"))
        found = [one for one in _own(cabinet) if one.status in OPEN and _within(one.ship_by, since, until)]
        rows, cursor, more = _page(found, body)
        told = {"postings": _shaped(cabinet, rows, shapes.posting_v4), "count": len(found)}
        return Reply(200, {**told, "cursor": cursor, "has_next": more})

    @route("POST", "/v3/posting/fbs/list")
    def list_v3(self, ask: Ask) -> Reply:
        """The same by offset, at most 1000, as it was until 31 August 2026."""
        cabinet, body = self.asking(ask), ask.body or {}
        if "offset" not in body:
            return refused(400, "Request validation error: offset is required")
        if wrong := beyond(body, 1000) or _span(body):
            return wrong
        rows, _, more = page(_chosen(cabinet, body["filter"]), body, 1000, key="offset")
        return Reply(200, {"result": {"postings": _shaped(cabinet, rows, shapes.posting_v3), "has_next": more}})

    @route("POST", "/v3/posting/fbs/get")
    def one_posting(self, ask: Ask) -> Reply:
        """One posting, in the older form still."""
        cabinet, body = self.asking(ask), ask.body or {}
        found = cabinet.orders.get(str(body.get("posting_number")))
        if found is None or found.scheme == FBO:
            return refused(404, "POSTING_NOT_FOUND")
        told = _shaped(cabinet, [found], shapes.posting_v3)[0] | {"previous_substatus": found.before}
        if (body.get("with") or {}).get("related_postings"):
            told["related_postings"] = {"related_posting_numbers": found.children}
        return Reply(200, {"result": told})

    @route("POST", "/v3/posting/fbo/list")
    def list_fbo(self, ask: Ask) -> Reply:
        """Postings from Ozon's own warehouses, by a span of their creation."""
        cabinet, body = self.asking(ask), ask.body or {}
        if wrong := beyond(body, 100):
            return wrong
        asked = body.get("filter") or {}
        since, until = read(asked.get("since")), read(asked.get("to"))
        found = [one for one in cabinet.orders.values() if one.scheme == FBO and _within(one.created, since, until)]
        rows, cursor, more = _page(found, body)
        return Reply(200, {"postings": [shapes.posting_fbo(one) for one in rows], "cursor": cursor, "has_next": more})

    @route("POST", "/v1/returns/list")
    def returns(self, ask: Ask) -> Reply:
        """Returns by a span of their last change, after `last_id`, at most 500."""
        cabinet, body = self.asking(ask), ask.body or {}
        if wrong := beyond(body, 500):
            return wrong
        asked = (body.get("filter") or {}).get("visual_status_change_moment") or {}
        since, until = read(asked.get("time_from")), read(asked.get("time_to"))
        after = number(body.get("last_id") or 0)
        found = [one for one in cabinet.returns.values() if one.id > after and _within(one.changed, since, until)]
        rows, more = found[: number(body["limit"])], len(found) > number(body["limit"])
        told = [shapes.returned(one, cabinet.orders[one.number]) for one in rows]
        return Reply(200, {"returns": told, "has_next": more})


def _span(body: Json) -> Reply | None:
    asked = body.get("filter") or {}
    since, until = read(asked.get("since")), read(asked.get("to"))
    if since is None or until is None:
        return refused(400, "Request validation error: since and to are required")
    return refused(400, "PERIOD_IS_TOO_LONG") if until - since > YEAR else None


def _own(cabinet: Cabinet) -> list[Posting]:
    """Postings from the seller's warehouses, oldest first; parts of a split follow their order."""
    found = [one for one in cabinet.orders.values() if one.scheme != FBO]
    return sorted(found, key=lambda one: (one.created, one.number))


def _page(found: list[Posting], body: Json) -> tuple[list[Posting], str, bool]:
    """A page after the cursor, which names a place by time and number: who leaves meanwhile shifts nothing."""
    after = str(body.get("cursor") or "")
    rest = [one for one in found if _place(one) > after]
    rows = rest[: min(100, number(body.get("limit")) if number(body.get("limit")) > 0 else 100)]
    return rows, _place(rows[-1]) if rows else after, len(rest) > len(rows)


def _place(one: Posting) -> str:
    return f"{one.created.astimezone(UTC):%Y%m%d%H%M%S.%f}|{one.number}"


def _chosen(cabinet: Cabinet, asked: Json) -> list[Posting]:
    changed = asked.get("last_changed_status_date") or {}
    since, until = read(asked["since"]), read(asked["to"])
    first, last = read(changed.get("from")), read(changed.get("to"))
    statuses = set(asked.get("statuses") or ([asked["status"]] if asked.get("status") else []))
    places = {number(one) for one in asked.get("warehouse_ids") or asked.get("warehouse_id") or []}
    return [
        one
        for one in _own(cabinet)
        if _within(one.created, since, until)
        and _within(one.changed, first, last)
        and (not statuses or one.status in statuses)
        and (not places or one.warehouse in places)
    ]


def _within(at: datetime, since: datetime | None, until: datetime | None) -> bool:
    """Whether a time lies in a span, to the second, both ends included."""
    moment = at.astimezone(UTC).replace(microsecond=0)
    return (since is None or since <= moment) and (until is None or moment <= until)


def _shaped(cabinet: Cabinet, found: list[Posting], shape: Shape) -> list[Json]:
    return [shape(one, cabinet.warehouses[one.warehouse].name) for one in found]
