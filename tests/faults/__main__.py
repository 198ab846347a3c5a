"""The main story under every fault in its calls, the market's two cycles under a share of theirs, and every scene:
`make faults`. Exits 1 where anything is lost, done twice or wrong."""

import argparse
import multiprocessing
import sys
import time
from collections import defaultdict
from collections.abc import Iterator
from typing import Any

from rich.console import Console
from rich.progress import Progress

from tests.faults import market_inject, workers
from tests.faults.inject import Place, lot
from tests.faults.run import all_faults
from tests.faults.workers import MAIN, STORIES, Found, Work


def main() -> int:
    """Run all (or a part) of the suite and print its counts."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--only", default="", help="only faults whose description contains this")
    parser.add_argument("--stories", nargs="*", default=list(STORIES), choices=STORIES)
    parser.add_argument("--processes", type=int, default=2)
    parser.add_argument(
        "--every", action="store_true", help="in the market's cycles every call in every way: takes hours"
    )
    parser.add_argument("--share", type=int, default=8, help="of the market's faults only one in so many (1: all)")
    asked = parser.parse_args()
    started = time.monotonic()
    found = _run(asked)
    return _report(found, time.monotonic() - started)


def _run(asked: argparse.Namespace) -> list[Found]:
    context = multiprocessing.get_context("spawn")
    found: list[Found] = []
    with context.Pool(asked.processes, workers.open_world) as pool, Progress() as progress:
        known: set[str] = set()
        # Story by story: what is left of a market in a world would go on ticking in the main story.
        for story in asked.stories:
            work = [
                one for one in _work(story, pool, known, asked.every, asked.share) if asked.only in " ".join(one[:2])
            ]
            bar = progress.add_task(story, total=len(work))
            for count, done in enumerate(pool.imap_unordered(workers.run_one, work), 1):
                found.append(done)
                progress.advance(bar)
                _tell(progress.console, done, count, len(work))
    return found


def _work(story: str, pool: Any, known: set[str], every: bool, share: int) -> list[Work]:
    """What there is to run of a story."""
    places = pool.apply(workers.places, (story,))
    if story == MAIN:
        wanted = list(all_faults(places))
    else:
        drawn = market_inject.faults(places, every=every, known=known)
        wanted = [fault for fault in drawn if every or lot(fault) % share == 0]
    return [_named(story, place, how) for place, how in wanted] + [one for one in workers.scenes() if one[0] == story]


def _tell(console: Console, done: Found, count: int, of: int) -> None:
    """Name what is wrong at once; where nobody watches the bar, say now and then how far it is."""
    (story, name, _), _, verdict = done
    if not verdict.good:
        console.print(f"[red]{story}: {name}[/red]", *verdict.lost, *verdict.double, *verdict.wrong, sep="\n  ")
    if not console.is_terminal and count % 100 == 0:
        console.print(f"{story}: {count} of {of}")


def _named(story: str, place: Place, how: str) -> Work:
    path = f" ({place.path.rpartition(' ')[2]})" if place.path else ""
    name = f"{place.function} {place.service}.{place.operation}{path} #{place.nth} {how}"
    return story, name, (place, how)


def _report(found: list[Found], seconds: float) -> int:
    by_story: dict[str, list[Found]] = defaultdict(list)
    for one in found:
        by_story[one[0][0]].append(one)
    for story, some in by_story.items():
        for line in _lines(some):
            print(f"{story:8} {line}")
    print(f"time     {seconds:.0f} s")
    return 0 if found and all(verdict.good for _, _, verdict in found) else 1


def _lines(found: list[Found]) -> Iterator[str]:
    faults = [(work[2], hit) for work, hit, _ in found if work[2] is not None]
    verdicts = [verdict for _, _, verdict in found]
    yield f"calls hit            {len({place for (place, _), _ in faults})}"
    met, scenes = sum(hit for _, hit in faults), len(found) - len(faults)
    yield f"faults               {len(faults)} ({met} met their call), {scenes} scenes"
    yield f"lost                 {sum(len(v.lost) for v in verdicts)}"
    yield f"double               {sum(len(v.double) for v in verdicts)}"
    yield f"otherwise wrong      {sum(len(v.wrong) for v in verdicts)}"
    yield f"doubles marked so    {sum(v.marked for v in verdicts)} (providers that give no feedback)"


if __name__ == "__main__":
    sys.exit(main())
