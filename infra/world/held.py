"""Messages that a limit holds back for a moment: their time has come, and a sender looks at them again presently."""

import json
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta

from infra.world.account import Account
from infra.world.fair_queue import WAITING
from vestnik import resources
from vestnik.store import ledger

MOMENT = timedelta(seconds=15)  # a chat's own limit holds for minutes: that is not waited for
NOT_SENT = (None, "deferred", "retry")


def until(account: Account, now: datetime) -> datetime | None:
    """When the last message held at `now` is looked at again; None where none is."""
    with resources.use(account.variables(account.functions["manage-shop"])):
        return max((at for at, body in _waiting(account, now) if _is_due(body, now)), default=None)


def _waiting(account: Account, now: datetime) -> Iterator[tuple[datetime, str]]:
    for name, queue in account.queues().items():
        if not name.startswith("to-send-") or not queue.approximate_number_of_messages_delayed:
            continue
        for message in queue._messages:
            at = datetime.fromtimestamp(message.delayed_until / 1000, UTC)
            if message.place == WAITING and at <= now + MOMENT:
                yield at, message.body


def _is_due(body: str, now: datetime) -> bool:
    """Whether it waits for nothing but a limit: neither for its rule's delay nor for its next try."""
    job = json.loads(body)
    record = ledger.message(job["shop"], job["message"]) or {}
    return record.get("state") in NOT_SENT and record.get("until", "") <= now.isoformat()
