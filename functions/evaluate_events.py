"""The door of the queue `to-evaluate`: events become decisions."""

from typing import Any

from vestnik import resources
from vestnik.flows import evaluation


def handler(event: dict[str, Any], context: object) -> dict[str, Any]:
    """Decide on a batch of events; what failed comes again alone."""
    incoming, failed = [], set()
    for record in event["Records"]:
        try:
            tries = int(record["attributes"]["ApproximateReceiveCount"])
            incoming.append(evaluation.read(record["messageId"], record["body"], tries))
        except (ValueError, KeyError, TypeError) as wrong:
            resources.log("no-event", id=record["messageId"], error=repr(wrong))
            failed.add(record["messageId"])
    failed |= evaluation.evaluate(incoming, resources.now())
    return {"batchItemFailures": [{"itemIdentifier": id} for id in sorted(failed)]}
