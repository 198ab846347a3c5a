"""A stand-in for Ozon's Seller API: cabinets with their own keys, stock, postings, carriages, limits and lies."""

from infra.twins.ozon.cabinet import Cabinet
from infra.twins.ozon.twin import Ozon

Twin = Ozon
"""What the local world starts: a marketplace's twin is found by the marketplace's name."""

__all__ = ["Cabinet", "Ozon", "Twin"]
