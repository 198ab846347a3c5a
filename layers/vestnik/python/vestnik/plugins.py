"""The folder is the registry: what a folder's files are called is what there is."""

import importlib
import pkgutil
from types import ModuleType


def names(package: ModuleType) -> list[str]:
    """The plug-ins of a package, by file name, sorted. Names that begin with `_` are not plug-ins."""
    return sorted(m.name for m in pkgutil.iter_modules(package.__path__) if not m.name.startswith("_"))


def load(package: ModuleType, name: str) -> ModuleType | None:
    """One plug-in by its file name, or None where the folder has no such file."""
    if not name.isidentifier() or name.startswith("_"):
        return None
    full = f"{package.__name__}.{name}"
    try:
        return importlib.import_module(full)
    except ModuleNotFoundError as missing:
        if missing.name != full:
            raise
        return None


def modules(package: ModuleType) -> dict[str, ModuleType]:
    """Every plug-in of a package, imported."""
    return {name: importlib.import_module(f"{package.__name__}.{name}") for name in names(package)}
