"""The door of the queue `to-release`: one shard's due messages go to their queues."""

import json
from datetime import datetime
from typing import Any

from vestnik import resources
from vestnik.flows import deferred


def handler(event: dict[str, Any], context: object) -> dict[str, Any]:
    """Release each shard named; what failed comes again alone."""
    failed = []
    for record in event["Records"]:
        try:
            shard = json.loads(record["body"])
            deferred.release(shard["shard"], datetime.fromisoformat(shard["until"]))
        except Exception as error:
            resources.log("release-failed", id=record["messageId"], error=repr(error))
            failed.append({"itemIdentifier": record["messageId"]})
    return {"batchItemFailures": failed}
