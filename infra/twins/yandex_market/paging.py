"""Pages of Market's lists: a token to go on with, and a limit that is cut without a word."""

import base64
import binascii
from collections.abc import Sequence

from infra.twins.market import Ask


def page[T](ask: Ask, rows: Sequence[T], usual: int, most: int) -> tuple[list[T], dict[str, str]]:
    """The rows of the page asked for, and `paging`. A larger limit than `most` is `most`, and nobody is told."""
    start = _start(ask.query.get("pageToken", ""))
    size = min(int(ask.query.get("limit") or usual), most)
    paging = {"nextPageToken": token(start + size)} if start + size < len(rows) else {}
    return list(rows[start : start + size]), paging


def token(start: int) -> str:
    """A place in a list; nothing to be read out of it."""
    return base64.urlsafe_b64encode(f"at {start}".encode()).decode().rstrip("=")


def _start(given: str) -> int:
    try:
        return int(base64.urlsafe_b64decode(given + "==").decode().removeprefix("at "))
    except (ValueError, binascii.Error):
        return 0
