"""A DynamoDB in memory, for volumes that moto is too slow for: it speaks what the store speaks, counts what DynamoDB
bills (whole units of 1 KB written and 4 KB read), and passes the store's contract suite.

Prices follow the developer guide, "Read and write capacity": a write is billed by the larger of the item before and
after, a failed condition too; a read by the items of a call, each rounded up in a batch; half for eventual reads; a
transaction twice.
"""

import threading
from bisect import bisect_left, insort
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import Any

from botocore.exceptions import ClientError

from benchmarks import dynamo_expressions

Typed = dict[str, Any]
PAGE_BYTES = 1024 * 1024


class ConditionalCheckFailedException(ClientError):
    """As botocore's."""


class TransactionCanceledException(ClientError):
    """As botocore's."""


class Exceptions:
    """What `client.exceptions` has."""

    ConditionalCheckFailedException = ConditionalCheckFailedException
    TransactionCanceledException = TransactionCanceledException


class Table:
    """One table: items by partition, and each partition's sort keys in order."""

    def __init__(self) -> None:
        self.items: dict[str, dict[str, Typed]] = {}
        self.order: dict[str, list[str]] = {}
        self.listed: dict[str, list[tuple[str, str]]] = {}
        self.sizes: dict[tuple[str, str], int] = {}

    def get(self, key: Typed) -> Typed | None:
        return self.items.get(key["pk"]["S"], {}).get(key["sk"]["S"])

    def size(self, key: Typed) -> int:
        """How large an item is, counted when first asked; 0 where there is none."""
        pk, sk = key["pk"]["S"], key["sk"]["S"]
        if (pk, sk) not in self.sizes:
            item = self.items.get(pk, {}).get(sk)
            self.sizes[pk, sk] = item_size(item) if item else 0
        return self.sizes[pk, sk]

    def put(self, item: Typed) -> None:
        self.remove(item)
        pk, sk = item["pk"]["S"], item["sk"]["S"]
        self.items.setdefault(pk, {})[sk] = item
        self.sizes.pop((pk, sk), None)
        insort(self.order.setdefault(pk, []), sk)
        if "list" in item:
            insort(self.listed.setdefault(item["list"]["S"], []), (sk, pk))

    def remove(self, key: Typed) -> Typed | None:
        pk, sk = key["pk"]["S"], key["sk"]["S"]
        old = self.items.get(pk, {}).pop(sk, None)
        if old is None:
            return None
        self.sizes.pop((pk, sk), None)
        order = self.order[pk]
        del order[bisect_left(order, sk)]
        if "list" in old:
            self.listed[old["list"]["S"]].remove((sk, pk))
        return old


class MemoryDynamo:
    """A client of that database. `billed`: read and write units by operation; `calls`: requests by operation."""

    exceptions = Exceptions

    def __init__(self) -> None:
        self._tables: dict[str, Table] = {}
        self._lock = threading.RLock()
        self.billed: Counter[str] = Counter()
        self.calls: Counter[str] = Counter()

    def reset_bill(self) -> None:
        """Begin to count anew."""
        self.billed.clear()
        self.calls.clear()

    @property
    def read_units(self) -> float:
        """Read request units so far."""
        return self.billed["read"] / 2

    @property
    def write_units(self) -> int:
        """Write request units so far."""
        return self.billed["write"]

    def get_item(self, TableName: str, Key: Typed, ConsistentRead: bool = False) -> Typed:
        """One item."""
        with self._call("get_item"):
            found = self.table(TableName).get(Key)
            self._read([self.table(TableName).size(Key)], ConsistentRead)
            return {"Item": found} if found is not None else {}

    def batch_get_item(self, RequestItems: Typed) -> Typed:
        """Up to 100 items."""
        with self._call("batch_get_item"):
            if sum(len(asked["Keys"]) for asked in RequestItems.values()) > 100:
                raise ValueError("too many items requested for the BatchGetItem call")
            answer: dict[str, list[Typed]] = {}
            for name, asked in RequestItems.items():
                table = self.table(name)
                found = [table.get(key) for key in asked["Keys"]]
                self._read(map(table.size, asked["Keys"]), bool(asked.get("ConsistentRead")))
                answer[name] = [item for item in found if item is not None]
            return {"Responses": answer, "UnprocessedKeys": {}}

    def put_item(self, TableName: str, Item: Typed, **more: Any) -> Typed:
        """Write an item where a condition holds."""
        with self._call("put_item"):
            old = self._checked(TableName, Item, more)
            self.table(TableName).put(Item)
            self._write(old, Item)
            return {}

    def delete_item(self, TableName: str, Key: Typed, **more: Any) -> Typed:
        """Remove an item where a condition holds."""
        with self._call("delete_item"):
            old = self._checked(TableName, Key, more)
            self.table(TableName).remove(Key)
            self._write(old, None)
            return {"Attributes": old} if old and more.get("ReturnValues") == "ALL_OLD" else {}

    def update_item(self, TableName: str, Key: Typed, **more: Any) -> Typed:
        """Change an item where a condition holds."""
        with self._call("update_item"):
            old = self._checked(TableName, Key, more)
            new = self._updated(Key, old, more)
            self.table(TableName).put(new)
            self._write(old, new)
            returned = {"ALL_NEW": new, "ALL_OLD": old}.get(more.get("ReturnValues", "NONE"))
            return {"Attributes": returned} if returned else {}

    def query(self, TableName: str, KeyConditionExpression: str, **more: Any) -> Typed:
        """A page of a partition, or of the index `list`."""
        with self._call("query"):
            table, index = self.table(TableName), more.get("IndexName")
            named, bound = more["ExpressionAttributeNames"], more["ExpressionAttributeValues"]
            partition = bound[KeyConditionExpression.split(" AND ")[0].split(" = ")[1].strip()]["S"]
            entries = self._entries(table, partition, bool(index))
            wanted = list(_within(entries, KeyConditionExpression, named, bound))
            if not more.get("ScanIndexForward", True):
                wanted.reverse()
            return self._page(table, wanted, bool(index), more)

    def _entries(self, table: Table, partition: str, index: bool) -> list[tuple[str, str]]:
        if index:
            return table.listed.get(partition, [])
        return [(sk, partition) for sk in table.order.get(partition, [])]

    def _page(self, table: Table, wanted: list[tuple[str, str]], index: bool, more: Typed) -> Typed:
        start = more.get("ExclusiveStartKey")
        if start:
            place = (start["sk"]["S"], start["pk"]["S"])
            backwards = not more.get("ScanIndexForward", True)
            wanted = [one for one in wanted if (one < place if backwards else one > place)]
        found, size = list[Typed](), 0
        for sk, pk in wanted[: more.get("Limit", len(wanted))]:
            item = table.items[pk][sk]
            item = {name: item[name] for name in ("pk", "sk", "list")} if index else item
            found.append(item)
            if (size := size + table.size(item)) >= PAGE_BYTES:
                break
        self.billed["read"] += (2 if more.get("ConsistentRead") else 1) * max(1, -(-size // 4096))
        more_left = len(found) < len(wanted)
        last = {name: found[-1][name] for name in ("pk", "sk", "list") if name in found[-1]} if found else {}
        return {"Items": found, "Count": len(found), **({"LastEvaluatedKey": last} if more_left and found else {})}

    def batch_write_item(self, RequestItems: Typed) -> Typed:
        """Up to 25 unconditional writes."""
        with self._call("batch_write_item"):
            if sum(map(len, RequestItems.values())) > 25:
                raise ValueError("too many items in the BatchWriteItem call")
            for name, requests in RequestItems.items():
                for request in requests:
                    self._written(self.table(name), request)
            return {"UnprocessedItems": {}}

    def _written(self, table: Table, request: Typed) -> None:
        if "PutRequest" in request:
            item = request["PutRequest"]["Item"]
            old = table.get(item)
            table.put(item)
            self._write(old, item)
        else:
            self._write(table.remove(request["DeleteRequest"]["Key"]), None)

    def transact_write_items(self, TransactItems: list[Typed]) -> Typed:
        """All or none."""
        with self._call("transact_write_items"):
            reasons = [self._reason(one) for one in TransactItems]
            if any(reason["Code"] != "None" for reason in reasons):
                answer: Any = {"Error": {"Code": "TransactionCanceledException"}, "CancellationReasons": reasons}
                raise TransactionCanceledException(answer, "TransactWriteItems")
            before = self.write_units
            for one in TransactItems:
                ((kind, request),) = one.items()
                self._done(kind, request)
            self.billed["write"] += self.write_units - before  # twice
            return {}

    def _reason(self, one: Typed) -> dict[str, str]:
        ((_, request),) = one.items()
        old = self.table(request["TableName"]).get(request.get("Item") or request["Key"])
        held = dynamo_expressions.holds(request.get("ConditionExpression"), old or {}, request)
        return {"Code": "None" if held else "ConditionalCheckFailed"}

    def _done(self, kind: str, request: Typed) -> None:
        table = self.table(request["TableName"])
        key = request.get("Item") or request["Key"]
        old = table.get(key)
        match kind:
            case "Put":
                table.put(request["Item"])
                self._write(old, request["Item"])
            case "Update":
                new = self._updated(request["Key"], old, request)
                table.put(new)
                self._write(old, new)
            case "Delete":
                self._write(table.remove(request["Key"]), None)

    def _updated(self, key: Typed, old: Typed | None, request: Typed) -> Typed:
        new = {**(old or {}), **key}
        return dynamo_expressions.changed(request.get("UpdateExpression", ""), new, request)

    def _checked(self, table: str, key: Typed, more: Typed) -> Typed | None:
        old = self.table(table).get(key)
        if dynamo_expressions.holds(more.get("ConditionExpression"), old or {}, more):
            return old
        self._write(old, None)
        error: Any = {"Error": {"Code": "ConditionalCheckFailedException", "Message": "The conditional request failed"}}
        raise ConditionalCheckFailedException(error | ({"Item": old} if old else {}), "")

    def _call(self, operation: str) -> threading.RLock:
        self.calls[operation] += 1
        return self._lock

    def table(self, name: str) -> Table:
        """A table, made when first named."""
        return self._tables.setdefault(name, Table())

    def _read(self, sizes: Iterable[int], consistent: bool) -> None:
        units = sum(max(1, -(-size // 4096)) for size in sizes)
        self.billed["read"] += units * (2 if consistent else 1)

    def _write(self, old: Typed | None, new: Typed | None) -> None:
        size = max(item_size(old) if old else 0, item_size(new) if new else 0)
        self.billed["write"] += max(1, -(-size // 1024))


def _within(
    entries: list[tuple[str, str]], condition: str, named: Mapping[str, str], bound: Mapping[str, Any]
) -> Iterator[tuple[str, str]]:
    """The entries of a partition that a key condition on the sort key wants."""
    _, _, on_sk = condition.partition(" AND ")
    if not on_sk:
        yield from entries
        return
    low, high = dynamo_expressions.key_range(on_sk, bound)
    begin = bisect_left(entries, (low, "")) if low else 0
    end = high(entries) if callable(high) else len(entries)
    yield from entries[begin:end]


def item_size(item: Typed) -> int:
    """An item's bytes, as the developer guide counts them ("Item sizes and formats")."""
    return sum(len(name.encode()) + _size(value) for name, value in item.items())


def _size(value: Typed) -> int:
    ((kind, inner),) = value.items()
    return _SIZES[kind](inner)


_SIZES: dict[str, Callable[[Any], int]] = {
    "S": lambda inner: len(inner.encode()),
    "N": lambda inner: (len(inner.strip("-0.")) + 1) // 2 + 1,
    "BOOL": lambda inner: 1,
    "NULL": lambda inner: 1,
    "M": lambda inner: 3 + sum(len(k.encode()) + _size(v) + 1 for k, v in inner.items()),
    "L": lambda inner: 3 + sum(_size(v) + 1 for v in inner),
    "SS": lambda inner: sum(len(v.encode()) for v in inner),
}
