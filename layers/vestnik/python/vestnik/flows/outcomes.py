"""From a provider's feedback to facts in the ledger, in any order and however often it comes."""

from collections.abc import Iterable
from datetime import datetime
from typing import Any

from vestnik import channels, resources
from vestnik.domain import addresses, messages
from vestnik.domain.messages import State
from vestnik.domain.outcomes import Feedback, Outcome
from vestnik.store import ledger, people

LONGEST_SHOP = 64
SENT_TWICE = "sent-twice"  # the log line that an alarm waits for


def record(bodies: Iterable[tuple[str, str]], now: datetime) -> set[str]:
    """Record feedback given as (receipt, body); the receipts of what must come again."""
    told = [(receipt, feedback) for receipt, body in bodies for feedback in channels.read_feedback(body)]
    settled = _settled([feedback for _, feedback in told])
    failed: set[str] = set()
    for receipt, feedback in told:
        try:
            if feedback not in settled:
                _record(feedback, now)
        except Exception as error:
            resources.log("feedback-failed", error=repr(error))
            failed.add(receipt)
    return failed


def _settled(told: list[Feedback]) -> list[Feedback]:
    """What says nothing new: that the provider took a message which it answered to have taken, under the same id.
    One read for the run saves a write for each message."""
    taken = [f for f in told if f.outcome == Outcome.ACCEPTED and _ours(f)]
    known = ledger.known((f.shop, f.message) for f in taken)
    return [f for f in taken if known.get((f.shop, f.message), {}).get("provider_id") == f.provider_id]


def _ours(feedback: Feedback) -> bool:
    """Whether it names a message as we do: the account may send other mail, with tags of its own."""
    return messages.is_message_id(feedback.message) and 0 < len(feedback.shop) <= LONGEST_SHOP


def _record(feedback: Feedback, now: datetime) -> None:
    if not _ours(feedback) or feedback.outcome == Outcome.UNKNOWN:
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
    ids = {message.get("provider_id"), *message.get("provider_ids", ())} - {None, ""}
    if len(ids) > 1:
        resources.log(SENT_TWICE, message=feedback.message, provider_ids=sorted(ids))


def _suppress(feedback: Feedback, message: dict[str, Any], now: datetime) -> None:
    channel = message["channel"]
    for address in feedback.recipients or (message["address"],):
        same = addresses.same_address(channel, address)
        people.suppress(feedback.shop, channel, same, feedback.outcome.value, now, note=feedback.detail[:300])
