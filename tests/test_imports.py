"""Imports: many records at once, as JSON or CSV."""

from collections.abc import Iterator
from contextlib import suppress

import pytest
from hypothesis import given
from hypothesis import strategies as st

from infra.world import World
from tests.posting import MARIA, START, post
from vestnik.domain import csv_rows, schemas
from vestnik.errors import Refused
from vestnik.flows import imports


@pytest.fixture(scope="module")
def world() -> Iterator[World]:
    with World(start=START) as world:
        yield world


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
        ("/v1/imports?kind=staff", b'{"kind": "customers", "rows": []}', "application/json", 422),
        ("/v1/imports", b'{"kind": "customers", "rows": [', "application/json", 400),
        ("/v1/imports", b'{"kind": "pets", "rows": []}', "application/json", 422),
        ("/v1/imports", b"x", "text/plain", 415),
    ],
)
def test_an_import_that_cannot_be_read_says_why(world: World, path: str, body: bytes, media: str, status: int) -> None:
    answer = post(world, path, body, **{"content-type": media})
    assert answer.status == status, answer.text
    assert answer.json()["detail"]


def test_the_doors_call_nothing_that_the_map_does_not_grant(world: World) -> None:
    assert world.refused_grants() == set()
