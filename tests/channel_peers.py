"""The other side of each channel, on this machine: it answers as told, so that all channels meet the same cases."""

import asyncio
import io
import json
import socket
import ssl
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from email import message_from_bytes, policy
from email.message import EmailMessage
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

from aiosmtpd.controller import Controller
from aiosmtpd.smtp import SMTP, AuthResult, Envelope, Session
from botocore.awsrequest import AWSResponse
from botocore.exceptions import ConnectionClosedError, EndpointConnectionError, ReadTimeoutError
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec

from vestnik import resources
from vestnik.outgoing import web

PASSWORD = "the-pass-word-of-the-shop"  # noqa: S105
TOKEN = "12345:AAabcdefghijklmnopqrstuvwxyz"  # noqa: S105
WEBHOOK_SECRET = "whsec_" + "c2VjcmV0IG9mIHRoZSB3ZWJob29rIHJlY2VpdmVy"
SLOW = ("silent", "dripping")


def patience(case: str) -> str:
    """ANSWER_SECONDS: short where a peer gives no answer, long where a busy machine alone could keep it waiting."""
    return "1.2" if case in SLOW else "20"


@dataclass
class Seen:
    """What reached the peer: parsed JSON of AWS and Telegram, headers and raw body of HTTP, mails of SMTP."""

    requests: list[dict[str, Any]] = field(default_factory=list)
    headers: list[dict[str, str]] = field(default_factory=list)
    bodies: list[bytes] = field(default_factory=list)
    mails: list[EmailMessage] = field(default_factory=list)
    connections: int = 0


class AnswerStream(io.BytesIO):
    def stream(self, *_: Any, **__: Any) -> Iterator[bytes]:
        yield self.read()


@contextmanager
def aws(service: str, case: str, refusal: dict[str, Any], throttle: str) -> Iterator[Seen]:
    """AWS, at the point where the SDK would go on the wire: answers or breaks as `case` says."""
    seen = Seen()

    def answer(request: Any, **_: Any) -> AWSResponse:
        body = request.body if isinstance(request.body, bytes) else str(request.body).encode()
        seen.bodies.append(body)
        seen.requests.append(json.loads(body) if body.startswith(b"{") else {"form": body.decode()})
        broken = {"closed": ConnectionClosedError, "silent": ReadTimeoutError, "unreachable": EndpointConnectionError}
        if case in broken:
            raise broken[case](endpoint_url=request.url)
        statuses = {"ok": 200, "refused": 400, "throttled": 400, "busy": 500}
        errors = {"refused": refusal, "throttled": {"code": throttle}, "busy": {"code": "InternalFailure"}}
        return AWSResponse(request.url, statuses[case], {}, AnswerStream(_aws_body(service, errors.get(case))))

    resources.forget_clients()
    environment = {"AWS_REGION": "us-east-1", "SES_CONFIGURATION_SET": "set-1", "SMS_CONFIGURATION_SET": "sms-1"}
    with resources.use(environment):
        resources.client(service, sends=True).meta.events.register("before-send", answer)
        yield seen
    resources.forget_clients()


def _aws_body(service: str, error: dict[str, Any] | None) -> bytes:
    if service == "sns":
        if error:
            text = f"<Code>{error['code']}</Code><Message>{error.get('text', '')}</Message>"
            return f"<ErrorResponse><Error>{text}</Error><RequestId>r</RequestId></ErrorResponse>".encode()
        inner = "<PublishResult><MessageId>provider-1</MessageId></PublishResult>"
        return f"<PublishResponse>{inner}<ResponseMetadata/></PublishResponse>".encode()
    if error:
        more = {"Reason": error["reason"]} if "reason" in error else {}
        return json.dumps({"__type": error["code"], "message": error.get("text", ""), **more}).encode()
    return b'{"MessageId": "provider-1"}'


@contextmanager
def https(
    case: str,
    *,
    ok: bytes = b"{}",
    refusal: bytes = b"{}",
    status: int = 400,
    wait: bytes = b"{}",
    certificate: tuple[Path, Path] | None = None,
) -> Iterator[tuple[str, Seen]]:
    """An HTTP receiver of this machine's and its URL, let through the guard as the local world would."""
    seen = Seen()
    hold = threading.Event()
    answers = {
        "ok": (200, ok),
        "refused": (status, refusal),
        "throttled": (429, wait),
        "busy": (502, b"<html>"),
        "moved": (302, b""),
    }

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def setup(self) -> None:
            seen.connections += 1
            super().setup()

        def do_POST(self) -> None:
            seen.bodies.append(self.rfile.read(int(self.headers["Content-Length"])))
            seen.headers.append({name.lower(): value for name, value in self.headers.items()} | {"path": self.path})
            if case == "closed":
                self.close_connection = True
                return
            if case == "silent":
                hold.wait(20)
            if case == "dripping":
                self._drip()
                return
            number, body = answers.get(case, answers["ok"])
            self.send_response(number)
            self.send_header("Content-Length", str(len(body)))
            self.send_header("Location", "http://169.254.169.254/latest/meta-data/")
            if number == 429:
                self.send_header("Retry-After", "7")
            self.end_headers()
            self.wfile.write(body)

        def _drip(self) -> None:
            self.wfile.write(b"HTTP/1.1 200 OK\r\n")
            while not hold.wait(0.05):
                try:
                    self.wfile.write(b"X-Slow: 1\r\n")
                except OSError:
                    return

        def log_message(self, *_: Any) -> None: ...

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.daemon_threads = True
    server.handle_error = lambda *_: None  # type: ignore[method-assign]  # a client that hangs up is part of the play
    if certificate:
        context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
        context.load_cert_chain(*certificate)
        server.socket = context.wrap_socket(server.socket, server_side=True)
    threading.Thread(target=server.serve_forever, args=(0.02,), daemon=True).start()
    port = server.server_port
    if case == "unreachable":
        server.shutdown()
        server.server_close()
    scheme, host = ("https", "localhost") if certificate else ("http", "127.0.0.1")
    told = {"OUTGOING_ALLOW": f"{host}:{port}", "TELEGRAM_URL": f"{scheme}://{host}:{port}"}
    with resources.use({**told, "ANSWER_SECONDS": patience(case)}):
        yield f"{scheme}://{host}:{port}/hook", seen
    hold.set()
    web.forget()
    if case != "unreachable":
        server.shutdown()
        server.server_close()


class Mailbox:
    """An aiosmtpd handler that answers as `case` says."""

    def __init__(self, case: str, seen: Seen) -> None:
        self.case, self.seen = case, seen

    async def handle_RCPT(
        self, server: SMTP, session: Session, envelope: Envelope, address: str, options: list[str]
    ) -> str:
        if self.case in ("refused", "full"):
            return "550 5.1.1 no such mailbox" if self.case == "refused" else "552 5.2.2 mailbox full"
        if self.case == "throttled":
            return "451 4.7.1 greylisted, come back"
        envelope.rcpt_tos.append(address)
        return "250 OK"

    async def handle_DATA(self, server: SMTP, session: Session, envelope: Envelope) -> str:
        content = envelope.content if isinstance(envelope.content, bytes) else b""
        self.seen.bodies.append(content)
        mail = message_from_bytes(content, policy=policy.default)
        assert isinstance(mail, EmailMessage)
        self.seen.mails.append(mail)
        if self.case == "closed":
            server.transport.abort()
        if self.case == "silent":
            await asyncio.sleep(5)
        return "554 5.7.1 looks like spam" if self.case == "spam" else "250 OK queued as 42"


@contextmanager
def smtp(case: str, certificate: tuple[Path, Path], *, security: str = "starttls") -> Iterator[tuple[int, Seen]]:
    """A mail server of this machine's with TLS and a login, and its port."""
    seen = Seen()
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    context.load_cert_chain(*certificate)
    tls: dict[str, Any] = (
        {"ssl_context": context} if security == "tls" else {"tls_context": context, "require_starttls": True}
    )
    if case == "no-tls":
        tls = {}
    port = free_port()
    controller = Controller(
        Mailbox(case, seen),
        hostname="127.0.0.1",
        port=port,
        authenticator=_login,
        auth_require_tls="tls_context" in tls,
        **tls,
    )
    if case != "unreachable":
        controller.start()
    told = {"OUTGOING_ALLOW": f"localhost:{port}", "SMTP_CA_FILE": str(certificate[0])}
    with resources.use({**told, "ANSWER_SECONDS": patience(case)}):
        yield port, seen
    if case != "unreachable":
        controller.stop()
    controller.loop.close()


def _login(server: SMTP, session: Session, envelope: Envelope, mechanism: str, data: Any) -> AuthResult:
    right = data.password == PASSWORD.encode()
    return AuthResult(success=right, handled=right)


def free_port() -> int:
    """A port that nobody listens on now."""
    with socket.socket() as sock:
        sock.bind(("127.0.0.1", 0))
        return int(sock.getsockname()[1])


def make_certificate(folder: Path) -> tuple[Path, Path]:
    """A self-signed certificate for localhost and its key, as files."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "localhost")])
    now = datetime.now(UTC)
    built = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(1)
        .not_valid_before(now - timedelta(days=1))
        .not_valid_after(now + timedelta(days=1))
        .add_extension(x509.SubjectAlternativeName([x509.DNSName("localhost")]), critical=False)
        .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
        .sign(key, hashes.SHA256())
    )
    chain, private = folder / "ca.pem", folder / "key.pem"
    chain.write_bytes(built.public_bytes(serialization.Encoding.PEM))
    kind = serialization.PrivateFormat.PKCS8
    private.write_bytes(key.private_bytes(serialization.Encoding.PEM, kind, serialization.NoEncryption()))
    return chain, private
