"""A message's identity, its states, and what travels to a channel."""

import base64
import hashlib
import re
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from typing import Any


class State(StrEnum):
    """Where the sending of a message stands."""

    PLANNED = "planned"  # decided; not yet claimed by a sender
    DEFERRED = "deferred"  # waits for a time
    CLAIMED = "claimed"  # one attempt is under way, under a lease
    RETRY = "retry"  # refused for now; goes again at a time
    UNKNOWN = "unknown"  # nobody can tell yet whether it went
    SENT = "sent"
    FAILED = "failed"  # refused for good
    GIVEN_UP = "given up"  # attempts used up, or doubtful and not to be repeated
    SUPPRESSED = "suppressed"  # the address, person or shop must not be written to
    MERGED = "merged"  # the person gets another message of the same event
    CANCELLED = "cancelled"  # overtaken by events (order cancelled, rule switched off)
    SUPERSEDED = "superseded"  # a newer status of the order is already known
    EXPIRED = "expired"  # its useful life was over


ENDS = frozenset(
    {
        State.SENT,
        State.FAILED,
        State.GIVEN_UP,
        State.SUPPRESSED,
        State.MERGED,
        State.CANCELLED,
        State.SUPERSEDED,
        State.EXPIRED,
    }
)


SHAPE = re.compile(r"\d{6}[0-9a-f][a-z2-7]{26}-[a-z2-7]{8}", re.ASCII)


def event_id(source: str, id: str) -> str:
    """The ledger's id of an event: 26 characters of [a-z2-7], from what the sender must keep unique."""
    return _hash(f"{source}\n{id}", 26)


def message_id(day: str, eid: str, recipient: str, channel: str) -> str:
    """`yymmdd` + slot + event + "-" + (recipient, channel): says where the message lies, and fits every tag.

    The same event, recipient, channel and day of decision give the same id.
    """
    tail = _hash(f"{eid}\n{recipient}\n{channel}", 8)
    slot = f"{hashlib.sha256(tail.encode()).digest()[0] % 16:x}"
    return f"{day}{slot}{eid}-{tail}"


def is_message_id(text: str) -> bool:
    """Whether a text has the shape of a message's id; what comes back from outside may be anything."""
    return SHAPE.fullmatch(text) is not None


def day_of(message: str) -> str:
    """The `yymmdd` a message was decided on."""
    return message[:6]


def slot_of(message: str) -> str:
    """The slot (one hexadecimal digit) of the day's list that a message stands in."""
    return message[6:7]


def event_of(message: str) -> str:
    """The event a message answers."""
    return message[7:33]


def _hash(text: str, length: int) -> str:
    return base64.b32encode(hashlib.sha256(text.encode()).digest()).decode().lower()[:length]


@dataclass(frozen=True, slots=True)
class Attachment:
    """A file on a message: `content` is its bytes."""

    name: str
    type: str
    content: bytes


@dataclass(frozen=True, slots=True)
class Letter:
    """A rendered message on its way to a channel.

    `to`: e-mail address, E.164 number, chat id or URL. `to_name`: the person's name or "". `attempt`: the claim's
    id. `headers`: further headers (e-mail, webhook). `payload`: the JSON body of a webhook. `marketing`: whether
    unsubscribe headers are due; `unsubscribe_url` then says where.
    """

    shop: str
    message: str
    attempt: str
    channel: str
    to: str
    to_name: str = ""
    subject: str = ""
    html: str = ""
    text: str = ""
    language: str = "en"
    purpose: str = "transactional"
    unsubscribe_url: str = ""
    headers: dict[str, str] = field(default_factory=dict)
    payload: dict[str, Any] | None = None
    attachments: tuple[Attachment, ...] = ()


@dataclass(frozen=True, slots=True)
class Sender:
    """Who a shop writes as by one channel: a plug-in and its public settings. Secrets are handed over apart."""

    shop: str
    id: str
    channel: str
    plugin: str
    name: str = ""
    config: dict[str, Any] = field(default_factory=dict)
    rate: float | None = None


@dataclass(frozen=True, slots=True)
class Receipt:
    """The provider took it: its id for the message, and any of its words worth keeping. `at`: when, UTC."""

    provider_id: str
    at: datetime
    detail: str = ""
