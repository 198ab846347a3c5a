"""The door of the queue `to-sync`: orders, stock and products of one account are exchanged with its marketplace."""

import json
import traceback
from datetime import timedelta
from typing import Any

from vestnik import resources
from vestnik.flows import syncs

SPARE = timedelta(seconds=30)  # for the call under way and what is written after it, before the function's deadline


def handler(event: dict[str, Any], context: Any) -> dict[str, Any]:
    """Do what each message asks for; what failed comes again alone."""
    failed = []
    left = timedelta(milliseconds=context.get_remaining_time_in_millis())
    until = resources.now() + left - SPARE
    for record in event["Records"]:
        try:
            syncs.take(json.loads(record["body"]), resources.now, until)
        except Exception as error:
            where = traceback.extract_tb(error.__traceback__)[-1]
            told = f"{type(error).__name__} in {where.name}, line {where.lineno}"  # its text may quote a credential
            resources.log("sync-broke", id=record["messageId"], error=told)
            failed.append({"itemIdentifier": record["messageId"]})
    return {"batchItemFailures": failed}
