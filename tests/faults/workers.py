"""The processes of the suite: each has a world of its own, and runs what it is given."""

import contextlib
import io
import sys

from infra.world import World
from tests.faults.inject import Place
from tests.faults.judge import Verdict
from tests.faults.run import START, Bench
from tests.faults.scenes import SCENES

type Work = tuple[str, tuple[Place, str] | None]  # what it is called, and the fault (None: a scene)
type Found = tuple[str, bool, Verdict]  # what was done, whether its place was met, the verdict

_bench: Bench | None = None
_worlds = contextlib.ExitStack()


def open_world() -> None:
    """Give this process a world of its own, whose logs nobody reads."""
    global _bench
    sys.stdout = io.StringIO()
    _bench = Bench(_worlds.enter_context(World(start=START)))


def places() -> list[Place]:
    """Every call of the fault-free story."""
    assert _bench
    return _bench.places


def run_one(work: Work) -> Found:
    """One fault or one scene."""
    assert _bench
    name, fault = work
    sys.stdout = io.StringIO()
    if fault is None:
        return name, True, _bench.scene(SCENES[name])
    return name, *_bench.run(*fault)
