"""Whose an order is: the customer posted beside it, for what comes later, and for what is asked or taken away."""

from datetime import timedelta
from typing import Any

import pytest

from infra.world import World
from tests.posting import event, post, put
from tests.test_erasure import remains

CASH = {"method": "cash_on_delivery", "status": "pending"}


def anna(id: str) -> dict[str, Any]:
    return {"id": id, "name": f"Name-{id}", "email": f"{id}@anna.example", "language": "en"}


def placed(world: World, id: str, **more: Any) -> None:
    """As the quick start posts it: the order says nothing of its customer, who stands beside it."""
    order = {"id": f"o-{id}", "number": "L1", "status": "new", "payment": CASH, "comment": f"Ring at Name-{id}"}
    assert event(world, id, world.now(), order=order, customer=anna(id), **more).status == 202


def owner(world: World, order: str) -> Any:
    return world.request("GET", f"/v1/orders/{order}").json().get("customer_id")


def posted(world: World, type: str, **data: Any) -> None:
    body = {"type": type, "time": world.now().isoformat(), "data": data}
    assert post(world, "/v1/events", body).status == 202


def test_an_order_belongs_to_the_customer_posted_with_it(world: World, id: str) -> None:
    placed(world, id)
    world.settle()
    export = world.request("GET", f"/v1/customers/{id}/export").json()
    assert [order["id"] for order in export["orders"]] == [f"o-{id}"]


def test_an_event_may_carry_nothing_but_the_orders_id_and_status(world: World, id: str) -> None:
    placed(world, id)
    world.settle()
    world.advance(timedelta(minutes=1))
    posted(world, "order.delivered", order={"id": f"o-{id}", "status": "delivered"})
    world.settle()
    letters = [item for item in world.outbox if item["to"] == f"{id}@anna.example"]
    assert len(letters) == 2
    assert f"Name-{id}" in letters[1]["text"]


def test_a_preview_of_an_order_greets_its_customer(world: World, id: str) -> None:
    placed(world, id)
    world.settle()
    put(world, "/v1/templates/greeting", {"channel": "sms", "contents": {"en": {"text": "Dear {{ customer.name }}"}}})
    asked = {"sample": "order.placed", "order_id": f"o-{id}", "language": "en"}
    assert post(world, "/v1/templates/greeting/preview", asked).json()["text"] == f"Dear Name-{id}"


def test_erasing_a_customer_reaches_the_order_and_what_the_staff_was_told_of_it(world: World, id: str) -> None:
    placed(world, id)
    world.settle()
    assert remains(world, f"Name-{id}")
    told = post(world, f"/v1/customers/{id}/erase").json()
    assert (told["orders"], told["complete"]) == (1, True)
    assert remains(world, f"Name-{id}", f"{id}@anna.example") == []
    messages = world.request("GET", f"/v1/messages?order=o-{id}").json()["items"]
    assert {message["channel"] for message in messages} >= {"email", "telegram"}
    assert all(message["erased"] for message in messages)


def test_erasing_reaches_what_the_staff_was_told_of_a_customer_without_an_order(world: World, id: str) -> None:
    chat = {"kind": "telegram_chat"}
    rule = {"name": "new", "pattern": {"type": ["customer.registered"]}, "channel": "telegram", "recipients": [chat]}
    put(world, "/v1/templates/new", {"channel": "telegram", "contents": {"en": {"text": "{{ customer.name }}"}}})
    assert post(world, "/v1/templates/new/publish").status == 200
    assert put(world, "/v1/rules/new", {**rule, "templates": {"telegram_chat": "new"}}).status == 200
    posted(world, "customer.registered", customer=anna(id))
    world.settle()
    assert [item["text"] for item in world.outbox if item["channel"] == "telegram"][-1] == f"Name-{id}"
    assert post(world, f"/v1/customers/{id}/erase").json()["messages"] == 2
    assert remains(world, f"Name-{id}", f"{id}@anna.example") == []
    assert world.request("DELETE", "/v1/rules/new").status == 204


def test_an_older_event_still_tells_whose_an_order_is_and_nothing_else(world: World, id: str) -> None:
    event(world, id, world.now(), order={"id": f"o-{id}", "status": "delivered"})
    world.settle()
    before = world.request("GET", f"/v1/orders/o-{id}").json()
    earlier = world.now() - timedelta(minutes=5)
    event(world, id, earlier, order={"id": f"o-{id}", "status": "new", "comment": "old"}, customer=anna(id))
    world.settle()
    assert world.request("GET", f"/v1/orders/o-{id}").json() == {**before, "customer_id": id}


def test_an_event_that_only_names_the_order_tells_whose_it_is(world: World, id: str) -> None:
    event(world, id, world.now(), order={"id": f"o-{id}", "status": "new"})
    world.settle()
    posted(world, "order.paid", order_id=f"o-{id}", customer_id=id)
    world.settle()
    assert owner(world, f"o-{id}") == id


@pytest.mark.parametrize("minutes", [5, -5])
def test_an_order_keeps_the_owner_it_has_unless_a_newer_event_names_another(
    world: World, id: str, minutes: int
) -> None:
    event(world, id, world.now(), order={"id": f"o-{id}", "customer_id": "first"})
    world.settle()
    later = world.now() + timedelta(minutes=minutes)
    event(world, id, later, order={"id": f"o-{id}"}, customer={"id": "second"})
    world.settle()
    assert owner(world, f"o-{id}") == ("second" if minutes > 0 else "first")


def test_the_orders_own_word_counts_for_more_than_the_customer_beside_it(world: World, id: str) -> None:
    event(world, id, world.now(), order={"id": f"o-{id}", "customer_id": "payer"}, customer={"id": "reader"})
    world.settle()
    assert owner(world, f"o-{id}") == "payer"


def consent(world: World, id: str) -> Any:
    return world.request("GET", f"/v1/customers/{id}").json()["consent"]


def test_consent_is_told_by_channel_and_the_others_stay_as_they_were(world: World, id: str) -> None:
    posted(world, "customer.registered", customer={"id": id, "consent": {"email": True, "telegram": False}})
    world.settle()
    world.advance(timedelta(seconds=5))
    posted(world, "customer.registered", customer={"id": id, "consent": {"sms": True}})
    world.settle()
    assert consent(world, id) == {"email": True, "telegram": False, "sms": True}
    posted(world, "customer.registered", customer={"id": id, "consent": {"email": False}})
    world.settle()
    assert consent(world, id)["email"] is True  # of the same moment: no news
    world.advance(timedelta(seconds=5))
    posted(world, "customer.registered", customer={"id": id, "consent": {"email": False}})
    world.settle()
    assert consent(world, id) == {"email": False, "telegram": False, "sms": True}
