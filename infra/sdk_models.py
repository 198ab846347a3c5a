"""The SDK's descriptions of services, cut down to what the map may call: a client is then made in a fraction of the
time, because it reads, links and wraps each operation of its service at every cold start."""

import gzip
import json
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

from infra import permissions

Model = dict[str, Any]
REFERS = ("input", "output", "member", "key", "value")


def trim(data: Path) -> None:
    """Leave in a folder of the SDK's data (`botocore/data`) the services of the map, each with its operations."""
    for folder in data.iterdir():
        if folder.is_dir():
            _trim_service(folder, permissions.operations(folder.name))


def _trim_service(folder: Path, wanted: set[str]) -> None:
    for described in folder.glob("*/service-2.json.gz"):
        model = trimmed(json.loads(gzip.decompress(described.read_bytes())), wanted)
        described.unlink()  # it may be a link into the installer's store
        described.write_bytes(gzip.compress(json.dumps(model, separators=(",", ":")).encode(), mtime=0))


def trimmed(model: Model, wanted: set[str]) -> Model:
    """A service's description with these operations, the shapes they and its errors reach, and no words on them."""
    operations = {name: _without_words(one) for name, one in model["operations"].items() if name in wanted}
    errors = [name for name, shape in model["shapes"].items() if shape.get("exception")]
    kept = _reached(model["shapes"], [*_named(operations.values()), *errors])
    shapes = {name: _shape(one) for name, one in model["shapes"].items() if name in kept}
    return {**model, "operations": operations, "shapes": shapes}


def _reached(shapes: Model, start: Iterable[str]) -> set[str]:
    left, found = list(start), set[str]()
    while left:
        name = left.pop()
        if name not in found:
            found.add(name)
            shape = shapes[name]
            left += _named([shape, {"errors": list(shape.get("members", {}).values())}])
    return found


def _named(things: Iterable[Model]) -> Iterator[str]:
    """The shapes that operations or shapes name."""
    for thing in things:
        yield from (thing[part]["shape"] for part in REFERS if part in thing)
        yield from (one["shape"] for one in thing.get("errors", ()))


def _shape(shape: Model) -> Model:
    """A shape without words. A member may itself be called `documentation`: names are left alone."""
    kept = _without_words(shape)
    for part in ("member", "key", "value"):
        kept |= {part: _without_words(shape[part])} if part in shape else {}
    if "members" in shape:
        kept["members"] = {name: _without_words(one) for name, one in shape["members"].items()}
    return kept


def _without_words(thing: Model) -> Model:
    return {name: value for name, value in thing.items() if name != "documentation"}
