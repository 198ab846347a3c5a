"""What a flow of an account says when it ends: done, or when it wants to go on."""

from dataclasses import dataclass
from datetime import datetime


@dataclass(frozen=True, slots=True)
class Ran:
    """`again`: when the rest wants to be done; None: nothing is left. `did`: how much was done, for the log."""

    again: datetime | None = None
    did: int = 0
