"""The shop's orders, as the newest event tells them."""

from vestnik.store import records

TABLE = "orders"
KIND = "order"


def get(shop: str, id: str) -> records.Record | None:
    """One order, or None."""
    return records.get(TABLE, shop, KIND, id)
