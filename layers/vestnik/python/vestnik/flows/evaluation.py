"""From an event to its decisions: keep what it says of orders and customers, ask the rules, decide once, hand on.

queue --> facts --> rules --> body (S3) --> decision (ledger, "not yet decided") --> jobs (queues, due)
                                                  |
                      redelivered: the first decision and its jobs are read back, never made anew
"""

import json
from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass
from datetime import datetime, timedelta
from typing import Any

from vestnik import channels, events, plugins, resources
from vestnik.domain import messages, patterns, rules
from vestnik.domain.messages import State
from vestnik.domain.rules import Decision, Staff
from vestnik.flows import known, queueing, stock_gate
from vestnik.store import keys, ledger, s3, settings
from vestnik.store.settings import Settings

PURPOSE = "transactional"
USEFUL_LIFE = timedelta(days=14)
LARGEST_FACTS = 200_000  # bytes; a queue message may have 256 KB
LARGEST_DECISIONS = 250_000  # bytes; an item of DynamoDB's may have 400 KB


@dataclass(frozen=True, slots=True)
class Incoming:
    """An event out of the queue; `receipt` names its queue message, `tries` counts how often it came."""

    receipt: str
    shop: str
    eid: str
    event: dict[str, Any]
    received: str
    tries: int = 1


@dataclass(slots=True)
class Plan:
    """What is to be kept of one event: its body's entry and its decision."""

    incoming: Incoming
    entry: dict[str, Any]
    revision: int

    @property
    def jobs(self) -> list[dict[str, Any]]:
        """The messages that are to go."""
        jobs: list[dict[str, Any]] = self.entry["jobs"]
        return jobs


def read(receipt: str, body: str, tries: int) -> Incoming:
    """An event as the intake queued it. Raises where it is none (it then ends in the dead-letter queue)."""
    parcel = json.loads(body)
    event = parcel["event"]
    datetime.fromisoformat(event["time"])
    if not isinstance(event["data"], dict):
        raise TypeError("an event's data is an object")
    return Incoming(receipt, parcel["shop"], parcel["eid"], event, parcel["received"], tries)


def evaluate(incoming: Iterable[Incoming], now: datetime) -> set[str]:
    """Decide on events; the receipts of those that must come again. One bad event holds up no other."""
    failed: set[str] = set()
    for shop, group in _by_shop(incoming).items():
        failed |= _evaluate_safely(shop, group, now)
    return failed


def _evaluate_safely(shop: str, group: list[Incoming], now: datetime) -> set[str]:
    """A group that fails is tried one by one, so that the one that is to blame fails alone."""
    try:
        return _evaluate_shop(shop, group, now)
    except Exception as error:
        resources.log("evaluation-failed", shop=shop, events=len(group), error=repr(error))
    if len(group) == 1:
        return {group[0].receipt}
    behind = _Behind()
    for one in group:
        if not behind.must_wait(one) and _evaluate_safely(shop, [one], now):
            behind.add(one)
    return behind.receipts


class _Behind:
    """Events of a run that must come again, and what they are about: what happened to the same order or person later
    waits for them. But not for long: one that never succeeds must not take the others with it."""

    patience = 2  # receives

    def __init__(self) -> None:
        self.receipts: set[str] = set()
        self._about: set[tuple[str, str]] = set()

    def add(self, one: Incoming) -> None:
        self.receipts.add(one.receipt)
        self._about |= set(known.mentions(one.event["data"]))

    def must_wait(self, one: Incoming) -> bool:
        waits = one.tries <= self.patience and not self._about.isdisjoint(known.mentions(one.event["data"]))
        if waits:
            self.add(one)
        return waits


def _by_shop(incoming: Iterable[Incoming]) -> dict[str, list[Incoming]]:
    """Each shop's events in order of their time, each event once (its repeats say nothing new)."""
    shops: dict[str, dict[str, Incoming]] = defaultdict(dict)
    for one in incoming:
        shops[one.shop].setdefault(one.eid, one)
    return {shop: sorted(group.values(), key=lambda i: i.event["time"]) for shop, group in shops.items()}


def _evaluate_shop(shop: str, group: list[Incoming], now: datetime) -> set[str]:
    current = settings.current(shop, now)
    facts = known.Known(shop, current, {one.eid: one.event for one in group}, now)
    plans, behind = [], _Behind()
    for one in group:
        if behind.must_wait(one):
            continue
        try:
            stock_gate.take(shop, one.event, current, now)
            first = facts.decided.get(one.eid)
            plans.append(_again(one, first) if first else plan(one, facts.of(one.event), current, facts.staff, now))
        except Exception as error:
            resources.log("event-failed", shop=shop, eid=one.eid, error=repr(error))
            behind.add(one)
    if plans:
        _hand_on(shop, plans, now)
    return behind.receipts


def _again(one: Incoming, first: Mapping[str, Any]) -> Plan:
    """A repeat says nothing new of anybody: what was decided first stands, and its jobs go on."""
    return Plan(one, _standing(first), first["revision"])


def _standing(first: Mapping[str, Any]) -> dict[str, Any]:
    """The body's entry of a decision that stands; without jobs where it was erased or is too old."""
    try:
        entry = s3.read(first["body"])[first["n"]]
    except FileNotFoundError:
        entry = None
    return {**(entry or {"jobs": [], "facts": {}}), "body": [first["body"], first["n"]]}


def plan(one: Incoming, facts: known.Facts, current: Settings, staff: Staff, now: datetime) -> Plan:
    """What is to become of one event: decisions of the rules it matches, and a job for each message."""
    decisions = _decisions(one.event, facts, current, staff)
    jobs = [_job(one, d, facts.plain, current, now) for d in decisions if d.state == "planned"]
    entry = {
        "event": one.event,
        "facts": facts.plain,
        "jobs": [job for job in jobs if job],
        "decisions": [_shown(one, d, now) for d in decisions],
    }
    return Plan(one, entry, current.revision)


def _decisions(event: dict[str, Any], facts: known.Facts, current: Settings, staff: Staff) -> list[Decision]:
    if event.get("notify", True) is False:
        return []
    matching = [all_rules(current)[id] for id in index(current).match(facts.plain)]
    decisions = rules.decide(matching, facts.plain, staff, current.shop, purpose_of({}, event["type"], current))
    for decision in decisions:
        _last_word(decision, event["type"], facts, current)
    return decisions


def _last_word(decision: Decision, type: str, facts: known.Facts, current: Settings) -> None:
    """What only the whole picture tells: a newer status is known, or nobody can send by this channel."""
    if decision.state != "planned":
        return
    module = events.find(type)
    if facts.overtaken and module is not None and module.STATUS:
        decision.state, decision.reason = State.SUPERSEDED.value, "a newer status of the order is known already"
    elif sender_of(decision.rule, current) is None:
        decision.state, decision.reason = "skipped", f"the shop has no sender for {decision.channel}"


def index(current: Settings) -> patterns.Index:
    """The active rules of a settings revision, compiled once."""
    if "index" not in current.kept:
        active = {id: rule["pattern"] for id, rule in all_rules(current).items() if rule.get("active", True)}
        current.kept["index"] = patterns.compile_index(active)
    compiled: patterns.Index = current.kept["index"]
    return compiled


def all_rules(current: Settings) -> dict[str, dict[str, Any]]:
    """The shipped rules, and the shop's own over them, by id."""
    if "rules" not in current.kept:
        shipped = {str(rule["id"]): rule for rule in events.rules()}
        current.kept["rules"] = shipped | current.rules
    found: dict[str, dict[str, Any]] = current.kept["rules"]
    return found


def sender_of(rule: Mapping[str, Any], current: Settings) -> dict[str, Any] | None:
    """The sender of a rule's messages: its own choice, else the channel's default, else the channel's first."""
    by_channel = [s for _, s in sorted(current.senders.items()) if s["channel"] == rule["channel"]]
    chosen = [s for s in by_channel if s["id"] == rule.get("sender")]
    return next(iter([*chosen, *(s for s in by_channel if s.get("default")), *by_channel]), None)


def _job(
    one: Incoming, decision: Decision, facts: Mapping[str, Any], current: Settings, now: datetime
) -> dict[str, Any]:
    """The message as it travels to its channel (see docs/architecture.md for the shape)."""
    module = events.find(one.event["type"])
    own = current.types.get(one.event["type"], {})
    purpose = purpose_of(decision.rule, one.event["type"], current)
    sender = sender_of(decision.rule, current) or {}
    life = module.USEFUL_LIFE if module else rules.duration(own.get("useful_life", "P14D"))
    return {
        "v": 1,
        "shop": one.shop,
        "message": _mid(one, decision, now),
        "event": one.eid,
        "type": one.event["type"],
        "rule": decision.rule["id"],
        "template": template_of(decision.rule, decision.person.role, one.event["type"]),
        "channel": decision.channel,
        "plugin": sender["plugin"],
        "sender": sender["id"],
        "queue": queue_of(sender["plugin"], purpose),
        "recipient": asdict(decision.person),
        "purpose": purpose,
        "one_time": bool(module and module.ONE_TIME),
        "created": now.isoformat(),
        "time": one.event["time"],
        "expires": (datetime.fromisoformat(one.event["time"]) + life).isoformat(),
        "until": (now + rules.duration(decision.rule.get("delay") or "PT0S")).isoformat(),
        "order": str((facts.get("order") or {}).get("id", "")),
    }


def purpose_of(rule: Mapping[str, Any], type: str, current: Settings) -> str:
    """What a rule's messages are for: what it says itself, else what its event's type says."""
    module = events.find(type)
    of_type = module.PURPOSE if module else current.types.get(type, {}).get("purpose", PURPOSE)
    return str(rule.get("purpose") or of_type)


def template_of(rule: Mapping[str, Any], role: str, type: str) -> str:
    """The template a rule uses for a kind of recipient; its event's shipped one where it names none."""
    named: str = (rule.get("templates") or {}).get(role, "")
    return named or f"{type}/{rules.audience(role)}"


def queue_of(plugin: str, purpose: str) -> str:
    """The queue of a channel for a purpose: mailings have a lane of their own where the channel says so."""
    module = plugins.load(channels, plugin)
    lane = "-marketing" if module and purpose in module.LANES and purpose == "marketing" else ""
    return f"to-send-{plugin.replace('_', '-')}{lane}"


def _mid(one: Incoming, decision: Decision, now: datetime) -> str:
    return messages.message_id(keys.day(now), one.eid, decision.person.key, decision.channel)


def _shown(one: Incoming, decision: Decision, now: datetime) -> dict[str, Any]:
    """A decision as it is kept: small, and without addresses."""
    kept = {
        "rule": decision.rule["id"],
        "recipient": decision.person.key if decision.person.kind in ("customer", "staff") else decision.person.kind,
        "role": decision.person.role,
        "channel": decision.channel,
        "message": _mid(one, decision, now) if decision.state != "skipped" else None,
        "state": decision.state,
    }
    return kept | ({"reason": decision.reason} if decision.reason else {})


def _hand_on(shop: str, plans: list[Plan], now: datetime) -> None:
    fresh = [plan for plan in plans if "body" not in plan.entry]
    if fresh:
        body = keys.body(shop, keys.day(now), "events", resources.new_id())
        s3.write(body, [plan.entry for plan in fresh])
        for position, plan in enumerate(fresh):
            _decide_once(shop, plan, (body, position), now)
    queueing.enqueue([job for plan in plans for job in _travelling(plan)], now)


def _travelling(plan: Plan) -> list[dict[str, Any]]:
    """The jobs as they are queued: with their facts, or without where a queue has no room (they lie with the body)."""
    facts = plan.entry["facts"]
    more = {"body": plan.entry["body"]} | ({"facts": facts} if _fits(facts) else {})
    return [{**job, **more} for job in plan.jobs]


def _fits(facts: Mapping[str, Any]) -> bool:
    return len(json.dumps(facts, ensure_ascii=False).encode()) <= LARGEST_FACTS


def _text(decisions: list[dict[str, Any]]) -> str:
    """As many decisions as an item has room for; all of them lie with the body."""
    text = json.dumps(decisions, ensure_ascii=False, separators=(",", ":"))
    fits = len(text.encode()) <= LARGEST_DECISIONS
    return text if fits else _text(decisions[: len(decisions) // 2])


def _decide_once(shop: str, plan: Plan, body: tuple[str, int], now: datetime) -> None:
    """Keep the decision; where one stands already, go on with that one and its jobs."""
    plan.entry["body"] = list(body)
    event = plan.incoming.event
    first = ledger.decide(
        shop,
        plan.incoming.eid,
        {
            "attempt": resources.new_id(8),
            "type": event["type"],
            "source": event["source"],
            "id": event["id"],
            "time": event["time"],
            "received": plan.incoming.received,
            "decided": now.isoformat(),
            "revision": plan.revision,
            "body": body[0],
            "n": body[1],
            "decisions": _text(plan.entry["decisions"]),
        },
        now,
    )
    if first is not None:
        plan.entry = _standing(first)
