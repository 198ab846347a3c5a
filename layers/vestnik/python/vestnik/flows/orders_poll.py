"""Orders of an account: read what is new and what changed, before any stock is computed.

    left undone -> asked operations -> further lists: new ones, statuses of open ones
    -> new ones -> those changed since the last run -> statuses of open ones -> who will be late -> returns
    -> further lists: completed ones, and what the marketplace ships itself

The place in the marketplace's list is kept after every page: a run that is cut short goes on where it was. Reading the
same again changes nothing (see `postings.merge`).
"""

from collections.abc import Callable, Iterable, Mapping
from datetime import datetime, timedelta
from functools import partial
from itertools import takewhile
from typing import Any

from vestnik import resources
from vestnik.domain.market import expressions, postings, statuses
from vestnik.domain.market.accounts import Account
from vestnik.domain.market.postings import Posting
from vestnik.errors import Later, Refused
from vestnik.flows import calling, operations, orders_effects, orders_lists, orders_run, orders_take
from vestnik.flows.orders_engine import Engine
from vestnik.flows.orders_run import Clock, Run
from vestnik.flows.ran import Ran

OVERLAP_MINUTES = 10
SPAN_DAYS = 28
HISTORY_DAYS = 30
SOON_HOURS = 4
RETURNS_EVERY = timedelta(hours=1)
Told = Mapping[str, Any]


def run(account: Account, clock: Clock, deadline: datetime, engine: Engine = calling) -> Ran:
    """Read an account's orders; `again` where there was no time for all. Raises Later where the marketplace asks to
    wait, and dynamo.Conflict where another run overlaps (this one's lease has ended, and it stops)."""
    this = orders_run.begun(account, clock, deadline, engine)
    for step in STEPS:
        if this.late or this.more:
            return Ran(clock(), this.reading.did)
        step(this)
    return Ran(clock() if this.more else this.again, this.reading.did)


def _undone(this: Run) -> None:
    """What an earlier run could not finish, and who waits for a link."""
    entries = this.look()
    for some in orders_take.cut([entry["number"] for entry in entries if entry["due"]]):
        orders_effects.settle_all(this.account, orders_take.stored(this.account, some).values(), this.now)
    if any(entry["unlinked"] for entry in entries):
        orders_effects.resume(this.account, this.now)


def _reread(this: Run) -> None:
    """A changed table of statuses holds for those that are open, too, though there is no news of them."""
    mark = statuses.mark(this.reading.read)
    if not this.place or this.place.get("read") == mark:
        return
    for entry in this.look():
        if this.late:
            this.more = True
            return
        step = partial(_read_anew, this.reading.read, postings.moment(this.now))
        orders_take.change(this.reading, entry["number"], step)
    this.keep(read=mark)


def _read_anew(read: statuses.Statuses, at: str, body: Posting | None) -> Posting | None:
    return postings.reread(body, read, at) if body else None


def _operate(this: Run) -> None:
    """What was asked for. Where its limit is used up, orders are read all the same."""
    try:
        this.again = operations.run(this.reading, [e["number"] for e in this.entries if e["op"]], this.deadline)
    except Later as later:
        this.again = later.at or this.now + timedelta(minutes=1)


def _new(this: Run) -> None:
    """The list of unprocessed orders, where the marketplace has one: the quickest way to a new one. The list of all
    open ones is read once, when the account is connected."""
    for purpose in ("orders.new", "orders.open") if this.first else ("orders.new",):
        if this.has(purpose):
            this.pages(purpose, {})


def _listed(this: Run) -> None:
    """All that changed since the last run, a span at a time, from the page where an earlier run stopped."""
    if not this.has("orders.list"):
        return
    while _window(this):
        if not _span(this):
            this.more = True
            return


def _window(this: Run) -> bool:
    """See to it that a span is under way; False where all is read."""
    place, began = this.place, this.reading.began
    if "to" in place:
        return True
    until = postings.read_moment(place.get("until"))
    if until is not None and until >= this.started:
        return False
    overlap, history = this.number("overlap_minutes", OVERLAP_MINUTES), this.number("history_days", HISTORY_DAYS)
    since = until - timedelta(minutes=overlap) if until else began - timedelta(days=history)
    to = min(since + timedelta(days=this.number("span_days", SPAN_DAYS)), this.started)
    this.keep(began=postings.moment(began), since=postings.moment(since), to=postings.moment(to))
    return True


def _span(this: Run) -> bool:
    """Read the span under way to its end; False where time ran out."""
    place = this.place
    given = {"since": _second(place["since"]), "until": _second(place["to"])}
    read_at = this.now
    for answer in _listing(this, given, place.get("page")):
        orders_take.take(this.reading, answer.items, postings.moment(read_at))
        read_at = this.now
        if answer.next is not None:
            this.keep(page=answer.next)
            if this.late:
                return False
    this.keep(until=place["to"], since=None, to=None, page=None)
    return True


def _listing(this: Run, given: Told, start: Any) -> Iterable[calling.Answer]:
    """The pages from where the last run stopped; from the first, where that place is no longer known there."""
    try:
        yield from this.engine.pages(this.account, "orders.list", this.now, given=given, start=start)
    except Refused as refused:
        if start is None or refused.code != "refused":
            raise
        yield from this.engine.pages(this.account, "orders.list", this.now, given=given)


def _second(moment: str) -> str:
    return expressions.rfc3339(datetime.fromisoformat(moment))


def _open(this: Run) -> None:
    """Ask for the statuses of the open ones of the main list that nothing was told of in this run."""
    unheard = (e for e in this.look() if not e["closed"] and e["number"] not in this.reading.seen)
    numbers = [e["number"] for e in unheard if not orders_take.list_of(this.account, e["scheme"])]
    orders_take.ask_statuses(this.reading, numbers)


def _warn(this: Run) -> None:
    """Tell of those that will be late, and of those that are."""
    now, soon = this.now, timedelta(hours=this.number("warn_hours", SOON_HOURS))
    before = postings.moment(now + soon)
    for entry in takewhile(lambda entry: entry["sk"] < before, this.entries):
        if not entry["left"] and not entry["closed"] and entry["late"] != postings.LATE:
            orders_take.change(this.reading, entry["number"], partial(_warned, now, soon))


def _warned(now: datetime, soon: timedelta, body: Posting | None) -> Posting | None:
    return postings.warned(body, now, soon) if body else None


def _returns(this: Run) -> None:
    """What comes back, where the marketplace has a list of its own for that; once an hour. It holds nothing else up."""
    last = postings.read_moment(this.place.get("returns"))
    if not this.has("returns.list") or (last and this.started < last + RETURNS_EVERY):
        return
    since = max(this.reading.began, (last or this.started) - timedelta(days=1))
    given = {"since": expressions.rfc3339(since), "until": expressions.rfc3339(this.started)}
    try:
        for answer in this.engine.pages(this.account, "returns.list", this.now, given=given):
            for one in answer.items:
                _returned(this, one)
    except (Later, Refused) as error:
        resources.log("returns-unread", shop=this.account.shop, account=this.account.id, error=error.reason)
        return
    this.keep(returns=postings.moment(this.started))


def _returned(this: Run, one: Told) -> None:
    state = one.get("state") or statuses.returning(one.get("theirs") or {}, this.reading.read)
    if state in postings.RETURNS and one.get("number"):
        step = partial(_returning, postings.RETURNS[state], postings.moment(this.now), one)
        orders_take.change(this.reading, str(one["number"]), step)


def _returning(what: str, at: str, one: Told, body: Posting | None) -> Posting | None:
    return postings.returned(body, what, at, one) if body else None


STEPS: tuple[Callable[[Run], None], ...] = (
    *(_undone, _reread, _operate, orders_lists.new, orders_lists.statuses),
    *(_new, _listed, _open, _warn, _returns, orders_lists.completed, orders_lists.their_own),
)
