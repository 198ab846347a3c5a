"""What a marketplace tells of its postings, taken into ours: merged, kept, and its effects settled."""

from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from functools import partial
from typing import Any

from vestnik import marketplaces
from vestnik.domain.market import postings, statuses
from vestnik.domain.market.accounts import Account
from vestnik.domain.market.postings import Posting
from vestnik.domain.market.statuses import Statuses
from vestnik.errors import Refused
from vestnik.flows import announcing, orders_effects
from vestnik.flows.orders_engine import Engine
from vestnik.store import postings as kept
from vestnik.store import settings
from vestnik.store.postings import Stored

LIST = "unified"
"""The id of the setting that is the shop's own list of statuses; the others' are names of marketplaces."""
FRESH = 20.0  # seconds for which a settings revision is taken as read
UNCONNECTED = ("new", "dry", "importing")
AT_ONCE = 100
Clock = Callable[[], datetime]
Told = Mapping[str, Any]


@dataclass(slots=True)
class Reading:
    """One run's reading of an account. `began`: when it was connected; `seen`: whose status was told in this run;
    `looked`: which looks at supplies, {call, key}, this run has made; `did`: how many postings changed."""

    account: Account
    clock: Clock
    engine: Engine
    read: Statuses
    began: datetime
    seen: set[str] = field(default_factory=set)
    looked: set[tuple[str, str]] = field(default_factory=set)
    did: int = 0


def reading(account: Account, clock: Clock, engine: Engine) -> Reading:
    """A reading that begins now."""
    now = clock()
    told = kept.place(account.shop, account.id).get("began") or account.body.get("connected_at")
    began = postings.read_moment(told) or now
    return Reading(account, clock, engine, read_of(account.shop, account.marketplace, now), began)


def read_of(shop: str, marketplace: str, now: datetime) -> Statuses:
    """How a marketplace's words are read for a shop: its own table over the shipped one."""
    own = settings.current(shop, now, fresh_for=FRESH).statuses
    return statuses.statuses(marketplaces.shipped(marketplace).statuses, own.get(marketplace), own.get(LIST))


def lists(marketplace: str) -> dict[str, list[str]]:
    """The lists that a marketplace has beside its main one, each with the schemes of its orders."""
    return dict(marketplaces.shipped(marketplace).orders.get("lists") or {})


def list_of(account: Account, scheme: Any) -> str:
    """In which of its marketplace's lists orders of a scheme are; "" for the main one."""
    return next((name for name, schemes in lists(account.marketplace).items() if scheme in schemes), "")


def purpose(what: str, listing: str = "") -> str:
    """What a request of a list (`new`, `list`, `statuses`) is for."""
    return f"orders.{listing}.{what}" if listing else f"orders.{what}"


def take(this: Reading, told: Iterable[Told], read_at: str) -> None:
    """Keep what an answer tells that was asked for at `read_at`, and do what the changes ask for."""
    page = {str(one["number"]): one for one in told}
    for some in cut(list(page)):
        known = stored(this.account, some)
        bare = [number for number in some if not page[number].get("theirs") and number not in known]
        theirs = _theirs(this, [page[number] for number in bare])
        changed = [_taken(this, {**theirs.get(n, {}), **page[n]}, known.get(n), read_at) for n in some]
        news = [one for one in changed if one is not None]
        this.did += len(news)
        orders_effects.settle_all(this.account, news, this.clock())


def cut(numbers: list[str]) -> Iterable[list[str]]:
    """So many as are read at once."""
    return (numbers[at : at + AT_ONCE] for at in range(0, len(numbers), AT_ONCE))


def stored(account: Account, numbers: Iterable[str]) -> dict[str, Stored]:
    """An account's postings by their numbers, as they stand."""
    ids = [postings.id_of(account.id, number) for number in numbers]
    return {one.body["number"]: one for one in kept.get_many(account.shop, ids).values()}


def change(this: Reading, number: str, step: kept.Step) -> Stored | None:
    """Change one posting and do what that asks for."""
    after = kept.change(this.account.shop, this.account.id, number, step)
    if after is None or after.settled:
        return after
    return orders_effects.settle(this.account, after, this.clock())


def read_back(this: Reading, numbers: list[str]) -> None:
    """Ask the marketplace how these stand."""
    now = this.clock()
    if not this.engine.has(this.account, "orders.get", now):
        return ask_statuses(this, numbers)
    for number in numbers:
        now = this.clock()
        take(this, this.engine.call(this.account, "orders.get", now, given={"number": number}).items, _at(now))
    return None


def ask_statuses(this: Reading, numbers: list[str], listing: str = "") -> None:
    """Ask for the statuses of these alone, all of one list."""
    now, wanted = this.clock(), purpose("statuses", listing)
    rows = [{"number": number} for number in numbers]
    if not rows or not this.engine.has(this.account, wanted, now):
        return
    for some in this.engine.batches(this.account, wanted, rows, now):
        now = this.clock()
        take(this, this.engine.call(this.account, wanted, now, rows=some).items, _at(now))


def _at(now: datetime) -> str:
    return postings.moment(now)


def _theirs(this: Reading, bare: Iterable[Told]) -> dict[str, dict[str, Any]]:
    """The statuses of those whose list names none, so that none is held before it is known whether it has left."""
    numbers, found = defaultdict[str, list[str]](list), dict[str, dict[str, Any]]()
    for one in bare:
        numbers[list_of(this.account, one.get("scheme"))].append(str(one["number"]))
    for listing, some in numbers.items():
        found |= _theirs_in(this, some, purpose("statuses", listing))
    return found


def _theirs_in(this: Reading, numbers: list[str], wanted: str) -> dict[str, dict[str, Any]]:
    now, found = this.clock(), dict[str, dict[str, Any]]()
    if not this.engine.has(this.account, wanted, now):
        return found
    for some in this.engine.batches(this.account, wanted, [{"number": number} for number in numbers], now):
        answer = this.engine.call(this.account, wanted, this.clock(), rows=some)
        found |= {str(one["number"]): {"theirs": one["theirs"]} for one in answer.items if one.get("theirs")}
    return found


def _taken(this: Reading, one: Told, known: Stored | None, read_at: str) -> Stored | None:
    """The posting where there is something to do for it, else None."""
    market = marketplaces.shipped(this.account.marketplace)
    told = postings.normalise(one, this.account, market.schemes, market.orders.get("hours_to_ship"))
    number = told["number"]
    if told.get("theirs"):
        this.seen.add(number)
    step = partial(_merged, this, told, read_at)
    try:
        after = kept.change(this.account.shop, this.account.id, number, step, seen=known)
    except Refused as refused:
        _left_out(this, number, refused)
        return None
    if after is None or after == known:
        return None if after is None or after.settled else after
    _beside(this, one, after, read_at)
    return after


def _left_out(this: Reading, number: str, refused: Refused) -> None:
    """Tell staff, once, of a posting that cannot be kept. It holds up no other."""
    data = {"flow": "orders", "reason": refused.reason, "code": refused.code}
    id = f"{this.account.id}:{refused.code}:{number}"
    announcing.announce(this.account, "marketplace.sync_failed", id, data, this.clock())


def _merged(this: Reading, told: Posting, read_at: str, body: Posting | None) -> Posting | None:
    if body is None and "lines" not in told:
        return None  # a status of a posting that we were never told of
    created = told.get("created_at") or read_at
    quiet = this.account.state in UNCONNECTED or created < postings.moment(this.began)
    if body is not None and body.get("dropped"):
        again = postings.taken_up(body)
        return postings.merge(again, told, this.read, read_at, quiet=quiet) or again
    return postings.merge(body, told, this.read, read_at, quiet=quiet)


def _beside(this: Reading, one: Told, after: Stored, read_at: str) -> None:
    """What is kept beside a posting: its payload, and with which others it was ordered."""
    number, group = after.body["number"], after.body.get("group")
    if one.get("raw") is not None:
        kept.keep_raw(this.account.shop, this.account.id, number, one["raw"], read_at)
    if group and after.rev == 1:
        kept.join(this.account.shop, this.account.id, group, number)
