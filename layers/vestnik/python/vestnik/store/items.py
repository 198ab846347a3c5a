"""What a shop tells of its items beside their stock: name, barcodes, fields; and by which barcode an item is found."""

import json
from collections.abc import Iterable, Mapping
from typing import Any

from vestnik.store import dynamo, keys

TABLE = "goods"
Item = dict[str, Any]


def describe(shop: str, item: str, about: Mapping[str, Any]) -> None:
    """Keep a description ({name?, barcodes[], fields{}}) in place of what stood there. Unconditional: the shop's newest
    word stands, and a barcode's entry written twice is the same."""
    before = get(shop, item)
    codes = [str(code) for code in about.get("barcodes") or []]
    gone = [code for code in (before or {}).get("barcodes", []) if code not in codes]
    text = json.dumps({**about, "barcodes": codes}, ensure_ascii=False, separators=(",", ":"))
    dynamo.put(TABLE, {**_place(shop, item), "v": 1, "body": text})
    entries = [{"pk": keys.barcode(shop, code), "sk": item, "v": 1} for code in codes]
    dynamo.write_many(TABLE, puts=entries, deletes=[(keys.barcode(shop, code), item) for code in gone])


def remove(shop: str, item: str) -> None:
    """Remove a description and its barcodes; stock and links stay."""
    before = get(shop, item) or {}
    gone = [(keys.barcode(shop, code), item) for code in before.get("barcodes", [])]
    dynamo.write_many(TABLE, deletes=[*gone, _key(shop, item)])


def get(shop: str, item: str) -> Item | None:
    """One description: {item, name?, barcodes[], fields{}}, or None."""
    return _open(dynamo.get(TABLE, *_key(shop, item)))


def page(shop: str, limit: int, cursor: str = "") -> tuple[list[Item], str | None]:
    """Up to `limit` descriptions and where to go on ("" begins), by shard, then item."""
    first, _, after = cursor.partition(":") if cursor else ("0", "", "")
    shard, found = int(first, 16), list[Item]()
    while shard < keys.SHARDS and len(found) < limit:
        items, more = dynamo.query(TABLE, keys.described(shop, shard), after=after, limit=limit - len(found))
        found += [item for row in items if (item := _open(row))]
        shard, after = (shard, more) if more else (shard + 1, "")
    return found, f"{shard:x}:{after}" if shard < keys.SHARDS else None


def known(shop: str, wanted: Iterable[str]) -> set[str]:
    """Which of these are items of the shop: it told their stock, or described them."""
    ids = list(dict.fromkeys(wanted))
    asked = [(keys.item(shop, keys.shard(id)), id) for id in ids] + [_key(shop, id) for id in ids]
    found = dynamo.get_many({TABLE: asked})
    return {sk for (_, _, sk), row in found.items() if "body" in row or row.get("stock")}


def stocked(shop: str, wanted: Iterable[str]) -> set[str]:
    """Which of these have a stock record; of the others the stock is unknown."""
    found = dynamo.get_many({TABLE: [(keys.item(shop, keys.shard(id)), id) for id in wanted]})
    return {sk for (_, _, sk), row in found.items() if row.get("stock")}


def tie(shop: str, item: str, account: str, unit: str) -> None:
    """Note at an item that a unit is made of it. Unconditional: noted twice is noted; an item that has no record yet
    gets one without stock, which is unknown and not zero."""
    key = keys.item(shop, keys.shard(item)), item
    dynamo.update(TABLE, *key, add={"links": {f"{account}|{unit}"}}, first={"v": 1})


def untie(shop: str, item: str, account: str, unit: str) -> None:
    """Note at an item that a unit is made of it no longer. Unconditional, as `tie`."""
    key = keys.item(shop, keys.shard(item)), item
    dynamo.update(TABLE, *key, take={"links": {f"{account}|{unit}"}})


def ties(shop: str, item: str) -> list[tuple[str, str]]:
    """The units that are made of an item: (account, unit)."""
    row = dynamo.get(TABLE, keys.item(shop, keys.shard(item)), item) or {}
    return [(account, unit) for account, _, unit in (tie.partition("|") for tie in sorted(row.get("links", ())))]


def by_barcode(shop: str, code: str) -> list[str]:
    """The items that carry a barcode."""
    rows, _ = dynamo.query(TABLE, keys.barcode(shop, code), limit=10)
    return [row["sk"] for row in rows]


def _key(shop: str, item: str) -> dynamo.Key:
    return keys.described(shop, keys.shard(item)), item


def _place(shop: str, item: str) -> dynamo.Item:
    pk, sk = _key(shop, item)
    return {"pk": pk, "sk": sk}


def _open(row: dynamo.Item | None) -> Item | None:
    return {"item": row["sk"], **json.loads(row["body"])} if row else None
