"""Accounts of the demo shop at the feed's twin: set up as a user does it, over the API."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from infra.twins.feed import FeedTwin
from infra.world import World
from infra.world.http_api import Response
from tests.asking import Shop
from vestnik import resources
from vestnik.flows import stock_keep

TOKEN = "feed-one"  # noqa: S105


def twin[Twin](world: World, marketplace: str, kind: type[Twin]) -> Twin:
    """A marketplace's twin, as what it is."""
    found = world.markets[marketplace]
    assert isinstance(found, kind)
    return found


def twin_of(world: World) -> FeedTwin:
    """The feed's twin."""
    return twin(world, "feed", FeedTwin)


def body(token: str = TOKEN, **more: Any) -> dict[str, Any]:
    """An account at the feed."""
    return {"marketplace": "feed", "name": "Feed", "credentials": {"token": token}, **more}


def account(shop: Shop, id: str, token: str = TOKEN, **more: Any) -> Response:
    """Write an account whose cabinet there is (a new, empty one)."""
    twin_of(shop.world).add_account(token)
    answer = shop.put(f"accounts/{id}", body(token, **more))
    assert answer.status == 200, answer.text
    return answer


def imported(shop: Shop, id: str) -> dict[str, Any]:
    """Import an account's products, and wait for it."""
    assert shop.post("products/import", {"account": id}).status == 202
    shop.world.settle()
    state: dict[str, Any] = shop.get(f"products/import?account={id}").json()
    assert not state["running"], state
    return state


@contextmanager
def as_door(world: World, function: str = "sync-accounts") -> Iterator[None]:
    """Run a block with what the map grants a function."""
    with resources.use(world.account.variables(world.account.functions[function])):
        yield


def stock(shop: Shop, **quantities: int) -> None:
    """Tell the shop's stock in its one warehouse."""
    rows = [{"item": item, "warehouse": "main", "quantity": n} for item, n in quantities.items()]
    with as_door(shop.world, "manage-shop"):
        stock_keep.keep("demo", rows, shop.world.now())
