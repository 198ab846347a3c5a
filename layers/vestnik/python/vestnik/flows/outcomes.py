"""From a provider's feedback to facts in the ledger, in any order and however often it comes."""

from collections.abc import Iterable
from datetime import datetime
from typing import Any

from vestnik import channels, resources
from vestnik.domain import addresses
from vestnik.domain.messages import State
from vestnik.domain.outcomes import Feedback, Outcome
from vestnik.store import ledger, people

SENT_TWICE = "sent-twice"  # the log line that an alarm waits for


def record(bodies: Iterable[tuple[str, str]], now: datetime) -> set[str]:
    """Record feedback given as (receipt, body); the receipts of what must come again."""
    failed: set[str] = set()
    for receipt, body in bodies:
        try:
            for feedback in channels.read_feedback(body):
                _record(feedback, now)
        except Exception as error:
            resources.log("feedback-failed", error=repr(error))
            failed.add(receipt)
    return failed


def _record(feedback: Feedback, now: datetime) -> None:
    if not feedback.message or not feedback.shop or feedback.outcome == Outcome.UNKNOWN:
        resources.log("feedback-unmatched", type=feedback.raw_type, provider_id=feedback.provider_id)
        return
    at = (feedback.at or now).isoformat()
    message = ledger.record_fact(
        feedback.shop, feedback.message, feedback.outcome.value, at, feedback.provider_id, feedback.detail, now
    )
    if message is None:
        resources.log("feedback-of-no-message", message=feedback.message, type=feedback.raw_type)
        return
    _settle(feedback, message, now)
    if feedback.suppress:
        _suppress(feedback, message, now)


def _settle(feedback: Feedback, message: dict[str, Any], now: datetime) -> None:
    """What nobody could tell is told now; two ids of the provider's for one message prove that it went twice."""
    if message.get("state") == State.UNKNOWN:
        reason = "the provider's own event proves it"
        attempt = message["attempt"]
        ledger.settle_doubt(feedback.shop, feedback.message, attempt, State.SENT, reason, now, doubtful=False)
    if len(message.get("provider_ids", ())) > 1:
        resources.log(SENT_TWICE, message=feedback.message, provider_ids=sorted(message["provider_ids"]))


def _suppress(feedback: Feedback, message: dict[str, Any], now: datetime) -> None:
    channel = message["channel"]
    for address in feedback.recipients or (message["address"],):
        same = addresses.same_address(channel, address)
        people.suppress(feedback.shop, channel, same, feedback.outcome.value, now, note=feedback.detail[:300])
