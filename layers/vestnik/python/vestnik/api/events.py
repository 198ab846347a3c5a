"""Events: why a message was or was not sent, rule by rule and person by person. (Posting them: the intake's door.)"""

from typing import Annotated, Any

from aws_lambda_powertools.event_handler.openapi.params import Query
from pydantic import Field

from vestnik.api._models import Model
from vestnik.api._problems import Fault, Problem
from vestnik.api._routes import Id, Router, caller, needs
from vestnik.api.messages import Message
from vestnik.domain.messages import event_id
from vestnik.flows import explanation

router = Router()

Source = Annotated[str, Query(min_length=1, max_length=512, description="The event's `source`.")]
OwnId = Annotated[str, Query(min_length=1, max_length=512, description="The event's own `id`.")]


class Unmet(Model):
    """A condition that did not hold."""

    field: str
    found: str
    expected: str = Field(description="The value must ...")


class Decision(Model):
    """What a rule decided for a person."""

    rule: str
    recipient: str = Field(description="`customer:42`, `staff:7`, or the kind of a fixed recipient.")
    role: str | None = Field(None, description="Why this person: the rule's kind of recipient.")
    channel: str
    message: str | None = Field(None, description="The message; null where none was due.")
    state: str = Field(description="`planned`, `merged`, `superseded`, or `skipped`, as decided.")
    reason: str | None = Field(None, description="Why, where it is not planned.")


class Judged(Model):
    """A rule that was considered."""

    id: str
    name: str
    active: bool
    matched: bool | None = Field(description="Null: the facts are gone, nobody can tell.")
    why: list[Unmet] | None = Field(description="The conditions that did not hold; empty where all did.")
    note: str = Field(description="Why nobody was told though the conditions held.")
    told: list[Decision]


class Explanation(Model):
    """What became of an event."""

    id: str = Field(description="The event in the ledger.")
    source: str
    event_id: str = Field(description="The event's own `id`.")
    type: str
    time: str
    received: str
    revision: int = Field(description="The settings under which it was judged.")
    erased: bool
    event: dict[str, Any] | None = Field(description="The event as it was kept, its secrets masked.")
    rules: list[Judged] = Field(description="Every rule considered.")
    decisions: list[Decision]
    messages: list[Message] = Field(description="Each message as it stands now.")


@router.get("/events/<id>")
@needs("read")
def get_event(id: Id) -> Explanation:
    """Explain an event: every rule considered, each person, each message, or why there is none."""
    return _explained(id)


@router.get("/events")
@needs("read", problems=(404,))
def find_event(source: Source, id: OwnId) -> Explanation:
    """Explain an event that is named by its own source and id."""
    return _explained(event_id(source, id))


def _explained(eid: str) -> Explanation:
    found = explanation.event(caller().shop, eid)
    if found is None:
        detail = "no such event was judged: it may still wait, be older than 35 days, or have never been kept"
        raise Problem(404, "not-found", detail, Fault("{id}", "names no event", eid[:100]))
    return Explanation.model_validate(found)
