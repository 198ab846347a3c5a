"""Reading back: what the marketplace shows is compared with what it was sent, and a difference is healed with care.

first   before anything is sent: what stands there, so that only what differs is written and a zeroing is seen
sample  some of each run's pairs, once the marketplace had time to settle
all     every pair that is shown, each night

A number that is higher than it should be is sent again at once. One that is lower may be a sale that was not read yet:
it is raised only where two readings agree, nothing was sent in between, and no order of the account took from it since.
"""

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from itertools import batched
from typing import Any

from vestnik.domain.cloudevents import utc
from vestnik.domain.market import stock
from vestnik.domain.market.accounts import Account
from vestnik.domain.market.links import offered
from vestnik.errors import Later, Refused, Unknown
from vestnik.flows import stock_outside, stock_targets, stock_touch
from vestnik.flows.stock_outside import Called, Outside, Pair
from vestnik.flows.stock_targets import Target, Targets
from vestnik.store import runs, stock_sent, units

FLOW = "stock"
NIGHTLY = "readback"
SAMPLES = 40
FEW = 5  # so many numbers that were all taken and are not there were never written
AT_ONCE = 500
MOST_UNSURE = 2000
SECOND = timedelta(minutes=2)  # between two readings: the orders are read meanwhile
EARLIER = timedelta(minutes=2)  # an order that took from it so short before it was sent may explain a difference too

type Clock = Callable[[], datetime]
type State = Mapping[str, Any]


@dataclass(slots=True)
class Read:
    """What a reading came to: pairs looked at, those that differ, units marked to be sent again, pairs that are lower
    than they should be and are to be read once more. `again`: when it wants to go on (None: done)."""

    checked: int = 0
    wrong: int = 0
    healed: int = 0
    again: datetime | None = None
    unsure: set[Pair] = field(default_factory=set)


def first(account: Account, targets: Targets, outside: Outside, clock: Clock, deadline: datetime) -> datetime | None:
    """Note what every linked unit shows before anything is sent, count what is above zero, and mark all linked units.
    When to go on; None where it is done. Raises Later; what was read is kept."""
    for page, place in _everything(account, targets, outside, clock, runs.get(account.shop, account.id, FLOW)):
        _note(account, page, clock())
        runs.put(account.shop, account.id, FLOW, reading=place)
        if clock() >= deadline and place is not None:
            return clock()
    for part in batched(_linked(account), 10_000, strict=False):
        stock_touch.units(account.shop, account.id, part, clock(), priority=stock.HEALING)
    runs.put(account.shop, account.id, FLOW, above=_above(account), reading=None)
    return None


def all(account: Account, clock: Clock, deadline: datetime, outside: Outside | None = None) -> Read:
    """Read every pair that the account's warehouses show, measure how much drifted, and heal it. Goes on where the last
    run stopped. Raises Later, Refused; what was read is kept."""
    outside = outside or Called(account)
    targets = stock_targets.of(account, outside.told(), stock_outside.worked(account))
    state = runs.get(account.shop, account.id, NIGHTLY)
    if state.get("second"):
        return _second(account, targets, outside, state, clock())
    before = state.get("progress") or {}
    read = Read(before.get("checked", 0), before.get("wrong", 0), before.get("healed", 0))
    read.unsure = {(unit, warehouse) for unit, warehouse in before.get("unsure", ())}
    for page, place in _everything(account, targets, outside, clock, state):
        _compare(account, targets, page, read, clock())
        counted = {"checked": read.checked, "wrong": read.wrong, "healed": read.healed}
        unsure = sorted(read.unsure)[:MOST_UNSURE]
        runs.put(account.shop, account.id, NIGHTLY, reading=place, progress={**counted, "unsure": unsure})
        if clock() >= deadline and place is not None:
            read.again = clock()
            return read
    runs.put(account.shop, account.id, NIGHTLY, reading=None, progress=None, drift=_drift(read, clock()))
    runs.put(account.shop, account.id, FLOW, above=_above(account))
    if read.unsure:
        read.again = clock() + max(SECOND, timedelta(seconds=int(outside.told().get("settles_seconds") or 0)))
        second = {"at": read.again.isoformat(), "pairs": sorted(read.unsure)[:MOST_UNSURE]}
        runs.put(account.shop, account.id, NIGHTLY, second=second)
    return read


def _second(account: Account, targets: Targets, outside: Outside, state: State, now: datetime) -> Read:
    """Read once more what was lower than it should be: where it still is, and nothing explains it, it is raised."""
    at, read = datetime.fromisoformat(state["second"]["at"]), Read()
    if now < at:
        return Read(again=at)
    pairs = [(unit, warehouse) for unit, warehouse in state["second"]["pairs"]]
    _compare(account, targets, outside.read(pairs, now), read, now)
    drift = {**state.get("drift", {}), "wrong_still": read.wrong, "healed_then": read.healed}
    runs.put(account.shop, account.id, NIGHTLY, second=None, drift=drift)
    return read


def _drift(read: Read, now: datetime) -> dict[str, Any]:
    return {"checked": read.checked, "wrong": read.wrong, "healed": read.healed, "at": now.isoformat()}


def _everything(
    account: Account, targets: Targets, outside: Outside, clock: Clock, state: State
) -> Iterator[tuple[dict[Pair, int], Any]]:
    """All that the account's warehouses show, from where a run before stopped, each part with where to go on."""
    if not outside.can_read(clock()):
        return
    place = state.get("reading") or {}
    for warehouse in sorted(targets.warehouses):
        if warehouse < place.get("warehouse", ""):
            continue
        start = place.get("next") if warehouse == place.get("warehouse") else None
        pages = outside.pages(warehouse, clock(), start)
        if pages is None:
            yield from _by_unit(account, outside, warehouse, clock, start)
        else:
            for shown, following in pages:
                yield shown, {"warehouse": warehouse, "next": following} if following is not None else _after(warehouse)


def _by_unit(
    account: Account, outside: Outside, warehouse: str, clock: Clock, start: Any
) -> Iterator[tuple[dict[Pair, int], Any]]:
    """What a warehouse shows of the linked units, where it is not to be had as a whole."""
    cursor: str | None = start or ""
    while cursor is not None:
        page, cursor = units.page(account.shop, account.id, AT_ONCE, cursor)
        pairs = [(unit["unit"], warehouse) for unit in page if unit.get("link") and offered(unit)]
        shown = outside.read(pairs, clock()) if pairs else {}
        yield shown, {"warehouse": warehouse, "next": cursor} if cursor else _after(warehouse)


def _after(warehouse: str) -> dict[str, Any]:
    """Just behind a warehouse, whichever comes next."""
    return {"warehouse": warehouse + "\x00"}


def _linked(account: Account) -> Iterator[str]:
    return (unit["unit"] for unit in units.every(account.shop, account.id) if unit.get("link"))


def _above(account: Account) -> int:
    return sum(sent.above_zero for sent in stock_sent.every(account.shop, account.id))


def _by_units(shown: Mapping[Pair, int]) -> dict[str, dict[str, int]]:
    found = dict[str, dict[str, int]]()
    for (unit, warehouse), quantity in shown.items():
        found.setdefault(unit, {})[warehouse] = quantity
    return found


def _note(account: Account, shown: Mapping[Pair, int], now: datetime) -> None:
    """Keep what was seen of linked units."""
    by_unit = _by_units(shown)
    known = units.get_many(account.shop, account.id, by_unit)
    linked = [unit for unit, one in known.items() if one.get("link")]
    rows = []
    for unit, sent in stock_sent.get_many(account.shop, account.id, linked).items():
        for warehouse, quantity in by_unit[unit].items():
            sent.places.setdefault(warehouse, {})["seen"] = {"q": quantity, "at": utc(now)}
        rows.append(stock_sent.row(account.shop, account.id, sent))
    stock_sent.write(rows)


def _compare(account: Account, targets: Targets, shown: Mapping[Pair, int], read: Read, now: datetime) -> None:
    """Hold what is shown against what is to be shown; what differs is noted, and healed where that is safe."""
    by_unit = _by_units(shown)
    for part in targets.slices(by_unit):
        for target in part:
            if target.desired:
                _judge(account, target, by_unit[target.unit], read, now)


def _judge(account: Account, target: Target, shown: Mapping[str, int], read: Read, now: datetime) -> None:
    wrong = {
        warehouse: quantity
        for warehouse, quantity in shown.items()
        if (number := target.desired.get(warehouse)) is not None and number != quantity
    }
    read.checked += len(shown)
    read.wrong += len(wrong)
    if not wrong:
        return
    healing = [heals(account, target, warehouse, quantity) for warehouse, quantity in wrong.items()]
    for warehouse, quantity in wrong.items():
        target.sent.places.setdefault(warehouse, {})["seen"] = {"q": quantity, "at": utc(now), "n": target.sent.n}
    if stock_sent.put_if_same(account.shop, account.id, target.sent) and any(healing):
        read.healed += 1
        wrong = {}
        stock_touch.units(account.shop, account.id, [target.unit], now, priority=stock.HEALING, forced=True)
    read.unsure |= {(target.unit, warehouse) for warehouse in wrong}


def heals(account: Account, target: Target, warehouse: str, shown: int) -> bool:
    """Whether a number that is not as it should be may be sent again now. Downwards always. Upwards only where the
    reading before this one saw the same, nothing was sent since, and no order explains it."""
    number = target.desired.get(warehouse)
    if number is None:
        return False
    if shown > number:
        return True
    place = target.sent.places.get(warehouse, {})
    before = place.get("seen") or {}
    if before.get("q") != shown or before.get("n") != target.sent.n:
        return False
    since = datetime.fromisoformat(place.get("at") or before["at"]) - EARLIER
    return not stock.sold_since(target.items.values(), account.id, utc(since))


def sample(account: Account, targets: Targets, outside: Outside, state: State, now: datetime) -> list[dict[str, Any]]:
    """Read back those of the pairs sent before that had time to settle; those that are still to be read. A difference
    that is not healed at once is read once more next time."""
    settles = timedelta(seconds=int(outside.told().get("settles_seconds") or 0))
    waiting = list(state.get("samples") or ())
    ready = [one for one in waiting if datetime.fromisoformat(one["at"]) + settles <= now]
    if not ready or not outside.can_read(now):
        return waiting
    try:
        shown = outside.read([(one["unit"], one["warehouse"]) for one in ready], now)
    except (Later, Refused, Unknown):
        return waiting  # no time for it now; sending matters more
    again = _sampled(account, targets, outside, ready, shown, now)
    return [*again, *(one for one in waiting if one not in ready)]


def _sampled(
    account: Account,
    targets: Targets,
    outside: Outside,
    ready: Iterable[Mapping[str, Any]],
    shown: Mapping[Pair, int],
    now: datetime,
) -> list[dict[str, Any]]:
    """Judge what was sampled; those that are to be read once more. What was sent again meanwhile is no sample."""
    found, again = {target.unit: target for target in targets.of({one["unit"]: None for one in ready})}, []
    read, over = Read(), list[int]()
    for one in ready:
        target, pair = found[one["unit"]], (one["unit"], one["warehouse"])
        if target.sent.n != one["n"] or pair not in shown:
            continue
        over.append(shown[pair] - one["quantity"])
        before = read.healed
        _judge(account, target, {one["warehouse"]: shown[pair]}, read, now)
        lower = shown[pair] < (target.desired.get(one["warehouse"]) or 0)
        if lower and read.healed == before and not one.get("twice"):
            again.append({**one, "at": utc(now), "twice": True})
    if read.checked:
        runs.put(account.shop, account.id, FLOW, drift=_drift(read, now))
    if all_lost(over):
        outside.doubt(f"none of {len(over)} numbers that it took is there", now)
    return again


def all_lost(over: Iterable[int]) -> bool:
    """Whether numbers were answered as written and never were. `over`: by how much each is above what was sent; one
    that is lower may have been sold meanwhile, so there must be enough that are higher, and none that is right."""
    found = list(over)
    return 0 not in found and sum(1 for one in found if one > 0) >= FEW
