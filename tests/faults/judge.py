"""What became of a run: every message of the fault-free run is there once, or has an end and a reason."""

from collections import Counter
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any

from infra.world import World
from vestnik import resources
from vestnik.domain import messages, statistics
from vestnik.domain.messages import ENDS, State
from vestnik.store import counters, keys, ledger

WITH_FEEDBACK = ("email_ses", "sms_eum")

type Name = tuple[str, str, str]  # event, person, channel: a message, whatever day it was decided on


@dataclass
class Outcome:
    """A run's messages by name: how it ended, how often it went, whether it is marked doubtful."""

    state: str
    reason: str
    plugin: str
    doubtful: bool
    sent: int


@dataclass
class Verdict:
    """What is wrong with a run ([] each where all is well), and how many doubles are marked as doubtful."""

    lost: list[str] = field(default_factory=list)
    double: list[str] = field(default_factory=list)
    wrong: list[str] = field(default_factory=list)
    marked: int = 0

    @property
    def good(self) -> bool:
        """Whether nothing is lost, sent twice or otherwise wrong."""
        return not (self.lost or self.double or self.wrong)


def outcomes(world: World, shop: str) -> dict[Name, Outcome]:
    """The messages of a shop, from its ledger and from what people received."""
    went = Counter(item["message_id"] for item in world.outbox)
    return {
        (messages.event_of(item["sk"]), item["person"], item["channel"]): Outcome(
            item["state"],
            item.get("reason", ""),
            item["plugin"],
            bool(item.get("doubtful")),
            went[item["sk"]],
        )
        for item in _records(world, shop)
    }


def _unsent(world: World, shop: str, expected: dict[Name, Outcome]) -> dict[Name, Outcome]:
    """Messages that were decided on and never queued (a newer status was known): they stand in their event."""
    found: dict[Name, Outcome] = {}
    with resources.use(world.account.variables(world.account.functions["manage-shop"])):
        for eid in {name[0] for name in expected}:
            for made in ledger.decisions_of(ledger.event(shop, eid) or {"decisions": "[]"}):
                if made["state"] == State.SUPERSEDED:
                    name = (eid, made["recipient"], made["channel"])
                    found[name] = Outcome(made["state"], made["reason"], "", doubtful=False, sent=0)
    return found


def _records(world: World, shop: str) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = []
    with resources.use(world.account.variables(world.account.functions["manage-shop"])):
        for day in _days(world):
            cursor: str | None = ""
            while cursor is not None:
                page, cursor = ledger.day_page(shop, day, 500, cursor)
                found += page
    return found


def _days(world: World) -> list[str]:
    return sorted({keys.day(world.now() - timedelta(hours=h)) for h in (0, 12, 24)})


def judge(world: World, shop: str, expected: dict[Name, Outcome]) -> Verdict:
    """Hold a run against the fault-free one."""
    verdict, found = Verdict(), _unsent(world, shop, expected) | outcomes(world, shop)
    for name, fault_free in expected.items():
        _judge(name, fault_free, found.get(name), verdict)
    verdict.wrong += [f"{name} is not in the fault-free run" for name in found.keys() - expected.keys()]
    verdict.wrong += _miscounted(world, shop)
    return verdict


def _judge(name: Name, fault_free: Outcome, found: Outcome | None, verdict: Verdict) -> None:
    if found is None:
        verdict.lost.append(f"{name}: no record")
    elif State(found.state) not in ENDS:
        verdict.lost.append(f"{name}: still {found.state} ({found.reason})")
    elif found.sent > fault_free.sent:
        _judge_double(name, found, verdict)
    elif found.sent < fault_free.sent and not _ended_with_reason(found):
        verdict.lost.append(f"{name}: {found.state} ({found.reason}) but not received")


def _ended_with_reason(found: Outcome) -> bool:
    """What may come of a fault: a doubt that must not be repeated, a useful life that ended, a newer status known."""
    doubted = found.state == State.GIVEN_UP and found.doubtful
    return bool(found.reason) and (doubted or found.state in (State.EXPIRED, State.SUPERSEDED))


def _judge_double(name: Name, found: Outcome, verdict: Verdict) -> None:
    if found.doubtful and found.plugin not in WITH_FEEDBACK:
        verdict.marked += 1
    else:
        verdict.double.append(f"{name}: received {found.sent} times, {found.state} ({found.reason})")


def _miscounted(world: World, shop: str) -> list[str]:
    """Where the statistics differ from a recount of the ledger."""
    recount = statistics.sums(_records(world, shop))
    with resources.use(world.account.variables(world.account.functions["manage-shop"])):
        rows = [(day, row) for day in _days(world) for row in counters.day(shop, day)]
    shown = {
        (shop, day, row["channel"], row["rule"], row["template"]): {
            k: v for k, v in row.items() if k in statistics.COUNTED and v
        }
        for day, row in rows
    }
    return [
        f"{row}: counted {shown.get(row)}, is {dict(sums)}" for row, sums in recount.items() if shown.get(row) != sums
    ]
