"""Dead letters: what the queues gave up on. Look at it, send it on its way again, or discard it."""

from typing import Annotated, Any

from aws_lambda_powertools.event_handler.openapi.params import Path, Query
from pydantic import Field

from vestnik.api._models import Model
from vestnik.api._problems import not_found
from vestnik.api._routes import Limit, Router, caller, needs
from vestnik.flows import dead_letters

router = Router()

Queue = Annotated[str, Path(min_length=1, max_length=80, description="The queue it fell out of.")]
OneQueue = Annotated[str | None, Query(max_length=80, description="Only those of this queue, such as `to-evaluate`.")]
LetterId = Annotated[str, Path(min_length=1, max_length=100, description="The letter's id.")]


class DeadLetter(Model):
    """A queue message that no try could deal with."""

    id: str
    queue: str = Field(description="The queue it fell out of.")
    sent: str | None = Field(description="When it was put into the queue (RFC 3339).")
    first_received: str | None = Field(description="When it was tried first.")
    receives: int = Field(description="How often it was received: tries, and looks such as this one.")
    why: str = Field(description="Why it is here, as far as a queue can tell.")
    event: str | None = Field(description="The event it is about: `/v1/events/{id}`.")
    type: str | None = Field(description="The event's type.")
    message: str | None = Field(description="The message it is about: `/v1/messages/{id}`.")
    body: dict[str, Any] = Field(description="What it says; what may be a person's is masked.")


class DeadLetters(Model):
    """The shop's dead letters."""

    items: list[DeadLetter]
    complete: bool = Field(description="False: there may be more than one look can reach.")


class Known(Model):
    """What the ledger knows of a letter."""

    event_decided: bool = Field(description="Whether the event was judged: sent again, it makes no second message.")
    state: str | None = Field(None, description="Where the message stands.")
    reason: str | None = None
    attempts: int | None = None
    until: str | None = None


class LookedAt(DeadLetter):
    """A dead letter, and what is known of what it is about."""

    ledger: Known


@router.get("/dead-letters")
@needs("operate")
def list_dead_letters(queue: OneQueue = None, limit: Limit = 50) -> DeadLetters:
    """List the shop's dead letters.

    A queue can only be looked at by receiving from it: up to 200 letters a queue are looked at.
    """
    return DeadLetters.model_validate(dead_letters.page(caller().shop, queue, limit))


@router.get("/dead-letters/<queue>/<id>")
@needs("operate")
def get_dead_letter(queue: Queue, id: LetterId) -> LookedAt:
    """Look at a dead letter."""
    found = dead_letters.show(caller().shop, queue, id)
    if found is None:
        raise not_found("dead letter", id)
    return LookedAt.model_validate(found)


@router.post("/dead-letters/<queue>/<id>/redrive", status_code=204)
@needs("operate")
def redrive_dead_letter(queue: Queue, id: LetterId) -> None:
    """Send a dead letter on its way again.

    What was decided or sent already is not decided or sent twice.
    """
    if not dead_letters.redrive(caller().shop, queue, id):
        raise not_found("dead letter", id)


@router.delete("/dead-letters/<queue>/<id>", status_code=204)
@needs("operate")
def discard_dead_letter(queue: Queue, id: LetterId) -> None:
    """Discard a dead letter for good."""
    if not dead_letters.discard(caller().shop, queue, id):
        raise not_found("dead letter", id)
