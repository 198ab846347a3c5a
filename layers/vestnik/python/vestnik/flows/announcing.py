"""What happens in an account becomes an ordinary event of the shop: checked and kept by the intake, like any posted."""

import json
from collections.abc import Mapping
from datetime import datetime
from typing import Any

from vestnik import resources
from vestnik.domain.cloudevents import STRUCTURED, utc
from vestnik.domain.market.accounts import Account
from vestnik.errors import Refused
from vestnik.flows import intake

SYSTEM = {"kind": "system", "id": "vestnik"}


def announce(
    account: Account, type: str, id: str, data: Mapping[str, Any], now: datetime, at: str = "", by: str = ""
) -> None:
    """Raise an event of an account; `id` is the same for the same happening, so that it is told once. `at`: when it
    happened (RFC 3339; now, where absent). `by`: who speaks, where it is not this account alone. RuntimeError where the
    queue did not take it: the caller comes again."""
    event = {"specversion": "1.0", "id": id, "source": by or source(account), "type": type, "time": at or utc(now)}
    told = {**event, "data": {"account": shown(account), **data, "actor": data.get("actor", SYSTEM)}}
    (item,) = intake.take(account.shop, {"content-type": STRUCTURED}, json.dumps(told), id, now).items
    if item.problem is not None:
        _refused(type, item.problem)
    elif not item.kept:
        raise RuntimeError(f"the queue of events did not take {type}")


def source(account: Account) -> str:
    """Who speaks in an account's events."""
    return f"/marketplaces/{account.marketplace}/{account.id}"


def shown(account: Account) -> dict[str, Any]:
    """An account as events tell of it."""
    return {"id": account.id, "name": account.body.get("name") or account.id, "marketplace": account.marketplace}


def _refused(type: str, problem: Refused) -> None:
    """Our own event does not fit its schema: a bug of ours, told in the log, that stops no orders and no stock."""
    resources.log("event-refused", type=type, reason=problem.reason, where=problem.where)
