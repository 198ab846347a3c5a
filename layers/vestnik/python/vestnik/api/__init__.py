"""The HTTP API: one file per resource, and the folder is the registry.

`/v1/event-types/...` is served by `event_types.py`; only the file of the resource asked for is imported. A resource
file has a `router`, its pydantic models, and thin route functions that call the store or a flow:

    router = Router()

    class Note(Model):                                  # refuses unknown fields
        text: str = Field(max_length=200, description="What to remember.", examples=["call back"])

    @router.put("/notes/<id>")                          # the path below /v1; `<id>` may hold slashes
    @needs("operate", problems=(404,))                  # the scope; innermost, on every route
    def put_note(id: Id, body: Note) -> NoteShown:      # operationId and summary: name and docstring
        \"""Write a note.\"""
        shop = caller().shop                            # the one place a shop's name comes from
        ...
        raise not_found("note", id)                     # or Problem(status, code, detail), or errors.Refused (422)

From `vestnik.api._routes`: Router, needs, caller, request, and the path and query types Id, Limit, Cursor.
From `vestnik.api._models`: Model, Page. From `_problems`: Problem, Fault, not_found. From `_paging`: opened, page.

- `needs(scope, ...)`: `pure=True` for a POST that changes nothing and so needs no Idempotency-Key; `match=True` where
  the route minds If-Match (see `_kept`); `hidden=("key",)`
  for fields of the answer that a repeated request must not show again; `raw=("text/csv",)` for bodies that the route
  reads itself by `request().body` (then describe it with `content=`); `problems=` the statuses beyond the usual ones;
  `links=` OpenAPI links of the successful answer: {"name": ("operationId", {"id": "$response.body#/id"})}.
- Created: `@router.post(..., status_code=201)`. Nothing to say: `status_code=204` and `-> None`.
- Lists: `def list_notes(limit: Limit = 50, cursor: Cursor = "") -> Page[NoteShown]`; give the store
  `opened("notes", cursor)` and answer `page("notes", items, next_of_the_store, NoteShown)`.
- Underscore files are not resources.
"""

import json
from pathlib import Path
from typing import Any

BUILT = Path(__file__).with_name("openapi.json")


def answer(event: dict[str, Any], context: Any) -> dict[str, Any]:
    """Answer one request of the HTTP API (payload 2.0)."""
    from vestnik.api._app import answer as answer_one

    return answer_one(event, context)


def openapi() -> dict[str, Any]:
    """The OpenAPI 3.1 document of the whole API: as the build wrote it down beside this file, else built anew."""
    if BUILT.is_file():
        written: dict[str, Any] = json.loads(BUILT.read_bytes())
        return written
    from vestnik.api._openapi import document

    return document()
