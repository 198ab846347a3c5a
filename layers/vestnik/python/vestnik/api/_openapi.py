"""The OpenAPI document: the resources' own descriptions, and what the gateway and every route have in common.

`python -m vestnik.api._openapi` prints it, so that a build can keep it as a file.
"""

import json
import sys
from collections.abc import Mapping
from typing import Any

from aws_lambda_powertools.event_handler.openapi.compat import get_compat_model_name_map, get_definitions
from pydantic.json_schema import GenerateJsonSchema

from vestnik import api, plugins
from vestnik.api import _app, _described, _routes

Json = dict[str, Any]

ABOUT = """What happens in a shop becomes the right message. See `docs/api.md`.

Ids in paths are percent-encoded (`order.placed%2Fcustomer`). Lists come in parts: give `next` as `cursor`.
Every POST that changes something needs an `Idempotency-Key`: sent again with the same key and body, it is answered
alike and nothing happens twice."""

GATEWAY = {
    "401": "The gateway's own: no API key was sent.",
    "429": "The gateway's own: too many requests at once; try again.",
    "500": "The gateway's own: the API broke.",
}
OURS = {
    "400": "The body is not JSON, or the Idempotency-Key is missing.",
    "403": "The key is unknown or revoked (the gateway's own answer), or lacks the scope (a problem that names it).",
    "404": "There is no such thing in this shop.",
    "409": "A request with the same Idempotency-Key is under way, or what is there stands against it.",
    "412": "If-Match names another revision than the one there is.",
    "413": "The body is too large.",
    "415": "The body is of another media type.",
    "422": "Something in the request is not valid: `errors` says where, what was found and what would be right.",
    "429": "Too many requests; try again after `Retry-After` seconds.",
    "503": "Not now; try again after `Retry-After` seconds.",
}
GATEWAY_TOO = ("403", "404", "413", "429", "503")
KEY_HEADER: Json = {
    "name": "Idempotency-Key",
    "in": "header",
    "required": True,
    "description": "Fresh for each request you mean, such as a UUID; kept for a day.",
    "schema": {"type": "string", "minLength": 1, "maxLength": 255, "pattern": "^[!-~]([ -~]*[!-~])?$"},
}
MATCH_HEADER: Json = {
    "name": "If-Match",
    "in": "header",
    "description": 'Only if this is the revision it has now: `"12"`; `*` if there is one at all.',
    "schema": {"type": "string", "pattern": '^(\\*|"?[0-9]{1,15}"?)$'},
}


def document() -> Json:
    """The whole document, built anew."""
    app = _app.build(*plugins.names(api))
    paths, shapes = _routes_and_shapes(app)
    for path, more in _described.PATHS.items():
        paths[path] = paths.get(path, {}) | more
    return {
        "openapi": "3.1.0",
        "info": {"title": "Vestnik", "version": "1", "description": ABOUT},
        "servers": [{"url": "/"}],
        "tags": [{"name": name, "description": _about(name)} for name in plugins.names(api)],
        "paths": dict(sorted(paths.items())),
        "components": {
            "schemas": dict(sorted((shapes | _described.SHAPES).items())),
            "securitySchemes": {"key": {"type": "http", "scheme": "bearer", "description": "An API key of the shop."}},
        },
    }


def _routes_and_shapes(app: _app.Resolver) -> tuple[Json, Json]:
    """The operations by path and method, and the shapes they speak of.

    Put together here from the resolver's own parts: its finished document forbids what JSON Schema allows (a list of
    types).
    """
    fields = app._get_fields_from_routes(app.routes)
    names = get_compat_model_name_map(fields)
    generator = GenerateJsonSchema(ref_template="#/components/schemas/{model}")
    mapping, shapes = get_definitions(fields=fields, schema_generator=generator, model_name_map=names)
    paths: Json = {}
    for route in app.routes:
        found, _ = route._get_openapi_path(
            dependant=route.dependant, operation_ids=set(), model_name_map=names, field_mapping=mapping
        )
        operation = {name: value for name, value in found[route.method.lower()].items() if value is not None}
        _finish(operation, route)
        paths.setdefault(route.openapi_path, {})[route.method.lower()] = operation
    return json.loads(json.dumps(paths)), json.loads(json.dumps(shapes))


def _about(name: str) -> str:
    module = plugins.load(api, name)
    return (module.__doc__ or "").strip().partition("\n")[0] if module else ""


def _finish(operation: Json, route: Any) -> None:
    wanted = _routes.needs_of(route.func)
    operation["tags"] = [route.func.__module__.rpartition(".")[2]]
    operation["security"] = [{"key": [wanted.scope]}]
    about = operation.get("description", "")
    operation["description"] = f"{about}\n\nScope: `{wanted.scope}`.".strip()
    if _keyed(route):
        operation.setdefault("parameters", []).append(KEY_HEADER)
    if wanted.match:
        operation.setdefault("parameters", []).append(MATCH_HEADER)
    if wanted.content:
        operation["requestBody"] = {"required": True, "content": dict(wanted.content)}
    operation["responses"] = _success(operation["responses"], str(route.status_code), wanted) | _failures(route)


def _keyed(route: Any) -> bool:
    return route.method == "POST" and not _routes.needs_of(route.func).pure


def _success(found: dict[int, Json], status: str, wanted: _routes.Needs) -> Json:
    answer: Json = {"description": "Done." if status == "204" else "The answer."}
    if status != "204":
        answer["content"] = found[int(status)]["content"]
    if wanted.links:
        answer["links"] = {
            name: {"operationId": operation, **_bound(where)} for name, (operation, where) in wanted.links.items()
        }
    return {status: answer}


def _bound(where: Mapping[str, str]) -> Json:
    return {"parameters": dict(where)}


def _failures(route: Any) -> Json:
    wanted = _routes.needs_of(route.func)
    codes = {"403", "422", "503", *map(str, wanted.problems)}
    if "{" in route.openapi_path:
        codes.add("404")
    if route.dependant.body_params or wanted.raw:
        codes |= {"400", "413", "415"}
    if _keyed(route):
        codes |= {"400", "409"}
    if wanted.match:
        codes.add("412")
    gateways = {code: _described.gateway(text) for code, text in GATEWAY.items()}
    return gateways | {code: _failure(code) for code in sorted(codes)}


def _failure(code: str) -> Json:
    return _described.problem(OURS[code], gateway_too=code in GATEWAY_TOO)


if __name__ == "__main__":
    sys.stdout.write(json.dumps(document(), ensure_ascii=False, indent=1) + "\n")
