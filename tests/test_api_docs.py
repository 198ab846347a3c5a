"""The examples of docs/api.md, run in order in one shop."""

import json
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

from infra.world import World
from tests.asking import Shop, opened

PAGE = (Path(__file__).parents[1] / "docs" / "api.md").read_text("utf-8")
EXAMPLE = re.compile(r"```http\n(\w+) /v1/(\S+)\n(.*?)→ (\d{3}) ?(.*?)\n```", re.DOTALL)
CODES = re.compile(r"^\| \d{3} \| (.*?) \|", re.MULTILINE)


@pytest.fixture(scope="module")
def world() -> Iterator[World]:
    with opened() as world:
        yield world


def test_the_examples_do_what_the_page_says(world: World) -> None:
    shop = Shop(world)
    examples = EXAMPLE.findall(PAGE)
    assert len(examples) == PAGE.count("```http")
    for method, path, body, status, answer in examples:
        ask = {"PUT": shop.put, "POST": shop.post}[method]
        got = ask(path, json.loads(body) if body.strip() else None)
        assert got.status == int(status), (path, got.text)
        assert not answer or got.json() == json.loads(answer)


def test_every_code_of_our_problems_is_on_the_page() -> None:
    code = re.compile(r'Problem\(\s*\d{3},\s*"([a-z-]+)"')
    folder = Path(__file__).parents[1] / "layers/vestnik/python/vestnik/api"
    used = {found for file in folder.glob("*.py") for found in code.findall(file.read_text("utf-8"))}
    told = " ".join(CODES.findall(PAGE))
    assert "not-json" in used
    assert sorted(each for each in used if f"`{each}`" not in told) == []
