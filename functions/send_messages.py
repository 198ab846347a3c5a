"""The door of a channel's queues: messages are sent. One function per channel; the queues that wake it say which."""

from datetime import timedelta
from typing import Any

from vestnik import resources
from vestnik.flows import delivery

SPARE = timedelta(seconds=50)  # for the slowest send (SMTP) and its outcome, before the function's deadline


def handler(event: dict[str, Any], context: Any) -> dict[str, Any]:
    """Send a batch; what must come again says so."""
    works, failed = [], set()
    for record in event["Records"]:
        try:
            works.append(delivery.read(record["messageId"], record["receiptHandle"], record["body"]))
        except (ValueError, KeyError, TypeError) as wrong:
            resources.log("no-message", id=record["messageId"], error=repr(wrong))
            failed.add(record["messageId"])
    left = timedelta(milliseconds=context.get_remaining_time_in_millis())
    failed |= delivery.deliver(works, resources.now, until=resources.now() + left - SPARE)
    return {"batchItemFailures": [{"itemIdentifier": id} for id in sorted(failed)]}
