"""Customers, staff, orders over the API: put, read, listed; and the addresses that must not be written to."""

from collections.abc import Iterator
from datetime import timedelta
from typing import Any

import pytest

from infra.world import World
from infra.world.http_api import Response
from tests.posting import MARIA, ORDER, START, event, post, put
from vestnik.api import _profiles
from vestnik.domain import schemas


@pytest.fixture(scope="module")
def world() -> Iterator[World]:
    with World(start=START) as world:
        yield world


def faults(response: Response) -> list[tuple[str, str]]:
    assert response.status == 422, response.text
    return [(fault["where"], fault.get("expected", "")) for fault in response.json()["errors"]]


def queued(world: World) -> int:
    return sum(len(queue._messages) for queue in world.account.queues().values())


@pytest.mark.parametrize(
    ("path", "body"), [("customers", MARIA), ("staff", {"name": "Elena", "roles": ["manager"]}), ("orders", ORDER)]
)
def test_a_record_is_read_as_it_was_put_until_it_is_removed(world: World, id: str, path: str, body: Any) -> None:
    place = f"/v1/{path}/{id}"
    assert put(world, place, body).status == 200
    shown = world.request("GET", place).json()
    assert shown.pop("as_of").startswith("20")
    assert shown == {"id": id, **body}
    assert id in [item["id"] for item in world.request("GET", f"/v1/{path}?limit=200").json()["items"]]
    assert world.request("DELETE", place).status == 204
    assert world.request("GET", place).status == 404
    assert world.request("DELETE", place).status == 404


def test_what_was_read_can_be_put_back(world: World, id: str) -> None:
    put(world, f"/v1/customers/{id}", MARIA)
    read = world.request("GET", f"/v1/customers/{id}").json()
    assert put(world, f"/v1/customers/{id}", read).status == 200


@pytest.mark.parametrize(
    ("path", "more"),
    [
        ("customers", {"loyalty": 5, "last_name": "Ivanova", "email": "a@b.example", "email2": "c@b.example"}),
        ("customers", {"consent": {"email": True, "push": True}}),
        ("staff", {"desk": {"floor": 2}}),
    ],
)
def test_what_events_and_puts_kept_further_can_be_put_back(world: World, id: str, path: str, more: Any) -> None:
    event(world, id, world.now(), **{path.removesuffix("s"): {"id": id, **more}}, order={"id": f"o-{id}"})
    world.settle()
    read = world.request("GET", f"/v1/{path}/{id}").json()
    assert more.items() <= read.items()
    assert put(world, f"/v1/{path}/{id}", read).status == 200
    assert more.items() <= world.request("GET", f"/v1/{path}/{id}").json().items()


def test_a_put_replaces_the_whole_record(world: World, id: str) -> None:
    put(world, f"/v1/customers/{id}", MARIA)
    put(world, f"/v1/customers/{id}", {"name": "Mary"})
    assert "email" not in world.request("GET", f"/v1/customers/{id}").json()


@pytest.mark.parametrize("id", ["a/b", "заказ 7", "a#b", "50%", "x@y.example", "a/b/export"])
def test_an_id_may_have_any_characters(world: World, id: str) -> None:
    place = f"/v1/orders/{''.join(f'%{byte:02X}' for byte in id.encode())}"
    assert put(world, place, {"id": id, **ORDER}).json()["id"] == id
    assert world.request("GET", place).json()["id"] == id


def test_lists_go_on_where_the_part_before_ended(world: World) -> None:
    for n in range(7):
        put(world, f"/v1/staff/page-{n}", {"name": "x"})
    seen, cursor = list[str](), ""
    while cursor is not None:
        part = world.request("GET", f"/v1/staff?limit=2&cursor={cursor}").json()
        seen, cursor = seen + [item["id"] for item in part["items"]], part["next"]
    assert len(seen) == len(set(seen))
    assert {f"page-{n}" for n in range(7)} <= set(seen)


def test_phone_and_address_are_kept_in_one_form(world: World, id: str) -> None:
    answer = put(world, f"/v1/customers/{id}", {"phone": "0888 123 456", "email": "Maria@EXAMPLE.com"}).json()
    assert (answer["phone"], answer["email"]) == ("+359888123456", "Maria@example.com")


@pytest.mark.parametrize(
    ("body", "where", "expected"),
    [
        ({"e-mail": "a@b.example"}, "/e-mail", "email"),
        ({"email": "nobody"}, "/email", ""),
        ({"phone": "12"}, "/phone", ""),
        ({"timezone": "Europe/Atlantis"}, "/timezone", ""),
        ({"kind": "robot"}, "/kind", "person"),
        ({"mail": "a@b.example"}, "/mail", "email"),
        ({"timeZone": "Europe/Sofia", "timezone": "Europe/Sofia"}, "/timeZone", "timezone"),
        ({"consent": {"E-Mail": True}}, "/consent/E-Mail", "email"),
        ({"id": "another"}, "id", ""),
    ],
)
def test_a_problem_names_the_field_and_what_would_be_right(world: World, body: Any, where: str, expected: str) -> None:
    ((found, right), *_) = faults(put(world, "/v1/customers/7", body))
    assert found.strip("/") == where.strip("/")
    assert expected in right
    assert world.request("GET", "/v1/customers/7").status == 404


def test_an_order_keeps_the_shops_own_fields_and_numbers_as_written(world: World, id: str) -> None:
    order = {**ORDER, "gift": {"card": "Happy birthday"}, "items": [{"sku": "A", "quantity": 2, "engraving": "M."}]}
    put(world, f"/v1/orders/{id}", order)
    shown = world.request("GET", f"/v1/orders/{id}").json()
    assert shown["gift"] == order["gift"]
    assert shown["items"] == order["items"]
    assert repr(shown["items"][0]["quantity"]) == "2"


def test_a_record_has_a_largest_size(world: World, id: str) -> None:
    assert put(world, f"/v1/orders/{id}", {"note": "x" * 200_000}).json()["type"] == "/problems/too-big"


@pytest.mark.parametrize(
    ("model", "shape"),
    [
        (_profiles.Customer, schemas.CUSTOMER),
        (_profiles.Staff, schemas.STAFF),
        (_profiles.Order, schemas.ORDER),
        (_profiles.Item, schemas.ITEM),
        (_profiles.Delivery, schemas.DELIVERY),
        (_profiles.Payment, schemas.PAYMENT),
        (_profiles.Money, schemas.MONEY),
        (_profiles.Consent, schemas.CONSENT),
    ],
)
def test_what_can_be_put_is_what_events_carry(model: Any, shape: Any) -> None:
    assert set(model.model_fields) - {"as_of"} == set(shape["properties"])


def test_only_a_newer_event_changes_what_was_put(world: World, id: str) -> None:
    put(world, f"/v1/orders/{id}", {**ORDER, "status": "put"})
    event(world, id, world.now() - timedelta(hours=1), order={"id": id, "status": "older"})
    world.settle()
    assert world.request("GET", f"/v1/orders/{id}").json()["status"] == "put"
    world.advance(timedelta(seconds=5))
    event(world, id, world.now(), order={"id": id, "status": "newer"})
    world.settle()
    assert world.request("GET", f"/v1/orders/{id}").json()["status"] == "newer"


def test_puts_and_imports_notify_nobody(world: World, id: str) -> None:
    world.settle()
    before = len(world.outbox), queued(world)
    put(world, f"/v1/customers/{id}", MARIA)
    put(world, f"/v1/orders/{id}", {**ORDER, "customer_id": id, "status": "shipped"})
    post(world, "/v1/imports", {"kind": "orders", "rows": [{"id": f"{id}-b", **ORDER, "customer_id": id}]})
    assert (len(world.outbox), queued(world)) == before
    world.settle()
    assert len(world.outbox) == before[0]


def test_a_rule_sees_a_colleague_at_once(world: World, id: str) -> None:
    put(world, f"/v1/staff/{id}", {"name": "Elena", "email": f"{id}@demo.example", "roles": ["manager"]})
    event(world, id, world.now(), order={"id": id, **ORDER, "manager_id": id, "customer_id": f"{id}-nobody"})
    world.settle()
    assert [item["to"] for item in world.outbox if item["to"] == f"{id}@demo.example"]


def test_a_suppressed_address_gets_nothing_until_it_is_lifted(world: World, id: str) -> None:
    email = f"{id}@example.com"
    put(world, f"/v1/customers/{id}", {**MARIA, "email": email})
    added = post(world, "/v1/suppressions", {"channel": "email", "address": email.upper(), "reason": "asked us"})
    assert (added.status, added.json()["address"]) == (201, email)
    event(world, id, world.now(), order={"id": f"{id}-a", **ORDER, "customer_id": id})
    world.settle()
    assert not [item for item in world.outbox if item["to"] == email]
    assert world.request("DELETE", f"/v1/suppressions/email/{email.replace('@', '%40')}").status == 204
    assert world.request("DELETE", f"/v1/suppressions/email/{email}").status == 404
    event(world, id, world.now(), order={"id": f"{id}-b", **ORDER, "customer_id": id})
    world.settle()
    assert [item for item in world.outbox if item["to"] == email]


def test_a_suppressed_phone_is_read_in_the_shops_country(world: World) -> None:
    added = post(world, "/v1/suppressions", {"channel": "sms", "address": "0888 000 001"}).json()
    assert added["address"] == "+359888000001"
    assert world.request("DELETE", "/v1/suppressions/sms/%2B359888000001").status == 204


def test_the_doors_call_nothing_that_the_map_does_not_grant(world: World) -> None:
    assert world.refused_grants() == set()
