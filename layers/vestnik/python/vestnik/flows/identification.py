"""Whose API key a request carries. What the key may do, each door judges by its scopes."""

import hashlib

from vestnik.store import settings

SCHEME = "bearer "


def identify(authorization: str) -> dict[str, str] | None:
    """{shop, key, scopes (parted by spaces)} of `Bearer <key>`, or None where it is no key of ours.

    Keys are looked up by their digest, so how long the search takes tells nothing about a key that exists.
    """
    if authorization[: len(SCHEME)].lower() != SCHEME:
        return None
    digest = hashlib.sha256(authorization[len(SCHEME) :].strip().encode(errors="replace")).hexdigest()
    key = settings.find_key(digest)
    return {"shop": key["shop"], "key": key["id"], "scopes": " ".join(sorted(key["scopes"]))} if key else None
