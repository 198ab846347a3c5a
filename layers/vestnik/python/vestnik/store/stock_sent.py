"""What each unit of an account was last sent, and the marks of units that are to be looked at.

Marks are a log: a touch writes one of its own and never over another, a run deletes exactly those that it read. So what
is touched while it is being sent stays marked, and nothing is acknowledged that was not seen.

    <priority>#<ms>#<unit>#<random>    to be sent: 0 sold out, 1 scarce, 2 usual, 3 healing
    w#<ms>#...                         not before that time        h#...    held for a person
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from vestnik import resources
from vestnik.store import dynamo, keys

TABLE = "goods"
WAITING, HELD = "w", "h"
LIVE = "0123"
FLIGHT = "flight#stock"


@dataclass(frozen=True, slots=True)
class Mark:
    """That a unit is to be looked at. `forced`: to be sent even where the number is the same."""

    key: dynamo.Key
    unit: str
    forced: bool

    @property
    def priority(self) -> str:
        """0 to 3, or the letter of one that waits."""
        return self.key[1][0]

    @property
    def at(self) -> int:
        """When it was made, or until when it waits (ms)."""
        return int(self.key[1].split("#", 2)[1])


def marks(
    shop: str, account: str, units: Iterable[tuple[str, int | str]], at: datetime, *, forced: bool = False
) -> list[dynamo.Item]:
    """Marks to be written, for units with their priorities."""
    ms, random = int(at.timestamp() * 1000), resources.new_id(4)
    return [
        {
            "pk": keys.dirty(shop, account, keys.slot(unit)),
            "sk": keys.mark(str(priority), ms, unit, random),
            "v": 1,
            **({"forced": True} if forced else {}),
        }
        for unit, priority in units
    ]


def write(puts: Sequence[dynamo.Item] = (), deletes: Sequence[dynamo.Key] = ()) -> None:
    """Write and delete marks and what was sent. Unconditional: marks are never written over, and one run at a time
    writes what was sent (its lease sees to it)."""
    dynamo.write_many(TABLE, puts=puts, deletes=deletes)


@dataclass(frozen=True, slots=True)
class Look:
    """An account's first marks as they stood at a moment, those first that are to be sent first. `whole`: there were no
    others, and nothing is read again; `more`: there were others that are to be sent."""

    shop: str
    account: str
    each: int
    marks: Sequence[Mark]
    whole: bool
    more: bool

    @property
    def live(self) -> list[Mark]:
        """Those that wait for nothing."""
        return [mark for mark in self.marks if mark.priority in LIVE]

    def due(self, now: datetime) -> list[Mark]:
        """Those whose wait is over."""
        until = int(now.timestamp() * 1000)
        if self.whole:
            return [mark for mark in self.between(WAITING, WAITING) if mark.at <= until]
        found = list[Mark]()
        for pk in _slots(self.shop, self.account):
            last = f"{WAITING}#{until:013d}~"
            rows, _ = dynamo.query(TABLE, pk, since=f"{WAITING}#", until=last, limit=self.each)
            found += map(_mark, rows)
        return found

    def next_due(self) -> int | None:
        """When the next waiting one is due (ms); None where none waits."""
        if self.whole:
            return min((mark.at for mark in self.between(WAITING, WAITING)), default=None)
        found = list[int]()
        for pk in _slots(self.shop, self.account):
            rows, _ = dynamo.query(TABLE, pk, begins=f"{WAITING}#", limit=1)
            found += [_mark(row).at for row in rows]
        return min(found, default=None)

    def between(self, first: str, last: str) -> Iterator[Mark]:
        """All of the kinds from `first` to `last`."""
        if self.whole:
            return (mark for mark in self.marks if first <= mark.priority <= last)
        return _between(self.shop, self.account, first, last)


def look(shop: str, account: str, each: int) -> Look:
    """The first marks of an account, up to `each` of every slot."""
    found, whole, more = list[Mark](), True, False
    for pk in _slots(shop, account):
        rows, after = dynamo.query(TABLE, pk, limit=each)
        found += map(_mark, rows)
        whole = whole and after is None
        more = more or (after is not None and found[-1].priority in LIVE)
    return Look(shop, account, each, sorted(found, key=lambda mark: mark.key[1]), whole, more)


def _between(shop: str, account: str, first: str, last: str) -> Iterator[Mark]:
    for pk in _slots(shop, account):
        after: str | None = ""
        while after is not None:
            rows, after = dynamo.query(TABLE, pk, since=f"{first}#", until=f"{last}~", after=after)
            yield from map(_mark, rows)


def _slots(shop: str, account: str) -> Iterator[str]:
    return (keys.dirty(shop, account, slot) for slot in range(keys.SLOTS))


def _mark(row: Mapping[str, Any]) -> Mark:
    unit = row["sk"].split("#", 2)[2].rpartition("#")[0]
    return Mark((row["pk"], row["sk"]), unit, bool(row.get("forced")))


@dataclass(slots=True)
class Sent:
    """What a unit shows, by its marketplace's warehouse: {q, at} as last sent, `doubt` where a call's answer was lost,
    seen {q, at}, error {code, message, at}. `n` counts what was sent."""

    unit: str
    n: int
    places: dict[str, dict[str, Any]]

    def shows(self, warehouse: str) -> int | None:
        """The number that stands at the marketplace for all we know; None where we do not."""
        place = self.places.get(warehouse, {})
        if "doubt" in place:
            return None
        found = place["q"] if "q" in place else place.get("seen", {}).get("q")
        return None if found is None else int(found)

    @property
    def above_zero(self) -> bool:
        """Whether it shows anything anywhere."""
        return any(self.shows(warehouse) for warehouse in self.places)


def key(shop: str, account: str, unit: str) -> dynamo.Key:
    """Where it lies what a unit was sent."""
    return keys.sent(shop, account, keys.shard(unit)), unit


def of(row: Mapping[str, Any] | None, unit: str) -> Sent:
    """What a unit was sent, out of its row; nothing where there is none."""
    return Sent(unit, row["n"], row["w"]) if row else Sent(unit, 0, {})


def get_many(shop: str, account: str, units: Iterable[str]) -> dict[str, Sent]:
    """What units were sent."""
    wanted = list(dict.fromkeys(units))
    found = dynamo.get_many({TABLE: [key(shop, account, unit) for unit in wanted]})
    return {unit: of(found.get((TABLE, *key(shop, account, unit))), unit) for unit in wanted}


def row(shop: str, account: str, sent: Sent) -> dynamo.Item:
    """What a unit was sent, as it is written."""
    pk, sk = key(shop, account, sent.unit)
    return {"pk": pk, "sk": sk, "v": 1, "n": sent.n, "w": sent.places}


def put_if_same(shop: str, account: str, sent: Sent) -> bool:
    """Keep what was seen of a unit, unless something was sent meanwhile (`n`)."""
    where = "#n = :n" if sent.n else "attribute_not_exists(#pk) OR #n = :n"
    try:
        dynamo.put(TABLE, row(shop, account, sent), where=where, values={"n": sent.n})
    except dynamo.Conflict:
        return False
    return True


def every(shop: str, account: str) -> Iterator[Sent]:
    """What all units of an account were sent, shard by shard."""
    for shard in range(keys.SHARDS):
        for item in dynamo.query_all(TABLE, keys.sent(shop, account, shard)):
            yield of(item, item["sk"])


def take_off(shop: str, account: str, units: Iterable[str]) -> None:
    """Note the units of a call before it is made: where the run dies, nobody knows what became of them. Unconditional:
    one run at a time."""
    dynamo.put(TABLE, {"pk": keys.account(shop, account), "sk": FLIGHT, "v": 1, "units": list(units)})


def in_flight(shop: str, account: str) -> list[str]:
    """The units of a call whose run died."""
    found = dynamo.get(TABLE, keys.account(shop, account), FLIGHT)
    return list(found["units"]) if found else []


def landed(shop: str, account: str) -> None:
    """Take that note away. Unconditional: one run at a time."""
    dynamo.delete(TABLE, keys.account(shop, account), FLIGHT)


def forget_account(shop: str, account: str) -> None:
    """Remove all that was kept of an account that is removed."""
    gone = [key(shop, account, sent.unit) for sent in every(shop, account)]
    gone += [mark.key for mark in _between(shop, account, "0", WAITING)]
    dynamo.write_many(TABLE, deletes=gone)
