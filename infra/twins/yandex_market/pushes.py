"""Notifications as Market would send them: kept until somebody carries them to the address set in the cabinet.

Market pings a new address first, and sends nothing else there before it was answered as told (Partner API,
POST notification: 200 with `version`, `name` and `time`).
"""

from collections.abc import Iterable
from datetime import UTC, datetime
from typing import Any

from infra.twins.yandex_market.records import Order, Return

ANSWER = {"version", "name", "time"}

type Told = dict[str, Any]


class Pushes:
    """The address that a seller typed in the cabinet, and what is due to go there (`due`, oldest first). `on`: the
    address has answered its ping."""

    def __init__(self) -> None:
        self.url = ""
        self.on = False
        self.due: list[Told] = []

    def set(self, url: str, now: datetime) -> None:
        """Send to this address from now on, once it has answered a ping."""
        self.url, self.on = url, False
        self.due = [{"notificationType": "PING", "time": stamp(now)}]

    def next(self) -> tuple[str, Told] | None:
        """Take the oldest one off, with the address it goes to."""
        return (self.url, self.due.pop(0)) if self.due else None

    def answered(self, told: Told, status: int, body: Any) -> None:
        """Hear how one was answered: a good answer to the ping turns all others on."""
        if told["notificationType"] == "PING":
            self.on = status == 200 and isinstance(body, dict) and set(body) >= ANSWER

    def created(self, order: Order) -> None:
        """Tell of a new order."""
        self._add("ORDER_CREATED", order, items=_items(_goods(order)), createdAt=stamp(order.created))

    def moved(self, order: Order) -> None:
        """Tell of an order's new status."""
        told = {"status": order.status, "substatus": order.substatus}
        self._add("ORDER_STATUS_UPDATED", order, **told, updatedAt=stamp(order.updated))

    def cancelled(self, order: Order) -> None:
        """Tell that an order was called off."""
        self._add("ORDER_CANCELLED", order, items=_items(_goods(order)), cancelledAt=stamp(order.updated))

    def asked_to_cancel(self, order: Order) -> None:
        """Tell of a buyer's wish to cancel."""
        self._add("ORDER_CANCELLATION_REQUEST", order, requestedAt=stamp(order.updated))

    def given_back(self, order: Order, back: Return) -> None:
        """Tell of goods that come back."""
        told: Told = {"returnId": back.id, "returnType": back.kind, "items": _items(back.lines)}
        self._add("ORDER_RETURN_CREATED", order, **told, createdAt=stamp(back.created))

    def return_moved(self, order: Order, back: Return) -> None:
        """Tell that goods are further on their way back."""
        statuses = {"shipmentStatus": back.shipment_status, "refundStatus": back.refund_status}
        told: Told = {"returnId": back.id, "statuses": {name: one for name, one in statuses.items() if one}}
        self._add("ORDER_RETURN_STATUS_UPDATED", order, **told, updatedAt=stamp(back.updated))

    def _add(self, kind: str, order: Order, **told: Any) -> None:
        if self.on:
            who = {"orderId": order.number, "campaignId": order.campaign}
            self.due.append({"notificationType": kind, **who, **told})


def _goods(order: Order) -> Iterable[tuple[str, int]]:
    return ((line.unit, line.count) for line in order.lines)


def _items(goods: Iterable[tuple[str, int]]) -> list[Told]:
    return [{"offerId": unit, "count": count} for unit, count in goods]


def stamp(at: datetime) -> str:
    """A time as notifications have it."""
    return f"{at.astimezone(UTC):%Y-%m-%dT%H:%M:%S}Z"
