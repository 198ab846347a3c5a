"""What is shipped of each marketplace, read from its folder once."""

import json
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from typing import Any

from vestnik.errors import Refused

FOLDER = Path(__file__).parent


@dataclass(frozen=True, slots=True)
class Marketplace:
    """A marketplace as its folder describes it; `definitions` by their id, `body` is the whole of marketplace.json."""

    name: str
    title: str
    domains: tuple[str, ...]
    buckets: dict[str, Any]
    body: dict[str, Any]
    definitions: dict[str, dict[str, Any]] = field(default_factory=dict)
    statuses: dict[str, Any] = field(default_factory=dict)
    operations: dict[str, Any] = field(default_factory=dict)

    @property
    def credentials(self) -> dict[str, str]:
        """What a connection needs and keeps secret, and what each thing is."""
        return dict(self.body["credentials"])

    @property
    def settings(self) -> dict[str, Any]:
        """What an account tells beside, by name: {title, type, required}."""
        return dict(self.body.get("settings", {}))

    @property
    def schemes(self) -> dict[str, str]:
        """Its schemes, and what each means here: worked, shown, read."""
        return dict(self.body["schemes"])

    @property
    def stock(self) -> dict[str, Any]:
        """What its number of stock means, and how often a pair may be written."""
        return dict(self.body.get("stock", {}))

    @property
    def orders(self) -> dict[str, Any]:
        """How its orders are asked for."""
        return dict(self.body.get("orders", {}))

    @property
    def headers(self) -> dict[str, str]:
        """Which headers of an answer tell of limits: retry, remaining, until."""
        return dict(self.body.get("headers", {}))

    @property
    def too_many(self) -> tuple[int, ...]:
        """The statuses that say: too many."""
        return tuple(self.body.get("too_many", (429,)))


@cache
def names() -> tuple[str, ...]:
    """The marketplaces there are, sorted."""
    return tuple(sorted(path.parent.name for path in FOLDER.glob("*/marketplace.json")))


@cache
def shipped(name: str) -> Marketplace:
    """One marketplace. Refused `unknown-marketplace` where there is no such folder."""
    if name not in names():
        raise Refused(f"there is no marketplace {name!r}; there are {', '.join(names())}", code="unknown-marketplace")
    folder = FOLDER / name
    body = _read(folder / "marketplace.json")
    definitions = {one["id"]: one for one in map(_read, sorted((folder / "requests").glob("*.json")))}
    return Marketplace(
        name,
        body["title"],
        tuple(body["domains"]),
        body["buckets"],
        body,
        definitions,
        _read(folder / "statuses.json"),
        _read(folder / "operations.json"),
    )


def samples(name: str, id: str) -> list[dict[str, Any]]:
    """The documented calls of a definition: {given, rows, page, request, status, answer, maps_to}; or []."""
    path = FOLDER / name / "samples" / f"{id.removeprefix(f'{name}.')}.json"
    found: list[dict[str, Any]] = json.loads(path.read_text("utf-8")) if path.is_file() else []
    return found


def _read(path: Path) -> dict[str, Any]:
    found: dict[str, Any] = json.loads(path.read_text("utf-8")) if path.is_file() else {}
    return found
