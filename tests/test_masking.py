"""Secrets of events: sent to whom they are for, and shown to nobody else."""

import json
from collections.abc import Iterator
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from infra.world import World
from tests.asking import Shop
from tests.happenings import happened
from tests.posting import START
from vestnik.domain import masking


@pytest.fixture(scope="module")
def world() -> Iterator[World]:
    with World(start=START) as world:
        yield world


def rule(explained: dict[str, Any], id: str) -> dict[str, Any]:
    return next(rule for rule in explained["rules"] if rule["id"] == id)


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
    shown = masking.hide(masking.without(data, paths), secrets)
    assert not {s for s in secrets if len(s) >= masking.SHORTEST} & (masking.secrets([shown], ["*"]) - {masking.MASK})
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


def test_the_doors_call_nothing_that_the_map_does_not_grant(world: World) -> None:
    assert world.refused_grants() == set()
