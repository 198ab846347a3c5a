"""The shapes of `/v1/requests`."""

from typing import Any, Literal

from pydantic import Field

from vestnik.api._models import Model

type Json = dict[str, Any]
type Source = Literal["shipped", "own", "draft"]


class Health(Model):
    """How a definition fares."""

    state: Literal["ok", "expiring", "over", "failing", "replaced"] = Field(
        description="`ok`: nothing is known against it. `expiring`: it ends within 14 days. `over`: its time is over. "
        "`failing`: it no longer works. `replaced`: it no longer works, and `replaced_by` has taken its place."
    )
    reason: str | None = Field(None, description="What is known against it.")
    since: str | None = Field(None, description="Since when (RFC 3339).")
    replaced_by: str | None = Field(None, description="Which definition takes or has taken its place.")


class RequestListed(Model):
    """A definition, in short."""

    id: str
    marketplace: str
    colour: str = Field(description="The marketplace's colour, for lists: `#rrggbb`.")
    group: str
    title: str
    purpose: str = Field(description="What of ours it serves: `orders.list`, `stock.write` ...")
    method: str
    host: str
    path: str
    writes: bool = Field(description="Whether it changes something at the marketplace.")
    source: Source = Field(description="Whose version counts; `draft`: it was never published.")
    version: int = Field(description="The shipped version that it is, or was made from.")
    update: bool = Field(description="Whether a newer version is shipped than the one yours was made from.")
    valid_from: str | None
    valid_until: str | None
    health: Health


class Draft(Model):
    """A definition being written."""

    revision: int = Field(description="The version's number. Give it as `If-Match`.")
    at: str
    by: str
    definition: Json


class Written(Model):
    """A call as it would go on the wire."""

    method: str
    url: str
    headers: dict[str, str] = Field(description="Credentials stand as their names in braces.")
    body: Any = None


class RequestShown(RequestListed):
    """A definition, whole."""

    definition: Json | None = Field(description="The version that counts; null where it is a draft alone.")
    shipped: Json | None = Field(description="The shipped version, where there is one.")
    draft: Draft | None = Field(description="What is being written, where anything is.")
    serves: list[str] = Field(description="The accounts whose calls it makes now.")
    sample: Written | None = Field(description="As it would be sent, with the data of a documented example.")


class NewDraft(Model):
    """A version to be written."""

    definition: Json = Field(
        description="The whole definition. Its host must be one of the marketplace's own: credentials go nowhere else.",
        examples=[{"purpose": "orders.list", "method": "POST", "host": "api-seller.ozon.ru", "path": "/v4/posting"}],
    )


class Trial(Model):
    """A call to be made for real."""

    account: str = Field(min_length=1, max_length=120, description="With whose credentials and limits.")
    given: Json = Field(default_factory=dict, description="What a flow would pass: `since`, `until`, `number` ...")
    rows: list[Json] = Field(default_factory=list, max_length=1000, description="The rows of the call.")
    page: Json | None = Field(None, description="Where to go on: `cursor`, `offset`, `limit`.")
    definition: Json | None = Field(None, description="A definition that is not saved; else the draft is tried.")
    draft: bool = Field(
        True, description="The draft where there is one; else, or without one, the version that counts."
    )
    write: bool = Field(False, description="Must be true for a call that changes something at the marketplace.")


class RowOutcome(Model):
    """What became of one row."""

    ok: bool
    again: bool = Field(description="Whether it may go once more.")
    code: str
    message: str


class TrialOutcome(Model):
    """What the marketplace answered, and what that means here."""

    outcome: str = Field(
        description="As the definition judges it: `ok`, `retry`, `park`, `take-out`, `halve`, `give-up`, `gone`. "
        "`mapping`: it was answered, and the mapping does not fit the answer. `refused`: it cannot be written so. "
        "`not-sent`: a limit or the network was in the way. `unknown`: the answer was lost."
    )
    code: str = Field(description="The marketplace's word, or ours.")
    reason: str
    status: int | None = Field(description="The HTTP status.")
    sent: Json = Field(description="What was sent: `method`, `url`, `headers`, `body`; no credentials.")
    headers: dict[str, str] = Field(description="Of the answer.")
    body: str = Field(description="Of the answer, at most 20,000 characters.")
    items: list[Json] = Field(description="The first 20 things that were read in the answer, in our form.")
    count: int = Field(description="How many were read.")
    rows: dict[str, RowOutcome] = Field(description="What became of each row, by its id.")
    next: Any = Field(None, description="Where the next page begins.")


class Version(Model):
    """A definition as it was."""

    version: int = Field(description="Its number: for `rollback` and `diff`.")
    kind: Literal["draft", "published", "removed", "shipped"]
    at: str | None
    by: str | None
    definition: Json | None = Field(description="Null: removed.")


class Change(Model):
    """One difference."""

    where: str = Field(description="A JSON pointer.")
    what: Literal["added", "removed", "changed"]
    before: Any = None
    after: Any = None


class Changes(Model):
    """What differs between two versions."""

    items: list[Change]


class Rollback(Model):
    """Which version is to be in force."""

    version: int = Field(ge=0, description="Its number, as `versions` has it; 0 is the shipped one.")
