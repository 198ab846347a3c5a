"""Where the market's cycles are hit, and how: every call by the place in the code that makes it."""

import sys
import zlib
from collections.abc import Iterator, Sequence
from typing import Any

from infra.world.faults import Call, Fault
from tests.faults.inject import HOW, Place

MARKETS = ("ozon", "wildberries", "yandex_market", "feed")
FUNCTIONS = ("sync-accounts", "start-syncs", "evaluate-events", "manage-shop")
ROOMS = ("/vestnik/flows/", "/vestnik/api/")

WAYS = {
    **HOW,
    "connection closed": Fault("after", "closed"),
    "throttled": Fault("before", "429"),
}
WAYS_OUTSIDE = {**WAYS, "answers 500 after": Fault("after", "500"), "no connection": Fault("before", "timeout")}


def ways(service: str) -> dict[str, Fault]:
    """How a call of a service may fail."""
    return WAYS_OUTSIDE if service in MARKETS else WAYS


def path(call: Call) -> str | None:
    """From where in the code a call is made; None for calls that are no part of the cycles."""
    if call.function not in FUNCTIONS:
        return None
    if call.service in MARKETS:
        return ""  # asked by a twin's own thread
    found = _frames()
    if call.function == "evaluate-events" and "stock_orders.take" not in found:
        return None
    return found


def _frames() -> str:
    found, frame = [], sys._getframe(2)
    at: Any = frame
    while at is not None:
        file = at.f_code.co_filename
        if any(room in file for room in ROOMS):
            found.append(f"{file.rpartition('/')[2].removesuffix('.py')}.{at.f_code.co_name}")
        at = at.f_back
    return " ".join(reversed(found))


type Ways = tuple[tuple[str, ...], ...]

READS = ("GetItem", "Query", "BatchGetItem", "GetSecretValue")
READS_OUTSIDE = (
    *("posting/fbs/get", "posting/fbs/list", "product/info/stocks-by-warehouse/fbs", "carriage/get"),
    *("carriage/delivery/list", "v3/orders", "v3/orders/new", "v3/orders/status", "v2/get/cards/list"),
    *("businesses/*/offers/stocks", "businesses/*/orders", "campaigns/*/first-mile/shipments"),
)
# A process that dies before a call has done what one did that died after the call before it; and to a reader all is one
# that brings no answer. So of those that come to the same, one is tried at each place, and all of them somewhere.
READ_WAYS: Ways = (("fails before", "throttled", "dies before"),)
WRITE_WAYS: Ways = (("fails before", "throttled"), ("fails after", "connection closed"), ("dies after",))
READ_WAYS_OUTSIDE: Ways = (("fails before", "dies before", "throttled"), ("fails after", "no connection"))
WRITE_WAYS_OUTSIDE: Ways = (
    ("fails before", "no connection"),
    *(("answers 500 after",), ("fails after",), ("throttled",), ("dies after",)),
)


def chosen(place: Place) -> list[str]:
    """The ways that are tried at a place, where not all are."""
    if place.service in MARKETS:
        groups = READ_WAYS_OUTSIDE if place.operation in READS_OUTSIDE else WRITE_WAYS_OUTSIDE
    else:
        groups = READ_WAYS if place.operation in READS else WRITE_WAYS
    turn = zlib.crc32(repr(place).encode())
    return [group[turn % len(group)] for group in groups]


def faults(
    places: Sequence[Place], *, every: bool = False, known: set[str] | None = None
) -> Iterator[tuple[Place, str]]:
    """The first calls of each place in the code with the ways chosen for it; `every`: every call in every way. `known`:
    places of another cycle, which are not tried again; these are added."""
    for place in places:
        name = f"{place.function} {place.service} {place.operation} {place.path}"
        if every:
            yield from ((place, how) for how in ways(place.service))
        elif place.nth <= _most(place) and name not in (known or ()):
            yield from ((place, how) for how in chosen(place))
    if known is not None:
        known |= {f"{place.function} {place.service} {place.operation} {place.path}" for place in places}


def _most(place: Place) -> int:
    """How many calls of a place are tried: a marketplace's first two, for the second finds something there already."""
    return 2 if place.service in MARKETS else 1
