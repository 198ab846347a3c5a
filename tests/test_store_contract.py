"""What every database behind the store must do: moto's, and the one in memory that measurements use."""

from collections.abc import Iterator
from typing import Any

import boto3
import moto
import pytest

from benchmarks.memory_dynamo import MemoryDynamo
from vestnik import resources
from vestnik.store import dynamo

TABLE = "things"


def _moto() -> Any:
    client = boto3.client("dynamodb", region_name="us-east-1")
    client.create_table(
        TableName=TABLE,
        BillingMode="PAY_PER_REQUEST",
        AttributeDefinitions=[{"AttributeName": name, "AttributeType": "S"} for name in ("pk", "sk", "list")],
        KeySchema=_key("pk"),
        GlobalSecondaryIndexes=[
            {
                "IndexName": "list",
                "KeySchema": [
                    {"AttributeName": "list", "KeyType": "HASH"},
                    {"AttributeName": "sk", "KeyType": "RANGE"},
                ],
                "Projection": {"ProjectionType": "KEYS_ONLY"},
            }
        ],
    )
    return client


def _key(partition: str) -> Any:
    return [{"AttributeName": partition, "KeyType": "HASH"}, {"AttributeName": "sk", "KeyType": "RANGE"}]


@pytest.fixture(params=["moto", "memory"])
def database(request: pytest.FixtureRequest) -> Iterator[None]:
    with moto.mock_aws(), resources.use({"TABLE_THINGS": TABLE}):
        client = _moto() if request.param == "moto" else MemoryDynamo()
        with resources.lend("dynamodb", client):
            yield


pytestmark = pytest.mark.usefixtures("database")


def put(sk: str, **more: Any) -> None:
    dynamo.put(TABLE, {"pk": "p", "sk": sk, **more})


def test_what_is_put_is_read_as_it_was() -> None:
    item = {"pk": "p", "sk": "a", "n": 7, "s": "x", "m": {"k": [1, None, True]}, "set": {"a", "b"}}
    dynamo.put(TABLE, item)
    assert dynamo.get(TABLE, "p", "a") == item
    assert dynamo.get(TABLE, "p", "b") is None


def test_a_condition_that_does_not_hold_changes_nothing_and_tells_what_stands() -> None:
    put("a", n=1)
    with pytest.raises(dynamo.Conflict) as conflict:
        dynamo.put(TABLE, {"pk": "p", "sk": "a", "n": 2}, where="attribute_not_exists(#pk) OR #n > :n", values={"n": 1})
    assert conflict.value.old["n"] == 1
    with pytest.raises(dynamo.Conflict) as missing:
        dynamo.delete(TABLE, "p", "b", where="attribute_exists(#pk)")
    assert missing.value.old == {}


def test_conditions_are_joined_as_written() -> None:
    put("a", n=1, word="abc")
    where = "(#n = :one AND NOT #n > :one) AND (begins_with(#word, :ab) OR attribute_exists(#nothing))"
    dynamo.update(TABLE, "p", "a", put={"seen": True}, where=where, values={"one": 1, "ab": "ab"})
    with pytest.raises(dynamo.Conflict):
        dynamo.update(TABLE, "p", "a", put={"seen": True}, where="#n <> :one", values={"one": 1})


def test_an_update_sets_adds_removes_and_answers_the_new_item() -> None:
    put("a", n=1, gone=1, tags={"x", "y"})
    new = dynamo.update(
        TABLE,
        "p",
        "a",
        put={"word": "w"},
        first={"n": 9, "since": 3},
        add={"count": 2, "tags": {"z"}},
        drop=("gone",),
        back=True,
    )
    assert new == {"pk": "p", "sk": "a", "n": 1, "word": "w", "since": 3, "count": 2, "tags": {"x", "y", "z"}}
    assert dynamo.update(TABLE, "p", "a", add={"count": -5}, back=True)["count"] == -3
    assert dynamo.update(TABLE, "p", "new", add={"count": 1}, back=True) == {"pk": "p", "sk": "new", "count": 1}


def test_members_are_taken_out_of_a_set_that_goes_with_the_last() -> None:
    put("a", tags={"x", "y"})
    assert dynamo.update(TABLE, "p", "a", take={"tags": {"x"}}, back=True)["tags"] == {"y"}
    assert "tags" not in dynamo.update(TABLE, "p", "a", take={"tags": {"y", "q"}}, back=True)


def test_a_partition_is_read_in_order_page_by_page() -> None:
    dynamo.write_many(TABLE, puts=[{"pk": "p", "sk": f"k{n:02}"} for n in range(30)])
    items, more = dynamo.query(TABLE, "p", limit=20)
    assert ([item["sk"] for item in items][:2], more) == (["k00", "k01"], "k19")
    rest, end = dynamo.query(TABLE, "p", after="k19")
    assert (len(rest), end) == (10, None)
    backwards, _ = dynamo.query(TABLE, "p", limit=2, backwards=True)
    assert [item["sk"] for item in backwards] == ["k29", "k28"]
    after, _ = dynamo.query(TABLE, "p", limit=2, backwards=True, after="k28")
    assert [item["sk"] for item in after] == ["k27", "k26"]


def test_a_part_of_a_partition_is_read_by_its_sort_keys() -> None:
    for sk in ("a1", "a2", "b1", "c1"):
        put(sk)
    assert [item["sk"] for item in dynamo.query(TABLE, "p", begins="a")[0]] == ["a1", "a2"]
    assert [item["sk"] for item in dynamo.query(TABLE, "p", until="b1")[0]] == ["a1", "a2"]
    assert [item["sk"] for item in dynamo.query(TABLE, "p", since="a2", until="b1")[0]] == ["a2", "b1"]


def test_the_index_lists_what_names_a_list() -> None:
    for n in range(3):
        dynamo.put(TABLE, {"pk": f"s#k#{n}", "sk": str(n), "list": "s#k#0"})
    dynamo.put(TABLE, {"pk": "s#k#9", "sk": "9"})
    items, more = dynamo.query(TABLE, "s#k#0", index=True, limit=2)
    assert ([item["sk"] for item in items], more) == (["0", "1"], "1")
    rest, _ = dynamo.query(TABLE, "s#k#0", index=True, after="1")
    assert [item["sk"] for item in rest] == ["2"]
    dynamo.delete(TABLE, "s#k#1", "1")
    assert [item["sk"] for item in dynamo.query(TABLE, "s#k#0", index=True)[0]] == ["0", "2"]


def test_many_are_written_and_read_in_batches() -> None:
    dynamo.write_many(TABLE, puts=[{"pk": "p", "sk": str(n)} for n in range(130)])
    keys = [("p", str(n)) for n in range(140)]
    assert len(dynamo.get_many({TABLE: keys})) == 130
    dynamo.write_many(TABLE, deletes=keys)
    assert dynamo.get_many({TABLE: keys}) == {}


def test_a_transaction_is_done_whole_or_not_at_all() -> None:
    put("a", n=1)
    moves = dynamo.update_request(TABLE, "p", "a", put={"n": 2}, where="#n = :seen", values={"seen": 1})
    assert dynamo.transact([moves, dynamo.put_request(TABLE, {"pk": "p", "sk": "b"})])
    assert not dynamo.transact([dynamo.delete_request(TABLE, "p", "b"), moves])
    assert dynamo.get(TABLE, "p", "b") is not None


def test_a_bill_counts_whole_units() -> None:
    database = MemoryDynamo()
    with resources.lend("dynamodb", database):
        put("a", text="x" * 1500)
        assert database.write_units == 2
        dynamo.get(TABLE, "p", "a")
        dynamo.get_many({TABLE: [("p", "a"), ("p", "b")]})
        assert database.read_units == 3
        with pytest.raises(dynamo.Conflict):
            dynamo.put(TABLE, {"pk": "p", "sk": "a"}, where="attribute_not_exists(#pk)")
        assert database.write_units == 4
        dynamo.transact([dynamo.put_request(TABLE, {"pk": "p", "sk": "c"})])
        assert database.write_units == 6
