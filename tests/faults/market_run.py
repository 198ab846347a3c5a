"""Market cycles in one world, each run from an empty one: with no fault, with one, or under a scene."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import timedelta
from functools import partial

from infra.twins.market import Called
from infra.world import World
from infra.world.faults import Call, Fault, none
from tests.faults.inject import Faults, Injector, Place, Recorder
from tests.faults.judge import Verdict
from tests.faults.market_cabinets import is_write, written
from tests.faults.market_inject import MARKETS, path, ways
from tests.faults.market_judge import drifted, judge, whole
from tests.faults.market_stage import SHOP, Stage, opened
from tests.faults.market_story import Cycle
from vestnik.flows import syncs

RECOVERY = 25  # minutes at most until all is as it should be
LAST = timedelta(minutes=14)  # longer than any queue hides what is being worked on


@dataclass(frozen=True, slots=True)
class Scene:
    """What goes wrong otherwise: `begin` readies the stage and answers what goes wrong with which call. `stale`: an old
    number is brought in from outside, so that only what shows in the end is judged."""

    cycle: str
    begin: Callable[[Stage], Faults]
    stale: bool = False


class MarketBench:
    """A world for many runs of a cycle, and what its fault-free run comes to."""

    def __init__(self, world: World, cycle: Cycle) -> None:
        self.world, self.cycle = world, cycle
        recorder = Recorder(path)
        stage = opened(world, cycle.marketplaces)
        self._watched(stage)
        self._play(stage, recorder)
        self.places = recorder.places()
        stage.minutes(3)
        self.expected = whole(stage)
        self.verdict = self._end(stage)

    def run(self, place: Place, how: str) -> tuple[bool, Verdict]:
        """The cycle with one fault: whether its place was met, and the verdict."""
        stage = opened(self.world, self.cycle.marketplaces)
        self._watched(stage)
        fault = Injector(place, how, ways=ways(place.service), outside=MARKETS, path=path)
        self._play(stage, fault)
        self._rest(stage)
        return fault.hit, self._end(stage)

    def scene(self, scene: Scene) -> Verdict:
        """The cycle under a scene."""
        stage = opened(self.world, self.cycle.marketplaces)
        self._watched(stage)
        self._play(stage, scene.begin(stage))
        self._rest(stage)
        if scene.stale:
            stage.shown_too_high.clear()
        verdict = self._end(stage)
        verdict.wrong += ["what the scene waits for never came"] if stage.met is False else []
        return verdict

    def _play(self, stage: Stage, fault: Faults) -> None:
        """Play with a fault; what happens while numbers are on their way does so whatever the fault is."""

        def faults(call: Call) -> Fault | None:
            if call.service in MARKETS and "stock" in call.operation:
                stage.look()
            if stage.sending is not None and _writes(call):
                happens, stage.sending = stage.sending, None
                happens()
            return fault(call)

        self.world.faults = faults
        try:
            self.cycle.play(stage)
        finally:
            self.world.faults = none

    def _watched(self, stage: Stage) -> None:
        """Hold every number that reaches a twin against what we know to be left."""
        for account, cabinet in stage.cabinets.items():
            twin = self.world.markets[cabinet.marketplace]
            twin.watch = [partial(_look, stage, account)]

    def _rest(self, stage: Stage) -> None:
        """Let time pass until all is as it should be, or too much of it has passed."""
        for _ in range(RECOVERY):
            stage.minutes(1)
            if judge(stage, self.cycle, self.expected).good:
                return

    def _end(self, stage: Stage) -> Verdict:
        """What a queue still hides comes again; then everything is read back, and judged."""
        if any(_hidden(stage.world, name) for name in ("to-sync", "to-evaluate")):
            self.world.account.table("due").items.clear()  # the clock's own ticks would only repeat themselves
            self.world.advance(LAST)
        with stage.aside():
            for account in stage.cabinets:
                syncs.wake(SHOP, account, "readback")
        self.world.settle()
        verdict = judge(stage, self.cycle, self.expected)
        verdict.wrong += drifted(stage)
        return verdict


def _writes(call: Call) -> bool:
    return call.service == "ozon" and call.operation == "products/stocks"


def _hidden(world: World, queue: str) -> bool:
    return world.account.queue(queue).due() is not None


def _look(stage: Stage, account: str, called: Called) -> None:
    """Note what a call sent beyond what is known to be left."""
    cabinet = stage.cabinets[account]
    if not is_write(cabinet.marketplace, called.method, called.path) or called.status >= 300:
        return
    items = {unit: item for item, unit in cabinet.units.items()}
    for unit, number in written(cabinet.marketplace, called.body):
        item = items[unit]
        item = stage.links[item][1] if item in stage.links else item
        known = stage.known_left.get(item)
        if known is not None and number > known:
            stage.shown_too_high.append(f"{account}: {number} of {item} sent, {known} were left")
