"""Who must be told of an event, by the rules it matched: people, channels, and who is left out and why."""

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any

from vestnik.domain.addresses import same_address

AUDIENCES = {"customer": "customer", "webhook": "machine"}  # all other kinds of recipient are staff
ADDRESS_OF = {"email": "email", "sms": "phone", "telegram": "telegram"}
LONGEST_ADDRESS = {"email": 320, "sms": 40, "telegram": 64, "webhook": 2048}
_DURATION = re.compile(r"P(?:(\d+)W)?(?:(\d+)D)?(?:T(?:(\d+)H)?(?:(\d+)M)?(?:(\d+(?:\.\d+)?)S)?)?", re.ASCII)


@dataclass(frozen=True, slots=True)
class Person:
    """Somebody to be told: `kind` and `id` say who (customer:42, staff:7, address:a@b.c), `role` why."""

    kind: str
    id: str
    role: str
    address: str = ""
    name: str = ""
    language: str = ""
    timezone: str = ""

    @property
    def key(self) -> str:
        """The person, whatever role they have here."""
        return f"{self.kind}:{self.id}"


@dataclass(slots=True)
class Decision:
    """What one rule decided for one person. `state`: planned, merged, superseded, or skipped (no message is due).
    `reason` says why where it is not planned."""

    rule: Mapping[str, Any]
    person: Person
    state: str = "planned"
    reason: str = ""

    @property
    def channel(self) -> str:
        """The role of the channel."""
        channel: str = self.rule["channel"]
        return channel


@dataclass(frozen=True, slots=True)
class Staff:
    """The shop's colleagues, by id."""

    by_id: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)

    def in_group(self, group: str) -> list[Mapping[str, Any]]:
        """Colleagues of a group or role, in order of id."""
        return [p for _, p in sorted(self.by_id.items()) if group in _marks(p)]


def _marks(colleague: Mapping[str, Any]) -> list[Any]:
    lists = (colleague.get(name) for name in ("groups", "roles"))
    return [mark for each in lists if isinstance(each, list) for mark in each]


def duration(text: str) -> timedelta:
    """An ISO 8601 duration of weeks, days, hours, minutes, seconds. ValueError for anything else."""
    found = _DURATION.fullmatch(text)
    if found is None or not any(found.groups()) or text.endswith("T"):
        raise ValueError(f"{text!r} is no duration such as PT10M or P1DT2H")
    weeks, days, hours, minutes, seconds = (float(n or 0) for n in found.groups())
    try:
        return timedelta(weeks=weeks, days=days, hours=hours, minutes=minutes, seconds=seconds)
    except OverflowError:
        raise ValueError(f"{text[:40]!r} is longer than any time") from None


def audience(recipient_kind: str) -> str:
    """Whom a kind of recipient belongs to: customer, staff or machine."""
    return AUDIENCES.get(recipient_kind, "staff")


def decide(
    rules: Sequence[Mapping[str, Any]],
    facts: Mapping[str, Any],
    staff: Staff,
    shop: Mapping[str, Any],
    purpose: str = "transactional",
) -> list[Decision]:
    """What the matching rules decide, one decision for each person that each names.

    `purpose`: of a rule that says none. Higher priority first, and marketing last: who may not get it would else
    get nothing. Where two rules reach one person by one channel the first one's message goes and the other decision
    says `merged`.
    """
    decisions: list[Decision] = []
    first: dict[tuple[str, str], str] = {}
    for rule in sorted(rules, key=lambda r: _order(r, purpose)):
        for person in _once(people(rule, facts, staff, shop), rule["channel"]):
            decision = _decide(rule, person, facts, shop)
            if decision.state == "planned":
                _merge(decision, first)
            decisions.append(decision)
    return decisions


def _order(rule: Mapping[str, Any], purpose: str) -> tuple[bool, int, str]:
    return (rule.get("purpose") or purpose) == "marketing", -rule.get("priority", 50), rule["id"]


def _once(found: Iterator[Person], channel: str) -> list[Person]:
    """One person in two roles, or one address of two people, gets one message: by the first role in the rule."""
    persons = {person.key: person for person in reversed(list(found))}
    addressed = {_mailbox(person, channel) or person.key: person for person in persons.values()}
    return list(addressed.values())[::-1]


def _mailbox(person: Person, channel: str) -> str:
    """Where a person's message ends; "" where there is no address."""
    return person.address and same_address(channel, person.address)


def _merge(decision: Decision, first: dict[tuple[str, str], str]) -> None:
    """Leave out whom an earlier rule tells, or, of the same audience, whose address one does."""
    person, channel = decision.person, decision.channel
    key, place = (person.key, channel), (f"{audience(person.role)} {_mailbox(person, channel)}", channel)
    if key in first:
        decision.state = "merged"
        decision.reason = f"rule {first[key]} tells the same person by the same channel"
    elif place in first:
        decision.state, decision.reason = "skipped", f"rule {first[place]} writes to the same address"
    else:
        first[key] = first[place] = decision.rule["id"]


def _decide(rule: Mapping[str, Any], person: Person, facts: Mapping[str, Any], shop: Mapping[str, Any]) -> Decision:
    reason = _why_not(rule, person, facts, shop)
    return Decision(rule, person, "skipped" if reason else "planned", reason)


def _why_not(rule: Mapping[str, Any], person: Person, facts: Mapping[str, Any], shop: Mapping[str, Any]) -> str:
    if rule.get("except_actor") and _did_it(person, facts["data"].get("actor")):
        return "did it, and the rule leaves out who did it"
    if not (shop.get("audiences") or {}).get(audience(person.role), True):
        return f"messages to {audience(person.role)} are switched off for the shop"
    if not person.id:
        return f"there is no {person.role.replace('_', ' ')}"
    if not person.address:
        return f"has no address for {rule['channel']}"
    return ""


def _did_it(person: Person, actor: Any) -> bool:
    return isinstance(actor, Mapping) and (actor.get("kind"), str(actor.get("id"))) == (person.kind, person.id)


def people(
    rule: Mapping[str, Any], facts: Mapping[str, Any], staff: Staff, shop: Mapping[str, Any]
) -> Iterator[Person]:
    """The people a rule names for these facts, in the rule's order. An empty id means: nobody is there."""
    for recipient in rule["recipients"]:
        for person in _named(recipient, facts, staff, shop):
            yield _addressed(person, recipient, rule["channel"])


type Found = tuple[str, str, Mapping[str, Any]]  # kind, id, profile


def _named(
    recipient: Mapping[str, Any], facts: Mapping[str, Any], staff: Staff, shop: Mapping[str, Any]
) -> Iterator[Found]:
    kind = recipient["kind"]
    if kind == "staff_group":
        yield from (("staff", p["id"], p) for p in staff.in_group(recipient["group"]) if p.get("active", True))
    elif kind in ("address", "telegram_chat", "webhook"):
        yield _fixed(recipient, shop)
    elif kind == "customer":
        customer = facts.get("customer") or {}
        yield "customer", str(customer.get("id", "")), customer
    else:
        yield _colleague(_role_id(kind, facts), staff, facts)


def _fixed(recipient: Mapping[str, Any], shop: Mapping[str, Any]) -> Found:
    field = {"address": "address", "telegram_chat": "chat_id", "webhook": "url"}[recipient["kind"]]
    address = recipient.get(field) or (shop.get("staff_chat", "") if recipient["kind"] == "telegram_chat" else "")
    profile = {"name": recipient.get("name", ""), "language": recipient.get("language", ""), "fixed": address}
    return recipient["kind"], address.casefold() if recipient["kind"] == "address" else address, profile


def _role_id(kind: str, facts: Mapping[str, Any]) -> Any:
    if kind == "customer_manager":
        return (facts.get("customer") or {}).get("manager_id")
    if kind == "order_manager":
        return (facts.get("order") or {}).get("manager_id")
    return facts["data"].get("author") or {}


def _colleague(who: Any, staff: Staff, facts: Mapping[str, Any]) -> Found:
    if isinstance(who, Mapping):
        if who.get("kind") == "customer" and str(who.get("id")) == str((facts.get("customer") or {}).get("id")):
            return "customer", str(who["id"]), facts["customer"]
        who = who.get("id") if who.get("kind") == "staff" else None
    profile = staff.by_id.get(str(who)) if who is not None else None
    return ("staff", str(who), profile) if profile and profile.get("active", True) else ("staff", "", {})


def _addressed(found: Found, recipient: Mapping[str, Any], channel: str) -> Person:
    kind, id, profile = found
    address = _text(profile.get("fixed") or profile.get(ADDRESS_OF.get(channel, "")))
    address = address.strip() if len(address) <= LONGEST_ADDRESS.get(channel, 0) else ""
    language = recipient.get("language") or _text(profile.get("language"))
    name, timezone = _text(profile.get("name")), _text(profile.get("timezone"))
    return Person(kind, id, recipient["kind"], address, name, language, timezone)


def _text(value: Any) -> str:
    """A field of a profile; "" where it is no text: an event of a shop's own type may carry anything in its place."""
    return str(value) if isinstance(value, str | int) and not isinstance(value, bool) else ""
