"""Operations: what a change of ours asks to be done on a marketplace's side, step by step, as its folder tells.

asked -> running -> done       (what was read back agrees)
                 -> failed     (refused, or never seen to have happened)

A step: {call, each, look?, pick?, by?, unless?, given?, rows?, keep?, sets?, drop?, expect?}; all from `by` on are
expressions over {posting, theirs, account, given, kept, key, now}. `each: supply` is done once for all postings that
share the value of `by`, the `key`. What a step answers is kept by `keep` for the steps after it, of one posting or of
the supply; `kept.in_doubt` is what a supply's step was given that nobody answered.
"""

from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any

from vestnik.domain.market import expressions, postings, statuses
from vestnik.domain.market.accounts import Missing
from vestnik.domain.market.postings import Posting
from vestnik.domain.market.statuses import Statuses
from vestnik.errors import Refused

PACKED, HANDED_OVER = "packed", "handed_over"
GRANTED, DECLINED = ANSWERS = "cancellation_granted", "cancellation_declined"
"""What a buyer's wish to cancel is answered with; it may be made of what has left, too."""
ASKED, RUNNING, DONE, FAILED = "asked", "running", "done", "failed"
TRIES = 8
FIRST_PAUSE, LONGEST_PAUSE = 5, 60  # seconds
AFTER: Mapping[str, frozenset[str]] = {
    PACKED: frozenset({"packed", "awaiting_label", "label_received", *statuses.LEFT}),
    HANDED_OVER: statuses.LEFT,
    GRANTED: frozenset({statuses.CANCELLED}),
}
"""In which statuses the marketplace is seen to have done what was asked."""

type Step = Mapping[str, Any]


def check(body: Posting, to: str, shipped: Mapping[str, Any]) -> None:
    """Refused where the posting cannot be brought there by us: the reason is for a person."""
    steps = sorted(name for name in shipped if isinstance(shipped[name], list))
    if to in ("shipped", "delivered"):
        raise Refused(f"{to} is set by the marketplace, never by us", code="not-ours", where="/status")
    if to not in steps:
        there = ", ".join(steps) or "nothing"
        raise Refused(
            f"{to!r} cannot be asked of this marketplace; there is {there}", code="no-operation", where="/status"
        )
    if body["means"] != postings.WORKED:
        raise Refused(f"postings of scheme {body.get('scheme', '?')} are shown, not worked", code="scheme", where="")
    if body.get("fake"):
        raise Refused("it is a test order of the marketplace's", code="fake", where="")
    if overtaken(body, to):
        raise Refused(f"it is {body['status']}: nothing more can be asked for it", code="closed", where="/status")
    if to in ANSWERS and not body.get("cancel_requested"):
        raise Refused("its buyer does not ask for it to be cancelled", code="not-asked", where="")
    if body.get("held_up") and to not in (statuses.CANCELLED, *ANSWERS):
        raise Refused("its goods are linked to no item yet", code="unlinked", where="")


def given_faults(body: Posting, to: str, given: Mapping[str, Any], shipped: Mapping[str, Any]) -> Iterator[Missing]:
    """What is wrong with what comes with a wish, by what the marketplace's folder tells: `takes`, {status: names}, and
    `reasons`, {status: {required, known: {key: what it means}, message: the keys that want one}}."""
    if given.get("boxes") is not None and "boxes" not in (shipped.get("takes") or {}).get(to, ()):
        yield Missing("/boxes", "are not told to this marketplace with this status", "no boxes")
    elif given.get("boxes") is not None:
        yield from _box_faults(body, given["boxes"])
    yield from _reason_faults(given, (shipped.get("reasons") or {}).get(to) or {})


def _box_faults(body: Posting, boxes: Sequence[Mapping[str, Any]]) -> Iterator[Missing]:
    lines = [str(line["line"]) for line in body["lines"] if line.get("line")]
    for n, box in enumerate(boxes):
        for m, one in enumerate(box["lines"]):
            if one["line"] not in lines:
                yield Missing(f"/boxes/{n}/lines/{m}/line", "is no line of the order", "one of " + ", ".join(lines))


def _reason_faults(given: Mapping[str, Any], reasons: Mapping[str, Any]) -> Iterator[Missing]:
    reason, known = given.get("reason"), reasons.get("known") or {}
    there = ", ".join(f"{key} ({meaning})" for key, meaning in known.items())
    if reason is None and reasons.get("required"):
        yield Missing("/reason", "is missing: this marketplace wants one", there)
    if reason is not None and known and reason not in known:
        yield Missing("/reason", "is no reason of this marketplace", there)
    if reason in reasons.get("message", ()) and not given.get("message"):
        yield Missing("/message", f"is missing: reason {reason} wants one", "why, in words")


def asked(body: Posting, to: str, given: Mapping[str, Any], at: str) -> Posting:
    """The posting with the wish; one that is under way or done stands, another `to` replaces it."""
    now = body.get("operation") or {}
    if now.get("to") == to and now.get("state") in (ASKED, RUNNING, DONE) and now.get("given") == dict(given):
        return body
    return {**body, "operation": {"to": to, "given": dict(given), "state": ASKED, "asked_at": at, "tries": 0}}


def confirmed(body: Posting, to: str, read: Statuses) -> bool:
    """Whether the marketplace is seen to have done it."""
    ours = statuses.counts_as(body["status"], read)
    if to == DECLINED:
        return not body.get("cancel_requested") and ours != statuses.CANCELLED
    return ours in AFTER.get(to, frozenset({to}))


def overtaken(body: Posting, to: str) -> bool:
    """Whether it is too late for it."""
    return bool(body["closed"] or (body["left"] and to not in ANSWERS))


def document(body: Posting, account: Mapping[str, Any], kept: Mapping[str, Any], now: str) -> dict[str, Any]:
    """What a step's expressions see."""
    operation = body["operation"]
    mine = {**kept, **(operation.get("kept") or {})}
    seen = {"posting": body, "theirs": body["theirs"], "account": account}
    return {**seen, "given": operation["given"], "kept": mine, "now": now}


def skips(step: Step, seen: Mapping[str, Any]) -> bool:
    """Whether a step is not needed any more."""
    return bool(expressions.value(step.get("unless"), seen))


def given_of(step: Step, seen: Mapping[str, Any]) -> dict[str, Any]:
    """What a step's call is given; the wish itself where it does not say."""
    found = expressions.value(step["given"], seen) if "given" in step else {"number": seen["posting"]["number"]}
    return dict(expressions.tidy(found or {}))


def rows_of(step: Step, seen: Mapping[str, Any]) -> list[dict[str, Any]]:
    """The rows of a step's call."""
    return [expressions.tidy(row) for row in expressions.value(step.get("rows"), seen) or []]


def key_of(step: Step, seen: Mapping[str, Any]) -> str:
    """What those share for whom a step is done once; "" where it is done for each posting."""
    if step.get("each") != "supply" or "by" not in step:
        return ""
    return expressions.plain(expressions.value(step["by"], seen) or "")


def kept_of(step: Step, items: Sequence[Mapping[str, Any]]) -> dict[str, Any]:
    """What of an answer is kept for the steps after it."""
    first = items[0] if items else {}
    found = {name: expressions.value(one, first) for name, one in (step.get("keep") or {}).items()}
    return {name: value for name, value in found.items() if value is not None}


def expected(step: Step, seen: Mapping[str, Any], items: Sequence[Mapping[str, Any]]) -> bool:
    """Whether an answer says what it must for the operation to have happened."""
    return "expect" not in step or bool(expressions.value(step["expect"], {**seen, "items": list(items)}))


def facts_of(step: Step, seen: Mapping[str, Any]) -> dict[str, Any]:
    """The posting's facts that are so once a step is done."""
    found = {name: expressions.value(one, seen) for name, one in (step.get("sets") or {}).items()}
    return {name: value for name, value in found.items() if value is not None}


def moved(body: Posting, **change: Any) -> Posting:
    """The posting with its operation changed."""
    return {**body, "operation": {**body["operation"], **change}}


def failed(body: Posting, code: str, message: str, at: str) -> Posting:
    """The posting whose operation ended without success; the reason is for a person."""
    return moved(body, state=FAILED, ended_at=at, error={"code": code, "message": message[:500]})


def pause(tries: int, settles: float) -> timedelta:
    """How long the next try waits after so many: 5, 10, 20 ... seconds, up to a minute, or as long as the marketplace
    takes to settle (seconds) where that is longer. Together they outlast whatever it does step by step."""
    return timedelta(seconds=min(FIRST_PAUSE * 2 ** (tries - 1), max(LONGEST_PAUSE, settles)))


def doubted(body: Posting, code: str, message: str, at: datetime, settles: float) -> Posting:
    """The posting whose operation is to be tried again from what is read back, in a while; after many tries it
    failed."""
    tries = body["operation"]["tries"] + 1
    if tries >= TRIES:
        return failed(body, code, message, postings.moment(at))
    again_at, error = postings.moment(at + pause(tries, settles)), {"code": code, "message": message[:500]}
    return moved(body, state=RUNNING, tries=tries, again_at=again_at, error=error)
