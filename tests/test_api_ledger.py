"""Events and messages explained, and their sums: what the ledger tells over the API."""

import itertools
from collections.abc import Iterator
from datetime import date, timedelta
from typing import Any

import pytest

from infra.world import Fault, World
from infra.world.faults import none
from tests.asking import Shop
from tests.happenings import placed
from tests.posting import START, numbers
from vestnik import resources
from vestnik.flows import rebuild
from vestnik.store import counters


@pytest.fixture(scope="module")
def world() -> Iterator[World]:
    with World(start=START) as world:
        yield world


def rule(explained: dict[str, Any], id: str) -> dict[str, Any]:
    return next(rule for rule in explained["rules"] if rule["id"] == id)


def granted(world: World) -> Any:
    return resources.use(world.account.variables(world.account.functions["manage-shop"]))


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
    assert set(sent["times"]) == {"delivered"}


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


def test_the_newest_message_of_a_part_stands_first(shop: Shop, id: str) -> None:
    for n in range(4):
        shop.world.advance(timedelta(minutes=2))
        placed(shop, f"{id}-{n}")
    times = [one["created"] for one in shop.get("messages?limit=200").json()["items"]]
    assert len(times) > 4
    assert times == sorted(times, reverse=True)


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
