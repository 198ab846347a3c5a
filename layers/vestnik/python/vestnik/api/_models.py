"""Shapes that several resources share."""

from typing import Annotated, Literal

from aws_lambda_powertools.event_handler.openapi.params import Path
from pydantic import BaseModel, ConfigDict, Field

type Channel = Literal["email", "sms", "telegram", "webhook"]
type Purpose = Literal["transactional", "service", "marketing"]
# A setting's id stands in keys and addresses: no `#`, no spaces. Shipped ones have slashes.
SettingId = Annotated[
    str,
    Path(
        min_length=1,
        max_length=120,
        pattern=r"^[A-Za-z0-9][A-Za-z0-9._/-]*$",
        description="Its id, as you choose it; that of a shipped one changes that one for your shop.",
    ),
]


class Model(BaseModel):
    """A body or an answer: an unknown field is an error, not a silent loss. Built when first used."""

    model_config = ConfigDict(extra="forbid", strict=True, defer_build=True)


class Page[T](BaseModel):
    """A part of a list."""

    model_config = ConfigDict(extra="forbid", strict=True, defer_build=True)

    items: list[T] = Field(description="This part, in order.")
    next: str | None = Field(description="Where the next part begins: give it as `cursor`. Null: this was the last.")


class Trail(Model):
    """Where a setting comes from."""

    revision: int = Field(description="The settings revision that made it so; 0: as shipped. Give it as `If-Match`.")
    at: str | None = Field(description="When (RFC 3339).")
    by: str | None = Field(description="Who: `key:<id of the API key>`.")
    shipped: bool = Field(description="Whether it is as shipped. Changed, it is your own; deleted, as shipped again.")
