"""Holding requests and answers against an OpenAPI 3.0 document, strictly: a field that it does not name is wrong."""

import re
from functools import cached_property
from typing import Any, ClassVar

import jsonschema_rs

Json = Any


class Specification:
    """An OpenAPI document. Every complaint is a text that says where; nothing to complain of is an empty list."""

    LOOSE: ClassVar = ("allOf", "oneOf", "anyOf")

    def __init__(self, document: dict[str, Json]) -> None:
        self.document = document
        self._validators: dict[str, Any] = {}

    def template(self, method: str, path: str) -> str | None:
        """The path as the document names it; None where there is no such operation."""
        for known, operations in self.document["paths"].items():
            if method.lower() in operations and re.fullmatch(re.sub(r"\{\w+\}", "[^/]+", known), path):
                return str(known)
        return None

    def request(self, method: str, path: str, query: dict[str, str], body: Json) -> list[str]:
        """What is wrong with a request."""
        template = self.template(method, path)
        if template is None:
            return [f"there is no {method} {path}"]
        operation = self._operation(method, template)
        known = {one["name"]: one for one in map(self._resolved, operation.get("parameters", ()))}
        wrong = [f"no query parameter {name}" for name in query if known.get(name, {}).get("in") != "query"]
        wrong += [
            f"missing {n}"
            for n, one in known.items()
            if one["in"] == "query" and one.get("required") and n not in query
        ]
        told = self._resolved(operation.get("requestBody", {}))
        if body is None:
            return wrong + (["the body is missing"] if told.get("required") else [])
        return wrong + self._complaints(
            f"{method} {template} request", told["content"]["application/json"]["schema"], body
        )

    def answer(self, method: str, path: str, status: int, body: Json) -> list[str]:
        """What is wrong with an answer."""
        template = self.template(method, path)
        if template is None:
            return [f"there is no {method} {path}"]
        told = self._operation(method, template)["responses"].get(str(status))
        if told is None:
            return [f"{method} {template} has no answer {status}"]
        schema = self._resolved(told)["content"]["application/json"]["schema"]
        return self._complaints(f"{method} {template} {status}", schema, body)

    def enum(self, schema: str) -> list[str]:
        """The words of an enumeration."""
        return list(self.document["components"]["schemas"][schema]["enum"])

    def operation(self, name: str) -> dict[str, Json]:
        """An operation by its operationId."""
        every = (one for path in self.document["paths"].values() for one in path.values() if isinstance(one, dict))
        return next(one for one in every if one.get("operationId") == name)

    def _operation(self, method: str, template: str) -> dict[str, Json]:
        found: dict[str, Json] = self.document["paths"][template][method.lower()]
        return found

    def _resolved(self, told: Json) -> Json:
        while "$ref" in told:
            found: Json = self.document
            for part in told["$ref"].removeprefix("#/").split("/"):
                found = found[part]
            told = found
        return told

    def _complaints(self, name: str, schema: Json, value: Json) -> list[str]:
        if name not in self._validators:
            whole = {**_place(schema), "components": {"schemas": self._schemas}}
            self._validators[name] = jsonschema_rs.Draft202012Validator(whole)
        errors = self._validators[name].iter_errors(value)
        return [f"{name} {'/'.join(map(str, error.instance_path))}: {error.message[:200]}" for error in errors]

    @cached_property
    def _schemas(self) -> dict[str, Json]:
        return {name: _modern(schema) for name, schema in self.document["components"]["schemas"].items()}


def _place(schema: Json) -> Json:
    """A schema where a value stands: what no part of it names may not be there."""
    return {**_modern(schema), "unevaluatedProperties": False}


def _modern(schema: Json) -> Json:
    """A schema of OpenAPI 3.0 in today's JSON Schema."""
    if not isinstance(schema, dict):
        return schema
    out = {name: value for name, value in schema.items() if name not in ("nullable", "example", "format", "pattern")}
    for name in Specification.LOOSE:
        if name in out:
            out[name] = [_modern(part) for part in out[name]]
    if "properties" in out:
        out["properties"] = {name: _place(part) for name, part in out["properties"].items()}
    if "items" in out:
        out["items"] = _place(out["items"])
    for bound in ("Minimum", "Maximum"):
        if out.pop(f"exclusive{bound}", False):
            out[f"exclusive{bound}"] = out.pop(bound.lower())
    return {"anyOf": [out, {"type": "null"}]} if schema.get("nullable") else out
