"""Problems: what a client is told when a request cannot be served (RFC 9457, application/problem+json)."""

import difflib
import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from http import HTTPStatus
from typing import Any

from vestnik.errors import Later, Refused

CONTENT_TYPE = "application/problem+json"
LONGEST_FOUND = 120
RETRY_SECONDS = 5
BOUNDS = {
    "ge": "at least ",
    "gt": "more than ",
    "le": "at most ",
    "lt": "less than ",
    "min_length": "length at least ",
    "max_length": "length at most ",
    "multiple_of": "a multiple of ",
    "pattern": "written as ",
    "expected": "",
}
EXPECTED = {
    "string_type": "a text",
    "int_type": "a whole number",
    "int_parsing": "a whole number",
    "float_type": "a number",
    "bool_type": "true or false",
    "list_type": "a list",
    "dict_type": "a JSON object",
    "model_type": "a JSON object",
    "model_attributes_type": "a JSON object",
}


@dataclass(frozen=True, slots=True)
class Fault:
    """One thing wrong with a request. `where`: a JSON pointer into the body, `?name` of a query parameter, `{name}`
    of a part of the path, or a header's name. `found` and `expected` as a person would say them."""

    where: str
    message: str
    found: str | None = None
    expected: str | None = None


class Problem(Exception):
    """A request that is answered with a problem; `code` is a stable word and names the problem's type."""

    def __init__(
        self,
        status: int,
        code: str,
        detail: str,
        *faults: Fault,
        headers: Mapping[str, str] | None = None,
        **more: Any,
    ) -> None:
        super().__init__(detail)
        self.status, self.code, self.detail = status, code, detail
        self.faults, self.headers, self.more = faults, dict(headers or {}), more


def not_found(what: str, id: str) -> Problem:
    """The shop has no such thing. Whether another shop has it is not told."""
    return Problem(404, "not-found", f"there is no {what} {_short(id)}", Fault("{id}", f"names no {what}", _short(id)))


def of_refusal(refused: Refused) -> Problem:
    """What the domain refused, as a problem."""
    return Problem(422, refused.code, refused.reason, Fault(refused.where, refused.reason), **refused.more)


def of_delay(later: Later) -> Problem:
    """What cannot be done just now."""
    return Problem(503, "try-again", str(later), headers={"Retry-After": str(RETRY_SECONDS)})


def reply(problem: Problem) -> dict[str, Any]:
    """The problem as the gateway takes it (payload 2.0)."""
    body: dict[str, Any] = {
        "type": f"/problems/{problem.code}",
        "title": HTTPStatus(problem.status).phrase,
        "status": problem.status,
        "detail": problem.detail,
        "errors": [_shown(fault) for fault in problem.faults],
    }
    headers = {"Content-Type": CONTENT_TYPE, "Cache-Control": "no-store", **problem.headers}
    text = json.dumps({**problem.more, **body}, ensure_ascii=False).encode(errors="replace").decode()
    return {"statusCode": problem.status, "headers": headers, "body": text, "isBase64Encoded": False}


def _shown(fault: Fault) -> dict[str, str]:
    fields = {"where": fault.where, "message": fault.message, "found": fault.found, "expected": fault.expected}
    return {name: value for name, value in fields.items() if value is not None}


def of_validation(errors: Sequence[Mapping[str, Any]], known: Iterable[str] = ()) -> Problem:
    """What pydantic found wrong, as a problem. `known`: the body's own fields, for a hint at a misspelt one."""
    names = list(known)
    if any(error["type"] == "json_invalid" for error in errors):
        return Problem(400, "not-json", "the body is not JSON", Fault("", "is not JSON", expected="a JSON object"))
    faults = [_fault(error, names) for error in errors[:20]]
    detail = "; ".join(f"{fault.where or 'the body'}: {fault.message}" for fault in faults)
    return Problem(422, "invalid", detail, *faults)


def _fault(error: Mapping[str, Any], known: Sequence[str]) -> Fault:
    where = _where(error["loc"])
    if error["type"] == "missing":
        return Fault(where, "is missing", expected="a value")
    if error["type"] == "extra_forbidden":
        return Fault(where, "there is no such field", _short(error["loc"][-1]), _hint(error["loc"], known))
    message = "is no JSON object" if error["type"].startswith("model_") else str(error.get("msg", "is not valid"))
    message = message.removeprefix("Value error, ")
    secret = where.startswith(("/secret", "/credentials"))
    return Fault(where, message, None if secret else _short(error.get("input")), _expected(error))


def _where(loc: Sequence[str | int]) -> str:
    source, path = (loc[0], loc[1:]) if loc else ("body", ())
    if source == "body":
        return "".join("/" + str(step).replace("~", "~0").replace("/", "~1") for step in path)
    name = str(path[0]) if path else str(source)
    return {"query": f"?{name}", "path": f"{{{name}}}"}.get(str(source), name)


def _hint(loc: Sequence[str | int], known: Sequence[str]) -> str | None:
    if len(loc) != 2 or not known:
        return None
    near = difflib.get_close_matches(str(loc[1]), known, n=1)
    return f"perhaps {near[0]}" if near else "one of " + ", ".join(known)


def _expected(error: Mapping[str, Any]) -> str | None:
    """What pydantic knows of what would be right: bounds, patterns, the words there are."""
    bounds = {name: value for name, value in (error.get("ctx") or {}).items() if name in BOUNDS}
    return ", ".join(f"{BOUNDS[name]}{value}" for name, value in bounds.items()) or EXPECTED.get(error["type"])


def _short(value: Any) -> str:
    text = value if isinstance(value, str) else json.dumps(value, ensure_ascii=False, default=str)
    return text if len(text) <= LONGEST_FOUND else text[: LONGEST_FOUND - 1] + "…"
