"""Masking: what an answer must not show: secrets of events (one-time links, codes), people's data in dead letters."""

import html
import json
import re
from collections.abc import Iterable, Iterator, Mapping
from typing import Any
from urllib.parse import parse_qsl, quote, urlsplit

MASK = "•••"
MARKS = ("secret", "x-secret")  # the words by which a schema marks a field
DEEPEST = 16  # levels of a schema looked into: references may go in circles
MOST_LOOKS = 20_000
SHORTEST = 2  # a secret of one character would blot out the whole text
CODE = re.compile(r"[0-9A-Za-z]{4,16}")
BETWEEN = r"(?:\s|&nbsp;|&#160;|[-–—·.\u00ad\u200b]|<[^<>]{0,300}>)*"
NAME = re.compile(r"[A-Za-z_][\w-]{0,63}")

# What a dead letter may show: words of ours and identifiers. All else may be a person's.
WORDS_OF_OURS = (
    "v shop type source specversion id eid time received message event rule template channel plugin sender purpose "
    "expires created order order_id customer_id manager_id kind status currency quantity amount sku key n priority "
    "language timezone origin method attempt until queue day revision notify role one_time state"
)
PLAIN = frozenset(WORDS_OF_OURS.split())


def secret_paths(schema: Mapping[str, Any]) -> frozenset[str]:
    """The dotted paths that a JSON Schema marks `secret` (or `x-secret`); `*` stands for any name or place.

    Marks inside `$ref`, `allOf`, `anyOf`, `oneOf`, `if` and the like count: better a field too many. All is secret
    in a schema whose references make too many paths to follow.
    """
    found, looks = set[str](), 0
    todo: list[tuple[tuple[str, ...], Mapping[str, Any], int]] = [((), schema, DEEPEST)]
    while todo and looks < MOST_LOOKS:
        at, inner, left = todo.pop()
        looks += 1
        further = [(name, s) for name, s in _inner(inner, schema) if isinstance(s, Mapping)]
        if any(inner.get(mark) is True for mark in MARKS) or (further and not left):
            found.add(".".join(at) or "*")
        else:
            todo += [((*at, *name), s, left - 1) for name, s in further]
    return frozenset({"*"} if todo else found)


def _inner(schema: Mapping[str, Any], root: Mapping[str, Any]) -> Iterator[tuple[tuple[str, ...], Any]]:
    """The schemas inside a schema, each with the field it is about (none: the same)."""
    for name, inner in (schema.get("properties") or {}).items():
        yield ("*" if "." in name else name,), inner  # a dot would part the name: then all beside it is covered too
    for word in ("items", "additionalProperties", "contains", "unevaluatedProperties"):
        yield ("*",), schema.get(word)
    yield from ((("*",), inner) for inner in schema.get("prefixItems") or ())
    yield from ((("*",), inner) for inner in (schema.get("patternProperties") or {}).values())
    for word in ("allOf", "anyOf", "oneOf"):
        yield from (((), inner) for inner in schema.get(word) or ())
    yield from (((), schema.get(word)) for word in ("if", "then", "else"))
    yield (), _referred(schema.get("$ref"), root)


def _referred(reference: Any, root: Mapping[str, Any]) -> Any:
    """What a `#/...` reference points to; None for any other."""
    node: Any = root
    if not isinstance(reference, str) or not reference.startswith("#"):
        return None
    for step in reference.removeprefix("#").split("/")[1:]:
        node = node.get(step.replace("~1", "/").replace("~0", "~")) if isinstance(node, Mapping) else None
    return node


def without(data: Any, paths: Iterable[str]) -> Any:
    """A copy of `data` in which whatever stands at these dotted paths is masked."""
    copy = json.loads(json.dumps(data))
    for path in paths:
        _cover(copy, path.split("."))
    return copy


def _cover(node: Any, path: list[str]) -> None:
    head, rest = path[0], path[1:]
    for name in _names(node, head):
        if rest:
            _cover(node[name], rest)
        elif node[name] is not None:
            node[name] = MASK


def _names(node: Any, head: str) -> list[Any]:
    if isinstance(node, dict):
        return list(node) if head == "*" else [head] if head in node else []
    if isinstance(node, list):
        return list(range(len(node))) if head == "*" else []
    return []


def secrets(data: Any, paths: Iterable[str]) -> set[str]:
    """The texts that stand at these dotted paths, those inside a masked object too."""
    return {text for path in paths for text in _texts_at(data, path.split("."))}


def _texts_at(node: Any, path: list[str]) -> Iterator[str]:
    if not path:
        yield from _texts(node)
        return
    for name in _names(node, path[0]):
        yield from _texts_at(node[name], path[1:])


def _texts(node: Any) -> Iterator[str]:
    match node:
        case bool() | None:
            return
        case str() | int() | float():
            yield str(node)
        case dict():
            for inner in node.values():
                yield from _texts(inner)
        case list():
            for inner in node:
                yield from _texts(inner)


def hide(shown: Any, hidden: Iterable[str]) -> Any:
    """`shown` (a text, or lists and objects of texts) with every one of the `hidden` texts masked wherever it
    stands: as it is, escaped for HTML, a URL or JSON, and a code also when it is set apart in groups."""
    pattern = _pattern(hidden)
    return _hide(shown, pattern) if pattern else shown


def _hide(shown: Any, pattern: re.Pattern[str]) -> Any:
    match shown:
        case str():
            return pattern.sub(MASK, shown)
        case bool():
            return shown
        case int() | float():
            return MASK if pattern.fullmatch(str(shown)) else shown
        case dict():
            return {_hide(k, pattern): _hide(v, pattern) for k, v in shown.items()}
        case list():
            return [_hide(v, pattern) for v in shown]
    return shown


def _pattern(hidden: Iterable[str]) -> re.Pattern[str] | None:
    spellings = {s for text in hidden for part in (text, *_parts(text)) if len(part) >= SHORTEST for s in _spelt(part)}
    # The longest first: a link goes whole, not just the token in it.
    return re.compile("|".join(sorted(spellings, key=len, reverse=True)), re.IGNORECASE) if spellings else None


def _parts(text: str) -> list[str]:
    """What is secret in a link even without the rest of it: its query's values and the long parts of its path."""
    if not text.startswith(("http://", "https://")):
        return []
    address = urlsplit(text)
    values = [value for _, value in parse_qsl(address.query) if len(value) >= 6]
    return [*values, *(part for part in address.path.split("/") if len(part) >= 16), *_fragment(address.fragment)]


def _fragment(text: str) -> list[str]:
    return [text] if len(text) >= 6 else []


def _spelt(text: str) -> set[str]:
    ways = {text, html.escape(text), quote(text, safe=""), quote(text), json.dumps(text)[1:-1]}
    ways |= {html.escape(text).replace("&quot;", "&#34;").replace("&#x27;", "&#39;")}
    spelt = {re.escape(way) for way in ways}
    if CODE.fullmatch(text):
        spelt.add(BETWEEN.join(map(re.escape, text)))
    return spelt


def impersonal(node: Any, name: str = "") -> Any:
    """`node` with every text and number masked that does not stand under one of our own words (`PLAIN`)."""
    match node:
        case dict():
            return {k if NAME.fullmatch(k) else MASK: impersonal(v, k) for k, v in node.items()}
        case list():
            return [impersonal(v, name) for v in node]
        case bool() | None:
            return node
    return node if name in PLAIN and "@" not in str(node) else MASK
