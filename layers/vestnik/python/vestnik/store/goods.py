"""Items: their stock by warehouse, the holds of orders on them, and which units are linked; one record an item.

    stock/<warehouse>: {q, kind, as_of}     what the shop told, changed by newer news only
    held/<order>:      {q, w, since, known, gone}      what an order takes, from which warehouses
    stock, links:      sets of warehouses, of "account|unit"

A reservation is one conditional write of the item. What an order of the shop's own takes is kept in a record of its own
beside, so that whatever its events' order, a cancelled one takes nothing again (a posting keeps that itself).
"""

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

from vestnik.domain.market.stock import Hold, Item, Stock
from vestnik.store import dynamo, keys

TABLE = "goods"
STOCK, HELD = "stock/", "held/"
OPEN, RELEASED = "open", "released"


def key(shop: str, item: str) -> dynamo.Key:
    """Where an item lies."""
    return keys.item(shop, keys.shard(item)), item


def get(shop: str, item: str) -> Item | None:
    """One item, or None."""
    found = dynamo.get(TABLE, *key(shop, item))
    return _item(found) if found else None


def items(shop: str, wanted: Iterable[str]) -> dict[str, Item]:
    """Items by their ids, strongly read; unknown ones are left out."""
    found = dynamo.get_many({TABLE: [key(shop, item) for item in wanted]})
    return {sk: _item(row) for (_, _, sk), row in found.items()}


def page(shop: str, limit: int, cursor: str = "") -> tuple[list[Item], str | None]:
    """Up to `limit` items and where to go on ("" begins). Order: by shard, then id. A cursor is `<shard>:<id>`."""
    first, _, after = cursor.partition(":") if cursor else ("0", "", "")
    shard, found = int(first, 16), list[Item]()
    while shard < keys.SHARDS and len(found) < limit:
        rows, more = dynamo.query(TABLE, keys.item(shop, shard), after=after, limit=limit - len(found))
        found += map(_item, rows)
        shard, after = (shard, more) if more else (shard + 1, "")
    return found, f"{shard:x}:{after}" if shard < keys.SHARDS else None


def keep_stock(
    shop: str, item: str, told: Mapping[str, Stock], just_now: Collection[str] = ()
) -> tuple[Item, Item, set[str]]:
    """Keep what the shop told of an item, by warehouse, where it is news: the item before and after, and the
    warehouses of which as new or newer a number was known already. `just_now`: warehouses whose number is of the
    moment it came: it replaces one of the same moment."""
    news = dict(told)
    while news:
        try:
            before = _item(_write_stock(shop, item, news, just_now), item)
        except dynamo.Conflict as conflict:
            before = _item(conflict.old, item)
            news = {n: one for n, one in news.items() if _newer(one, before.stock.get(n), n in just_now)}
            continue
        return before, _with(before, news), told.keys() - news.keys()
    return before, before, set(told)


def _newer(stock: Stock, known: Stock | None, just_now: bool) -> bool:
    return known is None or known.as_of < stock.as_of or (just_now and known.as_of == stock.as_of)


def _with(item: Item, news: Mapping[str, Stock]) -> Item:
    return Item(item.id, {**item.stock, **news}, item.held, item.links)


def _write_stock(shop: str, item: str, news: Mapping[str, Stock], just_now: Collection[str]) -> dynamo.Item:
    """Every number on the condition that it is newer than what stands there; a repeat is none, and does no harm."""
    names = {f"w{n}": STOCK + warehouse for n, warehouse in enumerate(news)}
    told = [{"q": stock.quantity, "kind": stock.kind, "as_of": stock.as_of} for stock in news.values()]
    than = {name: "<=" if warehouse in just_now else "<" for name, warehouse in zip(names, news, strict=True)}
    where = " AND ".join(f"(attribute_not_exists(#{n}) OR #{n}.#as_of {sign} :at_{n})" for n, sign in than.items())
    return dynamo.update(
        TABLE,
        *key(shop, item),
        put={"v": 1, **dict(zip(names, told, strict=True))},
        add={"stock": set(news)},
        where=where,
        values={f"at_{name}": one["as_of"] for name, one in zip(names, told, strict=True)},
        names=names,
        was=True,
    )


def put_held(shop: str, item: str, id: str, hold: Hold) -> Item:
    """Let an order take so much from an item, from these warehouses: the item after it. What is known of the hold
    beside (since when, known, gone) stays."""
    entry: dict[str, Any] = {"q": hold.quantity, "w": sorted(hold.warehouses), "since": hold.since}
    entry |= {"known": hold.known} if hold.known else {}
    try:
        return _change_held(shop, item, id, "attribute_not_exists(#held)", put={"held": entry, "v": 1})
    except dynamo.Conflict as conflict:
        found = _item(conflict.old, item)
    stands = found.held[id]
    if (stands.quantity, stands.warehouses) == (hold.quantity, hold.warehouses):
        return found
    change = {"held.q": entry["q"], "held.w": entry["w"]}
    try:
        return _change_held(shop, item, id, "attribute_exists(#held)", put=change)
    except dynamo.Conflict:
        return put_held(shop, item, id, hold)  # let go of in between


def mark_held(shop: str, item: str, id: str, **at: str) -> Item:
    """Note since when a hold is `known` to the shop's system, or `gone`: the item after it. The first word stands, and
    where nothing is held nothing is noted."""
    first = {f"held.{name}": time for name, time in at.items()}
    try:
        return _change_held(shop, item, id, "attribute_exists(#held)", first=first)
    except dynamo.Conflict as conflict:
        return _item(conflict.old, item)


def drop_held(shop: str, item: str, id: str) -> Item:
    """Let an order take nothing more from an item, unless it is gone: the item after it."""
    try:
        where = "attribute_exists(#held) AND attribute_not_exists(#held.#gone)"
        return _change_held(shop, item, id, where, drop=("held",))
    except dynamo.Conflict as conflict:
        return _item(conflict.old, item)


def _change_held(shop: str, item: str, id: str, where: str, **change: Any) -> Item:
    row = dynamo.update(TABLE, *key(shop, item), where=where, names={"held": HELD + id}, back=True, **change)
    return _item(row, item)


def prune(shop: str, item: str, ids: Iterable[str]) -> None:
    """Forget holds that have left and that the stock no longer holds. Unconditional: gone is for good."""
    names = {f"h{n}": HELD + id for n, id in enumerate(ids)}
    if names:
        dynamo.update(TABLE, *key(shop, item), drop=list(names), names=names)


def _item(row: Mapping[str, Any], id: str = "") -> Item:
    return Item(
        row.get("sk", id),
        {name[6:]: Stock(one["q"], one["kind"], one["as_of"]) for name, one in row.items() if name[:6] == STOCK},
        {name[5:]: _hold(one) for name, one in row.items() if name[:5] == HELD},
        frozenset(_pair(link) for link in row.get("links", ())),
    )


def _hold(one: Mapping[str, Any]) -> Hold:
    warehouses = frozenset(one.get("w", ()))
    return Hold(one["q"], warehouses, one.get("known", ""), one.get("gone", ""), one.get("since", ""))


def _pair(link: str) -> tuple[str, str]:
    account, _, unit = link.partition("|")
    return account, unit


@dataclass(frozen=True, slots=True)
class Order:
    """What is known of an order of the shop's own: `takes` {item: quantity}, `state` (`open`, `released`), since when
    it is `known`, when it was `gone`. `n`: its version; 0 where nothing is known."""

    id: str
    n: int = 0
    state: str = OPEN
    takes: Mapping[str, int] = field(default_factory=dict)
    known: str = ""
    gone: str = ""


def order(shop: str, id: str) -> Order:
    """An order of the shop's own."""
    row = dynamo.get(TABLE, *_order_key(shop, id))
    return _order(row) if row else Order(id)


def put_order(shop: str, order: Order) -> bool:
    """Keep an order where the version before it is the one that stands. False: another came between."""
    pk, sk = _order_key(shop, order.id)
    item = {"pk": pk, "sk": sk, "v": 1, "n": order.n, "state": order.state, "takes": dict(order.takes)}
    item |= {"known": order.known, "gone": order.gone}
    where = "#n = :before" if order.n > 1 else "attribute_not_exists(#pk)"
    try:
        dynamo.put(TABLE, item, where=where, values={"before": order.n - 1} if order.n > 1 else None)
    except dynamo.Conflict as conflict:
        return bool(conflict.old) and _order(conflict.old) == order  # this very write's lost first try
    return True


def _order(row: Mapping[str, Any]) -> Order:
    return Order(row["sk"], row["n"], row["state"], row["takes"], row["known"], row["gone"])


def _order_key(shop: str, id: str) -> dynamo.Key:
    return keys.hold(shop, keys.shard(id)), id


def keeps_stock(shop: str) -> bool:
    """Whether the shop ever told any stock: of others no order reserves anything."""
    return dynamo.get(TABLE, f"{shop}#stock", consistent=False) is not None


def begin(shop: str) -> None:
    """Note that the shop tells its stock. Unconditional: twice is once."""
    dynamo.put(TABLE, {"pk": f"{shop}#stock", "sk": "-", "v": 1})
