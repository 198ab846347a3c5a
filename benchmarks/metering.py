"""What AWS would bill for the calls that a local world sees: units by service, from real requests and item sizes.

Sources: the services' pricing pages; DynamoDB developer guide, "Read and write operations" (a write counts the item
before or after, whichever is larger, in KB; a failed condition counts the item as it stands; a transaction twice; an
index entry by itself; a strong read in units of 4 KB) and "Item sizes and formats"; SQS and SNS count each 64 KB.
"""

import json
from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping
from math import ceil
from typing import Any

from benchmarks.canned import Body
from infra.world import wire
from infra.world.faults import Call

CHUNK = 64 * 1024
ITEM_OVERHEAD = 100  # bytes a stored item takes beside its own
INDEX_ENTRY_OVERHEAD = 100
KEYS = ("pk", "sk")

type Item = Mapping[str, Mapping[str, Any]]


class Meter:
    """Counts billed units of a world's calls. Put `watch` among the world's watchers.

    `units`: what is billed, by (service, unit). `by_function`: AWS calls by (function, service, operation).
    """

    def __init__(self) -> None:
        self.units: defaultdict[tuple[str, str], float] = defaultdict(float)
        self.by_function: Counter[tuple[str, str, str]] = Counter()
        self.writes: Counter[str] = Counter()
        self.stored: dict[tuple[str, str, str], Item] = {}
        self.objects: dict[str, int] = {}

    def count(self, service: str, unit: str, n: float = 1) -> None:
        """Add to what is billed."""
        self.units[service, unit] += n

    def reset(self) -> None:
        """Begin to count anew; what is stored is remembered."""
        self.units.clear()
        self.by_function.clear()
        self.writes.clear()

    def watch(self, call: Call, request: Any, answer: Any) -> None:
        """Bill one call of the SDK."""
        self.by_function[call.function, call.service, call.operation] += 1
        match call.service:
            case "dynamodb":
                _Dynamo(self, call, wire.json_body(request), answer).bill()
            case "sqs":
                self.sqs(wire.json_body(request))
            case "s3":
                self._s3(call, request)
            case "secretsmanager":
                self.count("Secrets Manager", "secrets request")

    def sqs(self, body: Mapping[str, Any]) -> None:
        """Bill a send: one request for each 64 KB of payload, and the fair queue's surcharge."""
        bodies = body.get("Entries", [body])
        size = sum(len(entry.get("MessageBody", "").encode()) for entry in bodies)
        self.queue_requests(chunks(size), fair=any("MessageGroupId" in entry for entry in bodies))

    def queue_requests(self, n: int, *, fair: bool) -> None:
        """Bill requests to a queue."""
        self.count("SQS", "sqs request", n)
        if fair:
            self.count("SQS", "sqs fair request", n)

    def _s3(self, call: Call, request: Any) -> None:
        reads = call.operation.startswith(("Get", "Head"))
        self.count("S3", "s3 get" if reads else "s3 put")
        if call.operation == "PutObject":
            sent = request.headers.get("X-Amz-Decoded-Content-Length") or request.headers["Content-Length"]
            self.objects[request.url] = int(sent)

    def table_bytes(self) -> int:
        """What all items take, those of the indexes included."""
        own = sum(size(item) + ITEM_OVERHEAD for item in self.stored.values())
        listed = [item for item in self.stored.values() if "list" in item]
        return own + sum(size({k: item[k] for k in (*KEYS, "list")}) + INDEX_ENTRY_OVERHEAD for item in listed)


class _Dynamo:
    """One call of DynamoDB's."""

    def __init__(self, meter: Meter, call: Call, body: dict[str, Any], answer: Any) -> None:
        self.meter, self.call, self.body = meter, call, body
        self.answer = _json(answer)
        self.failed = answer.status_code >= 400

    def bill(self) -> None:
        operation = self.call.operation
        if operation in ("GetItem", "BatchGetItem", "Query"):
            self._read()
        elif operation == "TransactWriteItems":
            for write in self.body["TransactItems"]:
                ((kind, asked),) = write.items()
                self._write(kind, asked, times=2)
        elif operation == "BatchWriteItem":
            for table, writes in self.body["RequestItems"].items():
                for write in writes:
                    ((kind, asked),) = write.items()
                    self._write(kind.removesuffix("Request"), {"TableName": table, **asked}, times=1)
        else:
            self._write(operation.removesuffix("Item"), self.body, times=1)

    def _read(self) -> None:
        match self.call.operation:
            case "GetItem":
                units = read_units(self.answer.get("Item"))
                self._reads(units, strong=self.body.get("ConsistentRead", False))
            case "BatchGetItem":
                for table, asked in self.body["RequestItems"].items():
                    found = [read_units(item) for item in self.answer["Responses"].get(table, [])]
                    missing = len(asked["Keys"]) - len(found)
                    self._reads(sum(found) + missing, strong=asked.get("ConsistentRead", False))
            case _:
                units = max(1, ceil(sum(size(item) for item in self.answer.get("Items", [])) / 4096))
                self._reads(units, strong=self.body.get("ConsistentRead", False))

    def _reads(self, units: int, *, strong: bool) -> None:
        self.meter.count("DynamoDB reads", "dynamodb read unit", units if strong else units / 2)

    def _write(self, kind: str, asked: Mapping[str, Any], *, times: int) -> None:
        table = asked["TableName"]
        key = asked.get("Key") or {name: asked["Item"][name] for name in KEYS}
        place = (table, key["pk"]["S"], key["sk"]["S"])
        old = self.meter.stored.get(place)
        new = old if self.failed else self._after(kind, asked, old, key)
        units = write_units(old, new) * times
        self.meter.count("DynamoDB writes", "dynamodb write unit", units)
        self.meter.writes[f"{self.call.function} {table.rpartition('-')[2]} {self.call.operation}"] += units
        if index := index_writes(old, new):
            self.meter.count("DynamoDB writes", "dynamodb write unit", index * times)
            self.meter.writes[f"{self.call.function} {table.rpartition('-')[2]} index"] += index * times
        if new is None:
            self.meter.stored.pop(place, None)
        else:
            self.meter.stored[place] = new

    def _after(self, kind: str, asked: Mapping[str, Any], old: Item | None, key: Item) -> Item | None:
        match kind:
            case "Put":
                return dict(asked["Item"])
            case "Delete":
                return None
        return updated(old or key, asked)


def updated(old: Item, asked: Mapping[str, Any]) -> Item:
    """An item after an update expression of the store's few forms: SET, SET if_not_exists, ADD, REMOVE."""
    new: dict[str, Any] = dict(old)
    names, values = asked.get("ExpressionAttributeNames", {}), asked.get("ExpressionAttributeValues", {})
    for verb, clause in _clauses(asked["UpdateExpression"]):
        for part in _parts(clause):
            name = names[part.split()[0]]
            value = values.get(next((word.strip("(),") for word in part.split() if word.startswith(":")), ""))
            if verb == "REMOVE":
                new.pop(name, None)
            elif verb == "ADD":
                new[name] = _sum(new.get(name), value)
            elif "if_not_exists" not in part or name not in new:
                new[name] = value
    return new


def _clauses(expression: str) -> Iterable[tuple[str, str]]:
    verb, words = "", list[str]()
    for word in [*expression.split(), "SET"]:
        if word in ("SET", "ADD", "REMOVE"):
            if words:
                yield verb, " ".join(words)
            verb, words = word, []
        else:
            words.append(word)


def _parts(clause: str) -> list[str]:
    """The parts of a clause; a comma inside if_not_exists(...) parts nothing."""
    return [part.strip() for part in clause.replace(", :", " :").split(",")]


def _sum(old: Any, more: Any) -> Any:
    if old is None:
        return more
    if "N" in more:
        return {"N": str(int(old["N"]) + int(more["N"]))}
    return {"SS": sorted({*old["SS"], *more["SS"]})}


def size(item: Item) -> int:
    """Bytes of an item: names and values in UTF-8, numbers by their digits, 3 for each map or list and 1 an element."""
    return sum(len(name.encode()) + _value_size(value) for name, value in item.items())


def _value_size(value: Mapping[str, Any]) -> int:
    ((kind, inner),) = value.items()
    match kind:
        case "S":
            return len(inner.encode())
        case "N":
            return ceil(len(inner.strip("-").strip("0")) / 2) + 1 + int(inner.startswith("-"))
        case "SS":
            return sum(len(each.encode()) for each in inner)
        case "M":
            return 3 + size(inner) + len(inner)
        case "L":
            return 3 + sum(1 + _value_size(each) for each in inner)
    return 1


def read_units(item: Item | None) -> int:
    """Units of a strong read of one item; one for an item that is not there."""
    return max(1, ceil(size(item or {}) / 4096))


def write_units(old: Item | None, new: Item | None) -> int:
    """Units of a write: the item before or after, whichever is larger, by whole KB."""
    return max(1, ceil(max(size(old or {}), size(new or {})) / 1024))


def index_writes(old: Item | None, new: Item | None) -> int:
    """Units written to the KEYS_ONLY index `list`: one entry in, one out, or both."""
    before, after = (old or {}).get("list"), (new or {}).get("list")
    return 0 if before == after else (before is not None) + (after is not None)


def chunks(size: int) -> int:
    """Billed requests of a payload of `size` bytes."""
    return max(1, ceil(size / CHUNK))


def _json(answer: Any) -> dict[str, Any]:
    text = answer.content
    answer.raw = Body(text)
    found: dict[str, Any] = json.loads(text or b"{}")
    return found
