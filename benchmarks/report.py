"""What a run of the benchmarks came to: printed as tables, kept as JSON, drawn as bars against their aims."""

import json
from collections.abc import Iterable
from dataclasses import asdict
from pathlib import Path
from typing import Any
from xml.sax.saxutils import escape

from benchmarks.cost import Bill

BAR, ROW, LEFT = 320, 22, 300
GOOD, OVER, PLAIN = "#0b6e4f", "#b3452c", "#7d8590"

type Row = tuple[str, float, float | None, str]
"""Name, figure, aim (None: there is none), unit."""


def kept(found: dict[str, Any]) -> dict[str, Any]:
    """The figures as they are stored: plain values only."""
    cost = found.get("cost")
    if cost is None:
        return found
    bills = [{**asdict(bill), "total": bill.total} for bill in cost["bills"]]
    return {**found, "cost": {**cost, "bills": bills}}


def store(found: dict[str, Any], folder: Path) -> None:
    """Write `bench.json` and `bench.svg` into a folder."""
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "bench.json").write_text(json.dumps(kept(found), indent=1, ensure_ascii=False))
    (folder / "bench.svg").write_text(drawn(against_aims(found)))


def against_aims(found: dict[str, Any]) -> list[Row]:
    """Every figure that has an aim, and its aim."""
    rows: list[Row] = []
    if speed := found.get("speed"):
        rows.append(
            ("CPU a message over its bare AWS calls", speed["both"]["excess_ms"], speed["both"]["aim_ms"], "ms")
        )
    if cold := found.get("cold_start"):
        rows += [(f"cold start, {name}", f["ratio"], f["aim"], "x boto3") for name, f in cold.items()]
    if cost := found.get("cost"):
        rows += [(f"a million: {b.profile.name}", b.total, b.profile.aim, "$") for b in cost["bills"]]
    if fair := found.get("fairness"):
        rows.append(("a neighbour's wait under 100,000 events", fair["times"], fair["aim"], "x quiet"))
    if patterns := found.get("patterns"):
        rate = patterns["events_a_second_20"]
        rows.append(("40,000 events/s by 500 rules, share of a second", 40_000 / rate, 1.0, "of 1 s"))
    return rows + _of_markets(found)


def _of_markets(found: dict[str, Any]) -> list[Row]:
    rows: list[Row] = []
    for name, f in found.get("stock_sync", {}).get("efficiency", {}).items():
        least = f["least seconds"]
        title = f"{name}: {f['pairs']:,} changed pairs"
        if least >= 60:
            rows.append((f"{title}, times the floor", f["seconds"] / least, 1 / 0.95, "x"))
        else:
            rows.append((f"{title}, over the floor", f["seconds"] - least, 2.0, "s"))
    if over := found.get("overselling"):
        rows.append(("oversold, pieces (dashed: the least)", over["oversold"], over["least oversold"] or None, ""))
    return rows


def drawn(rows: Iterable[Row]) -> str:
    """The rows as an SVG of bars: full width is the aim, and what is over it is red."""
    lines = list(rows)
    height, width = ROW * len(lines) + 20, LEFT + 2 * BAR
    bars = "".join(_bar(number, row) for number, row in enumerate(lines))
    aim = f'<line x1="{LEFT + BAR}" y1="0" x2="{LEFT + BAR}" y2="{height}" stroke="#24292f" stroke-dasharray="3 3"/>'
    face = 'font-family="sans-serif" font-size="12"'
    head = f'<svg xmlns="http://www.w3.org/2000/svg" width="{width}" height="{height}" {face}>'
    return f"{head}<title>Figures against their aims (dashed)</title>{bars}{aim}</svg>\n"


def _bar(number: int, row: Row) -> str:
    name, value, aim, unit = row
    share = value / aim if aim else 0.5
    length = max(1, min(BAR * share, BAR * 1.6))
    colour = PLAIN if aim is None else GOOD if value <= aim else OVER
    y = ROW * number + 10
    said = f"{value:.2f} {unit}" + (f" (aim {aim:g})" if aim else "")
    return (
        f'<text x="{LEFT - 8}" y="{y + 12}" text-anchor="end">{escape(name)}</text>'
        f'<rect x="{LEFT}" y="{y}" width="{length:.0f}" height="{ROW - 6}" fill="{colour}"/>'
        f'<text x="{LEFT + max(length, 0) + 6:.0f}" y="{y + 12}">{escape(said)}</text>'
    )


def printed(found: dict[str, Any]) -> str:
    """The tables for a terminal."""
    parts = [_machine(found)]
    for name in ("patterns", "rendering", "fairness"):
        figures = found.get(name, {})
        parts += [_table(name, [[key, f"{value:,.2f}"] for key, value in figures.items()])] if figures else []
    if speed := found.get("speed"):
        parts.append(_table("CPU of a message: ours beside the same calls by bare boto3", _columns(speed)))
    if cold := found.get("cold_start"):
        parts.append(_table('cold start beside import boto3; boto3.client("sqs")', _columns(cold)))
    if cost := found.get("cost"):
        parts += [_bills(cost["bills"]), _fixed(cost["fixed"])]
    if sync := found.get("stock_sync"):
        parts.append(_table("stock: changed pairs against an ideal client", _turned(sync["efficiency"])))
        parts.append(_table("what a change costs, by how much is known", _turned(sync["cost"])))
    if over := found.get("overselling"):
        parts.append(_table("overselling", [[name, f"{value:g}"] for name, value in over.items()]))
    return "\n\n".join(parts)


def _turned(figures: dict[str, dict[str, float]]) -> list[list[str]]:
    """One column for each of what is compared."""
    rows = list(dict.fromkeys(row for column in figures.values() for row in column))
    body = [[row, *(f"{column.get(row, 0):,g}" for column in figures.values())] for row in rows]
    return [["", *figures], *body]


def _machine(found: dict[str, Any]) -> str:
    return "  ".join(f"{key} {value}" for key, value in found.get("conditions", {}).items())


def _columns(figures: dict[str, dict[str, float]]) -> list[list[str]]:
    heads = list(dict.fromkeys(key for row in figures.values() for key in row))
    body = [[name, *(f"{row[key]:.2f}" if key in row else "" for key in heads)] for name, row in figures.items()]
    return [["", *heads], *body]


def _bills(bills: list[Bill]) -> str:
    services = sorted({s for bill in bills for s in bill.dollars}, key=lambda s: -bills[0].dollars.get(s, 0))
    rows = [["", *(bill.profile.name for bill in bills)]]
    rows += [[service, *(f"{bill.dollars.get(service, 0):.2f}" for bill in bills)] for service in services]
    rows.append(["together", *(f"{bill.total:.2f}" for bill in bills)])
    rows.append(["aim", *(f"{bill.profile.aim:.2f}" if bill.profile.aim else "" for bill in bills)])
    queues = sorted({q for bill in bills for q in bill.batches})
    rows += [[f"batch, {q}", *(f"{bill.batches.get(q, 0):.1f}" for bill in bills)] for q in queues]
    return _table("dollars a million messages over the provider's own fee, list prices us-east-1", rows)


def _fixed(parts: dict[str, float]) -> str:
    rows = [[name, f"{dollars:.2f}"] for name, dollars in parts.items()]
    return _table("dollars a month, however little is sent", [*rows, ["together", f"{sum(parts.values()):.2f}"]])


def _table(title: str, rows: list[list[str]]) -> str:
    widths = [max(len(row[n]) for row in rows if n < len(row)) for n in range(max(map(len, rows)))]
    lines = ["  ".join(_padded(cell, widths[n], left=n == 0) for n, cell in enumerate(row)) for row in rows]
    return "\n".join([title, "-" * len(title), *lines])


def _padded(cell: str, width: int, *, left: bool) -> str:
    return cell.ljust(width) if left else cell.rjust(width)
