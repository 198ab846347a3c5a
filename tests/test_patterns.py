"""Event patterns: AWS's labelled cases, an independent matcher as judge, and what people see when one is wrong."""

import json
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.matchers import slow_matches
from vestnik.domain.patterns import compile_index, compile_pattern, explain, matches, read_written, test, valid
from vestnik.domain.patterns.lookup import MOST_REMEMBERED
from vestnik.errors import Refused

CORPUS = Path(__file__).parents[1] / ".." / "shared" / "corpora" / "event_patterns" / "event_patterns.jsonl"
needs_corpus = pytest.mark.skipif(not CORPUS.exists(), reason="the labelled cases are not part of the project")


def labelled() -> list[dict[str, Any]]:
    return [json.loads(line) for line in CORPUS.read_text().splitlines()]


def label(pattern: Any, event: Any) -> str:
    try:
        return test(pattern, event)
    except Refused as refused:
        return refused.code.removesuffix("-pattern")


@needs_corpus
def test_every_labelled_case_is_judged_as_aws_does() -> None:
    wrong = [case["id"] for case in labelled() if label(case["pattern"], case["event"]) != case["expect"]]
    assert wrong == []


@needs_corpus
def test_the_index_and_the_slow_matcher_judge_the_labelled_cases_alike() -> None:
    cases = [case for case in labelled() if case["expect"] in ("match", "nomatch")]
    index = compile_index({case["id"]: case["pattern"] for case in cases})
    for case in cases:
        body = read_written(f'{{"event": {case["event"]}}}')
        assert (case["id"] in index.match(body["event"])) == (case["expect"] == "match"), case
        assert slow_matches(case["pattern"], case["event"]) == (case["expect"] == "match"), case


def test_a_body_is_parsed_once_and_its_doubled_keys_count() -> None:
    body = read_written('{"pattern": {"x": ["y"], "x": ["z"]}, "event": {"x": "y"}}')
    assert test(body["pattern"], body["event"]) == "nomatch"
    body = read_written('{"pattern": {"x": ["y"]}, "event": {"x": "y", "x": "z"}}')
    assert test(body["pattern"], body["event"]) == "match"
    assert test(body["pattern"]) == "valid"


@pytest.mark.parametrize(
    ("pattern", "event"),
    [
        ('{"a": [5]}', '{"a": 5.0}'),
        ('{"a": [5]}', '{"a": 50e-1}'),
        ('{"a": [123456789012345678]}', '{"a": 123456789012345678}'),
        ('{"a": [{"numeric": [">", 0, "<=", 5]}]}', '{"a": [7, 5]}'),
        ('{"a": [{"anything-but": 5}]}', '{"a": "5"}'),
        ('{"a": [{"anything-but": {"prefix": ["x", "y"]}}]}', '{"a": null}'),
        ('{"a": [{"anything-but": "x"}, {"anything-but": "y"}]}', '{"a": "x"}'),
        ('{"a": [null]}', '{"a": null}'),
        ('{"a": [""]}', '{"a": ""}'),
        ('{"a": ["10.0.0.1"]}', '{"a": "010.0.0.01"}'),
        ('{"a": [{"cidr": "2001:db8::/32"}]}', '{"a": "2001:db8:0::1"}'),
        ('{"a": [{"equals-ignore-case": "straße"}]}', '{"a": "STRASSE"}'),
        ('{"a": [{"suffix": {"equals-ignore-case": ".PNG"}}]}', '{"a": "x.png"}'),
        ('{"a": [{"wildcard": "*\\\\*x"}]}', '{"a": "1*x"}'),
        ('{"a": {"b": [1]}}', '{"a.b": 1}'),
        ('{"a": [{"exists": false}]}', '{"a": []}'),
        ('{"a": [{"exists": false}]}', '{"a": {"b": 1}}'),
        ('{"a": [1], "$or": [{"a": [2]}, {"b": [3]}]}', '{"a": 2}'),
        ('{"$or": [{"a": [2]}, {"b": [3]}], "a": [1]}', '{"a": 1, "b": 3}'),
        ('{"d": {"a": [1], "b": [2]}}', '{"d": [{"a": 1}, {"a": 1, "b": 2}]}'),
        ('{"d": {"n": ["x"], "z": [{"exists": false}]}}', '{"d": [{"n": "x"}, {"z": 1}]}'),
    ],
)
def test_matches(pattern: str, event: str) -> None:
    assert matches(pattern, event)
    assert compile_index({"r": pattern}).match(read_written(event)) == ["r"]
    assert compile_index({"r": pattern}).match(json.loads(event)) == ["r"]
    assert slow_matches(pattern, event)
    assert explain(pattern, read_written(event)) == []


@pytest.mark.parametrize(
    ("pattern", "event"),
    [
        ('{"a": [1]}', '{"a": true}'),
        ('{"a": [true]}', '{"a": 1}'),
        ('{"a": [1]}', '{"a": "1"}'),
        ('{"a": [123456789012345678]}', '{"a": 123456789012345679}'),
        ('{"a": [{"prefix": ""}]}', '{"a": null}'),
        ('{"a": [{"anything-but": "x"}]}', "{}"),
        ('{"a": [{"anything-but": [1, 2]}]}', '{"a": 2.0}'),
        ('{"a": [{"equals-ignore-case": "k"}]}', '{"a": "\\u212a"}'),
        ('{"a": [{"exists": true}]}', '{"a": {"b": 1}}'),
        ('{"a": [1], "$or": [{"a": [2]}, {"b": [3]}]}', '{"a": 1}'),
        ('{"d": {"a": [1], "b": [2]}}', '{"d": [{"a": 1}, {"b": 2}]}'),
        ('{"d": {"a": [{"exists": false}], "n": ["x"]}}', '{"d": [{"n": "x"}, {"a": 1}]}'),
    ],
)
def test_does_not_match_and_says_why(pattern: str, event: str) -> None:
    assert not matches(pattern, event)
    assert compile_index({"r": pattern}).match(read_written(event)) == []
    assert compile_index({"r": pattern}).match(json.loads(event)) == []
    assert not slow_matches(pattern, event)
    assert explain(pattern, read_written(event))


@pytest.mark.parametrize(
    ("pattern", "where"),
    [
        ("[]", ""),
        ("{}", ""),
        ('{"a": 1}', "/a"),
        ('{"a": []}', "/a"),
        ('{"a": {"b~/": []}}', "/a/b~0~1"),
        ('{"a": [1, [2]]}', "/a/1"),
        ('{"a": [{"prefix": "x", "suffix": "y"}]}', "/a/0"),
        ('{"a": [{"regex": "x"}]}', "/a/0"),
        ('{"a": [{"numeric": [">", "1"]}]}', "/a/0/numeric/1"),
        ('{"a": [{"numeric": [">", 2.0e422]}]}', "/a/0/numeric/1"),
        ('{"a": [{"numeric": [">", 5, "<", 5]}]}', "/a/0/numeric"),
        ('{"a": [{"numeric": ["<", 5, ">", 1]}]}', "/a/0/numeric/0"),
        ('{"a": [{"cidr": "10.0.0.0/33"}]}', "/a/0/cidr"),
        ('{"a": [{"wildcard": "a**"}]}', "/a/0/wildcard"),
        ('{"a": [{"wildcard": "a\\\\b"}]}', "/a/0/wildcard"),
        ('{"a": [{"wildcard": "*:*:*:*:*:x/*"}]}', "/a/0/wildcard"),
        ('{"a": [{"anything-but": ["x", 1]}]}', "/a/0/anything-but"),
        ('{"a": [{"anything-but": {"prefix": ["x", ""]}}]}', "/a/0/anything-but/prefix"),
        ('{"a": [{"exists": "yes"}]}', "/a/0/exists"),
        ('{"a": [{"prefix": {"equals-ignore-case": 1}}]}', "/a/0/prefix/equals-ignore-case"),
        ('{"$or": [{"a": [1]}]}', "/$or"),
        ('{"$or": [{"a": [1]}, {"numeric": [1]}]}', "/$or/1/numeric"),
        ('{"a": [NaN]}', ""),
        ('{"a": [1}', ""),
    ],
)
def test_an_invalid_pattern_is_refused_where_it_is_wrong(pattern: str, where: str) -> None:
    with pytest.raises(Refused) as refusal:
        compile_pattern(pattern)
    assert (refusal.value.code, refusal.value.where) == ("invalid-pattern", where)
    assert not valid(pattern)


def test_combinations_of_or_are_limited() -> None:
    ways = [{"a": [1]}, {"b": [2]}, {"c": [3]}, {"d": [4]}]
    body = ", ".join(f'"$or": {json.dumps(ways)}' for _ in range(6))
    assert not valid("{" + body + "}")


def test_what_is_nested_too_deeply_is_refused_not_a_crash() -> None:
    deep = '{"a":' * 5000 + "[1]" + "}" * 5000
    with pytest.raises(Refused):
        test(deep)
    with pytest.raises(Refused):
        test({"a": [1]}, '{"a":' + "[" * 5000 + "]" * 5000 + "}")


@pytest.mark.parametrize("event", ["[]", "1", '"{}"', "{"])
def test_an_event_that_is_no_object_is_refused(event: str) -> None:
    with pytest.raises(Refused) as refusal:
        test({"a": [1]}, event)
    assert refusal.value.code == "invalid-event"


def test_a_manager_reads_why_a_rule_did_not_match() -> None:
    pattern = {"type": ["order.created"], "order": {"total": [{"numeric": [">=", 5000]}], "city": [{"prefix": "Со"}]}}
    event = {"type": "order.created", "order": {"total": 1200, "items": []}}
    assert [tuple(unmet) for unmet in explain(pattern, event)] == [
        ("order.city", "nothing", 'begin with "Со"'),
        ("order.total", "1200", "be at least 5000"),
    ]


def test_a_manager_reads_that_no_single_line_meets_both_conditions() -> None:
    pattern = {"items": {"sku": ["A"], "qty": [2]}}
    [unmet] = explain(pattern, {"items": [{"sku": "A", "qty": 1}, {"sku": "B", "qty": 2}]})
    assert unmet.path == "items.qty, items.sku"


def test_many_sibling_arrays_do_not_multiply() -> None:
    names = [f"k{n}" for n in range(8)]
    pattern = {name: {"v": [{"exists": True}]} for name in names} | {"z": ["never"]}
    event = {name: [{"v": n} for n in range(200)] for name in names} | {"z": "ever"}
    assert not matches(pattern, event)


def test_an_index_remembers_only_so_many_values() -> None:
    index = compile_index({"long": {"id": [{"prefix": "1"}]}, "any": {"id": [{"anything-but": {"suffix": "7"}}]}})
    for n in range(2 * MOST_REMEMBERED + 20):
        expected = {"long"} if str(n).startswith("1") else set()
        expected |= set() if str(n).endswith("7") else {"any"}
        assert set(index.match({"id": str(n)})) == expected


def test_a_rule_of_several_ways_is_named_once() -> None:
    index = compile_index({"r": {"$or": [{"a": [1]}, {"b": [2]}]}, "s": {"a": [1]}})
    assert sorted(index.match({"a": 1, "b": 2})) == ["r", "s"]
    assert compile_index({}).match({"a": 1}) == []


KEYS = st.sampled_from(["a", "b", "c", "a.b"])
TEXTS = st.sampled_from(["", "a", "A", "ab", "ba", "abc", "ß", "SS", "10.0.0.1", "10.0.0.9", "a*b"])
NUMBERS = st.sampled_from([0, 1, -1, 5, 5.0, 4.99, 0.1, 10**20, 123456789012345678])
SCALARS = TEXTS | NUMBERS | st.sampled_from([True, False, None])
EVENTS = st.dictionaries(
    KEYS,
    st.recursive(SCALARS, lambda deeper: st.lists(deeper, max_size=3) | st.dictionaries(KEYS, deeper, max_size=3)),
    max_size=4,
)
SMALL = st.sampled_from([-1, 0, 1, 4.99, 5])
WILDCARDS = st.sampled_from(["*", "a*", "*b", "a*b", "*\\**", "*a*"])
UNWANTED = (
    TEXTS
    | SMALL
    | st.lists(TEXTS, min_size=1, max_size=3)
    | st.lists(SMALL, min_size=1, max_size=3)
    | st.fixed_dictionaries({"wildcard": WILDCARDS})
    | st.fixed_dictionaries({"prefix": st.sampled_from(["a", "ab", ["a", "b"]])})
    | st.fixed_dictionaries({"suffix": st.sampled_from(["a", "b", ["a", "c"]])})
    | st.fixed_dictionaries({"equals-ignore-case": st.sampled_from(["a", "AB", ["ß", "abc"]])})
)
FOLDED = st.fixed_dictionaries({"equals-ignore-case": TEXTS})
CONDITIONS = SCALARS | st.one_of(
    st.fixed_dictionaries({"exists": st.booleans()}),
    st.fixed_dictionaries({"prefix": TEXTS | FOLDED}),
    st.fixed_dictionaries({"suffix": TEXTS | FOLDED}),
    FOLDED,
    st.fixed_dictionaries({"wildcard": WILDCARDS}),
    st.fixed_dictionaries({"cidr": st.sampled_from(["10.0.0.0/24", "10.0.0.8/29"])}),
    st.fixed_dictionaries({"numeric": st.tuples(st.sampled_from(["=", "<", "<=", ">", ">="]), SMALL).map(list)}),
    st.fixed_dictionaries({"numeric": SMALL.map(lambda low: [">=", low, "<", low + 2])}),
    st.fixed_dictionaries({"anything-but": UNWANTED}),
)
FIELDS = st.lists(CONDITIONS, min_size=1, max_size=3)
OBJECTS = st.dictionaries(KEYS, FIELDS | st.dictionaries(KEYS, FIELDS, min_size=1, max_size=2), min_size=1, max_size=3)
PATTERNS = OBJECTS | st.builds(
    lambda ways, more: {"$or": ways} | more, st.lists(OBJECTS, min_size=2, max_size=3), OBJECTS
)


@pytest.mark.slow
@settings(max_examples=150)
@given(patterns=st.lists(PATTERNS, min_size=1, max_size=12), events=st.lists(EVENTS, min_size=1, max_size=4))
def test_the_index_agrees_with_the_slow_matcher(patterns: list[Any], events: list[Any]) -> None:
    index = compile_index({str(n): pattern for n, pattern in enumerate(patterns)})
    for event in events:
        expected = {str(n) for n, pattern in enumerate(patterns) if slow_matches(pattern, event)}
        assert set(index.match(event)) == expected
        assert {str(n) for n, pattern in enumerate(patterns) if not explain(pattern, event)} == expected


@given(pattern=PATTERNS, event=EVENTS)
def test_text_and_objects_are_judged_alike(pattern: Any, event: Any) -> None:
    written = json.dumps(pattern), json.dumps(event)
    assert matches(pattern, event) == matches(*written) == slow_matches(*written)


@given(value=st.recursive(SCALARS, lambda deeper: st.lists(deeper) | st.dictionaries(st.text(max_size=9), deeper)))
def test_whatever_is_said_to_be_a_pattern_compiles_or_is_refused(value: Any) -> None:
    assert label(json.dumps(value), None) in ("valid", "invalid")
