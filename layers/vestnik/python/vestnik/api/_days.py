"""Days in requests: written as RFC 3339 has them, and nothing else that a day could be read from."""

import re
from datetime import date, timedelta
from typing import Annotated, Any

from pydantic import BeforeValidator

RECENT = timedelta(days=6)  # what is asked for without a day: the last seven days
FORM = re.compile(r"\d{4}-\d{2}-\d{2}", re.ASCII)


def _day(given: Any) -> date:
    if isinstance(given, str) and FORM.fullmatch(given):
        return date.fromisoformat(given)
    raise ValueError("a day is written as 2026-11-20")


Day = Annotated[date, BeforeValidator(_day)]
