"""Wildberries' published specification as JSON Schemas, and our own ones for what is newer than it."""

import json
from functools import cache
from pathlib import Path
from typing import Any
from urllib.parse import parse_qsl, urlsplit

import jsonschema_rs
import pytest
import yaml

SPECS = Path(__file__).parents[1] / ".." / "shared" / "specs" / "wildberries"
OWN = Path(__file__).parent / "data" / "wildberries"
FILES = (
    *("01-general", "02-items", "03-orders-fbs", "04-orders-dbw", "05-dbs", "06-in-store-pickup"),
    *("11-analytics", "12-reports"),
)
NEWER = {  # what the answers of October 2026 have beyond the specification of August (wildberries-sdk 0.1.177)
    name: {}
    for name in ("isTransferable", "shippingDt", "shippingPointId", "shippingType", "spotAvailable", "waybillUuid")
}
Json = Any

needed = pytest.mark.skipif(not SPECS.is_dir(), reason="the published specifications are not beside the project")


def _loaded(path: Path) -> Json:
    loader = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
    return yaml.load(path.read_text("utf-8"), Loader=loader)  # noqa: S506 - the C twin of the safe one


@cache
def _documents() -> dict[str, Json]:
    return {name: _loaded(SPECS / f"{name}.yaml") for name in FILES}


def _plain(path: str) -> str:
    """A path with its names in braces made alike."""
    return "/".join("{}" if part.startswith("{") else part for part in path.split("/"))


@cache
def operation(method: str, path: str) -> Json | None:
    """A published operation with its references resolved; None where it is newer than the specification."""
    for document in _documents().values():
        for known, item in document["paths"].items():
            if _plain(known) == _plain(path) and method.lower() in item:
                shared = item.get("parameters") or []
                one = _resolved(item[method.lower()], document)
                return {**one, "parameters": [*_resolved(shared, document), *(one.get("parameters") or [])]}
    return None


def _resolved(found: Json, document: Json) -> Json:
    if isinstance(found, dict) and "$ref" in found:
        target = document
        for part in found["$ref"].removeprefix("#/").split("/"):
            target = target[part.replace("~1", "/").replace("~0", "~")]
        return _resolved(target, document)
    if isinstance(found, dict):
        return {name: _resolved(inner, document) for name, inner in found.items()}
    return [_resolved(one, document) for one in found] if isinstance(found, list) else found


def strict(schema: Json) -> Json:
    """An OpenAPI 3.0 schema as JSON Schema, in which an object has no other members than those named."""
    if isinstance(schema, list):
        return [strict(one) for one in schema]
    if not isinstance(schema, dict):
        return schema
    out = {name: strict(inner) for name, inner in schema.items() if name not in ("example", "examples", "format")}
    if isinstance(out.get("properties"), dict) and "allOf" not in out:
        out["properties"] = {name: strict(one) for name, one in schema["properties"].items()}
        out.setdefault("additionalProperties", False)
    if out.pop("nullable", False) and "type" in out:
        out["type"] = [out["type"], "null"]
        out |= {"enum": [*out["enum"], None]} if "enum" in out else {}
    return out


def body_schema(one: Json) -> Json | None:
    """What an operation takes as its body."""
    content = (one.get("requestBody") or {}).get("content", {})
    return strict(content["application/json"]["schema"]) if content else None


def answer_schema(one: Json, status: int) -> Json | None:
    """What an operation answers with a status; None where it has no body, KeyError where it knows no such status."""
    found = {str(known): told for known, told in one["responses"].items()}[str(status)]
    schema = next((told.get("schema") for told in (found.get("content") or {}).values()), None)
    return None if schema is None else strict(schema)


def own(name: str) -> Json | None:
    """Our schema of what is newer than the specification: {source, query, request, answers}."""
    path = OWN / f"{name}.schema.json"
    return json.loads(path.read_text("utf-8")) if path.is_file() else None


def fits(schema: Json, found: Json) -> None:
    """Fail where `found` is not as `schema` says."""
    error = next(iter(jsonschema_rs.validator_for(schema).iter_errors(found)), None)
    assert error is None, f"{error.message} at {list(error.instance_path)}" if error else ""


def query_fits(parameters: Json, target: str) -> None:
    """Fail where a query lacks what is required, has what is not known, or says it wrongly."""
    asked = dict(parse_qsl(urlsplit(target).query))
    known = {one["name"]: one for one in parameters if one["in"] == "query"}
    assert set(asked) <= set(known), f"unknown: {set(asked) - set(known)}"
    assert {name for name, one in known.items() if one.get("required")} <= set(asked)
    for name, text in asked.items():
        schema = strict(known[name]["schema"])
        number = schema.get("type") in ("integer", "number") and text.lstrip("-").isdigit()
        fits(schema, int(text) if number else text)


def answer_fits(method: str, path: str, status: int, found: Json, name: str = "") -> None:
    """Fail where an answer is not as the specification, or our own schema of `name`, says."""
    one = operation(method, path)
    schema = answer_schema(one, status) if one else (own(name) or {"answers": {}})["answers"][str(status)]
    if schema is None:
        assert found is None
    else:
        fits(_with_newer(schema), found)


def _with_newer(schema: Json) -> Json:
    if isinstance(schema, list):
        return [_with_newer(one) for one in schema]
    if not isinstance(schema, dict):
        return schema
    out = {name: _with_newer(inner) for name, inner in schema.items()}
    if isinstance(out.get("properties"), dict) and "isTransferable" not in out["properties"]:
        out["properties"] = {**NEWER, **out["properties"]}
    return out
