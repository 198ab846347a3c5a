"""Every fault in every call of the main story, and every scene: `make faults`. Exits 1 where anything is lost,
sent twice or wrong."""

import argparse
import multiprocessing
import sys
import time
from collections.abc import Iterator

from rich.console import Console
from rich.progress import Progress

from tests.faults import workers
from tests.faults.inject import HOW, Place
from tests.faults.run import all_faults
from tests.faults.scenes import SCENES
from tests.faults.workers import Found


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
    with context.Pool(processes, workers.open_world) as pool, Progress() as progress:
        faults = [_named(place, how) for place, how in all_faults(pool.apply(workers.places))]
        work = [one for one in [*faults, *((scene, None) for scene in SCENES)] if only in one[0]]
        bar = progress.add_task("faults", total=len(work))
        for done in pool.imap_unordered(workers.run_one, work):
            found.append(done)
            progress.advance(bar)
            _tell(progress.console, done, len(found), len(work))
    return found


def _tell(console: Console, done: Found, count: int, of: int) -> None:
    """Name what is wrong at once; where nobody watches the bar, say now and then how far it is."""
    name, _, verdict = done
    if not verdict.good:
        console.print(f"[red]{name}[/red]", *verdict.lost, *verdict.double, *verdict.wrong, sep="\n  ")
    if not console.is_terminal and count % 100 == 0:
        console.print(f"{count} of {of}")


def _named(place: Place, how: str) -> tuple[str, tuple[Place, str] | None]:
    return f"{place.function} {place.service}.{place.operation} #{place.nth} {how}", (place, how)


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
