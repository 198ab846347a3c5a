"""A shop's own templates, each kept under its id and channel: a text for SMS leaves one of the same id for e-mail."""

from typing import Any

from vestnik import resources
from vestnik.api import _kept, _texts
from vestnik.api._problems import Fault, Problem, not_found
from vestnik.api._routes import caller
from vestnik.store import settings

KIND = "template"
UNUSED = {"sms": ("subject", "preheader", "html"), "telegram": ("subject", "preheader", "html")}


def own(id: str, channel: str) -> _kept.Entry | None:
    """The shop's own template for a channel, or None."""
    entry = _kept.own(KIND, settings.template_key(id, channel))
    return plain(entry) if entry else None


def find(id: str, channel: str | None, *, ours: bool = False) -> _kept.Entry:
    """A template as it is in force; without a channel, the shop's own of the first channel it has one for, else the
    shipped one of the first. `ours`: shipped ones do not count. Raises Problem 404."""
    for one in [channel] if channel else _texts.ORDER:
        if entry := own(id, one):
            return entry
    body = None if ours else _texts.shipped(id, channel)
    if body is None:
        raise not_found(KIND, id)
    return {"id": id, "body": dict(body), "revision": 0, "by": None, "at": None, "shipped": True}


def channel_of(id: str, channel: str | None, *, removed: bool = False) -> str:
    """The channel that is meant: the one named, else the first that the shop has (or `removed`: had) a template of its
    own for."""
    if channel:
        return channel
    ours = [one for one in _texts.ORDER if own(id, one)]
    had = [one for one in _texts.ORDER if _versions(id, one)] if removed and not ours else []
    return [*ours, *had, *_texts.ORDER][0]


def _versions(id: str, channel: str) -> list[dict[str, Any]]:
    return settings.versions(caller().shop, KIND, settings.template_key(id, channel), 1)[0]


def plain(entry: _kept.Entry) -> _kept.Entry:
    """An entry by the id that people know it by."""
    return {**entry, "id": settings.template_named(entry["id"])[0]}


def refuse_unused(body: dict[str, Any]) -> None:
    """Raises Problem 422 where a text has what its channel would never show."""
    unused = [
        f"/contents/{language}/{name}"
        for language, content in body["contents"].items()
        for name in UNUSED.get(body["channel"], ())
        if content[name]
    ]
    if unused:
        faults = [Fault(where, f"is not used by {body['channel']}", expected="text alone") for where in unused]
        raise Problem(422, "invalid", f"{unused[0]}: {faults[0].message}", *faults)


def refuse_used(id: str, channel: str) -> None:
    """Raises Problem 409 where rules of the shop name this template and nothing shipped would take its place."""
    if _texts.shipped(id, channel):
        return
    rules = settings.current(caller().shop, resources.now()).rules
    named = [name for name, rule in sorted(rules.items()) if _names(rule, id, channel)]
    if named:
        detail = f"rules write with it: {', '.join(named[:20])}; give them another template first"
        raise Problem(409, "in-use", detail, Fault("{id}", "is named by rules", found=", ".join(named[:20])))


def _names(rule: dict[str, Any], id: str, channel: str) -> bool:
    return rule["channel"] == channel and id in rule.get("templates", {}).values()
