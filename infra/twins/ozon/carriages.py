"""Handing over: carriages are opened, loaded, formed by the seller, and taken by Ozon."""

from datetime import date

from infra.twins.ozon.cabinet import Cabinet, NotAllowed
from infra.twins.ozon.records import FBO, Carriage


def opened(cabinet: Cabinet, method: int, day: date) -> Carriage:
    """Put all that is ready at a delivery method into a new carriage. NotAllowed where nothing is."""
    if method not in cabinet.warehouses:
        raise NotAllowed("DELIVERY_METHOD_NOT_FOUND")
    if any(one.method == method and one.status == "new" for one in cabinet.carriages.values()):
        raise NotAllowed("there_are_incomplete_carriages")
    ready = [number for number in list(cabinet.orders) if is_ready(cabinet, number, method)]
    if not ready:
        raise NotAllowed("no_postings")
    now = cabinet.now()
    carriage = Carriage(cabinet.next_number(), method, day, ready, now, now)
    cabinet.carriages[carriage.id] = carriage
    return carriage


def is_ready(cabinet: Cabinet, number: str, method: int) -> bool:
    """Whether a posting waits at a delivery method for a carriage."""
    if number not in cabinet.orders:
        return False
    posting = cabinet.order(number)
    waits = posting.status == "awaiting_deliver" and not posting.carriage
    return waits and posting.warehouse == method and posting.scheme != FBO


def known(cabinet: Cabinet, id: int) -> Carriage:
    """A carriage. NotAllowed where there is none."""
    if id not in cabinet.carriages:
        raise NotAllowed("CARRIAGE_NOT_FOUND", 404)
    return cabinet.carriages[id]


def load(cabinet: Cabinet, id: int, numbers: list[str]) -> dict[str, bool]:
    """Say which postings go with a new carriage; for each whether it does. NotAllowed once it is formed."""
    carriage = known(cabinet, id)
    if carriage.status != "new":
        raise NotAllowed("Incorrect_carriage_status")
    can = {number: is_ready(cabinet, number, carriage.method) for number in numbers}
    carriage.numbers, carriage.changed = [number for number, ready in can.items() if ready], cabinet.now()
    return can


def approve(cabinet: Cabinet, id: int) -> None:
    """Form a carriage. NotAllowed twice, or where it is empty."""
    carriage = known(cabinet, id)
    if carriage.status != "new":
        raise NotAllowed("Incorrect_carriage_status")
    carriage.numbers = [number for number in carriage.numbers if is_ready(cabinet, number, carriage.method)]
    if not carriage.numbers:
        raise NotAllowed("no_postings")
    carriage.status, carriage.changed = "formed", cabinet.now()
    for number in carriage.numbers:
        cabinet.orders[number].carriage = id
        cabinet.advance(number, "awaiting_deliver", "posting_in_carriage")


def cancel(cabinet: Cabinet, id: int) -> None:
    """Drop a carriage; its postings wait for another one. NotAllowed once Ozon has it."""
    carriage = known(cabinet, id)
    if carriage.status not in ("new", "formed"):
        raise NotAllowed("Incorrect_carriage_status")
    carriage.status, carriage.changed = "cancelled", cabinet.now()
    for number in carriage.numbers:
        cabinet.orders[number].carriage = 0


def take(cabinet: Cabinet, id: int | str) -> None:
    """Ozon accepts a carriage: its postings go into delivery."""
    carriage = known(cabinet, int(id))
    carriage.status, carriage.changed = "received", cabinet.now()
    for number in carriage.numbers:
        if cabinet.order(number).status == "awaiting_deliver":
            cabinet.advance(number, "delivering")
