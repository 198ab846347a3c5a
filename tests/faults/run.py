"""One world, many runs: each in a shop of its own, so that no run sees another's."""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta

from infra.world import World
from infra.world.faults import none
from infra.world.world import forget_everything
from tests.faults import story
from tests.faults.inject import HOW, Injector, Place, Recorder
from tests.faults.judge import Name, Outcome, Verdict, judge, outcomes
from tests.faults.scenes import Scene

RECOVERY = timedelta(minutes=70)  # a queue's visibility, a lease and two graces, with room
STARTER = "start-syncs"
START = datetime(2026, 11, 20, 9, 0, tzinfo=UTC)


class Bench:
    """A world for many runs, and what the fault-free run looks like in it."""

    def __init__(self, world: World) -> None:
        self.world, self.runs = world, 0
        recorder = Recorder()
        self.expected = self.fault_free(recorder)
        self.places = recorder.places()

    def fault_free(self, recorder: Recorder) -> dict[Name, Outcome]:
        """The story with nothing going wrong, its calls written down."""
        shop = self.new_shop()
        self.world.faults = recorder
        story.play(self.world, shop)
        self.world.faults = none
        return outcomes(self.world, shop)

    def new_shop(self) -> str:
        """A fresh shop, and doors that are cold again."""
        self.runs += 1
        shop = f"run-{self.runs}"
        self.world.mail.clear()
        story.open_shop(self.world, shop)
        forget_everything()
        return shop

    def run(self, place: Place, how: str) -> tuple[bool, Verdict]:
        """The story with one fault: whether its place was met, and the verdict."""
        shop = self.new_shop()
        injector = Injector(place, how)
        self.world.faults = injector
        story.play(self.world, shop)
        self.world.faults = none
        self.world.advance(RECOVERY)
        return injector.hit, judge(self.world, shop, self.expected)

    def scene(self, scene: Scene) -> Verdict:
        """A whole story that goes wrong otherwise."""
        shop = self.new_shop()
        scene(self.world, shop)
        self.world.advance(RECOVERY)
        return judge(self.world, shop, self.expected)


def all_faults(places: list[Place]) -> Iterator[tuple[Place, str]]:
    """Every call with every way to fail; the clock of marketplaces, of which this shop has none, ticks beside."""
    return ((place, how) for place in places if place.function != STARTER for how in HOW)
