"""The door of the clock for marketplaces: what is due for every connected account is handed out, every minute."""

from typing import Any

from vestnik import resources
from vestnik.flows import syncs


def handler(event: dict[str, Any], context: object) -> dict[str, Any]:
    """Start what is due this minute."""
    return {"started": syncs.start(resources.now())}
