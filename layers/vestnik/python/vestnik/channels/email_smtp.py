"""E-mail by the shop's own server (SMTP over TLS): nothing is reported back after the server took it.

A refusal in the conversation is all the feedback there is, so it is read with care (RFC 5321, RFC 3463).
"""

import re
import smtplib
from datetime import datetime
from typing import Any

from vestnik.channels import _mime, _pace
from vestnik.domain.messages import Letter, Receipt, Sender
from vestnik.errors import Later, Refused, Unknown
from vestnik.outgoing import web
from vestnik.resources import env

PLUGIN = "email_smtp"
CHANNEL = "email"
LANES: tuple[str, ...] = ("transactional", "marketing")
CALLS = {"smtp": "SEND"}
FEEDBACK = False
RATE = 5.0
CONFIG: dict[str, Any] = {
    "type": "object",
    "required": ["from_address", "host", "port", "security", "username"],
    "additionalProperties": False,
    "properties": {
        "from_address": {"type": "string", "format": "email", "description": "the address people see and answer"},
        "from_name": {"type": "string", "maxLength": 200},
        "reply_to": {"type": "string", "format": "email"},
        "host": {"type": "string", "maxLength": 253},
        "port": {"type": "integer", "minimum": 1, "maximum": 65535, "description": "465 or 587 (2525)"},
        "security": {"enum": ["tls", "starttls"], "description": "tls: from the first byte; starttls: required"},
        "username": {"type": "string", "maxLength": 320},
    },
}
SECRET: dict[str, Any] = {
    "type": "object",
    "required": ["password"],
    "additionalProperties": False,
    "properties": {"password": {"type": "string", "minLength": 1, "maxLength": 1000}},
}
PORTS = frozenset({465, 587, 2525})
CONVERSATION = 3  # answers' time for the whole of it
BROKEN = (OSError, smtplib.SMTPException, ValueError)
# Words by which servers without enhanced status codes say that the mailbox is not there.
NO_SUCH_USER = ("user unknown", "unknown user", "no such user", "does not exist", "no mailbox", "recipient not found")


def send(letter: Letter, sender: Sender, secret: dict[str, str], *, now: datetime) -> Receipt:
    """Hand the message to the shop's server. Raises Refused (`bad-address`: no such mailbox), Later, Unknown."""
    raw = _mime.compose(letter, sender, now)
    source, to = _mime.own_address(sender.config["from_address"]), _mime.ascii_address(letter.to)
    server = _open(sender, source.rpartition("@")[2])
    try:
        with web.deadline(_socket(server), CONVERSATION * web.answer_seconds()):
            _address(server, sender, secret, source, to, len(raw))
            said = _hand_over(server, raw)
    finally:
        server.close()
    return Receipt(_mime.message_id(letter, sender), now, detail=said)


def buckets(letter: Letter, sender: Sender) -> list[_pace.Bucket]:
    """The shop's own server has its own pace."""
    return [_pace.own(sender, RATE)]


def _open(sender: Sender, hello: str) -> smtplib.SMTP:
    """A connection under TLS, greeted as `hello`. Whatever fails here is Later or Refused: nothing was sent."""
    config, ca_file = sender.config, env("SMTP_CA_FILE", "")
    host = web.public_host(config["host"], int(config["port"]), PORTS)
    server = smtplib.SMTP(local_hostname=hello)
    server.sock = web.dial(host, int(config["port"]))
    try:
        if config.get("security") == "tls":
            server.sock = web.secure(server.sock, host, ca_file)
        _greet(server, start_tls=config.get("security") != "tls")
        if config.get("security") != "tls":
            _go_under_tls(server, host, ca_file)
    except BROKEN as broken:
        server.close()
        raise Later(f"{host}: {type(broken).__name__} before anything was sent") from None
    except (Refused, Later):
        server.close()
        raise
    return server


def _greet(server: smtplib.SMTP, *, start_tls: bool) -> None:
    """Say hello. TLS is required, not merely tried: a server that offers none gets neither password nor letter."""
    with web.deadline(_socket(server), web.answer_seconds()):
        _expect(server.getreply(), "server-refused")
        _expect(server.ehlo(), "server-refused")
        if start_tls:
            _expect(server.docmd("STARTTLS"), "no-tls")


def _go_under_tls(server: smtplib.SMTP, host: str, ca_file: str) -> None:
    server.file = None  # what was said before the hand-shake is not trusted after it
    server.sock = web.secure(_socket(server), host, ca_file)
    with web.deadline(_socket(server), web.answer_seconds()):
        _expect(server.ehlo(), "server-refused")


def _address(server: smtplib.SMTP, sender: Sender, secret: dict[str, str], source: str, to: str, size: int) -> None:
    """Log in and name both ends. Nothing of the letter is sent yet."""
    try:
        _login(server, sender.config["username"], secret.get("password", ""))
        options = [f"SIZE={size}"] if server.has_extn("size") else []
        _expect(server.mail(source, options), "sender-refused")
        _expect(server.rcpt(to), "bounced")
        _expect(server.docmd("DATA"), "rejected")
    except BROKEN as broken:
        raise Later(f"the mail server broke off: {type(broken).__name__}, before anything was sent") from None


def _login(server: smtplib.SMTP, username: str, password: str) -> None:
    """By one mechanism, once: trying them all in turn makes servers hang up, and then the reason is lost."""
    offered = server.esmtp_features.get("auth", "").upper().split()
    mechanism = next((word for word in ("PLAIN", "LOGIN") if word in offered), "")
    if not mechanism:
        raise Refused("the mail server offers neither PLAIN nor LOGIN under TLS", code="login-refused")
    server.user, server.password = username, password
    try:
        server.auth(mechanism, getattr(server, f"auth_{mechanism.lower()}"))
    except smtplib.SMTPAuthenticationError as refused:
        said = refused.smtp_error if isinstance(refused.smtp_error, bytes) else refused.smtp_error.encode()
        _expect((refused.smtp_code, said.replace(password.encode(), b"***")), "login-refused")


def _hand_over(server: smtplib.SMTP, raw: bytes) -> str:
    """Send the letter itself; from its first byte on, silence means Unknown."""
    dotted = re.sub(rb"(?m)^\.", b"..", raw)
    try:
        server.send(dotted + (b"" if raw.endswith(b"\r\n") else b"\r\n") + b".\r\n")
        reply = server.getreply()
    except BROKEN as broken:
        raise Unknown(f"the mail server broke off after the letter: {type(broken).__name__}") from None
    _expect(reply, "rejected")
    return _words(reply[1])


def _expect(reply: tuple[int, bytes], code: str) -> None:
    """2xx and 3xx pass; 4xx is Later; the rest is Refused `code` with the server's words."""
    number, said = reply[0], _words(reply[1])
    if 200 <= number < 400:
        return
    if 400 <= number < 500:
        raise Later(f"the mail server said {number} {said}")
    if number == -1:
        raise smtplib.SMTPServerDisconnected("no reply")
    status = re.match(r"5\.\d{1,3}\.\d{1,3}", said)
    word = "bad-address" if code == "bounced" and _nobody(said) else code
    raise Refused(f"the mail server said {number} {said}", code=word, status=status[0] if status else "")


def _nobody(said: str) -> bool:
    """Whether the address itself is bad for good (RFC 3463 5.1.x: mailbox, host, syntax, moved, null MX)."""
    bad = re.match(r"5\.1\.(1|2|3|6|10)\b", said)
    return bool(bad) or (not re.match(r"5\.\d", said) and any(word in said.lower() for word in NO_SUCH_USER))


def _words(said: bytes) -> str:
    return " ".join(said.decode("utf-8", "replace").split())[:300]


def _socket(server: smtplib.SMTP) -> Any:
    return server.sock
