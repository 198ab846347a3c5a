"""Why: what was decided of an event, rule by rule and person by person, and what became of each message.

Decisions are read as they were taken. Why a rule did not match is worked out anew, from the settings revision and
the facts that the decision was taken with.
"""

import re
from collections.abc import Mapping
from typing import Any

from vestnik import events
from vestnik.domain import masking, messages, patterns
from vestnik.domain.messages import State
from vestnik.errors import Refused
from vestnik.flows import evaluation
from vestnik.store import ledger, s3, settings

EVENT_ID = re.compile(r"[a-z2-7]{26}")
VERSIONS_LOOKED_AT = 100
MOST_SEEN = 2000  # records looked at for one part of a list
MOST_ROUNDS = 50
SHOWN = (
    *("type", "rule", "template", "channel", "plugin", "sender", "person", "address", "order", "purpose"),
    *("state", "created", "updated", "until", "attempts", "reason", "doubtful", "sent_at", "ended"),
    *("provider_id", "erased"),
)

type Shown = dict[str, Any]


def event(shop: str, eid: str) -> Shown | None:
    """The explanation of an event: {id, source, event_id, type, time, received, revision, erased, event, rules,
    decisions, messages}; None where the ledger has none.

    `rules`: {id, name, active, matched, why: [{field, found, expected}], note, told: [decision]}; `matched` and `why`
    are None where the facts are gone.
    """
    item = ledger.event(shop, eid) if EVENT_ID.fullmatch(eid) else None
    if item is None:
        return None
    entry = _entry(item)
    hidden = _Hidden(shop, item["type"], entry)
    decisions = _decisions(item, entry)
    rules = evaluation.all_rules(settings.at_revision(shop, item["revision"]))
    return {
        "id": eid,
        "source": item["source"],
        "event_id": item["id"],
        **{name: item[name] for name in ("type", "time", "received", "revision")},
        "erased": bool(item.get("erased")),
        "event": hidden.event(),
        "rules": [_judged(rule, entry, decisions, hidden) for _, rule in sorted(rules.items())],
        "decisions": decisions,
        "messages": _messages(shop, item, decisions),
    }


def _judged(rule: Mapping[str, Any], entry: Shown | None, decisions: list[Shown], hidden: "_Hidden") -> Shown:
    told = [decision for decision in decisions if decision["rule"] == rule["id"]]
    why = _unmet(rule, entry["facts"]) if entry else None
    active = rule.get("active", True)
    return {
        "id": rule["id"],
        "name": rule.get("name", ""),
        "active": active,
        "matched": None if why is None else active and not why,
        "why": None if why is None else hidden.of(why),
        "note": "" if told or why is None or why else _nobody(active, entry),
        "told": told,
    }


def _nobody(active: bool, entry: Shown | None) -> str:
    """Why a rule whose pattern the facts meet has told nobody."""
    if not active:
        return "the rule was switched off"
    silent = entry is not None and entry["event"].get("notify", True) is False
    return "the event asked for silence" if silent else "it names nobody: the group is empty"


def _unmet(rule: Mapping[str, Any], facts: Mapping[str, Any]) -> list[Shown]:
    """The conditions of a rule that the facts do not meet."""
    try:
        unmet = patterns.explain(rule["pattern"], facts)
    except Refused as refused:
        return [{"field": refused.where, "found": "the rule's pattern", "expected": refused.reason}]
    return [{"field": path, "found": found, "expected": expected} for path, found, expected in unmet]


def _decisions(item: Mapping[str, Any], entry: Shown | None) -> list[Shown]:
    """The decisions that stand: those in the ledger, or in the body where the ledger had no room for all."""
    stand = ledger.decisions_of(item)
    whole = (entry or {}).get("decisions") or []
    return whole if len(whole) > len(stand) else stand


def _messages(shop: str, item: Mapping[str, Any], decisions: list[Shown]) -> list[Shown]:
    """Each message of an event as it stands: by its record, or as planned where it has none yet."""
    planned: dict[str, Shown] = {}
    for decision in decisions:
        if mid := decision.get("message"):
            planned.setdefault(mid, decision)  # those of lower priority that it was merged with come later
    written = ledger.messages_of(shop, list(planned))
    return [
        record_shown(written[mid]) if mid in written else _planned(mid, item, decision)
        for mid, decision in planned.items()
    ]


def message(shop: str, mid: str) -> Shown | None:
    """A message as it stands, with its body as it was sent, secrets masked: what `record_shown` says, and {body,
    body_withheld}. None where neither the ledger nor a decision knows it."""
    if not messages.is_message_id(mid):
        return None
    if record := ledger.message(shop, mid):
        body, withheld = body_of(shop, record)
        return {**record_shown(record), "body": body, "body_withheld": withheld}
    item = ledger.event(shop, messages.event_of(mid))
    decided = _decisions(item, _entry(item)) if item else []
    decision = next((d for d in decided if d.get("message") == mid), None)
    if item is None or decision is None:
        return None
    return {**_planned(mid, item, decision), "body": None, "body_withheld": "not written yet"}


def page(shop: str, day: str, wanted: Mapping[str, str], limit: int, cursor: str) -> tuple[list[Shown], str | None]:
    """Up to `limit` messages of a day (yymmdd) whose fields are as `wanted`, and where to go on. It stops searching
    after a while, with fewer."""
    found, seen, rounds = list[Shown](), 0, 0
    following: str | None = cursor
    while following is not None and len(found) < limit and seen < MOST_SEEN and rounds < MOST_ROUNDS:
        records, following = ledger.day_page(shop, day, limit - len(found), following)
        fitting = (r for r in records if all(r.get(name) == value for name, value in wanted.items()))
        found += [record_shown(record) for record in fitting]
        seen, rounds = seen + len(records), rounds + 1
    return found, following


def record_shown(record: Mapping[str, Any]) -> Shown:
    """A message's record as people see it. `times`: the first time of each thing that is known to have happened."""
    facts = [fact for fact in ledger.FACTS if f"{fact}_at" in record]
    return {
        "id": record["sk"],
        "event": messages.event_of(record["sk"]),
        **{name: record.get(name) for name in SHOWN},
        "attempts": record.get("attempts", 0),
        "doubtful": bool(record.get("doubtful")),
        "erased": bool(record.get("erased")),
        "times": {fact: record[f"{fact}_at"] for fact in facts},
        "details": {fact: record[f"{fact}_detail"] for fact in facts if f"{fact}_detail" in record},
    }


def _planned(mid: str, item: Mapping[str, Any], decision: Mapping[str, Any]) -> Shown:
    """A message that no sender has touched yet."""
    blank = dict.fromkeys(SHOWN)
    known = {"type": item["type"], "rule": decision["rule"], "channel": decision["channel"]}
    state = State.SUPERSEDED if decision["state"] == State.SUPERSEDED else State.PLANNED
    known |= {"person": decision["recipient"], "state": state.value, "created": item["received"]}
    rest = {"attempts": 0, "doubtful": False, "erased": bool(item.get("erased")), "times": {}, "details": {}}
    reason = decision.get("reason") or None
    return {"id": mid, "event": messages.event_of(mid), **blank, **known, **rest, "reason": reason}


def body_of(shop: str, record: Mapping[str, Any]) -> tuple[Shown | None, str | None]:
    """What was sent, with the event's secrets masked; or None and why it is not shown."""
    if record.get("erased"):
        return None, "erased with the customer's data"
    if not record.get("body"):
        return None, "never written: the message ended before it was due"
    sent = _read(record["body"], record["n"])
    if sent is None:
        return None, "erased, or older than bodies are kept"
    paths = _secret_paths(shop, record["type"])
    item = ledger.event(shop, messages.event_of(record["sk"])) if paths else None
    entry = _entry(item) if item else None
    if paths and entry is None:
        return None, "it may hold secrets, and the event that names them is gone"
    return masking.hide(sent, masking.secrets((entry or {})["event"].get("data"), paths) if entry else ()), None


def _entry(item: Mapping[str, Any]) -> Shown | None:
    """What the evaluation kept of an event: {event, facts, jobs, decisions}; None where it is gone."""
    entry = _read(item["body"], item["n"])
    return entry if isinstance(entry, dict) else None


def _read(key: str, position: int) -> Any:
    try:
        return s3.read(key)[position]
    except FileNotFoundError:
        return None


def _secret_paths(shop: str, type: str) -> frozenset[str]:
    """Where events of a type carry secrets: as shipped, or as any version of the shop's own type said, so that a
    mark taken away later does not open what was posted under it."""
    if shipped := events.find(type):
        return frozenset((*shipped.SECRET, *masking.secret_paths(shipped.SCHEMA)))
    versions, _ = settings.versions(shop, "type", type, VERSIONS_LOOKED_AT)
    bodies = [version["body"] for version in versions if version["body"]]
    return frozenset(path for body in bodies for path in masking.secret_paths(body.get("schema") or body))


class _Hidden:
    """What of an event must not be shown."""

    def __init__(self, shop: str, type: str, entry: Shown | None) -> None:
        self._event = (entry or {}).get("event")
        self._paths = _secret_paths(shop, type) if entry else frozenset()
        self._texts = masking.secrets((self._event or {}).get("data"), self._paths)

    def event(self) -> Shown | None:
        """The event, its secrets masked."""
        if self._event is None:
            return None
        data = masking.without(self._event.get("data"), self._paths)
        return {**self._event, "data": masking.hide(data, self._texts)}

    def of(self, shown: Any) -> Any:
        """Anything derived from the event, its secrets masked."""
        return masking.hide(shown, self._texts)
