"""Numbers that a marketplace does not take: staff hear once of each unit, and again only after it took one.

What is to be told is kept with the flow's state first: a run that dies before it was told leaves it to the next.
"""

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from vestnik.domain.cloudevents import utc
from vestnik.domain.market.accounts import Account
from vestnik.domain.market.definitions import Outcome
from vestnik.flows import announcing
from vestnik.store import runs, units

FLOW = "stock"
TYPE = "marketplace.stock_refused"
MOST = 20

type Refusal = dict[str, Any]


def refusal(row: Mapping[str, Any], shows: int | None, outcome: Outcome) -> Refusal:
    """What is told of a row that was taken out. `shows`: the number that stands there, None where nobody knows."""
    told = {"unit": row["unit"], "warehouse": row["warehouse"], "quantity": row["quantity"], "shows": shows}
    return told | {"code": outcome.code[:100], "message": outcome.message[:300]}


def keep(account: Account, refused: list[Refusal], now: datetime) -> None:
    """Tell staff of these: first those of which more is for sale there than there is."""
    first = sorted(refused, key=lambda one: (one["shows"] or 0) <= one["quantity"])
    untold = {"at": utc(now), "count": len(first), "units": first[:MOST]}
    runs.put(account.shop, account.id, FLOW, untold=untold)
    tell(account, untold, now)


def tell(account: Account, untold: Mapping[str, Any], now: datetime) -> None:
    """Tell what was kept, under an id that is the same however often it is told."""
    names = units.get_many(account.shop, account.id, [one["unit"] for one in untold["units"]])
    told = [_named(one, names.get(one["unit"], {}).get("name")) for one in untold["units"]]
    data = {"units": told, "count": untold["count"]}
    announcing.announce(account, TYPE, f"{account.id}:stock-refused:{untold['at']}", data, now, at=untold["at"])
    runs.put(account.shop, account.id, FLOW, untold=None)


def _named(one: Mapping[str, Any], name: str | None) -> dict[str, Any]:
    told = {key: value for key, value in one.items() if value is not None and value != ""}
    return told | ({"name": name} if name else {})
