"""The door of the queue `to-record`: providers' feedback becomes facts."""

from typing import Any

from vestnik import resources
from vestnik.flows import outcomes


def handler(event: dict[str, Any], context: object) -> dict[str, Any]:
    """Record a batch of feedback; what failed comes again alone."""
    bodies = [(record["messageId"], record["body"]) for record in event["Records"]]
    failed = outcomes.record(bodies, resources.now())
    return {"batchItemFailures": [{"itemIdentifier": id} for id in sorted(failed)]}
