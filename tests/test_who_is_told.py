"""Whom rules tell: one message per person, address and channel, and marketing never instead of what is due."""

from typing import Any
from urllib.parse import quote

import pytest

from tests.asking import Shop, problem
from vestnik.domain import rules
from vestnik.domain.rules import Decision, Staff

MARIA = {"id": "c1", "email": "Maria@Shop.example", "phone": "+359888123456"}
CUSTOMER = {"kind": "customer"}
TO_MARIA = {"kind": "address", "address": "maria@shop.example"}


def rule(id: str, *recipients: dict[str, Any], **more: Any) -> dict[str, Any]:
    return {"id": id, "recipients": list(recipients), "channel": "email", **more}


def decided(*found: dict[str, Any], purpose: str = "transactional", **customer: Any) -> list[Decision]:
    facts = {"data": {}, "customer": MARIA | customer, "order": None}
    return rules.decide(found, facts, Staff(), {}, purpose)


def states(*found: dict[str, Any], **more: Any) -> dict[str, str]:
    return {decision.rule["id"]: decision.state for decision in decided(*found, **more)}


def test_marketing_never_takes_the_place_of_a_message_that_is_due_whatever_its_priority() -> None:
    mailing, due = rule("a", CUSTOMER, purpose="marketing", priority=90), rule("b", CUSTOMER, priority=1)
    assert states(mailing, due) == {"a": "merged", "b": "planned"}


def test_a_rule_without_a_purpose_has_its_events() -> None:
    silent, due = rule("a", CUSTOMER, priority=90), rule("b", CUSTOMER, purpose="transactional", priority=1)
    assert states(silent, due) == {"a": "planned", "b": "merged"}
    assert states(silent, due, purpose="marketing") == {"a": "merged", "b": "planned"}


def test_one_address_gets_one_message_of_a_rule_whoever_has_it() -> None:
    assert [d.person.kind for d in decided(rule("a", CUSTOMER, TO_MARIA))] == ["customer"]
    both = decided(rule("a", CUSTOMER, {**TO_MARIA, "address": "ivan@shop.example"}))
    assert [d.person.kind for d in both] == ["customer", "address"]


def test_people_without_an_address_are_not_taken_for_one_another() -> None:
    nobody = decided(rule("a", CUSTOMER, {"kind": "customer_manager"}, channel="telegram"))
    assert [d.reason for d in nobody] == ["has no address for telegram", "there is no customer manager"]


def test_two_rules_write_to_one_address_of_the_staff_once_and_to_a_customer_besides() -> None:
    first, second, third = rule("a", TO_MARIA), rule("b", TO_MARIA | {"name": "M"}), rule("c", CUSTOMER)
    assert states(first, second, third) == {"a": "planned", "b": "merged", "c": "planned"}
    staff = Staff({"s": {"id": "s", "email": "maria@shop.example", "groups": ["all"]}})
    told = rules.decide([first, rule("b", {"kind": "staff_group", "group": "all"})], {"data": {}}, staff, {})
    assert [(d.state, d.reason) for d in told] == [("planned", ""), ("skipped", "rule a writes to the same address")]


def test_space_around_an_address_is_no_part_of_it() -> None:
    assert decided(rule("a", CUSTOMER), email=" maria@shop.example\r\n")[0].person.address == "maria@shop.example"


@pytest.mark.parametrize("address", ["bad@", "Maria <maria@shop.example>", "a@shop.example, b@shop.example"])
def test_any_suppressed_address_can_be_allowed_again(shop: Shop, address: str) -> None:
    shop.post("events", {"type": "customer.password_changed", "data": {"customer": {"id": "c", "email": address}}})
    shop.world.settle()
    (listed,) = shop.get("suppressions").json()["items"]
    path = f"suppressions/email/{quote(listed['address'], safe='')}"
    assert shop.delete(path).status == 204
    problem(shop.delete(path), 404, "not-found")


def test_a_rules_number_may_be_written_as_in_the_shops_country(shop: Shop) -> None:
    told = {"pattern": {"type": ["order.paid"]}, "channel": "sms", "templates": {"address": "text"}}
    shop.put("templates/text", {"channel": "sms", "contents": {"en": {"text": "Paid"}}})
    shop.post("templates/text/publish", {})
    here = {"kind": "address", "address": "0888 123 456"}
    answer = shop.put("rules/local", {**told, "recipients": [here]})
    assert answer.status in (200, 201), answer.text
    nowhere = {"kind": "address", "address": "12"}
    assert problem(shop.put("rules/local", {**told, "recipients": [nowhere]}), 422, "invalid-rule")
