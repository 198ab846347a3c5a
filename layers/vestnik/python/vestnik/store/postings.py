"""Postings of marketplaces: each as it stands, its raw payload beside it, the open ones once more by their urgency.

    {shop}#posting#{account}:{number}   {account}:{number}   body, rev, applied
                                        raw                  the payload as it came, 90 days
    {shop}#posting#{yymmdd}             {created_at}#{id}    the list of a day, by the time of creation
    {shop}#open#{account}               {ship_by}#{id}       what a run and a list need to know without the body

A body of many lines or a large payload is kept deflated, or it would find no room in an item (400 KB).

A posting and its entries change together or not at all. `applied == rev`: what the body asks of stock and of events
is done; until then the entry stays, so that the next run finds it.
"""

import json
import zlib
from base64 import b85decode, b85encode
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from vestnik.domain.market import postings
from vestnik.domain.market.postings import Posting
from vestnik.errors import Refused
from vestnik.store import dynamo, keys

TABLE = "orders"
KIND = "posting"
LARGE = 300_000  # bytes; what has more is deflated
DEFLATED = "z"
LARGEST = 390_000  # bytes; an item of DynamoDB's may have 400 KB, and has some fields beside
RAW_KEPT = timedelta(days=90)  # after it was last read: it may name the buyer
WORKING = ("asked", "running")

type Step = Callable[[Posting | None], Posting | None]


@dataclass(frozen=True, slots=True)
class Stored:
    """A posting as it stands. `rev` counts its changes; `applied`: up to which its effects are done."""

    shop: str
    body: Posting
    rev: int = 0
    applied: int = 0

    @property
    def id(self) -> str:
        """`{account}:{number}`."""
        return postings.id_of(self.body["account"], self.body["number"])

    @property
    def settled(self) -> bool:
        """Whether stock and events know of its last change."""
        return self.applied == self.rev


def get(shop: str, account: str, number: str) -> Stored | None:
    """One posting, or None."""
    item = dynamo.get(TABLE, *_key(shop, postings.id_of(account, number)))
    return _stored(shop, item) if item else None


def get_many(shop: str, ids: Iterable[str]) -> dict[str, Stored]:
    """Postings by their ids; what there is not is left out."""
    found = dynamo.get_many({TABLE: [_key(shop, id) for id in ids]})
    return {sk: _stored(shop, item) for (_, _, sk), item in found.items()}


def change(shop: str, account: str, number: str, step: Step, *, seen: Stored | None = None) -> Stored | None:
    """The posting after `step`, which is given its body (None: there is none) and answers the new one, or None for no
    change. Where another writer came between, it is asked again. `seen`: what the caller has just read. Refused
    `too-big`: not even deflated does it fit into an item."""
    before = seen if seen is not None else get(shop, account, number)
    while (body := step(before.body if before else None)) is not None:
        after = Stored(shop, body, before.rev + 1 if before else 1, before.applied if before else 0)
        if dynamo.transact(_writes(after, before)):
            return after
        before = get(shop, account, number)
    return before


def applied(stored: Stored, told: Iterable[str], takes: str = "") -> Stored | None:
    """Note that the effects of this very revision are done, and its events (ids) told. None where it changed meanwhile:
    then they are to be done again, for what it is now. `takes`: a mark of what it takes of the stock from now on."""
    done = set(told)
    tell = [event for event in stored.body["tell"] if event["id"] not in done]
    body = {**stored.body, "tell": tell} | ({"takes": takes} if takes else {})
    after = Stored(stored.shop, body, stored.rev + 1, stored.rev + 1)
    return after if dynamo.transact(_writes(after, stored)) else None


def _writes(after: Stored, before: Stored | None) -> list[dict[str, Any]]:
    """The posting, where nobody came between; with its open entry, and the one before taken away."""
    where, values = ("#rev = :seen", {"seen": before.rev}) if before else ("attribute_not_exists(#pk)", {})
    writes = [dynamo.put_request(TABLE, _item(after), where=where, values=values)]
    for entry in (_row, _listed):
        writes += _moved(entry(after), entry(before) if before else None)
    return writes


def _moved(row: dynamo.Item | None, old: dynamo.Item | None) -> Iterator[dict[str, Any]]:
    """An entry where it belongs now, and no longer where it was."""
    if row is not None and row != old:
        yield dynamo.put_request(TABLE, row)
    if old is not None and (row is None or (row["pk"], row["sk"]) != (old["pk"], old["sk"])):
        yield dynamo.delete_request(TABLE, old["pk"], old["sk"])


def _item(one: Stored) -> dynamo.Item:
    pk, sk = _key(one.shop, one.id)
    body = _packed(one.body)
    if len(body.encode()) > LARGEST:
        reason = f"{one.id} has {len(one.body['lines'])} lines and is too large to be kept"
        raise Refused(reason, code="too-big")
    return {"pk": pk, "sk": sk, "v": 1, "rev": one.rev, "applied": one.applied, "body": body}


def _packed(value: Any) -> str:
    """JSON as text; where it is large, deflated and in base 85 behind a `z`, with which no JSON begins."""
    text = json.dumps(value, ensure_ascii=False, separators=(",", ":"))
    plain = text.encode()
    return text if len(plain) <= LARGE else DEFLATED + b85encode(zlib.compress(plain)).decode()


def _unpacked(kept: str) -> Any:
    deflated = kept.startswith(DEFLATED)
    return json.loads(zlib.decompress(b85decode(kept.removeprefix(DEFLATED))) if deflated else kept)


def _listed(one: Stored) -> dynamo.Item:
    """The entry in its day's list; what names no time of creation was created when it was first seen."""
    told = one.body.get("created_at") or one.body["seen_at"]
    day = keys.day(postings.read_moment(told) or datetime.min)
    return {"pk": keys.postings(one.shop, day), "sk": f"{told}#{one.id}", "v": 1}


def _row(one: Stored) -> dynamo.Item | None:
    """The open entry: None for a posting of which nothing more is expected and all is done, also what was asked."""
    body = one.body
    works = (body.get("operation") or {}).get("state") in WORKING
    if not postings.is_open(body) and one.settled and not works:
        return None
    place = keys.open_postings(one.shop, body["account"]), keys.open_row(body.get("ship_by", ""), one.id)
    flags = {
        "due": not one.settled,
        "op": works,
        "unlinked": body.get("held_up") == "unlinked",
        "left": body["left"],
        "closed": body["closed"],
    }
    words = {name: body.get(name) or "" for name in ("number", "status", "scheme", "late")}
    return {"pk": place[0], "sk": place[1], "v": 1, **words, **flags}


def open_entries(
    shop: str, account: str, *, after: str = "", limit: int = 0
) -> tuple[list[dict[str, Any]], str | None]:
    """A page of an account's open entries, the most urgent first: {sk, number, status, scheme, late, due, op, unlinked,
    left, closed}; and where to go on."""
    return dynamo.query(TABLE, keys.open_postings(shop, account), after=after, limit=limit or None)


def every_open(shop: str, account: str) -> Iterator[dict[str, Any]]:
    """All open entries of an account, the most urgent first."""
    return dynamo.query_all(TABLE, keys.open_postings(shop, account))


def of_day(shop: str, day: str, limit: int, after: str = "") -> tuple[list[str], str | None]:
    """The ids of a page of a day's postings, the newest first, and where to go on."""
    items, more = dynamo.query(TABLE, keys.postings(shop, day), after=after, limit=limit, backwards=True)
    return [item["sk"].partition("#")[2] for item in items], more


def keep_raw(shop: str, account: str, number: str, raw: Any, read_at: str) -> None:
    """Keep the payload as it came, for a time, unless a newer one lies there. One that has no room even deflated (some
    megabytes) leaves a note of its size: {too_big: bytes}."""
    body = _packed(raw)
    if len(body.encode()) > LARGEST:
        body = _packed({"too_big": len(json.dumps(raw, ensure_ascii=False).encode())})
    pk, _ = _key(shop, postings.id_of(account, number))
    expires = int((datetime.fromisoformat(read_at) + RAW_KEPT).timestamp())
    item = {"pk": pk, "sk": "raw", "v": 1, "body": body, "read_at": read_at, "expires": expires}
    try:
        where = "attribute_not_exists(#pk) OR #read_at <= :read_at"
        dynamo.put(TABLE, item, where=where, values={"read_at": read_at})
    except dynamo.Conflict:
        return


def raw(shop: str, account: str, number: str) -> tuple[Any, str] | None:
    """The payload as it last came, and when; None where there is none."""
    pk, _ = _key(shop, postings.id_of(account, number))
    item = dynamo.get(TABLE, pk, "raw")
    return (_unpacked(item["body"]), item["read_at"]) if item else None


def drop_raw(shop: str, account: str, number: str) -> None:
    """Keep the payload no more. Unconditional: done twice it is the same."""
    pk, _ = _key(shop, postings.id_of(account, number))
    dynamo.delete(TABLE, pk, "raw")


def join(shop: str, account: str, group: str, number: str) -> None:
    """Note that a posting belongs to what one buyer ordered together. Unconditional: done twice it is the same."""
    dynamo.put(TABLE, {"pk": keys.together(shop, account, group), "sk": number, "v": 1})


def together(shop: str, account: str, group: str) -> list[str]:
    """The numbers of the postings that one buyer ordered together."""
    return [item["sk"] for item in dynamo.query_all(TABLE, keys.together(shop, account, group))]


def place(shop: str, account: str) -> dict[str, Any]:
    """Up to where an account's orders were read: {until?, since?, to?, page?, began?, seen?}; {} at first."""
    item = dynamo.get(TABLE, keys.polled(shop, account))
    found: dict[str, Any] = json.loads(item["body"]) if item else {}
    return {**found, "rev": item["rev"]} if item else {}


def keep_place(shop: str, account: str, before: Mapping[str, Any], after: Mapping[str, Any]) -> dict[str, Any]:
    """Note a new place where no other run has noted one since `before` was read. Raises Conflict: a run that overlaps
    another has lost its lease and must stop."""
    rev = int(before.get("rev", 0))
    kept = {name: found for name, found in after.items() if name != "rev"}
    text = json.dumps(kept, ensure_ascii=False, separators=(",", ":"))
    item = {"pk": keys.polled(shop, account), "sk": "-", "v": 1, "rev": rev + 1, "body": text}
    where, values = ("#rev = :seen", {"seen": rev}) if rev else ("attribute_not_exists(#pk)", {})
    try:
        dynamo.put(TABLE, item, where=where, values=values)
    except dynamo.Conflict as conflict:
        if (conflict.old.get("rev"), conflict.old.get("body")) != (rev + 1, text):
            raise
    return {**kept, "rev": rev + 1}


def forget_place(shop: str, account: str) -> None:
    """Let an account's orders be read from the start. Unconditional: done twice it is the same."""
    dynamo.delete(TABLE, keys.polled(shop, account), "-")


def _key(shop: str, id: str) -> dynamo.Key:
    return keys.record(shop, KIND, id), id


def _stored(shop: str, item: dynamo.Item) -> Stored:
    return Stored(shop, _unpacked(item["body"]), item["rev"], item["applied"])
