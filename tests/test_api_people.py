"""Customers, staff, orders over the API: put, read, imported, exported, erased; and who must not be written to."""

import base64
import itertools
import json
import re
from collections.abc import Iterator
from contextlib import suppress
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from vestnik import resources
from vestnik.api import _profiles
from vestnik.domain import csv_rows, links, schemas
from vestnik.errors import Refused
from vestnik.flows import erasure, imports, unsubscribe

from infra.world import World
from infra.world.http_api import Response

START = datetime(2026, 11, 20, 9, 0, tzinfo=UTC)
numbers = itertools.count()
MARIA = {"name": "Maria", "email": "maria@example.com", "language": "bg", "consent": {"email": True}}
ORDER = {"number": "1", "status": "new", "payment": {"method": "cash_on_delivery"}}


@pytest.fixture(scope="module")
def world() -> Iterator[World]:
    with World(start=START) as world:
        yield world


@pytest.fixture
def id() -> str:
    return f"id-{next(numbers)}"


def post(world: World, path: str, body: Any = None, key: str = "local-key", **headers: str) -> Response:
    named = {"idempotency-key": f"{path}-{next(numbers)}", **headers}
    return world.request("POST", path, key=key, headers=named, body=body)


def put(world: World, path: str, body: Any) -> Response:
    return world.request("PUT", path, body=body)


def faults(response: Response) -> list[tuple[str, str]]:
    assert response.status == 422, response.text
    return [(fault["where"], fault.get("expected", "")) for fault in response.json()["errors"]]


def queued(world: World) -> int:
    return sum(len(queue._messages) for queue in world.account.queues().values())


# -- put, read, list, remove ------------------------------------------------------------------------------------------


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
        ({"consent": {"pigeon": True}}, "/consent/pigeon", ""),
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


# -- facts and silence ------------------------------------------------------------------------------------------------


def event(world: World, id: str, time: datetime, **data: Any) -> Response:
    body = {"type": "order.placed", "id": f"{id}-{next(numbers)}", "time": time.isoformat(), "data": data}
    return post(world, "/v1/events", body)


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


# -- imports ----------------------------------------------------------------------------------------------------------


def test_good_rows_are_kept_and_each_bad_one_is_named(world: World, id: str) -> None:
    rows = [{"id": f"{id}-1", **MARIA}, {"id": f"{id}-2", "email": "nobody"}, {"name": "x"}, 5, {"id": f"{id}-1"}]
    report = post(world, "/v1/imports", {"kind": "customers", "rows": rows}).json()
    assert {name: report[name] for name in ("rows", "good", "bad", "kept")} == {
        "rows": 5,
        "good": 1,
        "bad": 4,
        "kept": 1,
    }
    assert [(error["row"], error["field"]) for error in report["errors"]] == [
        (2, "email"),
        (3, "id"),
        (4, ""),
        (5, "id"),
    ]
    assert world.request("GET", f"/v1/customers/{id}-1").json()["name"] == "Maria"
    assert world.request("GET", f"/v1/customers/{id}-2").status == 404


def test_a_dry_run_says_the_same_and_writes_nothing(world: World, id: str) -> None:
    rows = [{"id": f"{id}-1", **MARIA}, {"id": f"{id}-2", "mail": "x"}]
    dry = post(world, "/v1/imports", {"kind": "customers", "dry_run": True, "rows": rows}).json()
    assert world.request("GET", f"/v1/customers/{id}-1").status == 404
    wet = post(world, "/v1/imports", {"kind": "customers", "rows": rows}).json()
    assert dry == {**wet, "dry_run": True, "kept": 0}
    assert dry["errors"][0]["expected"] == "email?"


def test_a_csv_is_an_import_too(world: World, id: str) -> None:
    text = f'id;name;consent.email;tags\r\n{id}-1;"Иванова; Мария";yes;regular|tea\r\n\r\n{id}-2;Ivan;perhaps;\r\n'
    content = b"\xef\xbb\xbf" + text.encode()
    report = post(world, "/v1/imports?kind=customers", content, **{"content-type": "text/csv; charset=utf-8"}).json()
    assert [(error["row"], error["field"]) for error in report["errors"]] == [(2, "consent.email")]
    shown = world.request("GET", f"/v1/customers/{id}-1").json()
    assert (shown["name"], shown["consent"], shown["tags"]) == (
        "Иванова; Мария",
        {"email": True},
        ["regular", "tea"],
    )


def test_a_csv_of_orders_has_nested_numbers_and_lists() -> None:
    text = "id,total.amount,total.currency,items.0.sku,items.0.quantity,items.1.sku\n7,1990,EUR,A,1.5,B\n"
    assert csv_rows.read(text, schemas.ORDER, 10) == [
        {
            "id": "7",
            "total": {"amount": 1990, "currency": "EUR"},
            "items": [{"sku": "A", "quantity": 1.5}, {"sku": "B"}],
        }
    ]


@pytest.mark.parametrize(
    ("text", "what"),
    [
        ("", "first line"),
        ("id,\n1,2\n", "no name"),
        ("id,id\n1,2\n", "twice"),
        ('id\n"never closed\n', "line"),
        ("id\n1,2,3\n", "3 cells"),
        ("id,a,a.b\n1,2,3\n", "both"),
    ],
)
def test_a_broken_csv_is_refused_with_where_it_breaks(text: str, what: str) -> None:
    with pytest.raises(Refused, match=what) as refused:
        csv_rows.read(text, schemas.CUSTOMER, 10)
    assert refused.value.code == "bad-csv"


@given(st.text(max_size=200))
def test_no_text_breaks_the_csv_reader(text: str) -> None:
    with suppress(Refused):
        assert len(csv_rows.read(text, schemas.ORDER, 5)) <= 5


def test_an_import_has_a_thousand_rows_at_most(world: World) -> None:
    rows = [{"id": str(n)} for n in range(imports.MOST_ROWS + 1)]
    assert post(world, "/v1/imports", {"kind": "staff", "dry_run": True, "rows": rows}).status == 422
    lines = "id\n" + "\n".join(str(n) for n in range(imports.MOST_ROWS + 1))
    of_csv = post(world, "/v1/imports?kind=staff&dry_run=true", lines, **{"content-type": "text/csv"})
    assert of_csv.json()["type"] == "/problems/too-many-rows"
    whole = post(world, "/v1/imports", {"kind": "staff", "dry_run": True, "rows": rows[1:]})
    assert whole.json()["good"] == imports.MOST_ROWS


@pytest.mark.parametrize(
    ("path", "body", "media", "status"),
    [
        ("/v1/imports", b"id\n1\n", "text/csv", 422),
        ("/v1/imports?kind=customers", b"id;name\n1;\xff\n", "text/csv", 422),
        ("/v1/imports?kind=customers", b'{"kind": "customers", "rows": []}', "application/json", 422),
        ("/v1/imports", b'{"kind": "customers", "rows": [', "application/json", 400),
        ("/v1/imports", b'{"kind": "pets", "rows": []}', "application/json", 422),
        ("/v1/imports", b"x", "text/plain", 415),
    ],
)
def test_an_import_that_cannot_be_read_says_why(world: World, path: str, body: bytes, media: str, status: int) -> None:
    answer = post(world, path, body, **{"content-type": media})
    assert answer.status == status, answer.text
    assert answer.json()["detail"]


# -- unsubscribing ----------------------------------------------------------------------------------------------------


def token_of(world: World, recipient: dict[str, Any], channel: str = "email") -> str:
    with resources.use(world.account.variables(world.account.functions["send-email-ses"])):
        address = unsubscribe.link("demo", channel, recipient, world.now())
    assert address.startswith("http://127.0.0.1:8080/v1/unsubscribe/")
    return address.rpartition("/")[2]


def visit(world: World, method: str, token: str, **headers: str) -> Response:
    return world.request(method, f"/v1/unsubscribe/{token}", key=None, headers=headers)


def test_looking_at_the_page_does_not_unsubscribe_and_the_button_does(world: World, id: str) -> None:
    email = f"{id}@example.com"
    put(world, f"/v1/customers/{id}", {**MARIA, "email": email})
    token = token_of(world, {"kind": "customer", "id": id, "address": email, "language": "bg"})
    page = visit(world, "GET", token)
    assert page.status == 200
    assert 'method="post"' in page.text
    assert "Отписване" in page.text
    assert world.request("GET", f"/v1/customers/{id}").json()["consent"] == {"email": True}
    done = visit(world, "POST", token)
    assert done.status == 200
    assert "Отписахте се" in done.text
    assert world.request("GET", f"/v1/customers/{id}").json()["consent"] == {"email": False}
    suppressed = world.request("GET", "/v1/suppressions?limit=200").json()["items"]
    assert ("email", email, "unsubscribed") in [(s["channel"], s["address"], s["reason"]) for s in suppressed]
    assert visit(world, "POST", token).status == 200


def test_an_unsubscribed_customer_still_hears_of_orders(world: World, id: str) -> None:
    email = f"{id}@example.com"
    put(world, f"/v1/customers/{id}", {**MARIA, "email": email})
    visit(world, "POST", token_of(world, {"kind": "customer", "id": id, "address": email, "language": "en"}))
    event(world, id, world.now() + timedelta(seconds=1), order={"id": id, **ORDER, "customer_id": id})
    world.advance(timedelta(seconds=2))
    assert [item for item in world.outbox if item["to"] == email]


def test_the_link_does_not_carry_a_customers_address(world: World, id: str) -> None:
    token = token_of(world, {"kind": "customer", "id": id, "address": "maria@example.com", "language": "en"})
    payload = token.partition(".")[0]
    assert b"maria" not in base64.urlsafe_b64decode(payload + "=" * (-len(payload) % 4))


@pytest.mark.parametrize(
    ("language", "wishes", "words"),
    [
        ("ru", "", "Отписаться"),
        ("bg", "ru", "Отписване"),
        ("", "ru-RU,ru;q=0.9", "Отписаться"),
        ("fr", "fr", "Unsubscribe"),
    ],
)
def test_the_page_speaks_the_readers_language(world: World, language: str, wishes: str, words: str) -> None:
    token = token_of(world, {"kind": "address", "id": "a", "address": "a@example.com", "language": language})
    assert words in visit(world, "GET", token, **{"accept-language": wishes}).text


@pytest.mark.parametrize("damage", [lambda t: t[:-2], lambda t: "x" + t, lambda t: t.partition(".")[0], lambda t: "x"])
def test_a_damaged_link_does_nothing_and_says_so(world: World, id: str, damage: Any) -> None:
    address = f"{id}@example.com"
    token = damage(token_of(world, {"kind": "address", "id": address, "address": address, "language": "en"}))
    assert visit(world, "GET", token).status == 404
    assert visit(world, "POST", token).status == 404
    assert world.request("DELETE", f"/v1/suppressions/email/{address}").status == 404


KEY = b"a key of the test"


@given(st.dictionaries(st.text(max_size=5), st.text(max_size=20), max_size=3))
def test_a_link_opens_with_its_key_for_its_purpose_until_it_ends(payload: dict[str, str]) -> None:
    payload = {name: value for name, value in payload.items() if name not in ("for", "until")}
    token = links.sign(KEY, "this", payload, START)
    assert re.fullmatch(r"[\w-]+\.[\w-]+", token, re.ASCII)
    assert links.opened(KEY, "this", token, START - timedelta(seconds=1)) == payload
    for key, purpose, now, code in [
        (b"another", "this", START - timedelta(1), "link-invalid"),
        (b"", "this", START - timedelta(1), "link-invalid"),
        (KEY, "that", START - timedelta(1), "link-invalid"),
        (KEY, "this", START, "link-expired"),
    ]:
        with pytest.raises(Refused) as refused:
            links.opened(key, purpose, token, now)
        assert refused.value.code == code


@given(st.text(max_size=80))
def test_no_text_but_ours_opens(text: str) -> None:
    with pytest.raises(Refused):
        links.opened(KEY, "this", text, START)


def test_nothing_is_signed_with_an_empty_key() -> None:
    with pytest.raises(ValueError, match="empty key"):
        links.sign(b"", "this", {}, START)


# -- suppressions -----------------------------------------------------------------------------------------------------


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


# -- export and erasure -----------------------------------------------------------------------------------------------


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
    import gzip

    import botocore.session

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
