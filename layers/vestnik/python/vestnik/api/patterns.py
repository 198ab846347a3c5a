"""Patterns: try one before a rule has it."""

from typing import Any, Literal

from pydantic import Field

from vestnik.api._models import Model
from vestnik.api._problems import Fault, Problem
from vestnik.api._routes import Router, needs, request
from vestnik.domain import patterns
from vestnik.errors import Refused

router = Router()

BODY: dict[str, Any] = {
    "application/json": {
        "schema": {
            "type": "object",
            "properties": {
                "pattern": {
                    "description": "The pattern: an object, or its JSON text. It is judged as written.",
                    "anyOf": [{"type": "object"}, {"type": "string"}],
                },
                "event": {
                    "description": "The facts to try it on: an object, or its JSON text. Null, as if it were absent.",
                    "anyOf": [{"type": "object"}, {"type": "string"}, {"type": "null"}],
                },
            },
            "required": ["pattern"],
            "additionalProperties": False,
        },
        "examples": {
            "match": {"value": {"pattern": {"order": {"status": ["new"]}}, "event": {"order": {"status": "new"}}}},
            "valid": {"value": {"pattern": {"order": {"total": {"amount": [{"numeric": [">=", 10000]}]}}}}},
        },
    }
}


class Verdict(Model):
    """What the pattern says of the event; without an event, that the pattern is valid."""

    result: Literal["match", "nomatch", "valid"] = Field(description="`valid` where no event was given.")


@router.post("/patterns/test")
@needs("read", pure=True, raw=("application/json",), content=BODY)
def test_pattern() -> Verdict:
    """Try a pattern on an event.

    The EventBridge pattern language. Pattern and event are judged as written: doubled keys and the spelling of
    numbers count, as they do in EventBridge.
    """
    given = _read()
    try:
        return Verdict(result=patterns.test(given["pattern"], given.get("event")))
    except Refused as refused:
        part = "event" if refused.code == "invalid-event" else "pattern"
        fault = Fault(f"/{part}{refused.where}", refused.reason)
        raise Problem(422, refused.code, refused.reason, fault) from None


def _read() -> dict[str, Any]:
    try:
        given = patterns.read_written(request().body.decode())
    except UnicodeDecodeError:
        raise _not_json("it is not UTF-8") from None
    except Refused as refused:
        raise _not_json(refused.reason) from None
    _check(given)
    return given


def _check(given: dict[str, Any]) -> None:
    if unknown := given.keys() - {"pattern", "event"}:
        where = sorted(unknown)[0]
        raise Problem(422, "invalid", "", Fault(f"/{where[:80]}", "there is no such field", expected="pattern, event"))
    if "pattern" not in given:
        raise Problem(422, "invalid", "there is no pattern", Fault("/pattern", "is missing", expected="an object"))
    if not isinstance(given["pattern"], str | patterns.Pairs):
        fault = Fault("/pattern", "is no JSON object", expected="an object, or its JSON text")
        raise Problem(422, "invalid-pattern", "a pattern is a JSON object", fault)


def _not_json(reason: str) -> Problem:
    return Problem(400, "not-json", reason, Fault("", reason, expected="a JSON object in UTF-8"))


test_pattern.__test__ = False  # type: ignore[attr-defined]  # pytest would collect it by its name
