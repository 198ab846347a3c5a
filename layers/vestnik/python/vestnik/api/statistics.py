"""Statistics: the sums of the messages by day, channel, rule and template; and the same counted anew."""

from collections import Counter
from collections.abc import Iterable
from datetime import date, timedelta
from typing import Annotated, Any

from aws_lambda_powertools.event_handler.openapi.params import Query
from pydantic import Field

from vestnik import resources
from vestnik.api._days import RECENT, Day
from vestnik.api._models import Model
from vestnik.api._problems import Fault, Problem
from vestnik.api._routes import Router, caller, needs
from vestnik.domain.statistics import COUNTED
from vestnik.flows import parallel, rebuild
from vestnik.store import counters, ledger

router = Router()

MOST_DAYS = 366
IN_LEDGER = ledger.KEPT.days
BUDGET = timedelta(seconds=15)  # a day under way may take as long again, of the 29 seconds there are
REST_SECONDS = 2.0
KEYS = ("day", "channel", "rule", "template")

First = Annotated[
    Day | None, Query(alias="from", description="First day (UTC); where absent, six days before the last.")
]
Last = Annotated[Day | None, Query(alias="to", description="Last day, inside; where absent, the first, or today.")]
GroupBy = Annotated[
    str,
    Query(
        pattern=r"^((day|channel|rule|template)(,(day|channel|rule|template)){0,3})?$",
        description="One or more of day, channel, rule, template, divided by commas; empty: one sum of all.",
    ),
]


class Sum(Model):
    """The sums of one group."""

    day: date | None = Field(None, description="Where grouped by day.")
    channel: str | None = None
    rule: str | None = None
    template: str | None = None
    counts: dict[str, int] = Field(description=f"Messages of which each holds: {', '.join(COUNTED)}.")


class Statistics(Model):
    """Sums over days. Each message counts on the day it was decided on, whenever something happened to it."""

    first: date = Field(alias="from")
    last: date = Field(alias="to")
    group_by: list[str]
    items: list[Sum]
    total: dict[str, int]


class Days(Model):
    """Days to be counted anew."""

    first: Day = Field(alias="from", description="First day (UTC); the ledger goes back 35 days.")
    last: Day = Field(alias="to", description="Last day, inside.")


class Recounted(Model):
    """What became of each day."""

    right: list[date] = Field(description="The sums were right.")
    replaced: list[date] = Field(description="The sums were wrong and are replaced.")
    moving: list[date] = Field(description="Messages were under way: try again.")
    left: list[date] = Field(description="There was no time for these: send them again.")


@router.get("/statistics")
@needs("read")
def get_statistics(first: First = None, last: Last = None, group_by: GroupBy = "") -> Statistics:
    """Read the sums of up to 366 days."""
    last = last or first or resources.now().date()
    first = first or max(last, date.min + RECENT) - RECENT
    days = _days(first, last, MOST_DAYS, "?to")
    shop, keys = caller().shop, list(dict.fromkeys(group_by.split(","))) if group_by else []
    found = parallel.each(lambda day: [{**row, "day": day} for row in counters.day(shop, f"{day:%y%m%d}")], days)
    rows = [row for day in found for row in day]
    items = [Sum(**dict(zip(keys, group, strict=True)), counts=_ordered(counts)) for group, counts in _sums(rows, keys)]
    total = next((counts for _, counts in _sums(rows, [])), Counter[str]())
    return Statistics(**{"from": first, "to": last}, group_by=keys, items=items, total=_ordered(total))


def _sums(rows: Iterable[dict[str, Any]], keys: list[str]) -> list[tuple[tuple[Any, ...], Counter[str]]]:
    sums: dict[tuple[Any, ...], Counter[str]] = {}
    for row in rows:
        group = sums.setdefault(tuple(row[key] for key in keys), Counter())
        group.update({word: row[word] for word in COUNTED if word in row})
    return sorted(sums.items(), key=lambda item: tuple(map(str, item[0])))


def _ordered(counts: Counter[str]) -> dict[str, int]:
    return {word: counts[word] for word in COUNTED}


def _days(first: date, last: date, most: int, where: str) -> list[date]:
    if not 0 <= (last - first).days < most:
        fault = Fault(where, "does not fit the first day", str(last), f"the first day or up to {most - 1} days later")
        raise Problem(422, "invalid", f"from {first} to {last} are not 1 to {most} days", fault)
    return list(rebuild.days(first, last))


@router.post("/statistics/rebuild")
@needs("operate")
def rebuild_statistics(body: Days) -> Recounted:
    """Count days anew from the ledger.

    A day is only written where the ledger and the sums differ and both are at rest.
    """
    days = _days(body.first, body.last, IN_LEDGER + 1, "/to")
    start = resources.now()
    if days[0] < start.date() - timedelta(days=IN_LEDGER):
        fault = Fault("/from", "is no longer in the ledger", str(days[0]), f"at most {IN_LEDGER} days ago")
        raise Problem(422, "day-closed", "what has left the ledger cannot be counted anew", fault)
    told: dict[str, list[date]] = {"right": [], "replaced": [], "moving": [], "left": []}
    for day in days:
        late = resources.now() > start + BUDGET
        told["left" if late else rebuild.rebuild(caller().shop, day, lambda: resources.pause(REST_SECONDS))].append(day)
    return Recounted(**told)
