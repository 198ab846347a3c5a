"""The door of `POST /v1/events`."""

import base64
import json
from http import HTTPStatus
from typing import Any

from vestnik import resources
from vestnik.errors import Later, Refused
from vestnik.flows import intake

STATUS = {"unsupported-media-type": 415, "not-json": 400, "too-big": 413, "too-many": 413}


def handler(event: dict[str, Any], context: object) -> dict[str, Any]:
    """Keep a post of events; 202 once they are durably in the queue."""
    who = event["requestContext"]["authorizer"]["lambda"]
    if not {"ingest", "admin"} & set(who["scopes"].split()):
        return _problem(403, "missing-scope", "this key lacks the scope `ingest`")
    if query := event.get("rawQueryString"):
        return _refusal(_no_parameters(query))
    try:
        taken = intake.take(who["shop"], event["headers"], _body(event), resources.new_id(), resources.now())
    except Refused as wrong:
        return _refusal(wrong)
    except Later as later:
        return _wait(later)
    except Exception as error:
        resources.log("intake-failed", shop=who["shop"], error=repr(error))
        return _problem(503, "not-kept", "nothing was kept; post it again", headers={"retry-after": "1"})
    return _batch(taken.items) if taken.batch else _single(taken.items[0])


def _no_parameters(query: str) -> Refused:
    name = query.partition("&")[0].partition("=")[0][:40]
    return Refused(f"there is no parameter {name}", code="unknown-parameter", where=f"?{name}")


def _body(event: dict[str, Any]) -> str:
    body = event.get("body") or ""
    try:
        return base64.b64decode(body).decode() if event.get("isBase64Encoded") else body
    except UnicodeDecodeError:
        raise Refused("the body is not UTF-8", code="not-json") from None


def _single(item: intake.Item) -> dict[str, Any]:
    if item.problem:
        return _refusal(item.problem)
    if not item.kept:
        return _problem(503, "not-kept", "the event was not kept; post it again", headers={"retry-after": "1"})
    return _answer(202, _shown(item))


def _batch(items: list[intake.Item]) -> dict[str, Any]:
    """202 if anything was kept (and nothing good was lost), 503 if a good one was not, 422 if none was good."""
    results = [{"index": n, **_shown(item)} for n, item in enumerate(items)]
    kept = sum(item.kept for item in items)
    if any(not item.kept and item.problem is None for item in items):
        more = {"items": results}
        return _problem(503, "not-kept", "some events were not kept; post those again", {"retry-after": "1"}, more)
    if not kept:
        return _problem(422, "invalid-batch", "no event of the batch is valid", more={"items": results})
    return _answer(202, {"accepted": kept, "refused": len(items) - kept, "items": results})


def _shown(item: intake.Item) -> dict[str, Any]:
    if item.problem:
        return {"status": "refused", "problem": _problem_body(_status(item.problem), item.problem)}
    status = "accepted" if item.kept else "not-kept"
    return {"status": status, "event": item.eid, "id": item.event["id"], "source": item.event["source"]}


def _status(wrong: Refused) -> int:
    return STATUS.get(wrong.code, 422)


def _refusal(wrong: Refused) -> dict[str, Any]:
    status = _status(wrong)
    return _answer(status, _problem_body(status, wrong), "application/problem+json")


def _problem_body(status: int, wrong: Refused) -> dict[str, Any]:
    problem = {
        "type": f"/problems/{wrong.code}",
        "title": HTTPStatus(status).phrase,
        "status": status,
        "detail": wrong.reason,
    }
    return problem | {"errors": [{"where": wrong.where, "message": wrong.reason}]}


def _wait(later: Later) -> dict[str, Any]:
    seconds = max(1, round((later.at - resources.now()).total_seconds())) if later.at else 1
    return _problem(429, "quota", later.reason, headers={"retry-after": str(seconds)})


def _problem(
    status: int, code: str, detail: str, headers: dict[str, str] | None = None, more: dict[str, Any] | None = None
) -> dict[str, Any]:
    body = {
        "type": f"/problems/{code}",
        "title": HTTPStatus(status).phrase,
        "status": status,
        "detail": detail,
        **(more or {}),
    }
    return _answer(status, body, "application/problem+json", headers)


def _answer(
    status: int, body: dict[str, Any], media: str = "application/json", headers: dict[str, str] | None = None
) -> dict[str, Any]:
    text = json.dumps(body, ensure_ascii=False)
    return {"statusCode": status, "headers": {"content-type": media, **(headers or {})}, "body": text}
