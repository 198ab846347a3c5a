"""Request definitions: how a call is written, how its answer is read, and what is refused when one is edited."""

from contextlib import suppress
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from infra.twins.market import SlidingWindow, Tokens
from vestnik import marketplaces
from vestnik.domain.market import definition_schema, definition_wire, definitions, expressions, limits
from vestnik.domain.market.definitions import Outcome
from vestnik.errors import Refused

NOW = datetime(2026, 11, 22, 8, 0, tzinfo=UTC)
WRITE: dict[str, Any] = {
    "id": "shop.stock.write",
    "purpose": "stock.write",
    "group": "stock",
    "title": "Write stock",
    "method": "PUT",
    "host": "api.shop.example",
    "path": "/stocks/{given.warehouse}",
    "query": {"limit": "page.limit", "tag": "given.tags", "nothing": "given.nothing"},
    "headers": {"Authorization": "{credentials.key}"},
    "body": "{rows: rows[].{sku: unit, amount: quantity, note: note}}",
    "batch": {"rows": 2, "by": ["warehouse"], "id": "unit"},
    "limits": [{"bucket": "writes"}],
    "outcomes": {"items": "result", "id": "sku", "ok": "done", "code": "code", "message": "text"},
    "errors": [
        {"status": 409, "rows": "bad[].sku", "do": "take-out"},
        {"code": "WAIT", "do": "retry"},
        {"status": 410, "do": "gone"},
        {"status": 208, "do": "ok"},
    ],
}
DOMAINS, BUCKETS = ["api.shop.example"], {"writes": {"kind": "window", "cap": 1, "seconds": 1}}


def judged(status: int, content: Any, *rows: str) -> definitions.Verdict:
    return definitions.judged(WRITE, status, content, rows, (429,))


def test_a_call_is_written_from_its_definition() -> None:
    rows = [{"unit": "a/1", "quantity": 3, "warehouse": "7 x", "note": None}]
    document = {"given": {"warehouse": "7 x", "tags": ["p", "q"]}, "rows": rows, "page": {"limit": 10}}
    call = definitions.rendered(WRITE, document)
    assert call.target == "/stocks/7%20x?limit=10&tag=p&tag=q"
    assert call.body == b'{"rows":[{"sku":"a/1","amount":3}]}'
    assert call.headers == {"Authorization": "{credentials.key}"}


def test_a_path_with_a_hole_is_refused() -> None:
    with pytest.raises(Refused, match=r"no 'given.warehouse'"):
        definitions.rendered(WRITE, {"given": {}, "rows": [], "page": {}})


def test_each_row_has_an_outcome_of_its_own_under_one_200() -> None:
    content = {"result": [{"sku": "a", "done": True}, {"sku": "b", "done": False, "code": "BAD", "text": "no"}]}
    verdict = judged(200, content, "a", "b", "c")
    assert verdict.do == "ok"
    assert verdict.outcomes == {"a": Outcome(True), "b": Outcome(False, False, "BAD", "no"), "c": Outcome(True)}


def test_a_row_that_may_come_again_is_told_from_one_that_may_not() -> None:
    verdict = judged(200, {"result": [{"sku": "a", "done": False, "code": "WAIT"}]}, "a")
    assert verdict.outcomes["a"] == Outcome(False, True, "WAIT", "")


def test_the_rows_that_an_error_names_are_taken_out_and_the_others_go_again() -> None:
    verdict = judged(409, {"bad": [{"sku": "b"}], "code": "NotFound"}, "a", "b")
    assert verdict.do == "take-out"
    assert (verdict.outcomes["a"].again, verdict.outcomes["b"].again) == (True, False)


def test_where_an_error_names_no_row_the_batch_is_halved_down_to_one() -> None:
    assert judged(409, {"code": "NotFound"}, "a", "b").do == "halve"
    assert judged(409, {"code": "NotFound"}, "a").outcomes["a"] == Outcome(False, False, "NotFound", "")


@pytest.mark.parametrize(
    ("status", "does"), [(429, "park"), (500, "retry"), (408, "retry"), (410, "gone"), (403, "give-up"), (208, "ok")]
)
def test_a_status_says_what_to_do_next(status: int, does: str) -> None:
    assert judged(status, None, "a").do == does


def test_an_answer_of_the_wrong_shape_is_no_crash() -> None:
    answers: list[Any] = [None, [], "text", 7, {"result": None}, {"result": "text"}]
    for content in answers:
        assert judged(200, content, "a").outcomes


def test_a_tree_is_listed_with_the_parent_of_each() -> None:
    tree = {**WRITE, "items": "tree", "children": "kids", "answer": "{id: id, parent: parent.id}"}
    content = {"tree": [{"id": 1, "kids": [{"id": 2, "kids": [{"id": 3}]}]}, {"id": 4}]}
    assert definitions.items(tree, content) == [{"id": 1}, {"id": 2, "parent": 1}, {"id": 3, "parent": 2}, {"id": 4}]


@pytest.mark.parametrize(
    ("paging", "content", "count", "following"),
    [
        ({"style": "cursor", "limit": 2, "next": "c", "more": "m"}, {"c": "x", "m": True}, 2, "x"),
        ({"style": "cursor", "limit": 2, "next": "c", "more": "m"}, {"c": "x", "m": False}, 2, None),
        ({"style": "next", "limit": 2, "next": "n"}, {"n": 0}, 2, None),
        ({"style": "cursor_object", "limit": 2, "next": "c", "short": True}, {"c": {"id": 1}}, 2, {"id": 1}),
        ({"style": "cursor_object", "limit": 2, "next": "c", "short": True}, {"c": {"id": 1}}, 1, None),
        ({"style": "offset", "limit": 2, "short": True}, {}, 2, 6),
        ({"style": "none"}, {"c": "x"}, 2, None),
    ],
)
def test_pages_go_on_until_the_last(paging: dict[str, Any], content: Any, count: int, following: Any) -> None:
    page = {"limit": 2, "offset": 4, "cursor": None}
    assert definitions.following({**WRITE, "paging": paging}, content, page, count) == following


@pytest.mark.parametrize(
    ("expression", "data", "found"),
    [
        ("minor(p)", {"p": "12.345"}, 1234),
        ("minor(p)", {"p": 7}, 700),
        ("minor(p)", {}, None),
        ("moment(t)", {"t": 1_700_000_000}, "2023-11-14T22:13:20Z"),
        ("moment(t)", {"t": "1700000000000"}, "2023-11-14T22:13:20Z"),
        ("moment(t)", {"t": "2026-11-22T11:00:00+03:00"}, "2026-11-22T08:00:00Z"),
        ("moment(t)", {"t": "22-11-2026 11:00:00"}, "2026-11-22T08:00:00Z"),
        ("moment(t)", {"t": "yesterday"}, None),
        ("unix(t)", {"t": "2023-11-14T22:13:20Z"}, 1_700_000_000),
        ("dmy(t)", {"t": "2026-11-22T08:00:00Z"}, "22-11-2026"),
        ("plus(t, `3600`)", {"t": "2026-11-22T08:00:00Z"}, "2026-11-22T09:00:00Z"),
        ("per(sum, n)", {"sum": 1000, "n": 3}, 333),
        ("text(n)", {"n": 12.0}, "12"),
        ("default(a, b)", {"b": 2}, 2),
        ("lookup(t, k)", {"t": {"5": "five"}, "k": 5}, "five"),
    ],
)
def test_money_and_time_are_read_as_marketplaces_write_them(expression: str, data: Any, found: Any) -> None:
    assert expressions.value(expression, data) == found


def test_a_whole_definition_passes_its_own_check() -> None:
    definition_schema.check(WRITE, DOMAINS, BUCKETS)
    definition_schema.check({**WRITE, "read_back": "stock.read"}, DOMAINS, BUCKETS, {"key"}, {"stock.read"})


@pytest.mark.parametrize(
    ("change", "where"),
    [
        ({"host": "evil.example"}, "/host"),
        ({"method": "FETCH"}, "/method"),
        ({"body": "{rows: rows["}, "/body"),
        ({"query": {"limit": "page..limit"}}, "/query/limit"),
        ({"limits": [{"bucket": "reads"}]}, "/limits/0/bucket"),
        ({"path": "/stocks/{credentials.key}"}, "/path"),
        ({"path": "stocks"}, "/path"),
        ({"errors": [{"do": "park"}]}, "/errors/0"),
        ({"paging": {"style": "cursor", "limit": 5}}, "/paging"),
        ({"outcomes": {"items": "a", "id": "b", "ok": "("}}, "/outcomes/ok"),
        ({"speed": 5}, ""),
        ({"headers": {"X-A": "a\r\nB: c"}}, "/headers/X-A"),
        ({"headers": {"X": "ж"}}, "/headers/X"),
        ({"headers": {"X y": "a"}}, "/headers/X y"),
        ({"headers": {"host": "api.shop.example"}}, "/headers/host"),
        ({"headers": {"Content-Length": "3"}}, "/headers/Content-Length"),
        ({"headers": {"Transfer-Encoding": "chunked"}}, "/headers/Transfer-Encoding"),
        ({"headers": {"Connection": "close"}}, "/headers/Connection"),
        ({"headers": {"X": "{credentials.nope}"}}, "/headers/X"),
        ({"headers": {"X": "{account.id}"}}, "/headers/X"),
        ({"headers": {"X": "{credentials.key"}}, "/headers/X"),
        ({"limits": [{"bucket": "writes", "cost": "'x'"}]}, "/limits/0/cost"),
        ({"limits": [{"bucket": "writes", "cost": "`-5`"}]}, "/limits/0/cost"),
        ({"limits": [{"bucket": "writes", "cost": "`1.5`"}]}, "/limits/0/cost"),
        ({"limits": [{"bucket": "writes", "cost": "`true`"}]}, "/limits/0/cost"),
        ({"limits": [{"bucket": "writes", "cost": "`1000000000000`"}]}, "/limits/0/cost"),
        ({"limits": [{"bucket": "writes", "cost": "length(row)"}]}, "/limits/0/cost"),
        ({"body": "nofunc(@)"}, "/body"),
        ({"body": "rows[].{n: text(a, b)}"}, "/body"),
        ({"body": "row[].{a: b}"}, "/body"),
        ({"body": "(" * 1500 + "rows" + ")" * 1500}, "/body"),
        ({"items": "things[].nofunc(@)"}, "/items"),
        ({"path": "/{nope.x}"}, "/path"),
        ({"path": "/{{7*7}}"}, "/path"),
        ({"path": "/{given.x"}, "/path"),
        ({"path": "/ж"}, "/path"),
        ({"path": "/a?b=c"}, "/path"),
        ({"read_back": "nope"}, "/read_back"),
        ({"follow_up": {"task": "id", "purpose": "nope"}}, "/follow_up/purpose"),
        ({"claims": {"credential": "nope", "answer": "{a: b}"}}, "/claims/credential"),
    ],
)
def test_what_is_wrong_in_an_edited_definition_is_named(change: dict[str, Any], where: str) -> None:
    with pytest.raises(Refused) as refused:
        definition_schema.check({**WRITE, **change}, DOMAINS, BUCKETS, {"key"}, {"stock.write", "stock.read"})
    assert refused.value.where == where


@pytest.mark.parametrize("name", marketplaces.names())
def test_every_shipped_definition_passes_the_check(name: str) -> None:
    market = marketplaces.shipped(name)
    assert market.definitions
    for id, definition in market.definitions.items():
        assert id.partition(".")[0] == name
        purposes = {one["purpose"] for one in market.definitions.values()}
        definition_schema.check(definition, market.domains, market.buckets, market.credentials, purposes)
        assert definition.get("source"), id
        if following := definition.get("replaced_by"):
            assert following in market.definitions


# What a call costs, and what an expression may


@pytest.mark.parametrize(("told", "cost"), [(None, 1), (0, 1), (7, 7), (12.0, 12)])
def test_a_call_costs_what_its_limit_says(told: Any, cost: int) -> None:
    assert definition_wire.cost({"bucket": "writes", "cost": "given.cost"}, {"given": {"cost": told}}) == cost


@pytest.mark.parametrize("told", ["x", -5, 1.5, True, [3], 1e300, float("nan")])
def test_a_cost_that_comes_to_no_number_is_refused(told: Any) -> None:
    with pytest.raises(Refused):
        definition_wire.cost({"bucket": "writes", "cost": "given.cost"}, {"given": {"cost": told}})


def test_a_credential_that_is_no_header_is_refused_and_not_told() -> None:
    for value in ("se\ncret", "secretж"):
        with pytest.raises(Refused) as refused:
            definition_wire.header("Authorization", value)
        assert (refused.value.code, "secret" in refused.value.reason) == ("credentials", False)
    with pytest.raises(Refused):
        definition_wire.header("X y", "a")
    assert definition_wire.header("X-Y", "Bearer a") == "Bearer a"


BOMBS = {
    "elements": "length(`[1]`" + "|[@,@][]" * 22 + ")",
    "texts": "`1`" + "|to_string([@,@])" * 16,
    "a result": "`1`" + "|[@,@]" * 60,
    "objects": "`1`" + "|{a: @, b: @}" * 60,
    "a text of ours": "text(`1`" + "|[@,@]" * 60 + ")",
    "a comparison": "[`[1]`" + "|[@,@]" * 40 + ", `[1]`" + "|[@,@]" * 40 + "]|[0] == [1]",
    "a search": "[[`[1]`" + "|[@,@]" * 40 + "], `[1]`" + "|[@,@]" * 40 + "]|contains([0], [1])",
    "an error's text": "abs(`1`" + "|[@,@]" * 60 + ")",
    "a join": "`[1]`" + "|[@,@][]" * 11 + "|join(to_string(@), [].to_string(@))",
}


@pytest.mark.parametrize("what", BOMBS)
def test_what_grows_out_of_proportion_is_ended(what: str) -> None:
    with pytest.raises(Refused) as refused:
        expressions.value(BOMBS[what], {"rows": []})
    assert refused.value.code == "expression"
    assert len(refused.value.reason) < 2 * expressions.LONGEST


@pytest.mark.parametrize("number", ["integer('1e999999999')", "minor('1e999999999')", "per('1', '0')", "minor('NaN')"])
def test_a_number_that_is_none_is_no_crash(number: str) -> None:
    with suppress(Refused):
        assert expressions.value(number, {}) is None


def test_a_budget_grows_with_the_data() -> None:
    rows = [{"unit": str(n), "name": "tea " * 40, "sizes": [{"id": n, "left": n % 3}]} for n in range(3000)]
    mapping = "rows[?sizes[0].left > `0`].{u: text(unit), s: sizes[].{i: text(id), n: left}}"
    found = expressions.value(mapping, {"rows": rows})
    assert len(found) == len([n for n in range(3000) if n % 3])
    with pytest.raises(Refused):
        expressions.value("rows[].{a: length(`[1]`" + "|[@,@][]" * 10 + ")}", {"rows": rows})


def test_an_expression_that_has_no_end_is_no_crash() -> None:
    for told in ({"children": "[@]"}, {"children": "n"}, {"each": "n"}):
        listing = {**WRITE, "items": "things", "answer": "{a: a}", **told}
        content = {"things": [{"a": 1, "n": 5}]}
        with suppress(Refused):
            assert definitions.items(listing, content) in ([], [{"a": 1}])


@pytest.mark.parametrize("answer", [{"result": 5}, {"result": {"a": 1}}, {"result": True}])
def test_outcomes_that_are_no_list_are_no_crash(answer: Any) -> None:
    assert set(definitions.judged(WRITE, 200, answer, ["A"], (429,)).outcomes) == {"A"}
    assert definitions.judged(WRITE, 409, {"bad": 5}, ["A", "B"], (429,)).do == "halve"


takes = st.lists(st.tuples(st.integers(0, 4000), st.integers(1, 3)), max_size=60)


@given(takes)
def test_what_our_window_lets_go_the_marketplace_lets_go(takes: list[tuple[int, int]]) -> None:
    theirs, spec, state = SlidingWindow(5, 10), {"kind": "window", "cap": 5, "seconds": 10}, dict[str, Any]()
    now = int(NOW.timestamp() * 1000)
    for wait, n in takes:
        now += wait
        refused, state = limits.take(spec, state, now, n)
        if not refused:
            assert theirs.take(NOW + timedelta(milliseconds=now - NOW.timestamp() * 1000), n) == 0


@given(takes)
def test_what_our_tokens_let_go_the_marketplace_lets_go(takes: list[tuple[int, int]]) -> None:
    theirs = Tokens(0.2, 4)
    spec, state = {"kind": "tokens", "every_ms": 200, "burst": 4, "penalty": 3}, dict[str, Any]()
    now = int(NOW.timestamp() * 1000)
    for wait, n in takes:
        now += wait // 10
        refused, state = limits.take(spec, state, now, n)
        if not refused:
            assert theirs.take(datetime.fromtimestamp(now / 1000, UTC), n) == 0


def test_a_wait_that_was_told_is_long_enough_and_no_longer() -> None:
    spec, state, now = {"kind": "window", "cap": 2, "seconds": 60}, dict[str, Any](), 1_000_000
    for at in (now, now + 1000):
        assert limits.take(spec, state, at, 1)[0] == 0
        state = limits.take(spec, state, at, 1)[1]
    wait, _ = limits.take(spec, state, now + 2000, 1)
    assert wait == 58_000 + limits.SLACK_MS
    assert limits.take(spec, state, now + 2000 + wait, 1)[0] == 0


def test_a_parked_bucket_lets_nothing_go_before_its_time() -> None:
    spec = {"kind": "tokens", "every_ms": 200, "burst": 4}
    state = limits.parked({}, 5000)
    assert limits.take(spec, state, 1000, 1)[0] == 4000
    assert limits.take(spec, state, 5000, 1)[0] == 0


def test_a_fine_holds_up_those_who_come_next() -> None:
    spec = {"kind": "tokens", "every_ms": 200, "burst": 4, "penalty": 10}
    state = limits.fine(spec, limits.take(spec, {}, 1000, 1)[1], 1000)
    assert limits.take(spec, state, 1000, 1)[0] == 1600


def test_no_more_than_allowed_are_under_way_at_once() -> None:
    spec, state = {"kind": "parallel", "cap": 2}, dict[str, Any]()
    for holder in ("a", "b"):
        state = limits.take(spec, state, 1000, 1, holder)[1]
    assert limits.take(spec, state, 1000, 1, "c")[0] > 0
    state = limits.give_back(spec, state, 1, "a")
    assert limits.take(spec, state, 1000, 1, "c")[0] == 0
