"""What a definition puts on the wire, and what it costs: headers, path and cost that a call can carry.

What can be known when a definition is written is refused then, by its place; what an expression comes to, when it does.
"""

import re
from collections.abc import Collection, Iterator, Mapping
from typing import Any

from vestnik.domain.market import expressions
from vestnik.errors import Refused

KNOWN = ("account", "given", "rows", "page", "now")
"""What the expressions that write a call may see."""
NAME = re.compile(r"[!#$%&'*+.^_`|~0-9A-Za-z-]+")  # RFC 9110, 5.6.2
VALUE = re.compile(r"[\t\x20-\x7e]*")
OURS = frozenset(
    [
        "accept",
        "accept-encoding",
        "connection",
        "content-encoding",
        "content-length",
        "content-type",
        "expect",
        "host",
        "keep-alive",
        "proxy-authenticate",
        "proxy-authorization",
        "proxy-connection",
        "te",
        "trailer",
        "transfer-encoding",
        "upgrade",
        "user-agent",
    ]
)
"""Headers that are of the connection, or that every call has from us."""
CREDENTIAL = re.compile(r"\{credentials\.([A-Za-z0-9_]+)\}")
MOST_COST = 100_000
BARE: dict[str, Any] = {"account": {"settings": {}}, "given": {}, "rows": [], "page": {}, "now": None}


def check(definition: Mapping[str, Any], credentials: Collection[str] | None) -> None:
    """Refuse what no call can carry, by JSON pointer. `credentials`: the names that its marketplace has (None: any)."""
    for name, value in definition.get("headers", {}).items():
        _header(name, value, f"/headers/{_pointer(name)}", credentials)
    _path(definition["path"])
    for where, expression in _written_by(definition):
        _sees(expression, where)
    for n, limit in enumerate(definition.get("limits", ())):
        if "cost" in limit:
            _cost(limit, f"/limits/{n}/cost")


def _header(name: str, value: str, where: str, credentials: Collection[str] | None) -> None:
    if not NAME.fullmatch(name):
        raise Refused("no header has such a name", code="invalid-definition", where=where)
    if name.lower() in OURS:
        raise Refused(f"{name} is written by us, or by the connection", code="invalid-definition", where=where)
    if not VALUE.fullmatch(value):
        raise Refused("a header is one line of ASCII", code="invalid-definition", where=where)
    if "{" in CREDENTIAL.sub("", value):
        raise Refused("between braces stands a credential: {credentials.name}", code="invalid-definition", where=where)
    for named in CREDENTIAL.findall(value):
        if credentials is not None and named not in credentials:
            known = ", ".join(sorted(credentials))
            raise Refused(f"there is no credential {named!r}; there are {known}", code="credentials", where=where)


def _path(path: str) -> None:
    for piece in path.split("{")[1:]:
        name, closed, rest = piece.partition("}")
        if not closed or "}" in rest:
            raise Refused("its braces do not match", code="expression", where="/path")
        try:
            expressions.compiled(name)
        except Refused as wrong:
            raise Refused(wrong.reason, code="expression", where="/path") from None
        _sees(name, "/path")


def _written_by(definition: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    """The expressions that write the call itself."""
    if definition.get("body"):
        yield "/body", definition["body"]
    yield from ((f"/query/{_pointer(name)}", one) for name, one in definition.get("query", {}).items())


def _sees(expression: str, where: str) -> None:
    strange = sorted(expressions.roots(expression) - set(KNOWN))
    if strange:
        raise Refused(f"there is no {strange[0]!r}; there are {', '.join(KNOWN)}", code="expression", where=where)


def _cost(limit: Mapping[str, Any], where: str) -> None:
    """Where it depends on nothing it can be known; else it is looked at when the call is made."""
    _sees(limit["cost"], where)
    if not expressions.roots(limit["cost"]):
        try:
            cost(limit, BARE)
        except Refused as wrong:
            raise Refused(wrong.reason, code=wrong.code, where=where) from None


def cost(limit: Mapping[str, Any], document: Mapping[str, Any]) -> int:
    """What a call takes from a bucket: 1 where nothing is told, or it comes to nothing. Refused `expression`."""
    found = expressions.value(limit.get("cost"), document)
    if found is None or found == 0:
        return 1
    whole = isinstance(found, int | float) and not isinstance(found, bool) and 0 < found <= MOST_COST
    if not whole or found != int(found):
        raise Refused(f"a call costs 1 to {MOST_COST}, in whole numbers", code="expression", where="/limits")
    return int(found)


def header(name: str, value: str) -> str:
    """A header's value as it goes out. Refused `credentials` where what was filled in is not of one line of ASCII,
    `invalid-definition` where no header has such a name (it was kept before that was looked at)."""
    if not NAME.fullmatch(name):
        raise Refused("no header has such a name", code="invalid-definition", where="/headers")
    if not VALUE.fullmatch(value):
        raise Refused(f"the credentials that {name} is made of are no line of ASCII", code="credentials")
    return value


def _pointer(name: str) -> str:
    return name.replace("~", "~0").replace("/", "~1")
