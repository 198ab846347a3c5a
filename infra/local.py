"""The local world as a program: `python -m infra.local --port 8080 [--play FILE] [--no-play]`.

It prints `ready` once it serves, plays a day of a shop, prints what became of it, and goes on serving.
"""

import argparse
import contextlib
import io
import sys
import threading
import time
from collections import Counter
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn
from rich.table import Table

from infra.world import market_report, marketplaces
from infra.world.play import Played, Stopped, outcomes, play, read
from infra.world.server import Server
from infra.world.world import World

DAY = Path(__file__).parents[1] / "examples" / "day.jsonl"
console = Console(file=sys.stdout)


class Silence(io.TextIOBase):
    """Where the functions' logs go: on AWS they are CloudWatch's, here nobody reads them but with `--logs`."""

    def write(self, text: str) -> int:
        """Drop it."""
        return len(text)


def main() -> int:
    """Run until interrupted. 1 where the play could not be played."""
    asked = _arguments()
    file = None if asked.no_play else asked.play
    start = datetime.fromisoformat(read(file)[0]["time"]) if file else datetime.now(UTC)
    url = f"http://127.0.0.1:{asked.port}"
    logs = contextlib.nullcontext() if asked.logs else contextlib.redirect_stdout(Silence())
    with logs, World(start=start, runs=True, public_url=url) as world, _served(world, asked.port) as server:
        console.print(f"ready {server.url}", soft_wrap=True, highlight=False)
        if file and not _play(world, file, sell=not asked.no_marketplaces):
            return 1
        if world.cabinets:
            marketplaces.Buyers(world, world.cabinets).begin()
        console.print(f"Serving {server.url} · look at every message at {server.url}/_local/ · stop with Ctrl-C")
        with contextlib.suppress(KeyboardInterrupt):
            threading.Event().wait()
    return 0


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="infra.local", description="The whole of Vestnik on this machine.")
    parser.add_argument("--port", type=int, default=8080, help="where to listen on 127.0.0.1 (8080)")
    what = parser.add_mutually_exclusive_group()
    what.add_argument("--play", type=Path, default=DAY, metavar="FILE", help="events to play, one a line")
    what.add_argument("--no-play", action="store_true", help="serve only")
    parser.add_argument("--no-marketplaces", action="store_true", help="play without accounts at marketplaces")
    parser.add_argument("--logs", action="store_true", help="print what the functions log")
    return parser.parse_args()


@contextlib.contextmanager
def _served(world: World, port: int) -> Iterator[Server]:
    server = Server(world, port)
    thread = threading.Thread(target=server.serve_forever, args=(0.2,), daemon=True)
    thread.start()
    try:
        yield server
    finally:
        server.shutdown()
        server.server_close()


def _play(world: World, file: Path, *, sell: bool) -> bool:
    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeElapsedColumn())
    began = time.monotonic()
    with Progress(*columns, console=console) as progress:
        task = progress.add_task("Playing the day", total=len(read(file)))

        def show(done: int, now: datetime) -> None:
            progress.update(task, completed=done, description=f"Playing the day {now:%H:%M}")

        try:
            played = play(world, file, show, sell=sell)
        except Stopped as stopped:
            console.print(f"[red]The play stopped:[/red] {stopped}")
            return False
    _report(world, played, time.monotonic() - began)
    return True


def _report(world: World, played: Played, seconds: float) -> None:
    """The table of what happened."""
    messages, rules = outcomes(world)
    people = ", ".join(f"{count} {kind}" for kind, count in played.imported.items())
    console.print(_summary(played, messages, rules, people, seconds))
    console.print(_messages(messages))
    if world.cabinets:
        console.print(_markets(market_report.rows(world)))
    for at, name, why in world.doors.failures[-5:]:
        console.print(f"[red]{at:%H:%M:%S} {name} failed:[/red] {why.strip()[-300:]}")


def _summary(
    played: Played, messages: Counter[tuple[str, str]], rules: Counter[str], people: str, seconds: float
) -> Table:
    table = Table(title="What happened", show_header=False)
    rows = {
        "imported silently": people or "nobody",
        "events": f"{played.events} posted, {len(played.refused)} refused",
        "rules fired": f"{len(rules)} rules, {sum(rules.values())} times",
        "messages": str(sum(messages.values())),
        "time": f"{seconds:.1f} s for {_span(played)} of the shop's time",
    }
    for name, value in rows.items():
        table.add_row(name, value)
    return table


def _span(played: Played) -> str:
    if played.began is None or played.ended is None:
        return "none"
    return f"{(played.ended - played.began).total_seconds() / 3600:.1f} h"


def _messages(messages: Counter[tuple[str, str]]) -> Table:
    table = Table(title="Messages by channel and outcome")
    words = sorted({outcome for _, outcome in messages})
    for heading in ("channel", *words, "all"):
        table.add_column(heading, justify="left" if heading == "channel" else "right")
    for channel in sorted({channel for channel, _ in messages}):
        counts = [messages[channel, outcome] for outcome in words]
        table.add_row(channel, *(str(count or "-") for count in counts), str(sum(counts)))
    return table


def _markets(rows: list[market_report.Row]) -> Table:
    table = Table(title="Marketplaces")
    for heading in ("account", "units", "linked", "orders", "shown", "drift", "alerts"):
        left = heading in ("account", "orders")
        table.add_column(heading, justify="left" if left else "right", no_wrap=heading != "orders")
    for row in rows:
        orders = ", ".join(f"{count} {status}" for status, count in sorted(row.orders.items())) or "-"
        figures = (row.shown, row.drift, row.alerts)
        table.add_row(row.cabinet.name, str(row.products), str(row.linked), orders, *map(str, figures))
    return table


if __name__ == "__main__":
    raise SystemExit(main())
