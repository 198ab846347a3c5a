"""The authorizer of the HTTP API: finds out whose key a request carries. What it may do, each door judges."""

import hashlib
from typing import Any

from vestnik.store import settings

SCHEME = "bearer "


def handler(event: dict[str, Any], context: object) -> dict[str, Any]:
    """Simple answer of payload 2.0: {isAuthorized, context: {shop, key, scopes}}, scopes parted by spaces.

    Keys are looked up by their digest, so how long the search takes tells nothing about a key that exists.
    """
    given = next((v for k, v in event.get("headers", {}).items() if k.lower() == "authorization"), "")
    if given[: len(SCHEME)].lower() != SCHEME:
        return {"isAuthorized": False}
    digest = hashlib.sha256(given[len(SCHEME) :].strip().encode(errors="replace")).hexdigest()
    key = settings.find_key(digest)
    if key is None:
        return {"isAuthorized": False}
    who = {"shop": key["shop"], "key": key["id"], "scopes": " ".join(sorted(key["scopes"]))}
    return {"isAuthorized": True, "context": who}
