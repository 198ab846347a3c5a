"""Plain values: what a template may hold, so that nothing it prints or reaches can be a part of the program."""

from collections.abc import Callable, Iterable
from typing import Any

from jinja2 import Undefined
from jinja2.runtime import ChainableUndefined, LoopContext, Macro
from jinja2.utils import Cycler, Joiner, Namespace
from markupsafe import Markup

from .words import words

METHODS: dict[type, frozenset[str]] = {
    str: words(
        "capitalize casefold center count endswith expandtabs find format index isalnum isalpha isascii isdecimal"
        " isdigit islower isnumeric isspace istitle isupper join ljust lower lstrip partition removeprefix"
        " removesuffix replace rfind rindex rjust rpartition rsplit rstrip split splitlines startswith strip"
        " swapcase title upper zfill striptags unescape"
    ),
    dict: words("copy get items keys values"),
    list: words("copy count index"),
    tuple: words("count index"),
    Cycler: words("next reset"),
    LoopContext: words("changed cycle"),
}
"""Methods of plain values that read and never change; anything else is out of a template's reach."""

FIELDS: dict[type, frozenset[str]] = {
    LoopContext: words("index index0 revindex revindex0 first last length depth depth0 previtem nextitem"),
    Cycler: frozenset({"current"}),
    Macro: words("name arguments catch_kwargs catch_varargs caller"),
}


class Missing(ChainableUndefined):
    """A name nobody filled: prints as nothing and counts as nothing, because a message must go out all the same."""

    __slots__ = ()

    def _itself(self, *_: Any, **__: Any) -> "Missing":
        return self

    def _other(self, other: Any) -> Any:
        return other

    def _never(self, other: Any) -> bool:
        return False

    def _nought(self) -> int:
        return 0

    def __float__(self) -> float:  # type: ignore[override]
        return 0.0

    __call__ = __neg__ = __pos__ = __abs__ = __round__ = _itself  # type: ignore[assignment]
    __mul__ = __rmul__ = __truediv__ = __rtruediv__ = __floordiv__ = __rfloordiv__ = _itself  # type: ignore[assignment]
    __mod__ = __rmod__ = __pow__ = __rpow__ = _itself  # type: ignore[assignment]
    __add__ = __radd__ = __rsub__ = _other
    __sub__ = _itself  # type: ignore[assignment]
    __lt__ = __le__ = __gt__ = __ge__ = _never  # type: ignore[assignment]
    __int__ = __index__ = _nought  # type: ignore[assignment]


class Quiet:
    """A function a template may call and print without learning where or what it is."""

    __slots__ = ("_call",)

    def __init__(self, call: Callable[..., Any]) -> None:
        self._call = call

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        return listed(self._call(*args, **kwargs))

    def __repr__(self) -> str:
        return ""


class QuietCycler(Cycler):
    """Jinja's cycler without its address."""

    def __repr__(self) -> str:
        return ""


class QuietJoiner(Joiner):
    """Jinja's joiner without its address."""

    def __repr__(self) -> str:
        return ""


_LISTED_ALREADY = (str, list, tuple, dict, range, Undefined, Namespace, Cycler)


def listed(value: Any) -> Any:
    """Iterators and views as lists: their own text would tell a class and an address."""
    return list(value) if isinstance(value, Iterable) and not isinstance(value, _LISTED_ALREADY) else value


def field(value: Any, name: str) -> tuple[bool, Any]:
    """Whether a value that is not data (loop, cycler, macro) shows a field of this name, and the field."""
    for kind, names in FIELDS.items():
        if isinstance(value, kind) and name in names:
            return True, getattr(value, name)
    return False, None


def method(value: Any, name: str) -> Quiet | None:
    """The reading method `name` of a plain value, or None where there is none for templates."""
    for kind, names in METHODS.items():
        if isinstance(value, kind) and name in names and hasattr(value, name):
            return Quiet(getattr(value, name))
    return None


def is_text(value: Any) -> bool:
    """Whether `value` is text, escaped (Markup) or not."""
    return isinstance(value, str | Markup)
