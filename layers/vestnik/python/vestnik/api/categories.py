"""Categories: the tree that an account's marketplace sorts its products by."""

from typing import Any

from pydantic import Field

from vestnik import resources
from vestnik.api import _accounts
from vestnik.api._accounts import OfAccount
from vestnik.api._models import Model
from vestnik.api._routes import Router, needs
from vestnik.flows import products

router = Router()


class Category(Model):
    """A category and those beneath it."""

    id: str
    name: str
    leaf: bool = Field(description="Whether there is none beneath it.")
    children: list[dict[str, Any]] = Field(description="The categories beneath it, each of this shape.")


class Categories(Model):
    """A marketplace's categories."""

    account: str
    items: list[Category] = Field(description="The top of the tree.")


class RefreshCategories(Model):
    """Whose categories to read anew."""

    account: str = Field(min_length=1, max_length=60, description="The account.", examples=["ozon-main"])


class Refreshed(Model):
    """What was read."""

    account: str
    count: int = Field(description="Categories in the tree.")


@router.get("/categories")
@needs("read", problems=(404,))
def read_categories(account: OfAccount) -> Categories:
    """Read the category tree of an account's marketplace, as it was last told."""
    return Categories.model_validate({"account": account, "items": products.tree(_accounts.find(account))})


@router.post("/categories/refresh")
@needs("operate", problems=(404,))
def refresh_categories(body: RefreshCategories) -> Refreshed:
    """Read the categories anew from the marketplace; once a day it is done by itself."""
    count = products.refresh_categories(_accounts.find(body.account), resources.now())
    return Refreshed(account=body.account, count=count)
