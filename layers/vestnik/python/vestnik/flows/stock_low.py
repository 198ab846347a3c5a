"""An item that is sold on marketplaces runs low: staff are told once for each crossing.

Told is who brings the number down (an order, or the shop's own number), so a repeat tells the same again under the same
id, which the intake drops. What was never above, or whose stock was unknown, did not cross.
"""

from datetime import datetime

from vestnik.domain.market import stock
from vestnik.domain.market.stock import Item
from vestnik.flows import accounts, announcing
from vestnik.store import items

TYPE = "marketplace.stock_low"
SOURCE = "/stock"


def tell(shop: str, item: Item, before: int | None, cause: str, now: datetime) -> None:
    """Tell it where `item`, of which `before` could be sold, came down to its account's minimum by `cause` (an order's
    id, or the time of the shop's number)."""
    left = stock.available(item)
    if not item.links or before is None or left is None or before <= left:
        return
    account = accounts.load(shop, min(account for account, _ in item.links), now)
    if account is None:
        return
    minimum = int(account.body.get("low_stock", stock.LOW))
    if left <= minimum < before:
        name = (items.get(shop, item.id) or {}).get("name")
        product = {"sku": item.id, "quantity": max(0, left), "minimum": minimum} | ({"name": name} if name else {})
        announcing.announce(account, TYPE, f"{item.id}:{cause}", {"product": product}, now, by=SOURCE)
