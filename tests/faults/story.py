"""The main story: a few orders in the life of a shop that uses every channel, delays, and one-time links."""

import hashlib
from collections.abc import Iterator
from datetime import timedelta
from typing import Any

from infra.world import World, seeding
from vestnik import events, resources
from vestnik.store import domains, secrets, settings

REST = timedelta(minutes=25)  # the story's latest message goes after 20
TEMPLATES = {"address": "order.placed/staff", "webhook": "order.placed/staff"}


def open_shop(world: World, shop: str) -> None:
    """A shop of its own for one run, with all senders and a rule for each way a message may take."""
    now = world.now()
    with resources.use(world.account.variables(world.account.functions["manage-shop"])):
        profile = seeding.SHOPS["demo"]
        settings.put(shop, "shop", "shop", profile, by="test", now=now)
        digest = hashlib.sha256(f"key-of-{shop}".encode()).hexdigest()
        settings.create_key(shop, "key", digest, seeding.SCOPES, "test", now)
        domains.grant(shop, f"{shop}.example", by="test", now=now)
        for sender in seeding.senders("demo", f"{world.webhook.url}/hooks", world.smtp.starttls_port):
            if sender["plugin"] == "email_ses":
                sender["config"] = {**sender["config"], "from_address": f"orders@{shop}.example"}
            settings.put(shop, "sender", sender["id"], sender, by="test", now=now)
        for id, secret in seeding.SECRETS.items():
            secrets.put_sender_secret(shop, id, secret)
        for rule in _rules(world):
            settings.put(shop, "rule", rule["id"], rule, by="test", now=now)


def _rules(world: World) -> Iterator[dict[str, Any]]:
    hook = {"kind": "webhook", "url": f"{world.webhook.url}/hooks"}
    yield _rule("hook", "order.placed", "webhook", hook)
    yield _rule("soon", "order.placed", "email", _address("soon@example.com"), delay="PT5M")
    yield _rule("late", "order.shipped", "email", _address("late@example.com"), delay="PT20M")
    yield _rule("own-server", "order.placed", "email", _address("ops@example.com"), sender="own-server")
    yield _rule("by-sns", "order.shipped", "sms", _address("+359888111222"), sender="sms-by-sns")


def _address(address: str) -> dict[str, Any]:
    return {"kind": "address", "address": address, "name": "Ops", "language": "en"}


def _rule(id: str, type: str, channel: str, recipient: dict[str, Any], **more: Any) -> dict[str, Any]:
    return {
        "id": id,
        "name": id,
        "active": True,
        "pattern": {"type": [type]},
        "recipients": [recipient],
        "channel": channel,
        "templates": TEMPLATES if channel != "sms" else {"address": "order.shipped/customer"},
        "priority": 40,
        **more,
    }


def posts(world: World) -> list[dict[str, Any]]:
    """The events of the story, as a back end posts them."""
    return [
        _event(world, "order.placed", "placed", payment={"method": "cash_on_delivery", "status": "pending"}),
        _event(world, "order.assembled", "assembled", later=1),
        _event(world, "order.shipped", "shipped", later=2),
        _event(world, "customer.password_reset_requested", "reset", later=3),
        _event(world, "order.placed", "bounced", order="B-1", email="bounce+story@simulator.amazonses.com", later=4),
    ]


def _event(
    world: World, type: str, id: str, *, order: str = "", email: str = "", payment: Any = None, later: int = 0
) -> dict[str, Any]:
    module = events.find(type)
    assert module is not None, type
    event = {**module.SAMPLE, "id": id, "time": (world.now() + timedelta(seconds=later)).isoformat()}
    data = event["data"] = {**event["data"]}
    if "order" in data:
        data["order"] = {
            **data["order"],
            **({"id": order} if order else {}),
            **({"payment": payment} if payment else {}),
        }
    if email:
        data["customer"] = {**data["customer"], "id": "bouncing", "email": email}
        data["order"] |= {"customer_id": "bouncing", "payment": {"method": "bank_transfer", "status": "pending"}}
    return event


def post(world: World, shop: str, event: dict[str, Any], *, tries: int = 6) -> None:
    """Post as a careful back end does: again with the same id until it is accepted."""
    for _ in range(tries):
        answer = world.request("POST", "/v1/events", key=f"key-of-{shop}", body=event)
        if answer.status == 202:
            return
        assert answer.status >= 500, answer.body
        world.advance(timedelta(seconds=5))
    raise AssertionError("the event was never accepted")


def play(world: World, shop: str, *, twice: bool = False, backwards: bool = False) -> None:
    """Post the story's events (each twice, or last first) and let the world come to rest."""
    told = posts(world)
    for event in reversed(told) if backwards else told:
        post(world, shop, event)
        if twice:
            post(world, shop, event)
        if backwards:
            world.settle()
    world.settle()
    world.advance(REST)
