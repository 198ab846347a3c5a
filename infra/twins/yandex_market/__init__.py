"""A stand-in for Yandex Market's Partner API: cabinets with their own keys, stock, orders, limits and lies."""

from infra.twins.yandex_market.cabinet import Cabinet
from infra.twins.yandex_market.twin import YandexMarketTwin

__all__ = ["Cabinet", "YandexMarketTwin"]
