"""API Gateway's HTTP API: routes of the map, the authorizer with its cache, payload format 2.0.

Source: API Gateway developer guide, "Working with HTTP APIs" (routes, Lambda authorizers, Lambda integrations). What
it leaves open was measured by others on the real thing: the path arrives decoded and the query does not; a body is
text only for text/* and application/json, xml, javascript, and base64 for all else.
"""

import base64
import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any
from urllib.parse import parse_qsl, unquote

from infra.world.account import REGION
from infra.world.clock import Clock
from infra.world.doors import Doors, Failed
from vestnik import topology

LARGEST_REQUEST = 10 * 1024 * 1024
LARGEST_EVENT = 6 * 1024 * 1024
KEEP_IDENTITY = timedelta(seconds=60)
TEXT = re.compile(r"text/.*|application/(json|xml|javascript)")
MESSAGES = {
    401: "Unauthorized",
    403: "Forbidden",
    404: "Not Found",
    413: "Request Entity Too Large",
    500: "Internal Server Error",
    503: "Service Unavailable",
}


@dataclass(frozen=True, slots=True)
class Request:
    """A request as it came: `path` still encoded, `headers` by lower-case name."""

    method: str
    path: str
    query: str
    headers: Mapping[str, str]
    body: bytes
    source_ip: str = "127.0.0.1"


@dataclass(frozen=True, slots=True)
class Response:
    """An answer. `headers` by lower-case name."""

    status: int
    headers: dict[str, str]
    body: bytes

    def json(self) -> Any:
        """The body read as JSON."""
        return json.loads(self.body)

    @property
    def text(self) -> str:
        """The body read as text."""
        return self.body.decode()


@dataclass(frozen=True, slots=True)
class Route:
    """A route of the map and the function behind it."""

    function: str
    http: topology.Http
    pattern: re.Pattern[str]

    @property
    def key(self) -> str:
        """The route key, as in AWS."""
        return f"{self.http.method} {self.http.path}"

    @property
    def rank(self) -> tuple[bool, int, bool]:
        """Less is more specific: no greedy variable, few variables, a method of its own."""
        return ("+}" in self.http.path, self.http.path.count("{"), self.http.method == "ANY")


def routes(functions: Mapping[str, topology.Function]) -> list[Route]:
    """The HTTP routes of the map, the most specific first."""
    found = [
        Route(function.name, wake, _pattern(wake.path))
        for function in functions.values()
        for wake in function.wakes
        if isinstance(wake, topology.Http)
    ]
    return sorted(found, key=lambda route: route.rank)


def _pattern(path: str) -> re.Pattern[str]:
    greedy = re.sub(r"\\{(\w+)\\\+\\}", r"(?P<\1>.+)", re.escape(path))
    return re.compile(re.sub(r"\\{(\w+)\\}", r"(?P<\1>[^/]+)", greedy))


def refusal(status: int) -> Response:
    """The gateway's own answer, in its own words."""
    body = json.dumps({"message": MESSAGES[status]}, separators=(",", ":")).encode()
    return Response(status, {"content-type": "application/json"}, body)


class HttpApi:
    """Takes requests to the doors of the map."""

    def __init__(self, functions: Mapping[str, topology.Function], doors: Doors, clock: Clock) -> None:
        self._routes = routes(functions)
        self._authorizer = next((f.name for f in functions.values() if f.authorizer), None)
        self._doors, self._clock = doors, clock
        self._identities: dict[str, tuple[datetime, dict[str, Any]]] = {}
        self._count = 0

    def handle(self, request: Request) -> Response:
        """Answer a request: by a door, or in the gateway's own words (401, 403, 404, 413, 500, 503)."""
        route, found = self._match(request)
        if route is None or found is None:
            return refusal(404)
        event = self._event(request, route, found)
        if not route.http.open:
            who = self._identify(request, event)
            if isinstance(who, Response):
                return who
            event["requestContext"]["authorizer"] = {"lambda": who}
        if len(request.body) > LARGEST_REQUEST or len(event.get("body") or "") > LARGEST_EVENT:
            return refusal(413)
        return self._answer(route, event)

    def _match(self, request: Request) -> tuple[Route, re.Match[str]] | tuple[None, None]:
        for route in self._routes:
            if route.http.method in (request.method, "ANY") and (found := route.pattern.fullmatch(request.path)):
                return route, found
        return None, None

    def _answer(self, route: Route, event: dict[str, Any]) -> Response:
        try:
            return _response(self._doors.call(route.function, event))
        except Failed as failed:
            return refusal(503 if failed.timed_out else 500)
        except (KeyError, TypeError, ValueError):
            return refusal(500)

    def _identify(self, request: Request, event: dict[str, Any]) -> dict[str, Any] | Response:
        """What the authorizer says of the caller: its context, or the gateway's refusal. Kept for a minute."""
        key = request.headers.get("authorization", "")
        if not key:
            return refusal(401)
        until, answer = self._identities.get(key, (None, {}))
        if until is None or until <= self._clock.now():
            try:
                answer = self._doors.call(self._authorizer or "", _authorizer_event(event, key))
            except Failed:
                return refusal(500)
            self._identities[key] = (self._clock.now() + KEEP_IDENTITY, answer)
        return answer.get("context") or {} if answer.get("isAuthorized") else refusal(403)

    def forget(self) -> None:
        """Drop kept identities."""
        self._identities.clear()

    def _event(self, request: Request, route: Route, found: re.Match[str]) -> dict[str, Any]:
        headers = {k: v for k, v in request.headers.items() if k != "cookie"}
        body, encoded = _body(request)
        event: dict[str, Any] = {
            "version": "2.0",
            "routeKey": route.key,
            "rawPath": unquote(request.path).partition("?")[0],
            "rawQueryString": request.query,
            "headers": headers,
            "requestContext": self._context(request, route),
            "isBase64Encoded": encoded,
        }
        optional = {
            "cookies": [c.strip() for c in request.headers.get("cookie", "").split(";") if c.strip()],
            "queryStringParameters": _parameters(request.query),
            "pathParameters": {name: unquote(value) for name, value in found.groupdict().items()},
            "body": body,
        }
        return event | {name: value for name, value in optional.items() if value}

    def _context(self, request: Request, route: Route) -> dict[str, Any]:
        self._count += 1
        now = self._clock.now()
        return {
            "accountId": "123456789012",
            "apiId": "local",
            "domainName": request.headers.get("host", "local"),
            "domainPrefix": "local",
            "http": {
                "method": request.method,
                "path": unquote(request.path).partition("?")[0],
                "protocol": "HTTP/1.1",
                "sourceIp": request.source_ip,
                "userAgent": request.headers.get("user-agent", ""),
            },
            "requestId": f"local-{self._count:08x}",
            "routeKey": route.key,
            "stage": "$default",
            "time": now.strftime("%d/%b/%Y:%H:%M:%S +0000"),
            "timeEpoch": int(now.timestamp() * 1000),
        }


def _authorizer_event(event: dict[str, Any], key: str) -> dict[str, Any]:
    method, path = event["requestContext"]["http"]["method"], event["rawPath"]
    arn = f"arn:aws:execute-api:{REGION}:123456789012:local/$default/{method}{path}"
    shown = {k: v for k, v in event.items() if k not in ("body", "isBase64Encoded")}
    return {**shown, "type": "REQUEST", "routeArn": arn, "identitySource": [key]}


def _body(request: Request) -> tuple[str, bool]:
    media = request.headers.get("content-type", "").partition(";")[0].strip().lower()
    if not request.body:
        return "", False
    if TEXT.fullmatch(media):
        try:
            return request.body.decode(), False
        except UnicodeDecodeError:
            pass
    return base64.b64encode(request.body).decode(), True


def _parameters(query: str) -> dict[str, str]:
    found: dict[str, list[str]] = {}
    for name, value in parse_qsl(query, keep_blank_values=True):
        found.setdefault(name, []).append(value)
    return {name: ",".join(values) for name, values in found.items()}


def _response(answer: Any) -> Response:
    """A door's answer: an object with `statusCode`, or anything else as the JSON body of a 200."""
    if not isinstance(answer, dict) or "statusCode" not in answer:
        return Response(200, {"content-type": "application/json"}, json.dumps(answer).encode())
    body = answer.get("body") or ""
    content = base64.b64decode(body) if answer.get("isBase64Encoded") else body.encode()
    headers = {str(k).lower(): str(v) for k, v in (answer.get("headers") or {}).items()}
    headers |= {"set-cookie": ", ".join(answer["cookies"])} if answer.get("cookies") else {}
    return Response(int(answer["statusCode"]), {"content-type": "text/plain"} | headers, content)
