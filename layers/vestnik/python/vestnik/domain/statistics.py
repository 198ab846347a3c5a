"""What is counted of a message: words that, once true of its record, stay true. So the change between two states
of a record is what it adds to the sums, and the sums over final records are the same figures."""

from collections import Counter
from collections.abc import Iterable, Mapping
from typing import Any

from vestnik.domain.messages import State

Row = tuple[str, str, str, str, str]  # shop, day (yymmdd), channel, rule, template

FACTS = ("accepted", "delivered", "bounced", "complained", "opened", "clicked", "rejected", "unsubscribed")
ENDS = {
    State.FAILED: "failed",
    State.GIVEN_UP: "given_up",
    State.SUPPRESSED: "suppressed",
    State.CANCELLED: "cancelled",
    State.SUPERSEDED: "superseded",
    State.EXPIRED: "expired",
}
# A message that is sent was accepted by its provider, whether or not that was reported besides.
SIGNS = (("sent", "sent_at"), ("accepted", "sent_at"), ("deferred", "deferred_at"))
COUNTED = ("messages", "deferred", "sent", "doubtful", *FACTS, *ENDS.values())


def counted(message: Mapping[str, Any]) -> set[str]:
    """The words of COUNTED that are true of a message's record."""
    words = {"messages"} | {fact for fact in FACTS if f"{fact}_at" in message}
    words |= {word for word, sign in SIGNS if sign in message}
    words |= {"doubtful"} if message.get("doubtful") else set()
    return words | ({ENDS[State(message["state"])]} if message.get("state") in ENDS else set())


def row(message: Mapping[str, Any]) -> Row:
    """Which sum a message belongs to. Its partition is `<shop>#m#<day>#<slot>`."""
    shop, _, day, _ = message["pk"].split("#")
    return shop, day, message["channel"], message["rule"], message["template"]


def change(old: Mapping[str, Any], new: Mapping[str, Any]) -> set[str]:
    """What a change of a record adds to its sum."""
    return counted(new) - (counted(old) if old else set())


def sums(messages: Iterable[Mapping[str, Any]]) -> dict[Row, Counter[str]]:
    """The sums of whole records (a recount)."""
    found: dict[Row, Counter[str]] = {}
    for message in messages:
        found.setdefault(row(message), Counter()).update(counted(message))
    return found
