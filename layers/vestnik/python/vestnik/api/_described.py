"""What the OpenAPI document says of the doors that are no resources: intake, public pages, notifications."""

from typing import Any

Json = dict[str, Any]

RETRY = {"Retry-After": {"description": "Seconds to wait.", "schema": {"type": "string"}}}


def _ref(name: str) -> Json:
    return {"schema": {"$ref": f"#/components/schemas/{name}"}}


def gateway(text: str) -> Json:
    """An answer of the gateway's own."""
    return {"description": text, "content": {"application/json": _ref("GatewayMessage")}}


def problem(text: str, *, gateway_too: bool = False) -> Json:
    """A problem of ours; `gateway_too`: the gateway answers with this status as well, in its own words."""
    own = {"application/json": _ref("GatewayMessage")} if gateway_too else {}
    return {"description": text, "content": {"application/problem+json": _ref("Problem"), **own}}


SHAPES: Json = {
    "GatewayMessage": {
        "type": "object",
        "description": "An answer of the gateway, before any door of ours was reached.",
        "properties": {"message": {"type": ["string", "null"]}},
        "required": ["message"],
    },
    "Problem": {
        "type": "object",
        "description": "What is wrong (RFC 9457). Some problems carry further fields.",
        "properties": {
            "type": {"type": "string", "description": "Which kind of problem: `/problems/<code>`, see docs/api.md."},
            "title": {"type": "string"},
            "status": {"type": "integer"},
            "detail": {"type": "string", "description": "This very problem, for a person."},
            "errors": {"type": "array", "items": {"$ref": "#/components/schemas/Fault"}},
        },
        "required": ["type", "title", "status", "detail"],
    },
    "Fault": {
        "type": "object",
        "properties": {
            "where": {
                "type": "string",
                "description": "A JSON pointer into the body, `?name` of a query parameter, `{name}` of a part of the "
                "path, or a header's name.",
            },
            "message": {"type": "string"},
            "found": {"type": "string", "description": "What stood there."},
            "expected": {"type": "string", "description": "What would be right."},
        },
        "required": ["where", "message"],
    },
    "PlainEvent": {
        "type": "object",
        "description": "An event without CloudEvents' frame. Without an `id` each post is a new event.",
        "properties": {
            "type": {"$ref": "#/components/schemas/TypeName"},
            "data": {"type": "object", "description": "See the catalogue for the shape of each type's data."},
            "id": {"type": "string", "minLength": 1, "maxLength": 512},
            "source": {"type": "string", "minLength": 1, "maxLength": 512},
            "time": {"type": ["string", "null"], "format": "date-time", "description": "Absent: now."},
            "notify": {"type": "boolean", "description": "False: keep what it says, tell nobody."},
            **{
                name: {"description": "As in CloudEvents; what stands here is ignored."}
                for name in ("subject", "datacontenttype", "dataschema")
            },
        },
        "additionalProperties": False,
        "required": ["type", "data"],
        "example": {"type": "order.shipped", "data": {"order_id": "1001"}},
    },
    "CloudEvent": {
        "type": "object",
        "description": "CloudEvents 1.0. `source` and `id` together name the event: posted again, nothing happens.",
        "properties": {
            "specversion": {"const": "1.0"},
            "id": {"type": "string", "minLength": 1, "maxLength": 512},
            "source": {"type": "string", "minLength": 1, "maxLength": 512},
            "type": {"$ref": "#/components/schemas/TypeName"},
            "time": {"type": ["string", "null"], "format": "date-time", "description": "Absent: now."},
            "datacontenttype": {"description": "Always JSON; what stands here is ignored."},
            "data": {"type": "object"},
            "notify": {"type": "boolean"},
        },
        "propertyNames": {"pattern": "^[a-z0-9]+$"},
        "required": ["specversion", "id", "source", "type", "data"],
        "example": {
            "specversion": "1.0",
            "id": "1001-shipped",
            "source": "/shop/orders",
            "type": "order.shipped",
            "time": "2026-11-20T09:30:00Z",
            "data": {"order_id": "1001"},
        },
    },
    "TypeName": {
        "type": "string",
        "description": "`thing.happened`: one of the catalogue's or of the shop's own.",
        "pattern": "^[a-z][a-z0-9_]*(\\.[a-z][a-z0-9_]*)+$",
        "maxLength": 100,
    },
    "TakenEvent": {
        "type": "object",
        "properties": {
            "status": {"type": "string", "enum": ["accepted", "refused", "not-kept"]},
            "index": {"type": "integer", "description": "Its place in the batch."},
            "event": {"type": "string", "description": "Ask `/v1/events/{id}` for what became of it."},
            "id": {"type": "string"},
            "source": {"type": "string"},
            "problem": {"$ref": "#/components/schemas/Problem"},
        },
        "required": ["status"],
    },
    "TakenBatch": {
        "type": "object",
        "properties": {
            "accepted": {"type": "integer"},
            "refused": {"type": "integer"},
            "items": {"type": "array", "items": {"$ref": "#/components/schemas/TakenEvent"}},
        },
        "required": ["accepted", "refused", "items"],
    },
}

EITHER: list[Json] = [{"$ref": "#/components/schemas/CloudEvent"}, {"$ref": "#/components/schemas/PlainEvent"}]
BATCH: Json = {
    "schema": {
        "type": "array",
        "description": "Events; one that is not valid is refused by itself.",
        "items": {"anyOf": [*EITHER, {}]},
        "minItems": 1,
        "maxItems": 500,
    }
}

POST_EVENTS: Json = {
    "operationId": "post_events",
    "tags": ["events"],
    "summary": "Post what happened in the shop.",
    "description": "CloudEvents 1.0 in structured, batch (up to 500) or binary mode, or a plain `{type, data}` as "
    "JSON. In binary mode the attributes come as headers `ce-id`, `ce-source`, `ce-type`, `ce-time`, `ce-specversion` "
    "and the body is the data. Answered once it is durably kept. A batch is answered 202 if any item was kept, with a "
    "result for each, 422 if none was good, 503 if a good one was not kept.\n\nScope: `ingest`.",
    "security": [{"key": ["ingest"]}],
    "requestBody": {
        "required": True,
        "content": {
            "application/cloudevents+json": {"schema": {"anyOf": EITHER}},
            "application/cloudevents-batch+json": BATCH,
            "application/json": {"schema": {"anyOf": [*EITHER, BATCH["schema"]]}},
        },
    },
    "responses": {
        "202": {
            "description": "Kept.",
            "content": {
                "application/json": {
                    "schema": {
                        "anyOf": [
                            {"$ref": "#/components/schemas/TakenEvent"},
                            {"$ref": "#/components/schemas/TakenBatch"},
                        ]
                    }
                }
            },
        },
        "400": problem("The body is not JSON, or holds a number that no double can."),
        "401": gateway("The gateway's own: no API key was sent."),
        "403": problem("The key is unknown (the gateway's own) or lacks the scope.", gateway_too=True),
        "413": problem("An event or the batch is too large.", gateway_too=True),
        "415": problem("The body is of another media type."),
        "422": problem("No event is valid: `errors` (of a batch: `items`) says what is wrong."),
        "429": {**problem("The shop's quota of the minute is used up.", gateway_too=True), "headers": RETRY},
        "500": gateway("The gateway's own: the API broke."),
        "503": {**problem("Good events were not kept; post them again.", gateway_too=True), "headers": RETRY},
    },
}

GET_OPENAPI: Json = {
    "operationId": "read_openapi",
    "summary": "This document.",
    "security": [],
    "responses": {
        "200": {"description": "OpenAPI 3.1.", "content": {"application/json": {"schema": {"type": "object"}}}},
        "429": gateway("The gateway's own: too many requests at once; try again."),
        "500": gateway("The gateway's own: the API broke."),
    },
}

TOKEN: Json = {
    "name": "token",
    "in": "path",
    "required": True,
    "description": "From the link of a message.",
    "schema": {"type": "string", "minLength": 1},
}


def _page(name: str, summary: str) -> Json:
    page = {"text/html": {"schema": {"type": "string"}}}
    return {
        "operationId": name,
        "summary": summary,
        "security": [],
        "parameters": [TOKEN],
        "responses": {
            "200": {"description": "A page for the reader.", "content": page},
            "404": {
                "description": "The link is none of ours.",
                "content": {**page, "application/json": _ref("GatewayMessage")},
            },
            "410": {"description": "The link is too old.", "content": page},
            "429": gateway("The gateway's own: too many requests at once; try again."),
            "500": gateway("The gateway's own: the API broke."),
        },
    }


UNSUBSCRIBE: Json = {
    "get": _page("show_unsubscribe", "Show what the link would end; it changes nothing."),
    "post": _page("unsubscribe", "End marketing by this channel: the page's button, or the mail client's (RFC 8058)."),
}
NOTIFICATIONS: Json = {
    "operationId": "take_marketplace_notification",
    "summary": "Hear a marketplace's notification.",
    "description": "The address is shown with the account. What comes only lets its orders be read at once; the answer "
    "is what that marketplace expects.",
    "security": [],
    "parameters": [
        {"name": "account", "in": "path", "required": True, "schema": {"type": "string", "minLength": 1}},
        {**TOKEN, "description": "Signed by us for this account."},
    ],
    "requestBody": {"content": {"application/json": {"schema": {}}}},
    "responses": {
        "200": {"description": "Heard.", "content": {"application/json": {"schema": {"type": "object"}}}},
        "404": {"description": "The address is none of ours, or no more.", "content": {"application/json": {}}},
        "413": {"description": "It is too large for a notification.", "content": {"application/json": {}}},
        "429": gateway("The gateway's own: too many requests at once; try again."),
        "500": gateway("The gateway's own: the API broke."),
    },
}
PATHS: Json = {
    "/v1/events": {"post": POST_EVENTS},
    "/v1/openapi.json": {"get": GET_OPENAPI},
    "/v1/marketplace-notifications/{account}/{token}": {"post": NOTIFICATIONS},
    "/v1/unsubscribe/{token}": UNSUBSCRIBE,
}
