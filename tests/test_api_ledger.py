"""Events and messages explained, dead letters, statistics: what the ledger tells over the API."""

import itertools
import json
from collections.abc import Callable, Iterator
from datetime import UTC, date, datetime, timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from vestnik import resources
from vestnik.domain import masking, messages
from vestnik.flows import dead_letters, rebuild
from vestnik.store import counters, sqs

from infra.world import Call, Fault, World
from infra.world.faults import none
from tests.asking import Shop

START = datetime(2026, 11, 20, 9, 0, tzinfo=UTC)
numbers = itertools.count()


@pytest.fixture(scope="module")
def world() -> Iterator[World]:
    with World(start=START) as world:
        yield world


@pytest.fixture
def shop(world: World) -> Shop:
    return Shop(world)


@pytest.fixture
def id() -> str:
    return f"id-{next(numbers)}"


def placed(shop: Shop, id: str, **more: Any) -> str:
    """An order paid on delivery, placed by a customer with an e-mail address; the event's id in the ledger."""
    order = {"id": f"o-{id}", "number": id, "status": "new", "payment": {"method": "cash_on_delivery"}}
    customer = {"id": f"c-{id}", "name": "Maria", "email": f"{id}@example.com", "language": "en"}
    return happened(shop, id, "order.placed", order=order, customer=customer, **more)


def happened(shop: Shop, id: str, type: str, **data: Any) -> str:
    event = {"type": type, "source": "/test", "id": id, "data": data}
    answer = shop.post("events", event)
    assert answer.status == 202, answer.text
    shop.world.settle()
    eid: str = answer.json()["event"]
    return eid


def rule(explained: dict[str, Any], id: str) -> dict[str, Any]:
    return next(rule for rule in explained["rules"] if rule["id"] == id)


# -- why -------------------------------------------------------------------------------------------------


def test_an_event_tells_every_rule_each_person_and_each_message(shop: Shop, id: str) -> None:
    eid = placed(shop, id)
    told = shop.get(f"events/{eid}").json()
    assert (told["source"], told["event_id"], told["type"]) == ("/test", id, "order.placed")
    assert told["event"]["data"]["customer"]["email"] == f"{id}@example.com"
    to_customer = rule(told, "order.placed/customer/email")
    assert (to_customer["matched"], to_customer["why"]) == (True, [])
    ((decision,), manager) = to_customer["told"], rule(told, "order.placed/staff/email")["told"][0]
    assert (decision["recipient"], decision["state"]) == (f"customer:c-{id}", "planned")
    assert (manager["state"], manager["message"], manager["reason"]) == ("skipped", None, "there is no order manager")
    sent = next(message for message in told["messages"] if message["id"] == decision["message"])
    assert sent["state"] == "sent"
    assert set(sent["times"]) == {"accepted", "delivered"}


def test_a_rule_that_did_not_match_says_what_it_found_and_wanted(shop: Shop, id: str) -> None:
    eid = placed(shop, id)
    told = rule(shop.get(f"events/{eid}").json(), "order.paid/customer/email")
    assert told["matched"] is False
    wanted = [why for why in told["why"] if why["field"] == "type"]
    assert [(why["found"], why["expected"]) for why in wanted] == [('"order.placed"', 'be "order.paid"')]


def test_an_explanation_is_of_the_settings_that_were_in_force(shop: Shop, id: str) -> None:
    pattern = {"type": ["order.placed"], "order": {"id": [f"o-{id}"]}}
    body = {"name": "before", "pattern": pattern, "channel": "telegram", "recipients": [{"kind": "telegram_chat"}]}
    assert shop.put(f"rules/{id}", body).status == 200
    eid = placed(shop, id)
    shop.put(f"rules/{id}", {**body, "name": "after", "pattern": {"type": ["order.paid"]}})
    then = rule(shop.get(f"events/{eid}").json(), id)
    assert (then["name"], then["matched"]) == ("before", True)
    shop.delete(f"rules/{id}")


@pytest.mark.parametrize(
    ("change", "note"),
    [
        ({"active": False}, "the rule was switched off"),
        ({"recipients": [{"kind": "staff_group", "group": "nobody-here"}]}, "it names nobody: the group is empty"),
    ],
)
def test_a_rule_that_met_the_facts_and_told_nobody_says_why(shop: Shop, id: str, change: Any, note: str) -> None:
    pattern = {"type": ["order.placed"], "order": {"id": [f"o-{id}"]}}
    body = {"pattern": pattern, "channel": "telegram", "recipients": [{"kind": "telegram_chat"}], **change}
    assert shop.put(f"rules/{id}", body).status == 200
    told = rule(shop.get(f"events/{placed(shop, id)}").json(), id)
    assert (told["why"], told["note"], told["told"]) == ([], note, [])
    shop.delete(f"rules/{id}")


def test_a_silent_event_says_that_it_asked_for_silence(shop: Shop, id: str) -> None:
    order = {"id": id, "payment": {"method": "cash_on_delivery"}}
    event = {"type": "order.placed", "id": id, "notify": False, "data": {"order": order}}
    eid = shop.post("events", event).json()["event"]
    shop.world.settle()
    told = shop.get(f"events/{eid}").json()
    assert (told["decisions"], told["messages"]) == ([], [])
    assert rule(told, "order.placed/customer/email")["note"] == "the event asked for silence"


def test_an_event_is_found_by_its_own_source_and_id(shop: Shop, id: str) -> None:
    eid = placed(shop, id)
    assert shop.get(f"events?source=%2Ftest&id={id}").json()["id"] == eid
    assert shop.get("events?source=%2Ftest&id=another").status == 404
    assert shop.get("events").status == 422


@pytest.mark.parametrize("id", ["x", "a" * 26, "REVISION", "%23m%23261120", "a" * 200])
def test_an_event_that_is_not_there_is_not_found(shop: Shop, id: str) -> None:
    assert shop.get(f"events/{id}").status == 404


# -- messages --------------------------------------------------------------------------------------------


def messages_of(shop: Shop, query: str) -> list[dict[str, Any]]:
    """All parts of a list."""
    found, cursor = list[dict[str, Any]](), ""
    while cursor is not None:
        answer = shop.get(f"messages?{query}&limit=3&cursor={cursor}")
        assert answer.status == 200, answer.text
        found, cursor = found + answer.json()["items"], answer.json()["next"]
    return found


def test_messages_are_listed_by_day_state_channel_person_and_order(shop: Shop, id: str) -> None:
    placed(shop, id)
    person, order = f"person=customer%3Ac-{id}", f"order=o-{id}"
    assert {m["channel"] for m in messages_of(shop, order)} == {"email", "telegram"}
    assert [m["channel"] for m in messages_of(shop, person)] == ["email"]
    assert [m["channel"] for m in messages_of(shop, f"{order}&channel=telegram")] == ["telegram"]
    assert messages_of(shop, f"{order}&state=failed") == []
    assert len(messages_of(shop, f"{order}&state=sent&day=2026-11-20")) == 2
    assert messages_of(shop, f"{order}&day=2026-11-19") == []


def test_a_part_of_a_filtered_list_tells_where_to_go_on(shop: Shop) -> None:
    for _ in range(5):
        placed(shop, f"many-{next(numbers)}")
    whole = {m["id"] for m in messages_of(shop, "")}
    assert len(whole) >= 10
    assert {m["id"] for m in messages_of(shop, "channel=email")} < whole


def test_a_list_does_not_take_the_cursor_of_another(shop: Shop, id: str) -> None:
    placed(shop, id)
    cursor = shop.get("messages?limit=1").json()["next"]
    assert shop.get(f"messages?limit=1&cursor={cursor}").status == 200
    assert shop.get(f"messages?limit=1&channel=email&cursor={cursor}").status == 422


def test_a_message_shows_exactly_what_was_sent(shop: Shop, id: str) -> None:
    placed(shop, id)
    (message,) = messages_of(shop, f"person=customer%3Ac-{id}")
    shown = shop.get(f"messages/{message['id']}").json()
    sent = next(item for item in shop.world.outbox if item["to"] == f"{id}@example.com")
    body = shown.pop("body")
    assert shown == {**message, "body_withheld": None}
    for part in ("subject", "html", "text"):  # mail writes its lines with CRLF
        assert body[part].strip().splitlines() == sent[part].strip().splitlines()


def test_a_message_that_no_sender_touched_is_planned(shop: Shop, id: str) -> None:
    world = shop.world
    world.faults = lambda call: Fault(how="500") if call.function == "send-email-ses" else None
    try:
        eid = placed(shop, id)
    finally:
        world.faults = none
    planned = next(m for m in shop.get(f"events/{eid}").json()["messages"] if m["channel"] == "email")
    assert planned["state"] == "planned"
    shown = shop.get(f"messages/{planned['id']}").json()
    assert (shown["state"], shown["body"], shown["body_withheld"]) == ("planned", None, "not written yet")
    world.advance(timedelta(minutes=10))
    assert shop.get(f"messages/{planned['id']}").json()["state"] == "sent"


@pytest.mark.parametrize("id", ["x", "261120" + "0" + "a" * 26 + "-" + "b" * 8, "26112" * 20, "a/b"])
def test_a_message_that_is_not_there_is_not_found(shop: Shop, id: str) -> None:
    assert shop.get(f"messages/{id}").status == 404


# -- secrets ---------------------------------------------------------------------------------------------

LINK = "https://samovar.example/reset/f41f0d1b77?a=1&token=abc%2Bdef123"
SECRETS = ("402917", "f41f0d1b77", "abc%2Bdef123", "abc+def123")


def everywhere(shop: Shop, eid: str, customer: str) -> str:
    """All that the API tells of an event, its messages and its customer."""
    explained = shop.get(f"events/{eid}")
    bodies = [shop.get(f"messages/{message['id']}") for message in explained.json()["messages"]]
    assert bodies
    export = shop.get(f"customers/{customer}/export")
    return json.dumps([answer.json() for answer in (explained, *bodies, export)], ensure_ascii=False)


def test_secrets_of_an_event_are_masked_wherever_it_is_told(shop: Shop, id: str) -> None:
    customer = {"id": f"c-{id}", "email": f"{id}@example.com", "phone": "+359888123456", "language": "en"}
    type = "customer.password_reset_requested"
    eid = happened(shop, id, type, customer=customer, reset_url=LINK, code="402917")
    sent = [item for item in shop.world.outbox if "402917" in item["text"]]
    assert sent, "the customer must get the code"
    text = everywhere(shop, eid, f"c-{id}")
    assert masking.MASK in text
    assert [secret for secret in SECRETS if secret in text] == []


def test_a_code_set_apart_by_a_shops_own_template_is_masked_too(shop: Shop, id: str) -> None:
    html = "<p>{% for c in data.code %}<b>{{ c }}</b> {% endfor %}</p><p>{{ data.code[:3] }}-{{ data.code[3:] }}</p>"
    content = {"subject": "Code {{ data.code }}", "html": html, "text": "{{ data.code | list | join(' ') }}"}
    template = {"channel": "email", "contents": {"en": content}}
    assert shop.put(f"templates/{id}", template).status == 200
    published = shop.post(f"templates/{id}/publish")
    assert published.status == 200, published.text
    pattern = {"type": ["customer.password_reset_requested"], "customer": {"id": [f"c-{id}"]}}
    body = {"pattern": pattern, "channel": "email", "recipients": [{"kind": "customer"}], "priority": 99}
    assert shop.put(f"rules/{id}", {**body, "templates": {"customer": id}}).status == 200
    customer = {"id": f"c-{id}", "email": f"{id}@example.com", "language": "en"}
    eid = happened(shop, id, "customer.password_reset_requested", customer=customer, code="402917")
    sent = next(item for item in shop.world.outbox if item["to"] == f"{id}@example.com")
    assert ("402-917" in sent["html"], "4 0 2 9 1 7" in sent["text"]) == (True, True)
    text = everywhere(shop, eid, f"c-{id}")
    assert [s for s in ("402917", "402-917", "4 0 2 9", "<b>4</b> <b>0</b>") if s in text] == []
    shop.delete(f"rules/{id}")


def test_secrets_of_a_shops_own_type_stay_masked_when_the_mark_is_taken_away(shop: Shop, id: str) -> None:
    type, channel = f"voucher.{id.replace('-', '_')}", [{"kind": "customer"}]

    def typed(*, secret: bool) -> None:
        pin = {"type": "string", **({"x-secret": True} if secret else {})}
        of = {
            "properties": {"customer": {"type": "object"}, "voucher": {"properties": {"pin": {"$ref": "#/$defs/pin"}}}}
        }
        schema = {"type": "object", **of, "$defs": {"pin": pin}}
        sample = {"customer": {"id": "1"}, "voucher": {"pin": "1"}}
        answer = shop.put(f"event-types/{type}", {"purpose": "service", "schema": schema, "sample": sample})
        assert answer.status == 200, answer.text

    typed(secret=True)
    content = {"subject": "Voucher", "text": "Your PIN: {{ data.voucher.pin }}"}
    assert shop.put(f"templates/{id}", {"channel": "email", "contents": {"en": content}}).status == 200
    assert shop.post(f"templates/{id}/publish").status == 200
    body = {"pattern": {"type": [type]}, "channel": "email", "recipients": channel, "templates": {"customer": id}}
    assert shop.put(f"rules/{id}", body).status == 200
    customer = {"id": f"c-{id}", "email": f"{id}@example.com", "language": "en"}
    eid = happened(shop, id, type, customer=customer, voucher={"pin": "7731-QX"})
    assert [item for item in shop.world.outbox if "7731-QX" in item["text"]]
    typed(secret=False)
    assert "7731-QX" not in everywhere(shop, eid, f"c-{id}")
    shop.delete(f"rules/{id}")


def test_a_pattern_over_a_secret_does_not_tell_it(shop: Shop, id: str) -> None:
    pattern = {"type": ["customer.password_reset_requested"], "data": {"code": ["000000"]}}
    body = {"pattern": pattern, "channel": "telegram", "recipients": [{"kind": "telegram_chat"}]}
    assert shop.put(f"rules/{id}", body).status == 200
    eid = happened(shop, id, "customer.password_reset_requested", customer={"id": f"c-{id}"}, code="402917")
    told = rule(shop.get(f"events/{eid}").json(), id)
    assert [why["found"] for why in told["why"]] == [f'"{masking.MASK}"']
    shop.delete(f"rules/{id}")


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=8),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from("abc"), inner, max_size=3),
    max_leaves=8,
)


@given(JSON, st.lists(st.sampled_from(["a", "a.b", "*", "b.*.c", "c.a.b"]), max_size=3))
def test_what_is_masked_in_an_event_is_what_is_hidden_in_its_texts(data: Any, paths: list[str]) -> None:
    secrets = masking.secrets(data, paths)
    assert not {s for s in secrets if len(s) > 3} & masking.secrets(masking.without(data, paths), ["*", "*.*"])
    for secret in secrets:
        if len(secret) >= masking.SHORTEST and masking.MASK not in secret:
            assert secret not in masking.hide(f"before {secret} after", secrets)


@pytest.mark.parametrize(
    "written",
    ["a&b<c", "a&amp;b&lt;c", "a%26b%3Cc", "A&B<C", json.dumps({"x": "a&b<c"}), {"k": ["a&b<c"]}],
)
def test_a_secret_is_hidden_however_it_is_written(written: Any) -> None:
    hidden = json.dumps(masking.hide(written, ["a&b<c"]))
    assert "b" not in hidden.lower().replace("before", "")


def test_marks_are_found_through_references_even_in_circles() -> None:
    node: dict[str, Any] = {"properties": {"pin": {"x-secret": True}, "next": {"$ref": "#/$defs/node"}}}
    paths = masking.secret_paths({"$defs": {"node": node}, "allOf": [{"$ref": "#/$defs/node"}]})
    assert {"pin", "next.pin", "next.next.pin"} <= paths
    wide = {"properties": {name: {"$ref": "#"} for name in "abcdefgh"}}
    assert masking.secret_paths(wide) == {"*"}


# -- dead letters ----------------------------------------------------------------------------------------


def dies(world: World, act: Callable[[], Any], function: str, operation: str) -> None:
    """Let a door break so often that its queue gives up."""

    def broken(call: Call) -> Fault | None:
        return Fault(how="500") if (call.function, call.operation) == (function, operation) else None

    world.faults = broken
    try:
        act()
        world.advance(timedelta(hours=1))
    finally:
        world.faults = none


def test_a_dead_letter_is_seen_masked_and_sent_on_its_way_again(shop: Shop, id: str) -> None:
    dies(shop.world, lambda: placed(shop, id), "evaluate-events", "PutObject")
    (letter,) = shop.get("dead-letters?queue=to-evaluate").json()["items"]
    assert (letter["type"], letter["message"]) == ("order.placed", None)
    assert letter["receives"] >= 5
    assert letter["body"]["event"]["data"]["order"]["id"] == f"o-{id}"
    text = json.dumps(letter)
    assert "Maria" not in text
    assert "example.com" not in text
    one = shop.get(f"dead-letters/to-evaluate/{letter['id']}").json()
    assert one["ledger"]["event_decided"] is False
    assert shop.get(f"events/{letter['event']}").status == 404
    assert shop.post(f"dead-letters/to-evaluate/{letter['id']}/redrive").status == 204
    shop.world.settle()
    assert [item for item in shop.world.outbox if item["to"] == f"{id}@example.com"]
    assert shop.get("dead-letters").json() == {"items": [], "complete": True}
    assert shop.post(f"dead-letters/to-evaluate/{letter['id']}/redrive").status == 404


def test_a_dead_message_tells_where_it_stands_and_can_be_discarded(shop: Shop, id: str) -> None:
    dies(shop.world, lambda: placed(shop, id), "send-telegram", "BatchGetItem")
    (letter,) = shop.get("dead-letters?queue=to-send-telegram").json()["items"]
    assert messages.event_of(letter["message"]) == letter["event"]
    place = f"dead-letters/to-send-telegram/{letter['id']}"
    assert shop.get(place).json()["ledger"]["event_decided"] is True
    assert shop.delete(place).status == 204
    assert shop.delete(place).status == 404
    assert shop.get("dead-letters").json()["items"] == []


def test_only_letters_that_name_the_shop_are_shown_and_all_are_left_where_they_are(shop: Shop) -> None:
    bodies = [
        ('{"shop": "demo", "event": "mine"}', "demo"),
        ('{"shop": "other", "event": "theirs"}', "other"),
        ('{"shop": "demo", "event": "forged"}', "other"),
        ('{"event": "nobody"}', "demo"),
        ("[1]", "demo"),
        ("no JSON", "demo"),
    ]
    with granted(shop.world):
        for body, group in bodies:
            sqs.send_one("dead:to-evaluate", body, group)
    for _ in range(2):
        items = shop.get("dead-letters").json()["items"]
        assert [item["event"] for item in items] == ["mine"]
    other = Shop(shop.world, "other-key").get("dead-letters").json()["items"]
    assert [item["event"] for item in other] == ["theirs"]
    assert Shop(shop.world, "other-key").delete(f"dead-letters/to-evaluate/{items[0]['id']}").status == 404
    with granted(shop.world):
        found = sqs.receive("dead:to-evaluate", limit=10, hide=30)
        assert len(found) == len(bodies)
        for letter in found:
            sqs.delete("dead:to-evaluate", letter["ReceiptHandle"])


def granted(world: World) -> Any:
    return resources.use(world.account.variables(world.account.functions["manage-shop"]))


def test_every_queue_of_the_map_is_looked_into(world: World) -> None:
    dead = {name.removesuffix("-dead") for name in world.account.queues() if name.endswith("-dead")}
    with granted(world):
        assert dead - set(dead_letters.queues()) <= {"to-record", "count-statistics"}


def test_an_unknown_queue_is_named(shop: Shop) -> None:
    answer = shop.get("dead-letters?queue=to-nowhere")
    assert answer.status == 422
    assert "to-evaluate" in answer.json()["detail"]
    assert shop.get("dead-letters/to-nowhere/1").status == 422


# -- statistics ------------------------------------------------------------------------------------------

TODAY = "from=2026-11-20&to=2026-11-20"


def test_statistics_are_the_sums_over_the_messages(shop: Shop, id: str) -> None:
    placed(shop, id)
    told = shop.get(f"statistics?{TODAY}&group_by=channel,rule").json()
    listed = messages_of(shop, "day=2026-11-20")
    for group in told["items"]:
        own = [m for m in listed if (m["channel"], m["rule"]) == (group["channel"], group["rule"])]
        assert group["counts"]["messages"] == len(own)
        assert group["counts"]["sent"] == len([m for m in own if m["sent_at"]])
        assert group["counts"]["delivered"] == len([m for m in own if "delivered" in m["times"]])
    assert told["total"]["messages"] == len(listed)
    assert sum(group["counts"]["messages"] for group in told["items"]) == len(listed)


def test_statistics_are_grouped_as_asked(shop: Shop, id: str) -> None:
    placed(shop, id)
    by_day = shop.get("statistics?from=2026-11-18&to=2026-11-20&group_by=day").json()
    assert {group["day"] for group in by_day["items"]} == {"2026-11-20"}
    alone = shop.get(f"statistics?{TODAY}").json()
    assert [group["counts"] for group in alone["items"]] == [alone["total"]] == [by_day["total"]]


@pytest.mark.parametrize(
    "query", ["from=2026-11-20&to=2026-11-19", "from=2020-01-01&to=2026-11-20", "group_by=person", "from=today"]
)
def test_statistics_that_cannot_be_say_why(shop: Shop, query: str) -> None:
    assert shop.get(f"statistics?{query}").status == 422


def test_a_rebuild_leaves_right_sums_alone_and_replaces_wrong_ones(shop: Shop, id: str) -> None:
    placed(shop, id)
    right = shop.get(f"statistics?{TODAY}&group_by=channel,rule,template").json()
    days = [date(2026, 11, 20)]
    with granted(shop.world):
        assert rebuild.rebuild("demo", days[0], lambda: None) == "right"
        wrong = {("demo", "261120", "email", "a rule", "a template"): {"messages": 7, "sent": 1}}
        counters.replace_day("demo", "261120", wrong)
        assert shop.get(f"statistics?{TODAY}").json()["total"]["messages"] == 7
        assert rebuild.rebuild("demo", days[0], lambda: None) == "replaced"
    assert shop.get(f"statistics?{TODAY}&group_by=channel,rule,template").json() == right
    told = shop.post("statistics/rebuild", {"from": "2026-11-19", "to": "2026-11-20"}).json()
    assert told == {"right": ["2026-11-19", "2026-11-20"], "replaced": [], "moving": [], "left": []}


def test_a_rebuild_leaves_a_day_that_moves(shop: Shop, id: str) -> None:
    placed(shop, id)
    moves = itertools.count(1)

    def rest() -> None:
        counters.replace_day("demo", "261120", {("demo", "261120", "email", "r", "t"): {"sent": next(moves)}})

    with granted(shop.world):
        rest()
        assert rebuild.rebuild("demo", date(2026, 11, 20), rest) == "moving"
        assert rebuild.rebuild("demo", date(2026, 11, 20), lambda: None) == "replaced"


def test_what_left_the_ledger_cannot_be_rebuilt(shop: Shop) -> None:
    answer = shop.post("statistics/rebuild", {"from": "2026-09-01", "to": "2026-09-02"})
    assert (answer.status, answer.json()["type"]) == (422, "/problems/day-closed")


def test_the_doors_call_nothing_that_the_map_does_not_grant(world: World) -> None:
    assert world.refused_grants() == set()
