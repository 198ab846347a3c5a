"""The documentation is true: its examples run, all there is is documented, its links lead somewhere."""

import json
import re
import shutil
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

from infra import docs
from infra.world import World
from infra.world.server import Server
from tests import problem_codes
from tests.asking import opened
from tests.doc_examples import BLOCK, DOCS, ROOT, Example, differs, examples, is_problem, links, named, pages, run
from vestnik import api, channels, events, plugins
from vestnik.domain.messages import State
from vestnik.store import ledger

PAGES = pages()
ASKING = [page for page in PAGES if any(example.is_asked for example in examples(page))]
DECISIONS = sorted(path for path in (DOCS / "decisions").glob("*.md") if path.name != "README.md")
# Of the machines this is written on, and of places packages are fetched from: nobody else's business.
PRIVATE = re.compile(r"/(?:work|root|home|Users)/|\bpypi\.|pythonhosted|registry\.(?:npm|yarn)|index-url")


@pytest.fixture(scope="module")
def world() -> Iterator[World]:
    with opened() as world:
        yield world


@pytest.fixture(scope="module")
def server(world: World) -> Iterator[Server]:
    server = Server(world, 0)
    thread = threading.Thread(target=server.serve_forever, args=(0.05,), daemon=True)
    thread.start()
    yield server
    server.shutdown()
    server.server_close()
    thread.join()


# Examples


@pytest.mark.slow
@pytest.mark.skipif(not shutil.which("curl"), reason="the examples are commands of curl")
@pytest.mark.parametrize("page", ASKING, ids=named)
def test_every_command_of_a_page_answers_as_the_page_says(page: Path, server: Server) -> None:
    server.world.reset()
    asked = [example for example in examples(page) if example.is_asked]
    wrong = [f"{named(page)}:{example.line}: {said}" for example in asked if (said := _wrong(example, server))]
    assert wrong == []


def _wrong(example: Example, server: Server) -> str:
    """What an example answers otherwise than its page shows; "" if nothing."""
    answers = run(example.commands, server.url)
    server.world.settle()
    if not is_problem(example.answer) and any(map(is_problem, answers)):
        return str(next(filter(is_problem, answers)))
    return differs(example.answer, answers[-1]) if example.answer is not None else ""


def test_an_answer_that_the_page_does_not_show_is_told() -> None:
    assert differs({"a": 1, "b": "…"}, {"a": 1, "b": [2], "c": 3}) == ""
    assert differs({"a": [2, "…"]}, {"a": [1, 2, 3]}) == ""
    assert differs({"a": [2]}, {"a": [1, 2]}) != ""
    assert differs({"a": [4, "…"]}, {"a": [1, 2]}) != ""
    assert differs({"a": {"b": 1}}, {"a": {"b": "1"}}) == "/a/b: the page shows 1, it is '1'"


def test_the_sample_of_every_event_page_can_be_posted_as_it_stands(world: World) -> None:
    world.reset()
    texts = [(DOCS / "events" / f"{type}.md").read_text() for type in events.types()]
    samples = [json.loads(block[2]) for text in texts for block in BLOCK.finditer(text) if block[1] == "json"]
    answer = world.request(
        "POST", "/v1/events", body=[{**sample, "time": "2026-11-20T08:00:00Z"} for sample in samples]
    )
    assert answer.json()["accepted"] == len(events.types()) == len(samples)


@pytest.mark.parametrize("page", PAGES, ids=named)
def test_every_json_of_a_page_is_json(page: Path) -> None:
    for block in BLOCK.finditer(page.read_text()):
        if block[1] == "json":
            json.loads(block[2])


def test_every_make_that_a_page_calls_is_there() -> None:
    targets = set(re.findall(r"^([\w./-]+):", (ROOT / "Makefile").read_text(), re.MULTILINE))
    called = {name for page in PAGES for name in re.findall(r"(?:^|`)make ([a-z-]+)", page.read_text(), re.MULTILINE)}
    assert called <= targets


# All there is


def test_what_is_generated_is_as_the_code_has_it() -> None:
    pages = docs.generated()
    assert {path for path, text in pages.items() if not _stands(path, text)} == set(), "run `make docs`"
    assert {path.relative_to(DOCS) for path in (DOCS / "events").iterdir()} <= pages.keys()


def _stands(path: Path, text: str) -> bool:
    return (DOCS / path).is_file() and (DOCS / path).read_text() == text


@pytest.mark.parametrize("type", events.types())
def test_every_event_type_has_its_page_and_its_line_in_the_catalogue(type: str) -> None:
    assert (DOCS / "events" / f"{type}.md").read_text().startswith(f"# {type}\n")
    assert f"| [`{type}`]({type}.md) |" in (DOCS / "events" / "README.md").read_text()


@pytest.mark.parametrize("name", plugins.names(channels))
def test_every_channel_tells_its_settings(name: str) -> None:
    section = (DOCS / "channels.md").read_text().partition(f"\n## {name}\n")[2].partition("\n## ")[0]
    module = plugins.modules(channels)[name]
    for kind, schema in (("config", module.CONFIG), ("secret", module.SECRET)):
        assert all(f"| `{kind}.{field}` |" in section for field in schema["properties"])


def test_every_setting_of_the_api_is_told() -> None:
    text = (DOCS / "settings.md").read_text()
    for model, _ in docs.SETTINGS:
        section = text.partition(f"\n## {model.__name__}\n")[2].partition("\n## ")[0]
        fields = [field.alias or name for name, field in model.model_fields.items()]
        assert [name for name in fields if f"| `{name}` |" not in section] == []


def test_every_operation_of_the_api_is_told() -> None:
    text = (DOCS / "operations.md").read_text()
    paths = api.openapi()["paths"]
    asked = [f"`{method.upper()} {path}`" for path, methods in paths.items() for method in methods]
    assert len(asked) > 40
    assert [operation for operation in asked if operation not in text] == []


def test_every_problem_is_told_with_its_status() -> None:
    said, told = problem_codes.of_the_api(), problem_codes.told("Codes")
    assert said.keys() == told.keys()
    for code, statuses in said.items():
        assert statuses <= {int(status) for status in told[code].split(", ")}, code


def test_every_word_of_a_refused_message_is_told() -> None:
    assert problem_codes.of_channels() == problem_codes.told("Why a message was refused").keys()


def test_every_state_and_fact_of_a_message_is_told() -> None:
    text = (DOCS / "concepts.md").read_text()
    assert [state.value for state in State if f"`{state.value}`" not in text] == []
    assert [fact for fact in ledger.FACTS if f"`{fact}`" not in text] == []


# Pages


@pytest.mark.parametrize("page", PAGES, ids=named)
def test_every_link_leads_somewhere_and_every_picture_is_described(page: Path) -> None:
    found = links(page)
    assert [link.target for link in found if not link.is_outside and not link.is_whole(page)] == []
    assert [link.target for link in found if link.target.endswith(".svg") and len(link.text) < 40] == []


def test_every_page_is_reached_from_the_index() -> None:
    seen, waiting = set[Path](), [DOCS / "README.md"]
    while waiting:
        page = waiting.pop()
        if page in seen or page.suffix != ".md" or not page.is_file():
            continue
        seen.add(page)
        inside = (link.target.partition("#")[0] for link in links(page) if not link.is_outside)
        waiting += [(page.parent / target).resolve() for target in inside if target]
    assert {named(page) for page in DOCS.rglob("*.md")} - {named(page) for page in seen} == set()


@pytest.mark.parametrize("page", PAGES, ids=named)
def test_no_page_names_what_is_private(page: Path) -> None:
    assert PRIVATE.findall(page.read_text()) == []


@pytest.mark.parametrize("page", DECISIONS, ids=named)
def test_a_decision_has_a_question_an_answer_and_what_would_change_our_mind(page: Path) -> None:
    text = page.read_text()
    assert all(f"**{part}" in text for part in ("Question.", "Answer.", "What would change our mind."))
    assert page.name in (DOCS / "decisions" / "README.md").read_text()


def test_pictures_read_in_light_and_dark_and_load_nothing() -> None:
    for picture in (DOCS / "pictures").glob("*.svg"):
        text = picture.read_text()
        assert "prefers-color-scheme: dark" in text
        assert "<title" in text
        assert "<desc" in text
        assert re.findall(r"(?:href|src)=\"(?!#)", text) == []
