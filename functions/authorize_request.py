"""The authorizer of the HTTP API: finds out whose key a request carries."""

from typing import Any

from vestnik.flows import identification


def handler(event: dict[str, Any], context: object) -> dict[str, Any]:
    """Simple answer of payload 2.0: {isAuthorized, context}."""
    headers = event.get("headers", {})
    given = next((value for name, value in headers.items() if name.lower() == "authorization"), "")
    who = identification.identify(given)
    return {"isAuthorized": True, "context": who} if who else {"isAuthorized": False}
