"""Accounts: one of a shop's cabinets at a marketplace, and whether what is told of it is whole."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from vestnik.domain.market import expressions
from vestnik.errors import Refused

STATES = ("new", "dry", "connected", "paused")
ZERO_LIMIT_PERCENT = 20
"""A run that would zero more of an account's linked units than this waits for a person."""
TYPES: dict[str, tuple[type, str]] = {
    "integer": (int, "a whole number"),
    "string": (str, "a text"),
    "boolean": (bool, "true or false"),
    "array": (list, "a list"),
}

Setting = Mapping[str, Any]


@dataclass(frozen=True)
class Account:
    """One cabinet. `settings`: the marketplace's own (business, campaign, token type); `body`: the whole setting."""

    shop: str
    id: str
    marketplace: str
    settings: dict[str, Any] = field(default_factory=dict)
    body: dict[str, Any] = field(default_factory=dict)

    @property
    def state(self) -> str:
        """`new`: nothing asked of it yet, `dry`: a dry run was looked at, `connected`, `paused`."""
        return str(self.body.get("state", "new"))


@dataclass(frozen=True, slots=True)
class Missing:
    """What is not right in an account's description: a JSON pointer, what is wrong, what would be right."""

    where: str
    message: str
    expected: str


def account(shop: str, id: str, body: Setting) -> Account:
    """The account that a setting describes."""
    return Account(shop, id, str(body["marketplace"]), dict(body.get("settings") or {}), dict(body))


def settings_faults(wanted: Mapping[str, Setting], given: Setting) -> Iterator[Missing]:
    """What a marketplace's `settings` (as its marketplace.json declares them) lacks in an account's."""
    for name, about in wanted.items():
        kind, meant = TYPES.get(str(about.get("type", "string")), TYPES["string"])
        title = str(about.get("title", name))
        if given.get(name) is None:
            if about.get("required"):
                yield Missing(f"/settings/{name}", "is missing", f"{title}: {meant}")
        elif not _is(given[name], kind):
            yield Missing(f"/settings/{name}", "is of another kind", f"{title}: {meant}")
        elif about.get("enum") and given[name] not in about["enum"]:
            yield Missing(f"/settings/{name}", "is none of its values", ", ".join(map(str, about["enum"])))
    for name in sorted(set(given) - set(wanted)):
        yield Missing(f"/settings/{name}", "there is no such setting", "one of " + ", ".join(sorted(wanted)))


def _is(value: Any, kind: type) -> bool:
    return isinstance(value, kind) and (kind is bool or not isinstance(value, bool))


def credential_faults(wanted: Mapping[str, str], given: Mapping[str, str]) -> Iterator[Missing]:
    """Which credentials of a marketplace are not given or cannot be sent, and which given ones it does not know. What
    was given is never quoted."""
    for name, about in wanted.items():
        if not given.get(name):
            yield Missing(f"/credentials/{name}", "is missing", str(about))
        elif not sendable(given[name]):
            why = "has a sign that no key has, such as a line break or a letter that is not Latin"
            yield Missing(f"/credentials/{name}", why, "printable ASCII: copy it again")
    for name in sorted(set(given) - set(wanted)):
        yield Missing(f"/credentials/{name}", "there is no such credential", "one of " + ", ".join(sorted(wanted)))


def sendable(value: str) -> bool:
    """Whether a value may stand in a header (RFC 9110, 5.5), of which all sides make the same: printable ASCII."""
    return all(" " <= sign <= "~" for sign in value)


def mapping_faults(given: Mapping[str, str]) -> Iterator[Missing]:
    """Which expressions of `carry_over` cannot be read."""
    for name, expression in given.items():
        try:
            expressions.compiled(expression)
        except Refused as wrong:
            yield Missing(f"/carry_over/{name}", wrong.reason, "a JMESPath expression over the product")


def scheme_faults(known: Mapping[str, str], given: list[str]) -> Iterator[Missing]:
    """Which schemes the marketplace does not have."""
    for place, name in enumerate(given):
        if name not in known:
            yield Missing(f"/schemes/{place}", "is no scheme of it", "one of " + ", ".join(known))
