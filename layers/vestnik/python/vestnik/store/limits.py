"""Counters that expire: what an account may send in a window, what a shop may post, which requests were answered."""

import json
from datetime import datetime, timedelta
from typing import Any

from vestnik import resources
from vestnik.store import dynamo

TABLE = "limits"


def take(bucket: str, n: int, cap: int, window: int, now: datetime) -> int:
    """Take up to `n` of the `cap` that `bucket` allows in each window of `window` seconds; how many were granted."""
    at = int(now.timestamp())
    pk = f"{bucket}#{at // window * window}"
    expires = at + window + 3600
    try:
        _add(pk, n, cap, expires)
    except dynamo.Conflict as conflict:
        left = cap - int(conflict.old.get("used", 0))
        return take_rest(pk, min(left, n), cap, expires) if left > 0 else 0
    return n


def take_rest(pk: str, n: int, cap: int, expires: int) -> int:
    """A second try for what is left; 0 where others were quicker."""
    try:
        _add(pk, n, cap, expires)
    except dynamo.Conflict:
        return 0
    return n


def _add(pk: str, n: int, cap: int, expires: int) -> None:
    if n > cap:
        raise dynamo.Conflict({"used": 0} if cap else {"used": cap})
    dynamo.update(
        TABLE,
        pk,
        add={"used": n},
        first={"expires": expires},
        where="attribute_not_exists(#used) OR #used <= :room",
        values={"room": cap - n},
    )


def begin(shop: str, key: str, digest: str, now: datetime, *, lease: int, keep: timedelta) -> dict[str, Any] | None:
    """Begin a request under an idempotency key. None: go on. Else what is known of it:
    {digest, answer: {...} or None while another is at it}."""
    at, attempt = int(now.timestamp()), resources.new_id(8)
    item = {"pk": _request(shop, key), "sk": "-", "digest": digest, "until": at + lease, "attempt": attempt}
    item["expires"] = at + int(keep.total_seconds())
    free = "attribute_not_exists(#pk) OR #expires <= :now OR (attribute_not_exists(#answer) AND #until <= :now)"
    try:
        dynamo.put(TABLE, item, where=free, values={"now": at})
    except dynamo.Conflict as conflict:
        if conflict.old.get("attempt") == attempt:
            return None  # this very call's lost first try
        answer = conflict.old.get("answer")
        return {"digest": conflict.old.get("digest"), "answer": json.loads(answer) if answer else None}
    return None


def finish(shop: str, key: str, answer: dict[str, Any]) -> None:
    """Keep the answer of a request, to be given again."""
    dynamo.update(TABLE, _request(shop, key), put={"answer": json.dumps(answer, ensure_ascii=False)})


def abandon(shop: str, key: str) -> None:
    """Forget a request that failed, so that it may be tried again."""
    dynamo.delete(TABLE, _request(shop, key))


def _request(shop: str, key: str) -> str:
    return f"{shop}#request#{key}"
