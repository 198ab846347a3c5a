"""What a request definition may say: a JSON Schema (2020-12), and the checks that no schema can make."""

from collections.abc import Collection, Iterator, Mapping, Sequence
from functools import cache
from typing import Any

from vestnik.domain.market import definition_wire, expressions
from vestnik.domain.market.definitions import Definition
from vestnik.errors import Refused

TEXT = {"type": "string", "minLength": 1, "maxLength": 500}
EXPRESSION = {"type": "string", "minLength": 1, "maxLength": expressions.LONGEST}
NULLABLE = {"type": ["string", "null"], "minLength": 1, "maxLength": expressions.LONGEST}
DATE = {"type": ["string", "null"], "format": "date"}
STATUSES = {"type": "array", "items": {"type": "integer", "minimum": 100, "maximum": 599}, "minItems": 1}
CODES = {"type": "array", "items": {"type": "string"}, "minItems": 1}
STYLES = ["none", "cursor", "last_id", "next", "offset", "page_token", "cursor_object"]


def _object(required: Sequence[str], **properties: Any) -> dict[str, Any]:
    return {"type": "object", "additionalProperties": False, "required": list(required), "properties": properties}


SCHEMA: dict[str, Any] = _object(
    ["id", "purpose", "group", "title", "method", "host", "path"],
    id={"type": "string", "pattern": r"^[a-z_]+(\.[a-z0-9_]+)+$", "maxLength": 100},
    purpose={"type": "string", "pattern": r"^[a-z_]+(\.[a-z0-9_]+)+$", "maxLength": 80},
    group=TEXT,
    title=TEXT,
    source=TEXT,
    note=TEXT,
    version={"type": "integer", "minimum": 1},
    method={"enum": ["GET", "POST", "PUT", "PATCH", "DELETE"]},
    host={"type": "string", "format": "hostname"},
    path={"type": "string", "pattern": r"^/[!-~]*$", "not": {"pattern": "[?#]"}, "maxLength": 500},
    headers={"type": "object", "maxProperties": 20, "additionalProperties": {"type": "string", "maxLength": 500}},
    query={"type": "object", "maxProperties": 40, "additionalProperties": EXPRESSION},
    body=NULLABLE,
    when=EXPRESSION,
    writes={"type": "boolean"},
    raw={"type": "boolean"},
    paging=_object(
        ["style"],
        style={"enum": STYLES},
        limit={"type": "integer", "minimum": 1, "maximum": 1_000_000},
        next=EXPRESSION,
        more=EXPRESSION,
        total=EXPRESSION,
        short={"type": "boolean"},
        resumes={"type": "boolean"},
    ),
    batch=_object(
        [],
        rows={"type": "integer", "minimum": 1, "maximum": 100_000},
        bytes={"type": "integer", "minimum": 100},
        by={"type": "array", "items": TEXT},
        id=EXPRESSION,
    ),
    limits={"type": "array", "maxItems": 10, "items": _object(["bucket"], bucket=TEXT, cost=EXPRESSION)},
    success=_object([], status=STATUSES, when=EXPRESSION),
    outcomes=_object(
        ["items", "id", "ok"],
        items=EXPRESSION,
        id=EXPRESSION,
        ok=EXPRESSION,
        code=EXPRESSION,
        message=EXPRESSION,
        missing={"enum": ["ok", "failed"]},
    ),
    errors={
        "type": "array",
        "maxItems": 50,
        "items": _object(
            ["do"],
            status={"type": "integer"},
            statuses=STATUSES,
            code={"type": "string"},
            codes=CODES,
            rows=EXPRESSION,
            do={"enum": ["retry", "take-out", "park", "give-up", "gone", "ok"]},
            note=TEXT,
        ),
    },
    error=_object([], each=EXPRESSION, code=EXPRESSION, message=EXPRESSION),
    follow_up=_object(
        ["task", "purpose"],
        task=EXPRESSION,
        purpose=TEXT,
        every={"type": "integer", "minimum": 1},
        most={"type": "integer", "minimum": 1},
    ),
    read_back={"type": ["string", "null"]},
    items=NULLABLE,
    children=EXPRESSION,
    each=EXPRESSION,
    claims=_object(["credential", "answer"], credential=TEXT, answer=EXPRESSION),
    answer=NULLABLE,
    valid_from=DATE,
    valid_until=DATE,
    replaced_by={"type": ["string", "null"]},
)
SCHEMA["properties"]["errors"]["items"]["minProperties"] = 2

EXPRESSIONS = ("body", "when", "items", "answer", "children", "each")
INNER = {
    "paging": ("next", "more", "total"),
    "batch": ("id",),
    "success": ("when",),
    "outcomes": ("items", "id", "ok", "code", "message"),
    "error": ("each", "code", "message"),
    "claims": ("answer",),
    "follow_up": ("task",),
}
CREDENTIAL = "{credentials."


def check(
    definition: Definition,
    domains: Sequence[str],
    buckets: Mapping[str, Any],
    credentials: Collection[str] | None = None,
    purposes: Collection[str] | None = None,
) -> None:
    """Hold a definition against the schema and its marketplace. Refused names the JSON pointer and what is right.
    `credentials`: the names of those that an account has, `purposes`: those that there are requests for (None: any)."""
    _whole(definition)
    if definition["host"] not in domains:
        allowed = ", ".join(domains)
        raise Refused(f"the host may be one of {allowed}: credentials go nowhere else", code="host", where="/host")
    for where, expression in _expressions(definition):
        try:
            expressions.compiled(expression)
        except Refused as wrong:
            raise Refused(wrong.reason, code="expression", where=where) from None
    for n, limit in enumerate(definition.get("limits", ())):
        if limit["bucket"] not in buckets:
            known = ", ".join(sorted(buckets))
            raise Refused(f"there is no such bucket; there are {known}", code="bucket", where=f"/limits/{n}/bucket")
    _secrets_stay_in_headers(definition)
    definition_wire.check(definition, credentials)
    _pages_go_on(definition)
    _names_what_there_is(definition, credentials, purposes)


@cache
def _validator() -> Any:
    import jsonschema_rs

    return jsonschema_rs.validator_for(SCHEMA, validate_formats=True, offline=True)


def _whole(definition: Definition) -> None:
    error = next(iter(_validator().iter_errors(dict(definition))), None)
    if error is not None:
        where = "".join(f"/{str(part).replace('~', '~0').replace('/', '~1')}" for part in error.instance_path)
        raise Refused(error.message[:300], code="invalid-definition", where=where)


def _expressions(definition: Definition) -> Iterator[tuple[str, str]]:
    yield from ((f"/{name}", definition[name]) for name in EXPRESSIONS if definition.get(name))
    yield from ((f"/query/{name}", one) for name, one in definition.get("query", {}).items())
    for part, names in INNER.items():
        told = definition.get(part) or {}
        yield from ((f"/{part}/{name}", told[name]) for name in names if told.get(name))
    for n, limit in enumerate(definition.get("limits", ())):
        if "cost" in limit:
            yield f"/limits/{n}/cost", limit["cost"]
    for n, rule in enumerate(definition.get("errors", ())):
        if "rows" in rule:
            yield f"/errors/{n}/rows", rule["rows"]


def _secrets_stay_in_headers(definition: Definition) -> None:
    if CREDENTIAL in definition["path"]:
        raise Refused("credentials may stand in headers only", code="credentials", where="/path")


def _pages_go_on(definition: Definition) -> None:
    paging = definition.get("paging") or {"style": "none"}
    if paging["style"] not in ("none", "offset") and "next" not in paging:
        raise Refused(
            f"paging by {paging['style']} needs `next`, where its token stands", code="paging", where="/paging"
        )
    if paging["style"] != "none" and "limit" not in paging:
        raise Refused("pages need a `limit`, how many items each has", code="paging", where="/paging")


def _names_what_there_is(
    definition: Definition, credentials: Collection[str] | None, purposes: Collection[str] | None
) -> None:
    told = {
        "/read_back": (definition.get("read_back"), "request for", purposes),
        "/follow_up/purpose": (definition.get("follow_up", {}).get("purpose"), "request for", purposes),
        "/claims/credential": (definition.get("claims", {}).get("credential"), "credential", credentials),
    }
    for where, (name, what, known) in told.items():
        if name is not None and known is not None and name not in known:
            there = ", ".join(sorted(known))[:300]
            raise Refused(f"there is no {what} {name!r}; there are {there}", code="invalid-definition", where=where)
