"""What an account's marketplace lists that is no unit: the tree of its categories, and its warehouses."""

import json
from collections.abc import Iterable, Mapping
from typing import Any

from vestnik.store import dynamo, keys

TABLE = "goods"
CATEGORY, WAREHOUSE = "category", "warehouse"


def put(shop: str, account: str, what: str, rows: Iterable[Mapping[str, Any]]) -> int:
    """Keep a list in place of the one before (one run at a time: a lease sees to it); how many entries it has."""
    pk = keys.tree(shop, account, what)
    told = {str(row["id"]): dict(row) for row in rows}
    before = {item["sk"]: item["body"] for item in dynamo.query_all(TABLE, pk)}
    texts = {id: json.dumps(row, ensure_ascii=False, separators=(",", ":")) for id, row in told.items()}
    puts = [{"pk": pk, "sk": id, "v": 1, "body": text} for id, text in texts.items() if before.get(id) != text]
    dynamo.write_many(TABLE, puts=puts, deletes=[(pk, id) for id in before if id not in told])
    return len(told)


def get(shop: str, account: str, what: str) -> list[dict[str, Any]]:
    """A list as it was last told, by id."""
    return [json.loads(item["body"]) for item in dynamo.query_all(TABLE, keys.tree(shop, account, what))]
