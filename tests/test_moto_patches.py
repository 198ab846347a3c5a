"""What the local world changes in moto: still needed, and saying the same as DynamoDB and SQS."""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from botocore.exceptions import ClientError
from moto import mock_aws

from infra.world import World
from infra.world.moto_speed import plan
from vestnik import resources

START = datetime(2026, 11, 20, 8, 0, tzinfo=UTC)
EXPIRES = int((START + timedelta(minutes=30)).timestamp())


@pytest.fixture
def world() -> Iterator[World]:
    with World(start=START, seed_shops=False, loader=lambda name: lambda event, context: None) as opened:
        opened.triggers.clear()
        yield opened


def table(world: World, name: str = "ledger") -> dict[str, str]:
    return {"TableName": world.account.table(name).name}


def item(pk: str, sk: str = "-", **more: Any) -> dict[str, Any]:
    return {"pk": {"S": pk}, "sk": {"S": sk}, **more}


def stream(world: World) -> list[dict[str, Any]]:
    return [entry.record for entry in world.account.table("ledger").stream_shard.items]


def test_the_clock_of_queues_and_streams_is_the_worlds(world: World) -> None:
    resources.client("dynamodb").put_item(**table(world), Item=item("a"))
    assert stream(world)[0]["dynamodb"]["ApproximateCreationDateTime"] == int(START.timestamp())
    assert world.account.queue("to-release").clock() == START.timestamp() * 1000


def test_a_query_pages_through_one_partition_in_order(world: World) -> None:
    client = resources.client("dynamodb")
    for pk, sk in [("a", "3"), ("b", "1"), ("a", "1"), ("a", "2")]:
        client.put_item(**table(world), Item=item(pk, sk))
    ask = {"KeyConditionExpression": "pk = :a", "ExpressionAttributeValues": {":a": {"S": "a"}}, "Limit": 2}
    first = client.query(**table(world), **ask)
    rest = client.query(**table(world), **ask, ExclusiveStartKey=first["LastEvaluatedKey"])
    assert [i["sk"]["S"] for i in first["Items"] + rest["Items"]] == ["1", "2", "3"]
    missing = {**ask, "ExpressionAttributeValues": {":a": {"S": "none"}}}
    assert client.query(**table(world), **missing)["Items"] == []


def test_a_query_of_the_index_finds_only_what_is_listed(world: World) -> None:
    client = resources.client("dynamodb")
    for pk in ("x", "z", "y"):
        client.put_item(**table(world, "people"), Item=item(pk, pk, list={"S": "shop#1"}, name={"S": "n"}))
    client.put_item(**table(world, "people"), Item=item("unlisted"))
    ask = {"KeyConditionExpression": "#l = :l", "ExpressionAttributeNames": {"#l": "list"}, "IndexName": "list"}
    values = {":l": {"S": "shop#1"}}
    found = client.query(**table(world, "people"), **ask, ExpressionAttributeValues=values)["Items"]
    assert [i["pk"]["S"] for i in found] == ["x", "y", "z"]
    assert set(found[0]) == {"pk", "sk", "list"}


# (expression, names, values, condition)
UPDATES: list[tuple[str, str, dict[str, Any], str]] = [
    ("SET #a = :v", "a", {":v": {"S": "new"}}, ""),
    ("SET #a = if_not_exists(#a, :v), #b = :v", "a b", {":v": {"S": "new"}}, ""),
    ("SET #c = if_not_exists(#a, :v)", "a c", {":v": {"S": "new"}}, ""),
    ("ADD #n :v", "n", {":v": {"N": "2"}}, ""),
    ("ADD #s :v", "s", {":v": {"SS": ["y", "z"]}}, ""),
    ("SET #b = :v ADD #n :m REMOVE #a, #s", "a b n s", {":v": {"BOOL": True}, ":m": {"N": "-1"}}, ""),
    ("SET #b = :v", "b", {":v": {"M": {"k": {"L": [{"N": "1"}]}}}}, ""),
    ("SET #m.#k = :v", "m k", {":v": {"N": "5"}}, ""),
    ("SET #n = #n + :v", "n", {":v": {"N": "5"}}, ""),
    ("SET #b = :v", "b unused", {":v": {"S": "x"}}, ""),
    ("SET #a = :v", "a", {":v": {"S": "x"}}, "attribute_not_exists(#a)"),
    ("ADD #a :v", "a", {":v": {"N": "1"}}, ""),
]
OLD = {"a": {"S": "old"}, "n": {"N": "40"}, "s": {"SS": ["x", "y"]}, "m": {"M": {"k": {"N": "1"}}}}


def updated(client: Any, name: str, update: tuple[str, str, dict[str, Any], str], pk: str) -> Any:
    """What an update answers, and the item after it."""
    expression, names, values, condition = update
    request: dict[str, Any] = {"UpdateExpression": expression, "ExpressionAttributeValues": values}
    request |= {"ExpressionAttributeNames": {f"#{n}": n for n in names.split()}, "ReturnValues": "ALL_NEW"}
    request["ReturnValuesOnConditionCheckFailure"] = "ALL_OLD"
    request |= {"ConditionExpression": condition} if condition else {}
    try:
        answer = client.update_item(TableName=name, Key=item(pk), **request)["Attributes"]
    except ClientError as error:
        answer = (error.response["Error"]["Code"], error.response.get("Item"))
    return _sorted(answer), _sorted(client.get_item(TableName=name, Key=item(pk)).get("Item"))


def _sorted(value: Any) -> Any:
    """Sets in order, that they compare."""
    if isinstance(value, dict):
        return {k: sorted(v) if k == "SS" else _sorted(v) for k, v in value.items()}
    return tuple(map(_sorted, value)) if isinstance(value, tuple) else value


def as_moto_does(update: tuple[str, str, dict[str, Any], str]) -> list[Any]:
    import botocore.session

    with mock_aws():
        client = botocore.session.get_session().create_client("dynamodb", region_name="us-east-1")
        attributes = [{"AttributeName": n, "AttributeType": "S"} for n in ("pk", "sk")]
        schema = [{"AttributeName": "pk", "KeyType": "HASH"}, {"AttributeName": "sk", "KeyType": "RANGE"}]
        client.create_table(
            TableName="t", AttributeDefinitions=attributes, KeySchema=schema, BillingMode="PAY_PER_REQUEST"
        )
        client.put_item(TableName="t", Item=item("there", **OLD))
        return [updated(client, "t", update, pk) for pk in ("there", "fresh")]


@pytest.mark.slow
@pytest.mark.parametrize("update", UPDATES, ids=lambda update: f"{update[0]} ({update[1]})")
def test_a_quick_update_says_what_moto_says(update: tuple[str, str, dict[str, Any], str]) -> None:
    there = as_moto_does(update)
    if update[0] == "SET #m.#k = :v":
        there = there[:1]  # on a fresh item moto leaves the bare key behind
    with World(start=START, seed_shops=False, loader=lambda name: lambda event, context: None) as world:
        name, client = table(world)["TableName"], resources.client("dynamodb")
        client.put_item(TableName=name, Item=item("there", **OLD))
        ours = [updated(client, name, update, pk) for pk in ("there", "fresh")][: len(there)]
    assert ours == there


def test_the_products_own_updates_are_all_read_quickly() -> None:
    assert plan("SET #a = :a, #b = if_not_exists(#b, :b) ADD #n :n REMOVE #c, #d") == (
        ("SET", "#a", ":a", ""),
        ("FIRST", "#b", ":b", "#b"),
        ("ADD", "#n", ":n", ""),
        ("REMOVE", "#c", "", ""),
        ("REMOVE", "#d", "", ""),
    )
    assert plan("SET #a.#b = :a") is None
    assert plan("SET #a = :a, #a = :b") is None


def test_an_update_makes_one_record_and_one_that_changes_nothing_makes_none(world: World) -> None:
    client = resources.client("dynamodb")
    change = {
        "UpdateExpression": "SET #a = :v",
        "ExpressionAttributeNames": {"#a": "a"},
        "ExpressionAttributeValues": {":v": {"S": "x"}},
    }
    for _ in range(2):
        client.update_item(**table(world), Key=item("a"), **change)
    rich = {
        **change,
        "UpdateExpression": "SET #a = if_not_exists(#b, :v)",
        "ExpressionAttributeNames": {"#a": "a", "#b": "b"},
    }
    client.update_item(**table(world), Key=item("b"), **rich)
    assert [(r["eventName"], r["dynamodb"]["Keys"]["pk"]["S"]) for r in stream(world)] == [
        ("INSERT", "a"),
        ("INSERT", "b"),
    ]
    numbers = [int(r["dynamodb"]["SequenceNumber"]) for r in stream(world)]
    assert numbers == sorted(set(numbers))


def test_a_cancelled_transaction_leaves_nothing(world: World) -> None:
    client = resources.client("dynamodb")
    client.put_item(**table(world), Item=item("there", n={"N": "1"}))
    before = len(stream(world))
    add = {
        "Key": item("there"),
        "UpdateExpression": "ADD #n :one",
        "ExpressionAttributeNames": {"#n": "n"},
        "ExpressionAttributeValues": {":one": {"N": "1"}},
    }
    writes = [
        {"Put": {**table(world), "Item": item("new")}},
        {"Update": {**table(world), **add}},
        {"Put": {**table(world), "Item": item("x"), "ConditionExpression": "attribute_exists(pk)"}},
    ]
    with pytest.raises(client.exceptions.TransactionCanceledException):
        client.transact_write_items(TransactItems=writes)
    assert len(stream(world)) == before
    assert "Item" not in client.get_item(**table(world), Key=item("new"))
    assert client.get_item(**table(world), Key=item("there"))["Item"]["n"] == {"N": "1"}


def test_a_transaction_that_holds_is_written_with_its_records(world: World) -> None:
    client = resources.client("dynamodb")
    client.transact_write_items(TransactItems=[{"Put": {**table(world), "Item": item(pk)}} for pk in ("a", "b")])
    assert [record["eventName"] for record in stream(world)] == ["INSERT", "INSERT"]


def test_a_batch_of_26_writes_is_refused(world: World) -> None:
    puts = [{"PutRequest": {"Item": item(str(n))}} for n in range(26)]
    with pytest.raises(ClientError, match="Too many items"):
        resources.client("dynamodb").batch_write_item(RequestItems={table(world)["TableName"]: puts})


def test_an_expired_item_goes_with_a_record_that_says_who_removed_it(world: World) -> None:
    client = resources.client("dynamodb")
    client.put_item(**table(world), Item=item("old", expires={"N": str(EXPIRES)}))
    client.put_item(**table(world), Item=item("kept", expires={"N": str(EXPIRES + 7200)}))
    world.advance(timedelta(hours=1))
    assert "Item" not in client.get_item(**table(world), Key=item("old"))
    assert "Item" in client.get_item(**table(world), Key=item("kept"))
    removed = stream(world)[-1]
    assert (removed["eventName"], removed["userIdentity"]["principalId"]) == ("REMOVE", "dynamodb.amazonaws.com")


def queue_url(world: World) -> dict[str, str]:
    client = resources.client("sqs")
    return {"QueueUrl": client.get_queue_url(QueueName=world.account.queue("to-release").name)["QueueUrl"]}


def test_a_queue_hides_counts_shows_again_and_deletes(world: World) -> None:
    client, url = resources.client("sqs"), queue_url(world)
    client.send_message(**url, MessageBody="a")
    client.send_message(**url, MessageBody="b", DelaySeconds=60)
    queue = world.account.queue("to-release")
    counts = (queue.approximate_number_of_messages, queue.approximate_number_of_messages_delayed)
    assert counts == (1, 1)
    (message,) = client.receive_message(**url, MaxNumberOfMessages=10, VisibilityTimeout=30)["Messages"]
    assert "Messages" not in client.receive_message(**url)
    world.advance(timedelta(seconds=31))
    (again,) = client.receive_message(**url, MaxNumberOfMessages=10, VisibilityTimeout=30)["Messages"]
    assert again["MessageId"] == message["MessageId"]
    client.delete_message(**url, ReceiptHandle=message["ReceiptHandle"])  # an older receipt deletes too
    world.advance(timedelta(seconds=31))
    assert [m["Body"] for m in client.receive_message(**url, MaxNumberOfMessages=10)["Messages"]] == ["b"]


def test_a_message_may_be_shown_again_at_once(world: World) -> None:
    client, url = resources.client("sqs"), queue_url(world)
    client.send_message(**url, MessageBody="a")
    (message,) = client.receive_message(**url)["Messages"]
    client.change_message_visibility(**url, ReceiptHandle=message["ReceiptHandle"], VisibilityTimeout=0)
    assert client.receive_message(**url)["Messages"]


def test_a_delay_of_more_than_fifteen_minutes_is_refused(world: World) -> None:
    with pytest.raises(ClientError, match="DelaySeconds"):
        resources.client("sqs").send_message(**queue_url(world), MessageBody="a", DelaySeconds=901)


def test_a_purge_empties_a_queue(world: World) -> None:
    client, url = resources.client("sqs"), queue_url(world)
    client.send_message(**url, MessageBody="a")
    client.purge_queue(**url)
    assert "Messages" not in client.receive_message(**url)
