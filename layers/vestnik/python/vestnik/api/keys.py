"""API keys: who may speak for the shop, and what for."""

import hashlib
from typing import Literal

from pydantic import Field, field_validator

from vestnik import resources
from vestnik.api._models import Model, Page
from vestnik.api._paging import opened, page
from vestnik.api._problems import not_found
from vestnik.api._routes import Cursor, Id, Limit, Router, caller, needs
from vestnik.store import settings

router = Router()

Scope = Literal["ingest", "read", "operate", "admin"]


class NewKey(Model):
    """A key to be made."""

    name: str = Field(min_length=1, max_length=100, description="What it is for.", examples=["shop back end"])
    scopes: list[Scope] = Field(
        min_length=1,
        max_length=4,
        description="`ingest` posts events and nothing else. `read` reads. `operate` reads, and changes people, orders "
        "and messages. `admin` may do everything, settings and keys included.",
        examples=[["ingest", "read"]],
    )

    @field_validator("scopes")
    @classmethod
    def _each_once(cls, scopes: list[Scope]) -> list[Scope]:
        return sorted(set(scopes))


class Key(Model):
    """A key, without its text."""

    id: str = Field(description="Names the key; not a secret.")
    name: str = Field(description="What it is for.")
    scopes: list[Scope] = Field(description="What it may do.")
    at: str = Field(description="When it was made (RFC 3339).")


class MadeKey(Key):
    """A new key. Its text is shown this once and kept nowhere."""

    key: str | None = Field(
        description="The text to send as `Authorization: Bearer <key>`. Null where a repeated request gives this "
        "answer again: if the text was lost on the way, revoke this key and make another."
    )


@router.post("/keys", status_code=201)
@needs("admin", hidden=("key",), links={"revoke": ("revoke_key", {"id": "$response.body#/id"})})
def create_key(body: NewKey) -> MadeKey:
    """Make an API key.

    It is in force at once.
    """
    now = resources.now()
    id, text = resources.new_id(6), f"vst_{resources.new_id(24)}"
    digest = hashlib.sha256(text.encode()).hexdigest()
    settings.create_key(caller().shop, id, digest, list(body.scopes), body.name, now)
    return MadeKey(id=id, name=body.name, scopes=body.scopes, at=now.isoformat(), key=text)


@router.get("/keys")
@needs("admin")
def list_keys(limit: Limit = 50, cursor: Cursor = "") -> Page[Key]:
    """List the API keys in force."""
    keys, more = settings.key_page(caller().shop, limit, opened("keys", cursor))
    return page("keys", keys, more, Key)


@router.delete("/keys/<id>", status_code=204)
@needs("admin", problems=(404,))
def revoke_key(id: Id) -> None:
    """Revoke an API key.

    It is out of force within 60 seconds. A key may revoke itself.
    """
    if not settings.revoke_key(caller().shop, id):
        raise not_found("key", id)
