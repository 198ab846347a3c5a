"""Outcomes: what became of a message, in words that hold for every channel and provider."""

from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum


class Outcome(StrEnum):
    """One sentence a word."""

    ACCEPTED = "accepted"  # the provider took the message and will try
    DELIVERED = "delivered"  # the recipient's server or handset has it
    DELAYED = "delayed"  # not yet delivered; the provider goes on trying
    BOUNCED = "bounced"  # it will not arrive
    COMPLAINED = "complained"  # the recipient called it spam
    OPENED = "opened"  # the recipient looked at it
    CLICKED = "clicked"  # the recipient followed a link in it
    REJECTED = "rejected"  # the provider refused to send it
    UNSUBSCRIBED = "unsubscribed"  # the recipient asked for no more
    UNKNOWN = "unknown"  # a word of the provider's that we do not know; kept, never an error


@dataclass(frozen=True, slots=True)
class Feedback:
    """What a provider reported of one message.

    `provider_id`: the provider's id of the message. `message`, `shop`, `attempt`: our own, as they rode in the
    provider's tags ("" where it carries none). `at`: when it happened (UTC). `recipients`: addresses concerned.
    `suppress`: whether these addresses must get no more. `raw_type`, `detail`: the provider's own words.
    """

    outcome: Outcome
    provider_id: str
    at: datetime | None = None
    shop: str = ""
    message: str = ""
    attempt: str = ""
    recipients: tuple[str, ...] = ()
    suppress: bool = False
    raw_type: str = ""
    detail: str = ""
    link: str | None = None
    user_agent: str | None = None
    tags: dict[str, list[str]] = field(default_factory=dict)
    bounce_type: str | None = None
    sub_type: str | None = None
