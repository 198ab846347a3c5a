"""Public links that need no key: what they may do is signed into them, and they end (or what they name does).

A token is `<payload>.<signature>`, both base64url without padding: fit for a path, a header and a text message.
"""

import base64
import binascii
import hashlib
import hmac
import json
from collections.abc import Mapping
from datetime import datetime
from typing import Any

from vestnik.errors import Refused


def sign(key: bytes, purpose: str, payload: Mapping[str, Any], expires: datetime | None) -> str:
    """The token that allows `purpose` on `payload` (JSON-able) until `expires` (None: until what is in the payload
    is no longer so, which is for who opens it to see). ValueError without a key."""
    if not key:
        raise ValueError("links cannot be signed with an empty key")
    content = {"for": purpose, "until": int(expires.timestamp()) if expires else None, **payload}
    text = _encode(json.dumps(content, ensure_ascii=False, separators=(",", ":")).encode())
    return f"{text}.{_signature(key, text)}"


def opened(key: bytes, purpose: str, token: str, now: datetime) -> dict[str, Any]:
    """The payload of a token of ours for `purpose`. Refused: `link-invalid` (not ours, or damaged on its way),
    `link-expired`."""
    text, _, signature = token.partition(".")
    if not key or not hmac.compare_digest(_signature(key, text).encode(), signature.encode()):
        raise Refused("This link is not complete or was changed on its way.", code="link-invalid")
    payload: dict[str, Any] = json.loads(_decode(text))
    if payload.pop("for") != purpose:
        raise Refused("This link was made for something else.", code="link-invalid")
    until = payload.pop("until")
    if until is not None and until <= now.timestamp():
        raise Refused("This link is too old.", code="link-expired")
    return payload


def _signature(key: bytes, text: str) -> str:
    return _encode(hmac.new(key, text.encode(), hashlib.sha256).digest())


def _encode(content: bytes) -> str:
    return base64.urlsafe_b64encode(content).rstrip(b"=").decode()


def _decode(text: str) -> bytes:
    try:
        return base64.urlsafe_b64decode(text + "=" * (-len(text) % 4))
    except binascii.Error:
        raise Refused("This link is damaged.", code="link-invalid") from None
