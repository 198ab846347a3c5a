"""Imports: many customers, staff or orders at once. History is silent: nobody is told of any of it."""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import asdict, dataclass
from datetime import datetime
from typing import Any

from vestnik.domain.cloudevents import utc
from vestnik.flows import parallel
from vestnik.store import orders, people, records, settings

MOST_ROWS = 1000
TABLE = {"customer": people.TABLE, "staff": people.TABLE, "order": orders.TABLE}


@dataclass(frozen=True, slots=True)
class Fault:
    """What is wrong in a row: `field` (dotted), what was found, and what would be right."""

    field: str
    found: str
    expected: str


Check = Callable[[Any], tuple[dict[str, Any], list[Fault]]]


def take(shop: str, kind: str, rows: Iterable[Any], check: Check, *, dry_run: bool, now: datetime) -> dict[str, Any]:
    """Keep the good rows, name the faults of the others: {rows, good, bad, kept, errors: [{row, id, field, found,
    expected}]}. Rows count from 1. With `dry_run` nothing is written. `check` gives a row's profile and its faults.
    """
    good, errors, seen = dict[str, dict[str, Any]](), list[dict[str, Any]](), dict[str, int]()
    number = 0
    for number, row in enumerate(rows, 1):
        profile, faults = check(row)
        id = str(profile.get("id", ""))
        faults = faults or _repeated(id, seen)
        errors += [{"row": number, "id": id[:128], **asdict(fault)} for fault in faults]
        if not faults:
            good[id], seen[id] = profile, number
    if not dry_run:
        keep(shop, kind, good, now)
    bad = number - len(good)
    return {"rows": number, "good": len(good), "bad": bad, "kept": 0 if dry_run else len(good), "errors": errors}


def _repeated(id: str, seen: Mapping[str, int]) -> list[Fault]:
    return [Fault("id", id, f"an id of its own: row {seen[id]} has this one")] if id in seen else []


def keep(shop: str, kind: str, profiles: Mapping[str, Mapping[str, Any]], now: datetime) -> None:
    """Put whole records, several at a time, whatever stood there."""
    as_of = utc(now)

    def put(id: str) -> records.Record:
        return records.replace(TABLE[kind], shop, kind, id, profiles[id], as_of)

    parallel.each(put, profiles)
    _tell_readers(shop, kind)


def remove(shop: str, kind: str, id: str) -> None:
    """Remove one record."""
    records.remove(TABLE[kind], shop, kind, id)
    _tell_readers(shop, kind)


def _tell_readers(shop: str, kind: str) -> None:
    """Evaluations keep the staff as long as the settings revision stands."""
    if kind == "staff":
        settings.touch(shop)
