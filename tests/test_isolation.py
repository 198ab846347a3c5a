"""Two shops in one deployment: nothing of one is told to, or changed by, the other, nor by a key that may not.

The routes are those of the OpenAPI document, so a new one is covered, or the suite says what it lacks to cover it.
"""

import gzip
import itertools
import json
import re
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import timedelta
from typing import Any
from urllib.parse import quote

import botocore.session
import hypothesis
import pytest
from hypothesis import strategies as st

from infra.twins.wildberries import Wildberries
from infra.world import Call, Fault, World
from infra.world.faults import none
from infra.world.http_api import Response
from tests.asking import START, Shop
from vestnik import marketplaces, resources
from vestnik.store import settings

MARK = "mark-of-demo"  # in all that the demo shop keeps, but not in ids: a refusal may repeat those
LESSER = {
    "ingest": ("read", "operate"),
    "read": ("ingest",),
    "operate": ("ingest", "read"),
    "admin": ("ingest", "read", "operate"),
}
MOMENT = r"\d{4}-\d{2}-\d{2}T[\d:.]+(?:Z|\+00:00)|\w{3}, \d\d \w{3} \d{4} [\d:]+ GMT"
VOLATILE = re.compile(rf"{MOMENT}|[0-9a-f]{{12,}}|vst_\w+|sha256-\S+|WB-GI-\d+")
MARKET, ACCOUNT, ITEM = "wildberries", "wb-1", "TEA"
REQUEST = f"{MARKET}.orders.new"
FIELDS = {"account": ACCOUNT, "marketplace": MARKET, "item": ITEM}  # by these names a body or query asks for these
LISTS = {
    **{root: f"{root}?account={ACCOUNT}" for root in ("products", "warehouses", "supplies")},
    "links": f"products?account={ACCOUNT}",
    "requests": f"requests?marketplace={MARKET}&limit=200",
    "event": "messages?limit=200",
}
"""Where ids are read, for resources that are not listed at their own path."""
CALLED = {"unit": "unit", "warehouse": "id", "id": "item"}
"""What a list calls a parameter of a path, where it is not its own name."""
numbers = itertools.count()


@dataclass(frozen=True)
class Route:
    """One operation of the document."""

    method: str
    path: str
    scope: str
    operation: dict[str, Any]

    def __str__(self) -> str:
        return f"{self.method} {self.path}"


def document(world: World) -> dict[str, Any]:
    answer = world.request("GET", "/v1/openapi.json", key=None)
    assert answer.status == 200, answer.text
    found: dict[str, Any] = answer.json()
    return found


def routes(document: dict[str, Any]) -> list[Route]:
    """All routes that need a key; those that only read come first, so that they still find what there is."""
    found = [
        Route(method.upper(), path, operation["security"][0]["key"][0], operation)
        for path, operations in document["paths"].items()
        for method, operation in operations.items()
        if operation.get("security")
    ]
    return sorted(found, key=lambda route: (("GET", "POST", "PUT", "DELETE").index(route.method), route.path))


# -- bodies by the document ---------------------------------------------------------------------------------------


class Bodies:
    """The plainest body that each route's schema takes."""

    def __init__(self, document: dict[str, Any], orders: list[str]) -> None:
        self._document, self._fields = document, {**FIELDS, "orders": orders}

    def of(self, route: Route) -> tuple[str, Any]:
        """Media type and body; ("", None) where the route takes none."""
        content = route.operation.get("requestBody", {}).get("content", {})
        if not content:
            return "", None
        media, told = next(iter(content.items()))
        written = WRITTEN.get(str(route))
        return media, written or (told["example"] if "example" in told else self.value(told["schema"]))

    def field(self, name: str, schema: dict[str, Any]) -> Any:
        """The value of a named field."""
        return self._fields[name] if name in self._fields else self.value(schema)

    def value(self, schema: dict[str, Any]) -> Any:
        """A value by a schema."""
        if "$ref" in schema:
            return self.value(self._resolved(schema["$ref"]))
        for name in ("const", "default", "example"):
            if name in schema:
                return schema[name]
        for name in ("examples", "enum"):
            if schema.get(name):
                return schema[name][0]
        for name in ("anyOf", "oneOf", "allOf"):
            if name in schema:
                return self.value(schema[name][0])
        return self._of_type(schema)

    def _resolved(self, reference: str) -> dict[str, Any]:
        node: Any = self._document
        for step in reference.removeprefix("#/").split("/"):
            node = node[step]
        found: dict[str, Any] = node
        return found

    def _of_type(self, schema: dict[str, Any]) -> Any:
        match schema.get("type"):
            case "object":
                return {name: self.field(name, schema["properties"][name]) for name in schema.get("required", [])}
            case "array":
                return [self.value(schema["items"])] * schema.get("minItems", 0)
            case "string":
                return _text(schema)
            case "boolean":
                return False
            case "integer" | "number":
                return schema.get("minimum", 1)
        return None


def _text(schema: dict[str, Any]) -> str:
    if schema.get("format") == "date":
        return "2026-11-20"
    if "pattern" not in schema:
        return "x" * max(1, schema.get("minLength", 1))
    settings = hypothesis.settings(database=None, max_examples=50)
    longest = schema.get("maxLength", 1000)
    texts = st.from_regex(schema["pattern"], fullmatch=True)
    return hypothesis.find(texts, lambda text: len(text) <= longest and text.isascii(), settings=settings)


WRITTEN = {
    "PUT /v1/accounts/{id}": {"marketplace": MARKET, "name": "x", "settings": {"token_type": "personal"}},
    "PUT /v1/requests/{id}": {"definition": marketplaces.shipped(MARKET).definitions[REQUEST]},
    "POST /v1/stock/sync": {"account": ACCOUNT},
}
"""Bodies of which the schema alone does not tell enough."""


# -- the demo shop's life -----------------------------------------------------------------------------------------


def live(world: World) -> None:
    """Let the demo shop have something of everything, each thing with the mark in it."""
    shop = Shop(world)
    customer = {"id": "c-1", "name": MARK, "email": f"{MARK}@example.com", "language": "en", "phone": "+359888123456"}
    order = {"id": "o-1", "number": MARK, "customer_id": "c-1", "payment": {"method": "cash_on_delivery"}}
    pattern = {"type": ["order.placed"], "order": {"number": [MARK]}}
    rule = {"name": MARK, "pattern": pattern, "channel": "email", "recipients": [{"kind": "customer"}], "delay": "PT5H"}
    text = {"channel": "email", "contents": {"en": {"subject": MARK, "text": MARK}}}
    schema = {"type": "object", "description": MARK, "properties": {"customer": {"type": "object"}}}
    type = {"purpose": "service", "schema": schema, "sample": {"customer": {"id": "1"}}}
    for path, body in {
        "customers/c-1": {**customer, "id": "c-1"},
        "staff/s-1": {"name": MARK, "email": f"staff-{MARK}@example.com"},
        "orders/o-1": order,
        "templates/t-1": text,
        "event-types/thing.happened_here": type,
    }.items():
        _done(shop.put(path, body))
    _done(shop.post("templates/t-1/publish"))
    _done(shop.put("rules/r-1", {**rule, "templates": {"customer": "t-1"}, "priority": 90}))
    _done(shop.post("keys", {"name": MARK, "scopes": ["read"]}))
    suppressed = {"channel": "email", "address": "sup@example.com", "reason": MARK.replace("-", " ")}
    _done(shop.post("suppressions", suppressed))
    world.faults = lambda call: Fault(how="500") if _dies(call) else None
    _done(shop.post("events", _event("dead", customer, {**order, "id": "o-2"})))
    world.advance(timedelta(hours=1))
    world.faults = none
    _done(shop.post("events", _event("lived", customer, order)))
    world.settle()
    assert shop.get("dead-letters").json()["items"], "a dead letter must be there to be looked for"
    live_at_a_marketplace(shop)


def live_at_a_marketplace(shop: Shop) -> None:
    """An account with a product that is linked and was bought, a supply, and settings of the shop's own."""
    twin = has_an_account(shop, MARK, 1)
    definition = {**marketplaces.shipped(MARKET).definitions[REQUEST], "title": MARK}
    status = {"id": "marked", "title": MARK, "counts_as": "shipped"}
    shipped = [status, *shop.get("statuses").json()["items"]]
    for path, body in {
        f"links/{ACCOUNT}/101": {"parts": [{"item": ITEM, "quantity": 1}]},
        f"requests/{REQUEST}": {"definition": definition},
        "statuses": {"items": shipped},
        f"statuses/{MARKET}": {"items": [{"theirs": {"supplierStatus": "x"}, "status": "marked"}]},
    }.items():
        _done(shop.put(path, body))
    _done(shop.post("categories/refresh", {"account": ACCOUNT}))
    _done(shop.post(f"requests/{REQUEST}/publish"))
    _done(shop.post(f"accounts/{ACCOUNT}/connect", {"dry": False}))
    shop.world.advance(timedelta(minutes=3))
    assert twin.sell(101, account=MARK)
    shop.world.advance(timedelta(minutes=3))
    _done(shop.post("supplies", {"account": ACCOUNT, "name": MARK}))
    assert shop.get("marketplace-orders").json()["items"], "an order must be there to be looked for"


def has_an_account(shop: Shop, name: str, number: int) -> Wildberries:
    """Let a shop have an account with a warehouse and a product, all by the same ids as the other shop's."""
    twin = shop.world.markets[MARKET]
    assert isinstance(twin, Wildberries)
    token = twin.add_seller(name)
    twin.add_warehouse(700 + number, name, account=name)
    for unit in (101, 102):
        twin.add_product(unit, f"{name}-{unit}", name, f"2700{number}{unit}", account=name, product=1_000_000 + unit)
    body = {"marketplace": MARKET, "name": name, "settings": {"token_type": "personal"}}
    _done(shop.put(f"accounts/{ACCOUNT}", {**body, "credentials": {"token": token}}))
    _done(shop.put("items", {"item": ITEM, "name": name}))
    _done(shop.put("stock", {"rows": [{"item": ITEM, "warehouse": name, "quantity": 5}]}))
    _done(shop.post("products/import", {"account": ACCOUNT}))
    shop.world.settle()
    assert shop.get(f"products?account={ACCOUNT}").json()["items"], "a product must be there to be looked for"
    return twin


def orders(shop: Shop) -> list[str]:
    """The ids of a shop's orders at marketplaces."""
    return [one["id"] for one in shop.get("marketplace-orders").json()["items"]]


def _dies(call: Call) -> bool:
    return (call.function, call.operation) == ("evaluate-events", "PutObject")


def _event(id: str, customer: Any, order: Any) -> dict[str, Any]:
    return {"type": "order.placed", "source": "/demo", "id": id, "data": {"customer": customer, "order": order}}


def _done(response: Response) -> None:
    assert response.status < 300, response.text


def ids(world: World, document: dict[str, Any]) -> dict[str, dict[str, str]]:
    """For each path with parameters, values of the demo shop's: from the list that stands above it."""
    shop, found = Shop(world), dict[str, dict[str, str]]()
    for path in {route.path: None for route in routes(document)}:
        names = re.findall(r"{(\w+)}", path)
        if names:
            found[path] = {name: _own(shop, path.split("/")[2], name) for name in names}
    return found


def _own(shop: Shop, root: str, name: str) -> str:
    """The value of a parameter in what the shop has made itself (not in what is shipped)."""
    if root == "events":
        return str(shop.get("messages").json()["items"][0]["event"])
    if name in FIELDS:
        return FIELDS[name]
    items = shop.get(LISTS.get(root, f"{root}?limit=200")).json()["items"]
    own = [item for item in items if not _is_shipped(item)] or items
    assert own, f"the demo shop has no {root}: give it one in `live`"
    field = name if name in own[0] else CALLED.get(name, name)
    assert field in own[0], f"items of /v1/{root} have no field {field!r}: tell `_own` where it comes from"
    return str(own[0][field])


def _is_shipped(item: dict[str, Any]) -> bool:
    return bool(item.get("shipped", False)) or item.get("source") == "shipped"


# -- asking -------------------------------------------------------------------------------------------------------


def ask(world: World, route: Route, key: str | None, places: dict[str, dict[str, str]], bodies: Bodies) -> Response:
    """Ask for a route with the demo shop's ids in the path."""
    path = route.path
    for name, value in places.get(path, {}).items():
        path = path.replace(f"{{{name}}}", quote(value, safe=""))
    media, body = bodies.of(route)
    headers = {"content-type": media} if media else {}
    headers |= {"idempotency-key": f"isolation-{next(numbers)}"} if route.method == "POST" else {}
    return world.request(route.method, f"{path}{_query(route, bodies)}", key=key, headers=headers, body=body)


def _query(route: Route, bodies: Bodies) -> str:
    needed = [p for p in route.operation.get("parameters", []) if p["in"] == "query" and p.get("required")]
    own = {"source": "/demo", "id": "lived"} if route.path == "/v1/events" else {}
    pairs = [f"{p['name']}={quote(str(own.get(p['name']) or bodies.field(p['name'], p['schema'])))}" for p in needed]
    return f"?{'&'.join(pairs)}" if pairs else ""


def kept(world: World, shop: str) -> dict[str, Any]:
    """All that lies of a shop's in tables, objects, queues and secrets."""
    session = botocore.session.get_session()
    database, objects, vault = (
        session.create_client(service, region_name="us-east-1") for service in ("dynamodb", "s3", "secretsmanager")
    )
    found: dict[str, Any] = {}
    for table in database.list_tables()["TableNames"]:
        for item in database.scan(TableName=table)["Items"]:
            place = f"{table} {item['pk']['S']} {item['sk']['S']}"
            if re.search(rf"(^| |#){shop}(#| |$)", place) or item.get("shop", {}).get("S") == shop:
                found[place] = item
    for bucket in objects.list_buckets()["Buckets"]:
        for entry in objects.list_objects_v2(Bucket=bucket["Name"], Prefix=f"{shop}/").get("Contents", []):
            body = objects.get_object(Bucket=bucket["Name"], Key=entry["Key"])["Body"].read()
            found[entry["Key"]] = gzip.decompress(body)
    for secret in vault.list_secrets()["SecretList"]:
        if f"/{shop}/" in secret["Name"]:
            found[secret["Name"]] = vault.get_secret_value(SecretId=secret["Name"])["SecretString"]
    for name, queue in world.account.queues().items():
        letters = [m.body for m in queue._messages if f'"shop":"{shop}"' in m.body.replace(" ", "")]
        found |= {name: sorted(letters)} if letters else {}
    return found


def sweep(world: World, key: str, places: dict[str, dict[str, str]], bodies: Bodies) -> dict[str, Response]:
    """What every route answers to a key that asks for the demo shop's things."""
    return {str(route): ask(world, route, key, places, bodies) for route in routes(bodies._document)}


# -- the suite ----------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Lived:
    """A world in which the demo shop has lived, and what the other shop's key got of it."""

    world: World
    document: dict[str, Any]
    places: dict[str, dict[str, str]]
    bodies: Bodies
    before: dict[str, Any]
    answers: dict[str, Response]
    after: dict[str, Any]


@pytest.fixture(scope="module")
def lived() -> Iterator[Lived]:
    with World(start=START) as world:
        live(world)
        has_an_account(Shop(world, "other-key"), "other", 2)
        found = document(world)
        places, bodies = ids(world, found), Bodies(found, orders(Shop(world)))
        before = kept(world, "demo")
        answers = sweep(world, "other-key", places, bodies)
        yield Lived(world, found, places, bodies, before, answers, kept(world, "demo"))


@pytest.fixture(scope="module")
def empty(lived: Lived) -> dict[str, Response]:
    """What the other shop's key gets where the demo shop has nothing. It empties the world: only the last test asks."""
    lived.world.reset()
    twin = has_an_account(Shop(lived.world, "other-key"), "other", 2)
    next(twin.numbers)  # or the first supply that the other shop makes gets the number that the demo shop's had
    return sweep(lived.world, "other-key", lived.places, lived.bodies)


def test_the_demo_shop_has_something_of_everything(lived: Lived) -> None:
    marked = [place for place, item in lived.before.items() if MARK in str(item) or MARK.replace("-", " ") in str(item)]
    tables = {place.split()[0].rpartition("-")[2] for place in marked if " " in place}
    assert {"settings", "people", "orders", "ledger", "goods"} <= tables
    assert any(place.endswith(".json.gz") for place in marked)
    assert any(place.endswith("-dead") for place in marked)
    assert any("/shops/demo/" in place for place in lived.before)


def test_the_demo_shops_own_key_sees_the_mark(lived: Lived) -> None:
    shown = sweep_of_gets(lived, "local-key")
    seeing = {name.split()[1].split("/")[2] for name, answer in shown.items() if MARK in answer.text}
    assert {"customers", "staff", "orders", "rules", "templates", "keys", "messages", "events"} <= seeing
    assert {"accounts", "products", "links", "items", "stock", "warehouses", "requests", "statuses"} <= seeing
    assert {"marketplace-orders", "supplies"} <= seeing


def test_every_time_is_told_with_z(lived: Lived) -> None:
    texts = {name: answer.text for name, answer in sweep_of_gets(lived, "local-key").items()}
    texts |= {name: answer.text for name, answer in lived.answers.items()}
    assert [name for name, text in texts.items() if "+00:00" in text] == []
    assert sum(len(re.findall(r"T\d\d:\d\d:\d\d(\.\d+)?Z", text)) for text in texts.values()) > 20


def sweep_of_gets(lived: Lived, key: str) -> dict[str, Response]:
    reading = [route for route in routes(lived.document) if route.method == "GET"]
    return {str(route): ask(lived.world, route, key, lived.places, lived.bodies) for route in reading}


def test_no_route_breaks(lived: Lived) -> None:
    assert {name: answer.text for name, answer in lived.answers.items() if answer.status >= 500} == {}


def test_most_routes_do_their_work_for_the_asker_so_that_there_was_something_to_fear(lived: Lived) -> None:
    served = [name for name, answer in lived.answers.items() if answer.status < 300]
    refused = {name: answer.text for name, answer in lived.answers.items() if answer.status in (400, 415, 422)}
    assert len(served) >= len(lived.answers) / 2, refused


def test_nothing_of_one_shop_is_told_to_the_other(lived: Lived) -> None:
    texts = {name: answer.text + json.dumps(answer.headers) for name, answer in lived.answers.items()}
    assert [name for name, text in texts.items() if MARK in text or MARK.replace("-", " ") in text] == []


def test_nothing_of_one_shop_is_changed_by_the_other(lived: Lived) -> None:
    assert {place for place in lived.before if lived.before[place] != lived.after.get(place)} == set()
    assert set(lived.after) - set(lived.before) == set()


def test_a_lesser_key_is_refused_everywhere_and_changes_nothing(lived: Lived) -> None:
    world, shop = lived.world, Shop(lived.world)
    lesser = {scope: shop.with_scopes(scope).key for scope in ("ingest", "read", "operate")}
    before = kept(world, "demo")
    wrong = {}
    for route in routes(lived.document):
        for scope in LESSER[route.scope]:
            answer = ask(world, route, lesser[scope], lived.places, lived.bodies)
            if answer.status != 403 or MARK in answer.text:
                wrong[f"{route} with {scope}"] = answer.text[:300]
    assert wrong == {}
    assert kept(world, "demo") == before


@pytest.mark.parametrize(("key", "status"), [(None, 401), ("no-such-key", 403), ("demo", 403)])
def test_without_a_key_there_is_nothing(lived: Lived, key: str | None, status: int) -> None:
    answers = {str(r): ask(lived.world, r, key, lived.places, lived.bodies) for r in routes(lived.document)}
    assert {name: answer.status for name, answer in answers.items() if answer.status != status} == {}


def test_a_revoked_key_is_out_of_force_within_a_minute(lived: Lived) -> None:
    admin = Shop(lived.world)
    made = admin.post("keys", {"name": "short-lived", "scopes": ["read"]}).json()
    short = Shop(lived.world, made["key"])
    assert short.get("customers").status == 200
    assert admin.delete(f"keys/{made['id']}").status == 204
    lived.world.advance(timedelta(seconds=60))
    assert short.get("customers").status == 403
    assert short.get("orders").status == 403


def test_the_same_idempotency_key_of_two_shops_is_two_requests(lived: Lived) -> None:
    body = {"channel": "email", "address": "both@example.com"}
    first = Shop(lived.world).post("suppressions", body, **{"idempotency-key": "the-same"})
    second = Shop(lived.world, "other-key").post("suppressions", body, **{"idempotency-key": "the-same"})
    assert (first.status, second.status) == (201, 201)
    assert "idempotency-replayed" not in second.headers


def test_a_cursor_of_one_shop_is_none_of_the_other(lived: Lived) -> None:
    demo, other = Shop(lived.world), Shop(lived.world, "other-key")
    for path in ("customers", "messages", "rules", "suppressions", "items", "stock", "accounts", "marketplace-orders"):
        cursor = demo.get(f"{path}?limit=1").json()["next"]
        if cursor:
            assert other.get(f"{path}?limit=1&cursor={cursor}").status == 422


@pytest.mark.parametrize("address", ["orders@demo.example", "Orders@Demo.Example", "x@mail.demo.example", "x@example"])
def test_no_shop_writes_from_a_domain_of_anothers(lived: Lived, address: str) -> None:
    sender = {"plugin": "email_ses", "config": {"from_address": address}}
    answer = Shop(lived.world, "other-key").put("senders/stolen", sender)
    assert (answer.status, answer.json()["type"]) == (422, "/problems/domain-not-granted")
    assert Shop(lived.world, "other-key").get("senders/stolen").status == 404


def test_a_sender_of_anothers_domain_that_was_kept_before_sends_nothing(lived: Lived) -> None:
    world, other = lived.world, Shop(lived.world, "other-key")
    stolen = {"id": "ses", "channel": "email", "plugin": "email_ses", "name": "", "default": True, "secrets": []}
    stolen["config"] = {"from_address": "orders@demo.example"}
    with resources.use(world.account.variables(world.account.functions["manage-shop"])):
        settings.put("other", "sender", "ses", stolen, by="before", now=world.now())
    assert other.post("senders/ses/test", {"to": "me@other.example"}).json()["type"] == "/problems/domain-not-granted"
    seen = len(world.outbox)
    customer = {"id": "c-9", "email": "nobody@example.com", "language": "en"}
    _done(other.post("events", _event("stolen", customer, {"id": "o-9", "payment": {"method": "cash_on_delivery"}})))
    world.settle()
    (message,) = other.get("messages?person=customer:c-9").json()["items"]
    assert (message["state"], len(world.outbox)) == ("failed", seen)
    assert "demo.example" in other.get(f"messages/{message['id']}").json()["reason"]


def test_no_answer_depends_on_what_the_other_shop_has(lived: Lived, empty: dict[str, Response]) -> None:
    def plain(answer: Response) -> tuple[int, str]:
        return answer.status, VOLATILE.sub("", answer.text)

    differing = {name for name, answer in lived.answers.items() if plain(answer) != plain(empty[name])}
    assert {name: (lived.answers[name].text[:500], empty[name].text[:500]) for name in differing} == {}
