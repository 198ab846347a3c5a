"""Variants: a template's text with every branch taken, so that nothing hides behind an `if`."""

from collections.abc import Iterator, Mapping
from itertools import islice
from typing import Any

from jinja2 import Environment, Template, nodes
from jinja2.visitor import NodeTransformer

LARGEST = 1_000_000
BRANCHING: tuple[type[nodes.Node], ...] = (nodes.If, nodes.For, nodes.CondExpr, nodes.Or, nodes.And, nodes.Filter)
NAMING: tuple[type[nodes.Node], ...] = (nodes.Assign, nodes.AssignBlock)


class Branches(NodeTransformer):
    """Rewrites a template so that its conditions no longer decide: `all` branches, the `first`, or the `last`."""

    def __init__(self, taken: str) -> None:
        self.taken = taken

    def visit_If(self, node: nodes.If) -> list[nodes.Node]:
        """The statements of the branches taken."""
        if self.taken == "all":
            return self._visited([*node.body, *node.elif_, *node.else_])
        if self.taken == "first":
            return self._visited(node.body)
        return self._visited(node.else_ or [*node.elif_[-1:]] or node.body)

    def visit_For(self, node: nodes.For) -> list[nodes.Node]:
        """The loop, run at least and at most once, then what stands for an empty list."""
        width = len(node.target.items) if isinstance(node.target, nodes.Tuple) else 0
        one = nodes.Name("any_one", "load")
        node.iter = nodes.Call(one, [node.iter, nodes.Const(width)], [], None, None)
        otherwise, node.else_, node.test = node.else_, [], None
        self.generic_visit(node)
        return [node, *(self._visited(otherwise) if self.taken != "first" else [])]

    def visit_CondExpr(self, node: nodes.CondExpr) -> nodes.Node:
        """`a if x else b`: one of them."""
        chosen = (node.expr2 or nodes.Const("")) if self.taken == "last" else node.expr1
        return self._expression(chosen)

    def visit_Or(self, node: nodes.Or) -> nodes.Node:
        """`a or b`: `b` in the last variant."""
        return self._expression(node.right if self.taken == "last" else node.left)

    def visit_And(self, node: nodes.And) -> nodes.Node:
        """`a and b`: gives `b` whenever it gives a text."""
        return self._expression(node.right)

    def visit_Filter(self, node: nodes.Filter) -> nodes.Node:
        """`a|default(b)`: `b` in the last variant."""
        if self.taken == "last" and node.name in ("default", "d") and node.args:
            return self._expression(node.args[0])
        self.generic_visit(node)
        return node

    def visit_Continue(self, node: nodes.Continue) -> list[nodes.Node]:
        """Nothing: no statement is jumped over."""
        return []

    visit_Break = visit_Continue

    def _expression(self, node: nodes.Node) -> nodes.Node:
        seen: nodes.Node = self.visit(node)
        return seen

    def _visited(self, statements: list[nodes.Node]) -> list[nodes.Node]:
        seen: list[nodes.Node] = []
        for statement in statements:
            result = self.visit(statement)
            seen.extend(result if isinstance(result, list) else [result])
        return seen


def texts(environment: Environment, source: str, facts: Mapping[str, Any]) -> list[str]:
    """What `source` could say beyond what it says for `facts`: branches taken, and its constants in order."""
    tree = environment.parse(source)
    found = [_constants(tree)]
    if next(tree.find_all(BRANCHING), None):
        # Only where a branch sets a name do the branches have to be taken one by one from the first on.
        taken = ("all", "first", "last") if next(tree.find_all(NAMING), None) else ("all", "last")
        found += [_text(environment, source, facts, each) for each in taken]
    return [text for text in dict.fromkeys(found) if text]


def _text(environment: Environment, source: str, facts: Mapping[str, Any], taken: str) -> str:
    """As much as can be written: a branch that was never meant for these facts may well fail."""
    parts, size = [], 0
    try:
        tree = Branches(taken).visit(environment.parse(source))
        code = environment.compile(tree)
        template = Template.from_code(environment, code, environment.make_globals({"any_one": _any_one}))
        for part in template.root_render_func(template.new_context({**facts, "written": {}})):
            parts.append(part)
            size += len(part)
            if size > LARGEST:
                break
    except Exception:  # noqa: S110
        pass
    return "".join(parts)


def _any_one(items: Any, width: int) -> list[Any]:
    try:
        first = list(islice(items, 1))
    except TypeError:
        first = []
    missing = "" if not width else ("",) * width
    return first or [missing]


def _constants(tree: nodes.Template) -> str:
    """The template's own text and the strings in its expressions, in order, run together."""
    return "".join(_strings(tree))


def _strings(node: nodes.Node) -> Iterator[str]:
    if isinstance(node, nodes.TemplateData):
        yield node.data
    elif isinstance(node, nodes.Const) and isinstance(node.value, str):
        yield node.value
    for child in node.iter_child_nodes():
        yield from _strings(child)
