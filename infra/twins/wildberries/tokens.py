"""Tokens as Wildberries hands them out: a JWT that tells whose it is, what it may do and when it ends."""

import base64
import json
from collections.abc import Iterable
from datetime import datetime
from typing import Any

CATEGORIES = {
    "content": 1,
    "analytics": 2,
    "prices": 3,
    "marketplace": 4,
    "statistics": 5,
    "promotion": 6,
    "feedback": 7,
    "chat": 9,
    "supplies": 10,
    "returns": 11,
    "documents": 12,
    "finance": 13,
    "users": 16,
}
READ_ONLY = 30
TYPES = {"base": 1, "test": 2, "personal": 3, "service": 4, "base_secret": 1}


def made(sid: str, scopes: Iterable[str], grade: str, ends: datetime, number: int, *, read_only: bool) -> str:
    """A token. `number` makes it unlike the others; the signature is a dummy, as nobody here checks it."""
    mask = sum(1 << CATEGORIES[scope] for scope in scopes) | (1 << READ_ONLY if read_only else 0)
    payload = {
        "acc": TYPES[grade],
        "ent": 1,
        "exp": int(ends.timestamp()),
        "id": f"01900000-0000-7000-8000-{number:012d}",
        "iid": 1000 + number,
        "oid": 2000 + number,
        "s": mask,
        "sid": sid,
        "t": False,
        "uid": 1000 + number,
    }
    return ".".join(_part(one) for one in ({"alg": "ES256", "typ": "JWT", "kid": "twin"}, payload, "signature"))


def read(token: str) -> dict[str, Any] | None:
    """What a token says; None where it is none."""
    parts = token.split(".")
    if len(parts) != 3:
        return None
    try:
        payload = json.loads(base64.urlsafe_b64decode(parts[1] + "=" * (-len(parts[1]) % 4)))
    except ValueError:
        return None
    return payload if isinstance(payload, dict) else None


def may(payload: dict[str, Any], category: str) -> bool:
    """Whether the token is good for a category."""
    return bool(payload["s"] >> CATEGORIES[category] & 1)


def only_reads(payload: dict[str, Any]) -> bool:
    """Whether nothing may be changed with the token."""
    return bool(payload["s"] >> READ_ONLY & 1)


def _part(found: Any) -> str:
    return base64.urlsafe_b64encode(json.dumps(found, separators=(",", ":")).encode()).rstrip(b"=").decode()
