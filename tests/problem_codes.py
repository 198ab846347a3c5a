"""The words that problems and refusals carry, as the code says them and as the documentation tells them."""

import ast
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from tests.doc_examples import DOCS, ROOT
from vestnik import channels, plugins
from vestnik.api import _texts

LAYER = ROOT / "layers" / "vestnik" / "python" / "vestnik"
NEVER_ANSWERED = {
    "invalid-json",  # told as invalid-pattern, invalid-event or not-json
    "link-expired",  # the page behind a link says it, in words
    "link-invalid",
    "no-template",  # a message that failed says it in its reason
    "erased",
}
ROW = re.compile(r"^\| `([a-z-]+)` \| ([^|]+) \|", re.MULTILINE)


def of_the_api() -> dict[str, set[int]]:
    """The codes a request may be answered with, and the statuses that stand beside them in the code."""
    found = {code: {422} for code in _texts.FATAL}
    folders = (LAYER / "api", LAYER / "domain", LAYER / "flows", ROOT / "functions")
    for path in (file for folder in folders for file in folder.rglob("*.py")):
        for code, status in _raised(path):
            found.setdefault(code, set()).update({status} if status else set())
    return {code: statuses for code, statuses in found.items() if code not in NEVER_ANSWERED}


def of_channels() -> set[str]:
    """The codes of a message that a provider, or the channel or the guard before it, refuses."""
    rooms = (LAYER / "channels", LAYER / "outgoing")
    found = {code for room in rooms for path in room.glob("*.py") for code, _ in _raised(path)}
    tables = [getattr(module, name, {}) for module in plugins.modules(channels).values() for name in ("WORDS", "GONE")]
    found |= {word for table in tables for word in table.values()} - {"later"}
    found |= {"refused"}  # where the provider's no has no word of ours
    return found | set(
        re.findall(r'_expect\([^\n]+, "([a-z-]+)"\)', (LAYER / "channels" / "email_smtp.py").read_text())
    )


def told(section: str) -> dict[str, str]:
    """The codes of a section of docs/problems.md, each with the cell after it."""
    text = (DOCS / "problems.md").read_text().partition(f"\n## {section}\n")[2].partition("\n## ")[0]
    return {code: cell.strip() for code, cell in ROW.findall(text)}


def _raised(path: Path) -> Iterator[tuple[str, int | None]]:
    """The codes that a file's calls of Problem, Refused and their like carry, with the status where there is one."""
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Call):
            yield from _carried(node)


def _carried(call: ast.Call) -> Iterator[tuple[str, int | None]]:
    name = getattr(call.func, "id", getattr(call.func, "attr", ""))
    first, second = [*map(_constant, call.args[:2]), None, None][:2]
    if name in ("Problem", "_problem") and isinstance(second, str):
        yield second, first if isinstance(first, int) else None
    if name == "Coded" and isinstance(first, str):
        yield first, 422
    if name == "Refused":
        yield from ((code, None) for word in call.keywords if word.arg == "code" and (code := _constant(word.value)))


def _constant(node: ast.expr) -> Any:
    return node.value if isinstance(node, ast.Constant) else None
