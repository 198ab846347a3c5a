"""Lists in parts: the cursor a client sees is the store's own, sealed so that only one we gave is taken back."""

import base64
import binascii
import hashlib
from collections.abc import Iterable, Mapping
from typing import Any

from pydantic import BaseModel

from vestnik.api._models import Page
from vestnik.api._problems import Fault, Problem
from vestnik.api._routes import caller


def opened(listing: str, cursor: str) -> str:
    """The store's cursor inside a client's ("" stays ""). `listing` names the list with its filters: a cursor of one
    is no cursor of another. Raises Problem."""
    if not cursor:
        return ""
    try:
        text = base64.urlsafe_b64decode(cursor + "=" * (-len(cursor) % 4)).decode()
    except (ValueError, binascii.Error):
        raise _wrong(cursor) from None
    inner = text[8:]
    if text[:8] != _seal(listing, inner) or not inner:
        raise _wrong(cursor)
    return inner


def page[T: BaseModel](
    listing: str, items: Iterable[Mapping[str, Any] | T], more: str | None, shape: type[T]
) -> Page[T]:
    """One part of a list; `more` is the store's cursor for the next."""
    shown = [item if isinstance(item, shape) else shape.model_validate(item) for item in items]
    return Page[T](items=shown, next=sealed(listing, more) if more else None)


def sealed(listing: str, inner: str) -> str:
    """The cursor a client is given for the store's cursor `inner`."""
    return base64.urlsafe_b64encode((_seal(listing, inner) + inner).encode()).decode().rstrip("=")


def _seal(listing: str, inner: str) -> str:
    return hashlib.sha256(f"{caller().shop}\n{listing}\n{inner}".encode()).hexdigest()[:8]


def _wrong(cursor: str) -> Problem:
    fault = Fault("?cursor", "is no cursor of this list", cursor[:40], "the `next` of the page before, unchanged")
    return Problem(422, "invalid-cursor", "the cursor is not one of this list", fault)
