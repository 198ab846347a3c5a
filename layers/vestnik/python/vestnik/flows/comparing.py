"""What connecting an account would change there: every unit's number as it stands against the one we would send.

Nothing is written at the marketplace. Units are looked at shard by shard, and the place is saved after each.
"""

from collections.abc import Callable, Iterable, Mapping
from datetime import datetime
from typing import Any

from vestnik.domain.market import accounts as rules
from vestnik.domain.market.accounts import Account
from vestnik.domain.market.links import offered, state_of
from vestnik.flows import links, stock_outside, stock_targets
from vestnik.flows.stock_outside import Called, Outside, Pair
from vestnik.flows.stock_targets import Target, Targets
from vestnik.store import keys, lists, units

SAMPLES = 10
COUNTED = (
    "units",
    "archived",
    "gone",
    "linked",
    "linkable",
    "ambiguous",
    "unlinked",
    "unknown",
    "same",
    "up",
    "down",
    "zero",
    "above_zero",
)
WAYS = ("article", "barcode")
Report = dict[str, Any]
Clock = Callable[[], datetime]


def begin() -> Report:
    """A report before anything was looked at: counts of units (units to above; of them linked ...), of pairs of unit
    and warehouse (same, up, down, zero; above_zero: for sale now), samples of what would change, and the place."""
    return {**dict.fromkeys(COUNTED, 0), "samples": [], "shard": 0}


def go_on(account: Account, report: Report, clock: Clock, until: datetime, keep: Callable[[Report], None]) -> bool:
    """Look at the shards that are left, and `keep` the report after each; whether all were. Raises Later."""
    outside, where = Called(account), stock_outside.worked(account)
    targets = stock_targets.of(account, outside.told(), where)
    shown = _all_shown(outside, where, clock)
    for shard in range(report["shard"], keys.SHARDS):
        if clock() >= until:
            return False
        _look(report, account, shard, outside, targets, shown, clock)
        report["shard"] = shard + 1
        keep(report)
    return True


def ended(account: Account, report: Report, at: datetime) -> Report:
    """The report as it is shown: with what share would be zeroed, and whether a run would wait for a person."""
    limit = int(account.body.get("zero_limit_percent", rules.ZERO_LIMIT_PERCENT))
    percent = round(100 * report["zero"] / report["above_zero"], 1) if report["above_zero"] else 0.0
    told = {name: report.get(name, 0) for name in (*COUNTED, "samples")}
    told |= {"zero_percent": percent, "zero_limit_percent": limit, "would_wait": percent > limit}
    there = lists.get(account.shop, account.id, lists.WAREHOUSE)
    active = sorted(stock_outside.worked(account))
    return {**told, "warehouses": {"there": len(there), "sent_to": active}, "at": at.isoformat()}


def _all_shown(outside: Outside, where: Iterable[str], clock: Clock) -> dict[Pair, int] | None:
    """What a marketplace shows of everything, where it tells that by warehouse; None where it must be asked by unit."""
    found = dict[Pair, int]()
    for warehouse in where if outside.can_read(clock()) else ():
        start: Any = None
        while True:
            pages = outside.pages(warehouse, clock(), start)
            if pages is None:
                return None
            page, following = next(iter(pages))
            found |= page
            if following is None or following == start:
                break
            start = following
    return found


def _look(
    report: Report,
    account: Account,
    shard: int,
    outside: Outside,
    targets: Targets,
    shown: Mapping[Pair, int] | None,
    clock: Clock,
) -> None:
    found = list(units.of_shard(account.shop, account.id, shard))
    names = {unit["unit"]: unit.get("name") for unit in found}
    linked = [unit["unit"] for unit in found if "link" in unit and offered(unit)]
    for state, counted in (("listed", "units"), ("archived", "archived"), ("gone", "gone")):
        report[counted] = report.get(counted, 0) + sum(1 for unit in found if state_of(unit) == state)
    report["linked"] += len(linked)
    for _, suits in links.suggested(account, found, WAYS):
        report["linkable" if suits.item else "ambiguous" if suits.candidates else "unlinked"] += 1
    wanted = targets.of(linked) if linked else []
    pairs = [(target.unit, warehouse) for target in wanted for warehouse in target.desired]
    shows = shown if shown is not None else outside.read(pairs, clock()) if pairs else {}
    for target in wanted:
        _compare(report, target, shows, names.get(target.unit))


def _compare(report: Report, target: Target, shows: Mapping[Pair, int], name: Any) -> None:
    """An unknown number changes nothing: an item without a stock record is not zero."""
    if not target.desired or any(number is None for number in target.desired.values()):
        report["unknown"] += 1
    for warehouse, number in target.desired.items():
        now = shows.get((target.unit, warehouse), 0)
        report["above_zero"] += now > 0
        if number is not None:
            what = _change(now, number)
            report[what] += 1
            _sample(report, what, {"unit": target.unit, "name": name, "warehouse": warehouse}, now, number)


def _change(now: int, number: int) -> str:
    if number == now:
        return "same"
    if number == 0:
        return "zero"
    return "up" if number > now else "down"


def _sample(report: Report, what: str, about: Report, now: int, number: int) -> None:
    if what != "same" and sum(1 for one in report["samples"] if one["change"] == what) < SAMPLES:
        report["samples"].append({"change": what, **about, "shows": now, "would_show": number})
