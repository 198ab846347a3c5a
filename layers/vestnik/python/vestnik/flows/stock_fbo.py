"""What of an account's units lies in its marketplace's own warehouses: read, and shown beside the shop's stock."""

from collections.abc import Iterator, Mapping
from datetime import datetime
from itertools import batched
from typing import Any

from vestnik.domain.market.accounts import Account
from vestnik.domain.market.links import offered
from vestnik.flows import calling, definitions_in_force
from vestnik.store import fbo, units
from vestnik.store.fbo import Lies

PURPOSE = "stock.fbo"
WRITTEN_AT_ONCE = 500

type Places = dict[str, dict[str, int]]


def read(account: Account, now: datetime) -> int | None:
    """Read all of it and keep what changed; of how many units. None where the marketplace cannot be asked. Raises as
    calls do; what was kept before then stays."""
    if not calling.has(account, PURPOSE, now):
        return None
    found: Places = {}
    for page in _pages(account, now):
        for one in page.items:
            quantity = int(one.get("quantity") or 0)
            if quantity > 0:
                places = found.setdefault(str(one["unit"]), {})
                warehouse = str(one.get("warehouse") or "")
                places[warehouse] = places.get(warehouse, 0) + quantity
    _keep(account, found, now)
    return len(found)


def _pages(account: Account, now: datetime) -> Iterator[calling.Answer]:
    """All answers: of the whole account, or of its units where they must be named."""
    if not definitions_in_force.need(account, PURPOSE, now).get("batch"):
        yield from calling.pages(account, PURPOSE, now)
        return
    listed = (unit for unit in units.every(account.shop, account.id) if offered(unit))
    for part in batched(listed, WRITTEN_AT_ONCE, strict=False):
        rows = [{"unit": unit["unit"], "product": unit.get("product")} for unit in part]
        for batch in calling.batches(account, PURPOSE, rows, now):
            yield from _of_batch(account, batch, now)


def _of_batch(account: Account, batch: list[Mapping[str, Any]], now: datetime) -> Iterator[calling.Answer]:
    following: Any = None
    while True:
        answer = calling.call(account, PURPOSE, now, rows=batch, page={"cursor": following})
        yield answer
        if answer.next is None or answer.next == following:
            return
        following = answer.next


def _keep(account: Account, found: Places, now: datetime) -> None:
    """Write what differs from what stood there."""
    before = {one.unit: one.places for one in fbo.every(account.shop, account.id)}
    changed = [unit for unit in before.keys() | found.keys() if before.get(unit) != found.get(unit)]
    for part in batched(sorted(changed), WRITTEN_AT_ONCE, strict=False):
        read = [Lies(unit, found.get(unit, {}), now.isoformat()) for unit in part]
        fbo.put(account.shop, account.id, read)
