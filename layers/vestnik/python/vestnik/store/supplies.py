"""Supplies: what is handed over together. Which one is being filled for what, which of its steps are done, and a
record of each that we made.

    {shop}#filling#{account}        what shares a supply      kept by its steps, steps done
    {shop}#supply#{account}:{id}    {account}:{id}            body       list: {shop}#supply#{account}
"""

import json
from collections.abc import Mapping
from typing import Any

from vestnik.domain.market import postings
from vestnik.store import dynamo, keys

TABLE = "orders"
KIND = "supply"
OPEN, HANDED_OVER = "open", "handed_over"
IN_DOUBT = "in_doubt"
Supply = dict[str, Any]


def filling(shop: str, account: str, key: str) -> dict[str, Any]:
    """What was kept for those that share a supply by this key, and the steps done: {kept, done}; {} at first."""
    item = dynamo.get(TABLE, keys.filling(shop, account), key)
    return {"kept": json.loads(item["kept"]), "done": sorted(item.get("done", ()))} if item else {}


def fill(shop: str, account: str, key: str, told: Mapping[str, Any], call: str) -> None:
    """Note a supply's step as done, and what it answered. Unconditional: who writes holds the account's lease, and a
    step done twice has left the newest answer, which is the one to go on with."""
    before = filling(shop, account, key).get("kept") or {}
    kept = {**{name: value for name, value in before.items() if not told or name != IN_DOUBT}, **told}
    dynamo.update(TABLE, keys.filling(shop, account), key, put={"v": 1, "kept": _text(kept)}, add={"done": {call}})


def ask(shop: str, account: str, key: str, given: Mapping[str, Any]) -> None:
    """Note what is about to be asked for, until `fill` keeps its answer: where the run dies in between, it is looked
    for. Unconditional: as `fill`."""
    kept = {**(filling(shop, account, key).get("kept") or {}), IN_DOUBT: given}
    dynamo.update(TABLE, keys.filling(shop, account), key, put={"v": 1, "kept": _text(kept)})


def doubt(shop: str, account: str, key: str, given: Mapping[str, Any]) -> None:
    """Forget what was kept, but for what a step was given whose answer was lost. Unconditional: as `fill`."""
    dynamo.put(TABLE, {"pk": keys.filling(shop, account), "sk": key, "v": 1, "kept": _text({IN_DOUBT: given})})


def forget(shop: str, account: str, key: str) -> None:
    """Fill this one no more: the next of its kind begins another. Unconditional: done twice it is the same."""
    dynamo.delete(TABLE, keys.filling(shop, account), key)


def close(shop: str, account: str, supply: str, at: str) -> None:
    """A supply is handed over: nothing is added to it any more."""
    pk = keys.filling(shop, account)
    rows = dynamo.query_all(TABLE, pk)
    dynamo.write_many(
        TABLE, deletes=[(pk, row["sk"]) for row in rows if json.loads(row["kept"]).get("supply") == supply]
    )
    put(shop, account, supply, state=HANDED_OVER, handed_over_at=at)


def put(shop: str, account: str, supply: str, **fields: Any) -> Supply:
    """Keep fields of a supply beside those known. Unconditional: the lease, or a person, has the last word."""
    body = {"id": supply, "account": account, "state": OPEN, **(get(shop, account, supply) or {})}
    body |= {name: value for name, value in fields.items() if value is not None}
    pk, sk = _key(shop, account, supply)
    dynamo.put(TABLE, {"pk": pk, "sk": sk, "v": 1, "body": _text(body), "list": keys.supplies(shop, account)})
    return body


def get(shop: str, account: str, supply: str) -> Supply | None:
    """One supply as we know it, or None."""
    item = dynamo.get(TABLE, *_key(shop, account, supply))
    found: Supply | None = json.loads(item["body"]) if item else None
    return found


def page(shop: str, account: str, limit: int, after: str = "") -> tuple[list[Supply], str | None]:
    """A page of an account's supplies by their ids, and where to go on."""
    items, more = dynamo.query(
        TABLE, keys.supplies(shop, account), after=after, limit=limit, index=True, backwards=True
    )
    found = dynamo.get_many({TABLE: [(keys.record(shop, KIND, item["sk"]), item["sk"]) for item in items]})
    rows = [found.get((TABLE, keys.record(shop, KIND, item["sk"]), item["sk"])) for item in items]
    return [json.loads(row["body"]) for row in rows if row], more


def _text(value: Mapping[str, Any]) -> str:
    return json.dumps(value, ensure_ascii=False, separators=(",", ":"))


def _key(shop: str, account: str, supply: str) -> dynamo.Key:
    id = postings.id_of(account, supply)
    return keys.record(shop, KIND, id), id
