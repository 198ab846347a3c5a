"""Cold start of each door: a fresh interpreter imports it from the layers and makes the SDK clients of a first run.

The floor, in the same run and on the same layers, is `import boto3; boto3.client("sqs")`. Figures are CPU time of
the child (user and system), which other work on the machine moves less than the clock on the wall.
"""

import os
import shutil
import subprocess
import sys
from collections.abc import Mapping
from importlib.metadata import files
from pathlib import Path
from resource import RUSAGE_CHILDREN, getrusage
from statistics import median

from infra import layers, permissions
from vestnik import channels, plugins, topology

AIMS = {"take-events": 1.0, "manage-shop": 2.0, "serve-public": 2.0}
"""Times the floor; all others are workers."""
WORKERS = 1.4
BESIDES = {
    "manage_shop": "from vestnik.api import _app; _app.build('rules')",
    "serve_public": "import vestnik.flows.unsubscribe",
    "evaluate_events": "from vestnik import events; events.rules()",
    "take_events": "import jsonschema_rs; from vestnik import events; events.find('order.placed')",
}
"""What the first ordinary request imports when it comes: it is part of the wait, so it is part of the figure."""
FLOOR = "import boto3; boto3.client('sqs', region_name='us-east-1')"
RUNS = 5


def run(runs: int = RUNS) -> dict[str, dict[str, float]]:
    """By door: {ms, floor_ms, ratio, least_ratio, aim}. Milliseconds of CPU, interpreter included.

    Each run of a door stands beside a run of the floor just before it. `ratio`: of the medians. `least_ratio`: of the
    least disturbed run of each, for a machine that is busy with other work.
    """
    path = _path()
    texts = {name: program(function) for name, function in doors().items()}
    times: dict[str, list[tuple[float, float]]] = {name: [] for name in texts}
    for text in (FLOOR, *texts.values()):
        _child(text, path)  # warms the file cache
    for _ in range(runs):
        for name, text in texts.items():
            times[name].append((_child(FLOOR, path), _child(text, path)))
    return {name: _figures(pairs, AIMS.get(name, WORKERS)) for name, pairs in times.items()}


def _figures(pairs: list[tuple[float, float]], aim: float) -> dict[str, float]:
    floors, ours = zip(*pairs, strict=True)
    floor, ms = median(floors), median(ours)
    return {
        "ms": ms,
        "floor_ms": floor,
        "ratio": ms / floor,
        "least_ratio": min(ours) / min(floors),
        "aim": aim,
    }


def doors() -> dict[str, topology.Function]:
    """The functions of the map by name."""
    return {function.name: function for function in topology.functions()}


def program(function: topology.Function) -> str:
    """What a fresh interpreter runs: the door's import, then the clients that its first ordinary run makes."""
    made = "; ".join(f"client({service!r}, sends={sends})" for service, sends in sorted(clients(function)))
    besides = BESIDES.get(function.door, "pass")
    return f"import functions.{function.door}; from vestnik.resources import client; {made}; {besides}"


def clients(function: topology.Function) -> set[tuple[str, bool]]:
    """(service, whether it reaches people) of the SDK clients in a door's first ordinary run."""
    if function.door == "manage_shop":
        return {("dynamodb", False)}  # a first request reads or writes one table; the rest comes where it is asked for
    words = {word.partition(":")[0] for word in function.uses} & permissions.WORDS.keys()
    if function.door == "send_messages":
        words -= {"queue", "secrets", "link-key"}  # for what must wait, for senders with a password, for mailings
        words |= {"secrets"} if _has_secret(function.name.removeprefix("send-").replace("-", "_")) else set()
    services = {(permissions.WORDS[word][0], word in OUTSIDE) for word in words}
    return {(service, sends) for service, sends in services if service}


def _has_secret(plugin: str) -> bool:
    module = plugins.load(channels, plugin)
    return bool(module and module.SECRET.get("required"))


OUTSIDE = ("ses", "sms-voice", "sns")


def _path() -> list[str]:
    """The layers as Lambda lays them out, built for this machine; boto3 of the same version beside them."""
    made = layers.build(("vendor-local", "vestnik", "functions"))
    floor = layers.BUILD / "boto3"
    _boto3(floor)
    return [str(made["functions"]), str(made["vestnik"] / "python"), str(made["vendor-local"] / "python"), str(floor)]


def _boto3(folder: Path) -> None:
    shutil.rmtree(folder, ignore_errors=True)
    for package in ("boto3", "s3transfer"):
        for file in files(package) or ():
            if file.suffix in (".py", ".json"):
                (folder / file.parent).mkdir(parents=True, exist_ok=True)
                shutil.copy(str(file.locate()), folder / file)
    subprocess.run(
        [sys.executable, "-m", "compileall", "-q", "--invalidation-mode", "unchecked-hash", folder], check=True
    )


def _child(text: str, path: list[str]) -> float:
    """Milliseconds of CPU of a fresh interpreter that runs `text` and ends."""
    before = getrusage(RUSAGE_CHILDREN)
    subprocess.run([sys.executable, "-S", "-c", text], check=True, env=_environment(path))
    after = getrusage(RUSAGE_CHILDREN)
    return 1000 * (after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime)


def _environment(path: list[str]) -> Mapping[str, str]:
    keys = {"AWS_ACCESS_KEY_ID": "bench", "AWS_SECRET_ACCESS_KEY": "bench", "AWS_DEFAULT_REGION": "us-east-1"}
    keys |= {"AWS_REGION": "us-east-1", "AWS_EC2_METADATA_DISABLED": "true", "PYTHONDONTWRITEBYTECODE": "1"}
    return {"PYTHONPATH": os.pathsep.join(path), "PATH": os.environ["PATH"], "HOME": "/nonexistent", **keys}


def main() -> None:
    for name, figures in run(5).items():
        print(f"{name:20}", "  ".join(f"{key} {value:.2f}" for key, value in figures.items()))


if __name__ == "__main__":
    main()
