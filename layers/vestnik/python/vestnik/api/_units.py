"""A sellable unit as the API shows it, and the one that an address names."""

from typing import Annotated, Any, Literal

from aws_lambda_powertools.event_handler.openapi.params import Path
from pydantic import BaseModel, ConfigDict, Field

from vestnik.api import _accounts
from vestnik.api._models import Model
from vestnik.api._problems import not_found
from vestnik.domain.market import links
from vestnik.domain.market.accounts import Account

InPath = Annotated[str, Path(min_length=1, max_length=60, description="The account.")]
UnitId = Annotated[
    str,
    Path(min_length=1, max_length=200, description="The unit: Ozon's offer_id, WB's chrtID, Yandex's offerId."),
]


class LinkPart(Model):
    """An item in a link."""

    item: str = Field(min_length=1, max_length=200, description="The shop's item.", examples=["TEA-ASSAM-250"])
    quantity: int = Field(1, ge=1, le=100_000, description="So many of it make one unit.")
    priority: int = Field(0, ge=0, le=99, description="Of alternatives, the lowest is taken first.")


class UnitLink(Model):
    """Of which items a unit is made."""

    mode: Literal["kit", "alternative"] = Field("kit", description="`kit`: all parts. `alternative`: any of them.")
    parts: list[LinkPart] = Field(min_length=1, max_length=links.MOST_PARTS, description="The items.")


class Unit(BaseModel):
    """A sellable unit as its marketplace tells of it, and its link."""

    model_config = ConfigDict(extra="allow", defer_build=True)

    account: str
    unit: str = Field(description="The marketplace's key of it.")
    article: str | None = Field(None, description="The seller's own article.")
    name: str | None = None
    barcodes: list[str] = Field(default_factory=list)
    archived: bool = Field(False, description="Whether it is archived there: no stock is written to it.")
    gone: str | None = Field(
        None, description="Since when its marketplace lists it no more: no stock is written to it, its link stays."
    )
    link: UnitLink | None = Field(None, description="Null: it is not linked, and never written.")
    by: Literal["auto", "hand"] | None = Field(None, description="How it was linked.")
    url: str | None = Field(None, description="Its page, by the account's link template.")


def named(account: str, unit: str) -> tuple[Account, str]:
    """The account and the unit of an address: a unit's key may hold slashes, an account's id holds none."""
    id, _, key = f"{account}/{unit}".partition("/")
    return _accounts.find(id), key


def unknown(unit: str) -> Exception:
    """The account has no such unit."""
    return not_found("unit", unit)


def shown(account: Account, unit: dict[str, Any]) -> Unit:
    """A unit, without what only we need."""
    told = {name: value for name, value in unit.items() if name not in ("seen", "linked_at")}
    told["barcodes"] = [str(code) for code in told.get("barcodes") or []]
    told["archived"] = bool(told.get("archived"))
    for name in ("article", "name"):
        told[name] = str(told[name]) if told.get(name) is not None else None
    return Unit.model_validate({**told, "account": account.id, "url": url(account, unit)})


def url(account: Account, unit: dict[str, Any]) -> str | None:
    """A unit's page, where the account has a template of its address and the unit what that asks for."""
    from string import Formatter

    template = account.body.get("link_template")
    if not template:
        return None
    try:
        return Formatter().vformat(template, (), {k: str(v) for k, v in unit.items() if not isinstance(v, dict | list)})
    except (KeyError, ValueError, IndexError, AttributeError):
        return None
