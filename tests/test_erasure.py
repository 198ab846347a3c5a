"""A customer's data handed out, and taken away."""

import gzip
import itertools
import json
from collections.abc import Iterator
from datetime import timedelta

import botocore.session
import pytest

from infra.world import World
from tests.posting import ORDER, START, event, post, put
from vestnik import resources
from vestnik.flows import erasure


@pytest.fixture(scope="module")
def world() -> Iterator[World]:
    with World(start=START) as world:
        yield world


def phone_of(id: str) -> str:
    return f"+359888{int(id.removeprefix('id-')):06}"


def lived(world: World, id: str) -> str:
    """A customer with an order, a message to them, one about them to a colleague, and one that waits."""
    email = f"{id}@example.com"
    put(world, f"/v1/staff/m-{id}", {"name": "Elena", "email": f"m-{id}@demo.example"})
    customer = {"id": id, "name": f"Name-{id}", "email": email, "phone": phone_of(id), "language": "en"}
    order = {
        "id": f"o-{id}",
        **ORDER,
        "customer_id": id,
        "manager_id": f"m-{id}",
        "comment": f"Ring at Name-{id}",
        "delivery": {"method": "courier", "address": f"Street-{id} 12"},
        "items": [{"sku": "A", "name": "Tea", "quantity": 1, "engraving": f"Name-{id}"}],
        "note": f"Name-{id} is kind",
    }
    event(world, id, world.now(), order=order, customer=customer)
    slow = {"channel": "email", "delay": "PT2H", "recipients": [{"kind": "customer"}], "name": "late"}
    pattern = {"type": ["order.placed"], "order": {"id": [f"late-{id}"]}}
    assert put(world, f"/v1/rules/late-{id}", {**slow, "pattern": pattern, "priority": 99}).status == 200
    event(world, id, world.now(), order={"id": f"late-{id}", **ORDER, "customer_id": id})
    world.settle()
    return email


def test_an_export_has_profile_orders_messages_and_suppressions(world: World, id: str) -> None:
    email = lived(world, id)
    post(world, "/v1/suppressions", {"channel": "email", "address": email})
    export = world.request("GET", f"/v1/customers/{id}/export").json()
    assert export["profile"]["email"] == email
    assert {order["id"] for order in export["orders"]} == {f"o-{id}", f"late-{id}"}
    bodies = [message["body"] for message in export["messages"] if message["state"] == "sent"]
    assert bodies
    assert all(body["to"] == email for body in bodies)
    assert [entry["address"] for entry in export["suppressions"]] == [email]
    assert export["complete"]


def test_who_nobody_knows_has_no_export(world: World) -> None:
    assert world.request("GET", "/v1/customers/nobody/export").status == 404


def test_erasing_leaves_nothing_of_the_person(world: World, id: str) -> None:
    email = lived(world, id)
    sent = len([item for item in world.outbox if item["to"] == email])
    told = post(world, f"/v1/customers/{id}/erase").json()
    assert told["complete"]
    assert (told["profile"], told["orders"], told["cancelled"]) == (1, 2, 1)
    assert told["messages"] >= 3
    assert remains(world, f"Name-{id}", email, f"Street-{id}", phone_of(id)) == []
    world.advance(timedelta(hours=3))
    assert len([item for item in world.outbox if item["to"] == email]) == sent
    order = world.request("GET", f"/v1/orders/o-{id}").json()
    assert order["items"] == [{"sku": "A", "name": "Tea", "quantity": 1}]
    assert not {"customer_id", "comment", "note"} & set(order)
    again = post(world, f"/v1/customers/{id}/erase").json()
    assert (again["profile"], again["orders"], again["cancelled"]) == (0, 0, 0)


def remains(world: World, *texts: str) -> list[str]:
    """Where any of these texts still stands, in any table or object."""
    session = botocore.session.get_session()
    database, objects = (session.create_client(s, region_name="us-east-1") for s in ("dynamodb", "s3"))
    found = []
    for table in database.list_tables()["TableNames"]:
        for item in database.scan(TableName=table)["Items"]:
            found += [f"{table} {item['pk']['S']} {text}" for text in texts if text in json.dumps(item)]
    for bucket in objects.list_buckets()["Buckets"]:
        for entry in objects.list_objects_v2(Bucket=bucket["Name"]).get("Contents", []):
            body = objects.get_object(Bucket=bucket["Name"], Key=entry["Key"])["Body"].read()
            found += [f"{entry['Key']} {text}" for text in texts if text in gzip.decompress(body).decode()]
    return found


def test_what_remains_is_seen_by_the_test_above(world: World, id: str) -> None:
    email = lived(world, id)
    assert len(remains(world, email)) >= 3


def test_an_erasure_that_runs_out_of_time_can_be_repeated(world: World, id: str) -> None:
    email = lived(world, id)
    looks = itertools.count()
    with resources.use(world.account.variables(world.account.functions["manage-shop"])):
        told = erasure.erase("demo", id, world.now(), lambda: next(looks) > 10)
        assert not told["complete"]
        assert world.request("GET", f"/v1/orders/o-{id}").json()["customer_id"] == id
        told = erasure.erase("demo", id, world.now(), lambda: False)
    assert told["complete"]
    assert remains(world, f"Name-{id}", email) == []


def test_a_suppressed_address_stays_suppressed_when_its_owner_is_erased(world: World, id: str) -> None:
    email = lived(world, id)
    post(world, "/v1/suppressions", {"channel": "email", "address": email})
    post(world, f"/v1/customers/{id}/erase")
    assert world.request("DELETE", f"/v1/suppressions/email/{email}").status == 204


def test_the_doors_call_nothing_that_the_map_does_not_grant(world: World) -> None:
    assert world.refused_grants() == set()
