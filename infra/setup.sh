#!/bin/sh
# Sets the project up in .venv: finds CPython 3.13 on PATH, then under pyenv, then lets uv fetch one.
# Run by `make`; runs again only when the locks change.
set -eu
cd "$(dirname "$0")/.."
uv_version=$(sed -n 's/^uv==\([0-9.]*\).*/\1/p' requirements/dev.txt)

is_right() { "$1" -c 'import sys; sys.exit(sys.version_info[:2] != (3, 13))' >/dev/null 2>&1; }

find_python() {
    for candidate in python3.13 python3 "${PYENV_ROOT:-$HOME/.pyenv}"/versions/3.13*/bin/python3.13; do
        if found=$(command -v "$candidate" 2>/dev/null) && is_right "$found"; then
            echo "$found"
            return
        fi
    done
}

make_venv() {
    python=$(find_python)
    if [ -n "$python" ]; then
        "$python" -m venv .venv
    else
        echo "set-up: no CPython 3.13 on PATH or under pyenv, so uv fetches one" >&2
        python3 -m venv build/uv
        build/uv/bin/python -m pip install -q "uv==$uv_version"
        build/uv/bin/uv venv -q --seed --python 3.13 .venv
    fi
}

[ -x .venv/bin/python ] && is_right .venv/bin/python || { rm -rf .venv; make_venv; }
if ! .venv/bin/uv --version 2>/dev/null | grep -q "^uv $uv_version"; then
    .venv/bin/python -m ensurepip -q >/dev/null 2>&1 || true
    .venv/bin/python -m pip install -q --disable-pip-version-check "uv==$uv_version"
fi
echo "set-up: installing what requirements/dev.txt locks" >&2
# The system's certificates: a company's network may have its own.
export UV_PYTHON=.venv/bin/python UV_SYSTEM_CERTS=1
.venv/bin/uv pip install -q --require-hashes -r requirements/dev.txt
.venv/bin/uv pip install -q --no-deps -e .
touch .venv/.set-up
