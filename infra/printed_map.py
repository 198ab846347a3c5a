"""The printed map: what `GET /_local/map`, the docs and the golden file show of the topology.

`as_data` is for programs, `as_text` for people: what comes in, what runs and what it may touch, where things lie.
"""

from textwrap import wrap
from typing import Any

from infra import permissions
from vestnik import topology
from vestnik.topology import FromQueue, FromStream, Function, Http, Schedule, Trigger

WIDTH = 112


def as_data() -> dict[str, Any]:
    """The map as JSON: functions, queues, tables, topics, buckets."""
    return {
        "functions": [_function(spec) for spec in topology.functions()],
        "queues": [
            {
                "name": q.name,
                "visibility_seconds": q.visibility,
                "receives": q.receives,
                "dead_letters": f"{q.name}-dead",
            }
            for q in topology.queues()
        ],
        "tables": [{"name": t.name, "listed": t.listed, "streamed": t.streamed} for t in topology.TABLES],
        "topics": [
            {"name": t.name, "from": t.publisher, "to_queue": t.to_queue, "events": list(t.events)}
            for t in topology.TOPICS
        ],
        "buckets": list(topology.BUCKETS),
    }


def as_text() -> str:
    """The map as plain text, one block a function."""
    data = as_data()
    blocks = [
        "FUNCTIONS: what wakes them, and what they may do",
        *(_block(function) for function in data["functions"]),
        _table("QUEUES (each with a dead-letter queue)", data["queues"], ("name", "visibility_seconds", "receives")),
        _table("TABLES", data["tables"], ("name", "listed", "streamed")),
        _table("TOPICS", data["topics"], ("name", "from", "to_queue", "events")),
        "\n".join(["BUCKETS", *(f"  {name}" for name in data["buckets"])]),
    ]
    return "\n\n".join(blocks) + "\n"


def _function(spec: Function) -> dict[str, Any]:
    return {
        "name": spec.name,
        "door": f"functions.{spec.door}",
        "memory_mb": spec.memory,
        "timeout_seconds": spec.timeout,
        "wakes": ["authorizer of the HTTP API"] if spec.authorizer else [_wake(trigger) for trigger in spec.wakes],
        "uses": {word: ops.split() for word, ops in spec.uses.items()},
        "iam": {word: granted for word, ops in spec.uses.items() if (granted := permissions.actions(word, ops))},
        "variables": sorted(permissions.environment(spec, lambda word: word)),
    }


def _wake(trigger: Trigger) -> str:
    match trigger:
        case Http():
            return f"{trigger.method} {trigger.path}" + (" (open)" if trigger.open else "")
        case Schedule():
            return f"every {trigger.minutes} min"
        case FromQueue():
            most = f", at most {trigger.concurrency} at a time" if trigger.concurrency else ""
            return f"queue {trigger.queue}: up to {trigger.batch} in {trigger.window} s{most}"
        case FromStream():
            return f"stream of {trigger.table}: up to {trigger.batch} in {trigger.window} s, {trigger.retries} retries"


def _block(function: dict[str, Any]) -> str:
    title = f"{function['name']}  ({function['door']}, {function['memory_mb']} MB, {function['timeout_seconds']} s)"
    wakes = [f"  <- {wake}" for wake in function["wakes"]]
    return "\n".join([title, *wakes, *(f"  {line}" for line in _uses(function["uses"]))])


def _uses(uses: dict[str, list[str]]) -> list[str]:
    """One line an SDK call list: words that share one are shown together, or the operator's door fills a page."""
    together: dict[str, list[str]] = {}
    for word, ops in uses.items():
        together.setdefault(f"{permissions.kind(word)} {' '.join(ops)}", []).append(word)
    lines = (f"-> {', '.join(words)}: {key.partition(' ')[2]}" for key, words in together.items())
    return [part for line in lines for part in wrap(line, WIDTH, subsequent_indent=" " * 5, break_on_hyphens=False)]


def _table(title: str, rows: list[dict[str, Any]], columns: tuple[str, ...]) -> str:
    cells = [columns, *(tuple(_cell(row[c]) for c in columns) for row in rows)]
    widths = [max(len(row[i]) for row in cells) for i in range(len(columns))]
    lines = ["  " + "  ".join(cell.ljust(w) for cell, w in zip(row, widths, strict=True)).rstrip() for row in cells]
    return "\n".join([title, *lines])


def _cell(value: Any) -> str:
    if isinstance(value, list):
        return " ".join(value)
    return {True: "yes", False: "-"}[value] if isinstance(value, bool) else str(value)


if __name__ == "__main__":
    print(as_text(), end="")
