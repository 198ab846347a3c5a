"""The one module that speaks DynamoDB: plain dicts in and out, each write with its condition."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any

from vestnik import resources

Item = dict[str, Any]
Key = tuple[str, str]


class Conflict(Exception):
    """The condition did not hold; `old` is the item as it stands ({} where there is none)."""

    def __init__(self, old: Item) -> None:
        super().__init__("the condition did not hold")
        self.old = old


def wire(value: Any) -> dict[str, Any]:
    """A plain value in DynamoDB's typed form. Sets of strings stay sets; floats are refused (store text)."""
    match value:
        case None:
            return {"NULL": True}
        case bool():
            return {"BOOL": value}
        case str():
            return {"S": value}
        case int():
            return {"N": str(value)}
        case set() | frozenset():
            return {"SS": sorted(value)}
        case dict():
            return {"M": {k: wire(v) for k, v in value.items()}}
        case list() | tuple():
            return {"L": [wire(v) for v in value]}
    raise TypeError(f"{type(value).__name__} has no place in a table: {value!r}")


def plain(value: Mapping[str, Any]) -> Any:
    """A typed DynamoDB value as a plain one. Numbers are whole here."""
    ((kind, inner),) = value.items()
    match kind:
        case "N":
            return int(inner)
        case "M":
            return {k: plain(v) for k, v in inner.items()}
        case "L":
            return [plain(v) for v in inner]
        case "SS":
            return set(inner)
        case "NULL":
            return None
    return inner


def unwire(item: Mapping[str, Any] | None) -> Item:
    """A whole item in plain values."""
    return {k: plain(v) for k, v in (item or {}).items()}


def get(table: str, pk: str, sk: str = "-", *, consistent: bool = True) -> Item | None:
    """One item, or None."""
    answer = _db().get_item(TableName=_name(table), Key=_key(pk, sk), ConsistentRead=consistent)
    return unwire(answer["Item"]) if "Item" in answer else None


def get_many(keys: Mapping[str, Iterable[Key]], *, consistent: bool = True) -> dict[tuple[str, str, str], Item]:
    """Items of several tables by (table, pk, sk), up to 100 keys a call; missing ones are left out. `consistent`:
    strongly read, at twice the price; otherwise as they were at most a second ago."""
    todo = [(table, key) for table, wanted in keys.items() for key in dict.fromkeys(wanted)]
    found: dict[tuple[str, str, str], Item] = {}
    while todo:
        batch, todo = todo[:100], todo[100:]
        todo += _get_batch(batch, found, consistent)
    return found


def _get_batch(
    batch: Sequence[tuple[str, Key]], found: dict[tuple[str, str, str], Item], consistent: bool
) -> list[tuple[str, Key]]:
    names = {_name(table): table for table, _ in batch}
    ask: dict[str, Any] = {}
    for table, key in batch:
        ask.setdefault(_name(table), {"Keys": [], "ConsistentRead": consistent})["Keys"].append(_key(*key))
    answer = _db().batch_get_item(RequestItems=ask)
    for name, items in answer["Responses"].items():
        for item in map(unwire, items):
            found[names[name], item["pk"], item["sk"]] = item
    left = answer.get("UnprocessedKeys") or {}
    return [(names[n], (k["pk"]["S"], k["sk"]["S"])) for n, asked in left.items() for k in asked["Keys"]]


def put(table: str, item: Item, *, where: str = "", values: Mapping[str, Any] | None = None) -> None:
    """Write a whole item where `where` holds (names as `#name`, values as `:name`). Raises Conflict."""
    request: dict[str, Any] = {"TableName": _name(table), "Item": {k: wire(v) for k, v in item.items()}}
    _conditional(_db().put_item, request, where, values or {})


def delete(table: str, pk: str, sk: str = "-", *, where: str = "", values: Mapping[str, Any] | None = None) -> None:
    """Remove one item where `where` holds. Raises Conflict."""
    _conditional(_db().delete_item, {"TableName": _name(table), "Key": _key(pk, sk)}, where, values or {})


def update(
    table: str,
    pk: str,
    sk: str = "-",
    *,
    put: Mapping[str, Any] | None = None,
    first: Mapping[str, Any] | None = None,
    add: Mapping[str, Any] | None = None,
    drop: Sequence[str] = (),
    take: Mapping[str, Any] | None = None,
    where: str = "",
    values: Mapping[str, Any] | None = None,
    names: Mapping[str, str] | None = None,
    back: bool = False,
    was: bool = False,
) -> Item:
    """Change one item where `where` holds: `put` sets, `first` sets only what is absent, `add` adds to numbers
    and sets, `drop` removes, `take` takes out of sets; `held.gone` names a field of a map that is there.
    `names`: what stands in the item for names that are no plain words. Answers the new item if `back`, the one before
    if `was`.
    Raises Conflict."""
    expression, bound = _expression(put or {}, first or {}, add or {}, drop, take or {})
    request: dict[str, Any] = {
        "TableName": _name(table),
        "Key": _key(pk, sk),
        "UpdateExpression": expression,
        "ReturnValues": "ALL_NEW" if back else "ALL_OLD" if was else "NONE",
    }
    answer = _conditional(_db().update_item, request, where, {**bound, **(values or {})}, expression, names)
    return unwire(answer.get("Attributes"))


def _expression(
    put: Mapping[str, Any],
    first: Mapping[str, Any],
    add: Mapping[str, Any],
    drop: Sequence[str],
    take: Mapping[str, Any],
) -> tuple[str, dict[str, Any]]:
    sets = [f"{_path(k)} = :put_{_word(k)}" for k in put]
    sets += [f"{_path(k)} = if_not_exists({_path(k)}, :first_{_word(k)})" for k in first]
    clauses = ["SET " + ", ".join(sets)] if sets else []
    clauses += ["ADD " + ", ".join(f"#{k} :add_{k}" for k in add)] if add else []
    clauses += ["DELETE " + ", ".join(f"#{k} :take_{k}" for k in take)] if take else []
    clauses += ["REMOVE " + ", ".join(map(_path, drop))] if drop else []
    bound = {f"put_{_word(k)}": v for k, v in put.items()} | {f"first_{_word(k)}": v for k, v in first.items()}
    bound |= {f"add_{k}": v for k, v in add.items()} | {f"take_{k}": v for k, v in take.items()}
    return " ".join(clauses), bound


def _path(name: str) -> str:
    """A name, or a field of a map (`held.gone`), as expressions write it."""
    return "#" + name.replace(".", ".#")


def _word(name: str) -> str:
    return name.replace(".", "_")


def _conditional(
    call: Any,
    request: dict[str, Any],
    where: str,
    values: Mapping[str, Any],
    expression: str = "",
    names: Mapping[str, str] | None = None,
) -> dict[str, Any]:
    if where:
        request["ConditionExpression"] = where
        request["ReturnValuesOnConditionCheckFailure"] = "ALL_OLD"
    _bind(request, f"{expression} {where}", values, names)
    try:
        answer: dict[str, Any] = call(**request)
    except _db().exceptions.ConditionalCheckFailedException as failed:
        raise Conflict(unwire(failed.response.get("Item"))) from None
    return answer


def _bind(
    request: dict[str, Any], text: str, values: Mapping[str, Any], names: Mapping[str, str] | None = None
) -> None:
    """Give a request the names (`#x`) and values (`:x`) that its expressions use."""
    meant = {f"#{word}": (names or {}).get(word, word) for word in _words(text, "#")}
    if meant:
        request["ExpressionAttributeNames"] = meant
    if values:
        request["ExpressionAttributeValues"] = {f":{k}": wire(v) for k, v in values.items()}


def _words(text: str, mark: str) -> Iterator[str]:
    for piece in text.split(mark)[1:]:
        end = next((i for i, c in enumerate(piece) if not (c.isalnum() or c == "_")), len(piece))
        yield piece[:end]


def query(
    table: str,
    pk: str,
    *,
    begins: str = "",
    since: str = "",
    until: str = "",
    after: str = "",
    limit: int | None = None,
    index: bool = False,
    backwards: bool = False,
) -> tuple[list[Item], str | None]:
    """One page of a partition (or of the `list` index) in order of `sk`: the items, and the `sk` to go on after.

    `begins`: only sort keys with this beginning. `until`: only those before it (with `since`: from that to it).
    `after`: start behind this one.
    """
    hash_name = "list" if index else "pk"
    where, values = "#key = :pk", {"pk": pk}
    if begins:
        where, values = f"{where} AND begins_with(#sk, :begins)", {**values, "begins": begins}
    elif since:
        where, values = f"{where} AND #sk BETWEEN :since AND :until", {**values, "since": since, "until": until}
    elif until:
        where, values = f"{where} AND #sk < :until", {**values, "until": until}
    request: dict[str, Any] = {
        "TableName": _name(table),
        "KeyConditionExpression": where,
        "ExpressionAttributeNames": {"#key": hash_name} | ({"#sk": "sk"} if begins or since or until else {}),
        "ExpressionAttributeValues": {f":{k}": wire(v) for k, v in values.items()},
        "ScanIndexForward": not backwards,
    }
    request |= {"IndexName": "list"} if index else {"ConsistentRead": True}
    request |= {"Limit": limit} if limit else {}
    request |= {"ExclusiveStartKey": _start(pk, after, index)} if after else {}
    answer = _db().query(**request)
    items = [unwire(item) for item in answer["Items"]]
    return items, (items[-1]["sk"] if items and "LastEvaluatedKey" in answer else None)


def _start(pk: str, after: str, index: bool) -> dict[str, Any]:
    if not index:
        return _key(pk, after)
    # An entry of the index is named by its list, its sort key and the item's own partition, which ends in the same id.
    shop, kind, _ = pk.rsplit("#", 2)
    return {"list": wire(pk), **_key(f"{shop}#{kind}#{after}", after)}


def query_all(table: str, pk: str, *, begins: str = "") -> Iterator[Item]:
    """A whole partition, page by page."""
    after: str | None = ""
    while after is not None:
        items, after = query(table, pk, begins=begins, after=after)
        yield from items


def transact(writes: Sequence[dict[str, Any]]) -> bool:
    """All of these writes (`put_request`, `update_request`) or none. False where a condition did not hold."""
    try:
        _db().transact_write_items(TransactItems=list(writes))
    except _db().exceptions.TransactionCanceledException as failed:
        if any(r.get("Code") == "ConditionalCheckFailed" for r in failed.response.get("CancellationReasons", [])):
            return False
        raise
    return True


def put_request(table: str, item: Item, *, where: str = "", values: Mapping[str, Any] | None = None) -> dict[str, Any]:
    """A Put for `transact`."""
    request: dict[str, Any] = {"TableName": _name(table), "Item": {k: wire(v) for k, v in item.items()}}
    return {"Put": _with_condition(request, where, "", values or {})}


def delete_request(table: str, pk: str, sk: str) -> dict[str, Any]:
    """A Delete for `transact`."""
    return {"Delete": {"TableName": _name(table), "Key": _key(pk, sk)}}


def update_request(
    table: str,
    pk: str,
    sk: str,
    *,
    put: Mapping[str, Any] | None = None,
    add: Mapping[str, Any] | None = None,
    where: str = "",
    values: Mapping[str, Any] | None = None,
) -> dict[str, Any]:
    """An Update for `transact`."""
    expression, bound = _expression(put or {}, {}, add or {}, (), {})
    request: dict[str, Any] = {"TableName": _name(table), "Key": _key(pk, sk), "UpdateExpression": expression}
    return {"Update": _with_condition(request, where, expression, {**bound, **(values or {})})}


def _with_condition(request: dict[str, Any], where: str, text: str, values: Mapping[str, Any]) -> dict[str, Any]:
    if where:
        request["ConditionExpression"] = where
    _bind(request, f"{text} {where}", values)
    return request


def write_many(table: str, *, puts: Sequence[Item] = (), deletes: Sequence[Key] = ()) -> None:
    """Unconditional writes, 25 a call, for what is harmless when repeated."""
    todo = [{"PutRequest": {"Item": {k: wire(v) for k, v in item.items()}}} for item in puts]
    todo += [{"DeleteRequest": {"Key": _key(*key)}} for key in deletes]
    while todo:
        batch, todo = todo[:25], todo[25:]
        answer = _db().batch_write_item(RequestItems={_name(table): batch})
        todo += (answer.get("UnprocessedItems") or {}).get(_name(table), [])


def _db() -> Any:
    return resources.client("dynamodb")


def _name(table: str) -> str:
    return resources.env(f"TABLE_{table.upper()}")


def _key(pk: str, sk: str) -> dict[str, Any]:
    return {"pk": {"S": pk}, "sk": {"S": sk}}
