"""The second look, at the moment of sending: what has changed since the decision may end a message unsent."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

from vestnik import channels, events, plugins
from vestnik.domain import addresses, rules, sending_domains
from vestnik.domain.messages import State
from vestnik.errors import Refused
from vestnik.store import dynamo, orders, people, records
from vestnik.store.settings import Settings

type Job = Mapping[str, Any]
type Verdict = tuple[State, str] | None


# What is still to be told of an order that was cancelled meanwhile.
TRUE_OF_CANCELLED = frozenset({"order.cancelled", "order.refunded", "order.payment_failed", "payment.received"})


class Seen:
    """What the batch's jobs depend on, read in one call: orders, consent, suppressed addresses. Not strongly: until the
    last letter of the batch goes, the look is seconds old in any case."""

    def __init__(self, shop: str, jobs: Sequence[Job]) -> None:
        self.shop = shop
        self.items = dynamo.get_many(
            {
                people.TABLE: [key for job in jobs for key in self._people(job)],
                orders.TABLE: [records.key(shop, "order", job["order"]) for job in jobs if self._minds_order(job)],
            },
            consistent=False,
        )

    def _people(self, job: Job) -> list[dynamo.Key]:
        recipient = job["recipient"]
        keys = [self._suppression(job)]
        wants_consent = job["purpose"] == "marketing" and recipient["kind"] == "customer"
        return keys + ([records.key(self.shop, "customer", recipient["id"])] if wants_consent else [])

    def _suppression(self, job: Job) -> dynamo.Key:
        address = addresses.same_address(job["channel"], job["recipient"]["address"])
        return people.suppression_key(self.shop, job["channel"], address)

    @staticmethod
    def _minds_order(job: Job) -> bool:
        """Whether a cancellation makes the job's message wrong. What tells no status is asked only if it waited."""
        if not job.get("order") or job["type"] in TRUE_OF_CANCELLED:
            return False
        module = events.find(job["type"])
        return bool(module is not None and module.STATUS) or job["until"] > job["created"]

    def suppressed(self, job: Job) -> str:
        """Why the job's address is suppressed; "" where it is not."""
        item = self.items.get((people.TABLE, *self._suppression(job)))
        reason = item["reason"] if item else ""
        return "" if reason == people.OPT_OUT and job["purpose"] != "marketing" else reason

    def order_cancelled(self, job: Job) -> bool:
        """Whether the job tells of an order that was cancelled meanwhile."""
        if not self._minds_order(job):
            return False
        order = records.from_item(self.items.get((orders.TABLE, *records.key(self.shop, "order", job["order"]))))
        if order is None or order.as_of <= job["time"]:
            return False
        return order.body.get("status") == "cancelled" or str(order.body.get("cancelled_at") or "") > job["time"]

    def consents(self, job: Job) -> bool:
        """Whether the person agreed to marketing by the job's channel."""
        if job["purpose"] != "marketing" or job["recipient"]["kind"] != "customer":
            return True
        key = records.key(self.shop, "customer", job["recipient"]["id"])
        customer = records.from_item(self.items.get((people.TABLE, *key)))
        return bool(customer and (customer.body.get("consent") or {}).get(job["channel"]))


def verdict(job: Job, seen: Seen, current: Settings, now: datetime) -> Verdict:
    """How a message ends unsent, and why; None where it may go."""
    rule = _rule(job["rule"], current)
    if datetime.fromisoformat(job["expires"]) <= now:
        return State.EXPIRED, "its useful life was over"
    if not (current.shop.get("sending") or {}).get(job["channel"], True):
        return State.CANCELLED, f"sending by {job['channel']} is switched off for the shop"
    audience = rules.audience(job["recipient"]["role"])
    if not (current.shop.get("audiences") or {}).get(audience, True):
        return State.CANCELLED, f"messages to {audience} are switched off for the shop"
    if rule is None or not rule.get("active", True):
        return State.CANCELLED, "the rule was switched off"
    if seen.order_cancelled(job):
        return State.CANCELLED, "the order was cancelled"
    if reason := seen.suppressed(job):
        return State.SUPPRESSED, f"the address is suppressed: {reason}"
    if not seen.consents(job):
        return State.SUPPRESSED, f"there is no consent to marketing by {job['channel']}"
    return _sender_verdict(job, current) or _phone_verdict(job)


def _rule(id: str, current: Settings) -> Mapping[str, Any] | None:
    """A rule as the settings have it now: the shop's own, else the shipped one (whose id begins with its type)."""
    if id in current.rules:
        return current.rules[id]
    module = events.find(id.partition("/")[0])
    return next((rule for rule in module.RULES if rule["id"] == id), None) if module else None


def _sender_verdict(job: Job, current: Settings) -> Verdict:
    found = current.senders.get(job["sender"])
    if found is None or found["plugin"] != job["plugin"]:
        return State.FAILED, f"the sender {job['sender']} is gone"
    module = plugins.load(channels, found["plugin"])
    if module is None:
        return State.FAILED, f"the plug-in {found['plugin']} is no longer part of this deployment"
    own_domain = getattr(module, "OWN_DOMAIN", "")
    if stranger := sending_domains.stranger(own_domain, found.get("config") or {}, current.domains):
        return State.FAILED, f"the shop may not write from {stranger}: it was not granted to it"
    return None


def dialled(job: dict[str, Any], current: Settings) -> dict[str, Any]:
    """A job with its phone number as it is dialled, read as in the shop's country; as it is where it is none."""
    if job["channel"] != "sms":
        return job
    recipient = job["recipient"]
    try:
        address = addresses.phone(recipient["address"], current.shop.get("country") or None).e164
    except Refused:
        return job
    return {**job, "recipient": {**recipient, "address": address}}


def _phone_verdict(job: Job) -> Verdict:
    if job["channel"] != "sms" or _mobile(job["recipient"]["address"]):
        return None
    return State.FAILED, "a landline takes no SMS, or the number is none"


def _mobile(number: str) -> bool:
    try:
        return addresses.phone(number).takes_sms
    except Refused:
        return False
