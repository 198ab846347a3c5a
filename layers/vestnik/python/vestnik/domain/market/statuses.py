"""Statuses: a marketplace's own words, and one list of ours that the shop works with.

A table is data: `[{"theirs": {"status": "awaiting_packaging"}, "is": "confirmed"}, ...]`; the first entry whose named
fields all agree wins. What no entry names is `none`: kept and shown as it came, never an error.
"""

import hashlib
import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass, field
from typing import Any

NONE = "none"
CANCELLED = "cancelled"
DISPUTED = "disputed"
SHIPPED_LIST: dict[str, str] = {
    "new": "New",
    "awaiting_confirmation": "Awaiting confirmation",
    "confirmed": "Confirmed",
    "assembled": "Assembled",
    "packed": "Packed",
    "awaiting_label": "Awaiting label",
    "label_received": "Label received",
    "shipped": "Shipped",
    "delivered": "Delivered",
    CANCELLED: "Cancelled",
    DISPUTED: "Disputed",
    NONE: "Unknown",
}
LEFT = frozenset({"shipped", "delivered", DISPUTED})
CLOSED = frozenset({"delivered", CANCELLED})

Theirs = Mapping[str, Any]
Entry = Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Statuses:
    """How one marketplace's words are read for one shop.

    `table`: the shop's own entries, then the shipped ones. `own`: the shop's additions to the list, each by the
    shipped status that it counts as. `left`, `closed`: patterns of theirs that say so beyond what the unified status
    says. `returns`: patterns of theirs that tell of a return, with `on_its_way` or `received`.
    """

    table: Sequence[Entry] = ()
    own: Mapping[str, str] = field(default_factory=dict)
    left: Sequence[Any] = ()
    closed: Sequence[Any] = ()
    returns: Sequence[Entry] = ()


def statuses(shipped: Mapping[str, Any], mine: Mapping[str, Any] | None, listed: Mapping[str, Any] | None) -> Statuses:
    """The reading in force: the shop's table (`mine`) over the shipped one, and the shop's own list (`listed`)."""
    table = [*((mine or {}).get("unified") or []), *(shipped.get("unified") or [])]
    own = {one["id"]: one["counts_as"] for one in (listed or {}).get("list") or [] if one.get("counts_as")}
    marks = {name: shipped.get(name) or () for name in ("left", "closed", "returns")}
    return Statuses(table, own, **marks)


def mark(read: Statuses) -> str:
    """A short word that is another one for another reading."""
    return hashlib.sha256(json.dumps(asdict(read), sort_keys=True, default=list).encode()).hexdigest()[:16]


def unified(theirs: Theirs, read: Statuses) -> str:
    """Our status for theirs; `none` where no entry names it."""
    found = next((entry["is"] for entry in read.table if agrees(entry.get("theirs") or {}, theirs)), NONE)
    return str(found)


def agrees(pattern: Mapping[str, Any], theirs: Theirs) -> bool:
    """Whether every field that a pattern names is so in theirs (a list: one of these). It must name one."""
    return bool(pattern) and all(_is(wanted, theirs.get(name)) for name, wanted in pattern.items())


def _is(wanted: Any, found: Any) -> bool:
    return found in wanted if isinstance(wanted, list) else found == wanted


def counts_as(status: str, read: Statuses) -> str:
    """The shipped status that a status of the shop's own counts as; a shipped one counts as itself."""
    return read.own.get(status, status if status in SHIPPED_LIST else NONE)


def has_left(status: str, theirs: Theirs, read: Statuses) -> bool:
    """Whether goods in this status are out of the shop's hands."""
    return counts_as(status, read) in LEFT or _marked(read.left, status, theirs)


def is_closed(status: str, theirs: Theirs, read: Statuses) -> bool:
    """Whether nothing more is expected of a posting in this status."""
    return counts_as(status, read) in CLOSED or _marked(read.closed, status, theirs)


def returning(theirs: Theirs, read: Statuses) -> str | None:
    """`on_its_way` or `received` where theirs tells of a return."""
    return next((str(e["is"]) for e in read.returns if agrees(e.get("theirs") or {}, theirs)), None)


def _marked(marks: Iterable[Any], status: str, theirs: Theirs) -> bool:
    """A mark is a status of ours, a pattern of theirs, or an entry that holds such a pattern."""
    for mark in marks:
        if isinstance(mark, str):
            if mark == status:
                return True
        elif agrees(mark.get("theirs", mark), theirs):
            return True
    return False
