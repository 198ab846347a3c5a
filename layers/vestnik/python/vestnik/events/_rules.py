"""Default rules in one line each: who is told of an event type, by which channel."""

from typing import Any

type Rule = dict[str, Any]

CUSTOMER: Rule = {"kind": "customer"}
ORDER_MANAGER: Rule = {"kind": "order_manager"}
CUSTOMER_MANAGER: Rule = {"kind": "customer_manager"}
STAFF_CHAT: Rule = {"kind": "telegram_chat"}

# A marketplace's buyers are not the shop's customers.
OWN_ORDER = {"origin": [{"exists": False}, "shop"]}


def group(name: str) -> Rule:
    """The staff of one group."""
    return {"kind": "staff_group", "group": name}


def tell(type: str, audience: str, channel: str, *recipients: Rule, pattern: Rule | None = None, **more: Any) -> Rule:
    """A default rule: events of `type` that also match `pattern` are told to `recipients` by `channel`."""
    return {
        "id": f"{type}/{audience}/{channel}",
        "name": f"{type}: {audience} by {channel}",
        "active": True,
        "pattern": {"type": [type], **(pattern or {})},
        "recipients": list(recipients),
        "channel": channel,
        "templates": {},
        "delay": "PT0S",
        "priority": 50,
        "except_actor": False,
        **more,
    }


def tell_buyer(type: str, channel: str, order: Rule | None = None, **more: Any) -> Rule:
    """A default rule for the customer of an order of the shop's own, where `order` further matches."""
    return tell(type, "customer", channel, CUSTOMER, pattern={"order": {**OWN_ORDER, **(order or {})}}, **more)


def tell_customer(type: str, channel: str, pattern: Rule | None = None, **more: Any) -> Rule:
    """A default rule for the owner of an account."""
    return tell(type, "customer", channel, CUSTOMER, pattern=pattern, **more)


def tell_staff(type: str, channel: str, *recipients: Rule, **more: Any) -> Rule:
    """A default rule for colleagues; whoever did it is left out."""
    return tell(type, "staff", channel, *recipients, **{"except_actor": True, **more})
