"""A twin that is spoken to over HTTP on this machine: real sockets, so that the doors' own clients are tested."""

import contextlib
import socket
import sys
import threading
from collections.abc import Callable
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

from infra.world.faults import Died, Fault

Answer = tuple[int, bytes] | tuple[int, bytes, dict[str, str]]  # status, body, further headers
METHOD = ":method"  # among a request's headers, as HTTP/2 does it
Meet = Callable[[str, str, str], Fault | None]  # service, operation, host -> what goes wrong; raises Died


class Server(ThreadingHTTPServer):
    """Minds its own errors, but not that a client hung up before it had its answer: here clients die on purpose."""

    daemon_threads = True
    request_queue_size = 128  # a flow's threads come all at once; a sixth that waited for its turn would wait a second

    def handle_error(self, request: Any, client_address: Any) -> None:
        """Tell of an error on standard error."""
        if not isinstance(sys.exception(), ConnectionError):
            super().handle_error(request, client_address)


class HttpTwin:
    """Serves on a free port of 127.0.0.1. A subclass names `service` and gives `operation` and `answer`.

    `meet` counts the call and says what goes wrong with it. A lost connection and a time-out look alike here: the
    twin hangs up without a word.
    """

    service = ""

    def __init__(self, meet: Meet) -> None:
        self._meet = meet
        self._open: set[socket.socket] = set()
        self._server = Server(("127.0.0.1", 0), _handler(self))
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.05,), daemon=True)
        self._thread.start()

    @property
    def place(self) -> str:
        """Its host and port."""
        return f"127.0.0.1:{self._server.server_address[1]}"

    @property
    def url(self) -> str:
        """Where it listens."""
        return f"http://{self.place}"

    def operation(self, path: str) -> str:
        """What a request to `path` is called in the books."""
        raise NotImplementedError

    def answer(self, path: str, headers: dict[str, str], body: bytes) -> Answer:
        """Do what is asked."""
        raise NotImplementedError

    def serve(self, path: str, headers: dict[str, str], body: bytes) -> Answer | None:
        """Answer a request, with whatever fault it meets; None: hang up without a word."""
        try:
            fault = self._meet(self.service, self.operation(path), self.place)
        except Died:
            return None
        if fault is None or fault.how == "none":
            return self.answer(path, headers, body)
        if fault.when == "after":
            self.answer(path, headers, body)
        return (int(fault.how), b"{}") if fault.how.isdigit() else None

    def close(self) -> None:
        """Stop serving, and hang up on who is still connected."""
        self._server.shutdown()
        self._server.server_close()
        for connection in list(self._open):
            with contextlib.suppress(OSError):
                connection.shutdown(socket.SHUT_RDWR)
        self._thread.join(2)


def _handler(twin: HttpTwin) -> type[BaseHTTPRequestHandler]:
    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"
        disable_nagle_algorithm = True

        def setup(self) -> None:
            super().setup()
            twin._open.add(self.connection)

        def finish(self) -> None:
            twin._open.discard(self.connection)
            with contextlib.suppress(OSError):
                super().finish()

        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers.get("content-length") or 0))
            headers = {name.lower(): value for name, value in self.headers.items()} | {METHOD: self.command}
            answer = twin.serve(self.path, headers, body)
            if answer is None:
                self.close_connection = True
                return
            status, content, *more = answer
            self.send_response(status)
            told = {"content-type": "application/json", "content-length": str(len(content)), **dict(*more)}
            for name, value in told.items():
                self.send_header(name, value)
            self.end_headers()
            self.wfile.write(content)

        do_GET = do_PUT = do_PATCH = do_DELETE = do_POST

        def log_message(self, format: str, *args: Any) -> None:
            """Say nothing."""

    return Handler
