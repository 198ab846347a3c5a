"""A day of a shop, played into the local world: people first, then event after event, the clock following each.

What happens on marketplaces meanwhile has a file of its own.
"""

import json
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from infra.world.marketplaces import Failed, Timetable
from infra.world.world import World

LARGEST_BATCH = 100
IMPORT_ROWS = 500
MEDIA = "application/cloudevents-batch+json"
Event = dict[str, Any]


@dataclass(slots=True)
class Played:
    """What a play came to."""

    events: int = 0
    refused: list[Any] = field(default_factory=list)
    imported: dict[str, int] = field(default_factory=dict)
    began: datetime | None = None
    ended: datetime | None = None
    markets: Timetable | None = None


class Stopped(Exception):
    """The play cannot go on: the API answered something unexpected."""


def read(file: Path) -> list[Event]:
    """The events of a file, one JSON object a line, in order of their time."""
    events = [json.loads(line) for line in file.read_text().splitlines() if line.strip()]
    return sorted(events, key=lambda event: event["time"])


def play(world: World, file: Path, progress: Callable[[int, datetime], None], *, sell: bool = True) -> Played:
    """Play a file of events; `people.json` beside it is imported first, and what `marketplaces.json` tells happens in
    its time. The clock stands still but for the play.

    `progress(done, now)` is called after each batch. `sell`: also on marketplaces. Raises Stopped.
    """
    events, played = read(file), Played()
    people, markets = file.with_name("people.json"), file.with_name("marketplaces.json")
    was_running, played.began = world.clock.runs, world.now()
    world.clock.run(False)
    try:
        if people.exists():
            played.imported = bring(world, json.loads(people.read_text()))
        if sell and markets.exists():
            played.markets = Timetable(world, json.loads(markets.read_text()))
        for batch in _batches(events):
            _happenings(world, played.markets, _time(batch[-1]))
            world.advance_to(_time(batch[-1]))
            _post(world, batch, played)
            progress(played.events, world.now())
        _happenings(world, played.markets, datetime.max.replace(tzinfo=UTC))
        world.settle()
    except Failed as failed:
        raise Stopped(str(failed)) from None
    finally:
        world.clock.run(was_running)
    played.ended = world.now()
    return played


def _happenings(world: World, markets: Timetable | None, until: datetime) -> None:
    for at, do in markets.due(until) if markets else ():
        world.advance_to(at)
        do()


def bring(world: World, people: dict[str, list[dict[str, Any]]]) -> dict[str, int]:
    """Import customers and staff; how many of each."""
    kinds = {"customers": "customers", "staff": "staff"}
    for name, kind in kinds.items():
        rows = people.get(name, [])
        for start in range(0, len(rows), IMPORT_ROWS):
            body = {"kind": kind, "rows": rows[start : start + IMPORT_ROWS]}
            once = {"idempotency-key": f"play-{name}-{start}"}
            answer = world.request("POST", "/v1/imports", headers=once, body=body)
            if answer.status >= 300:
                raise Stopped(f"importing {name}: {answer.status} {answer.text[:300]}")
    return {name: len(people.get(name, [])) for name in kinds}


def _batches(events: list[Event]) -> Iterator[list[Event]]:
    """Events of the same minute go together: none is posted before its time, or a minute after it."""
    batch: list[Event] = []
    for event in events:
        if batch and (len(batch) == LARGEST_BATCH or event["time"][:16] != batch[0]["time"][:16]):
            yield batch
            batch = []
        batch.append(event)
    if batch:
        yield batch


def _time(event: Event) -> datetime:
    return datetime.fromisoformat(event["time"])


def _post(world: World, batch: list[Event], played: Played) -> None:
    body = json.dumps(batch, ensure_ascii=False)
    answer = world.request("POST", "/v1/events", headers={"content-type": MEDIA}, body=body)
    if answer.status not in (202, 422):
        raise Stopped(f"posting {len(batch)} events: {answer.status} {answer.text[:300]}")
    played.refused += [item for item in answer.json()["items"] if item["status"] != "accepted"]
    played.events += len(batch)


def outcomes(world: World) -> tuple[Counter[tuple[str, str]], Counter[str]]:
    """What became of all messages, by channel and outcome, and how often each rule spoke; read from the ledger."""
    messages: Counter[tuple[str, str]] = Counter()
    rules: Counter[str] = Counter()
    for partition in world.account.table("ledger").items.values():
        for item in partition.values():
            plain = {name: value.value for name, value in item.attrs.items()}
            if "#e#" in plain["pk"]:
                said = json.loads(plain.get("decisions", "[]"))
                rules.update(decision["rule"] for decision in said if decision["state"] != "skipped")
                messages.update(_unsent(said))
            elif "#m#" in plain["pk"]:
                messages[plain["channel"], _outcome(plain)] += 1
    return messages, rules


def _unsent(decisions: list[dict[str, Any]]) -> Counter[tuple[str, str]]:
    """Decisions that ended without a message of their own."""
    return Counter((d["channel"], d["state"]) for d in decisions if d["state"] not in ("planned", "skipped"))


def _outcome(message: dict[str, Any]) -> str:
    for fact in ("complained", "bounced", "delivered"):
        if f"{fact}_at" in message:
            return fact
    return str(message["state"])
