"""The sandbox: a Jinja2 environment in which every value is plain data and every operation has a size."""

from collections.abc import Callable, Mapping
from functools import wraps
from typing import Any

from jinja2 import filters
from jinja2.exceptions import SecurityError
from jinja2.runtime import Context, TemplateReference, Undefined
from jinja2.sandbox import (
    ImmutableSandboxedEnvironment,
    SandboxedEscapeFormatter,
    SandboxedFormatter,
)
from jinja2.utils import Namespace, generate_lorem_ipsum, pass_context, pass_environment, pass_eval_context
from markupsafe import Markup

from . import formats
from .plain import Missing, Quiet, QuietCycler, QuietJoiner, field, is_text, listed, method

LONGEST_RANGE = 10_000
LONGEST_REPEAT = 1_000_000
LARGEST_POWER_BITS = 4_096
LAZY_FILTERS = ("batch", "items", "map", "reject", "rejectattr", "reverse", "select", "selectattr", "slice", "unique")
MACROS = ("button", "order_table", "note")


class TooMuch(OverflowError):
    """A template asked for more than its budget (a range, a repetition, a power)."""


class Sandbox(ImmutableSandboxedEnvironment):
    """Templates see data by key and a few reading methods; names with two underscores are an attack."""

    intercepted_binops = frozenset({"*", "**"})

    def __init__(self, *, autoescape: bool, macros: str = "") -> None:
        super().__init__(
            autoescape=autoescape,
            undefined=Missing,
            extensions=["jinja2.ext.do", "jinja2.ext.loopcontrols"],
            keep_trailing_newline=False,
            cache_size=0,
        )
        self.globals = _globals()
        self.filters |= {name: _eager(self.filters[name]) for name in LAZY_FILTERS}
        self.filters |= {"attr": _attr, "tojson": _tojson, "escape": _escape, "e": _escape}
        self.filters |= {"money": formats.money, "date": formats.date_of, "datetime": formats.date_and_time}
        if macros:
            self.macros = self.from_string(macros)
            self.globals |= {name: LayoutMacro(self, name) for name in MACROS}

    def getattr(self, obj: Any, attribute: str) -> Any:
        """`obj.attribute`: a key of the data, else a field of a loop, else a reading method."""
        if type(obj) is dict and attribute in obj:
            return obj[attribute]
        return self._reach(obj, attribute)

    def getitem(self, obj: Any, argument: Any) -> Any:
        """`obj[argument]`, in the same reach as `obj.argument`."""
        try:
            if isinstance(obj, str | list | tuple | dict | range) and not isinstance(argument, Undefined):
                return obj[argument]
        except (LookupError, TypeError, AttributeError):
            pass
        return self._reach(obj, argument) if isinstance(argument, str) else self._missing(obj, "an item")

    def _reach(self, obj: Any, name: str) -> Any:
        if isinstance(obj, dict) and name in obj:
            return obj[name]
        if name.startswith("__"):
            raise SecurityError(f"{name} is not for templates")
        if isinstance(obj, Undefined):
            return obj
        return self._part(obj, name)

    def _part(self, obj: Any, name: str) -> Any:
        found, value = field(obj, name)
        if found:
            return value
        if isinstance(obj, Namespace) and not name.startswith("_"):
            return getattr(obj, name, self._missing(obj, name))
        if isinstance(obj, TemplateReference):
            return Quiet(obj[name]) if name in _block_names(obj) else self._missing(obj, name)
        if isinstance(obj, tuple) and name in getattr(obj, "_fields", ()):
            return getattr(obj, name)
        if name == "format" and is_text(obj):
            return Quiet(lambda *args, **kwargs: self._formatted(obj, args, kwargs))
        return method(obj, name) or self._missing(obj, name)

    def _missing(self, obj: Any, name: Any) -> Any:
        return self.undefined(obj=obj, name=str(name))

    def _formatted(self, text: str, args: tuple[Any, ...], kwargs: dict[str, Any]) -> str:
        if isinstance(text, Markup):
            return Markup(SandboxedEscapeFormatter(self, escape=text.escape).vformat(text, args, kwargs))  # noqa: S704
        return SandboxedFormatter(self).vformat(text, args, kwargs)

    def is_safe_callable(self, obj: Any) -> bool:
        """Only what this sandbox put within reach may be called."""
        return not isinstance(obj, type)

    def call_binop(self, context: Context, operator: str, left: Any, right: Any) -> Any:
        """`left operator right`, unless the result would be huge."""
        if operator == "*":
            _measure_repeat(left, right)
        elif operator == "**":
            _measure_power(left, right)
        return super().call_binop(context, operator, left, right)


def _globals() -> dict[str, Any]:
    return {
        "range": Quiet(_range),
        "dict": Quiet(dict),
        "lipsum": Quiet(_lipsum),
        "cycler": Quiet(QuietCycler),
        "joiner": Quiet(QuietJoiner),
        "namespace": Quiet(Namespace),
    }


def _range(*bounds: int) -> range:
    numbers = range(*bounds)
    if len(numbers) > LONGEST_RANGE:
        raise TooMuch(f"range() gives at most {LONGEST_RANGE} numbers")
    return numbers


def _lipsum(n: int = 5, html: bool = True, min: int = 20, max: int = 100) -> str:
    if n > 20 or max > 200 or min > max:
        raise TooMuch("lipsum() gives at most 20 paragraphs of 200 words")
    return generate_lorem_ipsum(n, html, min, max)


def _block_names(template: TemplateReference) -> Mapping[str, Any]:
    """The blocks `self` may show; its context must stay out of reach."""
    context: Context = template._TemplateReference__context  # type: ignore[attr-defined]
    return context.blocks


def _measure_repeat(left: Any, right: Any) -> None:
    text, times = (left, right) if isinstance(right, int) else (right, left)
    if isinstance(text, str | list | tuple) and isinstance(times, int) and len(text) * times > LONGEST_REPEAT:
        raise TooMuch(f"a repetition gives at most {LONGEST_REPEAT} characters or items")
    if isinstance(left, int) and isinstance(right, int):
        _measure_bits(left.bit_length() + right.bit_length())


def _measure_power(base: Any, exponent: Any) -> None:
    if isinstance(base, int) and isinstance(exponent, int):
        _measure_bits(base.bit_length() * abs(exponent))


def _measure_bits(bits: int) -> None:
    if bits > LARGEST_POWER_BITS:
        raise TooMuch(f"numbers have at most {LARGEST_POWER_BITS} bits")


def _eager(lazy: Callable[..., Any]) -> Callable[..., Any]:
    """A filter that gives a list where Jinja's gives a generator (whose text is its address)."""

    @wraps(lazy)
    def filtered(*args: Any, **kwargs: Any) -> Any:
        return listed(lazy(*args, **kwargs))

    return filtered


@pass_environment
def _attr(environment: Sandbox, value: Any, name: Any) -> Any:
    return environment.getattr(value, str(name))


@pass_eval_context
def _tojson(eval_context: Any, value: Any, indent: int | None = None) -> Any:
    return filters.do_tojson(eval_context, _json_ready(value), indent)


def _json_ready(value: Any) -> Any:
    if isinstance(value, dict):
        return {str(key): _json_ready(item) for key, item in value.items()}
    if isinstance(value, list | tuple | range):
        return [_json_ready(item) for item in value]
    return value if value is None or isinstance(value, str | int | float | bool) else None


def _escape(value: Any) -> Markup:
    return Markup.escape(value)


class LayoutMacro(Quiet):
    """A macro of the layouts as a global that knows the message's language, shop and colours."""

    __slots__ = ("_environment", "_name")

    def __init__(self, environment: Sandbox, name: str) -> None:
        self._environment, self._name = environment, name

    @pass_context
    def __call__(self, context: Context, *args: Any, **kwargs: Any) -> Any:
        module = context.__dict__.get("layout_macros")
        if module is None:
            module = self._environment.macros.make_module(context.get_all(), shared=False)
            context.__dict__["layout_macros"] = module
        return getattr(module, self._name)(*args, **kwargs)
