"""An event type's page in the documentation, written from what its file says."""

import json
from collections.abc import Iterator
from datetime import timedelta
from types import ModuleType
from typing import Any

from vestnik.domain.schemas import SHAPES

type Row = tuple[str, str, str]

RECIPIENTS = {
    "customer": "the customer",
    "customer_manager": "the customer's manager",
    "order_manager": "the order's manager",
    "author": "the document's author",
    "telegram_chat": "the staff chat",
    "staff_group": "the staff group",
}
SHAPE_NAMES = {shape["title"] for shape in SHAPES} | {"Author"}


def page(module: ModuleType) -> str:
    """The page of one event type: what its docstring tells, then fields, defaults and a sample."""
    sample = json.dumps(module.SAMPLE, ensure_ascii=False, indent=2)
    return "\n".join(
        [
            f"# {module.TYPE}\n",
            f"{(module.__doc__ or '').strip()}\n",
            *_facts(module),
            "\n## Default rules\n",
            *([f"- {_sentence(rule)}" for rule in module.RULES] or ["Nobody is told by default."]),
            "\n## Fields of `data`\n",
            *_needs(module.SCHEMA),
            *_table(_rows(module.SCHEMA)),
            f"\n## Sample\n\n```json\n{sample}\n```\n",
        ]
    )


def shapes_page() -> str:
    """The page of the shapes that events share."""
    parts = ["# Shapes\n\nObjects that events carry. Every object takes further fields of the shop's own."]
    for shape in SHAPES:
        needs = "".join(_needs(shape))
        parts.append(f"\n## {shape['title']}\n\n{needs}\n" + "\n".join(_table(_rows(shape))))
    return "\n".join(parts) + "\n"


def _facts(module: ModuleType) -> list[str]:
    facts = [
        f"- Purpose: {module.PURPOSE}.",
        f"- Useful life: {_words(module.USEFUL_LIFE)}; a message that could not go by then does not go.",
    ]
    if module.STATUS:
        facts.append("- An order status: once a newer one is known, an older one is recorded and not told.")
    if module.SECRET:
        facts.append("- Secret, masked wherever it is shown: " + ", ".join(f"`{s}`" for s in module.SECRET) + ".")
    if module.ONE_TIME:
        facts.append("- One-time: when it is doubtful whether a message went, it is not repeated.")
    return facts


def _words(life: timedelta) -> str:
    for unit, size in (("day", 86400), ("hour", 3600), ("minute", 60)):
        count, rest = divmod(int(life.total_seconds()), size)
        if count and not rest:
            return f"{count} {unit}{'s' if count > 1 else ''}"
    return f"{int(life.total_seconds())} seconds"


def _sentence(rule: dict[str, Any]) -> str:
    people = " and ".join(_recipient(r) for r in rule["recipients"])
    where = {key: value for key, value in rule["pattern"].items() if key != "type"}
    when = f", where `{json.dumps(where, ensure_ascii=False)}`" if where else ""
    actor = "; never whoever did it" if rule["except_actor"] else ""
    return f"`{rule['id']}`: {people}, by {rule['channel']}{when}{actor}."


def _recipient(recipient: dict[str, Any]) -> str:
    group = f" `{recipient['group']}`" if "group" in recipient else ""
    return RECIPIENTS[recipient["kind"]] + group


def _needs(schema: dict[str, Any]) -> list[str]:
    always = [f"`{name}`" for name in schema.get("required", ())]
    either = " or ".join(f"`{choice['required'][0]}`" for choice in schema.get("anyOf", ()))
    needed = always + ([either] if either else [])
    return [f"Required: {', '.join(needed)}.\n"] if needed else []


def _rows(schema: dict[str, Any]) -> Iterator[Row]:
    for name, field in schema["properties"].items():
        secret = " Secret." if field.get("x-secret") else ""
        yield name, _kind(field), field.get("description", "") + secret


def _kind(field: dict[str, Any]) -> str:
    title = field.get("title")
    if title in SHAPE_NAMES:
        anchor = "actor" if title == "Author" else title.lower().replace(" ", "-")
        return f"[{title}](shapes.md#{anchor})"
    if field.get("type") == "array":
        return f"list of {_kind(field['items'])}"
    kind = field["type"]
    return kind if isinstance(kind, str) else kind[0]


def _table(rows: Iterator[Row]) -> list[str]:
    return ["| field | type | meaning |", "|---|---|---|", *(f"| `{n}` | {k} | {m} |" for n, k, m in rows)]
