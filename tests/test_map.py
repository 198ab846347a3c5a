"""The map: complete, known to its readers, and printed as the golden file has it."""

import json
from pathlib import Path
from typing import Any

import grimp
import pytest

from infra import layers, permissions, printed_map
from vestnik import topology
from vestnik.topology import FromQueue, FromStream, Function

ROOT = Path(__file__).parents[1]
GOLDEN = ROOT / "tests" / "golden" / "map.txt"
PLUGIN_FOLDERS = ("channels", "events", "marketplaces")
FUNCTIONS = {spec.name: spec for spec in topology.functions()}


def readers(queue: str) -> list[Function]:
    return [f for f in FUNCTIONS.values() if any(isinstance(w, FromQueue) and w.queue == queue for w in f.wakes)]


def test_the_printed_map_is_the_golden_one() -> None:
    assert printed_map.as_text() == GOLDEN.read_text(), (
        "the map changed: look at `make docs` and commit its golden file"
    )


@pytest.mark.parametrize("name", FUNCTIONS)
def test_every_call_of_the_map_has_its_iam_actions(name: str) -> None:
    for word, ops in FUNCTIONS[name].uses.items():
        granted = permissions.actions(word, ops)
        assert granted or permissions.kind(word) in ("https", "smtp")


@pytest.mark.parametrize("name", FUNCTIONS)
def test_every_function_has_its_door(name: str) -> None:
    source = (ROOT / "functions" / f"{FUNCTIONS[name].door}.py").read_text()
    assert "def handler(" in source


def test_every_door_is_on_the_map() -> None:
    doors = {file.stem for file in (ROOT / "functions").glob("*.py")} - {"__init__"}
    assert doors == {spec.door for spec in FUNCTIONS.values()}


@pytest.mark.parametrize("queue", topology.queues(), ids=lambda q: q.name)
def test_a_queue_wakes_one_function_and_hides_a_message_for_six_of_its_runs(queue: topology.Queue) -> None:
    (reader,) = readers(queue.name)
    assert queue.visibility >= 6 * reader.timeout


@pytest.mark.parametrize("name", FUNCTIONS)
def test_what_a_function_uses_exists(name: str) -> None:
    there = {
        "table": {table.name for table in topology.TABLES},
        "queue": {queue.name for queue in topology.queues()},
        "dead": {queue.name for queue in topology.queues()},
        "bucket": set(topology.BUCKETS),
    }
    for word in FUNCTIONS[name].uses:
        kind, _, resource = word.partition(":")
        assert not resource or resource in there[kind]


def test_a_lease_outlives_the_function_that_took_it() -> None:
    assert topology.LEASE_SECONDS > topology.SEND_TIMEOUT


def test_a_stream_wakes_a_function_only_with_what_was_written() -> None:
    streams = [w for f in FUNCTIONS.values() for w in f.wakes if isinstance(w, FromStream)]
    assert streams
    assert all("REMOVE" not in stream.records["eventName"] for stream in streams)


def test_a_call_that_the_map_grants_is_allowed() -> None:
    sender = FUNCTIONS["send-email-ses"]
    assert permissions.allowed(sender, "sesv2", "SendEmail", "")
    assert permissions.allowed(sender, "dynamodb", "UpdateItem", "ledger")
    assert permissions.allowed(FUNCTIONS["manage-shop"], "sqs", "DeleteMessage", "to-evaluate-dead")


def test_a_call_that_the_map_does_not_grant_is_refused() -> None:
    sender = FUNCTIONS["send-webhook"]
    assert not permissions.allowed(sender, "sesv2", "SendEmail", "")
    assert not permissions.allowed(sender, "dynamodb", "DeleteItem", "ledger")
    assert not permissions.allowed(sender, "dynamodb", "UpdateItem", "people")
    assert not permissions.allowed(FUNCTIONS["manage-shop"], "sqs", "DeleteMessage", "to-evaluate")
    assert not permissions.allowed(FUNCTIONS["serve-public"], "secretsmanager", "GetSecretValue", "shops/one/smtp")


def test_a_misspelt_operation_is_an_error_and_not_a_missing_right() -> None:
    with pytest.raises(KeyError):
        permissions.actions("table:ledger", "GetItm")


def test_a_transaction_needs_the_actions_of_its_writes() -> None:
    actions = permissions.actions("table:counters", "TransactWriteItems")
    assert actions == [f"dynamodb:{op}" for op in ("ConditionCheckItem", "DeleteItem", "PutItem", "UpdateItem")]


def test_a_function_gets_the_variables_of_what_it_uses_and_no_others() -> None:
    assert permissions.environment(FUNCTIONS["count-statistics"], str.upper) == {
        "STAGE": "STAGE",
        "PUBLIC_URL": "PUBLIC-URL",
        "TABLE_COUNTERS": "TABLE:COUNTERS",
    }


@pytest.mark.parametrize("folder", PLUGIN_FOLDERS)
def test_plug_ins_do_not_know_one_another(folder: str) -> None:
    graph = grimp.build_graph("vestnik")
    package = f"vestnik.{folder}"
    plugins = {m for m in graph.find_children(package) if not m.rpartition(".")[2].startswith("_")}
    known = {(a, b) for a in plugins for b in graph.find_modules_directly_imported_by(a) if b in plugins}
    assert not known


def test_what_the_layer_leaves_out_is_never_imported() -> None:
    graph = grimp.build_graph("vestnik", include_external_packages=True)
    assert "boto3" not in graph.modules, "the layer carries botocore only"
    source = "".join(f.read_text() for f in (layers.CODE / "vestnik").rglob("*.py"))
    assert not [name for name in ("geocoder", "carrier", "timezone") if f"phonenumbers import {name}" in source]


def test_the_locks_name_no_registry() -> None:
    for lock in [*(ROOT / "requirements").glob("*.txt"), ROOT / "package-lock.json"]:
        text = lock.read_text()
        fetched = _without_funding(json.loads(text)) if lock.suffix == ".json" else text
        assert "://" not in str(fetched), lock.name
        assert "--hash=sha256:" in text or '"integrity": "sha512-' in text


def _without_funding(node: Any) -> Any:
    """A lock without the pages on which its packages ask for money: nothing is fetched from there."""
    if isinstance(node, dict):
        return {name: _without_funding(value) for name, value in node.items() if name != "funding"}
    return [_without_funding(value) for value in node] if isinstance(node, list) else node
