"""What became of a market cycle: held against what the story did, and against the run in which nothing went wrong."""

import re
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any

from tests.faults.judge import Verdict
from tests.faults.market_cabinets import LINKED, handed
from tests.faults.market_stage import SHOP, Stage
from tests.faults.market_story import Cycle
from vestnik.store import goods, runs

LOW = "marketplace.stock_low "
UNTOLD = ("marketplace.sync_failed",)  # a fault may well be told
MOMENT = re.compile(r":\d{4}-\d\d-\d\dT[\d:.]+Z$")  # when it was noticed, at the end of an event's id

type Holds = dict[str, dict[str, int]]  # item -> order -> how much


@dataclass
class Whole:
    """What a run comes to: each posting's status and operation, holds, events told, what was handed over."""

    statuses: dict[str, str] = field(default_factory=dict)
    operations: dict[str, str] = field(default_factory=dict)
    holds: Holds = field(default_factory=dict)
    events: Counter[str] = field(default_factory=Counter)
    handed: dict[str, list[tuple[str, list[str]]]] = field(default_factory=dict)


def whole(stage: Stage) -> Whole:
    """What a run came to, in the story's own names, so that runs can be compared."""
    bodies = {name: stage.body(name) for name in stage.numbers}
    named = _Names(stage)
    return Whole(
        {name: body["status"] if body else "missing" for name, body in bodies.items()},
        {name: _operation((body or {}).get("operation")) for name, body in bodies.items()},
        {item: {named(id): q for id, q in sorted(held.items())} for item, held in _holds(stage).items()},
        Counter(MOMENT.sub("", named(event)) for event in _events(stage)),
        {name: [(status, sorted(map(named, ids))) for status, ids in made] for name, made in _handed(stage).items()},
    )


def _operation(told: Any) -> str:
    return f"{told['to']} {told['state']}" if told else ""


class _Names:
    """A posting's number by the story's name of it; anything else stays as it is."""

    def __init__(self, stage: Stage) -> None:
        self.known = {id.partition(":")[2]: name for name, id in stage.numbers.items()}

    def __call__(self, text: str) -> str:
        for number, name in self.known.items():
            text = text.replace(number, name)
        return text


def _holds(stage: Stage) -> Holds:
    with stage.aside():
        found = goods.items(SHOP, LINKED)
    return {item: {id: hold.quantity for id, hold in found[item].held.items()} for item in LINKED}


def _events(stage: Stage) -> list[str]:
    """Every event that the ledger keeps a decision on: its type and id."""
    partitions = stage.world.account.table("ledger").items.values()
    found = (item for partition in partitions for item in partition.values() if "#e#" in item.hash_key.value)
    plain = ((item.attrs["type"].value, item.attrs["id"].value) for item in found)
    return [f"{type} {id}" for type, id in plain if type not in UNTOLD]


def _handed(stage: Stage) -> dict[str, list[tuple[str, list[str]]]]:
    made = handed(stage.world.markets)
    return {name: made[name] for name in made if any(c.marketplace == name for c in stage.cabinets.values())}


def judge(stage: Stage, cycle: Cycle, expected: Whole) -> Verdict:
    """Hold a run that came to rest against the fault-free one and against the story's own sums."""
    verdict, found = Verdict(), whole(stage)
    _judge_postings(cycle, found, expected, verdict)
    _judge_holds(stage, found, verdict)
    _judge_shown(stage, verdict)
    _judge_told(found.events, expected.events, verdict)
    if found.handed != expected.handed:
        verdict.double.append(f"handed over {found.handed}, not {expected.handed}")
    verdict.wrong += stage.shown_too_high
    return verdict


def _judge_told(told: Counter[str], wanted: Counter[str], verdict: Verdict) -> None:
    """Every event once. Which order brought an item low depends on who was held up: it is enough that one did."""
    low, due = ({name for name in events if name.startswith(LOW)} for events in (told, wanted))
    verdict.lost += [f"event {event} was not told" for event in wanted - told if event not in due]
    verdict.lost += [f"{item} ran low, and nobody was told" for item in _items(due) - _items(low)]
    verdict.double += [f"event {event} was told {told[event]} times" for event in told - wanted if event not in low]
    verdict.double += [f"event {event} was told {told[event]} times" for event in low if told[event] > 1]


def _items(events: Iterable[str]) -> set[str]:
    return {event.removeprefix(LOW).partition(":")[0] for event in events}


def _judge_postings(cycle: Cycle, found: Whole, expected: Whole, verdict: Verdict) -> None:
    for name, status in cycle.ends.items():
        if found.statuses[name] != status:
            verdict.lost.append(f"{name} is {found.statuses[name]}, not {status}")
        if found.operations[name] != expected.operations[name]:
            verdict.lost.append(f"{name}: {found.operations[name]}, not {expected.operations[name]}")


def _judge_holds(stage: Stage, found: Whole, verdict: Verdict) -> None:
    for item in LINKED:
        wanted = {_hold(stage, name): q for name, (of, q) in stage.takes.items() if of == item}
        held = found.holds[item]
        verdict.lost += [f"{item}: nothing held for {id}" for id in wanted.keys() - held.keys()]
        verdict.double += [f"{item}: still held for {id}" for id in held.keys() - wanted.keys()]
        verdict.double += [f"{item}: {held[id]} held for {id}" for id in held.keys() & wanted if held[id] != wanted[id]]


def _hold(stage: Stage, name: str) -> str:
    """How the hold of an order of the story is called among named ones."""
    if name in stage.numbers:
        return f"{stage.numbers[name].partition(':')[0]}:{name}"
    return f"order/{name}"


def left(stage: Stage, item: str) -> int:
    """What must be for sale in the end, by the story's own sums."""
    return stage.on_hand[item] - sum(quantity for of, quantity in stage.takes.values() if of == item)


def _judge_shown(stage: Stage, verdict: Verdict) -> None:
    wanted = [(account, item, item) for account in stage.cabinets for item in LINKED]
    wanted += [(account, unit, item) for unit, (account, item) in stage.links.items()]
    for account, unit, item in wanted:
        if (shown := stage.shows(account, unit)) != left(stage, item):
            verdict.wrong.append(f"{account} shows {shown} of {unit}, not {left(stage, item)}")


def drifted(stage: Stage) -> list[str]:
    """What a whole reading back says is not as it should be."""
    with stage.aside():
        drift = {account: runs.get(SHOP, account, "readback").get("drift") or {} for account in stage.cabinets}
    return [f"{account}: drift {one}" for account, one in drift.items() if one.get("wrong") != 0]
