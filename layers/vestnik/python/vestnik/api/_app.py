"""One request from the gateway to its answer: who asks, which route, may they, is the body sound, was it said before.

The routing table, the validation and the building of answers are the resolver's (Powertools); what comes before a
route is done here, in this order, so that nothing is read or written for a caller without the scope.
"""

import base64
import binascii
import json
import re
import threading
from functools import cache
from typing import Any
from urllib.parse import parse_qsl, unquote

from aws_lambda_powertools.event_handler.api_gateway import APIGatewayHttpResolver, Response, Route
from aws_lambda_powertools.event_handler.openapi.exceptions import RequestValidationError

from vestnik import api, plugins, resources
from vestnik.api import _repeats, _routes
from vestnik.api._problems import Fault, Problem, of_delay, of_refusal, of_validation, reply
from vestnik.domain import nesting
from vestnik.errors import Later, Refused

BASE = "/v1"
ELSEWHERE = {"/v1/events": {"POST"}}  # methods that other doors serve
UTC_TIME = re.compile(r'(?<!\\)"(\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(?:\.\d+)?)\+00:00"')
"""A time in an answer, of those that are kept as Python writes them: all are told in one form, with `Z`."""
_one_at_a_time = threading.RLock()  # the resolver keeps the request in class variables


class Resolver(APIGatewayHttpResolver):
    """The resolver, with parts of a path that may hold slashes (an order's id can), longest path first."""

    @staticmethod
    def _compile_regex(rule: str, base_regex: str = "^{}$") -> re.Pattern[str]:
        return re.compile(base_regex.format(re.sub(r"<(\w+)>", r"(?P<\1>.+)", rule)), re.DOTALL)

    @property
    def routes(self) -> list[Route]:
        """The routes in the order in which they are tried."""
        return [*self._static_routes, *self._dynamic_routes]

    def settle(self) -> None:
        """Put the most specific routes first, and give each the name and summary of its function."""
        self._dynamic_routes.sort(key=lambda route: -len(re.sub(r"<\w+>", "", route.path)))
        for route in self.routes:
            _routes.needs_of(route.func)
            route.operation_id = route.func.__name__
            route.summary, _, about = (route.func.__doc__ or "").strip().partition("\n\n")
            route.description = about or None


def build(*names: str) -> Resolver:
    """The API of some resources, by file name."""
    app = Resolver(enable_validation=True)
    app.exception_handler([Problem, Refused, Later, RequestValidationError])(lambda error: _told(app, error))
    for name in names:
        module = plugins.load(api, name)
        if module is not None:
            app.include_router(module.router, prefix=BASE)
    app.settle()
    return app


@cache
def _names() -> frozenset[str]:
    return frozenset(plugins.names(api))


@cache
def _resource(name: str) -> Resolver:
    return build(name)


def answer(event: dict[str, Any], context: Any) -> dict[str, Any]:
    """Answer one request (payload 2.0). A bug is raised: the gateway says 500, and the alarm rings."""
    try:
        with _one_at_a_time:
            return _tidy(_answer(event, context))
    except Problem as problem:
        return reply(problem)
    except Refused as refused:
        return reply(of_refusal(refused))
    except Later as later:
        return reply(of_delay(later))


def _answer(event: dict[str, Any], context: Any) -> dict[str, Any]:
    request = _request(event)
    app, route = _find(request.method, request.path)
    wanted = _routes.needs_of(route.func)
    _check_scope(request.caller, wanted.scope)
    _check_query(event, route)
    _check_body(request, wanted, route)
    token = _routes.current.set(request)
    try:
        if request.method != "POST" or wanted.pure:
            return app.resolve(_clean(event, request), context)
        query = event.get("rawQueryString", "")
        return _repeats.once(
            request, query, wanted, resources.now(), lambda: app.resolve(_clean(event, request), context)
        )
    finally:
        _routes.current.reset(token)


def _request(event: dict[str, Any]) -> _routes.Request:
    found = event["requestContext"]["authorizer"]["lambda"]
    caller = _routes.Caller(found["shop"], found["key"], frozenset(found["scopes"].split()))
    headers = {name.lower(): value for name, value in (event.get("headers") or {}).items()}
    return _routes.Request(
        caller=caller,
        method=event["requestContext"]["http"]["method"].upper(),
        path=_path(event),
        headers=headers,
        content_type=headers.get("content-type", "").partition(";")[0].strip().lower(),
        body=_body(event),
    )


def _path(event: dict[str, Any]) -> str:
    """The path, decoded: the gateway hands some over decoded and some not, and cuts `rawPath` off at a decoded `?`."""
    proxy = (event.get("pathParameters") or {}).get("proxy")
    if proxy is not None:
        return unquote(f"{BASE}/{proxy}")
    path, stage = event["rawPath"], event["requestContext"].get("stage", "$default")
    return unquote(path if stage == "$default" else path.removeprefix(f"/{stage}"))


def _body(event: dict[str, Any]) -> bytes:
    text = event.get("body") or ""
    if not event.get("isBase64Encoded"):
        return str(text).encode(errors="replace")
    try:
        return base64.b64decode(text)
    except (binascii.Error, ValueError):
        raise Problem(400, "not-json", "the body could not be read") from None


def _find(method: str, path: str) -> tuple[Resolver, Route]:
    """The route of a request. Raises Problem 404 or 405."""
    name = path.removeprefix(f"{BASE}/").partition("/")[0]
    known = path.startswith(f"{BASE}/") and "_" not in name and name.replace("-", "_") in _names()
    app = _resource(name.replace("-", "_")) if known else None
    fitting = [route for route in app.routes if route.rule.match(path)] if app else []
    # The first is the most specific: `PUT /rules/x/versions` is no rule of the name `x/versions`.
    fitting = [route for route in fitting if route.path == fitting[0].path]
    for route in fitting:
        if route.method == method:
            assert app is not None
            return app, route
    if not fitting:
        raise Problem(404, "no-such-path", f"there is nothing at {path[:100]}")
    allowed = ", ".join(sorted({route.method for route in fitting} | ELSEWHERE.get(path, set())))
    raise Problem(405, "method-not-allowed", f"this path takes {allowed}", headers={"Allow": allowed})


def _check_scope(caller: _routes.Caller, scope: str) -> None:
    if not caller.may(scope):
        detail = f"this needs a key with the scope {scope}; this key has {' '.join(sorted(caller.scopes)) or 'none'}"
        fault = Fault("Authorization", f"the key has not the scope {scope}", expected=scope)
        raise Problem(403, "missing-scope", detail, fault)


def _check_query(event: dict[str, Any], route: Route) -> None:
    known = {param.alias for param in route.dependant.query_params}
    given = parse_qsl(event.get("rawQueryString") or "", keep_blank_values=True)
    unknown = sorted({name for name, _ in given} - known)
    if unknown:
        expected = "one of " + ", ".join(sorted(known)) if known else "no parameters"
        faults = [Fault(f"?{name[:40]}", "there is no such parameter", expected=expected) for name in unknown[:5]]
        raise Problem(422, "unknown-parameter", f"there is no parameter {unknown[0][:40]}", *faults)


def _check_body(request: _routes.Request, wanted: _routes.Needs, route: Route) -> None:
    if len(request.body) > wanted.largest:
        detail = f"the body has {len(request.body)} bytes; at most {wanted.largest} fit here"
        raise Problem(413, "too-big", detail)
    if not (wanted.raw or route.dependant.body_params):
        return  # a body that nobody reads does no harm
    if request.body and not _type_fits(request.content_type, wanted.raw):
        expected = " or ".join(wanted.raw) or "application/json"
        fault = Fault("Content-Type", "is not taken here", request.content_type[:80], expected)
        raise Problem(415, "unsupported-media-type", f"this takes {expected}", fault)
    if request.content_type != "text/csv":
        nesting.check(request.body)
    if request.body and not wanted.raw:
        _sound(request.body)


def _type_fits(found: str, raw: tuple[str, ...]) -> bool:
    if raw:
        return not found or found in raw
    return not found or found == "application/json" or (found.startswith("application/") and found.endswith("+json"))


def _sound(body: bytes) -> None:
    """Refuse what Python's reader takes or breaks on, and JSON, a table or a client does not."""
    try:
        text = json.loads(body.decode(), parse_constant=_no_number, parse_float=_finite)
        json.dumps(text, ensure_ascii=False).encode()
    except RecursionError:
        raise nesting.refusal() from None
    except ValueError as error:
        reason = _reason(error)
        fault = Fault("", f"is not JSON: {reason}", expected="JSON text in UTF-8")
        raise Problem(400, "not-json", f"the body is not JSON: {reason}", fault) from None


def _reason(error: ValueError) -> str:
    if isinstance(error, UnicodeDecodeError):
        return "it is not UTF-8"
    return "it holds half a character (a lone surrogate)" if isinstance(error, UnicodeEncodeError) else str(error)[:200]


def _no_number(name: str) -> float:
    raise ValueError(f"{name} is not a JSON number")


def _finite(text: str) -> float:
    number = float(text)
    if number in (float("inf"), float("-inf")):
        raise ValueError("a number is too large")
    return number


def _clean(event: dict[str, Any], request: _routes.Request) -> dict[str, Any]:
    """The event as the resolver reads it without stumbling: path and body decoded, one content type."""
    headers = {**request.headers, "content-type": "application/json"}
    context = {**event["requestContext"], "stage": "$default"}
    body = request.body.decode(errors="replace")
    clean = {"rawPath": request.path, "headers": headers, "body": body, "isBase64Encoded": False}
    return {**event, **clean, "requestContext": context}


def _told(app: Resolver, error: Exception) -> Response[str]:
    said = reply(_problem(app, error))
    return Response(said["statusCode"], body=said["body"], headers=said["headers"])


def _problem(app: Resolver, error: Exception) -> Problem:
    match error:
        case Problem():
            return error
        case Refused():
            return of_refusal(error)
        case Later():
            return of_delay(error)
        case RequestValidationError():
            return of_validation(error.errors(), _fields(app))
    raise error


def _fields(app: Resolver) -> list[str]:
    """The fields of the body that the route under way takes."""
    bodies = app.context["_route"].dependant.body_params
    fields = getattr(bodies[0].field_info.annotation, "model_fields", {}) if bodies else {}
    return [field.alias or name for name, field in fields.items()]


def _tidy(said: dict[str, Any]) -> dict[str, Any]:
    if said["statusCode"] == 204:
        return {"statusCode": 204, "headers": {}, "body": "", "isBase64Encoded": False}
    headers = {"Cache-Control": "no-store", **said["headers"]}
    return {**said, "headers": headers, "body": _in_utc(said)}


def _in_utc(said: dict[str, Any]) -> Any:
    """The body, with its times in one form."""
    body = said.get("body")
    if (
        not isinstance(body, str)
        or said.get("isBase64Encoded")
        or "json" not in said["headers"].get("Content-Type", "")
    ):
        return body
    return UTC_TIME.sub(r'"\1Z"', body)
