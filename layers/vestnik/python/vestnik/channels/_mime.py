"""A letter as an e-mail in bytes: RFC 5322 and MIME, 7-bit clean.

Written by hand because it runs for every message: the standard library's tree of parts takes about ten times as
long. What it writes is checked against the standard library's parser in the tests.
"""

import base64
import binascii
import hashlib
import re
from datetime import datetime
from email.utils import format_datetime
from urllib.parse import quote

from vestnik.domain.addresses import ascii_form
from vestnik.domain.messages import Attachment, Letter, Sender
from vestnik.errors import Refused

LONGEST_LINE = 900
OWN = frozenset({"from", "to", "cc", "bcc", "subject", "date", "message-id", "reply-to", "sender", "return-path"})
OWN |= {"mime-version", "auto-submitted", "list-unsubscribe", "list-unsubscribe-post", "dkim-signature", "received"}
OWN |= {"content-type", "content-language", "content-transfer-encoding", "content-disposition"}
NAME = re.compile(r"[A-Za-z][A-Za-z0-9-]{0,75}")
TYPE = re.compile(r"[a-z0-9][a-z0-9.+-]*/[a-z0-9][a-z0-9.+-]*", re.I)


def compose(letter: Letter, sender: Sender, now: datetime) -> bytes:
    """The whole message. Raises Refused `bad-address` where a mail address has no ASCII form."""
    lines = [f"{name}: {value}" for name, value in _headers(letter, sender, now)]
    kind, body = _content(letter)
    return "\r\n".join([*lines, *kind]).encode("ascii") + b"\r\n\r\n" + body


def message_id(letter: Letter, sender: Sender) -> str:
    """Our Message-ID: the same for the same attempt, so that a double can be proved."""
    domain = sender.config["from_address"].rpartition("@")[2]
    return f"<{letter.message}.{letter.attempt}@{ascii_form('x@' + domain)[2:]}>"


def mailbox(name: str, address: str) -> str:
    """`Name <address>` in ASCII (RFC 5322 3.4, RFC 2047)."""
    plain = " ".join(name.split())
    if not plain:
        return ascii_address(address)
    if plain.isascii() and plain.isprintable():
        quoted = plain.replace("\\", "\\\\").replace('"', '\\"')
        return f'"{quoted}" <{ascii_address(address)}>'
    return f"{_encoded(plain)} <{ascii_address(address)}>"


def ascii_address(address: str) -> str:
    """An address as it may stand in a header. Raises Refused `bad-address`."""
    try:
        form = ascii_form(address)
    except ValueError:
        form = ""
    if not re.fullmatch(r"[!-~]+@[!-~]+", form) or re.search(r"[<>,;:()\[\]\\]", form):
        raise Refused(f"{address} cannot be written to: no ASCII form", code="bad-address", where="to")
    return form


def own_address(address: str) -> str:
    """An address of the sender's. Raises Refused `not-configured`: the recipient's address is not to blame."""
    try:
        return ascii_address(address)
    except Refused as wrong:
        raise Refused(f"the sender's own address: {wrong.reason}", code="not-configured", where="sender") from None


def _headers(letter: Letter, sender: Sender, now: datetime) -> list[tuple[str, str]]:
    config = sender.config
    lines = [
        ("From", mailbox(config.get("from_name", ""), own_address(config["from_address"]))),
        ("To", mailbox(letter.to_name, letter.to)),
        ("Subject", _unstructured(letter.subject)),
        ("Date", format_datetime(now)),
        ("Message-ID", message_id(letter, sender)),
        ("MIME-Version", "1.0"),
        ("Content-Language", _unstructured(letter.language)),
        ("Auto-Submitted", "auto-generated"),
    ]
    if config.get("reply_to"):
        lines.append(("Reply-To", own_address(config["reply_to"])))
    return [*lines, *_unsubscribing(letter), *_extra(letter.headers)]


def _unsubscribing(letter: Letter) -> list[tuple[str, str]]:
    """One click to leave (RFC 8058), on marketing only: nobody leaves their own order's messages by accident."""
    if letter.purpose != "marketing" or not letter.unsubscribe_url:
        return []
    url = quote(letter.unsubscribe_url, safe=":/?#[]@!$&'()*+,;=%~")
    return [("List-Unsubscribe", f"<{url}>"), ("List-Unsubscribe-Post", "List-Unsubscribe=One-Click")]


def _extra(headers: dict[str, str]) -> list[tuple[str, str]]:
    return [(name, _unstructured(value)) for name, value in headers.items() if _is_free(name)]


def _is_free(name: str) -> bool:
    """Whether a letter may bring this header: not one of ours, and none by which SES is told what to do."""
    return bool(NAME.fullmatch(name)) and name.lower() not in OWN and not name.lower().startswith("x-ses-")


def _unstructured(value: str) -> str:
    """A header's text on one logical line: no value can begin another header."""
    plain = " ".join(value.split())
    return plain if plain.isascii() and plain.isprintable() and len(plain) < 70 else _encoded(plain)


def _encoded(text: str) -> str:
    """Encoded words of at most 75 characters, cut between characters (RFC 2047 2, 5)."""
    words, start = [], 0
    while start < len(text):
        end = start + 45
        while len(piece := text[start:end].encode("utf-8", "replace")) > 45:
            end -= max(1, (len(piece) - 45) // 4)
        words.append("=?utf-8?b?" + base64.b64encode(piece).decode() + "?=")
        start = end
    return "\r\n ".join(words)


def _content(letter: Letter) -> tuple[list[str], bytes]:
    parts = [_text(kind, body) for kind, body in (("plain", letter.text), ("html", letter.html)) if body]
    kind, body = _together("alternative", parts or [_text("plain", "")], letter)
    if not letter.attachments:
        return kind, body
    return _together("mixed", [(kind, body), *map(_file, letter.attachments)], letter)


def _together(kind: str, parts: list[tuple[list[str], bytes]], letter: Letter) -> tuple[list[str], bytes]:
    if len(parts) == 1:
        return parts[0]
    seed = f"{kind}{letter.message}{letter.attempt}"
    line = "=_" + hashlib.sha256(seed.encode()).hexdigest()[:32]
    cut = f"--{line}\r\n".encode()
    body = b"".join(cut + "\r\n".join(head).encode() + b"\r\n\r\n" + body + b"\r\n" for head, body in parts)
    return [f'Content-Type: multipart/{kind}; boundary="{line}"'], body + f"--{line}--\r\n".encode()


def _text(kind: str, text: str) -> tuple[list[str], bytes]:
    lines = text.replace("\r\n", "\n").replace("\r", "\n")
    data = lines.replace("\n", "\r\n").encode("utf-8", "replace")
    coding, body = _transfer(data)
    return [f"Content-Type: text/{kind}; charset=utf-8", f"Content-Transfer-Encoding: {coding}"], body


def _transfer(data: bytes) -> tuple[str, bytes]:
    """As it is where every server takes it so; else quoted-printable or base64, whichever is shorter."""
    if not data.isascii() and len(data.translate(None, NON_ASCII)) * 6 < len(data) * 5:
        return "base64", _base64(data)
    if data.isascii() and b"\0" not in data and max(map(len, data.split(b"\r\n"))) < LONGEST_LINE:
        return "7bit", data
    printable = binascii.b2a_qp(data, istext=True)  # its soft breaks are bare where the text has no break
    return "quoted-printable", printable.replace(b"\r\n", b"\n").replace(b"\n", b"\r\n")


NON_ASCII = bytes(range(128, 256))


def _base64(data: bytes) -> bytes:
    line = binascii.b2a_base64(data, newline=False)
    return b"\r\n".join([line[at : at + 76] for at in range(0, len(line), 76)])


def _file(file: Attachment) -> tuple[list[str], bytes]:
    kind = file.type if TYPE.fullmatch(file.type) else "application/octet-stream"
    name = quote(" ".join(file.name.split()), safe="")
    lines = [
        f"Content-Type: {kind}",
        "Content-Transfer-Encoding: base64",
        f"Content-Disposition: attachment; filename*=utf-8''{name}",
    ]
    return lines, _base64(file.content)
