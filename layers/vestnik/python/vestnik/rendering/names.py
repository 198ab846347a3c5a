"""Names: which variables a template uses, and which of them nobody will ever fill."""

import difflib
import re
from collections.abc import Iterator, Mapping
from itertools import islice
from typing import Any

from jinja2 import meta, nodes

from .effort import MOST_TOLD
from .plain import METHODS
from .sandbox import Sandbox
from .words import words

SHOP = words(
    "id name url email phone address logo_url color language timezone country currency bank_details staff_chat"
)
RECIPIENT = words("kind id name timezone language")
CLOSED = {
    name: {"properties": dict.fromkeys(known, True)} for name, known in (("shop", SHOP), ("recipient", RECIPIENT))
}
"""Facts that are always of one shape; records (`order`, `customer`) may have fields of the shop's own."""

FREE: Mapping[str, Any] = {}
"""A schema that says nothing: any name below it may exist."""


def problems(
    sandbox: Sandbox, tree: nodes.Template, field: str, text: str, request: Mapping[str, Any]
) -> list[dict[str, str]]:
    """Unknown names (`unknown-variable`) and names with two underscores (`malicious-code`) of one field."""
    known, schema = request["known"], request.get("schema")
    found = [("malicious-code", name, f"`{name}` reaches for the program, not for data") for name in _dunders(tree)]
    strangers = [name for name in _undeclared(sandbox, tree) if name not in known]
    found += [_unknown(name, sorted(known)) for name in strangers[:MOST_TOLD]]
    if schema:
        paths = islice(_unknown_paths(tree, {"data": schema, **CLOSED}), MOST_TOLD)
        found += [_unknown(path, options) for path, options in paths]
    told = found[:MOST_TOLD]
    return [{"code": code, "reason": message, "where": _where(field, text, name)} for code, name, message in told]


def _undeclared(sandbox: Sandbox, tree: nodes.Template) -> list[str]:
    """Names from outside; Jinja also counts those a branch sets for itself, which are the template's own."""
    tree.set_environment(sandbox)
    targets = [node.target for node in tree.find_all(nodes.Assign)]
    targets += [node.target for node in tree.find_all(nodes.AssignBlock)]
    own = {name for target in targets for name in _names(target)}
    return sorted(meta.find_undeclared_variables(tree) - own)


def _names(target: nodes.Node) -> list[str]:
    below = [name.name for name in target.find_all(nodes.Name)]
    return [target.name, *below] if isinstance(target, nodes.Name) else below


def _unknown(path: str, options: list[str]) -> tuple[str, str, str]:
    near = difflib.get_close_matches(path, options, n=1)
    hint = f"did you mean `{near[0]}`?" if near else f"known here: {', '.join(options[:12])}"
    return "unknown-variable", path, f"`{path}` is not known; {hint}"


def _dunders(tree: nodes.Template) -> list[str]:
    attributes = [node.attr for node in tree.find_all(nodes.Getattr)]
    keys = [node.arg for node in tree.find_all(nodes.Getitem)]
    keys += [key for node in tree.find_all(nodes.Filter) if node.name in ("attr", "map") for key in node.args]
    attributes += [key.value for key in keys if isinstance(key, nodes.Const) and isinstance(key.value, str)]
    return [name for name in dict.fromkeys(attributes) if name.startswith("__")]


def _unknown_paths(tree: nodes.Node, scope: dict[str, Any]) -> Iterator[tuple[str, list[str]]]:
    """Paths below a described name that its schema does not know, with what it knows there instead."""
    seen: set[str] = set()
    for node in _in_order(tree):
        _bind(node, scope)
        path = _path(node)
        unknown = _unknown_part(path, scope) if len(path) > 1 else None
        if unknown and unknown[0] not in seen:
            seen.add(unknown[0])
            yield unknown


def _in_order(node: nodes.Node) -> Iterator[nodes.Node]:
    yield node
    for child in node.iter_child_nodes():
        yield from _in_order(child)


def _bind(node: nodes.Node, scope: dict[str, Any]) -> None:
    """A loop's or an assignment's name means from here on what stands on its right side."""
    if isinstance(node, nodes.For) and isinstance(node.target, nodes.Name):
        scope[node.target.name] = _below(_schema_of(_path(node.iter), scope), "0")
    elif isinstance(node, nodes.Assign) and isinstance(node.target, nodes.Name):
        scope[node.target.name] = _schema_of(_path(node.node), scope)


def _path(node: nodes.Node) -> list[str]:
    """`data.order["number"]` as ["data", "order", "number"]; empty for anything else."""
    if isinstance(node, nodes.Name):
        return [node.name]
    if isinstance(node, nodes.Getattr) and (above := _path(node.node)):
        return [*above, node.attr]
    if isinstance(node, nodes.Getitem) and isinstance(node.arg, nodes.Const) and (above := _path(node.node)):
        return [*above, str(node.arg.value)]
    return []


def _unknown_part(path: list[str], scope: Mapping[str, Any]) -> tuple[str, list[str]] | None:
    schema = scope.get(path[0], FREE)
    for depth, name in enumerate(path[1:], start=1):
        known = _closed(schema)
        if known and name not in known and name not in METHODS[dict]:
            above = ".".join(path[:depth])
            return f"{above}.{name}", [f"{above}.{each}" for each in sorted(known)]
        schema = _below(schema, name)
    return None


def _schema_of(path: list[str], scope: Mapping[str, Any]) -> Mapping[str, Any]:
    schema: Mapping[str, Any] = scope.get(path[0], FREE) if path else FREE
    for name in path[1:]:
        schema = _below(schema, name)
    return schema


def _closed(schema: Mapping[str, Any]) -> set[str]:
    """The only names an object of this schema has; empty where others may come."""
    more = schema.get("additionalProperties", False)
    return set() if more or not isinstance(schema.get("properties"), Mapping) else set(schema["properties"])


def _below(schema: Mapping[str, Any], name: str) -> Mapping[str, Any]:
    below = schema.get("properties", {}).get(name)
    if below is None and name.lstrip("-").isdigit():
        below = schema.get("items")
    return below if isinstance(below, Mapping) else FREE


def _where(field: str, text: str, path: str) -> str:
    """`field:line:column` of the first place that names `path` (or its last part)."""
    for sought in (path, path.rsplit(".", 1)[-1]):
        if found := re.search(rf"(?<![\w.]){re.escape(sought)}\b", text) or re.search(re.escape(sought), text):
            return f"{field}:{place(text, found.start())}"
    return field


def place(text: str, offset: int) -> str:
    """`line:column`, both from 1, of a character."""
    line = text.count("\n", 0, offset) + 1
    return f"{line}:{offset - text.rfind('\n', 0, offset)}"
