"""Links between an account's units and the shop's items: by hand, and by article or barcode.

    item's tie written -> unit's link written -> old ties removed -> held orders resumed, its stock marked to be sent

A run that dies in between leaves a tie too many, which only lets a unit be looked at in vain; never one too few.
"""

from collections.abc import Callable, Iterable, Iterator, Mapping
from datetime import datetime
from itertools import batched
from typing import Any

from vestnik.domain.market import links
from vestnik.domain.market.accounts import Account
from vestnik.domain.market.links import Suits
from vestnik.flows import orders_effects, parallel, stock_touch
from vestnik.flows.accounts import COUNTS
from vestnik.store import items, runs, units

AT_ONCE = 50
SHOWN = 20
LOOKS = 2000
Unit = dict[str, Any]
Clock = Callable[[], datetime]


def put(account: Account, unit: str, link: Mapping[str, Any], now: datetime) -> Unit | None:
    """Link a unit by hand, in place of its link so far; the unit as it is then, None where there is none."""
    before = units.get(account.shop, account.id, unit)
    if before is None or not _write(account, unit, link, "hand", now, only_free=False):
        return None
    _untie(account, unit, links.items_of(before.get("link")) - links.items_of(link))
    if "link" not in before and links.offered(before):
        _counted(account, 1)
    _carry(account, before, link)
    _changed(account, [unit], now)
    return {**before, "link": dict(link), "by": "hand", "linked_at": now.isoformat()}


def remove(account: Account, unit: str, now: datetime) -> bool:
    """Take a unit's link away; False where there is no such unit. What the marketplace shows of it then stays as it is:
    an unlinked card is never written."""
    before = units.unlink(account.shop, account.id, unit)
    if before is None:
        return False
    if "link" in before:
        _untie(account, unit, links.items_of(before["link"]))
        if links.offered(before):
            _counted(account, -1)
    return True


def _write(account: Account, unit: str, link: Mapping[str, Any], by: str, now: datetime, *, only_free: bool) -> bool:
    for item in links.items_of(link):
        items.tie(account.shop, item, account.id, unit)
    return units.link(account.shop, account.id, unit, link, by, now.isoformat(), only_free=only_free)


def _carry(account: Account, unit: Unit, link: Mapping[str, Any]) -> None:
    """Let the item know what its product has and it has not."""
    if item := links.only_item(link):
        mapping = account.body.get("carry_over")
        told = links.carried(unit, links.CARRIED if mapping is None else mapping, items.get(account.shop, item))
        if told is not None:
            items.describe(account.shop, item, told)


def _untie(account: Account, unit: str, gone: Iterable[str]) -> None:
    for item in sorted(gone):
        items.untie(account.shop, item, account.id, unit)


def _counted(account: Account, linked: int) -> None:
    runs.add(account.shop, account.id, COUNTS, linked=linked, unlinked=-linked)


def _changed(account: Account, changed: list[str], now: datetime) -> None:
    """Let orders go on that waited for the link, and then the stock of the units be sent."""
    orders_effects.linked(account.shop, account.id, changed, now)
    stock_touch.units(account.shop, account.id, changed, now)


def auto(
    account: Account, by: tuple[str, ...], clock: Clock, *, most: int, cursor: str = "", dry: bool = False
) -> dict[str, Any]:
    """Link what has no link yet and suits exactly one item. Looks at `most` units from `cursor` on.

    {looked, linked: {article, barcode}, ambiguous, unmatched, samples: [...], next}. `dry`: only tells.
    """
    told: dict[str, Any] = {"looked": 0, "linked": dict.fromkeys(by, 0), "ambiguous": 0, "unmatched": 0, "samples": []}
    changed = list[str]()
    page, following = units.page(account.shop, account.id, most, cursor)
    for unit, suits in suggested(account, page, by):
        told["looked"] += 1
        if not suits.item:
            _leave(told, unit, suits)
        elif dry or _write(account, unit["unit"], links.whole(suits.item), "auto", clock(), only_free=True):
            told["linked"][suits.by] += 1
            _sample(told, unit, suits)
            if not dry:
                _carry(account, unit, links.whole(suits.item))
            changed.append(unit["unit"])
    if changed and not dry:
        _counted(account, len(changed))
        _changed(account, changed, clock())
    return {**told, "next": following}


def _leave(told: dict[str, Any], unit: Unit, suits: Suits) -> None:
    told["ambiguous" if suits.candidates else "unmatched"] += 1
    if suits.candidates:
        _sample(told, unit, suits)


def _sample(told: dict[str, Any], unit: Unit, suits: Suits) -> None:
    if len(told["samples"]) < SHOWN:
        about = {"unit": unit["unit"], "name": unit.get("name"), "article": unit.get("article")}
        found = {"item": suits.item or None, "by": suits.by or None, "candidates": [*suits.candidates]}
        told["samples"].append({**about, **found})


def suggested(account: Account, found: Iterable[Unit], by: tuple[str, ...]) -> Iterator[tuple[Unit, Suits]]:
    """What suits each unit that has no link yet (archived and gone ones are left out)."""
    free = (unit for unit in found if "link" not in unit and links.offered(unit))
    for batch in batched(free, AT_ONCE, strict=False):
        articles = [str(unit["article"]) for unit in batch if unit.get("article")] if "article" in by else []
        known = items.known(account.shop, articles) if articles else set()
        codes = [str(code) for unit in batch for code in unit.get("barcodes") or ()] if "barcode" in by else []
        carriers = _carriers(account.shop, dict.fromkeys(codes))
        for unit in batch:
            yield unit, links.suiting(unit, by, known, carriers)


def listed(
    account: Account, linked: bool | None, state: str | None, limit: int, cursor: str
) -> tuple[list[Unit], str | None]:
    """A part of an account's units, all or only those (un)linked or in a state (`links.state_of`), and where to go on.
    So that a request ends, it looks at no more than `LOOKS` units: a part may hold few and yet not be the last."""
    found, looked, following = list[Unit](), 0, cursor or None
    while True:
        page, following = units.page(account.shop, account.id, limit - len(found), following or "")
        wanted = [unit for unit in page if linked is None or ("link" in unit) == linked]
        found += [unit for unit in wanted if state is None or links.state_of(unit) == state]
        looked += len(page)
        if following is None or len(found) >= limit or looked >= LOOKS:
            return found, following


def _carriers(shop: str, codes: Iterable[str]) -> dict[str, list[str]]:
    """The items of each barcode."""
    wanted = [code for code in codes if code]
    return dict(zip(wanted, parallel.each(lambda code: items.by_barcode(shop, code), wanted), strict=True))
