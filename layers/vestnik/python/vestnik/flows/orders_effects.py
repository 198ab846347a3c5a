"""What a posting's change asks of the stock and of people, done until it is done.

    posting changed (rev) -> which items, decided once -> held, let go or gone -> told -> applied = rev

What it takes of the stock is noted with it once that is done (`takes`): a change of anything else touches no stock.
Each step is computed from the posting as it stands and may be done again: a run that dies in between is made good by
the next. Of a split, the part takes its goods first and the parent lets go after: for a moment less is for sale, never
more, and never twice in the end.
"""

import hashlib
import json
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from vestnik.domain.market import posting_lines, postings, stock
from vestnik.domain.market.accounts import Account
from vestnik.domain.market.postings import Posting
from vestnik.flows import accounts, announcing, stock_holds
from vestnik.store import goods, units
from vestnik.store import postings as kept
from vestnik.store.postings import Stored

UNLINKED = "unlinked"
Links = Mapping[str, Mapping[str, Any]]


@dataclass(frozen=True, slots=True)
class Takes:
    """What a posting is to take of the stock: of which items how many, out of which of the shop's warehouses (none
    named: any); since when they are gone ("": they are not)."""

    items: Mapping[str, int]
    warehouses: Sequence[str]
    gone_at: str

    @property
    def mark(self) -> str:
        """Short, and another for whatever else is taken."""
        told = json.dumps([sorted(self.items.items()), list(self.warehouses), self.gone_at])
        return hashlib.sha256(told.encode()).hexdigest()[:16]


def settle(account: Account, stored: Stored, now: datetime) -> Stored:
    """Do what the posting asks for, and note it as done; the posting as it is then."""
    again = False
    while again or not stored.settled:
        stored = _decide(account, stored, now)
        takes = _takes(account, stored.body)
        if again or takes.mark != stored.body.get("takes"):
            _hold(stored, takes, now)
        _take_over(account, stored, now)
        told = [_tell(account, event, now) for event in stored.body["tell"]]
        after = kept.applied(stored, told, takes.mark)
        # Who came between may have let go what was just held again: what it is now has the last word.
        again = after is None
        stored = after or _again(stored)
    return stored


def _again(stored: Stored) -> Stored:
    account, number = postings.parts_of(stored.id)
    found = kept.get(stored.shop, account, number)
    if found is None:
        raise RuntimeError(f"posting {stored.id} is gone")
    return found


def settle_all(account: Account, changed: Iterable[Stored], now: datetime) -> list[Stored]:
    """Settle postings: first those that take, parts of a split before all, then those that give back."""
    order = sorted(changed, key=lambda one: (postings.wanted(one.body) != "hold", not one.body.get("parent")))
    return [settle(account, one, now) for one in order]


def linked(shop: str, account: str, unit: str | Collection[str], now: datetime) -> int:
    """Let the orders go on that waited for a unit (or several) to be linked; how many did."""
    wanted = {unit} if isinstance(unit, str) else set(unit)
    found = accounts.load(shop, account, now)
    return resume(found, now, wanted) if found else 0


def resume(account: Account, now: datetime, wanted: Collection[str] = ()) -> int:
    """Look again at an account's orders that wait for a link (`wanted`: those with one of these units)."""
    ids = [postings.id_of(account.id, e["number"]) for e in kept.every_open(account.shop, account.id) if e["unlinked"]]
    count = 0
    for one in kept.get_many(account.shop, ids).values():
        waits = {line["unit"] for line in one.body["lines"]}
        if (wanted and waits.isdisjoint(wanted)) or not _moves(account, one, now):
            continue
        settle(account, _decide(account, one, now), now)
        count += 1
    return count


def _moves(account: Account, one: Stored, now: datetime) -> bool:
    return _decided(account, one.shop, one.body, now) is not None


def _decide(account: Account, stored: Stored, now: datetime) -> Stored:
    """Decide of which items the posting's goods are, for what was not decided before; keep who waits for a link."""
    if postings.wanted(stored.body) == "nothing":
        return stored
    account_id, number = postings.parts_of(stored.id)
    step = _step(account, stored.shop, now)
    return kept.change(stored.shop, account_id, number, step, seen=stored) or stored


def _step(account: Account, shop: str, now: datetime) -> kept.Step:
    return lambda body: _decided(account, shop, body, now) if body else None


def _decided(account: Account, shop: str, body: Posting, now: datetime) -> Posting | None:
    """The posting with its items decided; None where nothing changes."""
    held = dict(body.get("held") or {})
    if body.get("parent"):
        parent = kept.get(shop, account.id, body["parent"])
        held = {**postings.inherited(body, parent.body if parent else None), **held}
    open_units = [unit for unit in posting_lines.quantities(body) if unit not in held]
    found = units.get_many(shop, account.id, open_units) if open_units else {}
    before, body = body, posting_lines.named(body, found)
    links = {unit: one["link"] for unit, one in found.items() if (one.get("link") or {}).get("parts")}
    left = _available(shop, links, warehouses(account, body))
    amount = posting_lines.quantities(body)
    held |= {unit: postings.hold_of(link, amount[unit], left) for unit, link in links.items()}
    missing = postings.unlinked(body, held)
    after = {**body, "held": held, "held_up": UNLINKED if missing else None}
    if missing and not body["told"].get("order_unlinked") and not _quiet(body):
        lines = [{**posting_lines.goods_of(body, line), "unit": line["unit"] or "?"} for line in missing]
        after = postings.telling(after, "order_unlinked", postings.moment(now), units=posting_lines.fitting(lines))
    return None if after == {"held_up": None, "held": {}, **before} else after


def _quiet(body: Posting) -> bool:
    """History is kept, held back and listed, but notifies nobody; and what has left waits for nobody."""
    return bool(body["left"] or body["imported"])


def _available(shop: str, links: Links, where: Collection[str]) -> dict[str, int | None]:
    """What is left of the items among which there is a choice."""
    choice = {p["item"] for link in links.values() if link.get("mode") == "alternative" for p in link["parts"]}
    found = goods.items(shop, choice) if choice else {}
    return {id: stock.available(item, where) for id, item in found.items()}


def warehouses(account: Account, body: Posting) -> list[str]:
    """The shop's warehouses that a posting's goods may come from (none named: any)."""
    told = account.body.get("warehouses") or ()
    takes = [one.get("takes") or [] for one in told if str(one["id"]) == body.get("warehouse")]
    return sorted(takes[0]) if takes else []


def _takes(account: Account, body: Posting) -> Takes:
    wanted = postings.wanted(body)
    items = postings.held_items(body) if wanted != "nothing" else {}
    return Takes(items, warehouses(account, body), body["left_at"] if wanted == "gone" else "")


def _hold(stored: Stored, takes: Takes, now: datetime) -> None:
    """Bring the holds in line with what the posting wants of them."""
    parts = {part["item"] for held in (stored.body.get("held") or {}).values() for part in held["parts"]}
    if takes.items:
        stock_holds.reserve(stored.shop, stored.id, takes.items, takes.warehouses, now)
    if takes.gone_at and takes.items:
        stock_holds.consume(stored.shop, stored.id, list(takes.items), takes.gone_at, now)
    if let_go := sorted(parts - takes.items.keys()):
        stock_holds.release(stored.shop, stored.id, let_go, now)


def _take_over(account: Account, child: Stored, now: datetime) -> None:
    """After a part of a split holds its goods, its parent lets go of them."""
    number = child.body.get("parent")
    if not number or number == child.body["number"] or not child.body.get("held"):
        return
    parent = kept.change(
        child.shop, account.id, number, lambda body: postings.split(body, child.body) if body else None
    )
    if parent is not None and not parent.settled:
        settle(account, parent, now)


def _tell(account: Account, event: Mapping[str, Any], now: datetime) -> str:
    actor = {"kind": "marketplace", "id": account.marketplace}
    data = {"order": event["order"], **event.get("more", {}), "actor": actor}
    announcing.announce(account, event["type"], event["id"], data, now, at=event["time"])
    id: str = event["id"]
    return id
