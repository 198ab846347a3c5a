"""The flows of an account by their names: who does them, in which order, and when they may run."""

from collections.abc import Callable
from datetime import datetime
from typing import Any

from vestnik.domain.market.accounts import Account
from vestnik.flows import accounts, definition_watch, notifications, products, stock_fbo, warehouses

Clock = Callable[[], datetime]

WOKEN = ("stock",)
"""What changes wake most of all: whatever finds a run under way waits for its end, for that may have read before."""
AT_ONCE = ("credentials", "gone", "no-definition")
"""Failures that do not pass by themselves."""
WITHOUT_CONNECTION = ("products", "health", "dry")


def order(flow: str) -> tuple[str, ...]:
    """What a flow's message does, in order: stock is computed from the newest orders."""
    return ("orders", "stock") if flow == "stock" else (flow,)


def may(account: Account, flow: str) -> bool:
    """Whether a flow may run for an account as it stands: orders and stock only of a connected one."""
    return account.state == "connected" or (flow in WITHOUT_CONNECTION and account.state != "paused")


def run(account: Account, flow: str, clock: Clock, until: datetime) -> datetime | None:
    """Run a flow until it is done or the time is up; when it wants to go on. Raises what calls raise."""
    done = FLOWS[flow](account, clock, until)
    return getattr(done, "again", None)


def _health(account: Account, clock: Clock, until: datetime) -> None:
    """Once a day: credentials, counts, and what the marketplace seldom changes."""
    accounts.watch(account, clock())
    warehouses.refresh(account, clock())
    products.refresh_categories(account, clock())
    stock_fbo.read(account, clock())
    if account.state == "connected":
        notifications.ask_for(account, clock())  # who answered badly for a day is told nothing any more


def _products(account: Account, clock: Clock, until: datetime) -> Any:
    """Once an hour; and what is due of the definitions by which all is asked."""
    definition_watch.look(account, clock())
    return products.run(account, clock, until)


def _orders(account: Account, clock: Clock, until: datetime) -> Any:
    from vestnik.flows import orders_poll

    return orders_poll.run(account, clock, until)


def _stock(account: Account, clock: Clock, until: datetime) -> Any:
    from vestnik.flows import stock_send

    return stock_send.run(account, clock, until)


def _readback(account: Account, clock: Clock, until: datetime) -> Any:
    from vestnik.flows import stock_readback

    return stock_readback.all(account, clock, until)


def _dry(account: Account, clock: Clock, until: datetime) -> Any:
    from vestnik.flows import connecting

    return connecting.dry(account, clock, until)


FLOWS: dict[str, Callable[[Account, Clock, datetime], Any]] = {
    "orders": _orders,
    "stock": _stock,
    "readback": _readback,
    "products": _products,
    "health": _health,
    "dry": _dry,
}
