"""Dead letters: what the queues gave up on, for the shop to look at, send on its way again, or discard.

SQS has no random access. A look receives messages until it has seen enough, hides each for a short time so that it
meets the others, and shows them all again at the end. Only letters that name the shop in their body are shown; those
of others, and those that name none (a provider's feedback), are put back unseen.
"""

import json
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from typing import Any

from vestnik import channels, plugins, resources
from vestnik.domain import masking, messages
from vestnik.errors import Refused
from vestnik.flows import parallel
from vestnik.store import ledger, sqs

MOST_SEEN = 200
HIDDEN = 20  # seconds: longer than any look takes
ENOUGH_EMPTY = 3  # receives in a row; one alone may have asked servers that hold nothing
LANES = ("", "-marketing")

type Letter = dict[str, Any]
type Held = dict[str, Letter]


def queues() -> list[str]:
    """The queues whose dead letters this function may see."""
    sending = [f"to-send-{name.replace('_', '-')}{lane}" for name in plugins.names(channels) for lane in LANES]
    return [name for name in ("to-evaluate", "to-release", "to-sync", *sending) if _granted(name)]


def _granted(queue: str) -> bool:
    return bool(resources.env(f"DEAD_{queue.replace('-', '_').upper()}", ""))


def page(shop: str, queue: str | None, limit: int) -> dict[str, Any]:
    """Up to `limit` of the shop's dead letters, masked: {items, complete}. Not `complete`: there may be more than
    this look reached. Refused `unknown-queue`."""
    names = [_known(queue)] if queue else queues()
    items, complete = list[dict[str, Any]](), True
    for name in names:
        with _look(name) as held:
            mine = [letter for letter in held.values() if _shop(letter) == shop]
            complete = complete and len(held) < MOST_SEEN
        items += [_shown(name, letter) for letter in mine]
    return {"items": items[:limit], "complete": complete and len(items) <= limit}


def show(shop: str, queue: str, id: str) -> dict[str, Any] | None:
    """One dead letter, masked, with what the ledger knows of it; None where it is not (or no longer) there."""
    with _look(_known(queue), id) as held:
        letter = _mine(shop, id, held)
    if letter is None:
        return None
    return _shown(queue, letter) | {"ledger": _known_of(shop, _body(letter))}


def redrive(shop: str, queue: str, id: str) -> bool:
    """Send a dead letter on its way again; False where it is not there. Should we die between the sending and the
    removal, it goes twice, which deciding once and claiming make harmless."""
    with _look(_known(queue), id) as held:
        if (letter := _mine(shop, id, held)) is None:
            return False
        sqs.send_one(f"queue:{queue}", letter["Body"], shop)
        _remove(queue, id, held)
    return True


def discard(shop: str, queue: str, id: str) -> bool:
    """Remove a dead letter for good; False where it is not there."""
    with _look(_known(queue), id) as held:
        if _mine(shop, id, held) is None:
            return False
        _remove(queue, id, held)
    return True


def _known(queue: str) -> str:
    if queue not in queues():
        raise Refused(f"There is no queue {queue!r}. There are: {', '.join(queues())}.", code="unknown-queue")
    return queue


@contextmanager
def _look(queue: str, wanted: str | None = None) -> Iterator[Held]:
    """Letters of a dead-letter queue by id, held until the end of the block; none after `wanted`, where it is given."""
    held: Held = {}

    def show_again(letter: Letter) -> None:
        sqs.hide(f"dead:{queue}", letter["ReceiptHandle"], 0)

    try:
        _gather(queue, wanted, held)
        yield held
    finally:
        parallel.each(show_again, held.values())


def _gather(queue: str, wanted: str | None, held: Held) -> None:
    empty = 0
    while empty < ENOUGH_EMPTY and len(held) < MOST_SEEN and wanted not in held:
        got = sqs.receive(f"dead:{queue}", limit=10, hide=HIDDEN)
        empty = 0 if got else empty + 1
        held.update({letter["MessageId"]: letter for letter in got})


def _remove(queue: str, id: str, held: Held) -> None:
    sqs.delete(f"dead:{queue}", held.pop(id)["ReceiptHandle"])


def _mine(shop: str, id: str, held: Held) -> Letter | None:
    letter = held.get(id)
    return letter if letter and _shop(letter) == shop else None


def _shop(letter: Letter) -> str | None:
    """Whose letter this is: by its body, which a door of ours wrote; a queue's group may not say otherwise."""
    shop = _body(letter).get("shop")
    group = letter.get("Attributes", {}).get("MessageGroupId", shop)
    return shop if isinstance(shop, str) and group == shop else None


def _body(letter: Letter) -> dict[str, Any]:
    try:
        body = json.loads(letter["Body"])
    except ValueError:
        return {}
    return body if isinstance(body, dict) else {}


def _shown(queue: str, letter: Letter) -> dict[str, Any]:
    body, attributes = _body(letter), letter.get("Attributes", {})
    return {
        "id": letter["MessageId"],
        "queue": queue,
        "sent": _moment(attributes.get("SentTimestamp")),
        "first_received": _moment(attributes.get("ApproximateFirstReceiveTimestamp")),
        "receives": int(attributes.get("ApproximateReceiveCount", 0)),
        "why": "Each try ended with an error that was no answer of the outside: see the function's log at these times.",
        **_names(body),
        "body": masking.impersonal(body),
    }


def _names(body: dict[str, Any]) -> dict[str, Any]:
    """What the letter is about: an event on its way to be judged, or a message on its way to be sent."""
    event = body.get("event")
    if isinstance(event, dict):
        eid = messages.event_id(str(event.get("source")), str(event.get("id")))
        return {"event": eid, "type": event.get("type"), "message": None}
    return {"event": event, "type": body.get("type"), "message": body.get("message")}


def _known_of(shop: str, body: dict[str, Any]) -> dict[str, Any]:
    """What stands in the ledger: whether the event was judged, where the message is in its life."""
    names = _names(body)
    decided = bool(names["event"] and ledger.event(shop, str(names["event"])))
    record = ledger.message(shop, str(names["message"])) if names["message"] else None
    told = {name: record.get(name) for name in ("state", "reason", "attempts", "until")} if record else {}
    return {"event_decided": decided, **told}


def _moment(milliseconds: str | None) -> str | None:
    return datetime.fromtimestamp(int(milliseconds) / 1000, UTC).isoformat() if milliseconds else None
