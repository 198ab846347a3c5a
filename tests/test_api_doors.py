"""What holds for every route of the API: keys and scopes, problems, repeats, lists."""

from collections.abc import Iterator
from datetime import timedelta
from urllib.parse import quote, unquote

import pytest

from infra.world import World
from tests.asking import Shop, opened, problem


@pytest.fixture(scope="module")
def world() -> Iterator[World]:
    with opened() as world:
        yield world


def make_key(shop: Shop, name: str = "a key", **headers: str) -> dict[str, str]:
    made = shop.post("keys", {"name": name, "scopes": ["read"]}, **headers)
    assert made.status == 201, made.text
    key: dict[str, str] = made.json()
    return key


def test_without_a_key_the_gateway_answers_in_its_own_words(world: World) -> None:
    answer = world.request("GET", "/v1/keys", key=None)
    assert (answer.status, answer.json()) == (401, {"message": "Unauthorized"})


def test_an_unknown_key_is_forbidden_by_the_gateway(world: World) -> None:
    answer = Shop(world, "nobody's").get("keys")
    assert (answer.status, answer.json()) == (403, {"message": "Forbidden"})


def test_a_key_is_shown_once_and_never_again(shop: Shop) -> None:
    key = make_key(shop)
    assert key["key"].startswith("vst_")
    assert key["key"] not in shop.get("keys?limit=200").text
    assert Shop(shop.world, key["key"]).get("rules").status == 200


def test_a_revoked_key_is_out_of_force_within_a_minute(shop: Shop) -> None:
    key = make_key(shop)
    mine = Shop(shop.world, key["key"])
    assert mine.get("shop").status == 200
    assert shop.delete(f"keys/{key['id']}").status == 204
    shop.world.advance(timedelta(seconds=61))
    assert mine.get("shop").status == 403


def test_a_lesser_key_is_told_which_scope_is_needed(shop: Shop) -> None:
    reader = shop.with_scopes("read")
    told = problem(reader.put("shop", {}), 403, "missing-scope")
    assert "admin" in told["detail"]
    assert reader.get("shop").status == 200


@pytest.mark.parametrize(
    ("scope", "may"),
    [("ingest", set()), ("read", {"read"}), ("operate", {"read"}), ("admin", {"read", "admin"})],
)
def test_a_scope_includes_the_ones_below_it_and_no_other(shop: Shop, scope: str, may: set[str]) -> None:
    key = shop.with_scopes(scope)
    assert (key.get("shop").status == 200) == ("read" in may)
    assert (key.get("keys").status == 200) == ("admin" in may)


def test_the_scope_is_judged_before_the_body(shop: Shop) -> None:
    reader = shop.with_scopes("read")
    problem(reader.post("keys", "{"), 403, "missing-scope")


def test_two_shops_see_nothing_of_one_another(shop: Shop) -> None:
    key = make_key(shop)
    other = Shop(shop.world, "other-key")
    problem(other.delete(f"keys/{key['id']}"), 404, "not-found")
    assert key["id"] not in other.get("keys").text
    assert Shop(shop.world, key["key"]).get("shop").status == 200


def test_the_same_request_again_is_answered_alike_and_makes_one_key(shop: Shop) -> None:
    first = make_key(shop, "once", **{"idempotency-key": "k-1"})
    again = shop.post("keys", {"name": "once", "scopes": ["read"]}, **{"idempotency-key": "k-1"})
    assert again.headers["idempotency-replayed"] == "true"
    assert again.json() == {**first, "key": None}
    names = [key["name"] for key in shop.get("keys?limit=200").json()["items"]]
    assert names.count("once") == 1


def test_the_secret_of_an_answer_is_kept_nowhere(shop: Shop) -> None:
    key = make_key(shop, **{"idempotency-key": "k-secret"})
    tables = ("settings", "limits")
    kept = [str(item.attrs) for name in tables for item in shop.world.account.table(name).all_items()]
    assert not [item for item in kept if key["key"] in item]


def test_a_key_used_for_another_request_is_refused(shop: Shop) -> None:
    make_key(shop, "one", **{"idempotency-key": "k-2"})
    answer = shop.post("keys", {"name": "two", "scopes": ["read"]}, **{"idempotency-key": "k-2"})
    problem(answer, 422, "idempotency-key-reused")


def test_a_refused_request_may_be_mended_under_its_key(shop: Shop) -> None:
    problem(shop.post("keys", {"name": "x"}, **{"idempotency-key": "k-3"}), 422, "invalid")
    make_key(shop, "mended", **{"idempotency-key": "k-3"})


def test_two_shops_may_use_the_same_idempotency_key(shop: Shop) -> None:
    make_key(shop, **{"idempotency-key": "shared"})
    assert make_key(Shop(shop.world, "other-key"), **{"idempotency-key": "shared"})["key"]


@pytest.mark.parametrize("key", ["", "schlüssel", "x" * 256])
def test_a_change_needs_a_usable_idempotency_key(world: World, key: str) -> None:
    headers = {"idempotency-key": key} if key else {}
    answer = world.request("POST", "/v1/keys", headers=headers, body={"name": "x", "scopes": ["read"]})
    assert problem(answer, 400, f"idempotency-key-{'invalid' if key else 'missing'}")["errors"]


def test_a_list_comes_in_parts_that_together_are_the_whole(shop: Shop) -> None:
    for number in range(3):
        make_key(shop, f"part {number}")
    whole = shop.get("keys?limit=200").json()["items"]
    parts, cursor = [], ""
    while True:
        page = shop.get(f"keys?limit=2{cursor}").json()
        parts += page["items"]
        if page["next"] is None:
            break
        cursor = f"&cursor={page['next']}"
    assert parts == whole
    assert len(whole) > 3


@pytest.mark.parametrize("cursor", ["nonsense", "%00", "AAAA", "é"])
def test_a_made_up_cursor_is_a_problem(shop: Shop, cursor: str) -> None:
    problem(shop.get(f"keys?cursor={cursor}"), 422, "invalid-cursor")


def test_a_cursor_serves_its_own_list_and_shop_only(shop: Shop) -> None:
    make_key(shop)
    cursor = shop.get("keys?limit=1").json()["next"]
    problem(shop.get(f"rules?cursor={cursor}"), 422, "invalid-cursor")
    problem(Shop(shop.world, "other-key").get(f"keys?cursor={cursor}"), 422, "invalid-cursor")


@pytest.mark.parametrize("limit", ["0", "201", "-1", "ten", "1e99"])
def test_a_limit_out_of_bounds_is_named(shop: Shop, limit: str) -> None:
    told = problem(shop.get(f"keys?limit={limit}"), 422, "invalid")
    assert told["errors"][0]["where"] == "?limit"
    assert told["errors"][0]["found"] == limit


def test_an_unknown_parameter_is_refused_rather_than_ignored(shop: Shop) -> None:
    told = problem(shop.get("keys?limt=3"), 422, "unknown-parameter")
    assert told["errors"][0]["expected"] == "one of cursor, limit"


def test_a_misspelt_field_is_named_with_a_hint(shop: Shop) -> None:
    told = problem(shop.post("keys", {"nmae": "x", "scopes": ["read"]}), 422, "invalid")
    assert {"where": "/nmae", "message": "there is no such field", "found": "nmae", "expected": "perhaps name"} in told[
        "errors"
    ]


@pytest.mark.parametrize(
    "body",
    [
        "{",
        "[1",
        '{"name": NaN}',
        '{"name": 1e999}',
        '"\\ud800"',
        '{"name": "\\udfff"}',
        "9" * 5000,
        b"\xff\xfe",
    ],
)
def test_what_is_no_sound_json_is_refused(shop: Shop, body: str | bytes) -> None:
    problem(shop.post("keys", body), 400, "not-json")


def test_the_depth_of_a_body_is_told_before_it_is_read_to_its_end(shop: Shop) -> None:
    problem(shop.post("keys", "[" * 100_000), 422, "too-deep")


@pytest.mark.parametrize("body", ["null", "[]", "3", '"text"', ""])
def test_json_of_another_kind_is_refused(shop: Shop, body: str) -> None:
    problem(shop.post("keys", body), 422, "invalid")


def test_odd_text_is_kept_as_it_is(shop: Shop) -> None:
    odd = "nul \u0000, rtl \u202e, emoji 🫖"
    assert make_key(shop, odd)["name"] == odd


def test_another_media_type_is_refused(shop: Shop) -> None:
    answer = shop.post("keys", "name=x", **{"content-type": "application/x-www-form-urlencoded"})
    assert problem(answer, 415, "unsupported-media-type")["errors"][0]["expected"] == "application/json"


def test_a_body_too_large_is_refused(shop: Shop) -> None:
    problem(shop.post("keys", {"name": "x" * 400_000, "scopes": ["read"]}), 413, "too-big")


def test_another_method_is_told_which_there_are(shop: Shop) -> None:
    answer = shop.ask("PATCH", "keys")
    problem(answer, 405, "method-not-allowed")
    assert answer.headers["allow"] == "GET, POST"


@pytest.mark.parametrize("path", ["nothing", "_app", "__init__", "keys/", "keys.py", "rules/", "%00", "event_types"])
def test_there_is_nothing_at_a_made_up_path(shop: Shop, path: str) -> None:
    problem(shop.get(path), 404, "no-such-path")


@pytest.mark.parametrize("id", ["2026/7", "a?b", "a#b", "a b", "заказ", "a%2Fb", "x" * 100])
def test_an_odd_id_in_the_path_is_the_id(shop: Shop, id: str) -> None:
    assert shop.put(f"orders/{quote(id, safe='')}", {"id": unquote(id)}).status == 200
    assert shop.get(f"orders/{quote(id, safe='')}").json()["id"] == unquote(id)


def test_answers_are_not_to_be_stored(shop: Shop) -> None:
    assert shop.get("shop").headers["cache-control"] == "no-store"
