"""The part of DynamoDB's expression language that the store speaks: conditions, updates, key conditions."""

import re
from bisect import bisect_left, bisect_right
from collections.abc import Callable, Mapping
from functools import lru_cache
from typing import Any

Typed = dict[str, Any]
Test = Callable[[Typed, Mapping[str, str], Typed], bool]
TOKEN = re.compile(r"\s*(<>|<=|>=|[=<>(),]|[#:]?[\w]+(?:\.#\w+)*)")
CLAUSE = re.compile(r"\b(SET|ADD|REMOVE|DELETE)\b")
LAST = "\U0010ffff"


def holds(condition: str | None, item: Typed, request: Typed) -> bool:
    """Whether a condition holds for an item ({} where there is none)."""
    if not condition:
        return True
    names, values = request.get("ExpressionAttributeNames", {}), request.get("ExpressionAttributeValues", {})
    return _parsed(condition)(item, names, values)


@lru_cache(maxsize=512)
def _parsed(condition: str) -> Test:
    words = TOKEN.findall(condition)
    test = _any(words)
    if words:
        raise ValueError(f"{condition!r}: not understood from {words[0]!r}")
    return test


def _any(words: list[str]) -> Test:
    tests = [_all(words)]
    while words and words[0] == "OR":
        words.pop(0)
        tests.append(_all(words))
    return lambda item, names, values: any(test(item, names, values) for test in tests)


def _all(words: list[str]) -> Test:
    tests = [_one(words)]
    while words and words[0] == "AND":
        words.pop(0)
        tests.append(_one(words))
    return lambda item, names, values: all(test(item, names, values) for test in tests)


def _one(words: list[str]) -> Test:
    word = words.pop(0)
    if word == "NOT":
        inner = _one(words)
        return lambda item, names, values: not inner(item, names, values)
    if word == "(":
        inner = _any(words)
        words.pop(0)
        return inner
    if words and words[0] == "(":
        return _function(word, words)
    return _comparison(word, words)


def _function(name: str, words: list[str]) -> Test:
    words.pop(0)
    given = []
    while (word := words.pop(0)) != ")":
        given += [word] if word != "," else []
    path = given[0]
    match name:
        case "attribute_exists":
            return lambda item, names, values: _at(item, path, names) is not None
        case "attribute_not_exists":
            return lambda item, names, values: _at(item, path, names) is None
        case "begins_with":
            return lambda item, names, values: str(_of(path, item, names, values)).startswith(values[given[1]]["S"])
        case "contains":
            return lambda item, names, values: values[given[1]]["S"] in (_of(path, item, names, values) or ())
    raise ValueError(f"unknown function {name}")


def _comparison(left: str, words: list[str]) -> Test:
    operator = words.pop(0)
    if operator == "IN":
        words.pop(0)
        given = []
        while (word := words.pop(0)) != ")":
            given += [word] if word != "," else []
        return lambda item, names, values: (
            _of(left, item, names, values) in [_of(one, item, names, values) for one in given]
        )
    right = words.pop(0)
    compare = _COMPARISONS[operator]

    def test(item: Typed, names: Mapping[str, str], values: Typed) -> bool:
        a, b = _of(left, item, names, values), _of(right, item, names, values)
        if operator in ("=", "<>"):
            return compare(a, b)
        return a is not None and b is not None and type(a) is type(b) and compare(a, b)

    return test


_COMPARISONS: dict[str, Callable[[Any, Any], bool]] = {
    "=": lambda a, b: a is not None and a == b,
    "<>": lambda a, b: a != b,
    "<": lambda a, b: a < b,
    "<=": lambda a, b: a <= b,
    ">": lambda a, b: a > b,
    ">=": lambda a, b: a >= b,
}


def _of(operand: str, item: Typed, names: Mapping[str, str], values: Typed) -> Any:
    found = values[operand] if operand.startswith(":") else _at(item, operand, names)
    if found is None:
        return None
    ((kind, inner),) = found.items()
    return int(inner) if kind == "N" else inner


def _at(item: Typed, path: str, names: Mapping[str, str]) -> Typed | None:
    *inner, last = [names.get(step, step) for step in path.split(".")]
    for step in inner:
        item = item.get(step, {}).get("M", {})
    found: Typed | None = item.get(last)
    return found


def changed(update: str, item: Typed, request: Typed) -> Typed:
    """A copy of an item after an update expression."""
    names, values = request.get("ExpressionAttributeNames", {}), request.get("ExpressionAttributeValues", {})
    pieces = CLAUSE.split(update)
    for clause, text in zip(pieces[1::2], pieces[2::2], strict=True):
        for one in _split(text):
            item = _CLAUSES[clause](item, one, names, values)
    return item


@lru_cache(maxsize=512)
def _split(text: str) -> tuple[str, ...]:
    """The actions of a clause: by the commas outside of brackets."""
    return tuple(one.strip() for one in re.split(r",(?![^()]*\))", text))


def _set(item: Typed, action: str, names: Mapping[str, str], values: Typed) -> Typed:
    path, _, right = (part.strip() for part in action.partition("="))
    if found := re.fullmatch(r"if_not_exists\(\s*(\S+)\s*,\s*(\S+)\s*\)", right):
        old = _at(item, found[1], names)
        return _with(item, path, names, old if old is not None else values[found[2]])
    if found := re.fullmatch(r"(\S+)\s*([+-])\s*(\S+)", right):
        a, b = (_of(one, item, names, values) for one in (found[1], found[3]))
        return _with(item, path, names, {"N": str(a + b if found[2] == "+" else a - b)})
    return _with(item, path, names, values[right] if right.startswith(":") else _at(item, right, names))


def _add(item: Typed, action: str, names: Mapping[str, str], values: Typed) -> Typed:
    path, bound = action.split()
    old, more = _at(item, path, names), values[bound]
    if "N" in more:
        return _with(item, path, names, {"N": str(int((old or {"N": "0"})["N"]) + int(more["N"]))})
    return _with(item, path, names, {"SS": sorted({*(old or {"SS": []})["SS"], *more["SS"]})})


def _delete(item: Typed, action: str, names: Mapping[str, str], values: Typed) -> Typed:
    path, bound = action.split()
    left = set((_at(item, path, names) or {"SS": []})["SS"]) - set(values[bound]["SS"])
    return _with(item, path, names, {"SS": sorted(left)} if left else None)


def _remove(item: Typed, action: str, names: Mapping[str, str], values: Typed) -> Typed:
    return _with(item, action, names, None)


_CLAUSES = {"SET": _set, "ADD": _add, "DELETE": _delete, "REMOVE": _remove}


def _with(item: Typed, path: str, names: Mapping[str, str], value: Typed | None) -> Typed:
    """A copy of an item with a value at a path, or without what stood there."""
    first, _, rest = path.partition(".")
    name = names.get(first, first)
    if rest:
        if name not in item:
            if value is None:
                return item
            raise ValueError(f"the document path {path} is not valid for update")
        value = {"M": _with(item[name]["M"], rest, names, value)}
    if value is None:
        return {k: v for k, v in item.items() if k != name}
    return {**item, name: value}


def key_range(condition: str, bound: Mapping[str, Any]) -> tuple[str, Callable[[list[tuple[str, str]]], int] | None]:
    """The lowest sort key that a condition lets in, and what finds the place behind the last."""
    given = re.findall(r":\w+", condition)
    first = bound[given[0]]["S"]
    if condition.startswith("begins_with"):
        return first, lambda entries: bisect_left(entries, (first + LAST, ""))
    if " BETWEEN " in condition:
        last = bound[given[1]]["S"]
        return first, lambda entries: bisect_right(entries, (last, LAST))
    if " < " in condition:
        return "", lambda entries: bisect_left(entries, (first, ""))
    raise ValueError(f"unknown key condition {condition}")
