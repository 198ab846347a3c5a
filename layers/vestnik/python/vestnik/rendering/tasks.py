"""Tasks: what the guarded child does for its parent: write a message, or look at a template from all sides."""

from collections.abc import Mapping
from contextlib import suppress
from typing import Any

from . import inlining, names, variants, zones
from .writing import ESCAPED, Failed, compiled, environment, failure, write, write_field


def prepare(macros: str) -> None:
    """Loads what templates may need later, when no file can be opened any more."""
    import html.entities
    import linecache
    import pprint
    import textwrap
    import traceback
    import unicodedata

    import jinja2.constants
    import jinja2.debug

    _ = (html.entities, linecache, pprint, textwrap, traceback, unicodedata, jinja2.constants, jinja2.debug)
    traceback.format_exception(ValueError())
    with suppress(ImportError):  # publishing is not for every function
        import css_inline

        _ = css_inline
    write({"text": "{{ 1 }}{{ shop|pprint }}", "html": "{{ lipsum(1)|wordwrap }}{{ note('x') }}"}, {"shop": {}}, macros)


def answer(request: Mapping[str, Any], macros: str) -> dict[str, Any]:
    """The answer to one request: `written` texts, or `html`, or `problems` and `texts`, or `failed`."""
    zones.carry(request.get("zones", {}))
    try:
        if request["do"] == "write":
            return {"written": write(request["fields"], request["facts"], macros)}
        if request["do"] == "inline":
            return {"html": inlining.moved(request["html"])}
        return _looked_at(request, macros)
    except Failed as failed:
        return {"failed": failed.as_dict()}


def _looked_at(request: Mapping[str, Any], macros: str) -> dict[str, Any]:
    problems: list[dict[str, str]] = []
    texts: list[dict[str, str]] = []
    for field, text in request["fields"].items():
        sandbox = environment(escaped=field in ESCAPED, macros=macros)
        try:
            tree = sandbox.parse(text)
            compiled(text, escaped=field in ESCAPED, macros=macros)
        except Exception as error:
            problems.append(failure(error, field, getattr(error, "lineno", None)).as_dict())
            continue
        problems += names.problems(sandbox, tree, field, text, request)
        problems += _written(field, text, request["samples"], macros, texts)
        seen = variants.texts(sandbox, text, request["samples"][0])
        texts += [{"field": field, "text": each} for each in seen]
    return {"problems": problems, "texts": texts}


def _written(
    field: str, text: str, samples: list[dict[str, Any]], macros: str, texts: list[dict[str, str]]
) -> list[dict[str, str]]:
    problems = []
    for sample in samples:
        try:
            texts.append({"field": field, "text": write_field(field, text, sample, macros), "real": "yes"})
        except Failed as failed:
            problems.append(failed.as_dict())
    return problems
