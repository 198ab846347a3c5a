"""Serves everything below /v1 but the intake of events and the public pages."""

from typing import Any

from vestnik import api


def handler(event: dict[str, Any], context: Any) -> dict[str, Any]:
    """Answer one request of the HTTP API (payload 2.0)."""
    return api.answer(event, context)
