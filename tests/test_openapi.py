"""The OpenAPI document against the API it describes: every operation, odd and wrong input, and chains of requests.

`make slow` tries a few examples of each operation; SCHEMATHESIS_EXAMPLES=50 tries them all.
"""

import json
import os
import threading
import uuid
from collections import Counter
from collections.abc import Iterator
from typing import Any

import pytest
import schemathesis
from schemathesis.config import SchemathesisConfig
from schemathesis.engine import events, from_schema

from infra.world import World
from infra.world.server import Server
from tests.asking import Shop, opened
from vestnik import api, plugins

EXAMPLES = int(os.environ.get("SCHEMATHESIS_EXAMPLES", "1"))
METHODS = ["get", "put", "post", "delete", "options", "patch"]  # all that the local world's HTTP server knows
CONFIG = {
    "seed": 20261120,
    "phases": {
        "examples": {"enabled": True},
        "coverage": {"enabled": True, "unexpected-methods": METHODS if EXAMPLES > 1 else METHODS[-1:]},
        "fuzzing": {"enabled": True},
        "stateful": {"enabled": True, "max-steps": 6},
    },
    "generation": {"max-examples": EXAMPLES, "no-shrink": True, "database": "none"},
    # What a schema cannot say (a pattern of the pattern language, a template that exists) is refused with a 422.
    "checks": {
        "positive_data_acceptance": {"enabled": False},
        "negative_data_rejection": {
            "expected-statuses": ["400", "401", "403", "404", "405", "409", "413", "415", "422"]
        },
    },
    "headers": {"Authorization": "Bearer local-key"},
    # A busy machine is no fault of the API's.
    "request-timeout": 120,
    "suppress-health-check": ["too_slow"],
}
NOTIFIED = "/v1/marketplace-notifications/{account}/{token}"
KEYLESS = {"/v1/openapi.json", "/v1/unsubscribe/{token}", NOTIFIED}


@pytest.fixture(scope="module")
def world() -> Iterator[World]:
    with opened() as world:
        yield world


@pytest.fixture(scope="module")
def document(world: World) -> dict[str, Any]:
    answer = world.request("GET", "/v1/openapi.json", key=None)
    assert answer.status == 200
    served: dict[str, Any] = answer.json()
    return served


def operations(document: dict[str, Any]) -> Iterator[tuple[str, str, dict[str, Any]]]:
    for path, methods in document["paths"].items():
        for method, operation in methods.items():
            yield path, method, operation


@pytest.fixture(scope="module")
def url(world: World) -> Iterator[str]:
    server = Server(world, 0)
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    yield server.url
    server.shutdown()
    server.server_close()
    thread.join()


def test_every_resource_is_described(document: dict[str, Any]) -> None:
    tags = {tag for _, _, operation in operations(document) for tag in operation.get("tags", [])}
    assert set(plugins.names(api)) <= tags


def test_every_operation_has_a_name_a_summary_and_a_scope(document: dict[str, Any]) -> None:
    found = list(operations(document))
    names = Counter(operation["operationId"] for _, _, operation in found)
    assert [name for name, count in names.items() if count > 1] == []
    for path, _, operation in found:
        assert operation["summary"].endswith(".")
        assert (operation["security"] == []) == (path in KEYLESS)


def test_every_link_leads_to_an_operation_and_its_parameters(document: dict[str, Any]) -> None:
    parameters = {
        operation["operationId"]: {each["name"] for each in operation.get("parameters", [])}
        for _, _, operation in operations(document)
    }
    links = [
        link
        for _, _, operation in operations(document)
        for response in operation["responses"].values()
        for link in response.get("links", {}).values()
    ]
    assert links
    assert all(set(link["parameters"]) <= parameters[link["operationId"]] for link in links)


def test_every_reference_leads_to_a_shape(document: dict[str, Any]) -> None:
    text = json.dumps(document)
    named = {part.partition('"')[0] for part in text.split("#/components/schemas/")[1:]}
    assert named == named & document["components"]["schemas"].keys()


def test_a_post_that_changes_something_asks_for_an_idempotency_key(world: World, document: dict[str, Any]) -> None:
    for path, method, operation in operations(document):
        if method != "post" or path in KEYLESS or path == "/v1/events":
            continue
        asked = "Idempotency-Key" in {each["name"] for each in operation.get("parameters", [])}
        answer = world.request("POST", path.replace("{", "").replace("}", ""), body={})
        assert (answer.status == 400 and "idempotency-key-missing" in answer.text) == asked, path


def test_no_lesser_key_comes_further_than_its_scope(world: World, document: dict[str, Any]) -> None:
    keys = {scope: Shop(world).with_scopes(scope) for scope in ("ingest", "read", "operate")}
    above = {
        "ingest": {"read", "operate", "admin"},
        "read": {"ingest", "operate", "admin"},
        "operate": {"ingest", "admin"},
    }
    for path, method, operation in operations(document):
        needed = operation["security"][0]["key"][0] if operation["security"] else ""
        for scope, shop in keys.items():
            if needed not in above[scope]:
                continue
            headers = {"idempotency-key": str(uuid.uuid4())}
            answer = world.request(
                method.upper(), path.replace("{", "").replace("}", ""), key=shop.key, headers=headers, body={}
            )
            assert (answer.status, answer.json()["type"]) == (403, "/problems/missing-scope"), (path, method, scope)


@pytest.mark.slow
def test_the_api_is_as_its_document_says(url: str) -> None:
    config = SchemathesisConfig.from_dict(CONFIG)
    schema = schemathesis.openapi.from_url(f"{url}/v1/openapi.json", config=config)
    found: dict[tuple[str, str], str] = {}
    tried: Counter[str] = Counter()
    for event in from_schema(schema).execute():
        if isinstance(event, events.ScenarioFinished):
            tried[str(event.phase.value)] += len(event.recorder.cases)
            _collect(event, found)
        elif isinstance(event, events.NonFatalError):
            found[event.label, "error"] = str(event.info)
    assert not found, "\n\n".join(f"{where}: {what}" for where, what in found.items())
    assert all(tried[phase] for phase in ("coverage", "fuzzing", "stateful")), tried


def _collect(event: events.ScenarioFinished, found: dict[tuple[str, str], str]) -> None:
    for case, checks in event.recorder.checks.items():
        for check in checks:
            if check.failure_info is None or _is_replayed(check.name, event.recorder, case):
                continue
            failure = check.failure_info
            found.setdefault((event.recorder.label, check.name), f"{failure.failure}\n{failure.code_sample}")


def _is_replayed(check: str, recorder: Any, case: str) -> bool:
    """Whether what was "just created" and is gone was created long ago, and removed since: a POST repeated under its
    Idempotency-Key is given its first answer again, whatever became of the thing meanwhile."""
    made = recorder.interactions.get(recorder.cases[case].parent_id) if recorder.cases[case].parent_id else None
    headers = made.response.headers if made and made.response else {}
    return check == "ensure_resource_availability" and "true" in headers.get("idempotency-replayed", ())
