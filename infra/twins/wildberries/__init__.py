"""A stand-in for Wildberries' seller API: several sellers, their cards, stock, orders and supplies, limits and lies."""

from infra.twins.wildberries.seller import Order, Seller, Size, Supply, Warehouse
from infra.twins.wildberries.twin import Wildberries
from infra.twins.wildberries.twin import Wildberries as Twin

__all__ = ["Order", "Seller", "Size", "Supply", "Twin", "Warehouse", "Wildberries"]
