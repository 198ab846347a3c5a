"""From a job to a message sent, provably once as far as the provider lets anybody prove it.

look again --> may it go? --> render --> keep the body --> claim --> send --> outcome
  (ends)       (not now)      (fails)                        |         |
                                         another's, sent, dead         sent | retry | failed | unknown
"""

import json
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta
from types import ModuleType
from typing import Any

from vestnik import channels, plugins, resources
from vestnik.domain import addresses
from vestnik.domain.messages import Letter, Sender, State
from vestnik.errors import Later, Refused, Unknown
from vestnik.flows import allowance, queueing, recheck, texts
from vestnik.store import keys, ledger, people, s3, secrets, settings
from vestnik.store.settings import Settings

LEASE = timedelta(seconds=120)  # > the Lambda's time-out > the time-outs of one call
GRACE = timedelta(minutes=10)  # how long a doubt waits for the provider's own event
WAITS = [timedelta(seconds=s) for s in (30, 120, 600, 1800, 7200, 21600)]

type Job = dict[str, Any]
type Clock = Callable[[], datetime]


@dataclass(slots=True)
class Work:
    """One job on its way through a run. `id` names its queue message, `handle` lets it be hidden for longer."""

    id: str
    handle: str
    job: Job
    letter: Letter | None = None
    body: tuple[str, int] = ("", 0)


def deliver(works: Iterable[Work], clock: Clock, *, until: datetime) -> set[str]:
    """Send what is to go; the ids of queue messages that must come again.

    Stops claiming at `until`, so that no claim dies with the function's deadline.
    """
    failed: set[str] = set()
    for shop, group in _by_shop(works).items():
        _deliver_group(shop, group, clock, until, failed)
    return failed


def _deliver_group(shop: str, group: list[Work], clock: Clock, until: datetime, failed: set[str]) -> None:
    """A group that fails is tried one by one, so that the one that is to blame fails alone."""
    try:
        _deliver_shop(shop, group, clock, until, failed)
    except Exception as error:
        resources.log("delivery-failed", shop=shop, messages=len(group), error=repr(error))
        if len(group) == 1:
            failed.add(group[0].id)
            return
        for work in group:
            _deliver_group(shop, [work], clock, until, failed)


def _by_shop(works: Iterable[Work]) -> dict[str, list[Work]]:
    shops: dict[str, list[Work]] = {}
    for work in works:
        shops.setdefault(work.job["shop"], []).append(work)
    return shops


def _deliver_shop(shop: str, group: list[Work], clock: Clock, until: datetime, failed: set[str]) -> None:
    now = clock()
    current = settings.current(shop, now)
    for work in group:
        work.job = recheck.dialled(work.job, current)
    works = _render(_allowed(_still_due(group, current, now, failed), current, now), current, now, failed)
    _keep_bodies(shop, works, current, now)
    for number, work in enumerate(works):
        if (late := clock()) >= until:
            # Sent anew: coming back would use up receives of messages that nobody has tried yet.
            queueing.all_again([(left.job, late) for left in works[number:]], late)
            return
        _deliver_safely(work, current, clock, failed)


def _still_due(group: list[Work], current: Settings, now: datetime, failed: set[str]) -> list[Work]:
    """Those that may still go; the others end here, with the reason."""
    seen = recheck.Seen(current.shop_id, [work.job for work in group])
    due = []
    for work in group:
        verdict = recheck.verdict(work.job, seen, current, now)
        if verdict is None:
            due.append(work)
        else:
            _end(work, *verdict, now, failed)
    return due


def _allowed(works: list[Work], current: Settings, now: datetime) -> list[Work]:
    """Those that the limits let go now; the others are handed on to a later moment."""
    granted = allowance.grant([(w.job, sender(w.job, current)) for w in works], now)
    waiting = [(w.job, at) for w, at in zip(works, granted, strict=True) if at is not None]
    queueing.all_again([({**job, "asked": job.get("asked", 0) + 1}, at) for job, at in waiting], now)
    return [work for work, at in zip(works, granted, strict=True) if at is None]


def sender(job: Job, current: Settings) -> Sender:
    """Who a job is sent by, as the settings have it now."""
    found = current.senders[job["sender"]]
    config, rate = found.get("config") or {}, found.get("rate_per_second")
    return Sender(current.shop_id, job["sender"], job["channel"], job["plugin"], found.get("name", ""), config, rate)


def _render(works: list[Work], current: Settings, now: datetime, failed: set[str]) -> list[Work]:
    """Give each work its letter; what cannot be written ends here, for a person to see."""
    good = []
    for work in works:
        try:
            work.letter = texts.letter(work.job, current, attempt=resources.new_id(8), now=now)
            good.append(work)
        except Refused as wrong:
            _end(work, State.FAILED, f"the text cannot be made: {wrong.reason}", now, failed)
    return good


def _end(work: Work, state: State, reason: str, now: datetime, failed: set[str]) -> None:
    """End a message unsent; where an earlier attempt holds it or is in doubt, that is brought to its end first."""
    ended, record = ledger.end(work.job, state, reason, now)
    if not ended:
        _meet(work, record, now, failed, over=reason)


def _keep_bodies(shop: str, works: list[Work], current: Settings, now: datetime) -> None:
    """Keep the letters as they will be sent: one object for the run."""
    letters = [texts.shown(work.letter, sender(work.job, current)) for work in works if work.letter]
    if not letters:
        return
    body = keys.body(shop, keys.day(now), "sent", resources.new_id())
    s3.write(body, letters)
    for position, work in enumerate(works):
        work.body = (body, position)


def _deliver_safely(work: Work, current: Settings, clock: Clock, failed: set[str]) -> None:
    try:
        _deliver_one(work, current, clock, failed)
    except Exception as error:
        # A bug, or the ledger out of reach: the queue message stays and comes again when its time is over.
        resources.log("message-failed", message=work.job["message"], error=repr(error))
        failed.add(work.id)


def _deliver_one(work: Work, current: Settings, clock: Clock, failed: set[str]) -> None:
    now = clock()
    letter = work.letter
    if letter is None:
        return
    secret = _secret(work.job)  # before the claim: what fails here was certainly not sent
    mine, record = ledger.claim(work.job, letter.attempt, now + LEASE, work.body, now)
    if mine:
        _send(work, letter, record, secret, current, clock)
    else:
        _meet(work, record, clock(), failed)


def _channel(job: Job) -> ModuleType:
    channel = plugins.load(channels, job["plugin"])
    assert channel is not None, job["plugin"]
    return channel


def _secret(job: Job) -> dict[str, str]:
    wanted = _channel(job).SECRET.get("properties")
    return secrets.sender_secret(job["shop"], job["sender"]) if wanted else {}


def _send(
    work: Work, letter: Letter, record: dict[str, Any], secret: dict[str, str], current: Settings, clock: Clock
) -> None:
    job, attempt = work.job, letter.attempt
    try:
        receipt = _channel(job).send(letter, sender(job, current), secret, now=clock())
    except Refused as refused:
        _refuse(job, attempt, refused, clock())
    except Later as later:
        _later(job, attempt, record, later, clock())
    except Unknown as doubt:
        _doubt(job, record, str(doubt), clock())
    else:
        ledger.sent(job, attempt, receipt.provider_id, clock())


def _refuse(job: Job, attempt: str, refused: Refused, now: datetime) -> None:
    """Refused for good. An address that does not exist is written to no more."""
    if refused.code == "bad-address" and job["channel"] in ("email", "sms", "telegram"):
        address = addresses.same_address(job["channel"], job["recipient"]["address"])
        people.suppress(job["shop"], job["channel"], address, "bounced", now, note=refused.reason[:300])
        at = now.isoformat()
        ledger.record_fact(job["shop"], job["message"], "bounced", at, "", refused.reason, now)
    ledger.fail(job, attempt, State.FAILED, refused.reason, now)


def _later(job: Job, attempt: str, record: dict[str, Any], later: Later, now: datetime) -> None:
    """Certainly not sent: again after a while, until the attempts are used up."""
    attempts = record.get("attempts", 1)
    if attempts > len(WAITS):
        ledger.fail(job, attempt, State.GIVEN_UP, f"{attempts} attempts: {later.reason}", now)
        return
    at = max(now + WAITS[attempts - 1], later.at or now)
    ledger.retry(job, attempt, at, later.reason, now)
    queueing.again({**job, "repeat": 0}, at, now)


def _doubt(job: Job, record: dict[str, Any], reason: str, now: datetime) -> None:
    """Nobody can tell: wait for the provider's own event."""
    at = now + max(GRACE, WAITS[min(record.get("attempts", 1), len(WAITS)) - 1] if _drops_repeats(job) else GRACE)
    ledger.doubt(job, record["attempt"], at, reason, now)
    queueing.again({**job, "repeat": 0}, at, now)


def _drops_repeats(job: Job) -> bool:
    """Whether whoever gets the message knows a repeat by its id: then a doubt is no reason to stop."""
    return bool(getattr(_channel(job), "DROPS_REPEATS", False))


def _meet(work: Work, record: dict[str, Any], now: datetime, failed: set[str], *, over: str = "") -> None:
    """The message was not free: what its record says decides. `over`: why it must not be repeated."""
    state, job = record.get("state"), work.job
    if state not in (State.CLAIMED, State.UNKNOWN, State.RETRY):
        return  # it ended
    until = datetime.fromisoformat(record["until"])
    if state == State.RETRY:
        queueing.again({**job, "repeat": 0}, until, now)  # its time has not come, whatever woke us
    elif until > now and state == State.CLAIMED:
        failed.add(work.id)  # another holds it; this queue message is the timer that finds it dead
        queueing.hide(job["queue"], work.handle, queueing.seconds_until(record["until"], now) + 1)
    elif state == State.CLAIMED:
        _doubt(job, record, "the attempt that held it died", now)
    elif until > now:
        queueing.again(job, until, now)
    else:
        _resolve(job, record, now, over)


def _resolve(job: Job, record: dict[str, Any], now: datetime, over: str) -> None:
    """The grace of a doubt is over: the provider told, or it is repeated once, or it is given up and says so."""
    told = any(f"{fact}_at" in record for fact in ledger.FACTS)
    reason = "the provider's own event proves it" if told else over or _why_no_repeat(job, record)
    if not reason:
        queueing.again({**job, "repeat": record["attempts"]}, now, now)
        return
    state = State.SENT if told else State.GIVEN_UP
    ledger.settle_doubt(job["shop"], job["message"], record["attempt"], state, reason, now, doubtful=not told)


def _why_no_repeat(job: Job, record: dict[str, Any]) -> str:
    if job["purpose"] == "marketing" or job["one_time"]:
        return "it may or may not have been sent, and such a message is not repeated"
    if record.get("doubtful") and not (_drops_repeats(job) and record["attempts"] <= len(WAITS)):
        return "it was repeated once, and nobody can tell whether either was sent"
    return ""


def read(id: str, handle: str, body: str) -> Work:
    """A job as the evaluation queued it. Raises where it is none (it then ends in the dead-letter queue)."""
    job = json.loads(body)
    for name in ("shop", "message", "channel", "plugin", "queue", "recipient", "expires"):
        job[name]
    return Work(id, handle, job)
