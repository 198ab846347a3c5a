"""The door of a channel's queues: messages are sent. One function per channel; PLUGIN says which."""

from datetime import timedelta
from typing import Any

from vestnik import resources
from vestnik.flows import delivery
from vestnik.store import sqs

SPARE = timedelta(seconds=20)  # for the send under way and its outcome, before the function's deadline


def handler(event: dict[str, Any], context: Any) -> dict[str, Any]:
    """Send a batch; what must come again says so, and when."""
    works, failed = [], set()
    for record in event["Records"]:
        try:
            works.append(delivery.read(record["messageId"], record["body"]))
        except (ValueError, KeyError, TypeError) as wrong:
            resources.log("no-message", id=record["messageId"], error=repr(wrong))
            failed.add(record["messageId"])
    left = timedelta(milliseconds=context.get_remaining_time_in_millis())
    until = resources.now() + left - SPARE
    result = delivery.deliver(works, resources.env("PLUGIN"), resources.now, until=until)
    handles = {record["messageId"]: record["receiptHandle"] for record in event["Records"]}
    for id, (queue, seconds) in result.hidden.items():
        sqs.hide(f"queue:{queue}", handles[id], seconds)
    return {"batchItemFailures": [{"itemIdentifier": id} for id in sorted(failed | result.failed)]}
