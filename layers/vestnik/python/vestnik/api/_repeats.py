"""Repeated requests: a POST under the same Idempotency-Key is carried out once and answered alike.

Only successful answers are kept, for a day; a request that was refused or broke off may be sent again under its key.
"""

import hashlib
import json
from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Any

from vestnik.api._problems import Fault, Problem
from vestnik.api._routes import Needs, Request
from vestnik.store import limits

HEADER = "idempotency-key"
LEASE = 60  # seconds: longer than a function of the API may run
KEEP = timedelta(days=1)
LARGEST_KEPT = 300_000

Reply = dict[str, Any]


def once(request: Request, query: str, needs: Needs, now: datetime, carry_out: Callable[[], Reply]) -> Reply:
    """Carry out a request unless its key says that it already was. Raises Problem."""
    key, shop = _key(request), request.caller.shop
    known = limits.begin(shop, key, _digest(request, query), now, lease=LEASE, keep=KEEP)
    if known is not None:
        return _again(known, _digest(request, query))
    try:
        reply = carry_out()
    except BaseException:
        limits.abandon(shop, key)
        raise
    if reply["statusCode"] < 300:
        limits.finish(shop, key, _kept(reply, needs))
    else:
        limits.abandon(shop, key)
    return reply


def _key(request: Request) -> str:
    key = request.headers.get(HEADER, "")
    expected = "1 to 255 printable ASCII characters, fresh for each request you mean, such as a UUID"
    if not key:
        fault = Fault("Idempotency-Key", "is missing", expected=expected)
        raise Problem(400, "idempotency-key-missing", "this request needs the header Idempotency-Key", fault)
    if len(key) > 255 or not (key.isascii() and key.isprintable()):
        fault = Fault("Idempotency-Key", "is not usable", key[:40], expected)
        raise Problem(400, "idempotency-key-invalid", "the header Idempotency-Key is not usable", fault)
    return key


def _digest(request: Request, query: str) -> str:
    head = f"{request.method}\n{request.path}\n{query}\n{request.content_type}\n"
    return hashlib.sha256(head.encode(errors="replace") + request.body).hexdigest()


def _again(known: dict[str, Any], digest: str) -> Reply:
    fault = Fault("Idempotency-Key", "was used before")
    if known["digest"] != digest:
        raise Problem(422, "idempotency-key-reused", "this key was used for another request", fault)
    if known["answer"] is None:
        later = {"Retry-After": "2"}
        raise Problem(409, "request-under-way", "a request with this key is being carried out", fault, headers=later)
    if "body" not in known["answer"]:
        raise Problem(409, "answer-not-kept", "it was carried out; the answer was too large to keep", fault)
    reply: Reply = known["answer"]
    reply["headers"] = {**reply["headers"], "Idempotency-Replayed": "true"}
    return reply


def _kept(reply: Reply, needs: Needs) -> Reply:
    kept = {name: reply[name] for name in ("statusCode", "headers", "body", "isBase64Encoded")}
    if needs.hidden:
        body = json.loads(kept["body"])
        kept["body"] = json.dumps({**body, **dict.fromkeys(needs.hidden)}, ensure_ascii=False)
    return kept if len(kept["body"].encode()) <= LARGEST_KEPT else {"statusCode": kept["statusCode"]}
