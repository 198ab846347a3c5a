"""Channels: one file each; a file here is a channel, with its queue, function, permissions, tests and docs row.

A channel offers `send` and `buckets`, and `feedback` where its provider reports back; docs/add-a-channel.md tells
the whole contract.
"""

import json
from typing import Any

from vestnik.domain.outcomes import Feedback

DEEPEST = 5


def read_feedback(body: str) -> list[Feedback]:
    """What a provider's event says, however it came: raw, by SNS (raw or wrapped), in SQS records, by EventBridge.

    Never raises over what it is given: what nobody knows gives [].
    """
    return [told for payload in payloads(body) for told in _told(payload)]


def payloads(body: Any, depth: int = 0) -> list[dict[str, Any]]:
    """The events inside the envelopes of `body` (text or parsed)."""
    if isinstance(body, str):
        body = _parsed(body)
    if not isinstance(body, dict) or depth > DEEPEST:
        return []
    inner = _inside(body)
    return [body] if inner is None else [found for one in inner for found in payloads(one, depth + 1)]


def _inside(body: dict[str, Any]) -> list[Any] | None:
    """What an envelope holds; None where `body` is no envelope."""
    if isinstance(records := body.get("Records"), list):
        found = [record for record in records if isinstance(record, dict)]
        return [record.get("body") or record.get("Sns") for record in found]
    if "Message" in body and ("TopicArn" in body or body.get("Type") == "Notification"):
        return [body["Message"]]
    if "detail-type" in body and isinstance(body.get("detail"), dict):
        return [body["detail"]]
    return None


def _parsed(text: str) -> Any:
    try:
        return json.loads(text)
    except (ValueError, RecursionError):
        return None


def _told(payload: dict[str, Any]) -> list[Feedback]:
    """The channel that knows the payload reads it; only those that have feedback are imported."""
    from vestnik.channels import email_ses, sms_eum

    return email_ses.feedback(payload) or sms_eum.feedback(payload)
