"""The ledger: what was decided of each event, and the one small record of each message.

planned --> claimed --> sent
   |           |  \\--> retry --> claimed ...          every arrow is one conditional write;
   |           |  \\--> unknown --> sent | claimed     facts (delivered, bounced, ...) are first times,
   |           \\----> failed | given up               added in any order and in any state
   \\--> deferred --> claimed | cancelled | suppressed | expired | superseded
"""

import json
from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any

from vestnik.domain import messages
from vestnik.domain.messages import State
from vestnik.store import dynamo, keys

TABLE = "ledger"
KEPT = timedelta(days=35)
FACTS = ("accepted", "delivered", "delayed", "bounced", "complained", "opened", "clicked", "rejected", "unsubscribed")
OPEN = "#state IN (:planned, :deferred, :retry)"
DUE = "(#state <> :retry OR #until <= :now)"  # text order is time order: all times here are isoformat() of UTC
OPEN_VALUES = {"planned": State.PLANNED.value, "deferred": State.DEFERRED.value, "retry": State.RETRY.value}


def decide(shop: str, eid: str, decision: Mapping[str, Any], now: datetime) -> dict[str, Any] | None:
    """Keep what was decided of an event, once. None if this decision stands, else the one that was first.

    `decision`: {attempt, type, source, id, time, received, revision, body, n, decisions}; `decisions` is text.
    """
    item = {"pk": keys.event(shop, eid), "sk": "event", "v": 1, **decision, "expires": _expires(now)}
    try:
        dynamo.put(TABLE, item, where="attribute_not_exists(#pk)")
    except dynamo.Conflict as conflict:
        return None if conflict.old.get("attempt") == decision["attempt"] else conflict.old
    return None


def event(shop: str, eid: str) -> dict[str, Any] | None:
    """The decision on an event, or None."""
    return dynamo.get(TABLE, *event_key(shop, eid))


def event_key(shop: str, eid: str) -> dynamo.Key:
    """Where the decision on an event lies."""
    return keys.event(shop, eid), "event"


def blank_event(shop: str, eid: str) -> None:
    """Take the personal data out of an event's decision."""
    dynamo.update(TABLE, keys.event(shop, eid), "event", put={"erased": True}, where="attribute_exists(#pk)")


def message(shop: str, mid: str) -> dict[str, Any] | None:
    """The record of a message, or None where it has none yet (it is planned, or unknown to us)."""
    return dynamo.get(TABLE, *key(shop, mid))


def messages_of(shop: str, mids: list[str]) -> dict[str, dict[str, Any]]:
    """The records of several messages, by id."""
    found = dynamo.get_many({TABLE: [key(shop, mid) for mid in mids]})
    return {sk: item for (_, _, sk), item in found.items()}


def known(named: Iterable[tuple[str, str]]) -> dict[tuple[str, str], dict[str, Any]]:
    """The records of messages of several shops, by (shop, message)."""
    keys_of = {key(*name): name for name in named}
    found = dynamo.get_many({TABLE: keys_of})
    return {keys_of[pk, sk]: item for (_, pk, sk), item in found.items()}


def day_page(shop: str, day: str, limit: int, cursor: str = "") -> tuple[list[dict[str, Any]], str | None]:
    """A page of a day's messages (`yymmdd`, UTC), slot by slot."""
    slot, _, after = cursor.partition(":") if cursor else ("0", "", "")
    number, found = int(slot, 16), list[dict[str, Any]]()
    while number < 16 and len(found) < limit:
        partition = keys.messages(shop, day, f"{number:x}")
        items, more = dynamo.query(TABLE, partition, after=after, limit=limit - len(found))
        found += items
        number, after = (number, more) if more else (number + 1, "")
    return found, f"{number:x}:{after}" if number < 16 else None


def defer(job: Mapping[str, Any], until: datetime, now: datetime) -> bool:
    """Let a message wait for its time. True if it waits; False where it is further on already."""
    change = {**_birth(job, now), "state": State.DEFERRED.value, "until": until.isoformat()}
    change["deferred_at"] = job["created"]
    return _moved(job, change, "attribute_not_exists(#pk) OR #state = :deferred", {"deferred": State.DEFERRED.value})


def claim(
    job: Mapping[str, Any], attempt: str, lease: datetime, body: tuple[str, int], now: datetime
) -> tuple[bool, dict[str, Any]]:
    """Take a message for one attempt: whether it is ours, and its record (as it stands where it is not).

    An expired claim is never taken: nobody knows whether it was sent (see `doubt`). What is in doubt may be
    claimed again once its grace is over, and only where the caller chose to: job["repeat"] is the number of attempts
    there were, so that one doubt has one repetition.
    """
    where = f"attribute_not_exists(#pk) OR ({OPEN} AND {DUE})"
    values: dict[str, Any] = {**OPEN_VALUES, "now": now.isoformat()}
    change = _claimed(job, attempt, lease, body, now)
    if job.get("repeat"):
        change["doubtful"] = True
        where = "#state = :unknown AND #until <= :now AND #attempts = :tries"
        values = {"unknown": State.UNKNOWN.value, "now": now.isoformat(), "tries": int(job["repeat"])}
    try:
        record = dynamo.update(
            TABLE, *_key(job), put=change, add={"attempts": 1}, where=where, values=values, back=True
        )
    except dynamo.Conflict as conflict:
        return _mine(conflict.old, attempt), conflict.old
    return True, record


def _claimed(
    job: Mapping[str, Any], attempt: str, lease: datetime, body: tuple[str, int], now: datetime
) -> dict[str, Any]:
    held = {"state": State.CLAIMED.value, "attempt": attempt, "until": lease.isoformat()}
    return {**_birth(job, now), **held, "body": body[0], "n": body[1], "purpose": job["purpose"]}


def _mine(old: Mapping[str, Any], attempt: str) -> bool:
    return old.get("attempt") == attempt and old.get("state") == State.CLAIMED


def sent(job: Mapping[str, Any], attempt: str, provider_id: str, at: datetime) -> bool:
    """The provider took it. False where this attempt is no longer the message's."""
    change = {
        "state": State.SENT.value,
        "sent_at": at.isoformat(),
        "provider_id": provider_id,
        "updated": at.isoformat(),
    }
    values = {"attempt": attempt, "claimed": State.CLAIMED.value, "unknown": State.UNKNOWN.value}
    return _moved(job, change, "#attempt = :attempt AND #state IN (:claimed, :unknown)", values, drop=("until",))


def retry(job: Mapping[str, Any], attempt: str, at: datetime, reason: str, now: datetime) -> bool:
    """It was certainly not sent, and goes again at a time."""
    change = {"state": State.RETRY.value, "until": at.isoformat(), "reason": reason[:300], "updated": now.isoformat()}
    return _moved_by(job, attempt, change)


def doubt(job: Mapping[str, Any], attempt: str, until: datetime, reason: str, now: datetime) -> bool:
    """Nobody can tell whether it was sent: wait until a time for the provider's own event."""
    change = {
        "state": State.UNKNOWN.value,
        "until": until.isoformat(),
        "reason": reason[:300],
        "updated": now.isoformat(),
    }
    return _moved_by(job, attempt, change)


def fail(job: Mapping[str, Any], attempt: str, state: State, reason: str, now: datetime) -> bool:
    """An attempt ended for good."""
    change = {"state": state.value, "reason": reason[:300], "ended": now.isoformat(), "updated": now.isoformat()}
    return _moved_by(job, attempt, change)


def end(job: Mapping[str, Any], state: State, reason: str, now: datetime) -> tuple[bool, dict[str, Any]]:
    """End a message that no attempt holds: whether it ended so, and its record as it stands where it did not."""
    change = {**_birth(job, now), "state": state.value, "reason": reason[:300], "ended": now.isoformat()}
    try:
        dynamo.update(TABLE, *_key(job), put=change, where=f"attribute_not_exists(#pk) OR {OPEN}", values=OPEN_VALUES)
    except dynamo.Conflict as conflict:
        return conflict.old.get("state") == state.value, conflict.old
    return True, {}


def settle_doubt(
    shop: str, mid: str, attempt: str, state: State, reason: str, now: datetime, *, doubtful: bool
) -> bool:
    """End what nobody could tell: `sent` by the provider's own event, or given up unrepeated."""
    change: dict[str, Any] = {"state": state.value, "reason": reason, "updated": now.isoformat()}
    change |= {"sent_at": now.isoformat()} if state == State.SENT else {"ended": now.isoformat()}
    change |= {"doubtful": True} if doubtful else {}
    values = {"attempt": attempt, "unknown": State.UNKNOWN.value}
    return _moved({"shop": shop, "message": mid}, change, "#attempt = :attempt AND #state = :unknown", values)


def record_fact(
    shop: str, mid: str, fact: str, at: str, provider_id: str, detail: str, now: datetime
) -> dict[str, Any] | None:
    """Add the first time of a fact; the record after it, or None where there is no such message. What the provider
    said (`detail`) may quote the address, and is not kept of a message whose personal data was erased."""
    first = {f"{fact}_at": at} | ({f"{fact}_detail": detail[:300]} if detail else {})
    try:
        return dynamo.update(
            TABLE,
            *key(shop, mid),
            put={"updated": now.isoformat()},
            first=first,
            add={"provider_ids": {provider_id}} if provider_id else {},
            where="attribute_exists(#pk)" + (" AND attribute_not_exists(#erased)" if detail else ""),
            back=True,
        )
    except dynamo.Conflict as conflict:
        return record_fact(shop, mid, fact, at, provider_id, "", now) if conflict.old.get("erased") else None


def blank_message(shop: str, mid: str, *, address: bool = True) -> None:
    """Take the personal data out of a message's record: the address, and what a provider said (it may quote it).
    Without `address` it only says that the text is gone: it went to somebody else, about the erased person."""
    blank = {"address": "", "reason": "erased", "erased": True} if address else {"erased": True}
    told = [f"{fact}_detail" for fact in FACTS] if address else []
    dynamo.update(TABLE, *key(shop, mid), put=blank, drop=told, where="attribute_exists(#pk)")


def key(shop: str, mid: str) -> dynamo.Key:
    """Where a message's record lies."""
    return keys.messages(shop, messages.day_of(mid), messages.slot_of(mid)), mid


def _key(job: Mapping[str, Any]) -> dynamo.Key:
    return key(job["shop"], job["message"])


def _moved_by(job: Mapping[str, Any], attempt: str, change: dict[str, Any]) -> bool:
    values = {"attempt": attempt, "claimed": State.CLAIMED.value}
    return _moved(job, change, "#attempt = :attempt AND #state = :claimed", values)


def _moved(
    job: Mapping[str, Any], change: Mapping[str, Any], where: str, values: Mapping[str, Any], drop: Sequence[str] = ()
) -> bool:
    """Whether the record is now as `change` says: written by this call, or by this very call's lost first try."""
    try:
        dynamo.update(TABLE, *_key(job), put=change, drop=drop, where=where, values=values)
    except dynamo.Conflict as conflict:
        return all(conflict.old.get(k) == v for k, v in change.items())
    return True


def _birth(job: Mapping[str, Any], now: datetime) -> dict[str, Any]:
    """What stands in a record from its first write on. `customer`: whom the event is about, where the message goes to
    somebody else: its text may speak of them."""
    recipient = job["recipient"]
    customer = str(((job.get("facts") or {}).get("customer") or {}).get("id", ""))
    about = customer if customer and (recipient["kind"], recipient["id"]) != ("customer", customer) else ""
    record = {
        "v": 1,
        "type": job["type"],
        "rule": job["rule"],
        "template": job["template"],
        "channel": job["channel"],
        "plugin": job["plugin"],
        "sender": job["sender"],
        "person": f"{recipient['kind']}:{recipient['id']}",
        "address": recipient["address"],
        "created": job["created"],
        "updated": now.isoformat(),
        "expires": _expires(now),
    }
    return record | ({"order": job["order"]} if job.get("order") else {}) | ({"customer": about} if about else {})


def _expires(now: datetime) -> int:
    return int((now + KEPT).timestamp())


def decisions_of(item: Mapping[str, Any]) -> list[dict[str, Any]]:
    """The decisions in an event's item."""
    found: list[dict[str, Any]] = json.loads(item["decisions"])
    return found
