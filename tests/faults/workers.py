"""The processes of the suite: each has a world of its own, and runs what it is given."""

import contextlib
import io
import sys

from infra.world import World
from tests.faults.inject import Place
from tests.faults.judge import Verdict
from tests.faults.market_run import MarketBench
from tests.faults.market_scenes import SCENES as MARKET_SCENES
from tests.faults.market_story import CYCLES
from tests.faults.run import START, Bench
from tests.faults.scenes import SCENES

type Work = tuple[str, str, tuple[Place, str] | None]  # which story, what it is called, and the fault (None: a scene)
type Found = tuple[Work, bool, Verdict]  # what was done, whether its place was met, the verdict

MAIN = "main"
STORIES = (MAIN, *CYCLES)

_world: World | None = None
_benches: dict[str, Bench | MarketBench] = {}
_worlds = contextlib.ExitStack()


def open_world() -> None:
    """Give this process a world of its own, whose logs nobody reads."""
    global _world
    sys.stdout = io.StringIO()
    _world = _worlds.enter_context(World(start=START))


def _bench(story: str) -> Bench | MarketBench:
    """The bench of a story, made when it is first asked for."""
    assert _world
    if story not in _benches:
        _benches[story] = Bench(_world) if story == MAIN else MarketBench(_world, CYCLES[story])
    return _benches[story]


def places(story: str) -> list[Place]:
    """Every call of the fault-free run of a story."""
    return _bench(story).places


def scenes() -> list[Work]:
    """Every scene of every story."""
    whose = dict.fromkeys(SCENES, MAIN) | {name: scene.cycle for name, scene in MARKET_SCENES.items()}
    return [(story, name, None) for name, story in whose.items()]


def run_one(work: Work) -> Found:
    """One fault or one scene."""
    story, name, fault = work
    bench = _bench(story)
    sys.stdout = io.StringIO()
    if fault is not None:
        return work, *bench.run(*fault)
    verdict = bench.scene(SCENES[name]) if isinstance(bench, Bench) else bench.scene(MARKET_SCENES[name])
    return work, True, verdict
