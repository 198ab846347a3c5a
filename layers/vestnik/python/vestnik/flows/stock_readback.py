"""Reading back: what the marketplace shows is compared with what it was sent, and a difference is healed with care.

first   before anything is sent: what stands there, so that only what differs is written and a zeroing is seen
sample  some of each run's pairs, once the marketplace had time to settle
all     every pair that is shown, each night

A number that is higher than it should be is sent again at once. One that is lower may be a sale that was not read yet:
it is raised only where two readings agree, nothing was sent in between, and no order of the account took from it since.
It counts as healed once a later reading finds it right.

What is written and shows as if it had not been, again and again and with none that does, says that the write itself
does nothing, whatever it is answered.
"""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
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
FEW = 5  # so many readings in a row of numbers that were taken and are not there: they were never written
AT_ONCE = 500
MOST_UNSURE = 2000
SECOND = timedelta(minutes=2)  # between two readings: the orders are read meanwhile
EARLIER = timedelta(minutes=2)  # an order that took from it so short before it was sent may explain a difference too

COUNTS = ("checked", "wrong", "resent", "healed")

type Clock = Callable[[], datetime]
type State = Mapping[str, Any]


@dataclass(slots=True)
class Read:
    """What a reading came to: pairs looked at, those that differ, units marked to be sent again (`resent`), pairs that
    had been sent again and are right now (`healed`), pairs that are lower than they should be and are to be read once
    more. `again`: when it wants to go on (None: done)."""

    checked: int = 0
    wrong: int = 0
    resent: int = 0
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
    read = Read(*(before.get(name, 0) for name in COUNTS))
    read.unsure = {(unit, warehouse) for unit, warehouse in before.get("unsure", ())}
    for page, place in _everything(account, targets, outside, clock, state):
        _compare(account, targets, page, read, clock())
        counted = {name: getattr(read, name) for name in COUNTS}
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
    drift = {**state.get("drift", {}), "wrong_still": read.wrong, "resent_then": read.resent}
    runs.put(account.shop, account.id, NIGHTLY, second=None, drift=drift)
    return read


def _drift(read: Read, now: datetime) -> dict[str, Any]:
    return {name: getattr(read, name) for name in COUNTS} | {"at": now.isoformat()}


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
    """Keep what was seen of linked units. Where it is more than was sent, somebody else wrote it, and what was sent
    does not stand there any longer. Where it is less, it may have been sold."""
    by_unit = _by_units(shown)
    known = units.get_many(account.shop, account.id, by_unit)
    linked = [unit for unit, one in known.items() if one.get("link")]
    rows = []
    for unit, sent in stock_sent.get_many(account.shop, account.id, linked).items():
        for warehouse, quantity in by_unit[unit].items():
            place = sent.places.setdefault(warehouse, {})
            place["seen"] = {"q": quantity, "at": utc(now)}
            if quantity > place.get("q", quantity):
                del place["q"]
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
    healed = {
        warehouse: quantity
        for warehouse, quantity in shown.items()
        if warehouse not in wrong and _was_healed(target.sent.places.get(warehouse, {}))
    }
    read.checked += len(shown)
    read.wrong += len(wrong)
    if not wrong and not healed:
        return
    healing = [warehouse for warehouse, quantity in wrong.items() if heals(account, target, warehouse, quantity)]
    for warehouse, quantity in (wrong | healed).items():
        seen = {"q": quantity, "at": utc(now), "n": target.sent.n}
        place = target.sent.places.setdefault(warehouse, {})
        place["seen"] = seen | ({"heals": True} if warehouse in healing else {})
    kept = stock_sent.put_if_same(account.shop, account.id, target.sent)
    read.healed += len(healed) if kept else 0
    if kept and healing:
        read.resent += 1
        wrong = {}
        stock_touch.units(account.shop, account.id, [target.unit], now, priority=stock.HEALING, forced=True)
    read.unsure |= {(target.unit, warehouse) for warehouse in wrong}


def _was_healed(place: Mapping[str, Any]) -> bool:
    """Whether a pair was found wrong, and has been sent again since."""
    seen = place.get("seen") or {}
    return bool(seen.get("heals")) and str(place.get("at", "")) >= str(seen["at"])


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
    again = _sampled(account, targets, outside, ready, shown, state, now)
    return [*again, *(one for one in waiting if one not in ready)]


def _sampled(
    account: Account,
    targets: Targets,
    outside: Outside,
    ready: Iterable[Mapping[str, Any]],
    shown: Mapping[Pair, int],
    state: State,
    now: datetime,
) -> list[dict[str, Any]]:
    """Judge what was sampled; those that are to be read once more. What was sent again meanwhile is no sample."""
    found, again = {target.unit: target for target in targets.of({one["unit"]: None for one in ready})}, []
    read, signs, by = Read(), list[int](), outside.written_by(now)
    for one in ready:
        target, pair = found[one["unit"]], (one["unit"], one["warehouse"])
        if target.sent.n != one["n"] or pair not in shown:
            continue
        if one.get("by") == by:
            signs.append(_sign(account, target, one, shown[pair]))
        before = read.resent
        _judge(account, target, {one["warehouse"]: shown[pair]}, read, now)
        lower = shown[pair] < (target.desired.get(one["warehouse"]) or 0)
        if lower and read.resent == before and not one.get("twice"):
            again.append({**one, "at": utc(now), "twice": True})
    if read.checked:
        held = lost(signs, state.get("lost") or {}, by)
        runs.put(account.shop, account.id, FLOW, drift=_drift(read, now), lost=held if held["n"] < FEW else None)
        if held["n"] >= FEW:
            outside.doubt("none of the numbers that it took is there", now)
    return again


def stood(place: Mapping[str, Any]) -> int | None:
    """What a pair showed at last, for all we know: what was sent, unless it was seen since; None: nobody knows."""
    seen = place.get("seen") or {}
    if "q" in seen and ("q" not in place or seen["at"] >= place.get("at", "")):
        return int(seen["q"])
    return int(place["q"]) if "q" in place and "doubt" not in place else None


def _sign(account: Account, target: Target, sample: Mapping[str, Any], shown: int) -> int:
    """What a reading says of the write before it: 1 that it was done, -1 that nothing was (it shows what it did before,
    or more than was sent), 0 neither. What orders took since may explain what it shows."""
    was, quantity = sample.get("was"), sample["quantity"]
    if shown == quantity:
        return 0 if was == quantity else 1
    if shown > quantity:
        return -1
    at = target.sent.places.get(sample["warehouse"], {}).get("at") or sample["at"]
    since = utc(datetime.fromisoformat(at) - EARLIER)
    return -1 if shown == was and not stock.sold_since(target.items.values(), account.id, since) else 0


def lost(signs: Sequence[int], before: Mapping[str, Any], by: str) -> dict[str, Any]:
    """How many readings in a row found nothing written, with none that did: {n, by}. `by`: what writes; of another
    nothing is held against this one."""
    if 1 in signs:
        return {"n": 0, "by": by}
    return {"n": signs.count(-1) + (int(before["n"]) if before.get("by") == by else 0), "by": by}
