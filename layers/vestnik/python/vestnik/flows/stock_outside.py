"""An account's marketplace as the flows of stock see it: write numbers, read numbers, and what its number means."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Protocol

from vestnik import marketplaces
from vestnik.domain.market import definitions
from vestnik.domain.market.accounts import Account
from vestnik.domain.market.definitions import Outcome
from vestnik.errors import Refused
from vestnik.flows import calling, definition_watch, definitions_in_force

WRITE, READ, READ_ALL = "stock.write", "stock.read", "stock.read.all"
MISSING = Outcome(False, True, "missing", "the answer does not name this row")

type Row = Mapping[str, Any]
type Pair = tuple[str, str]


class Outside(Protocol):
    """What the flows of stock need of a marketplace. Pairs are (unit, warehouse)."""

    def told(self) -> Mapping[str, Any]:
        """{means: free | physical, pair_seconds, settles_seconds, most}."""

    def size(self, now: datetime) -> int:
        """How many rows one call takes."""

    def written_by(self, now: datetime) -> str:
        """What writes numbers now, in a word: where it changes, all that was written is looked at anew."""

    def doubt(self, reason: str, now: datetime) -> None:
        """Take note that what was answered as written is not there."""

    def batches(self, rows: Sequence[Row], now: datetime) -> list[list[Row]]:
        """Rows cut into calls."""

    def write(self, rows: Sequence[Row], now: datetime) -> list[Outcome]:
        """One call; an outcome for each row, in their order. Raises Later, Unknown, Refused."""

    def can_read(self, now: datetime) -> bool:
        """Whether it can be asked what it shows."""

    def read(self, pairs: Sequence[Pair], now: datetime) -> dict[Pair, int]:
        """What it shows of these pairs; those that it does not name are left out. Raises Later, Refused."""

    def pages(self, warehouse: str, now: datetime, start: Any) -> Iterator[tuple[dict[Pair, int], Any]] | None:
        """All that a warehouse shows, page by page, each with where to go on; None where it must be asked by unit."""


@dataclass(frozen=True, slots=True)
class Called:
    """The marketplace behind an account, by its request definitions."""

    account: Account

    def told(self) -> Mapping[str, Any]:
        return marketplaces.shipped(self.account.marketplace).stock

    def size(self, now: datetime) -> int:
        definition = definitions_in_force.need(self.account, WRITE, now)
        return int(definition.get("batch", {}).get("rows", 1))

    def written_by(self, now: datetime) -> str:
        definition = definitions_in_force.find(self.account, WRITE, now)
        return f"{definition['id']}:{definitions.mark(definition)}" if definition else ""

    def doubt(self, reason: str, now: datetime) -> None:
        definition = definitions_in_force.find(self.account, WRITE, now)
        if definition is not None:
            definition_watch.failed(self.account, definition, reason, now)

    def batches(self, rows: Sequence[Row], now: datetime) -> list[list[Row]]:
        return list(calling.batches(self.account, WRITE, rows, now))

    def write(self, rows: Sequence[Row], now: datetime) -> list[Outcome]:
        answer = calling.call(self.account, WRITE, now, rows=rows)
        # By the definition that answered: another may have taken its place in the call.
        definition = definitions_in_force.known(self.account.shop, self.account.marketplace, now)[answer.definition]
        return [answer.outcomes.get(definitions.row_id(definition, row), MISSING) for row in rows]

    def can_read(self, now: datetime) -> bool:
        return calling.has(self.account, READ, now)

    def read(self, pairs: Sequence[Pair], now: datetime) -> dict[Pair, int]:
        rows = [{"unit": unit, "warehouse": warehouse} for unit, warehouse in pairs]
        wanted, found = set(pairs), dict[Pair, int]()
        if not definitions_in_force.need(self.account, READ, now).get("batch"):
            for warehouse in sorted({warehouse for _, warehouse in pairs}):
                for page, _ in self._paged(READ, warehouse, now, None):
                    found |= page
        else:
            for batch in calling.batches(self.account, READ, rows, now):
                found |= self._read_batch(batch, now)
        return {pair: quantity for pair, quantity in found.items() if pair in wanted}

    def _read_batch(self, batch: Sequence[Row], now: datetime) -> dict[Pair, int]:
        """One batch may be answered in several pages."""
        found, following = dict[Pair, int](), None
        while True:
            answer = calling.call(self.account, READ, now, rows=batch, page={"cursor": following})
            found |= _shown(answer.items, str(batch[0]["warehouse"]))
            if answer.next is None or answer.next == following:
                return found
            following = answer.next

    def pages(self, warehouse: str, now: datetime, start: Any) -> Iterator[tuple[dict[Pair, int], Any]] | None:
        if calling.has(self.account, READ_ALL, now):
            return self._paged(READ_ALL, warehouse, now, start)
        paged = not definitions_in_force.need(self.account, READ, now).get("batch")
        return self._paged(READ, warehouse, now, start) if paged else None

    def _paged(self, purpose: str, warehouse: str, now: datetime, start: Any) -> Iterator[tuple[dict[Pair, int], Any]]:
        given = {"warehouse": warehouse}
        for answer in calling.pages(self.account, purpose, now, given=given, start=start):
            yield _shown(answer.items, warehouse), answer.next


def _shown(items: Sequence[Row], warehouse: str) -> dict[Pair, int]:
    """What an answer shows; where it names no warehouse it speaks of the one asked for. Refused `mapping`."""
    try:
        return {
            (str(item["unit"]), str(item.get("warehouse") or warehouse)): int(item.get("quantity") or 0)
            for item in items
        }
    except (KeyError, TypeError, ValueError):
        raise Refused("its answer must make {unit, quantity} of each", code="mapping", where="answer") from None


def worked(account: Account) -> dict[str, frozenset[str]]:
    """The marketplace's warehouses that are sent stock, each with the shop's that it takes from (none: all): those that
    are switched on and of a scheme that we work."""
    schemes = marketplaces.shipped(account.marketplace).schemes
    wanted = account.body.get("schemes") or list(schemes)
    return {
        str(one["id"]): frozenset(one.get("takes") or ())
        for one in account.body.get("warehouses") or ()
        if one.get("active", True) and _is_worked(one.get("scheme"), schemes, wanted)
    }


def _is_worked(scheme: Any, schemes: Mapping[str, str], wanted: Sequence[str]) -> bool:
    return scheme is None or (schemes.get(scheme) == "worked" and scheme in wanted)
