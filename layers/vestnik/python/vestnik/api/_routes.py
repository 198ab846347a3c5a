"""What a route says about itself, and who is asking."""

from collections.abc import Callable, Mapping
from contextvars import ContextVar
from dataclasses import dataclass, field
from typing import Annotated, Any

from aws_lambda_powertools.event_handler import api_gateway
from aws_lambda_powertools.event_handler.openapi.params import Path, Query

__all__ = ["Caller", "Cursor", "Id", "Limit", "Needs", "Request", "Router", "caller", "needs", "needs_of", "request"]

SCOPES = ("ingest", "read", "operate", "admin")
# `admin` is all of them; `operate` includes `read`; `ingest` stands apart, so that a shop's back end reads nothing.
INCLUDES = {"admin": set(SCOPES), "operate": {"operate", "read"}}
LARGEST_BODY = 360_000  # bytes: a setting with its version must fit into items of 400 KB

Id = Annotated[str, Path(min_length=1, max_length=200, description="Its id.")]
Limit = Annotated[int, Query(ge=1, le=200, description="How many to answer at most.")]
Cursor = Annotated[str, Query(max_length=2000, description="The `next` of the page before.")]


class Router(api_gateway.Router):
    """The routes of one resource."""

    def __init__(self) -> None:
        super().__init__()  # type: ignore[no-untyped-call]


@dataclass(frozen=True, slots=True)
class Caller:
    """Who is asking, as the authorizer found: nothing of it comes from the request's path or body."""

    shop: str
    key: str
    scopes: frozenset[str]

    def may(self, scope: str) -> bool:
        """Whether one of the key's scopes is or includes `scope`."""
        return any(scope in INCLUDES.get(own, {own}) for own in self.scopes)


@dataclass(frozen=True, slots=True)
class Request:
    """The request under way. `headers` by lower-case name; `body` as it came."""

    caller: Caller
    method: str
    path: str
    headers: Mapping[str, str]
    content_type: str
    body: bytes


@dataclass(frozen=True, slots=True)
class Needs:
    """What a route asks of a request, and what its documentation adds; see `needs`."""

    scope: str
    pure: bool = False
    match: bool = False
    raw: tuple[str, ...] = ()
    hidden: tuple[str, ...] = ()
    largest: int = LARGEST_BODY
    problems: tuple[int, ...] = ()
    links: Mapping[str, tuple[str, Mapping[str, str]]] = field(default_factory=dict)
    content: Mapping[str, Any] | None = None


_needs: dict[Callable[..., Any], Needs] = {}
current: ContextVar[Request] = ContextVar("request")


def needs[F: Callable[..., Any]](scope: str, **more: Any) -> Callable[[F], F]:
    """Say what a route asks for (the fields of `Needs`). Every route says it, or the API does not start."""
    if scope not in SCOPES:
        raise ValueError(scope)

    def note(function: F) -> F:
        _needs[function] = Needs(scope, **more)
        return function

    return note


def needs_of(function: Callable[..., Any]) -> Needs:
    """What the route served by `function` asks for. KeyError where it says nothing."""
    return _needs[function]


def request() -> Request:
    """The request under way."""
    return current.get()


def caller() -> Caller:
    """Who is asking."""
    return current.get().caller
