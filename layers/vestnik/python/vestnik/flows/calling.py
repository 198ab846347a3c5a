"""Calling a marketplace: its definition of the hour, its limits, its credentials, and what the answer means.

Nothing here knows any marketplace: what differs between them is data. A wait of up to 0.3 s for a bucket is waited
here; a longer one is Later, for the queue.
"""

import json
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

from vestnik import marketplaces, resources
from vestnik.domain.market import definition_wire, definitions, expressions
from vestnik.domain.market.accounts import Account
from vestnik.domain.market.definitions import Definition, Outcome, Rendered, Verdict
from vestnik.errors import Later, Refused, Unknown
from vestnik.flows import definition_watch, definitions_in_force
from vestnik.marketplaces import Marketplace
from vestnik.outgoing import web
from vestnik.store import buckets, secrets

SHORT_WAIT = 0.3  # seconds
ANSWER_BYTES = 32 * 1024 * 1024
PARKED = timedelta(seconds=30)  # where a refusal for too many names no time
AGENT = "vestnik"
MISSPOKEN = (400, 404, 405, 410, 415, 422, 501)
MANY = 8
FEW = 5  # so many rows refused in one voice say more of the call than of the rows
HALVED = "halved"  # the outcome of rows that a limit kept from being tried apart from those refused with them

Row = Mapping[str, Any]


@dataclass(slots=True)
class Answer:
    """What one call brought. `outcomes`: by row id. `next`: where to go on, or None; `place`: where a later run begins.
    `raw`: the answer's content."""

    items: list[dict[str, Any]] = field(default_factory=list)
    outcomes: dict[str, Outcome] = field(default_factory=dict)
    next: Any = None
    place: Any = None
    raw: Any = None
    total: int | None = None
    definition: str = ""
    status: int = 0
    headers: dict[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Exchange:
    """One call as it went: what its expressions saw, the bare answer, and what it means. `shared`: what all its rows
    have in common, `claims`: what its credentials say of themselves."""

    document: dict[str, Any]
    reply: web.Answer
    verdict: Verdict
    shared: dict[str, Any] = field(default_factory=dict)
    claims: dict[str, Any] = field(default_factory=dict)


def has(account: Account, purpose: str, now: datetime) -> bool:
    """Whether the account's marketplace has a request for a purpose."""
    return definitions_in_force.find(account, purpose, now) is not None


def call(
    account: Account,
    purpose: str,
    now: datetime,
    *,
    given: Mapping[str, Any] | None = None,
    rows: Sequence[Row] = (),
    page: Mapping[str, Any] | None = None,
) -> Answer:
    """Make one call and read its answer.

    Later: not done (a bucket is empty or parked until `at`, no connection, or a read whose answer was lost). Unknown:
    a write whose answer was lost. Refused: `no-definition`, `credentials`, `gone`, or what the marketplace said.
    """
    definition = definitions_in_force.need(account, purpose, now)
    try:
        answer = perform(account, definition, now, given=given, rows=rows, page=page)
        if _worked(answer):
            definition_watch.worked(account, definition, now)
        if not (why := _useless(answer)) or not definition_watch.failed(account, definition, why, now, call=True):
            return answer
    except Refused as refused:
        blamed = refused.code == "gone" or _misspoken(definition, refused, rows)
        if not blamed or not definition_watch.failed(account, definition, refused.reason, now, call=True):
            raise
    return perform(account, definitions_in_force.need(account, purpose, now), now, given=given, rows=rows, page=page)


def _misspoken(definition: Definition, refused: Refused, rows: Sequence[Row]) -> bool:
    """Whether a refusal of the whole call speaks of how it is written: it is of many rows, or of a plain list."""
    ours = len(rows) >= FEW or definition["purpose"].endswith((".list", ".new"))
    return ours and refused.code == "refused" and refused.more.get("status") in MISSPOKEN


def _worked(answer: Answer) -> bool:
    return not answer.outcomes or any(one.ok for one in answer.outcomes.values())


def _useless(answer: Answer) -> str:
    """Why a call that was answered did nothing for any of its rows, so that the call itself must be wrong; or ""."""
    outcomes = list(answer.outcomes.values())
    if len(outcomes) < FEW or any(one.ok or one.again for one in outcomes):
        return ""
    codes = {one.code for one in outcomes}
    return f"all {len(outcomes)} rows refused: {outcomes[0].code} {outcomes[0].message}" if len(codes) == 1 else ""


def pages(
    account: Account, purpose: str, now: datetime, *, given: Mapping[str, Any] | None = None, start: Any = None
) -> Iterator[Answer]:
    """Page by page from `start` (the `next` of an earlier answer); each answer's `next` is where to resume."""
    following = start
    while True:
        page = {"offset": following or 0} if isinstance(following, int | None) else {}
        answer = call(account, purpose, now, given=given, page={**page, "cursor": following})
        yield answer
        if answer.next is None or answer.next == following:
            return
        following = answer.next


def batches(account: Account, purpose: str, rows: Sequence[Row], now: datetime) -> Iterator[list[Row]]:
    """`rows` cut into calls: of one kind (`batch.by`), at most so many rows and bytes."""
    definition = definitions_in_force.need(account, purpose, now)
    told = definition.get("batch", {})
    groups: dict[tuple[Any, ...], list[Row]] = {}
    for row in rows:
        groups.setdefault(tuple(_common(definition, row).values()), []).append(row)
    most = told.get("rows", 1)
    for group in groups.values():
        for at in range(0, len(group), most):
            yield from _fitting(account, definition, group[at : at + most], told.get("bytes"), now)


def _fitting(
    account: Account, definition: Definition, rows: list[Row], most: int | None, now: datetime
) -> Iterator[list[Row]]:
    document = document_of(account, definition, {}, rows, None, now)
    if most is None or len(rows) < 2 or len(definitions.rendered(definition, document).body) <= most:
        yield rows
        return
    middle = len(rows) // 2
    yield from _fitting(account, definition, rows[:middle], most, now)
    yield from _fitting(account, definition, rows[middle:], most, now)


def perform(
    account: Account,
    definition: Definition,
    now: datetime,
    *,
    given: Mapping[str, Any] | None = None,
    rows: Sequence[Row] = (),
    page: Mapping[str, Any] | None = None,
) -> Answer:
    """Make the call that this definition describes. Raises as `call`."""
    done = exchange(account, definition, now, given=given, rows=rows, page=page)
    _act_on(marketplaces.shipped(account.marketplace), definition, done, now)
    if done.verdict.do == "halve":
        return _halved(account, definition, now, given or {}, rows)
    return answer_of(definition, done)


def exchange(
    account: Account,
    definition: Definition,
    now: datetime,
    *,
    given: Mapping[str, Any] | None = None,
    rows: Sequence[Row] = (),
    page: Mapping[str, Any] | None = None,
) -> Exchange:
    """Send the call and judge the answer, within the account's limits; what it means is for the caller to act on.
    Raises Later (not sent), Unknown (a write whose answer was lost), Refused (it cannot be written)."""
    market = marketplaces.shipped(account.marketplace)
    document = document_of(account, definition, given or {}, rows, page, now)
    rendered = definitions.rendered(definition, document)
    ids = [definitions.row_id(definition, row) for row in rows]
    with _allowed(account, market, definition, document, now):
        reply = _send(account, market, definition, rendered)
    verdict = definitions.judged(definition, reply.status, _content(reply), ids, market.too_many)
    _heed(account, market, definition, reply, verdict, now)
    claims = definitions.claimed(definition, secrets.account_secret(account.shop, account.id))
    return Exchange(document, reply, verdict, _shared(definition, rows), claims)


def _shared(definition: Definition, rows: Sequence[Row]) -> dict[str, Any]:
    """What the rows of a call have in common."""
    return _common(definition, rows[0]) if rows else {}


def _common(definition: Definition, row: Row) -> dict[str, Any]:
    """What a row has in common with the others of its call. Refused `expression` where it has no such thing."""
    names = definition.get("batch", {}).get("by", ())
    if absent := [name for name in names if name not in row]:
        raise Refused(f"its rows have no {absent[0]!r} to go by", code="expression", where="/batch/by")
    return {name: row[name] for name in names}


def document_of(
    account: Account,
    definition: Definition,
    given: Mapping[str, Any],
    rows: Sequence[Row],
    page: Mapping[str, Any] | None,
    now: datetime,
) -> dict[str, Any]:
    """All that a definition's expressions may see. What the rows of a call share is given to its path too."""
    limit = definition.get("paging", {}).get("limit")
    asked = {"limit": limit, "offset": 0, "cursor": None, **(page or {})}
    if not isinstance(asked["limit"], int | None) or not isinstance(asked["offset"], int):
        raise Refused("a page's limit and offset are whole numbers", code="expression", where="/page")
    return {
        "account": definitions_in_force.facts(account),
        "given": {**_shared(definition, rows), **given},
        "rows": list(rows),
        "page": asked,
        "now": expressions.rfc3339(now),
    }


@contextmanager
def _allowed(
    account: Account, market: Marketplace, definition: Definition, document: Mapping[str, Any], now: datetime
) -> Iterator[None]:
    """Take from every bucket that the call costs; what is held for its length is given back after it. Raises Later."""
    taken: list[tuple[str, Mapping[str, Any], int, str]] = []
    try:
        for limit in definition.get("limits", ()):
            cost = definition_wire.cost(limit, document)
            name, spec = _bucket(account, market, limit["bucket"])
            holder = resources.new_id(6) if spec["kind"] == "parallel" else ""
            now = _take(name, spec, cost, now, holder)
            taken.append((name, spec, cost, holder))
    except (Later, Refused):
        for name, spec, cost, holder in taken:
            buckets.give_back(name, spec, cost, now, holder)
        raise
    try:
        yield
    finally:
        for name, spec, cost, holder in taken:
            if holder:
                buckets.give_back(name, spec, cost, now, holder)


def _take(name: str, spec: Mapping[str, Any], cost: int, now: datetime, holder: str) -> datetime:
    """Take from a bucket, waiting a moment where that is all it needs; the time when it was taken."""
    wait, waited = buckets.take(name, spec, cost, now, holder), 0.0
    while wait:
        if waited + wait > SHORT_WAIT:
            raise Later(f"{name} is used up", at=now + timedelta(seconds=wait))
        resources.pause(wait)
        waited, now = waited + wait, now + timedelta(seconds=wait)
        wait = buckets.take(name, spec, cost, now, holder)
    return now


def _bucket(account: Account, market: Marketplace, bucket: str) -> tuple[str, Mapping[str, Any]]:
    """A bucket's name among all accounts', and how it counts for this one (`by`: a setting that chooses)."""
    spec = market.buckets[bucket]
    if "by" in spec:
        variants = spec["variants"]
        spec = variants.get(account.settings.get(spec["by"]), next(iter(variants.values())))
    return f"{account.shop}#{account.id}#{bucket}", spec


def _send(account: Account, market: Marketplace, definition: Definition, rendered: Rendered) -> web.Answer:
    if rendered.host not in market.domains:
        raise Refused(f"{rendered.host} is none of {market.title}'s hosts", code="host", where="/host")
    known = {"credentials": secrets.account_secret(account.shop, account.id)}
    told = {name: expressions.filled(value, known) for name, value in rendered.headers.items()}
    headers = {name: definition_wire.header(name, value) for name, value in told.items()}
    headers |= {"Accept": "application/json", "User-Agent": AGENT}
    if body := rendered.body:
        headers["Content-Type"] = "application/json"
    url = web.base(rendered.host) + rendered.target
    try:
        return web.ask(rendered.method, url, body, headers, most=ANSWER_BYTES, whole=True, name=market.title)
    except Unknown as lost:
        if definitions.writes(definition):
            raise
        raise Later(str(lost)) from None


def _act_on(market: Marketplace, definition: Definition, done: Exchange, now: datetime) -> None:
    """Pass where the rows have their outcomes; else raise what is to be done."""
    reply, verdict = done.reply, done.verdict
    match verdict.do:
        case "ok" | "take-out" | "halve":
            return
        case "park":
            raise Later(f"{market.title}: too many", at=_until(market, reply, now))
        case "retry" if reply.status >= 500 and definitions.writes(definition) and not done.document["rows"]:
            raise Unknown(f"{market.title} answered {reply.status} {verdict.code}")
        case "retry":
            raise Later(f"{market.title} answered {reply.status} {verdict.code} {verdict.message}".strip())
    refused = "credentials" if reply.status in (401, 403) and verdict.do == "give-up" else verdict.do
    said = f"{market.title} answered {reply.status} {verdict.code} {verdict.message}".strip()
    raise Refused(said, code="refused" if refused == "give-up" else refused, status=reply.status, said=verdict.code)


def _heed(
    account: Account,
    market: Marketplace,
    definition: Definition,
    reply: web.Answer,
    verdict: Verdict,
    now: datetime,
) -> None:
    """Let the account's buckets know what the answer told and what it cost."""
    left = reply.headers.get(market.headers.get("remaining", "").lower(), "")
    for limit in definition.get("limits", ()):
        name, spec = _bucket(account, market, limit["bucket"])
        if verdict.do == "park" and spec["kind"] != "parallel":
            buckets.park(name, now, _until(market, reply, now))
        if 400 <= reply.status < 500:
            buckets.fine(name, spec, now)
        if left.isdigit() and reply.status < 400:
            buckets.told(name, spec, now, int(left))


def _until(market: Marketplace, reply: web.Answer, now: datetime) -> datetime:
    """When the marketplace may be asked again, as its headers tell; a while where they do not, a day at most."""
    for header in (market.headers.get("retry", ""), "retry-after", market.headers.get("until", "")):
        told = reply.headers.get(header.lower(), "")
        try:
            at = now + timedelta(seconds=float(told))
        except (ValueError, OverflowError):
            at = expressions.time(told) or now
        if told and at > now:
            return min(at, now + timedelta(days=1))
    return now + PARKED


def _content(reply: web.Answer) -> Any:
    try:
        return json.loads(reply.body) if reply.body else None
    except (ValueError, RecursionError):
        return None


def _halved(
    account: Account, definition: Definition, now: datetime, given: Mapping[str, Any], rows: Sequence[Row]
) -> Answer:
    """A batch was refused without a word on which row: one half after the other, down to the one that is wrong. Where
    many in a row are all refused, the call itself is wrong, and the rest is not tried one by one."""
    middle, answer = len(rows) // 2, Answer(definition=definition["id"])
    first = _half(account, definition, now, given, rows[:middle])
    answer.outcomes |= first
    refused = next((one for one in first.values() if not one.ok and not one.again), None)
    if refused and len(first) >= MANY and not any(one.ok or one.again for one in first.values()):
        answer.outcomes |= {definitions.row_id(definition, row): refused for row in rows[middle:]}
    else:
        answer.outcomes |= _half(account, definition, now, given, rows[middle:])
    return answer


def _half(
    account: Account, definition: Definition, now: datetime, given: Mapping[str, Any], rows: Sequence[Row]
) -> dict[str, Outcome]:
    try:
        return perform(account, definition, now, given=given, rows=rows).outcomes
    except (Later, Unknown) as later:
        again = Outcome(False, True, HALVED, str(later))
        return {definitions.row_id(definition, row): again for row in rows}


def answer_of(definition: Definition, done: Exchange) -> Answer:
    """What an exchange brought, in our form. Refused `mapping`, `expression` where the answer does not fit it."""
    content, page = _content(done.reply), done.document["page"]
    found = list[dict[str, Any]]()
    if definition.get("answer") or definition.get("items"):
        found = definitions.items(definition, content, done.shared)
        found = [{**one, **done.claims} for one in found]
    count = len(definitions.listed(definition, content))
    return Answer(
        found,
        done.verdict.outcomes,
        definitions.following(definition, content, page, count),
        definitions.place(definition, content),
        content,
        _total(definition, content),
        definition["id"],
        done.reply.status,
        done.reply.headers,
    )


def _total(definition: Definition, content: Any) -> int | None:
    found = expressions.value((definition.get("paging") or {}).get("total"), content)
    return int(found) if isinstance(found, int) or (isinstance(found, str) and found.isdecimal()) else None
