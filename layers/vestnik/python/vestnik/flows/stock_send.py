"""Sending stock: what is marked is read, computed and sent as it is at that moment, to zero first.

marks (heads of the log) --> units, items, what was sent --> rows --> calls --> what was sent kept --> marks deleted
        ^                                                      |
        '------- nothing read is kept over a wait: a run that is parked leaves its marks, and the next reads anew

Before each slice its units are noted (`take_off`): where the run dies after a call, nobody knows what was taken, and
the next run sends all of them again.
"""

import json
from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from itertools import batched, islice
from typing import Any

from vestnik import resources
from vestnik.domain.cloudevents import utc
from vestnik.domain.market import stock
from vestnik.domain.market.accounts import Account
from vestnik.domain.market.definitions import Outcome
from vestnik.errors import Later, Refused, Unknown
from vestnik.flows import (
    stock_guard,
    stock_outside,
    stock_readback,
    stock_refused,
    stock_slice,
    stock_targets,
    stock_touch,
)
from vestnik.flows.stock_guard import Guard
from vestnik.flows.stock_outside import Called, Outside
from vestnik.flows.stock_refusals import Refusals
from vestnik.flows.stock_slice import Row, Slice
from vestnik.flows.stock_targets import Target
from vestnik.store import runs, stock_sent
from vestnik.store.stock_sent import Look, Mark

FLOW = "stock"
ROUNDS = 8  # reads to fill one call's rows, where most units read need nothing
FEWEST = 64  # marks read of each slot
SOON = timedelta(seconds=10)
REFUSED_FOR = timedelta(minutes=15)
PATIENCE = 2  # calls refused as a whole before the run gives up

type Clock = Callable[[], datetime]


@dataclass(slots=True)
class Report:
    """What a run did: pairs sent, the same as before, of unknown stock, refused, to be sent again; units not linked;
    what waits for a person. `again`: when it wants to go on (None: nothing is left)."""

    sent: int = 0
    same: int = 0
    unknown: int = 0
    refused: int = 0
    later: int = 0
    unlinked: int = 0
    calls: int = 0
    held: dict[str, Any] | None = None
    again: datetime | None = None


def run(account: Account, clock: Clock, deadline: datetime, outside: Outside | None = None) -> Report:
    """Send an account what changed, until all is sent, a limit says wait, or the deadline is near. The caller holds the
    account's lease, and has polled its orders. Raises Refused where the account itself is refused."""
    outside = outside or Called(account)
    told = outside.told()
    targets = stock_targets.of(account, told, stock_outside.worked(account))
    state = runs.get(account.shop, account.id, FLOW)
    if not targets.warehouses:
        return Report()  # nowhere to send to yet: what is marked stays so
    _recover(account, clock())
    if untold := state.get("untold"):
        stock_refused.tell(account, untold, clock())
    by = outside.written_by(clock())
    if state.get("rules") != (rules := _rules(account, targets, by)):
        if (again := _begin(account, targets, outside, clock, deadline)) is not None:
            return Report(again=again)
        state = runs.put(account.shop, account.id, FLOW, rules=rules, refusals=None)
    work = _Run(account, outside, targets, Guard(0, None, ""), clock, deadline, int(told.get("pair_seconds") or 0))
    work.by, work.voice = by, Refusals.of(state.get("refusals") or {})
    samples = stock_readback.sample(account, targets, outside, state, clock())
    try:
        if (look := stock_sent.look(account.shop, account.id, FEWEST)).marks:
            work.guard, look = _guarded(account, targets, state, look, clock())
            work.go(look)
    finally:
        work.keep(state, samples)
    return work.report


def _rules(account: Account, targets: stock_targets.Targets, by: str) -> str:
    """What an account's numbers are computed and written `by`, beside its items: where it changes, all of them are
    looked at."""
    takes = {id: sorted(takes) for id, takes in sorted(targets.warehouses.items())}
    told = [takes, int(account.body.get("buffer") or 0), targets.physical, targets.most, by]
    resumed = account.body.get("resumed_at")
    return json.dumps([*told, resumed] if resumed else told)


def _begin(
    account: Account, targets: stock_targets.Targets, outside: Outside, clock: Clock, deadline: datetime
) -> datetime | None:
    """Before anything is sent: read what stands there, and mark all that is linked. When to go on; None: done."""
    try:
        return stock_readback.first(account, targets, outside, clock, deadline)
    except Later as later:
        return later.at or clock() + SOON


def _guarded(
    account: Account, targets: stock_targets.Targets, state: Mapping[str, Any], look: Look, now: datetime
) -> tuple[Guard, Look]:
    """The guard, and what is marked when what waited for a person goes on."""
    guard = stock_guard.begin(account, targets, state, look, now)
    if guard.holds or not state.get("waiting"):
        return guard, look
    _let_go(account, look, now)
    return guard, stock_sent.look(account.shop, account.id, FEWEST)


def confirm(shop: str, account: str, now: datetime) -> bool:
    """A person agrees that what is held comes down to 0: the next runs of this hour send it. False where none is."""
    if runs.get(shop, account, FLOW).get("state") != "waiting":
        return False
    runs.put(shop, account, FLOW, confirmed_at=now.isoformat())
    stock_touch.wake(shop, account, now)
    return True


def _recover(account: Account, now: datetime) -> None:
    """Whatever a run that died was sending is in doubt, and goes again."""
    if lost := stock_sent.in_flight(account.shop, account.id):
        stock_slice.write(
            stock_sent.marks(account.shop, account.id, dict.fromkeys(lost, stock.SOLD_OUT).items(), now, forced=True)
        )
        stock_sent.landed(account.shop, account.id)


def _let_go(account: Account, look: Look, now: datetime) -> None:
    """What was held for a person is marked anew."""
    for part in batched(look.between(stock_sent.HELD, stock_sent.HELD), 1000, strict=False):
        units = {mark.unit: stock.HEALING for mark in part}
        stock_slice.write(stock_sent.marks(account.shop, account.id, units.items(), now), [mark.key for mark in part])


@dataclass(slots=True)
class _Run:
    account: Account
    outside: Outside
    targets: stock_targets.Targets
    guard: Guard
    clock: Clock
    deadline: datetime
    pair_seconds: int
    report: Report = field(default_factory=Report)
    by: str = ""
    voice: Refusals = field(default_factory=Refusals)
    above: int = 0
    refusals: int = 0
    parked: datetime | None = None
    took_off: bool = False
    flying: bool = False
    samples: list[dict[str, Any]] = field(default_factory=list)
    anew: list[stock_refused.Refusal] = field(default_factory=list)

    def go(self, look: Look) -> None:
        """Work off what is marked. `look`: its beginning."""
        size = self.outside.size(self.clock())
        each = max(FEWEST, size // 4)
        if not look.whole and each > look.each:
            look = stock_sent.look(self.account.shop, self.account.id, each)  # enough for full calls
        while pending := self._pending(look):
            self._work_off(pending, size, look.more)
            if self._ends():
                break
            look = stock_sent.look(self.account.shop, self.account.id, each)
        self._again(look)

    def _ends(self) -> bool:
        return self.parked is not None or self.clock() >= self.deadline

    def _pending(self, look: Look) -> dict[str, list[Mark]]:
        """The first of what is marked, by unit: whose wait is over, and what waits for nothing."""
        found = dict[str, list[Mark]]()
        for mark in [*look.due(self.clock()), *look.live]:
            found.setdefault(mark.unit, []).append(mark)
        return found

    def _work_off(self, pending: dict[str, list[Mark]], size: int, more: bool) -> None:
        """Full calls, while there are enough units for one; the rest is read again with what comes after it."""
        first = True
        while pending and (first or not more or len(pending) >= size):
            if self._ends():
                return
            first = False
            self._send(self._gather(pending, size))

    def _gather(self, pending: dict[str, list[Mark]], size: int) -> Slice:
        """Read units until they fill a call, or there are no more."""
        one, counts = Slice(self.account.shop, self.account.id), Counter[str]()
        for _ in range(ROUNDS):
            wanted = list(islice(pending, size - max(counts.values(), default=0)))
            if not wanted:
                break
            one.marks |= {unit: pending.pop(unit) for unit in wanted}
            now = self.clock()
            for target in self.targets.of(wanted):
                one.targets[target.unit] = target
                rows = self._rows(one, target, now)
                one.rows += rows
                counts.update(row["warehouse"] for row in rows)
        return one

    def _rows(self, one: Slice, target: Target, now: datetime) -> list[Row]:
        """What is to be sent of a unit. Nothing of one that is not linked, or whose stock is unknown."""
        forced = any(mark.forced for mark in one.marks[target.unit])
        self.report.unlinked += not target.desired
        rows = []
        for warehouse, number in target.desired.items():
            shows = target.sent.shows(warehouse)
            if number is None:
                self.report.unknown += 1
            elif number == shows and not forced:
                self.report.same += 1
            elif (due := self._free_from(target, warehouse)) is not None and due > now:
                one.wait[target.unit] = max(due, one.wait.get(target.unit, due))
            elif self._may(one, target, warehouse, number):
                rows.append(self._row(target, warehouse, number, now))
        return rows

    def _free_from(self, target: Target, warehouse: str) -> datetime | None:
        """From when a pair may be written again (some take it once in so many seconds); None where it never was."""
        at = target.sent.places.get(warehouse, {}).get("at")
        return datetime.fromisoformat(at) + timedelta(seconds=self.pair_seconds) if at else None

    def _may(self, one: Slice, target: Target, warehouse: str, number: int) -> bool:
        """Whether the guard lets this number go: what orders took is always let."""
        if number > 0 or not target.sent.shows(warehouse):
            return True
        if self.targets.sold_out(target, warehouse) or self.guard.lets(target.unit):
            return True
        one.held.add(target.unit)
        return False

    def _row(self, target: Target, warehouse: str, number: int, now: datetime) -> Row:
        version = target.sent.n + 1
        row = {"unit": target.unit, "warehouse": warehouse, "quantity": number, "version": version, "at": utc(now)}
        return row | target.names

    def _send(self, one: Slice) -> None:
        """Make a slice's calls, and keep what became of it whatever happens."""
        if one.rows:
            stock_sent.take_off(self.account.shop, self.account.id, {row["unit"]: None for row in one.rows})
            self.took_off = True
        before = {unit: target.sent.above_zero for unit, target in one.targets.items()}
        try:
            for batch in self.outside.batches(one.rows, self.clock()) if one.rows else ():
                for part in self.voice.parts(batch):
                    if self.parked is None:
                        self._call(one, part)
        finally:
            self.above += sum(t.sent.above_zero - before[unit] for unit, t in one.targets.items())
            one.keep(self.clock())

    def _call(self, one: Slice, batch: Sequence[Mapping[str, Any]]) -> None:
        now = self.clock()
        self.report.calls += 1
        self.flying = True
        try:
            outcomes = self.outside.write(batch, now)
        except Later as later:
            self.parked = later.at or now + SOON
            if later.at is None:
                one.doubt(batch, now)
        except Unknown:
            self.parked = now + max(SOON, timedelta(seconds=self.pair_seconds))
            one.doubt(batch, now)
        except Refused as refused:
            self.flying = False
            self._refused(one, batch, refused, now)
        else:
            for row, outcome in zip(batch, outcomes, strict=True):
                self._came_to(one, row, outcome, now)
            self._heard(batch, outcomes, now)
        self.flying = False

    def _heard(self, batch: Sequence[Mapping[str, Any]], outcomes: Sequence[Outcome], now: datetime) -> None:
        """Where row after row is refused in one voice the call is wrong, and no more of it are made for a while."""
        most = self.outside.size(now) if self.voice.part else 0
        self.voice.heard([row["unit"] for row in batch], outcomes, most)
        if why := self.voice.useless:
            self.outside.doubt(why, now)
            self.parked = now + REFUSED_FOR

    def _refused(self, one: Slice, batch: Iterable[Mapping[str, Any]], refused: Refused, now: datetime) -> None:
        """A call was refused as a whole: its rows come again some time later, and others go on; but not for long."""
        self.refusals += 1
        if refused.code != "refused" or self.refusals >= PATIENCE:
            raise refused
        for row in batch:
            self._came_to(one, row, Outcome(False, True, refused.code, refused.reason), now, REFUSED_FOR)

    def _came_to(
        self, one: Slice, row: Mapping[str, Any], outcome: Outcome, now: datetime, wait: timedelta = SOON
    ) -> None:
        """What became of one row: sent, to go again, or taken out with what the marketplace said."""
        unit, warehouse = row["unit"], row["warehouse"]
        sent = one.targets[unit].sent
        place = sent.places.setdefault(warehouse, {})
        one.done.add((unit, warehouse))
        if outcome.ok:
            self._taken(one, row, now)
            return
        before = (place.get("error") or {}).get("code")
        place["error"] = {"code": outcome.code[:100], "message": outcome.message[:300], "at": utc(now)}
        if outcome.again:
            self.report.later += 1
            at = now + max(wait, timedelta(seconds=self.pair_seconds))
            one.wait[unit] = max(at, one.wait.get(unit, at))
        else:
            self.report.refused += 1
            if before != outcome.code[:100]:
                self.anew.append(stock_refused.refusal(row, sent.shows(warehouse), outcome))

    def _taken(self, one: Slice, row: Mapping[str, Any], now: datetime) -> None:
        sent, warehouse = one.targets[row["unit"]].sent, row["warehouse"]
        self.report.sent += 1
        self.guard.sent(row["unit"])
        place = {"q": row["quantity"], "at": utc(now)}
        before = sent.places.get(warehouse, {})
        sent.places[warehouse] = place | ({"seen": before["seen"]} if "seen" in before else {})
        sent.n = row["version"]
        if len(self.samples) < stock_readback.SAMPLES:
            told = {name: row[name] for name in ("unit", "warehouse", "quantity")} | {"by": self.by}
            self.samples.append({**told, "n": sent.n, "at": place["at"], "was": stock_readback.stood(before)})

    def _again(self, look: Look) -> None:
        """When the run wants to go on: when its limit allows it, at once where time ran out, when the next is due."""
        if self.parked is not None:
            self.report.again = self.parked
        elif self.clock() >= self.deadline:
            self.report.again = self.clock()
        elif (ms := look.next_due()) is not None:
            self.report.again = datetime.fromtimestamp(ms / 1000, self.clock().tzinfo)

    def keep(self, state: Mapping[str, Any], samples: Sequence[Mapping[str, Any]]) -> None:
        """Keep how the account stands for the next run."""
        shop, account, guard = self.account.shop, self.account.id, self.guard
        if self.took_off and not self.flying:
            stock_sent.landed(shop, account)
        if guard.stopped and guard.waiting is None:
            stock_guard.stopped(self.account, guard, state, self.clock())
        self.report.held = guard.waiting
        fields: dict[str, Any] = {"samples": [*samples, *self.samples][-2 * stock_readback.SAMPLES :]}
        if guard.since:
            fields |= {"above": max(0, int(state.get("above", 0)) + self.above), "window": guard.kept()}
            fields |= {} if guard.waiting else {"state": None, "waiting": None}
        if (kept := self.voice.kept()) != (state.get("refusals") or None):
            fields["refusals"] = kept
        if fields["samples"] != (state.get("samples") or []) or guard.since or "refusals" in fields:
            runs.put(shop, account, FLOW, **fields)
        if self.anew and not self.voice.useless:
            stock_refused.keep(self.account, self.anew, self.clock())
        self._log()

    def _log(self) -> None:
        told = {name: getattr(self.report, name) for name in ("sent", "same", "unknown", "refused", "later", "calls")}
        if any(told.values()):
            resources.log("stock-sent", shop=self.account.shop, account=self.account.id, **told)
