"""The doors on the layers alone: what the lock forgot or the trim cut away is found here, and not in the cloud.

`look` runs this file as a program of a fresh interpreter that finds the layers and no other package.
"""

import ast
import importlib
import os
import subprocess
import sys
import zoneinfo
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path

LAYERS = ("functions", "vestnik", "vendor-local", "templates")
SHORT = '<a href="https://bit.ly/3tea">tea</a>'


def look(built: Mapping[str, Path], services: Iterable[str]) -> str:
    """Import and try everything; what was seen, in words. `built`: LAYERS by name; `services`: those of the SDK that
    the map speaks to. RuntimeError with what the interpreter said where something is missing."""
    path = [built["functions"], built["vestnik"] / "python", built["vendor-local"] / "python"]
    environment = {
        "PYTHONPATH": os.pathsep.join(map(str, path)),
        "PYTHONTZPATH": "",  # Lambda has no time zones of its own
        "VESTNIK_TEMPLATES": str(built["templates"] / "templates"),
    }
    command = [sys.executable, "-B", "-S", "-P", __file__, *sorted(services)]
    done = subprocess.run(command, env=environment, capture_output=True, text=True, check=False)
    if done.returncode:
        raise RuntimeError(f"the layers alone do not do:\n{done.stdout}{done.stderr}")
    return done.stdout.strip()


def _try(services: list[str]) -> str:
    ours = [Path(folder) for folder in os.environ["PYTHONPATH"].split(os.pathsep)[:2]]
    names = {name for folder in ours for name in _named(folder)}
    for name in sorted(names):
        importlib.import_module(name)
    _make_clients(services)
    _render()
    doors = sum(name.startswith("functions.") for name in names)
    return f"{doors} doors, {len(names)} modules, {len(services)} clients, a letter and a check"


def _named(folder: Path) -> Iterator[str]:
    """Every module of a folder, and every module that one names anywhere: doors import much only where it is used."""
    for file in folder.rglob("*.py"):
        yield ".".join(file.relative_to(folder).with_suffix("").parts).removesuffix(".__init__")
        for node in ast.walk(ast.parse(file.read_text())):
            if isinstance(node, ast.Import):
                yield from (alias.name for alias in node.names)
            elif isinstance(node, ast.ImportFrom) and node.module and not node.level:
                yield node.module


def _make_clients(services: list[str]) -> None:
    from vestnik import resources

    with resources.use({"AWS_REGION": "eu-central-1"}):
        for service in services:
            resources.client(service)


def _render() -> None:
    """The child process starts, and the data files are there: time zones, shorteners, layouts, the API's document."""
    from vestnik import api
    from vestnik.events import order_placed
    from vestnik.rendering import checks, render, shipped

    zoneinfo.ZoneInfo("Europe/Sofia")
    letter = shipped.shipped("order.placed", "customer", "email", "bg")
    facts = {**order_placed.SAMPLE, "shop": {"name": "Samovar", "timezone": "Europe/Sofia"}}
    with render.Renderer() as renderer:
        written = letter and renderer.render(letter, facts, trusted=False)
        codes = {problem.code for problem in checks.check("email", html=SHORT, guard=renderer.guard)}
    seen = {"letter": bool(written and "<html" in written.html), "check": codes == {"short-link"}}
    if missing := [name for name, there in {**seen, "openapi.json": api.BUILT.is_file()}.items() if not there]:
        raise RuntimeError(f"not as it should be: {', '.join(missing)}")


if __name__ == "__main__":
    print(_try(sys.argv[1:]))
