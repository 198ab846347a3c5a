"""Postings: what a marketplace's buyer ordered and we must ship as one, in one form for all marketplaces.

A posting is plain JSON: what the marketplace tells of it (FACTS) and what we make of that: `status` (ours), `left`,
`closed`, `released`, `held`, `tell` (events not yet told), `history`. Whatever the order in which news arrives, two
things never come back: goods that have left stay gone, and a released hold stays released.
"""

from collections import defaultdict
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from typing import Any

from vestnik.domain.market import posting_lines, statuses
from vestnik.domain.market.accounts import Account
from vestnik.domain.market.statuses import Statuses

type Posting = dict[str, Any]
type Told = Mapping[str, Any]

FACTS = (
    "order",
    "parent",
    "scheme",
    "theirs",
    "created_at",
    "changed_at",
    "ship_by",
    "warehouse",
    "currency",
    "total",
    "lines",
    "cancel_requested",
    "fake",
    "supply",
    "cargo",
    "group",
    "requires",
    "cross_border",
    "comment",
)
TIMES = ("created_at", "changed_at", "ship_by")
WORKED, SHOWN, READ = "worked", "shown", "read"
HISTORY = 50
LATE, SOON = "late", "soon"
RETURNS = {"on_its_way": "return_on_its_way", "received": "return_received"}


def id_of(account: str, number: str) -> str:
    """How a posting is called: in the API, in holds and in events."""
    return f"{account}:{number}"


def parts_of(id: str) -> tuple[str, str]:
    """Account and number of a posting's id."""
    account, _, number = id.partition(":")
    return account, number


def moment(at: datetime) -> str:
    """A time as postings have it: RFC 3339 UTC with microseconds, so that text order is time order."""
    return at.astimezone(UTC).isoformat(timespec="microseconds").replace("+00:00", "Z")


def read_moment(text: Any) -> datetime | None:
    """A posting's time, or None where it is none."""
    try:
        at = datetime.fromisoformat(str(text)) if text else None
    except ValueError:
        return None
    return at if at is None or at.tzinfo else at.replace(tzinfo=UTC)


def normalise(told: Told, account: Account, schemes: Mapping[str, str], hours: float | None) -> Posting:
    """A posting in our form from what a definition's mapping made of the marketplace's.

    `schemes`: what each scheme means here. `hours`: how long after its creation a posting must have left, where the
    marketplace says no time itself (the account's own hours come first). Only facts that were told are in it.
    """
    facts = {name: told[name] for name in FACTS if told.get(name) is not None and name not in TIMES}
    facts |= {"number": str(told["number"])} | _times(told)
    if told.get("buyer_group") is not None:
        facts["group"] = str(told["buyer_group"])
    for name in ("order", "parent", "warehouse", "supply", "scheme", "currency", "cargo"):
        facts |= {name: str(facts[name])} if name in facts else {}
    if "lines" not in told:
        return facts
    lines = [_line(line) for line in told["lines"] or []]
    facts |= {"lines": lines, "cancel_requested": told.get("cancel_requested") or None, "fake": bool(told.get("fake"))}
    facts |= {"account": account.id, "marketplace": account.marketplace, "total": _total(told.get("total"), lines)}
    facts["means"] = schemes.get(facts.get("scheme", ""), SHOWN)
    return facts | _ship_by(facts, account.body.get("hours_to_ship") or hours)


def _times(told: Told) -> Posting:
    read = {name: read_moment(told.get(name)) for name in TIMES}
    return {name: moment(at) for name, at in read.items() if at}


def _line(line: Told) -> dict[str, Any]:
    """One line; what it lacks stays out of it, and a quantity that is none counts as one."""
    quantity, price = line.get("quantity"), line.get("price")
    more = {name: str(line[name]) for name in ("article", "name", "line") if line.get(name) is not None}
    money = {"price": price} if isinstance(price, int) else {}
    return {"unit": str(line.get("unit", "")), "quantity": quantity if isinstance(quantity, int) else 1} | more | money


def _total(told: Any, lines: list[dict[str, Any]]) -> int | None:
    if isinstance(told, int):
        return told
    return sum(line["price"] * line["quantity"] for line in lines) if all("price" in line for line in lines) else None


def _ship_by(facts: Posting, hours: float | None) -> Posting:
    created = read_moment(facts.get("created_at"))
    if facts.get("ship_by") or not created or not hours:
        return {}
    return {"ship_by": moment(created + timedelta(hours=hours))}


def merge(
    stored: Posting | None, told: Posting, read: Statuses, read_at: str, *, quiet: bool = False
) -> Posting | None:
    """The posting after this news; None where it is no news: told before, or older than what is known.

    `told`: as `normalise` made it; `read_at`: when it was asked for; `quiet`: history, which notifies nobody.
    """
    if stored is not None and _stale(stored, told, read_at):
        return None
    facts = {name: told[name] for name in told if stored is None or stored.get(name) != told[name]}
    body = {**(stored or _fresh(read_at, quiet)), **facts}
    body = _judged(body, read, read_at)
    if stored is not None and body == stored:
        return None
    body["read_at"] = read_at
    return _noted(stored, body, read, read_at, quiet=quiet)


def reread(stored: Posting, read: Statuses, at: str) -> Posting | None:
    """The posting as its words are read now, where that is another table than before; None where nothing changes."""
    return merge(stored, {}, read, at)


def _fresh(read_at: str, quiet: bool) -> Posting:
    start = {"seen_at": read_at, "imported": quiet, "theirs": {}, "lines": [], "means": SHOWN}
    return start | {"history": [], "tell": [], "told": {}, "left": False, "released": False}


def _stale(stored: Posting, told: Posting, read_at: str) -> bool:
    older = (told.get("changed_at") or "~") < (stored.get("changed_at") or "")
    return older or read_at < stored["read_at"]


def _judged(body: Posting, read: Statuses, read_at: str) -> Posting:
    """What the statuses make of the facts. Left and released are never taken back."""
    theirs = body["theirs"]
    status = statuses.unified(theirs, read)
    cancelled = statuses.counts_as(status, read) == statuses.CANCELLED
    gone = body["left"] or (not body["released"] and statuses.has_left(status, theirs, read))
    return {
        **body,
        "status": status,
        "left": gone,
        "closed": statuses.is_closed(status, theirs, read),
        "released": body["released"] or (cancelled and not gone),
    } | ({"left_at": body.get("left_at") or read_at} if gone else {})


def _noted(stored: Posting | None, body: Posting, read: Statuses, at: str, *, quiet: bool) -> Posting:
    before = stored or {}
    if (before.get("status"), before.get("theirs")) != (body["status"], body["theirs"]):
        step = {"at": at, "status": body["status"], "theirs": body["theirs"]}
        body = {**body, "history": [*body["history"], step][-HISTORY:]}
    if body.get("fake") or body["means"] == READ or (quiet and stored is None):
        return body
    for what, more in _news(stored, body, read):
        body = telling(body, what, at, **more)
    return body


def _news(stored: Posting | None, body: Posting, read: Statuses) -> list[tuple[str, dict[str, Any]]]:
    """Which events this change is, with what they carry beside account and order."""
    before, ours = stored or {}, statuses.counts_as(body["status"], read)
    was = statuses.counts_as(before["status"], read) if stored else ""
    found: list[tuple[str, dict[str, Any]]] = []
    if stored is None and not body["closed"] and not body.get("parent"):
        found.append(("order_received", {}))
    if body.get("cancel_requested") and not before.get("cancel_requested"):
        found.append(("cancellation_requested", _only(body["cancel_requested"], "deadline", "reason")))
    if stored and ours == statuses.CANCELLED != was and not body.get("moved"):
        found.append(("order_cancelled", {"handed_over": body["left"]}))
    if ours == statuses.DISPUTED != was:
        found.append(("dispute_opened", {}))
    back, already = statuses.returning(body["theirs"], read), before.get("told") or {}
    # What a list of returns has told already is not told once more by the order's own status.
    if back and back != statuses.returning(before.get("theirs", {}), read) and not already.get(RETURNS[back]):
        found.append((RETURNS[back], {}))
    return found


def _only(found: Any, *names: str) -> dict[str, Any]:
    return {name: found[name] for name in names if isinstance(found, Mapping) and found.get(name)}


def telling(body: Posting, what: str, at: str, *, only: list[posting_lines.Line] | None = None, **more: Any) -> Posting:
    """The posting with one more event to be told. Its id is the same however often it is sent. `only`: these goods of
    it, {unit, quantity}, and not the whole."""
    count = body["told"].get(what, 0) + 1
    id = f"{id_of(body['account'], body['number'])}:{what}" + (f":{count}" if count > 1 else "")
    event = {
        "id": id,
        "type": f"marketplace.{what}",
        "time": at,
        "order": posting_lines.shown(body if only is None else posting_lines.part(body, only)),
        **({"more": more} if more else {}),
    }
    return {**body, "tell": [*body["tell"], event], "told": {**body["told"], what: count}}


def returned(body: Posting, what: str, at: str, told: Told) -> Posting | None:
    """The posting with what a list of returns tells of it, {id?, lines?, reason?}; None where that was told before.
    Each return of a posting is told for itself, with its own goods where they are named."""
    id, known = str(told.get("id") or told.get("return") or ""), (body.get("returned") or {}).get(what) or []
    if id in known or (body["told"].get(what) and not (id and known)):
        return None
    lines = [_line(one) for one in told.get("lines") or () if one.get("unit")]
    more = {"reason": str(told["reason"])[:500]} if told.get("reason") else {}
    after = telling(body, what, at, only=lines or None, **more)
    return {**after, "returned": {**(body.get("returned") or {}), what: [*known, id]}} if id else after


def is_open(body: Posting) -> bool:
    """Whether more is expected of it, so that its status is asked for. What the marketplace ships is its own to do."""
    return not body["closed"] and body["means"] != READ


def seconds_left(body: Posting, now: datetime) -> int | None:
    """Seconds until it must have left, negative when overdue; None where it has left, ended, or has no time."""
    by = read_moment(body.get("ship_by"))
    if by is None or body["left"] or body["closed"]:
        return None
    return int((by - now).total_seconds())


def lateness(body: Posting, now: datetime, soon: timedelta) -> str | None:
    """`late`, or `soon` where it will be within so long; None where there is time."""
    left = seconds_left(body, now)
    if left is None:
        return None
    return LATE if left < 0 else SOON if left <= soon.total_seconds() else None


def warned(body: Posting, now: datetime, soon: timedelta) -> Posting | None:
    """The posting with the warning of its lateness to be told; None where there is none, or it was told."""
    how = lateness(body, now, soon)
    if how is None or body.get("fake") or body.get("late") in (how, LATE):
        return None
    # What was overdue before the account was connected is history.
    if body["imported"] and str(body.get("ship_by")) < body["seen_at"]:
        return {**body, "late": how}
    if how == LATE:
        return {**telling(body, "shipment_late", moment(now)), "late": how}
    hours = (seconds_left(body, now) or 0) // 3600
    return {**telling(body, "shipment_about_to_be_late", moment(now), hours_left=hours), "late": how}


def wanted(body: Posting) -> str:
    """What its goods need of the stock: `hold`, `gone` (held, and out of the house), or `nothing`."""
    if body["means"] not in (WORKED, SHOWN) or body.get("fake") or body["released"] or body.get("dropped"):
        return "nothing"
    if not body["left"]:
        return "hold" if not body["closed"] else "nothing"
    # History that had left before we knew of it was never held: the shop's own numbers lack it.
    return "gone" if body.get("held") or not body["imported"] else "nothing"


def taken_up(body: Posting) -> Posting:
    """A posting of an account that was removed (`dropped`) and is told of again: it wants its goods again."""
    return {name: fact for name, fact in body.items() if name != "dropped"}


def held_items(body: Posting) -> dict[str, int]:
    """How many of each item of the shop it holds: what was decided when first held, less what moved to the parts of a
    split, and never more than its lines now say."""
    now, moved = posting_lines.quantities(body), _moved(body)
    items: dict[str, int] = defaultdict(int)
    for unit, held in (body.get("held") or {}).items():
        count = max(0, min(held["quantity"] - moved.get(unit, 0), now.get(unit, 0)))
        for item, quantity in _spread(held, count):
            items[item] += quantity
    return {item: quantity for item, quantity in items.items() if quantity}


def _moved(body: Posting) -> dict[str, int]:
    total: dict[str, int] = defaultdict(int)
    for units in (body.get("moved") or {}).values():
        for unit, quantity in units.items():
            total[unit] += quantity
    return dict(total)


def _spread(held: Mapping[str, Any], count: int) -> list[tuple[str, int]]:
    """A unit's items: all parts of a kit; of alternatives in order until the count is met."""
    if held["mode"] != "alternative":
        return [(part["item"], part["quantity"] * count) for part in held["parts"]]
    each = {part["item"]: part["quantity"] for part in held["parts"]}
    return [(item, each[item] * units) for item, units in _spread_units(held, count)]


def _spread_units(held: Mapping[str, Any], count: int) -> list[tuple[str, int]]:
    found = []
    for part in held["parts"]:
        take = max(0, min(part["units"], count))
        found.append((part["item"], take))
        count -= take
    return found


def hold_of(link: Mapping[str, Any], quantity: int, available: Mapping[str, int | None]) -> dict[str, Any]:
    """What a unit's link means for so many of it, decided once. Alternatives: those that have it, by priority; what
    none of them has is held of the first."""
    parts = sorted(link["parts"], key=lambda part: part.get("priority", 0))
    if link.get("mode") != "alternative":
        plain = [{"item": part["item"], "quantity": part.get("quantity", 1)} for part in parts]
        return {"mode": "kit", "quantity": quantity, "parts": plain}
    chosen, left = [], quantity
    for part in parts:
        each = part.get("quantity", 1)
        units = min(left, max(0, available.get(part["item"]) or 0) // each)
        chosen.append({"item": part["item"], "quantity": each, "units": units})
        left -= units
    chosen[0]["units"] += left
    return {"mode": "alternative", "quantity": quantity, "parts": [part for part in chosen if part["units"]]}


def unlinked(body: Posting, links: Mapping[str, Any]) -> list[dict[str, Any]]:
    """The lines whose unit is linked to no item of the shop."""
    return [line for line in body["lines"] if line["unit"] not in links]


def split(parent: Posting, child: Posting) -> Posting | None:
    """The parent of a split after this part took its goods over; None where there is nothing to move: its own lines
    were read together with the part, or it has none of the part's goods."""
    units = {unit: n for unit, n in posting_lines.quantities(child).items() if unit in (parent.get("held") or {})}
    if not units or parent["seen_at"] >= child["seen_at"] or parent["released"]:
        return None
    moved = {**(parent.get("moved") or {}), child["number"]: units}
    return None if moved == parent.get("moved") else {**parent, "moved": moved}


def inherited(child: Posting, parent: Posting | None) -> dict[str, Any]:
    """What a part of a split takes over of its parent's decisions: the same items for the same units."""
    held = (parent or {}).get("held") or {}
    others = {name: units for name, units in ((parent or {}).get("moved") or {}).items() if name != child["number"]}
    gone = _moved({"moved": others})
    return {
        unit: _taken(held[unit], held[unit]["quantity"] - gone.get(unit, 0), n)
        for unit, n in posting_lines.quantities(child).items()
        if unit in held
    }


def _taken(held: Mapping[str, Any], before: int, count: int) -> dict[str, Any]:
    """So many of a held unit, from the end of what is left of it: `_spread` keeps the beginning."""
    if held["mode"] != "alternative":
        return {**held, "quantity": count}
    stays, was = dict(_spread_units(held, before - count)), _spread_units(held, before)
    parts = [{**part, "units": units - stays.get(part["item"], 0)} for part, units in _beside(held, was)]
    return {"mode": "alternative", "quantity": count, "parts": [part for part in parts if part["units"] > 0]}


def _beside(held: Mapping[str, Any], units: list[tuple[str, int]]) -> list[tuple[dict[str, Any], int]]:
    return [(part, n) for part, (_, n) in zip(held["parts"], units, strict=True)]
