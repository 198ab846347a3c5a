"""A stand-in for Yandex Market's Partner API: cabinets with their own keys, stock, orders, limits and lies."""

from infra.twins.yandex_market.cabinet import Cabinet
from infra.twins.yandex_market.twin import YandexMarketTwin

Twin = YandexMarketTwin
"""What the local world starts: a marketplace's twin is found by the marketplace's name."""

__all__ = ["Cabinet", "Twin", "YandexMarketTwin"]
