"""The local world over HTTP: its API as API Gateway serves it, and `/_local/` to look at it and move its clock."""

import json
from collections.abc import Callable
from datetime import timedelta
from functools import partial
from http.server import BaseHTTPRequestHandler
from typing import Any
from urllib.parse import parse_qsl, urlsplit

from infra import printed_map
from infra.twins import listening
from infra.world import pages
from infra.world.http_api import LARGEST_REQUEST, Request, Response, refusal
from infra.world.market_controls import HAPPENINGS, Wrong, happen, span
from infra.world.world import World

LONGEST = timedelta(days=366)


class Server(listening.Server):
    """Serves a world on 127.0.0.1. `port` 0 takes a free one."""

    daemon_threads = True
    request_queue_size = 128

    def __init__(self, world: World, port: int, host: str = "127.0.0.1") -> None:
        self.world = world
        super().__init__((host, port), Handler)

    @property
    def url(self) -> str:
        """Where it listens."""
        return f"http://127.0.0.1:{self.server_address[1]}"


class Handler(BaseHTTPRequestHandler):
    """One connection, kept alive."""

    server: Server
    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True
    wbufsize = 64 * 1024
    timeout = 75

    def answer(self) -> None:
        """Take a request to the API or to `/_local/`."""
        body = self._body()
        if body is None:
            return self._send(refusal(413), close=True)
        target = urlsplit(self.path)
        headers = self._headers()
        request = Request(self.command, target.path, target.query, headers, body, self.client_address[0])
        local = target.path == "/_local" or target.path.startswith("/_local/")
        return self._send(control(self.server.world, request) if local else self.server.world.handle(request))

    do_GET = do_POST = do_PUT = do_PATCH = do_DELETE = do_HEAD = do_OPTIONS = answer

    def _headers(self) -> dict[str, str]:
        found: dict[str, str] = {}
        for name, value in self.headers.items():
            key = name.lower()
            found[key] = f"{found[key]},{value}" if key in found else value
        return found

    def _body(self) -> bytes | None:
        """The whole body; None where it is too large to be read."""
        if "chunked" in self.headers.get("transfer-encoding", "").lower():
            return self._chunks()
        size = int(self.headers.get("content-length") or 0)
        return self.rfile.read(size) if size <= LARGEST_REQUEST else None

    def _chunks(self) -> bytes | None:
        read = bytearray()
        while size := int(self.rfile.readline().split(b";")[0] or b"0", 16):
            if len(read) + size > LARGEST_REQUEST:
                return None
            read += self.rfile.read(size)
            self.rfile.readline()
        while self.rfile.readline().strip():
            pass
        return bytes(read)

    def _send(self, response: Response, *, close: bool = False) -> None:
        self.send_response(response.status)
        for name, value in response.headers.items():
            if name not in ("content-length", "connection"):
                self.send_header(name, value)
        self.send_header("content-length", str(len(response.body)))
        if close:
            self.send_header("connection", "close")
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(response.body)

    def log_message(self, format: str, *args: Any) -> None:
        """Say nothing: the doors log for themselves."""


def control(world: World, request: Request) -> Response:
    """Answer what is asked under `/_local/`."""
    query = dict(parse_qsl(request.query))
    key = f"{request.method} {request.path}"
    if (do := CONTROLS.get(key)) is not None:
        return do(world, request.body)
    if known := sorted(k for k in CONTROLS if k.endswith(f" {request.path}")):
        return problem(405, "method-not-allowed", f"ask it by {known[0].split()[0]}")
    if request.method in ("GET", "HEAD") and (page := pages.answer(world, request.path, query)) is not None:
        return page
    return problem(404, "not-found", f"there is nothing at {request.path}")


def _outbox(world: World, body: bytes) -> Response:
    return as_json({"items": list(world.outbox)})


def _settle(world: World, body: bytes) -> Response:
    world.settle()
    return as_json({"now": pages.zulu(world.now())})


def _clock(world: World, body: bytes) -> Response:
    try:
        asked = json.loads(body or b"{}")
    except ValueError:
        return problem(400, "not-json", "the body is not JSON")
    value = asked.get("advance") if isinstance(asked, dict) else None
    delta = span(value, LONGEST)
    if delta is None:
        detail = f"`advance` is an ISO 8601 duration of up to {LONGEST.days} days, such as PT10M; found {value!r}"
        return problem(422, "invalid", detail, where="/advance")
    world.advance(delta)
    return as_json({"now": pages.zulu(world.now())})


def _reset(world: World, body: bytes) -> Response:
    world.reset()
    return as_json({"now": pages.zulu(world.now())})


def _happens(world: World, body: bytes, *, what: str) -> Response:
    try:
        return as_json(happen(world, what, body))
    except Wrong as wrong:
        return problem(422, "invalid", str(wrong), where=wrong.where)


def _map(world: World, body: bytes) -> Response:
    return as_json(printed_map.as_data())


CONTROLS: dict[str, Callable[[World, bytes], Response]] = {
    "GET /_local/outbox": _outbox,
    "GET /_local/map": _map,
    "POST /_local/settle": _settle,
    "POST /_local/clock": _clock,
    "POST /_local/reset": _reset,
    **{f"POST /_local/marketplaces/{what}": partial(_happens, what=what) for what in HAPPENINGS},
}


def as_json(value: Any) -> Response:
    """A 200 with JSON."""
    return Response(200, {"content-type": "application/json"}, json.dumps(value, ensure_ascii=False).encode())


def problem(status: int, code: str, detail: str, where: str = "") -> Response:
    """An RFC 9457 problem."""
    titles = {400: "Bad request", 404: "Not found", 405: "Method not allowed", 422: "Not valid"}
    body = {"type": f"/problems/{code}", "title": titles[status], "status": status, "detail": detail}
    body |= {"errors": [{"where": where, "message": detail}]} if where else {}
    return Response(status, {"content-type": "application/problem+json"}, json.dumps(body).encode())
