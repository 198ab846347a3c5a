"""Units that are sent together, and what became of them: what was sent is kept, what must come again is marked anew."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from itertools import batched
from typing import Any

from vestnik.domain.cloudevents import utc
from vestnik.flows import parallel
from vestnik.flows.stock_targets import Target
from vestnik.store import stock_sent
from vestnik.store.stock_sent import Mark

WRITTEN_AT_ONCE = 100

type Row = dict[str, Any]


@dataclass(slots=True)
class Slice:
    """`marks` and `targets` of its units; the `rows` that are due; of these the pairs that are `done`; from when units
    `wait`, and which are `held` for a person."""

    shop: str
    account: str
    marks: dict[str, list[Mark]] = field(default_factory=dict)
    targets: dict[str, Target] = field(default_factory=dict)
    rows: list[Row] = field(default_factory=list)
    done: set[tuple[str, str]] = field(default_factory=set)
    wait: dict[str, datetime] = field(default_factory=dict)
    held: set[str] = field(default_factory=set)

    def doubt(self, batch: Iterable[Mapping[str, Any]], now: datetime) -> None:
        """Nobody knows what stands there now: these go again whatever the number is then."""
        for row in batch:
            place = self.targets[row["unit"]].sent.places.setdefault(row["warehouse"], {})
            place |= {"doubt": row["quantity"], "at": utc(now)}
            self.targets[row["unit"]].sent.n = row["version"]

    def keep(self, now: datetime) -> None:
        """Keep what was sent, mark anew what must come again, and delete the marks of all that was looked at."""
        rows = {(row["unit"], row["warehouse"]) for row in self.rows}
        left = {unit for unit, warehouse in rows - self.done}
        changed = {unit for unit, _ in rows if self.targets[unit].sent.n or self.targets[unit].sent.places}
        puts = [stock_sent.row(self.shop, self.account, self.targets[unit].sent) for unit in changed]
        for unit, at in self.wait.items():
            puts += self._mark(unit, stock_sent.WAITING, at)
        for unit in self.held - self.wait.keys():
            puts += self._mark(unit, stock_sent.HELD, now)
        write(puts, [mark.key for unit, marks in self.marks.items() if unit not in left for mark in marks])

    def _mark(self, unit: str, kind: str, at: datetime) -> list[Any]:
        forced = any(mark.forced for mark in self.marks[unit])
        return stock_sent.marks(self.shop, self.account, [(unit, kind)], at, forced=forced)


def write(puts: Sequence[Any], deletes: Sequence[Any] = ()) -> None:
    """Puts first: a run that dies in between leaves a mark too many, never one too few."""
    _each(lambda part: stock_sent.write(part), puts)
    _each(lambda part: stock_sent.write((), part), deletes)


def _each(do: Callable[[Sequence[Any]], None], rows: Sequence[Any]) -> None:
    parts = list(batched(rows, WRITTEN_AT_ONCE, strict=False))
    if len(parts) > 1:
        parallel.each(do, parts)
    elif parts:
        do(parts[0])
