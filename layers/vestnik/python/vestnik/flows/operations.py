"""Operations: what a person or the shop's system asks for is done on the marketplace's side and read back.

    asked (kept with the posting) -> how does it stand there? -> step by step, what is left to do -> read back -> done

Nothing is done twice: before a step that may have been done its `unless` looks at what was read back, a supply's step
is noted with the supply (one that makes it: before it is asked for, too), and a step that is done with the posting.
Only what is then seen there counts.
"""

import json
from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from functools import partial
from typing import Any

from vestnik import marketplaces
from vestnik.domain.market import operations, postings
from vestnik.domain.market.accounts import Account
from vestnik.domain.market.postings import Posting
from vestnik.errors import Refused, Unknown
from vestnik.flows import calling, orders_effects, orders_take
from vestnik.flows.orders_engine import Engine
from vestnik.flows.orders_take import Clock, Reading
from vestnik.store import postings as kept
from vestnik.store import supplies
from vestnik.store.postings import Stored

FAILED_SHIP = "ship_failed"
Seen = Mapping[str, Any]


def ask(account: Account, number: str, to: str, given: Mapping[str, Any], now: datetime) -> Stored | None:
    """Keep the wish that a posting be packed, handed over or cancelled, or that its buyer be answered; the account's
    next run does it. None where there is no such posting. Refused where it cannot be asked."""
    shipped = marketplaces.shipped(account.marketplace).operations

    def step(body: Posting | None) -> Posting | None:
        if body is None:
            return None
        operations.check(body, to, shipped)
        after = operations.asked(body, to, given, postings.moment(now))
        return None if after == body else after

    after = kept.change(account.shop, account.id, number, step)
    return orders_effects.settle(account, after, now) if after and not after.settled else after


def change(
    account: Account, posting: str, to: str, given: Mapping[str, Any], clock: Clock, engine: Engine = calling
) -> Stored | None:
    """Ask for one posting's change and do it at once; the posting as it then stands. For flows that hold the account's
    lease on orders."""
    if ask(account, posting, to, given, clock()) is None:
        return None
    _do(orders_take.reading(account, clock, engine), [posting])
    return kept.get(account.shop, account.id, posting)


def run(this: Reading, numbers: list[str], deadline: datetime) -> datetime | None:
    """Do what is asked for of these of an account's postings, and look after what is under way; when the next of it
    wants to be looked at again (None: nothing waits)."""
    for some in orders_take.cut(numbers):
        if this.clock() >= deadline:
            return this.clock()
        _do(this, [n for n, one in _working(this, some).items() if _again_at(one) <= _at(this)])
    left = [_again_at(one) for some in orders_take.cut(numbers) for one in _working(this, some).values()]
    return postings.read_moment(min((at for at in left if at > _at(this)), default=None))


def _again_at(one: Stored) -> str:
    """Before when there is no use in another try; "": it may be tried now."""
    found: str = one.body["operation"].get("again_at") or ""
    return found


def _do(this: Reading, numbers: list[str]) -> None:
    """One round: read back what was tried before, the steps for all that is left, and read back what was done."""
    tried = [n for n, one in _working(this, numbers).items() if one.body["operation"]["state"] == operations.RUNNING]
    orders_take.read_back(this, tried)
    _conclude(this, tried)
    left = _working(this, numbers)
    for number in left.keys() - set(tried):
        # Before the first step: a run that dies in it must find that it may have been done.
        _note(this, number, lambda body: operations.moved(body, state=operations.RUNNING))
    for to in sorted({one.body["operation"]["to"] for one in left.values()}):
        some = [n for n, one in left.items() if one.body["operation"]["to"] == to]
        _steps(this, to, some)
    done = list(_working(this, list(left)))
    orders_take.read_back(this, done)
    _conclude(this, done, last=True)


def _working(this: Reading, numbers: Iterable[str]) -> dict[str, Stored]:
    found = orders_take.stored(this.account, numbers)
    return {n: one for n, one in found.items() if (one.body.get("operation") or {}).get("state") in kept.WORKING}


def _steps(this: Reading, to: str, numbers: list[str]) -> None:
    for position, step in enumerate(marketplaces.shipped(this.account.marketplace).operations[to]):
        todo = _todo(this, position, step, _working(this, numbers))
        if step.get("rows") and step.get("each") != "supply":
            _in_rows(this, position, step, todo)
            continue
        ended = set[str]()
        for number, seen in todo.items():
            if number not in ended:
                ended |= _one(this, position, step, number, seen, todo)


def _todo(this: Reading, position: int, step: operations.Step, found: Mapping[str, Stored]) -> dict[str, Seen]:
    """Who needs a step, with what its expressions see. Who failed at the step before is not among them."""
    todo = dict[str, Seen]()
    for number, one in found.items():
        operation = one.body["operation"]
        if position in operation.get("done", ()) or operation.get("waits"):
            continue
        seen = _seen(this, step, one.body)
        if operations.skips(step, seen):
            _note(this, number, partial(_done, position, _key(step, seen), {}))
        else:
            todo[number] = seen
    return todo


def _seen(this: Reading, step: operations.Step, body: Posting) -> dict[str, Any]:
    account = {"id": this.account.id, "settings": this.account.settings}
    now = postings.moment(this.clock())
    seen = operations.document(body, account, {}, now)
    # What the supply's step kept is seen by the posting's steps after it, by the same key.
    key = (body["operation"].get("key") or "") if step.get("each") != "supply" else operations.key_of(step, seen)
    of_supply = supplies.filling(this.account.shop, this.account.id, key) if key else {}
    return {**operations.document(body, account, of_supply.get("kept") or {}, now), "key": key}


def _one(
    this: Reading, position: int, step: operations.Step, number: str, seen: Seen, todo: Mapping[str, Seen]
) -> set[str]:
    """One posting's step, or its supply's, which the first of its postings does for all; for whom it came to no
    answer."""
    key = seen["key"] if step.get("each") == "supply" else ""
    if key and _is_done(this, step, key):
        _note(this, number, partial(_done, position, _key(step, seen), {}))
        return set()
    together = [n for n, one in todo.items() if one["key"] == key] if key else [number]
    given = operations.given_of(step, seen)
    if key and step.get("keep") and not step.get("pick") and _can_look(this, seen):
        supplies.ask(this.account.shop, this.account.id, key, given)
    answer = _call(this, step, together, given, operations.rows_of(step, seen))
    if answer is None:
        if key:
            _anew(this, key, given if _working(this, together) else {})
        return set(together)
    if why := _wrong(step, seen, answer):
        _note(this, number, partial(_refused, this, *why))
        return set()
    _took(this, position, step, number, seen, operations.kept_of(step, answer.items))
    return set()


def _can_look(this: Reading, seen: Seen) -> bool:
    """Whether the operation can look for what may have been made."""
    steps = marketplaces.shipped(this.account.marketplace).operations[seen["posting"]["operation"]["to"]]
    return any(step.get("pick") for step in steps)


def _anew(this: Reading, key: str, in_doubt: Mapping[str, Any]) -> None:
    """What was read of a supply is to be read anew; what was asked for and never answered is to be looked for."""
    if in_doubt:
        supplies.doubt(this.account.shop, this.account.id, key, in_doubt)
    else:
        supplies.forget(this.account.shop, this.account.id, key)


def _took(
    this: Reading, position: int, step: operations.Step, number: str, seen: Seen, told: Mapping[str, Any]
) -> None:
    """A step is done: keep what it told, with the posting or with its supply."""
    if "supply" in step.get("drop", ()) and seen["posting"].get("supply"):
        supplies.close(this.account.shop, this.account.id, seen["posting"]["supply"], _at(this))
    if step.get("each") == "supply" and seen["key"]:
        _filled(this, step, seen["key"], told, seen["posting"])
    change = _key(step, seen) or ({"kept": told} if told else {})
    _note(this, number, partial(_done, position, change, operations.facts_of(step, seen)))


def _key(step: operations.Step, seen: Seen) -> dict[str, Any]:
    """By what a posting's later steps find what its supply's step kept."""
    return {"key": seen["key"]} if step.get("each") == "supply" and seen["key"] else {}


def _is_done(this: Reading, step: operations.Step, key: str) -> bool:
    """Whether a supply's step is done. What a run saw is not what the next one would see."""
    if step.get("look"):
        return (step["call"], key) in this.looked
    return step["call"] in supplies.filling(this.account.shop, this.account.id, key).get("done", ())


def _wrong(step: operations.Step, seen: Seen, answer: calling.Answer) -> tuple[bool, str, str] | None:
    """Why an answered step did not happen: (may it be tried again, code, message); None where it did."""
    bad = next((one for one in answer.outcomes.values() if not one.ok), None)
    if bad is not None:
        return bad.again, bad.code, bad.message
    if not operations.expected(step, seen, answer.items):
        return True, "unconfirmed", "it is not seen to be so yet"
    return None


def _filled(this: Reading, step: operations.Step, key: str, told: Mapping[str, Any], body: Posting) -> None:
    """Keep what a supply's step answered, and of a supply that it made a record."""
    shop, account = this.account.shop, this.account.id
    if told.get("supply"):
        about = {"warehouse": body.get("warehouse"), "cargo": body.get("cargo"), "created_at": _at(this)}
        supplies.put(shop, account, str(told["supply"]), **about)
    supplies.fill(shop, account, key, told, step["call"])
    this.looked.add((step["call"], key))


def _in_rows(this: Reading, position: int, step: operations.Step, todo: Mapping[str, Seen]) -> None:
    """A step of many postings in as few calls as fit; each posting by its own row's outcome."""
    groups: dict[str, tuple[dict[str, Any], list[dict[str, Any]]]] = {}
    for seen in todo.values():
        given = operations.given_of(step, seen) if "given" in step else {}
        rows = groups.setdefault(json.dumps(given, sort_keys=True), (given, []))[1]
        rows += operations.rows_of(step, seen)
    for given, rows in groups.values():
        for batch in this.engine.batches(this.account, step["call"], rows, this.clock()):
            _batch(this, position, step, given, batch, todo)


def _batch(
    this: Reading,
    position: int,
    step: operations.Step,
    given: dict[str, Any],
    batch: Sequence[Mapping[str, Any]],
    todo: Mapping[str, Seen],
) -> None:
    """One call of such a step."""
    numbers = [str(row["number"]) for row in batch]
    answer = _call(this, step, numbers, given, batch)
    if answer is None:
        if not _working(this, numbers):  # refused; where an answer was lost it may well have taken them
            _given_up(this, todo, numbers)
        return
    for number in numbers:
        outcome = answer.outcomes.get(number)
        if outcome is not None and not outcome.ok:
            _note(this, number, partial(_refused, this, outcome.again, outcome.code, outcome.message))
        else:
            _note(this, number, partial(_done, position, {}, operations.facts_of(step, todo[number])))
    if all(number in answer.outcomes and not answer.outcomes[number].ok for number in numbers):
        _given_up(this, todo, numbers)


def _given_up(this: Reading, todo: Mapping[str, Seen], numbers: Iterable[str]) -> None:
    """A supply that takes nothing any more (perhaps it was handed over by hand) is filled no more."""
    for key in {todo[number]["key"] for number in numbers} - {""}:
        supplies.forget(this.account.shop, this.account.id, key)


def _call(
    this: Reading,
    step: operations.Step,
    numbers: list[str],
    given: Mapping[str, Any],
    rows: Sequence[Mapping[str, Any]],
) -> calling.Answer | None:
    """A step's call; None where it did not come to an answer, which is noted with its postings. Later goes on up: the
    account's run comes again."""
    try:
        if step.get("pick"):
            return _picked(this, step, given)
        return this.engine.call(this.account, step["call"], this.clock(), given=given, rows=rows)
    except Refused as refused:
        how = partial(_refused, this, False, refused.code, refused.reason)
    except Unknown as unknown:
        how = partial(_refused, this, True, "unknown", str(unknown))
    for number in numbers:
        _note(this, number, how)
    return None


def _picked(this: Reading, step: operations.Step, given: Mapping[str, Any]) -> calling.Answer:
    """The last of a whole list that is as given, if any is."""
    pages = this.engine.pages(this.account, step["call"], this.clock(), given=given)
    alike = [item for page in pages for item in page.items if given.items() <= item.items()]
    return calling.Answer(items=alike[-1:])


def _note(this: Reading, number: str, how: Any) -> None:
    """Note with a posting how its operation went; it stays as it is where that is over."""

    def step(body: Posting | None) -> Posting | None:
        if body is None or (body.get("operation") or {}).get("state") not in kept.WORKING:
            return None
        after: Posting | None = how(body)
        return None if after == body else after

    orders_take.change(this, number, step)


def _done(position: int, change: Mapping[str, Any], facts: Mapping[str, Any], body: Posting) -> Posting:
    operation = body["operation"]
    done = sorted({*operation.get("done", ()), position})
    merged = {**change, "kept": {**(operation.get("kept") or {}), **change.get("kept", {})}}
    return operations.moved({**body, **facts}, state=operations.RUNNING, done=done, **merged)


def _refused(this: Reading, again: bool, code: str, message: str, body: Posting) -> Posting:
    if not again:
        return operations.failed(body, code, message, _at(this))
    return operations.moved(_doubted(this, body, code, message), waits=True, **_unlooked(this, body))


def _unlooked(this: Reading, body: Posting) -> dict[str, list[int]]:
    """The steps that are done, where any are, without those that looked: the next round looks anew."""
    operation = body["operation"]
    steps = marketplaces.shipped(this.account.marketplace).operations[operation["to"]]
    done = [position for position in operation.get("done", ()) if not steps[position].get("look")]
    return {"done": done} if "done" in operation else {}


def _doubted(this: Reading, body: Posting, code: str, message: str) -> Posting:
    settles = float(marketplaces.shipped(this.account.marketplace).stock.get("settles_seconds") or 0)
    return operations.doubted(body, code, message, this.clock(), settles)


def _conclude(this: Reading, numbers: Iterable[str], *, last: bool = False) -> None:
    """After a look at how they stand there: what is seen to be done is done, what failed there is tried again."""
    at = _at(this)
    for number in numbers:
        _note(this, number, partial(_concluded, this, at, last))


def _concluded(this: Reading, at: str, last: bool, body: Posting) -> Posting | None:
    operation = body["operation"]
    steps = marketplaces.shipped(this.account.marketplace).operations[operation["to"]]
    whole = len(operation.get("done", ())) == len(steps)
    if operations.confirmed(body, operation["to"], this.read) or (whole and "expect" in steps[-1]):
        return operations.moved(body, state=operations.DONE, ended_at=at, error=None)
    if operations.overtaken(body, operation["to"]):
        return operations.failed(body, "overtaken", f"it is {body['status']} by now", at)
    if body["theirs"].get("substatus") == FAILED_SHIP:
        again = _doubted(this, body, FAILED_SHIP, "the marketplace could not assemble it")
        return operations.moved(again, done=[], waits=last)
    if last and whole:
        return operations.moved(_doubted(this, body, "unconfirmed", "it is not seen to be so yet"), waits=True)
    if last:
        return None
    # A new round begins: what was in doubt has been looked at.
    return operations.moved(body, **({"waits": False} if "waits" in operation else {}), **_unlooked(this, body))


def _at(this: Reading) -> str:
    return postings.moment(this.clock())
