"""What moto lacks for a world that lives long and moves its clock. Each patch is small and says why it is there.

Written against moto 5.2; `tests/test_moto_patches.py` fails where a new version makes one wrong or needless.
"""

import copy
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from datetime import datetime
from typing import Any
from unittest.mock import patch

from moto.core import botocore_stubber
from moto.dynamodb import models as dynamodb
from moto.dynamodb import responses as dynamodb_responses
from moto.dynamodb.models import table as tables
from moto.dynamodb.models.dynamo_type import DynamoType
from moto.moto_api._internal import mock_random
from moto.secretsmanager import models as secrets
from moto.sqs import models as sqs

from infra.world import fair_queue, moto_speed
from infra.world.clock import Clock

LARGEST_BATCH_WRITE = 25
SERVICE = {"type": "Service", "principalId": "dynamodb.amazonaws.com"}

_query = tables.Table.query
_transact = dynamodb.DynamoDBBackend.transact_write_items
_batch_write = dynamodb_responses.DynamoHandler.batch_write_item


@contextmanager
def applied(clock: Clock, on_message: Callable[[], None]) -> Iterator[None]:
    """Patch moto for a world with this clock. `on_message`: called when a queue has got a message."""
    with ExitStack() as stack:
        for owner, name, new in _patches(clock):
            stack.enter_context(patch.object(owner, name, new, create=name == "__deepcopy__"))
        fair_queue.FairQueue.clock = staticmethod(clock.millis)
        fair_queue.FairQueue.on_message = staticmethod(on_message)
        yield


@contextmanager
def quick() -> Iterator[None]:
    """Patch only moto's tables, for tests that have no world: its own copy the whole table in each transaction."""
    with ExitStack() as stack:
        short = (botocore_stubber.BotocoreStubber, "process_request", moto_speed.process_request)
        for owner, name, new in [short, *_of_tables()]:
            stack.enter_context(patch.object(owner, name, new, create=name == "__deepcopy__"))
        yield


def _patches(clock: Clock) -> list[tuple[Any, str, Any]]:
    def utcnow() -> datetime:
        return clock.now().replace(tzinfo=None)

    return [
        # The clock: moto's modules each hold the function by name.
        (sqs, "unix_time_millis", clock.millis),
        (sqs, "unix_time", lambda: clock.now().timestamp()),
        (tables, "utcnow", utcnow),
        (secrets, "utcnow", utcnow),
        # Queues that are fair, and quick at any depth.
        (sqs, "Queue", fair_queue.FairQueue),
        (sqs.SQSBackend, "send_message", fair_queue.send_message),
        (sqs.SQSBackend, "receive_message", fair_queue.receive_message),
        (sqs.SQSBackend, "change_message_visibility", fair_queue.change_message_visibility),
        (tables.StreamShard, "add", add_to_stream),
        *_of_tables(),
    ]


def _of_tables() -> list[tuple[Any, str, Any]]:
    """Tables that are quick at any size, and answer as DynamoDB does."""
    return [
        (tables.Table, "query", query),
        (tables.Table, "__deepcopy__", lambda table, memo: table),
        (dynamodb.DynamoDBBackend, "transact_write_items", transact_write_items),
        (dynamodb_responses.DynamoHandler, "batch_write_item", batch_write_item),
        *moto_speed.patches(),
    ]


def query(table: Any, hash_key: DynamoType, *args: Any, **kwargs: Any) -> Any:
    """Table.query on a view of one partition: moto looks through and sorts the whole table."""
    view = copy.copy(table)
    index = kwargs.get("index_name") or (args[6] if len(args) > 6 else None)
    if index is None:
        view.items = {hash_key: table.items[hash_key]} if hash_key in table.items else {}
    else:
        view.items = _indexed(table, index, hash_key)
    return _query(view, hash_key, *args, **kwargs)


def _indexed(table: Any, index: str, hash_key: DynamoType) -> dict[Any, Any]:
    (name,) = (k["AttributeName"] for k in table.get_index(index).schema if k["KeyType"] == "HASH")
    found: dict[Any, Any] = {}
    for partition, items in table.items.items():
        for sort, item in items.items():
            value = item.attrs.get(name)
            if value is not None and value.value == hash_key.value:
                found.setdefault(partition, {})[sort] = item
    return found


def transact_write_items(backend: Any, transact_items: list[dict[str, Any]]) -> None:
    """transact_write_items that remembers only the items it touches, and takes its stream records back when it is
    cancelled: moto copies whole tables and leaves the records (`Table.__deepcopy__` is patched away for that)."""
    with _restored(backend, [_touched(backend, write) for write in transact_items]):
        _transact(backend, transact_items)


def _touched(backend: Any, write: dict[str, Any]) -> tuple[str, dict[str, Any]]:
    ((kind, request),) = list(write.items())[:1]
    table = backend.get_table(request["TableName"])
    key = request["Item"] if kind == "Put" else request["Key"]
    return request["TableName"], {name: key[name] for name in table.table_key_attrs}


@contextmanager
def _restored(backend: Any, touched: list[tuple[str, dict[str, Any]]]) -> Iterator[None]:
    """Put items and streams back as they were if the block fails."""
    before = []
    for name, key in touched:
        table = backend.get_table(name)
        pk, sk = (DynamoType(key[k]) for k in table.table_key_attrs)
        mark = len(table.stream_shard.items) if table.stream_shard else 0
        before.append((table, pk, sk, copy.deepcopy(table.get_item(pk, sk)), mark))
    try:
        yield
    except Exception:
        for table, pk, sk, item, mark in before:
            _put_back(table, pk, sk, item, mark)
        raise


def _put_back(table: Any, pk: DynamoType, sk: DynamoType, item: Any, mark: int) -> None:
    table.items[pk].pop(sk, None)
    if item is not None:
        table.items[pk][sk] = item
    if table.stream_shard:
        del table.stream_shard.items[mark:]


def batch_write_item(handler: Any) -> Any:
    """batch_write_item that refuses what DynamoDB refuses: more than 25 writes."""
    if sum(map(len, handler.body["RequestItems"].values())) > LARGEST_BATCH_WRITE:
        problem = "Too many items requested for the BatchWriteItem call"
        raise dynamodb_responses.MockValidationException(problem)
    return _batch_write(handler)


def add_to_stream(shard: Any, old: Any, new: Any, identity: dict[str, str] | None = None) -> None:
    """StreamShard.add: no record for a write that changes nothing, as in DynamoDB; and none of moto's own Lambda."""
    before, after = (item.to_json()["Attributes"] if item is not None else None for item in (old, new))
    if before == after:
        return
    rec = old if old is not None else new
    record = {
        "eventID": mock_random.uuid4().hex,
        "eventName": "INSERT" if before is None else "REMOVE" if after is None else "MODIFY",
        "eventVersion": "1.1",
        "eventSource": "aws:dynamodb",
        "awsRegion": shard.table.region_name,
        "dynamodb": {
            "ApproximateCreationDateTime": int(tables.utcnow().timestamp()),
            "Keys": {"pk": rec.hash_key.to_json(), "sk": rec.range_key.to_json()},
            "SequenceNumber": str(len(shard.items) + shard.starting_sequence_number),
            "SizeBytes": 0,
            "StreamViewType": "NEW_AND_OLD_IMAGES",
        },
    }
    record["dynamodb"] |= {"NewImage": after} if after is not None else {}
    record["dynamodb"] |= {"OldImage": before} if before is not None else {}
    record |= {"userIdentity": identity} if identity else {}
    entry = tables.StreamRecord.__new__(tables.StreamRecord)
    entry.record = record
    shard.items.append(entry)


def expire(table: Any, now: datetime) -> int:
    """Remove the items whose time is over, as DynamoDB does some time later; how many went. moto keeps them."""
    name = table.ttl.get("AttributeName")
    if table.ttl.get("TimeToLiveStatus") != "ENABLED":
        return 0
    limit = now.timestamp()
    over = [i for part in table.items.values() for i in part.values() if name in i.attrs and _at(i, name) < limit]
    for item in over:
        del table.items[item.hash_key][item.range_key]
        if table.stream_shard:
            add_to_stream(table.stream_shard, item, None, SERVICE)
    return len(over)


def _at(item: Any, name: str) -> float:
    return float(item.attrs[name].value)
