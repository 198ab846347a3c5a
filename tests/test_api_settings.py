"""The shop, its rules and event types, and trying patterns."""

import json
from collections.abc import Iterator
from typing import Any

import pytest

from infra.world import World
from tests.asking import Shop, opened, problem
from vestnik import events

RULE: dict[str, Any] = {
    "name": "Big orders",
    "pattern": {"type": ["order.placed"], "order": {"total": {"amount": [{"numeric": [">=", 100000]}]}}},
    "recipients": [{"kind": "staff_group", "group": "owner"}],
    "channel": "email",
}
TASTING = {
    "description": "A tasting was booked.\n\nPost it at once.",
    "schema": {"type": "object", "properties": {"seats": {"type": "integer"}}, "required": ["seats"]},
    "sample": {"seats": 2},
    "useful_life": "P2D",
}


@pytest.fixture(scope="module")
def world() -> Iterator[World]:
    with opened() as world:
        yield world


def where(answer: Any, code: str) -> list[str]:
    """The places a 422 names."""
    return [error["where"] for error in problem(answer, 422, code)["errors"]]


def test_the_shop_is_put_as_a_whole(shop: Shop) -> None:
    before = shop.get("shop").json()
    body = {"name": "Samovar", "timezone": "Europe/Sofia", "country": "BG", "sending": {"sms": False}}
    put = shop.put("shop", body)
    assert put.status == 200, put.text
    assert put.json()["id"] == "demo"
    assert put.json()["sending"] == {"email": True, "sms": False, "telegram": True, "webhook": True}
    assert shop.get("shop").json() == put.json()
    assert put.json()["revision"] == before["revision"] + 1 or put.json()["revision"] > before["revision"]
    assert Shop(shop.world, "other-key").get("shop").json()["name"] == "Other Shop"


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("timezone", "Europe/Sofa"),
        ("timezone", "../../etc/passwd"),
        ("email", "nobody"),
        ("color", "red"),
        ("country", "Bulgaria"),
        ("quota_per_minute", 0),
        ("url", "javascript:alert(1)"),
        ("staff_chat", "chat"),
    ],
)
def test_a_wrong_field_of_the_shop_is_named(shop: Shop, field: str, value: Any) -> None:
    assert where(shop.put("shop", {field: value}), "invalid") == [f"/{field}"]


def test_a_rule_is_written_read_listed_and_removed(shop: Shop) -> None:
    put = shop.put("rules/big-orders", RULE)
    assert put.status == 200, put.text
    rule = put.json()
    assert (rule["id"], rule["shipped"], rule["priority"]) == ("big-orders", False, 50)
    assert rule["by"].startswith("key:")
    assert shop.get("rules/big-orders").json() == rule
    assert rule in shop.get("rules?limit=200").json()["items"]
    assert shop.delete("rules/big-orders").status == 204
    problem(shop.get("rules/big-orders"), 404, "not-found")
    problem(shop.delete("rules/big-orders"), 404, "not-found")


def test_every_shipped_rule_is_listed_and_could_be_put_back(shop: Shop) -> None:
    listed = {rule["id"]: rule for rule in shop.get("rules?limit=200").json()["items"]}
    assert {str(rule["id"]) for rule in events.rules()} <= listed.keys()
    trail = ("id", "revision", "at", "by", "shipped")
    for id in ("order.placed/customer/email", "order.placed/staff/telegram"):
        body = {name: value for name, value in listed[id].items() if name not in trail}
        assert shop.put(f"rules/{id}", body).status == 200
        assert shop.delete(f"rules/{id}").status == 204


def test_a_rule_in_place_of_a_shipped_one_goes_and_the_shipped_one_is_back(shop: Shop) -> None:
    id = "order.placed/customer/email"
    assert shop.get(f"rules/{id}").json()["shipped"]
    silent = {**RULE, "active": False, "pattern": {"type": ["order.placed"]}, "recipients": [{"kind": "customer"}]}
    assert shop.put(f"rules/{id}", silent).status == 200
    assert shop.get(f"rules/{id.replace('/', '%2F')}").json()["active"] is False
    rules = [rule for rule in shop.get("rules?limit=200").json()["items"] if rule["id"] == id]
    assert [rule["shipped"] for rule in rules] == [False]
    assert shop.delete(f"rules/{id}").status == 204
    assert shop.get(f"rules/{id}").json()["shipped"]


def test_the_list_of_rules_comes_in_parts_in_order(shop: Shop) -> None:
    for n in range(3):
        assert shop.put(f"rules/part-{n}", RULE).status == 200
    whole = [rule["id"] for rule in shop.get("rules?limit=200").json()["items"]]
    parts: list[str] = []
    cursor = ""
    while cursor is not None:
        page = shop.get(f"rules?limit=7{cursor}").json()
        parts += [rule["id"] for rule in page["items"]]
        cursor = f"&cursor={page['next']}" if page["next"] else None
    assert parts == whole == sorted(whole)


def test_the_versions_of_a_rule_are_kept(shop: Shop) -> None:
    for priority in (1, 2, 3):
        assert shop.put("rules/versioned", {**RULE, "priority": priority}).status == 200
    assert shop.delete("rules/versioned").status == 204
    versions = shop.get("rules/versioned/versions").json()["items"]
    assert [v["rule"] and v["rule"]["priority"] for v in versions] == [None, 3, 2, 1]
    page = shop.get("rules/versioned/versions?limit=2").json()
    rest = shop.get(f"rules/versioned/versions?limit=2&cursor={page['next']}").json()
    assert page["items"] + rest["items"] == versions
    problem(shop.get("rules/unknown/versions"), 404, "not-found")


def test_a_writer_who_saw_an_older_revision_is_stopped(shop: Shop) -> None:
    first = shop.put("rules/matched", RULE, **{"if-match": '"0"'})
    assert first.status == 200, first.text
    second = shop.put("rules/matched", RULE, **{"if-match": f'"{first.json()["revision"]}"'})
    assert second.status == 200
    problem(shop.put("rules/matched", RULE, **{"if-match": f'"{first.json()["revision"]}"'}), 412, "changed-meanwhile")
    problem(shop.delete("rules/matched", **{"if-match": "1"}), 412, "changed-meanwhile")
    problem(shop.put("rules/not-there", RULE, **{"if-match": "*"}), 412, "changed-meanwhile")


@pytest.mark.parametrize(
    ("change", "place"),
    [
        ({"recipients": [{"kind": "staff_group"}]}, "/recipients/0/group"),
        ({"recipients": [{"kind": "customer", "group": "owner"}]}, "/recipients/0/group"),
        ({"recipients": [{"kind": "address", "address": "nobody"}]}, "/recipients/0/address"),
        ({"recipients": [{"kind": "telegram_chat"}]}, "/recipients/0/kind"),
        ({"recipients": [{"kind": "webhook", "url": "https://a.example/x"}]}, "/recipients/0/kind"),
        ({"channel": "webhook"}, "/recipients/0/kind"),
        ({"channel": "webhook", "recipients": [{"kind": "webhook", "url": "http://10.0.0.1/"}]}, "/recipients/0/url"),
        ({"delay": "P61D"}, "/delay"),
        ({"delay": "PT"}, "/delay"),
        ({"sender": "nobody"}, "/sender"),
        ({"sender": "sms"}, "/sender"),
        ({"templates": {"staff_group": "not-there"}}, "/templates/staff_group"),
        ({"templates": {"staff_group": "../../x/customer"}}, "/templates/staff_group"),
        ({"pattern": {"type": ["shop.own_type"]}}, "/templates/staff_group"),
        ({"pattern": {"typ": ["order.placed"]}}, "/pattern/typ"),
        ({"pattern": {"$or": [{"type": ["a.b"]}, {"odrer": {"id": ["1"]}}]}}, "/pattern/$or/1/odrer"),
    ],
)
def test_a_rule_that_could_not_work_is_refused_with_the_place(shop: Shop, change: dict[str, Any], place: str) -> None:
    assert place in where(shop.put("rules/wrong", {**RULE, **change}), "invalid-rule")


def test_a_wrong_pattern_of_a_rule_is_refused_with_the_place(shop: Shop) -> None:
    answer = shop.put("rules/wrong", {**RULE, "pattern": {"order": {"total": [{"numeric": ["<<", 1]}]}}})
    assert where(answer, "invalid-pattern")[0].startswith("/pattern/order/total/0")


@pytest.mark.parametrize(
    ("body", "result"),
    [
        ({"pattern": {"a": [1]}, "event": {"a": 1}}, "match"),
        ({"pattern": {"a": [1]}, "event": {"a": 2}}, "nomatch"),
        ({"pattern": {"a": [1]}}, "valid"),
        ({"pattern": '{"a": [1]}', "event": '{"a": 1.0}'}, "match"),
    ],
)
def test_a_pattern_is_tried(shop: Shop, body: dict[str, Any], result: str) -> None:
    answer = shop.post("patterns/test", body)
    assert (answer.status, answer.json()) == (200, {"result": result})


def test_a_pattern_is_tried_as_it_is_written(shop: Shop) -> None:
    doubled = '{"pattern": {"a": [1], "a": [2]}, "event": {"a": 2}}'
    assert shop.post("patterns/test", doubled).json() == {"result": "match"}
    huge = '{"pattern": {"a": [2.0e422]}, "event": {"a": 2.0e422}}'
    assert shop.post("patterns/test", huge).status == 200


@pytest.mark.parametrize(
    ("body", "code", "place"),
    [
        ('{"pattern": {"a": []}}', "invalid-pattern", "/pattern/a"),
        ('{"pattern": {"a": [{"prefix": 1}]}}', "invalid-pattern", "/pattern/a/0/prefix"),
        ('{"pattern": [1]}', "invalid-pattern", "/pattern"),
        ('{"pattern": "{"}', "invalid-pattern", "/pattern"),
        ('{"pattern": null}', "invalid-pattern", "/pattern"),
        ('{"pattern": {"a": [1]}, "event": [1]}', "invalid-event", "/event"),
        ('{"pattern": {"a": [1]}, "evnt": {}}', "invalid", "/evnt"),
        ("{}", "invalid", "/pattern"),
    ],
)
def test_a_wrong_pattern_is_told_where(shop: Shop, body: str, code: str, place: str) -> None:
    assert where(shop.post("patterns/test", body), code) == [place]


@pytest.mark.parametrize("body", ["", "{", "[]", "null", "[" * 100_000, b"\xff"])
def test_a_try_that_is_no_json_object_is_refused(shop: Shop, body: str | bytes) -> None:
    problem(shop.post("patterns/test", body), 400, "not-json")


def test_an_odd_pattern_breaks_nothing(shop: Shop) -> None:
    deep = '{"a":' * 3000 + "[1]" + "}" * 3000
    for body in (
        f'{{"pattern": {deep}}}',
        f'{{"pattern": {{"a": [1]}}, "event": {deep}}}',
        '{"pattern": {"\\ud800": []}}',
    ):
        assert shop.post("patterns/test", body).status in (200, 400, 422)


def test_trying_a_pattern_needs_no_idempotency_key(world: World) -> None:
    assert world.request("POST", "/v1/patterns/test", body={"pattern": {"a": [1]}}).status == 200


def test_every_shipped_event_type_is_listed_and_shown(shop: Shop) -> None:
    listed = [entry["type"] for entry in shop.get("event-types?limit=200").json()["items"] if entry["shipped"]]
    assert listed == events.types()
    for type in listed:
        shown = shop.get(f"event-types/{type}").json()
        assert shown["sample"]["type"] == type
        assert shown["schema"]["type"] == "object"
        assert shown["description"]


def test_a_shop_defines_an_event_type_and_posts_it(shop: Shop) -> None:
    put = shop.put("event-types/tasting.booked", TASTING)
    assert put.status == 200, put.text
    assert shop.get("event-types/tasting.booked").json() == put.json()
    assert put.json()["sample"] == {"type": "tasting.booked", "data": {"seats": 2}}
    assert shop.post("events", put.json()["sample"]).status == 202
    assert shop.post("events", {"type": "tasting.booked", "data": {"seats": "two"}}).status == 422
    problem(Shop(shop.world, "other-key").get("event-types/tasting.booked"), 404, "not-found")
    assert shop.delete("event-types/tasting.booked").status == 204
    problem(shop.get("event-types/tasting.booked"), 404, "not-found")


def test_a_shipped_event_type_cannot_be_changed(shop: Shop) -> None:
    problem(shop.put("event-types/order.placed", TASTING), 409, "shipped")


@pytest.mark.parametrize(
    ("change", "place"),
    [
        ({"schema": {"type": "nothing"}}, "/schema"),
        ({"schema": {"properties": {"a": {"$ref": "http://127.0.0.1/x"}}}}, "/schema/properties/a/$ref"),
        ({"schema": {"$ref": "file:///etc/passwd"}}, "/schema/$ref"),
        ({"schema": {"$id": "http://127.0.0.1/", "type": "object"}}, "/schema/$id"),
        ({"schema": {"$schema": "http://127.0.0.1/schema"}}, "/schema/$schema"),
        ({"schema": {"$ref": "#/$defs/missing"}}, "/schema"),
        ({"schema": {"pattern": "("}}, "/schema"),
        ({"schema": {"description": "x" * 70_000}}, "/schema"),
        ({"sample": {"seats": "two"}}, "/sample/seats"),
        ({"useful_life": "P90D"}, "/useful_life"),
        ({"useful_life": "PT0S"}, "/useful_life"),
    ],
)
def test_an_event_type_that_could_not_work_is_refused(shop: Shop, change: dict[str, Any], place: str) -> None:
    assert where(shop.put("event-types/tasting.wrong", {**TASTING, **change}), "invalid-event-type") == [place]


def test_a_schema_that_speaks_of_itself_is_taken(shop: Shop) -> None:
    schema = {"type": "object", "properties": {"inner": {"$ref": "#"}}}
    assert shop.put("event-types/tasting.nested", {"schema": schema}).status == 200
    event = {"type": "tasting.nested", "data": json.loads('{"inner":' * 50 + "{}" + "}" * 50)}
    assert shop.post("events", event).status == 202


@pytest.mark.parametrize("type", ["order", "Order.placed", "order..placed", "a.b/c", "заказ.создан"])
def test_an_event_type_has_a_plain_name(shop: Shop, type: str) -> None:
    assert shop.put(f"event-types/{type}", TASTING).status in (404, 422)
