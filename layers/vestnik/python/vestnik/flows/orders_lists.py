"""The lists that a marketplace has beside its main one: of further schemes (`orders.lists` of marketplace.json), and of
what it ships from its own warehouses.

    orders.<list>.new        in each run where the account is known to use a scheme of it, else each quarter of an hour
    orders.<list>.statuses   of its open orders, in each run
    orders.<list>.list       those that are over, every six hours: nobody may have seen them when they were new
    orders.list.fbo          the marketplace's own, as its `orders.their_own` says

None of them holds anything else up: a request that must wait, or fails, is made again when its time has come, and a
long list is read over several runs.
"""

from collections import defaultdict
from collections.abc import Collection, Iterator, Mapping, Sequence
from contextlib import contextmanager
from datetime import datetime, timedelta
from itertools import batched
from typing import Any

from vestnik import marketplaces, resources
from vestnik.domain.market import expressions, postings
from vestnik.errors import Later, Refused
from vestnik.flows import orders_take
from vestnik.flows.orders_run import Run

ALWAYS = timedelta(0)
SELDOM = timedelta(minutes=15)
COMPLETED_EVERY = timedelta(hours=6)
THEIR_OWN = "orders.list.fbo"
THEIR_OWN_MINUTES = 15
THEIR_OWN_WHOLE_EVERY = timedelta(hours=6)
"""A list that goes by the time of creation is read whole so often, to see what became of older ones."""
HISTORY_DAYS, SPAN_DAYS, OVERLAP_MINUTES = 30, 28, 10


def new(this: Run) -> None:
    """Orders that nobody has taken up yet, of every further list."""
    for listing, schemes in _lists(this).items():
        purpose, used = orders_take.purpose("new", listing), _uses(this, listing, schemes)
        if _has_one_of(this, schemes) and _due(this, purpose, ALWAYS if used else SELDOM):
            with _apart(this, purpose):
                _seen(this, listing, this.pages(purpose, {}))
                if not used:
                    _note(this, purpose, {"at": postings.moment(this.started)})


def statuses(this: Run) -> None:
    """The statuses of open orders of the further lists, each asked by its own."""
    if not this.place.get("lists_used"):
        return
    numbers = defaultdict[str, list[str]](list)
    for entry in this.entries:
        if not entry["closed"] and entry["number"] not in this.reading.seen:
            numbers[orders_take.list_of(this.account, entry["scheme"])].append(entry["number"])
    for listing in _lists(this):
        purpose = orders_take.purpose("statuses", listing)
        if numbers[listing] and _due(this, purpose, ALWAYS):
            with _apart(this, purpose):
                orders_take.ask_statuses(this.reading, numbers[listing], listing)


def completed(this: Run) -> None:
    """Orders of the further lists that are over. They go by the time of creation, so all of a month are read."""
    for listing, schemes in _lists(this).items():
        purpose = orders_take.purpose("list", listing)
        if this.more or not _has_one_of(this, schemes) or not _due(this, purpose, COMPLETED_EVERY):
            continue
        with _apart(this, purpose):
            _month(this, listing, purpose)


def _month(this: Run, listing: str, purpose: str) -> None:
    told = _asked(this, purpose)
    if "page" not in told:
        days = min(this.number("history_days", HISTORY_DAYS), this.number("span_days", SPAN_DAYS))
        told |= _span(this.started - timedelta(days=days), this.started)
    if _read(this, purpose, told, listing):
        _note(this, purpose, {"at": postings.moment(this.started)})


def their_own(this: Run) -> None:
    """What the marketplace ships from its own warehouses, where it has a list of its own for that: read and shown."""
    how = marketplaces.shipped(this.account.marketplace).orders.get("their_own") or {}
    every = timedelta(minutes=how.get("every_minutes", THEIR_OWN_MINUTES))
    if this.more or not _reads(this) or not _due(this, THEIR_OWN, every):
        return
    told = _asked(this, THEIR_OWN)
    told |= {} if "page" in told else _their_span(this, told, how)
    with _apart(this, THEIR_OWN):
        if _read(this, THEIR_OWN, told):
            whole = told["until"] if told["all"] else told["whole"]
            _note(this, THEIR_OWN, {"at": told["until"], "whole": whole})


def _their_span(this: Run, told: Mapping[str, Any], how: Mapping[str, Any]) -> dict[str, Any]:
    """What of theirs is to be read now: all (`all`), or what came since the last time."""
    last, whole = postings.read_moment(told.get("at")), postings.read_moment(told.get("whole"))
    outdated = whole is None or this.started >= whole + THEIR_OWN_WHOLE_EVERY
    if last is None or (how.get("by") != "change" and outdated):
        return {"all": True, **_span(_back(this, how), this.started)}
    return {"all": False, **_span(last - _overlap(how), this.started)}


def _span(since: datetime, until: datetime) -> dict[str, str]:
    return {"since": expressions.rfc3339(since), "until": expressions.rfc3339(until)}


def _read(this: Run, purpose: str, told: Mapping[str, Any], listing: str = "") -> bool:
    """Read a list of a span from the page where an earlier run stopped, while others can spare the time; whether to its
    end. A page that is left in the middle is read again, and what is known of it by then takes no time."""
    given, read_at = {name: told[name] for name in ("since", "until")}, this.now
    for answer in this.engine.pages(this.account, purpose, read_at, given=given, start=told.get("page")):
        _seen(this, listing, len(answer.items))
        if not _taken(this, answer.items, postings.moment(read_at)):
            return False
        read_at = this.now
        if answer.next is not None:
            _note(this, purpose, {**told, "page": answer.next})
            this.more = _enough(this)
            if this.more:
                return False
    return True


def _taken(this: Run, found: Sequence[Mapping[str, Any]], read_at: str) -> bool:
    """Take a page, which may be of tens of thousands of orders; False where it has to be left in the middle."""
    did = this.reading.did
    for part in batched(found, orders_take.AT_ONCE, strict=False):
        this.more = this.reading.did > did and _enough(this)
        if this.more:
            return False
        orders_take.take(this.reading, part, read_at)
    return True


def _enough(this: Run) -> bool:
    """Whether half of the run's time is over: the other half is for the stock that is computed after it."""
    return this.now >= this.started + (this.deadline - this.started) / 2


def _back(this: Run, how: Mapping[str, Any]) -> datetime:
    """From when history is read."""
    days = this.account.body.get("history_days") or how.get("history_days")
    return this.started - timedelta(days=days or this.number("history_days", HISTORY_DAYS))


def _overlap(how: Mapping[str, Any]) -> timedelta:
    return timedelta(minutes=how.get("overlap_minutes", OVERLAP_MINUTES))


def _lists(this: Run) -> dict[str, list[str]]:
    return orders_take.lists(this.account.marketplace)


def _reads(this: Run) -> bool:
    """Whether the account has a scheme by which the marketplace ships."""
    means = marketplaces.shipped(this.account.marketplace).schemes
    return _has_one_of(this, [scheme for scheme, what in means.items() if what == postings.READ])


def _has_one_of(this: Run, schemes: Collection[str]) -> bool:
    """Whether the account has one of these schemes (none named: all)."""
    named = this.account.body.get("schemes")
    return any(scheme in schemes for scheme in named) if named else bool(schemes)


def _uses(this: Run, listing: str, schemes: Collection[str]) -> bool:
    """Whether it is known to sell by this list: it says so, has such a warehouse, or an order was seen there."""
    body = this.account.body
    there = {str(one.get("scheme")) for one in body.get("warehouses") or ()}
    said = {*(body.get("schemes") or ()), *there}
    return not said.isdisjoint(schemes) or listing in (this.place.get("lists_used") or ())


def _seen(this: Run, listing: str, count: int) -> None:
    """Note that a list has orders."""
    known = this.place.get("lists_used") or []
    if listing and count and listing not in known:
        this.keep(lists_used=[*known, listing])


def _asked(this: Run, purpose: str) -> dict[str, Any]:
    """What is noted of a request: {at?, wait?}, and where it stopped {since, until, page}."""
    return dict((this.place.get("asked") or {}).get(purpose) or {})


def _note(this: Run, purpose: str, told: Mapping[str, Any]) -> None:
    this.keep(asked={**(this.place.get("asked") or {}), purpose: dict(told)})


def _due(this: Run, purpose: str, every: timedelta) -> bool:
    """Whether a request is to be made now: it was not for so long, and it need not wait."""
    told = _asked(this, purpose)
    at, wait = postings.read_moment(told.get("at")), postings.read_moment(told.get("wait"))
    early = (at and this.started < at + every) or (wait and this.started < wait)
    return not this.late and not early and this.has(purpose)


@contextmanager
def _apart(this: Run, purpose: str) -> Iterator[None]:
    """Let what is done by a request end here where it must wait or fails, and note until when. What was refused begins
    anew: the page where it was may be known there no longer."""
    try:
        yield
    except (Later, Refused) as error:
        until, told = this.started + SELDOM, _asked(this, purpose)
        if isinstance(error, Later):
            until = error.at or until
        else:
            told = {name: at for name, at in told.items() if name in ("at", "whole")}
        _note(this, purpose, {**told, "wait": postings.moment(until)})
        resources.log(
            "list-unread", shop=this.account.shop, account=this.account.id, purpose=purpose, error=error.reason
        )
