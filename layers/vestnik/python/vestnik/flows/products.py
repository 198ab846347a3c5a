"""Import of what already exists at a marketplace: products page by page, categories as a tree, warehouses.

A run saves its place after each page: one that was cut short, or met a limit, goes on where it stopped. Only what
differs is written, so that an import of what is known costs reads. Once a day the whole list is read, also of a
marketplace that can tell what changed, and what is not in it any more is marked as gone (`products_gone`).
"""

from collections.abc import Callable, Iterator, Mapping
from datetime import datetime
from typing import Any

from vestnik.domain.market.accounts import Account
from vestnik.flows import calling, products_gone, stock_touch, warehouses
from vestnik.flows.accounts import count
from vestnik.flows.ran import Ran
from vestnik.store import lists, runs, seen, units

FLOW = products_gone.FLOW
CATEGORIES = ("categories.parents", "categories.list")  # some marketplaces list the upper level apart
Clock = Callable[[], datetime]
Row = dict[str, Any]


def run(account: Account, clock: Clock, until: datetime) -> Ran:
    """Import products until all are read or the time is up. Later where a limit holds: the place is saved. Progress
    lies in the run's state: {run, whole, cursor, ended, progress: {seen, new, changed, total}, finished_at, watermark,
    whole_at, missing, place: where the list ended, if what changes is added behind it}."""
    state = _begun(account, clock())
    run = state["run"]
    while not state.get("ended"):
        state = _page(account, state, clock)
        if state.get("run") != run or (clock() >= until and not state.get("ended")):  # begun anew meanwhile, or no time
            return Ran(again=clock(), did=state["progress"]["seen"])
    missing = products_gone.look(account, state, clock, until) if _tells(state) else {}
    if missing is None or runs.get(account.shop, account.id, FLOW).get("run") != run:
        return Ran(again=clock(), did=state["progress"]["seen"])
    return _finished(account, state, missing, clock())


def _begun(account: Account, now: datetime) -> runs.State:
    """The state of the run under way; of a new one where none is."""
    state = runs.get(account.shop, account.id, FLOW)
    if state.get("run"):
        return state
    if not state.get("watermark"):
        warehouses.refresh(account, now)
    if whole := products_gone.is_due(state, now):
        seen.forget(account.shop, account.id)  # what a run wrote down that was never ended
    began = {"run": now.isoformat(), "whole": whole or None, "progress": {"seen": 0, "new": 0, "changed": 0}}
    return runs.put(account.shop, account.id, FLOW, cursor=None, ended=None, check=None, **began)


def _given(state: Mapping[str, Any]) -> Row:
    """What a definition may ask by: since when, where its marketplace can tell what changed."""
    return {"since": state["watermark"]} if state.get("watermark") and not state.get("whole") else {}


def _page(account: Account, state: runs.State, clock: Clock) -> runs.State:
    """Read and keep the next page; the state after it."""
    cursor = state.get("cursor") or (None if state.get("whole") else state.get("place"))
    answer = next(calling.pages(account, "products.list", clock(), given=_given(state), start=cursor))
    progress = _kept(account, answer.items, answer.total, state, clock)
    if answer.next is None or answer.next == cursor:
        told = {"cursor": None, "ended": True, "place": answer.place or state.get("place")}
    else:
        told = {"cursor": answer.next}
    return runs.put(account.shop, account.id, FLOW, progress=progress, **told)


def _tells(state: Mapping[str, Any]) -> bool:
    """Whether a run that read all may have missed what was known: not one that met nothing but new units."""
    progress = state["progress"]
    return bool(state.get("whole")) and not 0 < progress["seen"] == progress["new"]


def _kept(
    account: Account, found: list[Row], total: int | None, state: Mapping[str, Any], clock: Clock
) -> dict[str, int]:
    products = [one for one in _detailed(account, found, clock) if one.get("unit")]
    kept = units.keep_products(account.shop, account.id, products, state["run"])
    if kept.back:
        stock_touch.units(account.shop, account.id, kept.back, clock(), forced=True)
    if state.get("whole"):
        seen.note(account.shop, account.id, state["run"], [str(one["unit"]) for one in products])
    before = state["progress"]
    after = {"seen": before["seen"] + len(products), "new": before["new"] + kept.new}
    after["changed"] = before["changed"] + kept.changed
    return after | ({"total": total} if total else {name: before[name] for name in ("total",) if name in before})


def _detailed(account: Account, found: list[Row], clock: Clock) -> list[Row]:
    """Products with what a second call tells of them, where the marketplace's list is meagre."""
    if not found or not calling.has(account, "products.details", clock()):
        return found
    more: dict[tuple[str, str], Row] = {}
    for batch in calling.batches(account, "products.details", found, clock()):
        for one in calling.call(account, "products.details", clock(), rows=batch).items:
            more |= {("unit", str(one["unit"])): one} if "unit" in one else {("product", str(one["product"])): one}
    return [{**one, **_of(one, "product", more), **_of(one, "unit", more)} for one in found]


def _of(one: Row, by: str, more: Mapping[tuple[str, str], Row]) -> Row:
    return {k: v for k, v in more.get((by, str(one.get(by))), {}).items() if v is not None}


def _finished(account: Account, state: Mapping[str, Any], missing: Row, now: datetime) -> Ran:
    progress = state["progress"]
    told: Row = {"run": None, "ended": None, "whole": None, "check": None, "finished_at": now.isoformat()}
    told |= {"whole_at": state["run"], "missing": missing or None, "agreed": None} if state.get("whole") else {}
    runs.put(account.shop, account.id, FLOW, watermark=state["run"], **told)
    if state.get("whole"):
        seen.forget(account.shop, account.id)
    if progress["new"] or progress["changed"] or missing.get("gone"):
        count(account)
    return Ran(did=progress["seen"])


def begin_anew(account: Account, *, whole: bool, agreed: bool = False) -> None:
    """Let the next run begin from the first page; `whole`: also of what did not change since the last one, and
    `agreed`: a person said that whatever it does not see is gone."""
    told: Row = {"run": None, "cursor": None}
    told |= {"watermark": None, "place": None, "agreed": agreed or None} if whole else {}
    runs.put(account.shop, account.id, FLOW, **told)


def refresh_categories(account: Account, now: datetime) -> int:
    """Read the marketplace's categories anew; how many there are."""
    purposes = [one for one in CATEGORIES if calling.has(account, one, now)]
    if not purposes:
        return 0
    rows = [one for what in purposes for answer in calling.pages(account, what, now) for one in answer.items]
    return lists.put(account.shop, account.id, lists.CATEGORY, rows)


def tree(account: Account) -> list[Row]:
    """The categories as a tree: {id, name, leaf, children: [...]}. One whose parent is unknown stands at the top."""
    rows = lists.get(account.shop, account.id, lists.CATEGORY)
    nodes = {str(row["id"]): {**row, "id": str(row["id"]), "children": []} for row in rows}
    top: list[Row] = []
    for node in nodes.values():
        above = nodes.get(str(node.pop("parent", None)))
        (above["children"] if above is not None and above is not node else top).append(node)
    return [_plain(node) for node in _sorted(top)]


def _sorted(nodes: list[Row]) -> Iterator[Row]:
    return iter(sorted(nodes, key=lambda node: (str(node.get("name", "")), node["id"])))


def _plain(node: Row) -> Row:
    children = [_plain(child) for child in _sorted(node["children"])]
    return {"id": node["id"], "name": str(node.get("name", "")), "leaf": not children, "children": children}
