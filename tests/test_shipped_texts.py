"""The shipped texts: there in every language, safe, of known fields only, and readable."""

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from jinja2 import nodes

from examples.words import SHOP
from tests.catalogued import LANGUAGES, MESSAGES, SILENT, TYPES, facts, module_of
from vestnik.domain import schemas
from vestnik.events import marketplace_stock_refused
from vestnik.rendering import checks, layouts, render, segments, shipped, tasks
from vestnik.rendering.guard import Guard

TEXTS = sorted(MESSAGES.glob("*/*.j2"))
IDS = [str(path.relative_to(MESSAGES)) for path in TEXTS]
RECIPIENT = schemas.shape("Recipient", {key: schemas.text(key) for key in ("kind", "id", "name", "language")})


class Unguarded(Guard):
    """Looks at our own texts in this process: the child's one second is short on a busy machine."""

    def ask(self, request: dict[str, Any]) -> dict[str, Any]:
        return tasks.answer(request, layouts.macros())


@pytest.fixture(scope="module")
def renderer() -> Iterator[render.Renderer]:
    with render.Renderer() as one:
        yield one


def test_there_are_texts_in_three_languages_or_none() -> None:
    stems: dict[str, set[str]] = {}
    for path in TEXTS:
        stem, language, _ = path.name.rsplit(".", 2)
        stems.setdefault(f"{path.parent.name}/{stem}", set()).add(language)
    assert {stem: found for stem, found in stems.items() if found != set(LANGUAGES)} == {}


def test_every_text_belongs_to_a_type_and_every_type_that_is_told_has_one() -> None:
    assert {path.parent.name for path in TEXTS} == set(TYPES) - SILENT


@pytest.mark.parametrize("path", TEXTS, ids=IDS)
def test_a_text_passes_the_check_that_shops_templates_pass(path: Path) -> None:
    audience, channel, language, _ = path.name.split(".")
    source, type = shipped.read(path), path.parent.name
    found = checks.check(
        channel,
        subject=source.subject,
        preheader=source.preheader,
        html=source.html,
        text=source.text,
        event_schema=module_of(type).SCHEMA,
        sample=facts(type, audience, language),
        guard=Unguarded(layouts.macros()),
    )
    assert found == []


@pytest.mark.parametrize("path", TEXTS, ids=IDS)
def test_a_text_uses_only_fields_that_are_described(path: Path) -> None:
    described = {
        "data": module_of(path.parent.name).SCHEMA,
        "order": schemas.ORDER,
        "customer": schemas.CUSTOMER,
        "shop": schemas.SHOP,
        "recipient": RECIPIENT,
        "item": schemas.ITEM,
        "line": schemas.MARKETPLACE_LINE,
        "unit": schemas.MARKETPLACE_LINE,
        "card": marketplace_stock_refused.UNIT,
    }
    assert [".".join(used) for used in _used(path) if not _is_described(used, described)] == []


def _used(path: Path) -> set[tuple[str, ...]]:
    """The dotted names of a text: `order.delivery.eta` as a tuple."""
    from vestnik.rendering.sandbox import Sandbox

    sandbox = Sandbox(autoescape=False)
    sections = shipped.sections(path.read_text("utf-8")).values()
    trees = [sandbox.parse(section) for section in sections]
    found = [_dotted(node) for tree in trees for node in tree.find_all((nodes.Getattr, nodes.Getitem))]
    # `order["items"]` of an order without items would be the dict's own method, in Jinja as in the sandbox.
    assert ("order", "items") not in found
    return {names for names in found if names} - {("order", "get")}


def _dotted(node: nodes.Node) -> tuple[str, ...]:
    if isinstance(node, nodes.Name):
        return (node.name,)
    above: tuple[str, ...] = ()
    if isinstance(node, nodes.Getattr):
        above, last = _dotted(node.node), node.attr
    elif isinstance(node, nodes.Getitem) and isinstance(node.arg, nodes.Const):
        above, last = _dotted(node.node), str(node.arg.value)
    return (*above, last) if above else ()


def _is_described(used: tuple[str, ...], described: dict[str, Any]) -> bool:
    schema = described.get(used[0])
    for name in used[1:]:
        schema = (schema or {}).get("properties", {}).get(name)
    return schema is not None


@pytest.mark.parametrize("path", TEXTS, ids=IDS)
def test_a_text_reads_well_with_its_sample_and_with_next_to_nothing(path: Path, renderer: render.Renderer) -> None:
    audience, channel, language, _ = path.name.split(".")
    full = facts(path.parent.name, audience, language)
    bare = {**full, "data": _required(full["data"], module_of(path.parent.name).SCHEMA), "recipient": {}}
    bare |= {"order": {"id": "o-1"}, "customer": {"id": "c-1"}, "shop": {"name": "Samovar"}}
    for known in (full, bare):
        written = renderer.render(shipped.read(path), known, trusted=True)
        assert "None" not in written.subject + written.text
        assert "\n\n\n" not in written.text.strip()
        assert not re.search(r"[ \t]\n| {2}", written.text.strip()), written.text
        assert written.text.strip()
        assert bool(written.subject) == bool(written.html) == (channel == "email")
    assert ".." not in renderer.render(shipped.read(path), full, trusted=True).text.replace("...", "")


def _required(full: dict[str, Any], schema: dict[str, Any]) -> dict[str, Any]:
    """The least that the schema lets through."""
    kept = {name: full[name] for name in schema.get("required", ())}
    return {
        name: _required(value, schema["properties"][name]) if isinstance(value, dict) else value
        for name, value in kept.items()
    }


@pytest.mark.parametrize("path", [p for p in TEXTS if ".sms." in p.name], ids=lambda p: f"{p.parent.name}/{p.name}")
def test_a_text_message_takes_at_most_two_segments(path: Path, renderer: render.Renderer) -> None:
    known = facts(path.parent.name, "customer", path.name.split(".")[2])
    assert segments.segments(renderer.render(shipped.read(path), known, trusted=True).text.strip()) <= 2


@pytest.mark.parametrize(
    ("minutes", "words"),
    [(1, "1 минуту"), (2, "2 минуты"), (5, "5 минут"), (11, "11 минут"), (14, "14 минут"), (21, "21 минуту")],
)
def test_russian_minutes_agree_with_their_number(minutes: int, words: str, renderer: render.Renderer) -> None:
    known = facts("order.courier_near", language="ru")
    known["data"] = {**known["data"], "minutes": minutes}
    source = shipped.read(MESSAGES / "order.courier_near" / "customer.telegram.ru.j2")
    assert f"примерно через {words}." in renderer.render(source, known, trusted=True).text


def test_the_bank_details_stand_in_a_mail_that_asks_for_a_transfer(renderer: render.Renderer) -> None:
    known = facts("order.placed")
    known["order"] = {**known["order"], "payment": {"method": "bank_transfer", "status": "pending"}}
    for language in LANGUAGES:
        source = shipped.read(MESSAGES / "order.placed" / f"customer.email.{language}.j2")
        written = renderer.render(source, {**known, "language": language}, trusted=True)
        assert SHOP["bank_details"] in written.text
        assert SHOP["bank_details"] in written.html
