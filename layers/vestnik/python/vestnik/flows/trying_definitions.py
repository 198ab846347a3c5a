"""Trying a request definition: what it would send, and what the marketplace answers to it, with no secret shown."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field
from datetime import datetime
from typing import Any

from vestnik.domain.market import definitions
from vestnik.domain.market.accounts import Account
from vestnik.domain.market.definitions import Definition
from vestnik.errors import Later, Refused, Unknown
from vestnik.flows import calling
from vestnik.store import secrets

LONGEST_BODY = 20_000  # characters of an answer
MOST_ITEMS = 20
HIDDEN = "•••"
SHORTEST_SECRET = 4
QUIET_HEADERS = ("set-cookie", "authorization")


@dataclass(slots=True)
class Tried:
    """What became of a trial. `outcome`: ok, retry, park, take-out, halve, give-up, gone (as the definition judges the
    answer), or not-sent, unknown, refused where there was none. `rows`: {ok, again, code, message} by row id."""

    outcome: str
    code: str = ""
    reason: str = ""
    status: int | None = None
    sent: dict[str, Any] = field(default_factory=dict)
    headers: dict[str, str] = field(default_factory=dict)
    body: str = ""
    items: list[dict[str, Any]] = field(default_factory=list)
    count: int = 0
    rows: dict[str, dict[str, Any]] = field(default_factory=dict)
    next: Any = None


def would_send(
    account: Account,
    definition: Definition,
    now: datetime,
    *,
    given: Mapping[str, Any] | None = None,
    rows: Sequence[Mapping[str, Any]] = (),
    page: Mapping[str, Any] | None = None,
) -> dict[str, Any]:
    """The call as it would go on the wire: {method, url, headers, body}; credentials stand as their names in braces.
    Refused `expression` where the data does not suit it."""
    document = calling.document_of(account, definition, given or {}, rows, page, now)
    rendered = definitions.rendered(definition, document)
    return {
        "method": rendered.method,
        "url": f"https://{rendered.host}{rendered.target}",
        "headers": rendered.headers,
        "body": rendered.content,
    }


def tried(
    account: Account,
    definition: Definition,
    now: datetime,
    *,
    given: Mapping[str, Any] | None = None,
    rows: Sequence[Mapping[str, Any]] = (),
    page: Mapping[str, Any] | None = None,
) -> Tried:
    """Make the call for real, within the account's limits, and show all there is to see."""
    try:
        sent = would_send(account, definition, now, given=given, rows=rows, page=page)
        done = calling.exchange(account, definition, now, given=given, rows=rows, page=page)
    except Refused as refused:
        return Tried("refused", refused.code, refused.reason)
    except Later as later:
        return Tried("not-sent", "try-again", later.reason, sent=sent)
    except Unknown as unknown:
        return Tried("unknown", "unknown", str(unknown), sent=sent)
    return _read(account, definition, done, sent)


def _read(account: Account, definition: Definition, done: calling.Exchange, sent: dict[str, Any]) -> Tried:
    reply, verdict = done.reply, done.verdict
    hide = _Hiding(account)
    seen = Tried(verdict.do, verdict.code, hide.text(verdict.message), reply.status, sent)
    seen.headers = {k: hide.text(v) for k, v in sorted(reply.headers.items()) if k not in QUIET_HEADERS}
    seen.body = hide.text(reply.body.decode(errors="replace")[:LONGEST_BODY])
    seen.rows = {id: asdict(outcome) for id, outcome in verdict.outcomes.items()}
    if verdict.do == "ok":
        _map(definition, done, seen, hide)
    return seen


def _map(definition: Definition, done: calling.Exchange, seen: Tried, hide: "_Hiding") -> None:
    """Add what our side would read in the answer, or why the mapping does not fit it."""
    try:
        found = calling.answer_of(definition, done)
    except Refused as wrong:
        seen.outcome, seen.code, seen.reason = "mapping", wrong.code, wrong.reason
        return
    seen.count, seen.next = len(found.items), found.next
    shown = [{k: v for k, v in one.items() if k != "raw"} for one in found.items[:MOST_ITEMS]]
    seen.items = json.loads(hide.text(json.dumps(shown, ensure_ascii=False)))


class _Hiding:
    """Takes an account's credentials out of texts, should an answer repeat them."""

    def __init__(self, account: Account) -> None:
        values = secrets.account_secret(account.shop, account.id).values()
        self._values = sorted((v for v in values if len(v) >= SHORTEST_SECRET), key=len, reverse=True)

    def text(self, text: str) -> str:
        """The text without them."""
        for value in self._values:
            text = text.replace(value, HIDDEN)
        return text
