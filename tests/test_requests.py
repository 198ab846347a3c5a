"""Requests as data over the API: seen, mended, tried, compared, published and taken back."""

from datetime import timedelta
from typing import Any

import pytest

from infra.world import World
from tests.asking import Shop, problem
from vestnik.flows import stock_readback
from vestnik.flows.definitions import Change, changes

LIST = "ozon.orders.list.v4"


@pytest.fixture(autouse=True)
def as_shipped(shop: Shop) -> None:
    """No test leaves anything of its own behind."""
    for listed in shop.get("requests?limit=200").json()["items"]:
        if listed["source"] != "shipped":
            shop.delete(f"requests/{listed['id']}")
    shop.delete(f"requests/{LIST}")


def definition(shop: Shop, id: str = LIST) -> dict[str, Any]:
    found: dict[str, Any] = shop.get(f"requests/{id}").json()["definition"]
    return found


def drafted(shop: Shop, **changes: Any) -> Any:
    return shop.put(f"requests/{LIST}", {"definition": {**definition(shop), **changes}})


def test_the_list_tells_of_every_marketplace_by_group_and_colour(shop: Shop) -> None:
    listed = shop.get("requests?limit=200").json()["items"]
    assert {one["marketplace"] for one in listed} >= {"ozon", "wildberries", "yandex_market"}
    assert all(one["colour"].startswith("#") for one in listed)
    stock = shop.get("requests?marketplace=ozon&group=stock&limit=200").json()["items"]
    assert {one["group"] for one in stock} == {"stock"}
    assert {one["marketplace"] for one in stock} == {"ozon"}
    assert {one["source"] for one in stock} == {"shipped"}
    assert {one["health"]["state"] for one in stock} <= {"ok", "expiring"}
    problem(shop.get("requests?marketplace=amazon"), 422, "unknown-marketplace")


def test_the_list_comes_in_parts(shop: Shop) -> None:
    whole = [one["id"] for one in shop.get("requests?limit=200").json()["items"]]
    seen: list[str] = []
    path = "requests?limit=20"
    while True:
        part = shop.get(path).json()
        seen += [one["id"] for one in part["items"]]
        if part["next"] is None:
            break
        path = f"requests?limit=20&cursor={part['next']}"
    assert seen == whole == sorted(whole)


def test_a_request_shows_what_is_shipped_and_what_is_in_force(shop: Shop) -> None:
    shown = shop.get(f"requests/{LIST}").json()
    assert shown["source"] == "shipped"
    assert shown["definition"] == shown["shipped"]
    assert shown["draft"] is None
    problem(shop.get("requests/ozon.nothing"), 404, "not-found")
    problem(shop.get("requests/amazon.orders.list"), 404, "not-found")


def test_a_draft_changes_nothing_until_it_is_published(shop: Shop) -> None:
    shown = drafted(shop, path="/v5/posting/fbs/list").json()
    assert shown["source"] == "shipped"
    assert shown["definition"]["path"] == "/v4/posting/fbs/list"
    assert shown["draft"]["definition"]["path"] == "/v5/posting/fbs/list"
    published = shop.post(f"requests/{LIST}/publish").json()
    assert published["source"] == "own"
    assert published["definition"]["path"] == "/v5/posting/fbs/list"
    assert shop.get(f"requests/{LIST}").json()["path"] == "/v5/posting/fbs/list"


def test_nothing_can_be_published_without_a_draft(shop: Shop) -> None:
    problem(shop.post(f"requests/{LIST}/publish"), 409, "no-draft")


@pytest.mark.parametrize(
    ("changes", "code", "where"),
    [
        ({"host": "evil.example"}, "host", "/definition/host"),
        ({"method": "SEND"}, "invalid-definition", "/definition/method"),
        ({"body": "{a: "}, "expression", "/definition/body"),
        ({"limits": [{"bucket": "nothing"}]}, "bucket", "/definition/limits/0/bucket"),
        ({"path": "/v4/{credentials.api_key}"}, "credentials", "/definition/path"),
        ({"id": "ozon.other"}, "invalid-definition", "/definition/id"),
        ({"replaced_by": LIST}, "invalid-definition", "/definition/replaced_by"),
        ({"replaced_by": "wildberries.orders.list"}, "invalid-definition", "/definition/replaced_by"),
        ({"headers": {"X-A": "a\r\nB: c"}}, "invalid-definition", "/definition/headers/X-A"),
        ({"headers": {"Host": "evil.example"}}, "invalid-definition", "/definition/headers/Host"),
        ({"headers": {"Api-Key": "{credentials.nope}"}}, "credentials", "/definition/headers/Api-Key"),
        ({"limits": [{"bucket": "all", "cost": "`-5`"}]}, "expression", "/definition/limits/0/cost"),
        ({"body": "nofunc(@)"}, "expression", "/definition/body"),
        ({"path": "/{nope.x}"}, "expression", "/definition/path"),
        ({"read_back": "nope"}, "invalid-definition", "/definition/read_back"),
        ({"follow_up": {"task": "id", "purpose": "nope"}}, "invalid-definition", "/definition/follow_up/purpose"),
        ({"purpose": "stock.write"}, "invalid-definition", "/definition/purpose"),
    ],
)
def test_what_cannot_work_is_refused_by_its_place(shop: Shop, changes: dict[str, Any], code: str, where: str) -> None:
    told = problem(drafted(shop, **changes), 422, code)
    assert told["errors"][0]["where"] == where


def test_versions_can_be_compared_and_taken_back(shop: Shop) -> None:
    drafted(shop, path="/v5/posting/fbs/list")
    shop.post(f"requests/{LIST}/publish")
    drafted(shop, path="/v6/posting/fbs/list", note="tried")
    changes = shop.get(f"requests/{LIST}/diff").json()["items"]
    assert [(one["where"], one["what"], one["after"]) for one in changes if one["where"] == "/path"] == [
        ("/path", "changed", "/v6/posting/fbs/list")
    ]
    shop.post(f"requests/{LIST}/publish")
    versions = shop.get(f"requests/{LIST}/versions").json()["items"]
    numbers = [one["version"] for one in versions]
    assert numbers == sorted(numbers, reverse=True)
    paths = [(one["kind"], one["definition"] and one["definition"]["path"][:3]) for one in versions[:4]]
    assert paths == [("published", "/v6"), ("draft", "/v6"), ("published", "/v5"), ("draft", "/v5")]
    back = shop.post(f"requests/{LIST}/rollback", {"version": versions[2]["version"]}).json()
    assert back["path"] == "/v5/posting/fbs/list"
    assert shop.get(f"requests/{LIST}/diff?from={versions[2]['version']}&to=own").json()["items"] == []
    problem(shop.post(f"requests/{LIST}/rollback", {"version": 999_999}), 422, "no-such-version")
    assert shop.post(f"requests/{LIST}/rollback", {"version": 0}).json()["source"] == "shipped"


def test_versions_come_in_parts(shop: Shop) -> None:
    drafted(shop, note="a")
    shop.post(f"requests/{LIST}/publish")
    drafted(shop, note="b")
    whole = [one["version"] for one in shop.get(f"requests/{LIST}/versions?limit=200").json()["items"]]
    seen: list[int] = []
    path = f"requests/{LIST}/versions?limit=1"
    while True:
        part = shop.get(path).json()
        seen += [one["version"] for one in part["items"]]
        if part["next"] is None:
            break
        path = f"requests/{LIST}/versions?limit=1&cursor={part['next']}"
    assert seen == whole


def test_the_shipped_version_can_be_taken_again(shop: Shop) -> None:
    drafted(shop, path="/v5/posting/fbs/list")
    shop.post(f"requests/{LIST}/publish")
    shown = shop.post(f"requests/{LIST}/adopt").json()
    assert shown["source"] == "shipped"
    assert shown["path"] == "/v4/posting/fbs/list"


def test_a_shop_can_have_a_request_of_its_own(shop: Shop) -> None:
    mine = {**definition(shop), "id": "ozon.orders.list.v9", "path": "/v9/posting/fbs/list", "valid_from": "2030-01-01"}
    shown = shop.put("requests/ozon.orders.list.v9", {"definition": mine}).json()
    assert shown["source"] == "draft"
    assert shown["definition"] is None
    assert shop.post("requests/ozon.orders.list.v9/publish").json()["source"] == "own"
    assert shop.get("requests/ozon.orders.list.v9").json()["shipped"] is None
    problem(shop.post("requests/ozon.orders.list.v9/adopt"), 409, "not-shipped")
    assert shop.delete("requests/ozon.orders.list.v9").status == 204
    problem(shop.get("requests/ozon.orders.list.v9"), 404, "not-found")


def test_somebody_elses_draft_is_not_written_over(shop: Shop) -> None:
    seen = drafted(shop, note="mine").json()["draft"]["revision"]
    drafted(shop, note="theirs")
    late = shop.put(f"requests/{LIST}", {"definition": definition(shop)}, **{"if-match": str(seen)})
    problem(late, 412, "changed-meanwhile")


def test_only_an_admin_may_mend_or_try(shop: Shop) -> None:
    reader = shop.with_scopes("read")
    assert reader.get(f"requests/{LIST}").status == 200
    problem(reader.put(f"requests/{LIST}", {"definition": definition(shop)}), 403, "missing-scope")
    problem(reader.post(f"requests/{LIST}/test", {"account": "main"}), 403, "missing-scope")


# Tried for real, against the twin


@pytest.fixture
def account(shop: Shop, world: World) -> str:
    """An account at Wildberries with a warehouse and a product."""
    twin: Any = world.markets["wildberries"]
    twin.add_warehouse(7, "Sofia")
    twin.add_product(501, "TEA-1", "Tea", "460000000001")
    told = {"marketplace": "wildberries", "name": "WB", "settings": {"token_type": "personal"}}
    body = {**told, "credentials": {"token": twin.token}}
    made = shop.put("accounts/wb", body)
    assert made.status == 200, made.text
    return "wb"


def tried(shop: Shop, id: str, account: str, **more: Any) -> dict[str, Any]:
    shop.world.advance(timedelta(minutes=1))  # an answer that refuses costs ten ordinary calls
    answer = shop.post(f"requests/{id}/test", {"account": account, **more})
    assert answer.status == 200, answer.text
    told: dict[str, Any] = answer.json()
    return told


def test_a_trial_shows_what_was_sent_answered_and_understood(shop: Shop, world: World, account: str) -> None:
    told = tried(shop, "wildberries.warehouses.list", account)
    assert (told["outcome"], told["status"]) == ("ok", 200)
    assert told["sent"]["method"] == "GET"
    assert "Sofia" in told["body"]
    assert [(one["id"], one["name"]) for one in told["items"]] == [("7", "Sofia")]


def test_a_trial_never_shows_a_credential(shop: Shop, world: World, account: str) -> None:
    twin: Any = world.markets["wildberries"]
    told = shop.post("requests/wildberries.warehouses.list/test", {"account": account})
    assert twin.token not in told.text
    assert told.json()["sent"]["headers"]["Authorization"] == "{credentials.token}"


def test_a_trial_that_writes_must_say_so(shop: Shop, world: World, account: str) -> None:
    twin: Any = world.markets["wildberries"]
    row = {"unit": "501", "warehouse": "7", "quantity": 3}
    body = {"account": account, "rows": [row]}
    problem(shop.post("requests/wildberries.stock.write/test", body), 422, "needs-write")
    assert twin.stock_of(501, 7) == 0
    told = tried(shop, "wildberries.stock.write", account, rows=[row], write=True)
    assert told["rows"]["501"]["ok"] is True
    assert twin.stock_of(501, 7) == 3


def test_a_trial_shows_the_outcome_of_each_row(shop: Shop, account: str) -> None:
    rows = [{"unit": str(unit), "warehouse": "7", "quantity": 1} for unit in (501, 999)]
    told = tried(shop, "wildberries.stock.write", account, rows=rows, write=True)
    assert told["status"] == 409
    assert told["rows"]["999"]["ok"] is False
    assert told["rows"]["999"]["code"] == "NotFound"


def test_an_unsaved_definition_and_a_draft_can_be_tried(shop: Shop, account: str) -> None:
    id = "wildberries.warehouses.list"
    other = {**definition(shop, id), "path": "/api/v3/nothing"}
    assert tried(shop, id, account, definition=other)["status"] == 404
    shop.put(f"requests/{id}", {"definition": other})
    assert tried(shop, id, account)["status"] == 404
    assert tried(shop, id, account, draft=False)["status"] == 200
    bad = {**other, "host": "evil.example"}
    answer = shop.post(f"requests/{id}/test", {"account": account, "definition": bad})
    assert problem(answer, 422, "host")["errors"][0]["where"] == "/definition/host"


def test_a_mapping_that_does_not_fit_the_answer_is_told(shop: Shop, account: str) -> None:
    id = "wildberries.warehouses.list"
    other = {**definition(shop, id), "answer": "name"}
    told = tried(shop, id, account, definition=other)
    assert (told["outcome"], told["code"]) == ("mapping", "mapping")
    assert told["status"] == 200


@pytest.mark.parametrize(
    "changes",
    [
        {"body": "{x: length(`[1]`" + "|[@,@][]" * 22 + ")}"},
        {"body": "`1`" + "|to_string([@,@])" * 16},
        {"body": "{n: to_number('nan')}"},
        {"body": "&rows"},
        {"body": '{a: `"\\ud800"`}'},
        {"query": {"a": '`"\\ud800"`'}},
        {"path": '/{given.x||`"\\ud800"`}'},
        {"limits": [{"bucket": "warehouses", "cost": "given.cost"}]},
        {"batch": {"rows": 5, "by": ["colour"]}},
    ],
)
def test_what_comes_to_nothing_that_can_be_sent_is_refused_and_not_sent(
    shop: Shop, world: World, account: str, changes: dict[str, Any]
) -> None:
    id = "wildberries.warehouses.list"
    before = len(world.markets["wildberries"].calls)
    other = {**definition(shop, id), **changes}
    told = tried(shop, id, account, definition=other, given={"cost": "x"}, rows=[{"unit": "1"}])
    assert (told["outcome"], told["code"]) == ("refused", "expression")
    assert len(world.markets["wildberries"].calls) == before


def test_a_page_that_is_none_is_refused(shop: Shop, account: str) -> None:
    told = tried(shop, "wildberries.warehouses.list", account, page={"offset": "x"})
    assert (told["outcome"], told["code"]) == ("refused", "expression")


def test_a_trial_needs_an_account_of_that_marketplace(shop: Shop, account: str) -> None:
    problem(shop.post(f"requests/{LIST}/test", {"account": account}), 422, "unknown-account")
    problem(shop.post(f"requests/{LIST}/test", {"account": "nobody"}), 422, "unknown-account")


# What differs


@pytest.mark.parametrize(
    ("before", "after", "told"),
    [
        ({"a": 1}, {"a": 1}, []),
        ({"a": 1}, {"a": 2}, [Change("/a", "changed", 1, 2)]),
        ({"a": 1}, {"b": 2}, [Change("/a", "removed", 1), Change("/b", "added", after=2)]),
        ({"a": {"b/c": [1, 2]}}, {"a": {"b/c": [1, 3]}}, [Change("/a/b~1c/1", "changed", 2, 3)]),
        ({"a": [1]}, {"a": [1, 2]}, [Change("/a", "changed", [1], [1, 2])]),
        ({"a": None}, {}, [Change("/a", "removed")]),
        ({"a": 1}, {"a": True}, [Change("/a", "changed", 1, True)]),
    ],
)
def test_differences_are_told_by_their_place(before: Any, after: Any, told: list[Change]) -> None:
    assert list(changes(before, after)) == told


@pytest.mark.parametrize(
    ("signs", "before", "count"),
    [
        ([-1, -1, -1], {}, 3),  # what stood there before still does
        ([-1, -1], {"n": 3, "by": "this"}, 5),  # and did in the runs before
        ([-1, -1], {"n": 3, "by": "another"}, 2),  # another call's failings are not this one's
        ([-1, -1, -1, 1], {"n": 3, "by": "this"}, 0),  # one was written, so the call works
        ([0, 0, 0], {"n": 3, "by": "this"}, 3),  # buyers were quick: it says nothing
    ],
)
def test_numbers_that_were_taken_and_are_not_there_speak_of_the_call(
    signs: list[int], before: dict[str, Any], count: int
) -> None:
    assert stock_readback.lost(signs, before, "this") == {"n": count, "by": "this"}
