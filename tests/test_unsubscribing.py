"""Signed links, and the page behind them that ends marketing."""

import base64
import re
from collections.abc import Iterator
from datetime import timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from infra.world import World
from infra.world.http_api import Response
from tests.posting import MARIA, ORDER, START, event, put
from vestnik import resources
from vestnik.domain import links
from vestnik.errors import Refused
from vestnik.flows import unsubscribe


@pytest.fixture(scope="module")
def world() -> Iterator[World]:
    with World(start=START) as world:
        yield world


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


def test_the_doors_call_nothing_that_the_map_does_not_grant(world: World) -> None:
    assert world.refused_grants() == set()
