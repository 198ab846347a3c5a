"""What refusals of stock calls say, kept over runs: which calls must be smaller, and when the call itself is wrong.

A call that is refused with no word on which row is tried in halves. Where a limit ends that before single rows are
reached, the next run begins with smaller calls, not with the whole again; calls that are taken grow them again.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from vestnik.domain.market.definitions import Outcome
from vestnik.flows.calling import FEW, HALVED

UNITS = 2  # one unit that is refused again and again says nothing of the others


@dataclass(slots=True)
class Refusals:
    """`part`: how many rows a call may have (None: as many as it takes). `count`: rows refused in a row with the same
    `code` and none taken, of these `units`; `message`: what was said last."""

    part: int | None = None
    count: int = 0
    code: str = ""
    message: str = ""
    units: list[str] = field(default_factory=list)

    @classmethod
    def of(cls, kept: Mapping[str, Any]) -> "Refusals":
        """What was kept of earlier runs."""
        part, count = kept.get("part"), int(kept.get("count") or 0)
        code, message = (str(kept.get(name) or "")[:300] for name in ("code", "message"))
        return cls(None if part is None else int(part), count, code, message, list(kept.get("units") or ()))

    def parts(self, rows: Sequence[Mapping[str, Any]]) -> Iterator[Sequence[Mapping[str, Any]]]:
        """The rows of a call in parts as small as they must be by then."""
        at = 0
        while at < len(rows):
            size = self.part or len(rows)
            yield rows[at : at + size]
            at += size

    def heard(self, units: Sequence[str], outcomes: Sequence[Outcome], most: int) -> None:
        """Take note of what became of a call's rows. `most`: how many rows a call takes."""
        taken = any(one.ok for one in outcomes)
        if any(one.code == HALVED and one.again for one in outcomes):
            self.part = max(1, len(units) // 2)
        elif taken and self.part is not None:
            self.part = self.part * 2 if self.part * 2 < most else None
        if taken:
            self.count, self.code, self.message, self.units = 0, "", "", []
        for unit, one in zip(units, outcomes, strict=True):
            if not (taken or one.ok or one.again):
                self._refused(unit, one)

    def _refused(self, unit: str, one: Outcome) -> None:
        if one.code != self.code:
            self.count, self.code, self.units = 0, one.code, []
        self.count, self.message = min(FEW, self.count + 1), one.message
        if unit not in self.units and len(self.units) < UNITS:
            self.units = [*self.units, unit]

    @property
    def useless(self) -> str:
        """Why the call itself must be wrong; or ""."""
        if self.count < FEW or len(self.units) < UNITS:
            return ""
        return f"all rows refused: {self.code} {self.message}".strip()

    def kept(self) -> dict[str, Any] | None:
        """As it is kept; None where there is nothing to keep."""
        found = {name: getattr(self, name) for name in ("part", "count", "code", "message", "units")}
        return {name: value for name, value in found.items() if value} or None
