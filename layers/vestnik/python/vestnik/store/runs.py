"""How an account's flows fare: one small record a flow, overwritten by its latest run (a lease lets only one run)."""

import json
from typing import Any

from vestnik.store import dynamo, keys

TABLE = "goods"
PREFIX = "state#"
State = dict[str, Any]


def get(shop: str, account: str, flow: str) -> State:
    """What a flow's last run left: {last_run?, last_ok?, error?, cursor?, progress?, ...}; {} before the first."""
    item = dynamo.get(TABLE, keys.account(shop, account), PREFIX + flow)
    return _open(item) if item else {}


def put(shop: str, account: str, flow: str, **fields: Any) -> State:
    """Keep fields beside those that stand there; None removes one. Unconditional: who writes holds the flow's lease."""
    told = {name: _closed(value) for name, value in fields.items() if value is not None}
    drop = [name for name, value in fields.items() if value is None]
    pk, sk = keys.account(shop, account), PREFIX + flow
    return _open(dynamo.update(TABLE, pk, sk, put={"v": 1, **told}, drop=drop, back=True))


def add(shop: str, account: str, flow: str, **numbers: int) -> None:
    """Add to numbers that stand there."""
    dynamo.update(TABLE, keys.account(shop, account), PREFIX + flow, add=numbers, first={"v": 1})


def every(shop: str, account: str) -> dict[str, State]:
    """The states of all flows of an account."""
    rows = dynamo.query_all(TABLE, keys.account(shop, account), begins=PREFIX)
    return {row["sk"].removeprefix(PREFIX): _open(row) for row in rows}


def forget_account(shop: str, account: str) -> None:
    """Remove the states of an account that is removed."""
    pk = keys.account(shop, account)
    dynamo.write_many(TABLE, deletes=[(pk, row["sk"]) for row in dynamo.query_all(TABLE, pk, begins=PREFIX)])


def _closed(value: Any) -> Any:
    """Lists and objects (a cursor, a report) are kept as JSON: they may hold what a table does not."""
    if isinstance(value, dict | list | float):
        return {"json": json.dumps(value, ensure_ascii=False, separators=(",", ":"))}
    return value


def _open(item: dict[str, Any]) -> State:
    return {
        name: json.loads(value["json"]) if isinstance(value, dict) and set(value) == {"json"} else value
        for name, value in item.items()
        if name not in ("pk", "sk", "v")
    }
