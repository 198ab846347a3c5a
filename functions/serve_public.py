"""Serves what needs no key: the API's description, and the pages behind signed links."""

import json
from functools import cache
from typing import Any

from vestnik import api, resources

HEADERS = {
    "Content-Type": "text/html; charset=utf-8",
    "Cache-Control": "no-store",
    "Content-Security-Policy": "default-src 'none'; style-src 'unsafe-inline'; form-action 'self'; "
    "frame-ancestors 'none'; base-uri 'none'",
    "Referrer-Policy": "no-referrer",
    "X-Content-Type-Options": "nosniff",
    "X-Robots-Tag": "noindex, nofollow",
}


def handler(event: dict[str, Any], context: object) -> dict[str, Any]:
    """Answer one request of the HTTP API (payload 2.0)."""
    if event["routeKey"].endswith("/v1/openapi.json"):
        return {"statusCode": 200, "headers": {"Content-Type": "application/json"}, "body": _openapi()}
    from vestnik.flows import unsubscribe

    confirmed = event["requestContext"]["http"]["method"] == "POST"
    wishes = event.get("headers", {}).get("accept-language", "")
    status, html = unsubscribe.page(event["pathParameters"]["token"], wishes, resources.now(), confirmed=confirmed)
    return {"statusCode": status, "headers": HEADERS, "body": html}


@cache
def _openapi() -> str:
    return json.dumps(api.openapi(), ensure_ascii=False)
