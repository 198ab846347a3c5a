"""`python -m benchmarks [--quick] [part ...]`: run the benchmarks, print them, keep them in build/."""

import argparse
import os
import platform
import sys
import time
from collections.abc import Callable
from contextlib import redirect_stdout
from pathlib import Path
from typing import Any

from benchmarks import (
    cold_start,
    cost,
    fairness,
    overselling,
    patterns,
    rendering,
    report,
    speed,
    stock_sync,
)

OUT = Path(__file__).parents[1] / "build"


def parts(quick: bool) -> dict[str, Callable[[], Any]]:
    """The benchmarks by name, in the order in which they run."""
    return {
        "patterns": patterns.run,
        "rendering": rendering.run,
        "speed": lambda: speed.run(100, 3) if quick else speed.run(),
        "cold_start": lambda: cold_start.run(3) if quick else cold_start.run(),
        "cost": lambda: cost.run(quick=quick),
        "fairness": lambda: fairness.run(20_000) if quick else fairness.run(),
        "stock_sync": lambda: stock_sync.run(10_000, 50_000) if quick else stock_sync.run(),
        "overselling": lambda: overselling.run(20, 4, 200) if quick else overselling.run(),
    }


def conditions() -> dict[str, str]:
    """What the machine was doing: figures of a busy machine are worse than its own."""
    load = " ".join(f"{n:.1f}" for n in os.getloadavg())
    cores = str(os.cpu_count())
    return {"python": platform.python_version(), "machine": platform.machine(), "cores": cores, "load": load}


def main() -> None:
    """Run all parts, or those named."""
    asked = argparse.ArgumentParser(prog="benchmarks", description=__doc__)
    asked.add_argument("--quick", action="store_true", help="fewer runs: a look, not a figure to quote")
    asked.add_argument("part", nargs="*", help="only these: " + ", ".join(parts(True)))
    given = asked.parse_args()
    known = parts(given.quick)
    if unknown := set(given.part) - known.keys():
        asked.error(f"there is no part {', '.join(sorted(unknown))}; there are {', '.join(known)}")
    found: dict[str, Any] = {"conditions": conditions(), "quick": given.quick}
    for name in given.part or known:
        started = time.monotonic()
        with open(os.devnull, "w") as nowhere, redirect_stdout(nowhere):  # what the doors log
            found[name] = known[name]()
        print(f"{name}: {time.monotonic() - started:.0f} s", file=sys.stderr, flush=True)
    found["conditions"]["load at the end"] = conditions()["load"]
    report.store(found, OUT)
    print(report.printed(found))
    print(f"\nkept in {OUT.name}/bench.json and {OUT.name}/bench.svg")


if __name__ == "__main__":
    main()
