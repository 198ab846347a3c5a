"""Market cycles that go wrong otherwise: messages twice, late and in reverse, runs that overlap, outages, old news."""

from datetime import timedelta
from typing import Any

from infra.world.faults import Call, Fault, none
from tests.faults.inject import Faults
from tests.faults.market_cabinets import is_write, written
from tests.faults.market_inject import MARKETS, path
from tests.faults.market_run import Scene
from tests.faults.market_stage import Stage

LEASE = timedelta(seconds=150)  # longer than a run may take
POLLS = ("posting/fbs/list", "v3/orders/new", "v3/orders", "businesses/*/orders")
LATE = timedelta(seconds=40)
SLOW = timedelta(seconds=8)
"""The world does one thing at a time: a minute's polls of all accounts together must take less than a minute."""


def twice(stage: Stage) -> Faults:
    """Every other message is not taken off its queue, and comes again when it was long since done."""
    met = 0

    def fault(call: Call) -> Fault | None:
        nonlocal met
        if (call.function, call.operation) != ("lambda", "DeleteMessageBatch"):
            return None
        met += 1
        return Fault() if met % 2 else None

    return fault


def overlapping(operations: tuple[str, ...], within: str) -> Any:
    """A run is overtaken by another: its lease ends before one of its writes, and it goes on all the same."""

    def begin(stage: Stage) -> Faults:
        stage.met = False

        def fault(call: Call) -> Fault | None:
            if stage.met or call.function != "sync-accounts" or call.operation not in operations:
                return None
            if call.service in MARKETS or within not in (path(call) or ""):
                return None
            stage.met = True
            return Fault(how="none", meanwhile=lambda: stage.world.advance_to(call.at + LEASE))

        return fault

    return begin


def outage(stage: Stage) -> Faults:
    """Every marketplace hangs up on everybody for ten minutes."""
    for cabinet in stage.cabinets.values():
        stage.world.markets[cabinet.marketplace].outage(timedelta(minutes=10))
    return none


def stale(stage: Stage) -> Faults:
    """The first write of the cycle at each marketplace seems lost, and arrives once more after newer ones."""
    met: set[str] = set()

    def fault(call: Call) -> Fault | None:
        if call.service not in MARKETS or "stock" not in call.operation or call.service in met:
            return None
        twin = stage.world.markets[call.service]
        before = len(twin.calls)
        stage.world.engine.later(LATE, lambda: again(call.service, before), flying=False)
        met.add(call.service)
        return Fault("after", "timeout")

    def again(service: str, since: int) -> None:
        found = [c for c in stage.world.markets[service].calls[since:] if is_write(service, c.method, c.path)]
        cabinet = next(one for one in stage.cabinets.values() if one.marketplace == service)
        for unit, number in written(service, found[0].body) if found else ():
            overwrite(stage, cabinet, unit, number)

    return fault


def overwrite(stage: Stage, cabinet: Any, unit: str, number: int) -> None:
    """What a write that comes late does there."""
    twin: Any = stage.world.markets[cabinet.marketplace]
    if cabinet.marketplace == "ozon":
        twin.cabinet().pile(unit).write(number, stage.world.now())
    else:
        twin.set_stock(unit, cabinet.warehouse, number)


def slow_polls(stage: Stage) -> Faults:
    """Every list of orders is answered late."""
    return lambda call: Fault("after", "none", slow=SLOW) if call.operation in POLLS else None


def slow_assembling(stage: Stage) -> Faults:
    """Ozon takes most of a minute to assemble, and fails at it once."""
    cabinet: Any = stage.world.markets["ozon"]
    made = next(iter(cabinet.accounts.values()))
    made.ship_takes, made.ship_fails = timedelta(seconds=55), 1
    return none


def lost_answers(stage: Stage) -> Faults:
    """The first call of every kind at every marketplace is done, and its answer lost."""
    met: set[tuple[str, str]] = set()

    def fault(call: Call) -> Fault | None:
        if call.service not in MARKETS or (call.service, call.operation) in met:
            return None
        met.add((call.service, call.operation))
        return Fault("after", "timeout")

    return fault


def reversed_queues(stage: Stage) -> Faults:
    """Of what waits in a queue the newest comes first."""
    for name in ("to-sync", "to-evaluate"):
        stage.world.account.queue(name).newest_first = True
    return none


SCENES: dict[str, Scene] = {
    "stock: messages come twice": Scene("stock", twice),
    "stock: messages come in reverse": Scene("stock", reversed_queues),
    "stock: two runs at once": Scene("stock", overlapping(("PutItem",), "stock_send._send"), stale=True),
    "stock: an outage of ten minutes": Scene("stock", outage),
    "stock: an old number comes after newer ones": Scene("stock", stale, stale=True),
    "stock: orders are told late": Scene("stock", slow_polls),
    "stock: every first answer is lost": Scene("stock", lost_answers),
    "orders: messages come twice": Scene("orders", twice),
    "orders: messages come in reverse": Scene("orders", reversed_queues),
    "orders: two runs at once": Scene("orders", overlapping(("TransactWriteItems",), "operations._steps"), stale=True),
    "orders: an outage of ten minutes": Scene("orders", outage),
    "orders: orders are told late": Scene("orders", slow_polls),
    "orders: every first answer is lost": Scene("orders", lost_answers),
    "orders: Ozon assembles slowly": Scene("orders", slow_assembling),
}
