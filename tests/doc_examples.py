"""The examples of the documentation: commands as a reader would copy them, with the answers shown below them."""

import json
import os
import re
import subprocess
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

ROOT = Path(__file__).parents[1]
DOCS = ROOT / "docs"
SERVED = "http://127.0.0.1:8080"
BLOCK = re.compile(r"^```(\w*)\n(.*?)^```$", re.MULTILINE | re.DOTALL)
ANY = "…"


@dataclass(frozen=True)
class Example:
    """Commands for a shell, and the JSON that the last of them answers (None: the page shows none)."""

    line: int
    commands: str
    answer: Any

    @property
    def is_asked(self) -> bool:
        """Whether it asks the local world (and not, say, `make`)."""
        return SERVED in self.commands


def pages() -> list[Path]:
    """Every page of the documentation."""
    return [ROOT / "README.md", ROOT / "CHANGELOG.md", *sorted(DOCS.rglob("*.md"))]


def named(page: Path) -> str:
    """A page's name, for people."""
    return str(page.relative_to(ROOT))


def examples(page: Path) -> Iterator[Example]:
    """The `sh` blocks of a page, each with the `json` block that stands right below it."""
    text = page.read_text()
    blocks = list(BLOCK.finditer(text))
    for block, following in zip(blocks, [*blocks[1:], None], strict=False):
        if block[1] == "sh":
            shown = following if following and following[1] == "json" else None
            near = shown and not text[block.end() : shown.start()].strip()
            line = text.count("\n", 0, block.start()) + 1
            yield Example(line, block[2], json.loads(shown[2]) if shown and near else None)


def run(commands: str, url: str) -> list[Any]:
    """Run commands in a shell against the world at `url`; every JSON answer, in order."""
    script = commands.replace(SERVED, url)
    # A proxy of the machine has nothing to do with 127.0.0.1.
    shell = {"PATH": os.environ["PATH"], "HOME": "/nonexistent", "no_proxy": "*"}
    done = subprocess.run(["sh", "-eu"], input=script, capture_output=True, text=True, env=shell, timeout=300)
    assert done.returncode == 0, done.stderr
    return list(_answers(done.stdout))


def _answers(text: str) -> Iterator[Any]:
    decoder, text = json.JSONDecoder(), text.strip()
    while text:
        value, end = decoder.raw_decode(text)
        yield value
        text = text[end:].strip()


def is_problem(answer: Any) -> bool:
    """Whether an answer says that something is wrong (a problem of ours, or a word of the gateway's)."""
    if not isinstance(answer, dict):
        return False
    return str(answer.get("type", "")).startswith("/problems/") or answer.keys() == {"message"}


def differs(shown: Any, real: Any, at: str = "") -> str:
    """Where an answer is not as the page shows it; "" where it is.

    The page may leave out fields; `…` stands for any value, and at the end of a list for further ones, then also in
    another order.
    """
    if shown == ANY:
        return ""
    if isinstance(shown, dict) and isinstance(real, dict):
        found = (differs(value, real.get(name), f"{at}/{name}") for name, value in shown.items())
        return next((one for one in found if one), "")
    if isinstance(shown, list) and isinstance(real, list):
        return _list_differs(shown, real, at)
    return "" if shown == real else f"{at or 'the answer'}: the page shows {shown!r}, it is {real!r}"


def _list_differs(shown: list[Any], real: list[Any], at: str) -> str:
    if shown and shown[-1] == ANY:
        missing = [one for one in shown[:-1] if all(differs(one, each) for each in real)]
        return f"{at}: nothing in it is {missing[0]}" if missing else ""
    if len(shown) != len(real):
        return f"{at}: the page shows {len(shown)}, there are {len(real)}: {real}"
    found = (differs(one, each, f"{at}/{n}") for n, (one, each) in enumerate(zip(shown, real, strict=True)))
    return next((one for one in found if one), "")


LINK = re.compile(r"!?\[((?:[^\[\]]|\[[^\]]*\])*)\]\(([^)\s]+)\)")
HEADING = re.compile(r"^#{1,6} +(.+?) *$", re.MULTILINE)


@dataclass(frozen=True)
class Link:
    """A link of a page: its text, and where it leads (a path relative to the page, and an anchor)."""

    text: str
    target: str

    @property
    def is_outside(self) -> bool:
        """Whether it leads to another site."""
        return "://" in self.target or self.target.startswith("mailto:")

    def is_whole(self, page: Path) -> bool:
        """Whether the file is there, and has the heading."""
        path, _, anchor = self.target.partition("#")
        found = (page.parent / path).resolve() if path else page
        return found.exists() and (not anchor or anchor in anchors(found))


def links(page: Path) -> list[Link]:
    """The links and pictures of a page, those in its examples left out."""
    return [Link(found[1], found[2]) for found in LINK.finditer(prose(page))]


def prose(page: Path) -> str:
    """A page without its examples."""
    return BLOCK.sub("", page.read_text())


def anchors(page: Path) -> set[str]:
    """The anchors of a page's headings, as GitHub makes them."""
    plain = (re.sub(r"[`*]|\]\([^)]*\)|\[", "", heading).lower() for heading in HEADING.findall(prose(page)))
    return {re.sub(r"[^\w\- ]", "", heading).replace(" ", "-") for heading in plain}
