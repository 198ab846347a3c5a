"""The door of the clock: deferred work whose time has come is handed out, every minute."""

from typing import Any

from vestnik import resources
from vestnik.flows import deferred


def handler(event: dict[str, Any], context: object) -> dict[str, Any]:
    """Sweep from the watermark to now."""
    return {"shards": deferred.sweep(resources.now())}
