"""A shop's own mail server: SMTP under TLS (from the first byte, or by STARTTLS), with login.

Recipients whose local part begins with `bounce` are refused for good (550 5.1.1), with `greylist` for now (451).
"""

import asyncio
import logging
import ssl
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any

from aiosmtpd.smtp import SMTP, AuthResult, Envelope, LoginPassword, Session

from infra.twins import certificates
from infra.twins.listening import Meet
from infra.world.faults import Died
from infra.world.outbox import Outbox, header, parse

HOST = "mail.demo.example"
# The library warns of its own use of a field that it has deprecated, at every login.
logging.getLogger("mail.log").setLevel(logging.ERROR)
USER, PASSWORD = "orders@demo.example", "local-smtp-password"


class Smtp:
    """Two servers on free ports of 127.0.0.1: `tls_port` and `starttls_port`. `ca_file` is who signed for them."""

    def __init__(self, meet: Meet, outbox: Outbox, folder: Path) -> None:
        self.ca_file, chain = certificates.make(folder)
        context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
        context.load_cert_chain(chain)
        self._desk = Desk(meet, outbox)
        self._servers: list[asyncio.Server] = []
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever, name="smtp-twin", daemon=True)
        self._thread.start()
        self.tls_port = self._listen(context, auth_require_tls=False)
        self.starttls_port = self._listen(None, tls_context=context, require_starttls=True)

    def _listen(self, tls: ssl.SSLContext | None, **more: Any) -> int:
        def conversation() -> SMTP:
            server = SMTP(self._desk, loop=self._loop, authenticator=_authenticate, hostname=HOST, **more)
            # Asked for in the constructor, it warns of a missing STARTTLS even where TLS begins with the first byte.
            server._auth_required = True
            return server

        starting = self._loop.create_server(conversation, "127.0.0.1", 0, ssl=tls)
        server = asyncio.run_coroutine_threadsafe(starting, self._loop).result(10)
        self._servers.append(server)
        return int(server.sockets[0].getsockname()[1])

    @property
    def places(self) -> list[str]:
        """Both hosts and ports."""
        return [f"127.0.0.1:{port}" for port in (self.tls_port, self.starttls_port)]

    def close(self) -> None:
        """Hang up on everybody and stop."""
        asyncio.run_coroutine_threadsafe(_end(self._servers), self._loop).result(10)
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join(10)
        self._loop.close()


async def _end(servers: list[asyncio.Server]) -> None:
    for server in servers:
        server.close()
    tasks = [task for task in asyncio.all_tasks() if task is not asyncio.current_task()]
    for task in tasks:
        task.cancel()
    await asyncio.gather(*tasks, return_exceptions=True)


class Desk:
    """Takes mail: aiosmtpd calls it at each step of a conversation."""

    def __init__(self, meet: Meet, outbox: Outbox) -> None:
        self._meet, self._outbox = meet, outbox

    async def handle_RCPT(self, server: SMTP, session: Session, envelope: Envelope, address: str, options: Any) -> str:
        """Say whether the recipient is known."""
        if address.startswith("bounce"):
            return "550 5.1.1 user unknown"
        if address.startswith("greylist"):
            return "451 4.7.1 try again later"
        envelope.rcpt_tos.append(address)
        return "250 2.1.5 OK"

    async def handle_DATA(self, server: SMTP, session: Session, envelope: Envelope) -> str:
        """Take the letter, with whatever fault it meets."""
        keep = self._keeper(envelope)
        try:
            fault = self._meet("smtp", "SEND", HOST)
        except Died:
            server.transport.abort()
            return "421 4.0.0 gone"
        if fault is None or fault.how == "none":
            return keep()
        if fault.when == "after":
            keep()
        if fault.how in ("500", "429"):
            return "451 4.3.0 injected"
        server.transport.abort()
        return "421 4.0.0 gone"

    def _keeper(self, envelope: Envelope) -> Callable[[], str]:
        content = envelope.content
        mail = parse(content if isinstance(content, bytes) else (content or "").encode())

        def keep() -> str:
            # Our Message-ID is <message.attempt@domain>.
            own = header(mail, "message-id").strip("<>").partition("@")[0].partition(".")[0]
            self._outbox.add_mail("email_smtp", envelope.rcpt_tos, mail, own)
            return f"250 2.0.0 queued as {len(self._outbox.items):08X}"

        return keep


def _authenticate(server: SMTP, session: Session, envelope: Envelope, mechanism: str, data: Any) -> AuthResult:
    known = isinstance(data, LoginPassword) and (data.login, data.password) == (USER.encode(), PASSWORD.encode())
    return AuthResult(success=known, handled=False)
