"""The outbox: every message that reached anybody outside, newest last."""

import base64
import re
from collections.abc import Callable, Iterable
from datetime import datetime
from email.header import decode_header, make_header
from email.message import EmailMessage, Message
from email.parser import BytesParser
from email.utils import getaddresses
from typing import Any

Item = dict[str, Any]

BLANK = {"subject": "", "text": "", "html": "", "message_id": ""}
# The headers that stand in the outbox's own fields already.
OWN_FIELDS = frozenset({"from", "to", "subject"})


class Outbox:
    """Keeps what the twins took. `items` is what `GET /_local/outbox` shows; attachments' bytes are kept apart."""

    def __init__(self, now: Callable[[], datetime]) -> None:
        self._now = now
        self.items: list[Item] = []
        self.files: dict[tuple[int, int], bytes] = {}

    def add(
        self, channel: str, plugin: str, to: str, *, sender: str = "", files: Iterable[bytes] = (), **fields: Any
    ) -> Item:
        """Keep one message. `fields`: any of the outbox's other fields."""
        known = {"at": _zulu(self._now()), "channel": channel, "plugin": plugin, "to": to, "from": sender}
        item = {**known, **BLANK, "headers": {}, "attachments": [], **fields}
        for place, content in enumerate(files):
            self.files[len(self.items), place] = content
        self.items.append(item)
        return item

    def add_mail(self, plugin: str, to: Iterable[str], mail: Message, message_id: str = "") -> Item:
        """Keep an e-mail."""
        attachments, files = _attachments(mail)
        return self.add(
            "email",
            plugin,
            ", ".join(to),
            sender=header(mail, "from"),
            files=files,
            attachments=attachments,
            subject=header(mail, "subject"),
            text=_part(mail, "text/plain"),
            html=_part(mail, "text/html"),
            headers={name: value for name, value in headers(mail) if name.lower() not in OWN_FIELDS},
            message_id=message_id,
        )

    def clear(self) -> None:
        """Forget all messages."""
        self.items.clear()
        self.files.clear()


def parse(raw: bytes) -> Message:
    """An e-mail by the standard library's parser, which is not what wrote it."""
    return BytesParser().parsebytes(raw)


def headers(mail: Message) -> list[tuple[str, str]]:
    """Its headers in order, unfolded, their encoded words read."""
    return [(name, _unfolded(str(value))) for name, value in mail.items()]


def header(mail: Message, name: str) -> str:
    """One header, unfolded, its encoded words read; "" where it is missing."""
    return _unfolded(str(mail.get(name, "")))


def _unfolded(value: str) -> str:
    plain = re.sub(r"\r?\n[ \t]+", " ", value)
    return str(make_header(decode_header(plain))) if "=?" in plain else plain


def addresses(*values: str) -> list[str]:
    """The plain addresses of address headers."""
    return [address for _, address in getaddresses(list(values)) if address]


def _is_file(part: Message) -> bool:
    return part.get_content_disposition() == "attachment"


def _part(mail: Message, kind: str) -> str:
    for part in mail.walk():
        if part.get_content_type() == kind and not _is_file(part):
            return _bytes(part).decode(part.get_content_charset("utf-8"), "replace").replace("\r\n", "\n")
    return ""


def _attachments(mail: Message) -> tuple[list[Item], list[bytes]]:
    parts = [part for part in mail.walk() if _is_file(part)]
    files = [_bytes(part) for part in parts]
    shown = [
        {"name": part.get_filename() or "attachment", "type": part.get_content_type(), "size": len(content)}
        for part, content in zip(parts, files, strict=True)
    ]
    return shown, files


def _bytes(part: Message) -> bytes:
    content = part.get_payload(decode=True)
    return content if isinstance(content, bytes) else b""


def simple(content: dict[str, Any], sender: str, to: list[str]) -> bytes:
    """SES's `Simple` content as the e-mail that SES would write."""
    mail = EmailMessage()
    mail["From"], mail["To"] = sender, ", ".join(to)
    mail["Subject"] = content["Subject"]["Data"]
    for header in content.get("Headers", []):
        mail[header["Name"]] = header["Value"]
    body = content.get("Body", {})
    mail.set_content(body.get("Text", {}).get("Data", ""))
    if "Html" in body:
        mail.add_alternative(body["Html"]["Data"], subtype="html")
    for file in content.get("Attachments", []):
        kind, _, sub = file.get("ContentType", "application/octet-stream").partition("/")
        data = base64.b64decode(file["RawContent"])
        mail.add_attachment(data, maintype=kind, subtype=sub, filename=file["FileName"])
    return mail.as_bytes()


def _zulu(at: datetime) -> str:
    return at.strftime("%Y-%m-%dT%H:%M:%S.%f")[:-3] + "Z"
