"""`python -m tests.prism`: every documented call of every shipped definition, held against the official specifications
by Prism, where the specifications lie beside the project.

Prism answers a request that breaks its specification with 400 or 422 and says what is wrong; a path that a file of the
specification does not have is looked for in the next. Definitions that are newer than the specification are named.
"""

import contextlib
import json
import subprocess
import sys
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from http.client import HTTPConnection
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

from vestnik import marketplaces

ROOT = Path(__file__).parents[1]
SPECS = ROOT.parent / "shared" / "specs"
PRISM = ROOT / "node_modules" / ".bin" / "prism"
FILES = {
    "ozon": ["ozon/*swagger*.json"],
    "wildberries": ["wildberries/0[1-7]-*.yaml", "wildberries/1[12]-*.yaml"],
    "yandex_market": ["yandex-market/*.yaml"],
}
SECRETS = {"Client-Id": "1", "Api-Key": "key", "Authorization": "token"}
PORT = 4019
PATIENCE = 90


@dataclass(slots=True)
class Found:
    """What Prism said: calls that hold, calls that break the specification, and definitions that no file knows."""

    held: int = 0
    broken: list[str] = field(default_factory=list)
    newer: set[str] = field(default_factory=set)


@dataclass(frozen=True, slots=True)
class Call:
    """A documented call. `lawful`: its answer is a success, so that it must keep to the specification."""

    definition: str
    method: str
    target: str
    body: Any


def main() -> int:
    """Check all marketplaces; 1 where a call breaks its specification."""
    if not SPECS.is_dir() or not PRISM.is_file():
        print("skipped: the specifications (../shared/specs) or Prism (npm ci) are not here")
        return 0
    failed = False
    for name, patterns in FILES.items():
        found = _checked(name, sorted(path for pattern in patterns for path in SPECS.glob(pattern)))
        newer = ", ".join(sorted(found.newer)) or "none"
        print(f"{name}: {found.held} calls hold, {len(found.broken)} do not; newer than the specification: {newer}")
        print("".join(f"  {line}\n" for line in found.broken), end="")
        failed |= bool(found.broken)
    return int(failed)


def _checked(name: str, files: list[Path]) -> Found:
    left, found = list(_calls(name)), Found()
    for file in files:
        with _serving(file):
            left = [call for call in left if not _settled(call, found)]
    found.newer = {call.definition for call in left}
    return found


def _calls(name: str) -> Iterator[Call]:
    """The calls that were answered well: those that are to fail may be wrong on purpose."""
    market = marketplaces.shipped(name)
    for id, definition in market.definitions.items():
        for sample in marketplaces.samples(name, id):
            if sample.get("status", 200) < 300:
                asked = sample["request"]
                query = urlencode(asked.get("query") or {}, doseq=True)
                target = f"{asked['path']}?{query}" if query else asked["path"]
                yield Call(id, definition["method"], target, asked.get("body"))


@contextlib.contextmanager
def _serving(file: Path) -> Iterator[None]:
    command = [str(PRISM), "mock", "-h", "127.0.0.1", "-p", str(PORT), str(file)]
    with subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL) as served:
        try:
            _await()
            yield
        finally:
            served.terminate()


def _await() -> None:
    until = time.monotonic() + PATIENCE
    while time.monotonic() < until:
        with contextlib.suppress(OSError):
            _asked("GET", "/", None)
            return
        time.sleep(0.3)
    raise TimeoutError("Prism does not come up")


def _settled(call: Call, found: Found) -> bool:
    """Whether this file of the specification knows the call, and so has said what it thinks of it."""
    status, text = _asked(call.method, call.target, call.body)
    if status in (404, 405) and ("NO_PATH_MATCHED" in text or "NO_METHOD_MATCHED" in text or "NO_SERVER" in text):
        return False
    if status in (400, 422):
        found.broken.append(f"{call.definition}: {call.method} {call.target}: {text[:300]}")
    else:
        found.held += 1
    return True


def _asked(method: str, target: str, body: Any) -> tuple[int, str]:
    connection = HTTPConnection("127.0.0.1", PORT, timeout=30)
    content = None if body is None else json.dumps(body).encode()
    try:
        connection.request(method, target, content, SECRETS | ({"Content-Type": "application/json"} if content else {}))
        answer = connection.getresponse()
        told = json.loads(answer.headers.get("sl-violations") or "[]")
        ours = [one for one in told if one["location"][0] == "request"]  # its own made-up answers break it as well
        return (422, json.dumps(ours)) if ours else (answer.status, answer.read().decode())
    finally:
        connection.close()


if __name__ == "__main__":
    sys.exit(main())
