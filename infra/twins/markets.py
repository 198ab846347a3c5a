"""The marketplaces' twins that there are: a folder or file of this room whose name is a marketplace's."""

import importlib
import inspect
from collections.abc import Callable, Mapping
from datetime import datetime
from importlib.util import find_spec

from infra.twins.listening import Meet
from infra.twins.market import MarketTwin
from vestnik import marketplaces


def opened(meet: Meet, now: Callable[[], datetime]) -> dict[str, MarketTwin]:
    """Every twin, serving, by its marketplace. A marketplace without a twin is left out: its hosts lead nowhere."""
    found = ((name, _twin(name)) for name in marketplaces.names())
    return {name: made(meet, now) for name, made in found if made is not None}


def _twin(name: str) -> type[MarketTwin] | None:
    if find_spec(f"infra.twins.{name}") is None:
        return None
    module = importlib.import_module(f"infra.twins.{name}")
    kinds = [kind for _, kind in inspect.getmembers(module, inspect.isclass) if issubclass(kind, MarketTwin)]
    return next((kind for kind in kinds if kind.service == name), None)


def hosts(twins: Mapping[str, MarketTwin]) -> str:
    """Where the hosts of marketplaces stand in the local world, as OUTGOING_HOSTS has them."""
    places = ((host, twin.place) for name, twin in twins.items() for host in marketplaces.shipped(name).domains)
    return ",".join(f"{host}={place}" for host, place in places)
