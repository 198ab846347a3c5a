"""The catalogue: one file per event type, `<thing>_<happened>.py`. The folder is the registry.

`thing.happened` lies in `thing_happened.py`; a thing is one word. A door that needs one type imports one file.
Each file gives TYPE, PURPOSE, USEFUL_LIFE, STATUS, SECRET, ONE_TIME, SCHEMA, SAMPLE and RULES; its docstring is
its page in the documentation.
"""

import sys
from types import ModuleType
from typing import Any

from vestnik import plugins

_here = sys.modules[__name__]


def find(type: str) -> ModuleType | None:
    """The event type `thing.happened`, or None where the catalogue has none. Imports this one file only."""
    if type.count(".") != 1:
        return None
    module = plugins.load(_here, type.replace(".", "_"))
    return module if module and type == module.TYPE else None


def types() -> list[str]:
    """All shipped event types, sorted; nothing is imported."""
    return sorted(name.replace("_", ".", 1) for name in plugins.names(_here))


def catalogue() -> dict[str, ModuleType]:
    """Every shipped event type with its module, imported."""
    return {module.TYPE: module for module in plugins.modules(_here).values()}


def rules() -> list[dict[str, Any]]:
    """The default rules of all types."""
    return [rule for module in catalogue().values() for rule in module.RULES]


def page(type: str) -> str:
    """The documentation page of an event type, as Markdown. KeyError where the catalogue has no such type."""
    module = find(type)
    if module is None:
        raise KeyError(type)
    from vestnik.events import _pages

    return _pages.page(module)


def shapes_page() -> str:
    """The documentation page of the shapes that events share (Order, Customer, Money ...), as Markdown."""
    from vestnik.events import _pages

    return _pages.shapes_page()
