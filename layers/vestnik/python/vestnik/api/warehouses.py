"""Warehouses: those a marketplace has for an account, and which of the shop's stock each takes."""

from typing import Annotated

from aws_lambda_powertools.event_handler.openapi.params import Path
from pydantic import Field

from vestnik import resources
from vestnik.api import _accounts, _kept
from vestnik.api._accounts import OfAccount
from vestnik.api._models import Model
from vestnik.api._problems import not_found
from vestnik.api._routes import Router, needs
from vestnik.api._units import InPath
from vestnik.flows import warehouses

router = Router()

WarehouseId = Annotated[str, Path(min_length=1, max_length=100, description="The marketplace's id of the warehouse.")]


class Ours(Model):
    """What we take a marketplace's warehouse for."""

    takes: list[Annotated[str, Field(min_length=1, max_length=100)]] = Field(
        default_factory=list, max_length=100, description="The shop's warehouses whose stock it shows; none named: all."
    )
    active: bool = Field(True, description="Whether stock is sent to it.")


class Warehouse(Ours):
    """A marketplace's warehouse."""

    account: str
    id: str
    name: str
    scheme: str | None = Field(description="The scheme it belongs to.")
    open: bool = Field(description="Whether it is in use there.")
    worked: bool = Field(description="Whether we send stock to warehouses of its scheme at all.")


class Warehouses(Model):
    """The warehouses of an account."""

    items: list[Warehouse]


class RefreshWarehouses(Model):
    """Whose warehouses to read anew."""

    account: str = Field(min_length=1, max_length=60, description="The account.", examples=["ozon-main"])


@router.get("/warehouses")
@needs("read", problems=(404,))
def list_warehouses(account: OfAccount) -> Warehouses:
    """List an account's warehouses, as they were last told, and what each takes."""
    return _shown(account)


@router.post("/warehouses/refresh")
@needs("operate", problems=(404,))
def refresh_warehouses(body: RefreshWarehouses) -> Warehouses:
    """Read an account's warehouses anew from the marketplace; once a day it is done by itself."""
    warehouses.refresh(_accounts.find(body.account), resources.now())
    return _shown(body.account)


@router.put("/warehouses/<account>/<warehouse>")
@needs("operate", problems=(404,))
def put_warehouse(account: InPath, warehouse: WarehouseId, body: Ours) -> Warehouse:
    """Say which of the shop's warehouses feed one of theirs, and whether stock is sent to it at all.

    What it showed so far is sent anew with the next run.
    """
    owner = _accounts.find(account)
    told = warehouses.change(owner, warehouse, body.takes, body.active, by=_kept.me(), now=resources.now())
    if told is None:
        raise not_found("warehouse", warehouse)
    return Warehouse.model_validate(told)


def _shown(account: str) -> Warehouses:
    return Warehouses.model_validate({"items": warehouses.both(_accounts.find(account))})
