"""Letting go of what an account's orders hold, when the account is removed.

Goods of an order that has not left are promised to a buyer, so this is done only where somebody asks for it. A posting
that was let go keeps its items: told of again (the account goes on, or is set up anew), it holds them again. What has
left stays off the stock until the shop reports its own number.
"""

from collections.abc import Callable, Iterator
from datetime import datetime

from vestnik.domain.market import postings
from vestnik.domain.market.accounts import Account
from vestnik.domain.market.postings import Posting
from vestnik.flows import orders_effects, orders_take
from vestnik.store import postings as kept
from vestnik.store.postings import Stored


def holding(account: Account) -> str | None:
    """The number of an order of the account that has not left and holds goods; None where there is none."""
    found = (one for some in _open(account) for one in some if _holds(one))
    return next((str(one.body["number"]) for one in found), None)


def let_go(account: Account, clock: Callable[[], datetime], until: datetime) -> bool:
    """Let an account's orders hold nothing more; False where there was no time for all: done again, it goes on.
    For an account whose orders nobody reads meanwhile."""
    kept.forget_place(account.shop, account.id)
    for some in _open(account):
        if clock() >= until:
            return False
        changed = [_let_go(one) for one in some]
        orders_effects.settle_all(account, [one for one in changed if one and not one.settled], clock())
    return True


def _open(account: Account) -> Iterator[list[Stored]]:
    entries = list(kept.every_open(account.shop, account.id))
    numbers = [entry["number"] for entry in entries if not entry["left"]]
    return (list(orders_take.stored(account, some).values()) for some in orders_take.cut(numbers))


def _holds(one: Stored) -> bool:
    return postings.wanted(one.body) == "hold" and bool(postings.held_items(one.body))


def _let_go(one: Stored) -> Stored | None:
    return kept.change(one.shop, *postings.parts_of(one.id), _dropped, seen=one)


def _dropped(body: Posting | None) -> Posting | None:
    return {**body, "dropped": True} if body and postings.wanted(body) == "hold" else None
