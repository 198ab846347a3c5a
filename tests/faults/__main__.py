"""Every fault in every call of the main story, and every scene: `make faults`. Exits 1 where anything is lost,
sent twice or wrong."""

import argparse
import contextlib
import io
import multiprocessing
import sys
import time
from collections.abc import Iterator

from rich.progress import Progress

from infra.world import World
from tests.faults.inject import HOW, Place
from tests.faults.judge import Verdict
from tests.faults.run import START, Bench, all_faults
from tests.faults.scenes import SCENES

type Found = tuple[str, bool, Verdict]  # what was done, whether its place was met, the verdict


def main() -> int:
    """Run all (or a part) of the suite and print its counts."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--only", default="", help="only faults whose description contains this")
    parser.add_argument("--processes", type=int, default=2)
    asked = parser.parse_args()
    started = time.monotonic()
    found = _run(asked.only, asked.processes)
    return _report(found, time.monotonic() - started)


def _run(only: str, processes: int) -> list[Found]:
    context = multiprocessing.get_context("spawn")
    found: list[Found] = []
    with context.Pool(processes, _open) as pool, Progress() as progress:
        work = [_named(place, how) for place, how in all_faults(pool.apply(_places))] + [(s, None) for s in SCENES]
        work = [one for one in work if only in one[0]]
        bar = progress.add_task("faults", total=len(work))
        for done in pool.imap_unordered(_one, work):
            found.append(done)
            progress.advance(bar)
            if not done[2].good:
                progress.console.print(
                    f"[red]{done[0]}[/red]", *done[2].lost, *done[2].double, *done[2].wrong, sep="\n  "
                )
    return found


def _named(place: Place, how: str) -> tuple[str, tuple[Place, str] | None]:
    return f"{place.function} {place.service}.{place.operation} #{place.nth} {how}", (place, how)


_bench: Bench | None = None
_worlds = contextlib.ExitStack()


def _open() -> None:
    """Give this process a world of its own, whose logs nobody reads."""
    global _bench
    sys.stdout = io.StringIO()
    _bench = Bench(_worlds.enter_context(World(start=START)))


def _places() -> list[Place]:
    assert _bench
    return _bench.places


def _one(work: tuple[str, tuple[Place, str] | None]) -> Found:
    assert _bench
    name, fault = work
    sys.stdout = io.StringIO()
    if fault is None:
        return name, True, _bench.scene(SCENES[name])
    return name, *_bench.run(*fault)


def _report(found: list[Found], seconds: float) -> int:
    faults = [f for f in found if f[0] not in SCENES]
    verdicts = [verdict for _, _, verdict in found]
    lost, double = sum(len(v.lost) for v in verdicts), sum(len(v.double) for v in verdicts)
    wrong = sum(len(v.wrong) for v in verdicts)
    for line in _lines(faults, lost, double, wrong, sum(v.marked for v in verdicts), len(found) - len(faults), seconds):
        print(line)
    return 1 if lost or double or wrong or not found else 0


def _lines(
    faults: list[Found], lost: int, double: int, wrong: int, marked: int, scenes: int, seconds: float
) -> Iterator[str]:
    yield f"calls hit            {len(faults) // len(HOW) if faults else 0}"
    yield f"faults               {len(faults)} ({sum(hit for _, hit, _ in faults)} met their call), {scenes} scenes"
    yield f"lost                 {lost}"
    yield f"double               {double}"
    yield f"otherwise wrong      {wrong}"
    yield f"doubles marked so    {marked} (providers that give no feedback)"
    yield f"time                 {seconds:.0f} s"


if __name__ == "__main__":
    sys.exit(main())
