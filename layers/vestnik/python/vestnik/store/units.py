"""An account's sellable units: what its marketplace tells of each, and the shop's items it is linked to.

{unit, article?, name?, product?, market_sku?, barcodes[], category?, price?, archived, updated_at?, image?, seen,
missed?, gone?, link?: {mode, parts: [{item, quantity, priority}]}, by?: auto | hand, linked_at?}. Products change by
import, and links by `link` and `unlink` alone, so neither overwrites the other. `seen`: the run that brought or
changed it; `missed`: the run that did not see it; `gone`: the run since which its marketplace lists it no more.
"""

from collections.abc import Iterable, Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass
from typing import Any

from vestnik.domain.market import links
from vestnik.store import dynamo, keys

TABLE = "goods"
OURS = ("pk", "sk", "v", "link", "by", "seen", "linked_at", "missed", "gone")
Unit = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Kept:
    """What a page of products came to: units that are new, changed, and as they were. `back`: linked ones that had been
    archived or gone and are listed again, or may be: what this very run has changed before, and perhaps died then."""

    new: int
    changed: int
    same: int
    back: tuple[str, ...] = ()


def key(shop: str, account: str, unit: str) -> dynamo.Key:
    """Where a unit lies."""
    return keys.unit(shop, account, keys.shard(unit)), unit


def get(shop: str, account: str, unit: str) -> Unit | None:
    """One unit, or None."""
    return _open(dynamo.get(TABLE, *key(shop, account, unit)))


def get_many(shop: str, account: str, units: Iterable[str]) -> dict[str, Unit]:
    """Units by their keys; unknown ones are left out."""
    found = dynamo.get_many({TABLE: [key(shop, account, unit) for unit in units]})
    return {sk: unit for (_, _, sk), item in found.items() if (unit := _open(item))}


def keep_products(shop: str, account: str, products: Iterable[Mapping[str, Any]], seen: str) -> Kept:
    """Keep what the marketplace told of units (one run of an account at a time: a lease sees to it). Only what differs
    is written; links stay as they are, and what was gone is so no more. `seen`: the run that saw it."""
    told = {str(one["unit"]): _slim(one) for one in products}
    before = get_many(shop, account, told)
    new = [unit for unit in told if unit not in before]
    changed = [unit for unit, known in before.items() if _was_missed(known) or _product(known) != told[unit]]
    rows = [{**_place(shop, account, unit), "v": 1, "seen": seen, **told[unit]} for unit in new]
    dynamo.write_many(TABLE, puts=rows)
    for unit in changed:
        drop = [name for name in _product(before[unit]) if name not in told[unit]]
        # Unconditional: the newest word of the marketplace stands, and the link is not touched.
        dynamo.update(
            TABLE, *key(shop, account, unit), put={**told[unit], "seen": seen}, drop=[*drop, "missed", "gone"]
        )
    back = tuple(unit for unit, known in before.items() if _is_back(known, told[unit], seen))
    return Kept(len(new), len(changed), len(told) - len(new) - len(changed), back)


def _was_missed(known: Unit) -> bool:
    return "missed" in known or "gone" in known


def _is_back(before: Unit, told: Unit, run: str) -> bool:
    was_away = not links.offered(before) or before.get("seen") == run
    return "link" in before and was_away and links.offered(told)


def missed(shop: str, account: str, unit: str, run: str, *, gone: bool) -> None:
    """Note that a whole run did not see a unit, and whether it counts as gone. Where there is none any more (its
    account was removed) none is made."""
    with suppress(dynamo.Conflict):
        put = {"gone" if gone else "missed": run}
        dynamo.update(TABLE, *key(shop, account, unit), put=put, where="attribute_exists(#pk)")


def _slim(product: Mapping[str, Any]) -> Unit:
    """A product without what it has not, and without the marketplace's raw text."""
    return {k: _whole(v) for k, v in product.items() if v is not None and k not in ("raw", "unit", *OURS)}


def _whole(value: Any) -> Any:
    """Tables hold no floats: they are kept as text."""
    if isinstance(value, float):
        return int(value) if value == int(value) else str(value)
    if isinstance(value, Mapping):
        return {k: _whole(v) for k, v in value.items()}
    return [_whole(v) for v in value] if isinstance(value, list | tuple) else value


def _product(unit: Unit) -> Unit:
    return {k: v for k, v in unit.items() if k not in OURS and k != "unit"}


def link(shop: str, account: str, unit: str, link: Mapping[str, Any], by: str, at: str, *, only_free: bool) -> bool:
    """Link a unit to items. False where there is no such unit, or (`only_free`) where it is linked already."""
    where = "attribute_exists(#pk)" + (" AND attribute_not_exists(#link)" if only_free else "")
    try:
        put = {"link": dict(link), "by": by, "linked_at": at}
        dynamo.update(TABLE, *key(shop, account, unit), put=put, where=where)
    except dynamo.Conflict:
        return False
    return True


def unlink(shop: str, account: str, unit: str) -> Unit | None:
    """Take a unit's link away; the unit as it was, None where there is none."""
    before = get(shop, account, unit)
    if before is not None and "link" in before:
        # Unconditional: unlinked twice is unlinked.
        dynamo.update(TABLE, *key(shop, account, unit), drop=("link", "by", "linked_at"))
    return before


def every(shop: str, account: str) -> Iterator[Unit]:
    """All units of an account, shard by shard."""
    for shard in range(keys.SHARDS):
        yield from of_shard(shop, account, shard)


def of_shard(shop: str, account: str, shard: int) -> Iterator[Unit]:
    """A sixteenth of an account's units."""
    for item in dynamo.query_all(TABLE, keys.unit(shop, account, shard)):
        if found := _open(item):
            yield found


def page(shop: str, account: str, limit: int, cursor: str = "") -> tuple[list[Unit], str | None]:
    """Up to `limit` units and where to go on ("" begins). Order: by shard, then unit. A cursor is `<shard>:<unit>`."""
    first, _, after = cursor.partition(":") if cursor else ("0", "", "")
    shard, found = int(first, 16), list[Unit]()
    while shard < keys.SHARDS and len(found) < limit:
        items, more = dynamo.query(TABLE, keys.unit(shop, account, shard), after=after, limit=limit - len(found))
        found += [unit for item in items if (unit := _open(item))]
        shard, after = (shard, more) if more else (shard + 1, "")
    return found, f"{shard:x}:{after}" if shard < keys.SHARDS else None


def forget_account(shop: str, account: str) -> None:
    """Remove all units of an account that is removed."""
    dynamo.write_many(TABLE, deletes=[key(shop, account, unit["unit"]) for unit in every(shop, account)])


def _place(shop: str, account: str, unit: str) -> dynamo.Item:
    pk, sk = key(shop, account, unit)
    return {"pk": pk, "sk": sk}


def _open(item: dynamo.Item | None) -> Unit | None:
    if item is None:
        return None
    return {"unit": item["sk"], **{k: v for k, v in item.items() if k not in ("pk", "sk", "v")}}
