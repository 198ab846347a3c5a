"""Warehouses: those that a marketplace has for an account, and which of the shop's stock each takes.

A warehouse that is newly found takes no stock until a person says so: two that both take everything would offer the
same unit twice. Only where an account has a single one that we work, there is nothing to choose.
"""

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from vestnik.domain.market.accounts import Account
from vestnik.flows import accounts, calling
from vestnik.marketplaces import shipped
from vestnik.store import lists, settings

BY = "vestnik"
Row = dict[str, Any]


def refresh(account: Account, now: datetime) -> list[Row]:
    """Read the marketplace's warehouses anew, and take a single one into the account where it names none."""
    if not calling.has(account, "warehouses.list", now):
        return []
    pages = calling.pages(account, "warehouses.list", now)
    rows = [{**one, "id": str(one["id"])} for page in pages for one in page.items]
    lists.put(account.shop, account.id, lists.WAREHOUSE, rows)
    _choose(account, rows, now)
    return rows


def _choose(account: Account, rows: list[Row], now: datetime) -> None:
    worked = [row for row in rows if row.get("active", True) and is_worked(account, row)]
    kept = settings.get(account.shop, "account", account.id)
    if len(worked) == 1 and kept is not None and not kept["body"].get("warehouses"):
        set_one(account.shop, account.id, _ours(worked[0], [], True), by=BY, now=now)


def is_worked(account: Account, row: Mapping[str, Any]) -> bool:
    """Whether we work a warehouse's scheme, and the account does (all of them, where it names none)."""
    scheme, wanted = row.get("scheme"), account.body.get("schemes") or []
    meant = shipped(account.marketplace).schemes.get(str(scheme), "worked" if scheme is None else "unknown")
    return meant == "worked" and (scheme is None or not wanted or scheme in wanted)


def set_one(shop: str, account: str, warehouse: Row, *, by: str, now: datetime) -> bool:
    """Keep which of the shop's warehouses one of theirs takes; False where there is no such account."""
    return accounts.change(shop, account, lambda body: _with(body, warehouse), by, now)


def _with(body: Row, warehouse: Row) -> Row:
    others = [one for one in body.get("warehouses", []) if one["id"] != warehouse["id"]]
    return {**body, "warehouses": sorted([*others, warehouse], key=lambda one: str(one["id"]))}


def _ours(row: Mapping[str, Any], takes: list[str], active: bool) -> Row:
    told = {"id": str(row["id"]), "name": row.get("name") or str(row["id"]), "scheme": row.get("scheme")}
    return {**told, "takes": takes, "active": active}


def change(account: Account, id: str, takes: list[str], active: bool, *, by: str, now: datetime) -> Row | None:
    """Say which of the shop's warehouses feed one of theirs (none named: all); None where they have no such one."""
    row = next((one for one in lists.get(account.shop, account.id, lists.WAREHOUSE) if one["id"] == id), None)
    if row is None:
        return None
    set_one(account.shop, account.id, _ours(row, takes, active), by=by, now=now)
    return shown(account, row, {"takes": takes, "active": active})


def both(account: Account) -> list[Row]:
    """Their warehouses, each with what we take it for."""
    ours = {one["id"]: one for one in account.body.get("warehouses", [])}
    theirs = lists.get(account.shop, account.id, lists.WAREHOUSE)
    return [shown(account, row, ours.get(row["id"], {})) for row in theirs]


def shown(account: Account, row: Mapping[str, Any], ours: Mapping[str, Any]) -> Row:
    """One warehouse: theirs {id, name, scheme, open}, and ours {takes, active, worked}."""
    return {
        "account": account.id,
        "id": str(row["id"]),
        "name": str(row.get("name") or row["id"]),
        "scheme": row.get("scheme"),
        "open": row.get("active", True) is not False,
        "worked": is_worked(account, row),
        "takes": list(ours.get("takes", [])),
        "active": bool(ours.get("active", False)),
    }
