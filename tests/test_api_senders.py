"""Senders over the API: credentials that are never shown again, one default a channel, test messages."""

from collections.abc import Iterator
from typing import Any

import pytest

from infra.twins import smtp
from infra.world import World
from tests.asking import Shop, opened, problem
from vestnik import channels, plugins, resources
from vestnik.store import secrets

SES: dict[str, Any] = {"plugin": "email_ses", "config": {"from_address": "orders@demo.example"}}
TOKEN = "1000001:local-world-bot-token-000000000000"  # noqa: S105  (of a bot in this process)
BOT: dict[str, Any] = {"plugin": "telegram", "secret": {"token": TOKEN}}


@pytest.fixture(scope="module")
def world() -> Iterator[World]:
    with opened() as world:
        yield world


def kept_secret(world: World, sender: str) -> dict[str, str]:
    with resources.use(world.account.variables(world.account.functions["manage-shop"])):
        secrets.forget()
        return secrets.sender_secret("demo", sender)


def test_every_plug_in_is_listed_with_what_it_needs(shop: Shop) -> None:
    listed = shop.get("senders/plugins").json()["items"]
    assert [entry["plugin"] for entry in listed] == plugins.names(channels)
    assert all(entry["config"]["type"] == "object" for entry in listed)


def test_credentials_are_kept_apart_and_never_shown_again(shop: Shop) -> None:
    put = shop.put("senders/bot", BOT)
    assert put.status == 200, put.text
    assert put.json()["secrets"] == ["token"]
    for answer in (put, shop.get("senders/bot"), shop.get("senders?limit=200")):
        assert TOKEN not in answer.text
    assert kept_secret(shop.world, "bot") == {"token": TOKEN}
    kept = [str(item.attrs) for item in shop.world.account.table("settings").all_items()]
    assert not [item for item in kept if TOKEN in item]


def test_credentials_that_are_not_given_stay(shop: Shop) -> None:
    shop.put("senders/stays", BOT)
    again = shop.put("senders/stays", {"plugin": "telegram", "name": "renamed"})
    assert (again.status, again.json()["secrets"]) == (200, ["token"])
    assert kept_secret(shop.world, "stays") == {"token": TOKEN}


def test_a_sender_goes_with_its_credentials(shop: Shop) -> None:
    shop.put("senders/goes", BOT)
    assert shop.delete("senders/goes").status == 204
    assert kept_secret(shop.world, "goes") == {}
    problem(shop.get("senders/goes"), 404, "not-found")


@pytest.mark.parametrize(
    ("body", "place"),
    [
        ({"plugin": "carrier_pigeon"}, "/plugin"),
        ({"plugin": "_guard"}, "/plugin"),
        ({**SES, "channel": "sms"}, "/channel"),
        ({"plugin": "email_ses"}, "/config"),
        ({"plugin": "email_ses", "config": {"from_address": "nobody"}}, "/config/from_address"),
        ({**BOT, "secret": {"token": "wrong-token-text"}}, "/secret/token"),
        ({"plugin": "telegram"}, "/secret/token"),
        ({"plugin": "telegram", "secret": {}}, "/secret"),
    ],
)
def test_a_sender_that_could_not_send_is_refused(shop: Shop, body: dict[str, Any], place: str) -> None:
    answer = shop.put("senders/wrong", body)
    assert place in [error["where"] for error in problem(answer, 422, "invalid-sender")["errors"]]
    assert "wrong-token-text" not in answer.text


def test_a_new_default_takes_the_place_of_the_old_one(shop: Shop) -> None:
    for id in ("first", "second"):
        assert shop.put(f"senders/{id}", {**SES, "default": True}).status == 200
    senders = shop.get("senders?limit=200").json()["items"]
    assert [s["id"] for s in senders if s["channel"] == "email" and s["default"]] == ["second"]


def test_a_test_message_reaches_the_one_who_asked(shop: Shop) -> None:
    shop.put("senders/tested", SES)
    answer = shop.post("senders/tested/test", {"to": "me@demo.example", "text": "Does it work?"})
    assert (answer.status, answer.json()["outcome"]) == (200, "sent"), answer.text
    last = shop.world.outbox[-1]
    assert last["to"] == "me@demo.example"
    assert "Does it work?" in last["text"]


def test_a_test_message_by_the_shops_own_server_uses_its_password(shop: Shop) -> None:
    config = {
        "from_address": "orders@demo.example",
        "host": "127.0.0.1",
        "port": shop.world.smtp.starttls_port,
        "security": "starttls",
        "username": smtp.USER,
    }
    body = {"plugin": "email_smtp", "config": config}
    assert shop.put("senders/own", {**body, "secret": {"password": "wrong"}}).status == 200
    refused = shop.post("senders/own/test", {"to": "me@demo.example"}).json()
    assert (refused["outcome"], refused["code"]) == ("refused", "login-refused")
    assert shop.put("senders/own", {**body, "secret": {"password": smtp.PASSWORD}}).status == 200
    assert shop.post("senders/own/test", {"to": "me@demo.example"}).json()["outcome"] == "sent"


def test_a_repeated_test_sends_one_message(shop: Shop) -> None:
    shop.put("senders/once", SES)
    before = len(shop.world.outbox)
    for _ in range(2):
        shop.post("senders/once/test", {"to": "me@demo.example"}, **{"idempotency-key": "test-1"})
    assert len(shop.world.outbox) == before + 1


def test_a_wrong_address_of_a_test_is_named(shop: Shop) -> None:
    shop.put("senders/named", SES)
    told = problem(shop.post("senders/named/test", {"to": "nobody"}), 422, "bad-address")
    assert told["errors"][0]["where"] == "/to"


def test_tests_are_few_a_minute(world: World) -> None:
    other = Shop(world, "other-key")
    assert other.put("senders/many", {**SES, "config": {"from_address": "orders@other.example"}}).status == 200
    answers = [other.post("senders/many/test", {"to": "me@other.example"}) for _ in range(11)]
    assert [answer.status for answer in answers] == [200] * 10 + [429]
    problem(answers[-1], 429, "too-many-tests")
    assert 0 < int(answers[-1].headers["retry-after"]) <= 60


def test_another_shop_sees_nothing_of_a_sender(shop: Shop) -> None:
    shop.put("senders/private", BOT)
    other = Shop(shop.world, "other-key")
    for answer in (
        other.get("senders/private"),
        other.delete("senders/private"),
        other.post("senders/private/test", {"to": "me@other.example"}),
    ):
        problem(answer, 404, "not-found")
    assert kept_secret(shop.world, "private") == {"token": TOKEN}
