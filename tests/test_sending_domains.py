"""Whose domains a shop may write from: names, grants, the operator's command, and what the API says of them."""

from collections.abc import Iterator

import pytest

from infra import sending_domains as command
from infra.world import World
from tests.asking import Shop, opened, problem
from vestnik import resources
from vestnik.domain import sending_domains
from vestnik.errors import Refused
from vestnik.store import domains

SENDER = {"plugin": "email_ses", "config": {"from_address": "orders@samovar.example"}}


@pytest.fixture
def world() -> Iterator[World]:
    with opened() as world, resources.use(world.account.variables(world.account.functions["manage-shop"])):
        yield world


def grant(world: World, shop: str, name: str) -> str:
    return domains.grant(shop, name, by="test", now=world.now())


@pytest.fixture
def strict(world: World) -> World:
    """As in the cloud: a domain is granted by the operator and by nobody else."""
    for function in world.account.functions.values():
        world.account.variables(function).pop("FIRST_COME", None)
    return world


@pytest.mark.parametrize(
    ("name", "kept"),
    [(" Samovar.Example. ", "samovar.example"), ("пример.example", "xn--e1afmkfd.example")],
)
def test_a_domain_is_kept_as_servers_write_it(name: str, kept: str) -> None:
    assert sending_domains.domain(name) == kept


@pytest.mark.parametrize("name", ["", "example", "a b.example", "me@samovar.example", "-.example", "samovar..example"])
def test_what_mail_cannot_come_from_is_no_domain(name: str) -> None:
    with pytest.raises(Refused, match="is no domain"):
        sending_domains.domain(name)


def test_a_grant_holds_below_the_domain_and_not_beside_it() -> None:
    granted = ["samovar.example"]
    assert sending_domains.within("samovar.example", granted)
    assert sending_domains.within("mail.samovar.example", granted)
    assert not sending_domains.within("notsamovar.example", granted)
    assert not sending_domains.within("example", granted)


def test_a_plug_in_whose_provider_knows_the_owner_needs_no_grant() -> None:
    assert sending_domains.stranger("", {"from_address": "me@samovar.example"}, []) == ""
    assert sending_domains.stranger("from_address", {"from_address": "me@samovar.example"}, []) == "samovar.example"


@pytest.mark.parametrize(
    "address",
    ["me@example", "me", "", "me@[127.0.0.1]", "me@demo.example, me@samovar.example", "<a@b.c>@samovar.example"],
)
def test_what_is_no_plain_address_is_nobodys(address: str) -> None:
    assert sending_domains.stranger("from_address", {"from_address": address}, ["samovar.example"])


@pytest.mark.parametrize("address", ["Tea@SAMOVAR.example", "tea@mail.samovar.example"])
def test_an_address_is_of_its_domain_however_it_is_written(address: str) -> None:
    assert sending_domains.of_address(address).endswith("samovar.example")


def test_a_domain_is_granted_once_and_the_same_again(world: World) -> None:
    assert grant(world, "demo", "Samovar.example") == grant(world, "demo", "samovar.example") == "samovar.example"
    assert domains.owners()["samovar.example"] == "demo"


@pytest.mark.parametrize("name", ["demo.example", "mail.demo.example", "DEMO.EXAMPLE."])
def test_what_another_shop_has_is_refused(world: World, name: str) -> None:
    with pytest.raises(Refused, match="belongs to another shop"):
        grant(world, "other", name)


def test_what_lies_above_anothers_domain_is_refused(world: World) -> None:
    grant(world, "demo", "mail.samovar.example")
    with pytest.raises(Refused, match="belongs to another shop"):
        grant(world, "other", "samovar.example")


def test_only_what_was_granted_may_be_written_from(strict: World) -> None:
    shop = Shop(strict)
    told = problem(shop.put("senders/tea", SENDER), 422, "domain-not-granted")
    assert told["errors"][0]["where"] == "/config/from_address"
    assert told["errors"][0]["expected"] == "demo.example"
    grant(strict, "demo", "samovar.example")
    assert shop.put("senders/tea", SENDER).status == 200
    assert shop.get("senders/domains").json() == {"items": ["demo.example", "samovar.example"]}


def test_a_domain_withdrawn_is_written_from_no_more(strict: World) -> None:
    shop = Shop(strict)
    assert domains.withdraw("demo", "demo.example", by="test", now=strict.now())
    assert not domains.withdraw("demo", "other.example", by="test", now=strict.now())
    problem(shop.post("senders/ses/test", {"to": "me@demo.example"}), 422, "domain-not-granted")
    assert grant(strict, "other", "demo.example") == "demo.example"


def test_in_the_local_world_what_nobody_has_is_whoevers_asks_first(world: World) -> None:
    demo, other = Shop(world), Shop(world, "other-key")
    assert demo.put("senders/tea", SENDER).status == 200
    told = problem(other.put("senders/tea", SENDER), 422, "domain-not-granted")
    assert "demo" not in str(told)


def test_the_operator_grants_lists_and_withdraws(strict: World) -> None:
    variables = strict.account.variables(strict.account.functions["manage-shop"])

    def say(*words: str) -> str:
        return command.run(command.parser().parse_args(words), variables, strict.now())

    assert say("grant", "demo", "Samovar.example") == "demo may write from samovar.example"
    assert "samovar.example  demo" in say()
    assert say("withdraw", "demo", "samovar.example") == "samovar.example is no longer demo's"
    assert say("withdraw", "demo", "samovar.example") == "samovar.example is not demo's"
