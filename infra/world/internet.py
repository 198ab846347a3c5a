"""The internet as the local world has it: every public https address is answered by the twin of a shop's machine,
and there is nothing else, so that what a shop names in its settings is never reached for real."""

import http.client
import socket
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from ipaddress import ip_address
from unittest.mock import patch

from vestnik.errors import Later
from vestnik.outgoing import guard, web

type Dial = Callable[[str, int], socket.socket]


@contextmanager
def closed(twin: str) -> Iterator[None]:
    """While it lasts, connections to public addresses end at `twin` (host:port); mail servers have none."""
    dial, connect = web.dial, web._connect

    def to_twin(to: guard.Target) -> http.client.HTTPConnection:
        return connect(to) if guard.allowed(to.host, to.port) else _diverted(to, twin, dial)

    def nowhere(host: str, port: int) -> socket.socket:
        if not guard.allowed(host, port):
            raise Later(f"the local world does not reach {host}:{port}; it has a mail server of its own")
        return dial(host, port)

    with patch.object(web, "_connect", to_twin), patch.object(web, "dial", nowhere):
        yield


def _diverted(to: guard.Target, twin: str, dial: Dial) -> http.client.HTTPConnection:
    """A connection for `to` that ends at the twin; no TLS, for it has no certificate of that name."""
    if _is_number(to.host):
        guard.addresses(to.host, to.port)  # an inner address is refused here as it is outside
    connection = http.client.HTTPConnection(to.host, to.port, timeout=web.answer_seconds())
    host, _, port = twin.rpartition(":")
    connection.sock = dial(host, int(port))
    connection.auto_open = 0
    return connection


def _is_number(host: str) -> bool:
    try:
        ip_address(host)
    except ValueError:
        return False
    return True
