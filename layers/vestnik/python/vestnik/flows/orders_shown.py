"""Postings as lists show them: by the days of their creation, or the open ones by their urgency."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import date, datetime, timedelta
from heapq import merge
from typing import Any

from vestnik.domain.market import posting_lines, postings
from vestnik.domain.market.postings import Posting
from vestnik.store import postings as kept
from vestnik.store.postings import Stored

MOST_READ = 1000  # postings looked at for one page; a filter that finds few then answers a short one
EMPTY_DAY = 3  # a look at a day costs as much as so many postings: a page goes back by about a year without any
Entry = Mapping[str, Any]

FACTS = (
    *("number", "order", "parent", "account", "marketplace", "scheme", "status", "theirs", "created_at", "changed_at"),
    *("ship_by", "warehouse", "currency", "total", "lines", "supply", "cargo", "group", "cancel_requested", "held_up"),
)
FLAGS = ("fake", "left", "closed", "imported")


def shown(one: Stored, now: datetime) -> dict[str, Any]:
    """A posting for people and programs."""
    body, left = one.body, postings.seconds_left(one.body, now)
    return {
        "id": one.id,
        **{name: body.get(name) for name in FACTS},
        "lines": [posting_lines.line_of(body, line) for line in body["lines"]],
        **{name: bool(body.get(name)) for name in FLAGS},
        "seconds_left": left,
        "overdue": left is not None and left < 0,
        "requires": body.get("requires") or [],
        "operation": _operation(body),
        "works": body["means"],
    }


def _operation(body: Posting) -> dict[str, Any] | None:
    operation = body.get("operation")
    names = ("to", "state", "asked_at", "ended_at", "tries", "error")
    return {name: operation.get(name) for name in names} if operation else None


def whole(one: Stored, now: datetime) -> dict[str, Any]:
    """A posting with what it holds, what it went through, and what was ordered with it."""
    body = one.body
    group = body.get("group")
    numbers = kept.together(one.shop, body["account"], group) if group else []
    beside = [postings.id_of(body["account"], number) for number in numbers if number != body["number"]]
    holds = postings.held_items(body) if postings.wanted(body) != "nothing" else {}
    parts = sorted(body.get("moved") or {})
    more = {"holds": holds, "left_at": body.get("left_at"), "history": body["history"]}
    return {**shown(one, now), **more, "together": beside, "parts": parts}


def by_day(
    shop: str, first: date, last: date, account: str, suits: Callable[[Posting], bool], limit: int, cursor: str
) -> tuple[list[Stored], str | None]:
    """Postings created from `first` to `last` (`account` "": of all), the newest first, and where to go on:
    `yyyy-mm-dd|time#id`."""
    whose = postings.id_of(account, "") if account else ""
    given, _, after = cursor.partition("|")
    day = date.fromisoformat(given) if given else last
    found, looked = list[Stored](), 0
    while day >= first and len(found) < limit and looked < MOST_READ:
        ids, more = kept.of_day(shop, f"{day:%y%m%d}", limit - len(found), after)
        found += _suiting(shop, [id for id in ids if id.startswith(whose)], suits)
        looked += len(ids) + EMPTY_DAY
        day, after = (day, more) if more else (day - timedelta(days=1), "")
    return found, f"{day}|{after}" if day >= first else None


def urgent(
    shop: str,
    accounts: Iterable[str],
    suits: Callable[[Posting], bool],
    wanted: Callable[[Entry], bool],
    limit: int,
    cursor: str,
    before: str = "",
) -> tuple[list[Stored], str | None]:
    """The open postings of these accounts, the most urgent first, and where to go on (a sort key). `wanted`: which
    entries are looked at in whole; `before`: only those whose sort key is smaller."""
    found, looked, after = list[Stored](), 0, cursor
    while len(found) < limit and looked < MOST_READ:
        size = min(200, max(limit, 50))
        pages = [kept.open_entries(shop, account, after=after, limit=size) for account in accounts]
        known = min((more for _, more in pages if more), default=None)  # up to here every account's page is whole
        entries = [
            e for e in merge(*(items for items, _ in pages), key=lambda e: e["sk"]) if not known or e["sk"] <= known
        ]
        picked = [e for e in entries if wanted(e)]
        room = limit - len(found)
        some = picked[:room]
        found += _suiting(shop, [e["sk"].partition("#")[2] for e in some], suits)
        looked += len(entries)
        if len(picked) > room:
            return found, some[-1]["sk"]
        if known is None or (before and known >= before):
            return found, None
        after = known
    return found, after


def _suiting(shop: str, ids: Sequence[str], suits: Callable[[Posting], bool]) -> list[Stored]:
    found = kept.get_many(shop, ids)
    return [found[id] for id in ids if id in found and suits(found[id].body)]
