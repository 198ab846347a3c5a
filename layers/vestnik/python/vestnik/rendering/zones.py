"""Time zones by name, also inside the guarded child, which can open no files: there they ride along as bytes."""

import base64
import io
from collections.abc import Mapping
from functools import lru_cache
from importlib import resources
from pathlib import Path
from typing import Any
from zoneinfo import TZPATH, ZoneInfo

_carried: dict[str, ZoneInfo] = {}


def zone(name: str) -> ZoneInfo | None:
    """The zone of this name (IANA, as `Europe/Sofia`), or None where there is none."""
    if name in _carried:
        return _carried[name]
    try:
        return ZoneInfo(name)
    except (OSError, ValueError, KeyError):  # ZoneInfoNotFoundError is a KeyError
        return None


def packed(facts: Mapping[str, Any]) -> dict[str, str]:
    """The zones these facts name, as base64 of their TZif files (RFC 9636), for a process without files."""
    people = [facts.get(key) for key in ("recipient", "shop")]
    names = {str(person["timezone"]) for person in people if isinstance(person, Mapping) and person.get("timezone")}
    return {name: content for name in names if (content := _content(name))}


def carry(zones: Mapping[str, str]) -> None:
    """Takes zones from `packed` into this process."""
    for name, content in zones.items():
        if name not in _carried:
            _carried[name] = ZoneInfo.from_file(io.BytesIO(base64.b64decode(content)), key=name)


@lru_cache(maxsize=64)
def _content(name: str) -> str:
    if zone(name) is None:
        return ""
    for path in [Path(root) / name for root in TZPATH]:
        if path.is_file():
            return base64.b64encode(path.read_bytes()).decode()
    *packages, file = name.split("/")
    found = resources.files(".".join(["tzdata.zoneinfo", *packages])) / file
    return base64.b64encode(found.read_bytes()).decode()
