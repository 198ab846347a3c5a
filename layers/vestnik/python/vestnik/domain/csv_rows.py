"""Rows of a CSV file as records: dotted column names become nested fields, cells become what the shape asks for."""

import csv
import io
import json
from collections.abc import Iterator, Mapping
from typing import Any

from vestnik.domain import nesting
from vestnik.errors import Refused

LARGEST_CELL = 200_000
TRUE = frozenset({"true", "yes", "y", "1", "да"})
FALSE = frozenset({"false", "no", "n", "0", "нет", "не"})


def read(text: str, shape: Mapping[str, Any], most: int) -> list[dict[str, Any]]:
    """The rows of `text` as records of `shape` (a JSON Schema of `domain.schemas`).

    The first line names the columns; `;` or `,` divides them, whichever the first line has more of. `total.amount`
    is a field of a field, `items.0.sku` one of a list's first element; a list of words is divided by `|`. An empty
    cell is no field. A cell that does not fit stays text: whoever checks the record says what would be right.
    Refused `bad-csv` (with the line), `too-many-rows`.
    """
    lines = _lines(text.removeprefix("\ufeff"))
    header = [name.strip() for name in next(lines, [])]
    _check_header(header)
    rows = list[dict[str, Any]]()
    for number, cells in enumerate(lines, 1):
        if not any(cell.strip() for cell in cells):
            continue
        if len(rows) == most:
            raise Refused(f"At most {most} rows at once: divide the file.", code="too-many-rows", where="rows")
        if len(cells) > len(header):
            raise _bad(f"row {number} has {len(cells)} cells, but the first line names {len(header)} columns")
        rows.append(_record(header, cells, shape))
    return rows


def _lines(text: str) -> Iterator[list[str]]:
    first = text.lstrip("\r\n").split("\n", 1)[0]
    csv.field_size_limit(LARGEST_CELL)
    reader = csv.reader(io.StringIO(text, newline=""), delimiter=_divider(first), strict=True)
    try:
        yield from (cells for cells in reader if cells)
    except csv.Error as error:
        raise _bad(f"line {reader.line_num}: {error}") from None


def _divider(first: str) -> str:
    return max(",;\t", key=first.count)


def _check_header(header: list[str]) -> None:
    if not any(header):
        raise _bad("the first line must name the columns, such as id,name,email")
    if "" in header:
        raise _bad(f"column {header.index('') + 1} has no name in the first line")
    if any(name.count(".") >= nesting.DEEPEST for name in header):
        raise _bad(f"a column is nested more than {nesting.DEEPEST} deep")
    if twice := next((name for name in header if header.count(name) > 1), None):
        raise _bad(f"the first line names the column {twice!r} twice")


def _bad(reason: str) -> Refused:
    return Refused(f"This is no CSV that can be read: {reason}.", code="bad-csv", where="rows")


def _record(header: list[str], cells: list[str], shape: Mapping[str, Any]) -> dict[str, Any]:
    record: dict[str, Any] = {}
    for name, cell in zip(header, cells, strict=False):
        if cell.strip():
            path = name.split(".")
            _put(record, path, _value(cell.strip(), _shape_at(shape, path)))
    return {name: _with_lists(value) for name, value in record.items()}


def _put(record: dict[str, Any], path: list[str], value: Any) -> None:
    for step in path[:-1]:
        inner = record.setdefault(step, {})
        if not isinstance(inner, dict):
            raise _bad(f"the columns {step!r} and {'.'.join(path)!r} cannot both be filled")
        record = inner
    record[path[-1]] = value


def _with_lists(node: Any) -> Any:
    """Objects whose names are 0, 1, 2 ... are lists; gaps close up."""
    if not isinstance(node, dict):
        return node
    inner = {name: _with_lists(value) for name, value in node.items()}
    if inner and all(name.isdecimal() for name in inner):
        return [inner[name] for name in sorted(inner, key=int)]
    return inner


def _shape_at(shape: Mapping[str, Any], path: list[str]) -> Mapping[str, Any]:
    for step in path:
        shape = shape.get("items", {}) if step.isdecimal() else shape.get("properties", {}).get(step, {})
    return shape


def _value(cell: str, shape: Mapping[str, Any]) -> Any:
    kinds = shape.get("type", "string")
    kinds = [kinds] if isinstance(kinds, str) else kinds
    if "boolean" in kinds:
        return _truth(cell)
    if "array" in kinds:
        return [word.strip() for word in cell.split("|") if word.strip()]
    return _number(cell, kinds) if {"integer", "number"} & set(kinds) else cell


def _truth(cell: str) -> bool | str:
    word = cell.casefold()
    return True if word in TRUE else False if word in FALSE else cell


def _number(cell: str, kinds: list[str]) -> Any:
    try:
        number = json.loads(cell.replace(",", ".") if "number" in kinds else cell)
    except ValueError:
        return cell
    return number if isinstance(number, int | float) and not isinstance(number, bool) else cell
