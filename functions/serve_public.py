"""Serves what needs no key: the API's description, the pages behind signed links, and marketplaces' notifications."""

import base64
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
    if "/v1/marketplace-notifications/" in event["routeKey"]:
        return _notified(event)
    from vestnik.flows import unsubscribe

    confirmed = event["requestContext"]["http"]["method"] == "POST"
    wishes = event.get("headers", {}).get("accept-language", "")
    status, html = unsubscribe.page(event["pathParameters"]["token"], wishes, resources.now(), confirmed=confirmed)
    return {"statusCode": status, "headers": HEADERS, "body": html}


def _notified(event: dict[str, Any]) -> dict[str, Any]:
    from vestnik.flows import notifications

    found, text = event["pathParameters"], event.get("body") or ""
    body = base64.b64decode(text) if event.get("isBase64Encoded") else text.encode()
    status, said = notifications.take(found["account"], found["token"], body, resources.now())
    return {"statusCode": status, "headers": {"Content-Type": "application/json"}, "body": json.dumps(said)}


@cache
def _openapi() -> str:
    return json.dumps(api.openapi(), ensure_ascii=False)
