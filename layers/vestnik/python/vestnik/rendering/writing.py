"""Writing: fields of a template and facts become texts, in this process or in the guarded child alike."""

import re
from collections.abc import Mapping
from functools import lru_cache
from typing import Any

from jinja2 import Template, TemplateSyntaxError
from jinja2.exceptions import SecurityError

from .sandbox import Sandbox, TooMuch

LARGEST_OUTPUT = 1_000_000
"""Bytes a field may grow to; ten times what Gmail shows of a letter."""

ESCAPED = frozenset({"html", "preheader"})
"""Fields written as HTML: what facts put in is escaped."""

_ADDRESS = re.compile(r" at 0x[0-9a-fA-F]+|<[\w.]+ object[^>]*>|<(?:class|function|bound method)[^>]*>")


class Failed(Exception):
    """A field could not be written; `code` and `where` as in `vestnik.errors.Refused`."""

    def __init__(self, code: str, reason: str, where: str) -> None:
        super().__init__(reason)
        self.code, self.reason, self.where = code, reason, where

    def as_dict(self) -> dict[str, str]:
        """The failure as JSON, to cross the pipe."""
        return {"code": self.code, "reason": self.reason, "where": self.where}


class _TooBig(Exception):
    pass


@lru_cache(maxsize=4)
def environment(*, escaped: bool, macros: str) -> Sandbox:
    """The sandbox for HTML (with the layouts' macros) or for plain text."""
    return Sandbox(autoescape=escaped, macros=macros if escaped else "")


@lru_cache(maxsize=512)
def compiled(text: str, *, escaped: bool, macros: str) -> Template:
    """The template of this text; compiling costs fifty times a rendering, so it is kept."""
    return environment(escaped=escaped, macros=macros).from_string(text)


def write(fields: Mapping[str, str], facts: Mapping[str, Any], macros: str) -> dict[str, str]:
    """The texts of `fields` in their order; later ones see earlier ones as `written.<field>`. Raises Failed."""
    written: dict[str, str] = {}
    for field, text in fields.items():
        written[field] = write_field(field, text, {**facts, "written": written}, macros)
    return written


def write_field(field: str, text: str, facts: Mapping[str, Any], macros: str) -> str:
    """The text of one field. Raises Failed."""
    if "{" not in text:
        return text
    template: Template | None = None
    try:
        template = compiled(text, escaped=field in ESCAPED, macros=macros)
        return _limited(template, facts)
    except Exception as error:
        raise failure(error, field, _line(error, template)) from error


def _limited(template: Template, facts: Mapping[str, Any]) -> str:
    parts, size = [], 0
    for part in template.root_render_func(template.new_context(dict(facts))):
        size += len(part)
        if size > LARGEST_OUTPUT:
            raise _TooBig
        parts.append(part)
    text = "".join(parts)
    if len(text.encode("utf-8", "replace")) > LARGEST_OUTPUT:
        raise _TooBig
    return text


def failure(error: Exception, field: str, line: int | None) -> Failed:
    """What went wrong in `field`, in a word and a sentence for the template's author."""
    where = f"{field}:{line}" if line else field
    if isinstance(error, SecurityError):
        return Failed("malicious-code", f"the template reaches for the program: {_said(error)}", where)
    if isinstance(error, _TooBig):
        return Failed("too-big", f"the text grows over {LARGEST_OUTPUT} bytes", where)
    if isinstance(error, TooMuch | MemoryError | RecursionError | OverflowError):
        return Failed("budget", f"the template asks for too much: {_said(error)}", where)
    if isinstance(error, OSError | ImportError):  # whose words would tell a path of the server
        return Failed("syntax", "the template asks for something that templates do not have", where)
    return Failed("syntax", _said(error), where)


def _said(error: Exception) -> str:
    if isinstance(error, MemoryError):
        return "more than 128 MB of memory"
    return _ADDRESS.sub("", str(error))[:300] or type(error).__name__


def _line(error: Exception, template: Template | None) -> int | None:
    if isinstance(error, TemplateSyntaxError):
        return error.lineno
    step, line = error.__traceback__, None
    while step is not None:
        if template is not None and step.tb_frame.f_code.co_filename == "<template>":
            line = template.get_corresponding_lineno(step.tb_lineno)
        step = step.tb_next
    return line
