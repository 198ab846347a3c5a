"""HTTP and sockets to hosts that shops name: guarded, capped in time and size, no redirects, no repeats.

A failed connect is Later (nothing was sent); all that fails afterwards is Unknown (nobody can tell).
"""

import http.client
import select
import socket
import ssl
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from email.utils import parsedate_to_datetime

from vestnik.errors import Later, Refused, Unknown
from vestnik.outgoing import guard
from vestnik.resources import env

CONNECT_SECONDS = 3.0
ANSWER_BYTES = 65536
IDLE_SECONDS = 10.0
LONGEST_WAIT = timedelta(days=1)

_idle: dict[tuple[str, str, int], tuple[http.client.HTTPConnection, float]] = {}
_contexts: dict[str, ssl.SSLContext] = {}


@dataclass(frozen=True, slots=True)
class Answer:
    """What the other side said. `headers` by lower-case name; `body` cut at what was asked for (64 KB)."""

    status: int
    headers: dict[str, str]
    body: bytes


def post(url: str, body: bytes, headers: dict[str, str]) -> Answer:
    """POST once; a 2xx without its whole body is an answer all the same. Raises as `ask`."""
    return ask("POST", url, body, headers)


def ask(
    method: str,
    url: str,
    body: bytes,
    headers: dict[str, str],
    *,
    most: int = ANSWER_BYTES,
    whole: bool = False,
    name: str = "",
) -> Answer:
    """Ask once. At most `most` bytes of the answer are read; with `whole`, an answer that is cut short or longer is
    Unknown. `name`: what people call the other side (its host, where absent). Raises Refused (address not allowed,
    `unsendable`), Later (not sent), Unknown (perhaps done)."""
    to = guard.target(url)
    connection = _take(to) or _connect(to)
    try:
        with deadline(connection.sock, answer_seconds()):
            _request(connection, method, to.path, body, {"Host": to.authority, **headers})
            response = connection.getresponse()
            answer = _read(response, most, whole)
    except (OSError, http.client.HTTPException) as broken:
        connection.close()
        raise Unknown(f"{name or to.host} gave no answer: {type(broken).__name__}") from None
    except Refused:
        connection.close()
        raise
    _keep(to, connection, response)
    return answer


def _request(
    connection: http.client.HTTPConnection, method: str, path: str, body: bytes, headers: dict[str, str]
) -> None:
    """Send the request. What http.client says of a header that it cannot write quotes it, and it may be a secret."""
    try:
        connection.request(method, path, body or None, headers)
    except ValueError:
        raise Refused("a header or the path holds what cannot be sent", code="unsendable") from None


def base(host: str) -> str:
    """Where a marketplace's `host` is spoken to: https, unless the local world put a twin (`OUTGOING_HOSTS`, a list of
    host=host:port with commas) in its place."""
    places = dict(entry.split("=", 1) for entry in env("OUTGOING_HOSTS", "").split(",") if entry)
    return f"http://{places[host]}" if host in places else f"https://{host}"


def _read(response: http.client.HTTPResponse, most: int, whole: bool) -> Answer:
    headers = {name.lower(): value for name, value in response.getheaders()}
    try:
        body = response.read(most + whole)
        if whole and len(body) > most:
            raise http.client.HTTPException("the answer is longer than it may be")
    except (OSError, http.client.HTTPException):
        if whole:
            raise
        body = b""  # the status already says what became of it
    return Answer(response.status, headers, body)


def _connect(to: guard.Target) -> http.client.HTTPConnection:
    connection = http.client.HTTPConnection(to.host, to.port, timeout=answer_seconds())
    sock = dial(to.host, to.port)
    connection.sock = secure(sock, to.host) if to.scheme == "https" else sock
    connection.auto_open = 0
    return connection


def _take(to: guard.Target) -> http.client.HTTPConnection | None:
    """A kept connection that the other side has not closed meanwhile."""
    connection, since = _idle.pop((to.scheme, to.host, to.port), (None, 0.0))
    if connection is None:
        return None
    stale = time.monotonic() - since > IDLE_SECONDS
    if stale or connection.sock is None or select.select([connection.sock], [], [], 0)[0]:
        connection.close()
        return None
    return connection


def _keep(to: guard.Target, connection: http.client.HTTPConnection, response: http.client.HTTPResponse) -> None:
    if connection.sock is None or response.will_close or not response.isclosed() or len(_idle) >= 32:
        connection.close()
        return
    if _idle.setdefault((to.scheme, to.host, to.port), (connection, time.monotonic()))[0] is not connection:
        connection.close()


def forget() -> None:
    """Close the kept connections and read trust anew (a world that ends)."""
    _contexts.clear()
    while _idle:
        _idle.popitem()[1][0].close()


def answer_seconds() -> float:
    """How long an answer may take; ANSWER_SECONDS shortens it where faults are played."""
    return float(env("ANSWER_SECONDS", "8"))


def dial(host: str, port: int) -> socket.socket:
    """A connection to a public address of `host`. Raises Refused (not public) or Later (no connection)."""
    patience = time.monotonic() + 2 * CONNECT_SECONDS  # a name with many dead addresses would outlast the function
    for family, address in guard.addresses(host, port):
        if time.monotonic() >= patience:
            break
        sock = socket.socket(family, socket.SOCK_STREAM)
        sock.settimeout(CONNECT_SECONDS)
        try:
            sock.connect(address)
        except OSError:
            sock.close()
            continue
        sock.settimeout(answer_seconds())
        sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        return sock
    raise Later(f"no connection to {host}:{port}")


def public_host(named: str, port: int, ports: frozenset[int]) -> str:
    """The host of a mail server, read as strictly as a URL's. Refused where it is not public."""
    host = guard.hostname(named.lower())
    if not guard.allowed(host, port):
        if port not in ports:
            raise Refused(f"port {port}: it may be one of {sorted(ports)}", code="bad-address", where="port")
        guard.public_name(host)
    return host


def secure(sock: socket.socket, host: str, ca_file: str = "") -> ssl.SSLSocket:
    """TLS over `sock` with the certificate checked for `host`. Raises Later where it fails: nothing was sent yet."""
    if ca_file not in _contexts:
        _contexts[ca_file] = ssl.create_default_context(cafile=ca_file or None)
    wrapped = _contexts[ca_file].wrap_socket(sock, server_hostname=host, do_handshake_on_connect=False)
    try:
        with deadline(wrapped, answer_seconds()):
            wrapped.do_handshake()
    except (OSError, ValueError) as failed:
        wrapped.close()
        raise Later(f"no TLS with {host}: {failed}") from None
    return wrapped


@contextmanager
def deadline(sock: socket.socket, seconds: float) -> Iterator[None]:
    """Cut the connection after `seconds`, whatever trickles in: time-outs of sockets only count silence."""
    timer = threading.Timer(seconds, _cut, (sock,))
    timer.daemon = True
    timer.start()
    try:
        yield
    finally:
        timer.cancel()


def _cut(sock: socket.socket) -> None:
    with suppress(OSError, ValueError):
        socket.socket.shutdown(sock, socket.SHUT_RDWR)


def judge(answer: Answer, who: str, now: datetime, *, words: dict[int, str] | None = None, reason: str = "") -> None:
    """Pass for 2xx; else Refused (3xx, 4xx; `words`: status -> code), Later (408, 425, 429), Unknown (the rest)."""
    if 200 <= answer.status < 300:
        return
    said = f"{who} answered {answer.status} {reason}".strip()
    if answer.status in (408, 425, 429):
        raise Later(said, at=retry_at(answer, now))
    if 300 <= answer.status < 500:
        raise Refused(said, code=(words or {}).get(answer.status, "refused"))
    raise Unknown(said)


def retry_at(answer: Answer, now: datetime) -> datetime | None:
    """The time that Retry-After names (seconds or a date, RFC 9110 10.2.3), at most a day ahead; None where unnamed."""
    value = answer.headers.get("retry-after", "")
    try:
        at = now + timedelta(seconds=int(value)) if value.isdigit() else parsedate_to_datetime(value)
    except (ValueError, TypeError, OverflowError):
        return None
    at = at.astimezone(UTC) if at.tzinfo else at.replace(tzinfo=UTC)
    return min(max(at, now), now + LONGEST_WAIT)
