"""The catalogue: what each event type promises is there; its default rules tell whom they should."""

import json
import re
import sys
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from examples.words import SHOP
from tests.catalogued import LANGUAGES, MESSAGES, ROOT, SILENT, TYPES, facts, module_of, validator
from vestnik import events
from vestnik.domain import masking, rules
from vestnik.domain.patterns import compile_pattern, matches
from vestnik.events._pages import SHAPE_NAMES
from vestnik.rendering import render, shipped


def test_the_catalogue_has_twenty_types_or_more_and_each_lies_in_a_file_of_its_name() -> None:
    assert len(TYPES) >= 20
    assert sorted(events.catalogue()) == TYPES


@pytest.mark.parametrize("type", ["order_payment.failed", "order.nothing", "order", "_rules.x", "os.path", "a.b.c", ""])
def test_what_the_catalogue_does_not_have_is_not_found(type: str) -> None:
    assert events.find(type) is None


@pytest.mark.parametrize("type", TYPES)
def test_a_sample_is_a_complete_event_by_its_own_schema(type: str) -> None:
    sample = module_of(type).SAMPLE
    assert sample.keys() == {"specversion", "id", "source", "type", "time", "data"}
    assert sample["type"] == type
    assert [error.message for error in validator(type).iter_errors(sample["data"])] == []


@pytest.mark.parametrize("type", TYPES)
def test_a_schema_refuses_an_event_that_says_nothing(type: str) -> None:
    assert not validator(type).is_valid({})


@pytest.mark.parametrize("type", TYPES)
def test_a_type_says_what_it_is_for(type: str) -> None:
    module = module_of(type)
    assert module.PURPOSE in ("transactional", "service", "marketing")
    assert isinstance(module.USEFUL_LIFE, timedelta)
    assert timedelta() < module.USEFUL_LIFE
    assert "Post it" in (module.__doc__ or "")


@pytest.mark.parametrize("type", TYPES)
def test_what_is_secret_is_marked_so_in_the_schema_too(type: str) -> None:
    module = module_of(type)
    assert sorted(masking.secret_paths(module.SCHEMA)) == sorted(module.SECRET)


@pytest.mark.parametrize("type", TYPES)
def test_every_field_is_described(type: str) -> None:
    assert list(_nameless(module_of(type).SCHEMA, type)) == []


def _nameless(schema: dict[str, Any], at: str) -> Iterator[str]:
    for name, field in schema.get("properties", {}).items():
        if "description" not in field and field.get("title") not in SHAPE_NAMES:
            yield f"{at}.{name}"
        yield from _nameless(field, f"{at}.{name}")
    if "items" in schema:
        yield from _nameless(schema["items"], at)


@pytest.mark.parametrize("type", TYPES)
def test_a_page_tells_the_type_its_rules_fields_and_sample(type: str) -> None:
    page, module = events.page(type), module_of(type)
    assert page.startswith(f"# {type}\n")
    assert all(f"`{rule['id']}`" in page for rule in module.RULES)
    assert all(f"| `{name}` |" in page for name in module.SCHEMA["properties"])
    assert json.loads(page.partition("```json\n")[2].partition("```")[0]) == module.SAMPLE


def test_every_shape_that_a_page_refers_to_stands_on_the_shapes_page() -> None:
    shapes = events.shapes_page()
    anchors = {title.lower().replace(" ", "-") for title in re.findall(r"^## (.+)$", shapes, re.MULTILINE)}
    pages = shapes + "".join(events.page(type) for type in TYPES)
    assert set(re.findall(r"\(shapes\.md#([\w-]+)\)", pages)) <= anchors


# Default rules


@pytest.mark.parametrize("rule", events.rules(), ids=lambda rule: rule["id"])
def test_a_default_rule_matches_its_own_sample_and_no_other(rule: dict[str, Any]) -> None:
    pattern = compile_pattern(json.dumps(rule["pattern"]))
    type = rule["id"].partition("/")[0]
    other = "order.paid" if type != "order.paid" else "order.shipped"
    assert not matches(pattern, facts(other))
    if rule["id"] != "order.placed/customer/email":  # its sample is to be paid by card, and is not paid
        assert matches(pattern, facts(type))


@pytest.mark.parametrize("rule", events.rules(), ids=lambda rule: rule["id"])
def test_a_default_rule_has_a_text_for_each_audience_in_each_language(rule: dict[str, Any]) -> None:
    type, audience, channel = rule["id"].split("/")
    assert {rules.audience(recipient["kind"]) for recipient in rule["recipients"]} == {audience}
    assert rule["channel"] == channel
    assert rules.duration(rule["delay"]) == timedelta()
    missing = [one for one in LANGUAGES if not (MESSAGES / type / f"{audience}.{channel}.{one}.j2").is_file()]
    assert missing == []


@pytest.mark.parametrize("type", TYPES)
def test_every_type_tells_somebody_by_default_but_those_of_figures(type: str) -> None:
    assert bool(module_of(type).RULES) is (type not in SILENT)


def told(type: str, channel: str = "email", audience: str = "customer", **changes: Any) -> bool:
    """Whether a default rule speaks to the sample with `changes` of its order."""
    rule = next(r for r in module_of(type).RULES if r["id"] == f"{type}/{audience}/{channel}")
    known = facts(type)
    known["order"] = {**known.get("order", {}), **changes}
    return bool(matches(compile_pattern(json.dumps(rule["pattern"])), known))


@pytest.mark.parametrize(
    ("payment", "at_once"),
    [
        ({"method": "card", "status": "pending"}, False),
        ({"method": "wallet", "status": "pending"}, False),
        ({"method": "card", "status": "paid"}, True),
        ({"method": "bank_transfer", "status": "pending"}, True),
        ({"method": "cash_on_delivery"}, True),
        ({}, True),
    ],
)
def test_an_order_paid_online_is_confirmed_to_the_customer_only_once_it_is_paid(
    payment: dict[str, str], at_once: bool
) -> None:
    assert told("order.placed", payment=payment) is at_once
    assert told("order.placed", channel="telegram", audience="staff", payment=payment)


@pytest.mark.parametrize("type", [t for t in TYPES if t.startswith(("order.", "payment."))])
def test_a_marketplaces_buyer_is_not_written_to(type: str) -> None:
    paid = {"payment": {"method": "cash_on_delivery"}}
    assert told(type, **paid)
    assert not told(type, origin="ozon", **paid)


def test_nobody_hears_of_a_failed_payment_once_the_order_is_paid() -> None:
    assert not told("order.payment_failed", payment={"method": "card", "status": "paid"})


# The documentation


def written_in(page: Path) -> dict[str, str]:
    """The files that a page shows: a line with a path in backticks and a colon, then a block."""
    found = re.findall(r"^`([^`\n]+)`:\n\n```\w+\n(.*?)^```$", page.read_text("utf-8"), re.MULTILINE | re.DOTALL)
    return dict(found)


def test_the_documented_example_is_a_working_event_type(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for path, content in written_in(ROOT / "docs" / "add-an-event-type.md").items():
        file = tmp_path / path
        file.parent.mkdir(parents=True)
        file.write_text(content, "utf-8")
    monkeypatch.setattr(events, "__path__", [str(tmp_path / "layers/vestnik/python/vestnik/events")])
    monkeypatch.delitem(sys.modules, "vestnik.events.bonus_earned", raising=False)
    assert events.types() == ["bonus.earned"]
    sample = module_of("bonus.earned").SAMPLE
    assert validator("bonus.earned").is_valid(sample["data"])
    assert told("bonus.earned")
    source = shipped.read(tmp_path / "templates/messages/bonus.earned/customer.email.en.j2")
    with render.Renderer() as renderer:
        written = renderer.render(source, facts("bonus.earned"), trusted=True)
    assert written.subject == "You have earned 43 bonus points"
    assert written.text.endswith("Spend them until 21 May 2027.\n\nSpend them:\nhttps://samovar.example")
    assert SHOP["url"] in written.html
    monkeypatch.delitem(sys.modules, "vestnik.events.bonus_earned")
