"""Request definitions: a call to a marketplace as data, how it is written for the wire, and how its answer is read."""

import base64
import json
import zlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any
from urllib.parse import urlencode

from vestnik.domain.market import expressions
from vestnik.domain.market.expressions import Json
from vestnik.errors import Refused

Definition = Mapping[str, Any]
READS = ("list", "read", "get", "new", "statuses", "check", "details", "fbo", "all", "reasons", "orders", "points")
EXPECTED_STATUSES = (200, 201, 202, 204)


@dataclass(frozen=True, slots=True)
class Rendered:
    """A call as it goes on the wire, but for the credentials. `target`: path and query."""

    method: str
    host: str
    target: str
    headers: dict[str, str]
    content: Json

    @property
    def body(self) -> bytes:
        """The body's bytes; none where there is no body. Refused `expression` where JSON cannot say it."""
        if self.content is None:
            return b""
        try:
            text = json.dumps(self.content, ensure_ascii=False, separators=(",", ":"), allow_nan=False)
            return text.encode()
        except (ValueError, TypeError, RecursionError):
            raise Refused("what the body comes to is no JSON", code="expression", where="/body") from None


@dataclass(frozen=True, slots=True)
class Outcome:
    """What became of one row. `again`: it may go once more; a row that is neither `ok` nor `again` was refused."""

    ok: bool
    again: bool = False
    code: str = ""
    message: str = ""


@dataclass(frozen=True, slots=True)
class Verdict:
    """What an answer means. `do`: ok, retry, park, take-out, give-up, gone."""

    do: str
    code: str = ""
    message: str = ""
    outcomes: dict[str, Outcome] = field(default_factory=dict)


def mark(definition: Definition) -> str:
    """A short word for what a definition says, another for each."""
    return f"{zlib.crc32(json.dumps(dict(definition), sort_keys=True).encode()):08x}"


def writes(definition: Definition) -> bool:
    """Whether the call changes something there: a lost answer then leaves a doubt."""
    told = definition.get("writes")
    return told if isinstance(told, bool) else definition["purpose"].rpartition(".")[2] not in READS


def rendered(definition: Definition, document: Mapping[str, Any]) -> Rendered:
    """The call that a definition makes of `document` {account, given, rows, page, now}. Refused `expression`."""
    query = {name: expressions.value(one, document) for name, one in definition.get("query", {}).items()}
    asked = _query([(k, expressions.plain(one)) for k, v in query.items() for one in _each(v)])
    path = expressions.filled(definition["path"], document, quoted=True)
    body = expressions.value(definition.get("body"), document)
    return Rendered(
        definition["method"],
        definition["host"],
        f"{path}?{asked}" if asked else path,
        dict(definition.get("headers", {})),
        None if body is None else expressions.tidy(body),
    )


def _query(pairs: Sequence[tuple[str, str]]) -> str:
    try:
        return urlencode(pairs)
    except UnicodeEncodeError:
        raise Refused("the query has text that is none", code="expression", where="/query") from None


def _each(found: Json) -> Sequence[Json]:
    if found is None:
        return ()
    return found if isinstance(found, list) else (found,)


def _all(expression: str | None, content: Json) -> Sequence[Json]:
    """The list that an expression finds; nothing where it finds none. An answer need not be what it was."""
    found = expressions.value(expression, content)
    return found if isinstance(found, list) else ()


def row_id(definition: Definition, row: Mapping[str, Any]) -> str:
    """What a row is called in the outcomes."""
    return expressions.plain(expressions.value(definition.get("batch", {}).get("id", "unit"), row))


def judged(definition: Definition, status: int, content: Json, rows: Sequence[str], too_many: Sequence[int]) -> Verdict:
    """What an answer means for the call and for each of its rows (by their ids)."""
    success = definition.get("success", {})
    faults = _faults(definition, status, content)
    if not any(fault.rule for fault in faults):
        if status in success.get("status", EXPECTED_STATUSES) and _holds(success, content):
            return Verdict("ok", outcomes=_outcomes(definition, content, rows))
        faults = [replace(faults[0], do=_usual(status, too_many))]
    if all(fault.do == "ok" for fault in faults):
        return Verdict("ok", outcomes=dict.fromkeys(rows, Outcome(True)))
    named = _named(faults, rows)
    if named or faults[0].do == "take-out":
        return _taken_out(faults[0], named, rows)
    first = faults[0]
    outcome = Outcome(False, first.do in ("retry", "park"), first.code, first.message)
    return Verdict(first.do, first.code, first.message, dict.fromkeys(rows, outcome))


@dataclass(frozen=True, slots=True)
class _Fault:
    """One thing that an answer complains of, and the rule that suits it. `rows`: those that it names."""

    do: str
    code: str
    message: str
    rule: bool = False
    rows: frozenset[str] = frozenset()


def _faults(definition: Definition, status: int, content: Json) -> list[_Fault]:
    """What an answer complains of: one thing, or each of a list (`error.each`)."""
    told = definition.get("error", {})
    each = expressions.value(told["each"], content) if "each" in told and content is not None else None
    return [_fault(definition, told, status, one) for one in (each if isinstance(each, list) and each else [content])]


def _fault(definition: Definition, told: Mapping[str, Any], status: int, one: Json) -> _Fault:
    code, message = (_word(expressions.value(told.get(name, name), one)) for name in ("code", "message"))
    rule = _rule(definition, status, code)
    if rule is None:
        return _Fault("give-up", code or str(status), message)
    rows = frozenset(_word(row) for row in _all(rule.get("rows"), one))
    return _Fault(rule["do"], code or str(status), message, True, rows)


def _named(faults: Sequence[_Fault], rows: Sequence[str]) -> dict[str, Outcome]:
    """The rows that the faults name, each with what is to become of it."""
    return {
        row: Outcome(fault.do == "ok", fault.do in ("retry", "park"), fault.code, fault.message)
        for fault in faults
        for row in rows
        if row in fault.rows
    }


def _holds(success: Mapping[str, Any], content: Json) -> bool:
    return "when" not in success or bool(expressions.value(success["when"], content))


def _word(found: Json) -> str:
    return "" if found is None else expressions.plain(found)[:500]


def _rule(definition: Definition, status: int | None, code: str) -> Mapping[str, Any] | None:
    """The first rule that suits; for a row (`status` None) those that name a code alone."""
    for rule in definition.get("errors", ()):
        statuses, codes = _listed(rule, "status"), _listed(rule, "code")
        if (statuses and status not in statuses) or (codes and code not in codes):
            continue
        found: Mapping[str, Any] = rule
        return found
    return None


def advice(definition: Definition, status: int | None, code: str) -> str | None:
    """What the definition says to a person about an error (`status` None: of a row); None where it says nothing."""
    note: str | None = (_rule(definition, status, code) or {}).get("note")
    return note


def _listed(rule: Mapping[str, Any], name: str) -> Sequence[Any]:
    found = rule.get(name, rule.get({"status": "statuses", "code": "codes"}[name], ()))
    return found if isinstance(found, list | tuple) else (found,)


def _usual(status: int, too_many: Sequence[int]) -> str:
    if status in too_many:
        return "park"
    if status in (408, 425) or status >= 500:
        return "retry"
    return "give-up"


def _outcomes(definition: Definition, content: Json, rows: Sequence[str]) -> dict[str, Outcome]:
    """The outcome of each row; what the answer does not name is as `missing` says (ok unless told)."""
    told = definition.get("outcomes")
    if told is None:
        return dict.fromkeys(rows, Outcome(True))
    found = {_word(expressions.value(told["id"], one)): one for one in _all(told["items"], content)}
    rest = Outcome(True) if told.get("missing", "ok") == "ok" else Outcome(False, True, "missing", "not in the answer")
    return {id: _outcome(definition, told, found[id]) if id in found else rest for id in rows}


def _outcome(definition: Definition, told: Mapping[str, Any], one: Json) -> Outcome:
    if expressions.value(told["ok"], one):
        return Outcome(True)
    code, said = _word(expressions.value(told.get("code"), one)), _word(expressions.value(told.get("message"), one))
    rule = _rule(definition, None, code)
    do = rule["do"] if rule else "take-out"
    return Outcome(do == "ok", do in ("retry", "park"), code, said)


def _taken_out(fault: _Fault, named: dict[str, Outcome], rows: Sequence[str]) -> Verdict:
    """The named rows are refused, the others may go again without them; where none is named, nobody knows which."""
    if not named and len(rows) == 1:
        named = {rows[0]: Outcome(False, False, fault.code, fault.message)}
    again = Outcome(False, True, fault.code, fault.message)
    outcomes = {row: named.get(row, again) for row in rows}
    return Verdict("take-out" if named else "halve", fault.code, fault.message, outcomes)


def items(definition: Definition, content: Json, shared: Mapping[str, Any] | None = None) -> list[dict[str, Any]]:
    """The things that an answer lists, in our form; with `raw` where the definition keeps it. `shared`: what the rows
    asked for had in common (a warehouse in the path), for answers that do not say it again."""
    try:
        walked = _walk(listed(definition, content), definition.get("children"), None)
    except RecursionError:
        raise Refused(f"the children of {definition['id']} have no end", code="mapping", where="children") from None
    parts = ((one, parent, part) for one, parent in walked for part in _parts(definition, one))
    return [{**(shared or {}), **_mapped(definition, *one)} for one in parts if one[0] is not None]


def listed(definition: Definition, content: Json) -> list[Json]:
    """The things that an answer lists, as they are there."""
    told = definition.get("items", None)
    found = expressions.value(told, content) if told else content
    return found if isinstance(found, list) else [found]


def _parts(definition: Definition, one: Json) -> Sequence[Json]:
    """What one thing of the answer is opened into (`each`: a card's sizes); where that is not told, one of nothing."""
    return _all(definition["each"], one) if "each" in definition else (None,)


def _walk(found: Sequence[Json], children: str | None, parent: Json) -> Sequence[tuple[Json, Json]]:
    out: list[tuple[Json, Json]] = []
    for one in found:
        out.append((one, parent))
        inner = _all(children, one) if children else ()
        out += _walk(inner, children, one) if inner else []
    return out


def _mapped(definition: Definition, one: Json, parent: Json, part: Json) -> dict[str, Any]:
    answer = definition.get("answer")
    beside = ({"parent": parent} if definition.get("children") else {}) | (
        {"part": part} if "each" in definition else {}
    )
    document = {**one, **beside} if isinstance(one, dict) and beside else one
    mapped = expressions.tidy(expressions.value(answer, document)) if answer else one
    if not isinstance(mapped, dict):
        raise Refused(f"the mapping of {definition['id']} makes no object", code="mapping", where="answer")
    return {**mapped, "raw": one} if definition.get("raw") else mapped


def claimed(definition: Definition, credentials: Mapping[str, str]) -> dict[str, Any]:
    """What a credential that is a JSON Web Token says of itself (RFC 7519; its signature is its issuer's concern);
    nothing where the definition asks for none or it is no such token."""
    told = definition.get("claims")
    payload = credentials.get(told["credential"], "").split(".")[1:2] if told else []
    if not told or not payload:
        return {}
    try:
        said = json.loads(base64.urlsafe_b64decode(payload[0] + "=" * (-len(payload[0]) % 4)))
    except ValueError:
        return {}
    found = expressions.tidy(expressions.value(told["answer"], said))
    return found if isinstance(found, dict) else {}


def following(definition: Definition, content: Json, page: Mapping[str, Any], count: int) -> Json:
    """The cursor of the next page (an offset where pages go by offset); None where this was the last."""
    paging = definition.get("paging") or {"style": "none"}
    if paging["style"] == "none":
        return None
    if "more" in paging and not expressions.value(paging["more"], content):
        return None
    if paging.get("short") and count < page["limit"]:
        return None
    if paging["style"] == "offset":
        return page["offset"] + page["limit"] if count else None
    return _next(definition, content)


def place(definition: Definition, content: Json) -> Json:
    """Where a later run begins, in a list that is ordered by change (`resumes`): behind this page, be it the last."""
    resumes = (definition.get("paging") or {}).get("resumes")
    return _next(definition, content) if resumes else None


def _next(definition: Definition, content: Json) -> Json:
    paging = definition.get("paging") or {}
    found = expressions.value(paging.get("next"), content)
    empty = isinstance(found, dict) and not any(found.values())
    return None if empty else found or None
