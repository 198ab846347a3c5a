"""The local world over HTTP: its API as API Gateway serves it, and `/_local/` to look at it and move its clock."""

import json
import re
from collections.abc import Callable
from datetime import timedelta
from http.server import BaseHTTPRequestHandler
from typing import Any
from urllib.parse import parse_qsl, urlsplit

from infra import printed_map
from infra.twins import listening
from infra.world import marketplaces, pages
from infra.world.http_api import LARGEST_REQUEST, Request, Response, refusal
from infra.world.world import World

DURATION = re.compile(r"P(?:(\d+)W)?(?:(\d+)D)?(?:T(?:(\d+)H)?(?:(\d+)M)?(?:(\d+(?:\.\d+)?)S)?)?")
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
    delta = duration(value) if isinstance(value, str) else None
    if delta is None or not timedelta() <= delta <= LONGEST:
        detail = f"`advance` is an ISO 8601 duration of up to {LONGEST.days} days, such as PT10M; found {value!r}"
        return problem(422, "invalid", detail, where="/advance")
    world.advance(delta)
    return as_json({"now": pages.zulu(world.now())})


def _reset(world: World, body: bytes) -> Response:
    world.reset()
    return as_json({"now": pages.zulu(world.now())})


def _opened(world: World, body: bytes) -> Response:
    """Two cabinets at each marketplace's twin, with what an account signs in with. {connect: [accounts]}: those are
    brought in and connected, with goods of which the stock is told."""
    plan, wanted = marketplaces.small(world), _object(body).get("connect", [])
    if not world.cabinets:
        marketplaces.open_all(world, plan)
    chosen = [one for one in world.cabinets if one.account in wanted]
    if chosen:
        marketplaces.tell(world, plan["stock"])
        marketplaces.bring_in(world, chosen)
    shown = ("account", "marketplace", "name", "settings", "credentials")
    items = [{**{name: getattr(one, name) for name in shown}, "articles": list(one.cards)} for one in world.cabinets]
    return as_json({"items": items})


def _bought(world: World, body: bytes) -> Response:
    """A buyer orders: {account, article, quantity?}. The number is null where the marketplace shows too few."""
    asked = _object(body)
    found = next((one for one in world.cabinets if one.account == asked.get("account")), None)
    article, quantity = asked.get("article"), asked.get("quantity", 1)
    if found is None or article not in found.cards or not isinstance(quantity, int) or quantity < 1:
        detail = "give an open cabinet's `account`, one of its `articles` as `article`, and a `quantity`"
        return problem(422, "invalid", detail, where="/account" if found is None else "/article")
    return as_json({"number": found.counter.sell(article, quantity)})


def _moved(world: World, body: bytes) -> Response:
    """A marketplace moves a method: {marketplace, from, to}."""
    asked = _object(body)
    twin, before, after = world.markets.get(str(asked.get("marketplace"))), asked.get("from"), asked.get("to")
    if twin is None or not isinstance(before, str) or not isinstance(after, str):
        detail = f"give `marketplace` ({', '.join(sorted(world.markets))}), and the paths `from` and `to`"
        return problem(422, "invalid", detail, where="/marketplace" if twin is None else "/from")
    twin.move(before, after)
    return as_json({"off": sorted(twin.off)})


def _object(body: bytes) -> dict[str, Any]:
    try:
        asked = json.loads(body or b"{}")
    except ValueError:
        return {}
    return asked if isinstance(asked, dict) else {}


def _map(world: World, body: bytes) -> Response:
    return as_json(printed_map.as_data())


CONTROLS: dict[str, Callable[[World, bytes], Response]] = {
    "GET /_local/outbox": _outbox,
    "GET /_local/map": _map,
    "POST /_local/settle": _settle,
    "POST /_local/clock": _clock,
    "POST /_local/reset": _reset,
    "POST /_local/marketplaces/open": _opened,
    "POST /_local/marketplaces/buy": _bought,
    "POST /_local/marketplaces/move": _moved,
}


def duration(text: str) -> timedelta | None:
    """An ISO 8601 duration of weeks, days, hours, minutes and seconds; None where it is none."""
    found = DURATION.fullmatch(text)
    if found is None or not any(found.groups()) or text.endswith("T"):
        return None
    weeks, days, hours, minutes, seconds = (float(part or 0) for part in found.groups())
    try:
        return timedelta(weeks=weeks, days=days, hours=hours, minutes=minutes, seconds=seconds)
    except OverflowError:
        return None


def as_json(value: Any) -> Response:
    """A 200 with JSON."""
    return Response(200, {"content-type": "application/json"}, json.dumps(value, ensure_ascii=False).encode())


def problem(status: int, code: str, detail: str, where: str = "") -> Response:
    """An RFC 9457 problem."""
    titles = {400: "Bad request", 404: "Not found", 405: "Method not allowed", 422: "Not valid"}
    body = {"type": f"/problems/{code}", "title": titles[status], "status": status, "detail": detail}
    body |= {"errors": [{"where": where, "message": detail}]} if where else {}
    return Response(status, {"content-type": "application/problem+json"}, json.dumps(body).encode())
