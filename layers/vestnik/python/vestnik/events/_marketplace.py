"""One account, its order and its request, as every marketplace sample tells of them; and who hears of them."""

from typing import Any

from vestnik.events._rules import STAFF_CHAT, Rule, group, tell_staff

ACCOUNT: dict[str, Any] = {"id": "ozon-main", "name": "Ozon, main", "marketplace": "ozon"}
OZON: dict[str, Any] = {"kind": "marketplace", "id": "ozon"}

ORDER: dict[str, Any] = {
    "number": "23281294-0063-2",
    "status": "new",
    "ship_by": "2026-11-21T12:00:00Z",
    "total": {"amount": 340000, "currency": "RUB"},
    "lines": [
        {"unit": "TEA-ASSAM-250", "name": "Чай ассам, 250 г", "quantity": 2},
        {"unit": "POT-GLASS-08", "name": "Стеклянный чайник, 0,8 л", "quantity": 1},
    ],
}

REQUEST: dict[str, Any] = {
    "id": "ozon.orders.list.v3",
    "title": "List FBS postings",
    "marketplace": "ozon",
    "purpose": "orders.list",
    "version": 1,
}


def order(status: str) -> dict[str, Any]:
    """The sample order as it stands at `status`."""
    return {**ORDER, "status": status}


def chat(type: str, **more: Any) -> list[Rule]:
    """The default rule of what staff should know: told to their chat."""
    return [tell_staff(type, "telegram", STAFF_CHAT, **more)]


def chat_and_managers(type: str, **more: Any) -> list[Rule]:
    """The default rules of what waits for a person: told to the staff chat, and to the managers by e-mail."""
    return [*chat(type, **more), tell_staff(type, "email", group("manager"), **more)]
