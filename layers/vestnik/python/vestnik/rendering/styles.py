"""Style sheets as browsers read them: comments gone, escapes decoded; what they load, and what once ran script."""

import re
from collections.abc import Iterator

from .urls import data_type, runs_script

_COMMENT = re.compile(r"/\*.*?(?:\*/|\Z)", re.DOTALL)
_ESCAPE = re.compile(r"\\(?:([0-9a-fA-F]{1,6})(?:\r\n|[ \t\r\n\f])?|(\r\n|[\n\r\f])|(.))", re.DOTALL)
_URL = re.compile(r"url\(\s*(?:\"([^\"]*)\"?|'([^']*)'?|([^)\"']*))", re.IGNORECASE)
_IMPORT = re.compile(r"@import\s*(?:\"([^\"]*)|'([^']*))", re.IGNORECASE)
_RUNS = {
    "expression()": re.compile(r"expression\("),
    "-moz-binding": re.compile(r"-moz-binding:"),
    "-o-link": re.compile(r"(?<![\w-])-o-link(?:-source)?:"),
    "behavior": re.compile(r"(?<![\w-])behaviou?r:(?!url\(['\"]?#default#vml['\"]?\))"),
    "a script URL": re.compile(r"(?:javascript|vbscript|livescript|mocha):"),
}
_HARMLESS_DATA = re.compile(r"image/|font/|application/(?:x-)?font|application/(?:vnd\.ms-fontobject|octet-stream)")


def read(css: str) -> str:
    """`css` without comments and with its escapes decoded."""
    return _ESCAPE.sub(_decoded, _COMMENT.sub("", css))


def _decoded(escape: re.Match[str]) -> str:
    if escape[1]:
        point = int(escape[1], 16)
        return chr(point) if 0 < point < 0x110000 else "\N{REPLACEMENT CHARACTER}"
    return escape[3] or ""


def urls(css: str) -> Iterator[str]:
    """What a style sheet loads: url() and @import."""
    text = read(css)
    for pattern in (_URL, _IMPORT):
        for found in pattern.finditer(text):
            yield next((part for part in found.groups() if part), "")


def danger(css: str) -> str:
    """The part of a style sheet that runs or once ran script; empty where there is none."""
    squeezed = re.sub(r"[\x00-\x20]+", "", read(css)).lower()
    for name, pattern in _RUNS.items():
        if pattern.search(squeezed):
            return name
    return next((url for url in urls(css) if _dangerous_url(url)), "")[:60]


def _dangerous_url(url: str) -> bool:
    media = data_type(url)
    return runs_script(url) or (media is not None and not _HARMLESS_DATA.match(media))
