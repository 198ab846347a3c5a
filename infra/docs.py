"""The pages of the documentation that the code itself knows best: event types, channels, settings, operations.

`python -m infra.docs` (or `make docs`) writes them; tests/test_docs.py holds them to what this would write.
"""

import json
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from types import ModuleType
from typing import Any

from vestnik import channels, events, plugins, topology
from vestnik.api import _openapi, accounts, event_types, rules, senders, shop, templates
from vestnik.api._models import Model

DOCS = Path(__file__).parents[1] / "docs"
FOOT = "\n<!-- Written by `make docs` from the code: change it there. -->\n"
PURPOSES = (
    "**transactional** messages must arrive, **service** ones are about something under way, **marketing** goes only "
    "to people who agreed, with a link to unsubscribe."
)
SETTINGS: tuple[tuple[type[Model], str], ...] = (
    (shop.Shop, "`GET` and `PUT /v1/shop`"),
    (shop.Sending, "`sending` of the shop"),
    (shop.Audiences, "`audiences` of the shop"),
    (rules.Rule, "`/v1/rules/{id}`"),
    (rules.Recipient, "each of a rule's `recipients`"),
    (templates.Template, "`/v1/templates/{id}`"),
    (templates.Content, "each of a template's `contents`"),
    (senders.Sender, "`/v1/senders/{id}`"),
    (event_types.EventType, "`/v1/event-types/{type}`"),
    (accounts.Account, "`/v1/accounts/{id}`"),
)
BOUNDS = {
    "minimum": "at least {}",
    "exclusiveMinimum": "more than {}",
    "maximum": "at most {}",
    "maxLength": "at most {} characters",
}
LONGEST_FORM = 46
WORDS = {"boolean": "true or false", "string": "text"}

type Json = Mapping[str, Any]

NOTHING: Json = {}


def generated() -> dict[Path, str]:
    """Every page that is written from the code, by its path below docs/."""
    types = events.types()
    pages = {f"events/{type}.md": events.page(type) for type in types}
    pages |= {"events/shapes.md": events.shapes_page(), "events/README.md": _catalogue(types)}
    pages |= {"channels.md": _channels(), "settings.md": _settings(), "operations.md": _operations()}
    return {Path(name): text.rstrip("\n") + "\n" + FOOT for name, text in sorted(pages.items())}


def write(folder: Path = DOCS) -> None:
    """Write the pages; those of event types that are gone go too."""
    pages = generated()
    for path in (folder / "events").glob("*.md"):
        if path.relative_to(folder) not in pages:
            path.unlink()
    for name, text in pages.items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_text(text)


def _catalogue(types: list[str]) -> str:
    rows = [_type_row(module) for type in types if (module := events.find(type))]
    return "\n".join(
        [
            "# Event catalogue\n",
            "What a shop can post to `POST /v1/events`, each with its fields, default rules and a sample. The fields",
            "of an event's `data` are checked when it is posted; what is not described is let through and kept.",
            "[Shapes](shapes.md) tells of the objects that events share: orders, customers, money.\n",
            "A shop defines types of its own with `PUT /v1/event-types/{type}`; to ship one more with Vestnik see",
            "[Add an event type](../add-an-event-type.md).\n",
            *_table(("type", "what happened", "purpose", "told by default"), rows),
            f"\nPurposes: {PURPOSES}",
        ]
    )


def _type_row(module: ModuleType) -> tuple[str, ...]:
    told = dict.fromkeys(" by ".join(rule["id"].split("/")[1:]) for rule in module.RULES)
    summary = (module.__doc__ or "").partition("\n")[0]
    return f"[`{module.TYPE}`]({module.TYPE}.md)", summary, module.PURPOSE, ", ".join(told)


def _channels() -> str:
    found = plugins.modules(channels)
    rows = [_channel_row(module) for module in found.values()]
    return "\n".join(
        [
            "# Channels\n",
            "Rules speak of a **channel** (`email`, `sms`, `telegram`, `webhook`); the shop's **sender** for it names",
            "the **plug-in** that does the sending. `PUT /v1/senders/{id}` writes a sender, and",
            "`POST /v1/senders/{id}/test` tries it. To write one more plug-in see [Add a channel](add-a-channel.md).\n",
            *_table(("plug-in", "channel", "what it is", "feedback", "messages a second", "queues"), rows),
            "\n*Feedback*: whether the provider reports what became of a message. Without it a message ends at `sent`,",
            "and nothing can resolve a doubt whether it went ([Concepts](concepts.md#once-provably)).",
            *(line for module in found.values() for line in _channel(module)),
        ]
    )


def _channel_row(module: ModuleType) -> tuple[str, ...]:
    summary = (module.__doc__ or "").partition("\n")[0]
    queues = ", ".join(f"`{queue}`" for queue in topology.lanes(module))
    feedback = "yes" if module.FEEDBACK else "no"
    name = f"[`{module.PLUGIN}`](#{module.PLUGIN})"
    return name, module.CHANNEL, summary, feedback, f"{module.RATE:g}", queues


def _channel(module: ModuleType) -> Iterator[str]:
    yield f"\n## {module.PLUGIN}\n"
    yield (module.__doc__ or "").strip() + "\n"
    rows = [(f"`config.{name}`", *rest) for name, *rest in _fields(module.CONFIG)]
    rows += [(f"`secret.{name}`", *rest) for name, *rest in _fields(module.SECRET)]
    yield from _table(("field", "type", "needed", "meaning"), rows)


def _fields(schema: Json) -> Iterator[tuple[str, ...]]:
    for name, field in schema["properties"].items():
        needed = "yes" if name in schema.get("required", ()) else ""
        yield name, _kind(field), needed, _meaning(field)


def _settings() -> str:
    return "\n".join(
        [
            "# Settings\n",
            "All that a shop configures is data behind the API, with a working default. Every write makes a new",
            "version under the next settings revision; give the revision you saw as `If-Match`, and no change is lost.",
            "A setting with the id of a shipped one takes its place for this shop; deleted, the shipped one is back.",
            *(line for model, where in SETTINGS for line in _setting(model, where)),
        ]
    )


def _setting(model: type[Model], where: str) -> Iterator[str]:
    schema = model.model_json_schema(by_alias=True)
    shapes = schema.get("$defs", {})
    yield f"\n## {model.__name__}\n"
    yield f"{(model.__doc__ or '').strip()} Where: {where}.\n"
    rows = [
        (f"`{name}`", _kind(field, shapes), _default(name, field, schema), _meaning(field))
        for name, field in schema["properties"].items()
    ]
    yield from _table(("field", "type", "default", "meaning"), rows)


def _operations() -> str:
    document = _openapi.document()
    parts = [
        "# Operations\n",
        "Every operation of the API, by resource; [The API](api.md) tells what holds for all of them, and",
        "`GET /v1/openapi.json` has the whole of each. *Scope*: what the key must have; `admin` includes all,",
        "`operate` includes `read`.",
    ]
    for tag in document["tags"]:
        rows = [_operation(*each) for each in _operations_of(document) if tag["name"] in each[2].get("tags", ())]
        parts += [f"\n## {tag['name'].replace('_', ' ').capitalize()}\n", f"{tag['description']}\n"]
        parts += _table(("operation", "what it does", "scope"), rows)
    rows = [_operation(*each) for each in _operations_of(document) if not each[2].get("tags")]
    return "\n".join([*parts, "\n## Without a resource\n", *_table(("operation", "what it does", "scope"), rows)])


def _operations_of(document: Json) -> Iterator[tuple[str, str, Json]]:
    for path, methods in document["paths"].items():
        for method, operation in methods.items():
            yield path, method, operation


def _operation(path: str, method: str, operation: Json) -> tuple[str, ...]:
    scopes = [f"`{scope}`" for choice in operation["security"] for scope in choice["key"]]
    return f"`{method.upper()} {path}`", operation["summary"], ", ".join(scopes) or "none: no key"


def _default(name: str, field: Json, schema: Json) -> str:
    if name in schema.get("required", ()):
        return "required"
    default = field.get("default")
    return "" if default in (None, "", [], {}) else f"`{json.dumps(default)}`"


def _plain(field: Json) -> Json:
    """A field without the choice of null."""
    choices = [choice for choice in field.get("anyOf", ()) if choice.get("type") != "null"]
    return {**field, **choices[0]} if len(choices) == 1 else field


def _kind(field: Json, shapes: Json = NOTHING) -> str:
    """A field's type in a reader's words; `shapes`: what its references lead to, by name."""
    plain = _plain(field)
    if "$ref" in plain:
        name = plain["$ref"].rpartition("/")[2]
        known = any(model.__name__ == name for model, _ in SETTINGS)
        return f"[{name}](#{name.lower()})" if known else _kind(shapes[name], shapes)
    if "enum" in plain:
        return " ".join(f"`{word}`" if word else '`""`' for word in plain["enum"])
    if plain.get("type") == "array":
        return f"list of {_kind(plain['items'], shapes)}"
    if isinstance(inside := plain.get("additionalProperties"), Mapping):
        return f"object of {_kind(inside, shapes)}"
    return WORDS.get(plain.get("type", "any"), str(plain.get("type", "any")))


def _meaning(field: Json) -> str:
    """What a field says of itself, and its bounds."""
    plain = _plain(field)
    bounds = [words.format(plain[name]) for name, words in BOUNDS.items() if name in plain]
    if len(form := plain.get("pattern", "")) in range(1, LONGEST_FORM):
        bounds.append(f"written as `{form}`")
    said = [str(field.get("description", "")).rstrip("."), ", ".join(bounds)]
    return " ".join(f"{part[0].upper()}{part[1:]}." for part in said if part)


def _table(head: tuple[str, ...], rows: Sequence[tuple[str, ...]]) -> Iterator[str]:
    yield f"| {' | '.join(head)} |"
    yield "|" + "---|" * len(head)
    for row in rows:
        yield f"| {' | '.join(cell.replace('|', chr(92) + '|').replace(chr(10), ' ') for cell in row)} |"


if __name__ == "__main__":
    write()
