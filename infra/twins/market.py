"""What the marketplaces' twins have in common: routes, limits in the twin's own time, outages, and a book of calls."""

import json
import re
import threading
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from datetime import date, datetime, timedelta
from typing import Any
from urllib.parse import parse_qsl, unquote, urlsplit

from infra.twins.listening import METHOD, Answer, HttpTwin, Meet


@dataclass(frozen=True, slots=True)
class Ask:
    """A request as a route's handler sees it. `names`: the parts of the path that the route names."""

    method: str
    path: str
    query: dict[str, str]
    headers: dict[str, str]
    body: Any
    names: dict[str, str] = field(default_factory=dict)
    size: int = 0


@dataclass(frozen=True, slots=True)
class Reply:
    """What a handler answers: `body` as JSON, or None for no body at all."""

    status: int
    body: Any = None
    headers: dict[str, str] = field(default_factory=dict)

    def sent(self) -> Answer:
        """As it goes on the wire."""
        content = b"" if self.body is None else json.dumps(self.body, ensure_ascii=False).encode()
        return self.status, content, self.headers


@dataclass(frozen=True, slots=True)
class Called:
    """A line of the twin's book of calls."""

    at: datetime
    method: str
    path: str
    status: int
    body: Any


Handler = Callable[[Any, Ask], Reply]


def route(method: str, path: str) -> Callable[[Handler], Handler]:
    """Let a method of a twin answer `path`; `{name}` in it is one segment."""

    def note(handler: Handler) -> Handler:
        routes = getattr(handler, "routes", [])
        pattern = re.compile(re.sub(r"\\\{(\w+)\\\}", r"(?P<\1>[^/]+)", re.escape(path)))
        handler.routes = [*routes, (method, pattern)]  # type: ignore[attr-defined]
        return handler

    return note


class MarketTwin(HttpTwin):
    """A marketplace. A subclass has methods marked by `route`, and may override `admit`, `unknown` and `forget`.

    `off`: paths that answer as switched-off ones do (`move` lets one be found elsewhere). `down_until`: an outage; who
    asks is hung up on. `dated`: the day whose API is served (None: today's). `calls`: every call met, oldest first;
    `watch`: who is told of each, once it is done. One request at a time: `lock`.
    """

    def __init__(self, meet: Meet, now: Callable[[], datetime]) -> None:
        self.now = now
        self.lock = threading.RLock()
        self.calls: list[Called] = []
        self.watch: list[Callable[[Called], None]] = []
        self.off: set[str] = set()
        self._moved: dict[str, str] = {}
        self.down_until: datetime | None = None
        self.dated: date | None = None
        self._routes = [
            (method, pattern, getattr(self, name))
            for name in dir(type(self))
            for method, pattern in getattr(getattr(type(self), name), "routes", [])
        ]
        super().__init__(meet)

    def reset(self) -> None:
        """Begin anew, with nothing in it."""
        self.calls.clear()
        self.off.clear()
        self._moved.clear()
        self.down_until = self.dated = None
        self.forget()

    def forget(self) -> None:
        """Drop the marketplace's own state."""

    @property
    def today(self) -> date:
        """The day whose API is served."""
        return self.dated or self.now().date()

    def outage(self, lasts: timedelta) -> None:
        """Hang up on everybody for so long."""
        self.down_until = self.now() + lasts

    def move(self, before: str, after: str) -> None:
        """Let a method be found under another path from now on, and no longer under its own."""
        self.off.add(before)
        self._moved[after] = before

    def operation(self, path: str) -> str:
        """A call by its path, without the ids in it."""
        return re.sub(r"/[A-Za-z-]*\d[\w-]*(?=/|$)", "/*", urlsplit(path).path.split("/", 2)[-1])

    def serve(self, path: str, headers: dict[str, str], body: bytes) -> Answer | None:
        """Answer a request, unless there is an outage."""
        if self.down_until is not None and self.now() < self.down_until:
            return None
        return super().serve(path, headers, body)

    def answer(self, path: str, headers: dict[str, str], body: bytes) -> Answer:
        """Do what is asked, and write it down."""
        parts = urlsplit(path)
        content = _json(body)
        ask = Ask(headers[METHOD], parts.path, dict(parse_qsl(parts.query)), headers, content, size=len(body))
        with self.lock:
            reply = self._reply(ask)
            self.calls.append(Called(self.now(), ask.method, ask.path, reply.status, content))
            for watch in self.watch:
                watch(self.calls[-1])
        return reply.sent()

    def _reply(self, ask: Ask) -> Reply:
        if ask.path in self.off:
            return self.unknown(ask)
        ask = replace(ask, path=self._moved.get(ask.path, ask.path))
        for method, pattern, handler in self._routes:
            if method == ask.method and (found := pattern.fullmatch(ask.path)):
                names = {name: unquote(value) for name, value in found.groupdict().items()}
                named = Ask(ask.method, ask.path, ask.query, ask.headers, ask.body, names, ask.size)
                refused = self.admit(named)
                reply: Reply = refused if refused is not None else handler(named)
                return reply
        return self.unknown(ask)

    def notification(self) -> tuple[str, Any] | None:
        """The next notification on its way to a seller, taken off: address and body. None where there is none."""
        return None

    def answered(self, url: str, told: Any, status: int, body: Any) -> None:
        """Hear how a notification was answered there: `body` as JSON, None where it is none."""

    def admit(self, ask: Ask) -> Reply | None:
        """Check key and limits before the handler does its part; a reply here is the answer."""
        return None

    def unknown(self, ask: Ask) -> Reply:
        """There is no such method (any more)."""
        return Reply(404, {"code": 404, "message": f"no such method: {ask.path}"})


def _json(body: bytes) -> Any:
    try:
        return json.loads(body) if body else None
    except ValueError:
        return None


class SlidingWindow:
    """At most `cap` in any `seconds`, counted in the twin's time."""

    def __init__(self, cap: int, seconds: float) -> None:
        self.cap, self.seconds = cap, seconds
        self._taken: deque[tuple[float, int]] = deque()
        self._sum = 0

    def take(self, at: datetime, n: int = 1) -> float:
        """0 if `n` go now, and then they are counted; else how many seconds until they may."""
        now = at.timestamp()
        self._drop(now)
        if self._sum + n <= self.cap:
            self._taken.append((now, n))
            self._sum += n
            return 0.0
        return self._wait(now, n)

    def left(self, at: datetime) -> int:
        """How many go now."""
        self._drop(at.timestamp())
        return self.cap - self._sum

    def _drop(self, now: float) -> None:
        while self._taken and self._taken[0][0] <= now - self.seconds:
            self._sum -= self._taken.popleft()[1]

    def _wait(self, now: float, n: int) -> float:
        missing = self._sum + n - self.cap
        for taken, count in self._taken:
            missing -= count
            if missing <= 0:
                return max(0.001, taken + self.seconds - now)
        return self.seconds


class Tokens:
    """A bucket of `burst` tokens that gains one every `every` seconds, counted in the twin's time."""

    def __init__(self, every: float, burst: int) -> None:
        self.every, self.burst = every, burst
        self._tokens, self._since = float(burst), 0.0

    def take(self, at: datetime, n: int = 1) -> float:
        """0 if `n` go now, and then they are spent; else how many seconds until they may."""
        self._fill(at.timestamp())
        if self._tokens + 1e-6 >= n:
            self._tokens -= n
            return 0.0
        return (n - self._tokens) * self.every

    def burn(self, at: datetime, n: int) -> None:
        """Spend `n` as a fine; the bucket may come to owe."""
        self._fill(at.timestamp())
        self._tokens = max(self._tokens - n, -float(self.burst))

    def left(self, at: datetime) -> int:
        """How many go now."""
        self._fill(at.timestamp())
        return max(0, int(self._tokens))

    def _fill(self, now: float) -> None:
        gained = (now - self._since) / self.every if self._since else 0.0
        self._tokens = min(float(self.burst), self._tokens + max(0.0, gained))
        self._since = now
