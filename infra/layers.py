"""The layers, built without Docker: `python -m infra.layers [name ...]`.

Third-party wheels come from the lock for the architecture asked for, so that this machine need not be the cloud's.
Each layer is built once and kept until what it is made of changes.
"""

import hashlib
import os
import shutil
import subprocess
import sys
import time
from collections.abc import Callable, Iterable
from pathlib import Path

import uv

from infra import permissions, sdk_models
from vestnik.api import BUILT
from vestnik.rendering.publish import publish_shipped

ROOT = Path(__file__).parents[1]
BUILD = ROOT / "build"
LOCK = ROOT / "requirements" / "runtime.txt"
CODE = ROOT / "layers" / "vestnik" / "python"
DOORS = ROOT / "functions"
TEMPLATES = ROOT / "templates"
LIMIT_MB = 250  # unzipped, all layers of a function and the function itself (Lambda quotas)

# Older platform names make the resolver pick wheels that are years old without a word.
CLOUD = ("--python-platform", "aarch64-manylinux_2_34", "--python-version", "3.13")
# Never imported here, and a third of their packages.
UNUSED = ("phonenumbers/geodata", "phonenumbers/carrierdata", "phonenumbers/tzdata", "bin")


def build(names: Iterable[str], out: Path = BUILD) -> dict[str, Path]:
    """Build what is missing or stale of these assets; name -> folder to be zipped."""
    return {name: _kept(name, out) for name in names}


def for_the_cloud(out: Path = BUILD) -> dict[str, Path]:
    """The assets of a deployment."""
    return build(("vendor-arm64", "vestnik", "templates", "functions"), out)


def for_this_machine(out: Path = BUILD) -> Path:
    """The vendor layer of the same lock with this machine's wheels (smoke test, cold start benchmark)."""
    return build(("vendor-local",), out)["vendor-local"]


def _kept(name: str, out: Path) -> Path:
    folder = out / ("functions" if name == "functions" else f"layers/{name}")
    stamp, made_of = folder.with_name(folder.name + ".stamp"), _fingerprint(name)
    if folder.is_dir() and stamp.is_file() and stamp.read_text() == made_of:
        return folder
    started = time.monotonic()
    _say(f"layer {name}: building")
    _replace(folder, BUILDERS[name])
    stamp.write_text(made_of)
    _say(f"layer {name}: {size_mb(folder):.1f} MB unzipped, {time.monotonic() - started:.1f} s")
    return folder


def _replace(folder: Path, fill: Callable[[Path], None]) -> None:
    fresh = folder.with_name(folder.name + ".new")
    shutil.rmtree(fresh, ignore_errors=True)
    fresh.mkdir(parents=True)
    fill(fresh)
    shutil.rmtree(folder, ignore_errors=True)
    fresh.rename(folder)


def _vendor(folder: Path, platform: tuple[str, ...]) -> None:
    site = folder / "python"
    # One package of the lock is published as source only; it is pure Python.
    wheels = ("--only-binary", ":all:", "--no-binary", "link-shorteners")
    command = (uv.find_uv_bin(), "pip", "install", "-q", "--python", sys.executable, "--target", str(site))
    subprocess.run([*command, *platform, *wheels, "-r", str(LOCK)], check=True)
    _trim(site)
    _compile(folder)


def _trim(site: Path) -> None:
    """Leave out what no function reads: the SDK's data on what the map may not call, geography, programs."""
    data = site / "botocore" / "data"
    for service in data.iterdir():
        if service.is_dir() and service.name not in permissions.services():
            shutil.rmtree(service)
    sdk_models.trim(data)
    for unused in UNUSED:
        shutil.rmtree(site / unused, ignore_errors=True)


def _vestnik(folder: Path) -> None:
    code = folder / "python"
    shutil.copytree(CODE, code, ignore=shutil.ignore_patterns("__pycache__"))
    _describe(code)
    _compile(folder)


def _describe(code: Path) -> None:
    """Write the API's description down where the public door looks for it, so that no cold start builds it."""
    command = (sys.executable, "-B", "-m", "vestnik.api._openapi")
    made = subprocess.run(command, check=True, capture_output=True, env={**os.environ, "PYTHONPATH": str(code)})
    (code / "vestnik" / "api" / BUILT.name).write_bytes(made.stdout)


def _functions(folder: Path) -> None:
    shutil.copytree(DOORS, folder / "functions", ignore=shutil.ignore_patterns("__pycache__"))
    _compile(folder)


def _templates(folder: Path) -> None:
    """The shipped templates as published: in their layouts, CSS inlined, so that no function does it."""
    shutil.copytree(TEMPLATES, folder / "templates")
    publish_shipped(folder / "templates")


def _compile(folder: Path) -> None:
    """Compile ahead: a layer without .pyc doubles a cold start, and it cannot be written at run time."""
    mode = ("--invalidation-mode", "unchecked-hash", "-s", str(folder), "-p", "/opt")
    subprocess.run([sys.executable, "-m", "compileall", "-q", *mode, str(folder)], check=True)


def _fingerprint(name: str) -> str:
    """A hash of everything a layer is made of."""
    digest = hashlib.sha256(f"{name} {sys.version}".encode())
    for file in sorted(f for source in SOURCES[name] for f in _files(source)):
        digest.update(f"{file.relative_to(ROOT)}\n".encode() + file.read_bytes())
    return digest.hexdigest()


def _files(source: Path) -> list[Path]:
    found = [source] if source.is_file() else [f for f in source.rglob("*") if f.is_file()]
    return [f for f in found if f.suffix != ".pyc"]


def size_mb(folder: Path) -> float:
    """What a folder takes, unzipped, in MB of 1024 KB."""
    return sum(f.stat().st_size for f in folder.rglob("*") if f.is_file()) / 2**20


def _say(line: str) -> None:
    print(line, file=sys.stderr, flush=True)


BUILDERS: dict[str, Callable[[Path], None]] = {
    "vendor-arm64": lambda folder: _vendor(folder, CLOUD),
    "vendor-local": lambda folder: _vendor(folder, ()),
    "vestnik": _vestnik,
    "templates": _templates,
    "functions": _functions,
}
_THIS = Path(__file__)
_TRIMMED_BY = (Path(permissions.__file__), Path(sdk_models.__file__))
SOURCES: dict[str, tuple[Path, ...]] = {
    "vendor-arm64": (LOCK, _THIS, *_TRIMMED_BY),
    "vendor-local": (LOCK, _THIS, *_TRIMMED_BY),
    "vestnik": (CODE, LOCK, _THIS),
    "templates": (TEMPLATES, CODE / "vestnik" / "rendering", _THIS),
    "functions": (DOORS, _THIS),
}


def main() -> None:
    """Build the layers named, or those of a deployment and of this machine."""
    made = build(sys.argv[1:] or BUILDERS)
    total = sum(size_mb(folder) for name, folder in made.items() if name != "vendor-local")
    _say(f"a function with all its layers: {total:.0f} of {LIMIT_MB} MB")


if __name__ == "__main__":
    main()
