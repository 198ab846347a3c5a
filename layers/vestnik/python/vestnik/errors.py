"""Errors: the class says what to do next. Anything else is a bug and goes loudly to the dead-letter queue."""

from datetime import datetime
from typing import Any


class Refused(Exception):
    """Never again: the reason is for a person. `code` is a stable word, `where` a JSON pointer or field name."""

    def __init__(self, reason: str, *, code: str = "refused", where: str = "", **more: Any) -> None:
        super().__init__(reason)
        self.reason, self.code, self.where, self.more = reason, code, where, more


class Later(Exception):
    """Not now: try again, at `at` (UTC) where it is known, else after the caller's own back-off."""

    def __init__(self, reason: str, *, at: datetime | None = None) -> None:
        super().__init__(reason)
        self.reason, self.at = reason, at


class Unknown(Exception):
    """The outside may or may not have done it: nobody can tell yet (a time-out, a closed connection, a 5xx)."""
