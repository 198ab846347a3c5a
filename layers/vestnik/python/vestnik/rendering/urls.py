"""URLs as browsers read them (WHATWG URL), far enough to know the scheme and the host."""

import re
import unicodedata
from html import unescape
from urllib.parse import unquote

_STRIPPED = re.compile(r"[\t\n\r]|\x1b[($][@-Z]")
_BLANK = re.compile("[\x00-\x20\x7f-\xa0\u00ad\u034f\u180e\u2000-\u200f\u2028-\u202f\u2060-\u206f\ufe0f\ufeff]+")
_WEB = re.compile(r"(?:https?|ftp|wss?):", re.IGNORECASE)
_AUTHORITY = re.compile(r"[^/\\?#]*")
_NESTED = re.compile(
    r"(?:https?:[\\/]|(?<=[=?&,;\s])[\\/]{2})(?:[\\/\t\n\r]|\x1b[($][@-Z])*+(?=([^/\\?#]*+))", re.IGNORECASE
)
"""To the end of the host and no further: the rest of the URL would be read once for each URL in it."""

_C0 = "".join(map(chr, range(0x21)))
LONGEST_HOST = 253
"""Characters (RFC 1035, 2.3.4): nothing answers at a longer one."""

_DOTS = str.maketrans(dict.fromkeys("。．｡", "."))

_RUNNING = re.compile(
    r"(?:(?:feed|view-source|jar|pcast|wyciwyg):)*(?:javascript|vbscript|jscript|livescript|mocha|vbs):"
)
_DATA = re.compile(r"(?:(?:feed|view-source|jar|pcast):)*data:([^;,]*)")


def runs_script(value: str) -> bool:
    """Whether following `value` runs a script: `javascript:` and its kin, however spaced."""
    return bool(_RUNNING.match(_squeezed(value)))


def data_type(value: str) -> str | None:
    """The media type of a `data:` URL (empty where it names none), or None for another URL."""
    found = _DATA.match(_squeezed(value))
    return found[1] if found else None


def _squeezed(value: str) -> str:
    return _BLANK.sub("", _STRIPPED.sub("", value)).lower()


def host(value: str) -> str:
    """The host an absolute or protocol-relative URL leads to, lower case and in Unicode; empty for another URL."""
    url = _STRIPPED.sub("", value).strip(_C0)
    if scheme := _WEB.match(url):
        rest = url[scheme.end() :].lstrip("/\\")
    elif re.match(r"[\\/]{2}", url):
        rest = url.lstrip("/\\")
    else:
        return ""
    authority = _AUTHORITY.match(rest)
    return tidy_host(authority[0].rpartition("@")[2]) if authority else ""


def tidy_host(written: str) -> str:
    """A host as written (percent-encoded, full-width, punycode, with port or last dot) in its one form."""
    name = unquote(written).translate(_DOTS)
    name = _BLANK.sub("", unicodedata.normalize("NFKC", name)).lower()
    before, colon, port = name.rpartition(":")
    name = (before if colon and not port.strip("0123456789") else name).rstrip(".")
    if len(name) > LONGEST_HOST:
        return ""
    return ".".join(_label(label) for label in name.split("."))


def _label(label: str) -> str:
    if not label.startswith("xn--"):
        return label
    try:
        return label[4:].encode("ascii").decode("punycode")
    except UnicodeError:
        return label


def nested(value: str) -> list[str]:
    """URLs inside a URL (a redirect's parameter) up to their hosts, percent-decoded up to three times."""
    found: list[str] = []
    text = value
    for _ in range(3):
        found += [inner[0] + inner[1] for inner in _NESTED.finditer(text, 1)]
        decoded = unescape(unquote(text))
        if decoded == text:
            break
        text = decoded
    return found
