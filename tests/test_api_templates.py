"""Templates over the API: drafts, checks, previews, publishing; and what is shipped."""

from collections.abc import Iterator
from typing import Any

import pytest

from infra.world import World
from tests.asking import Shop, opened, problem
from tests.happenings import happened

EMAIL: dict[str, Any] = {
    "channel": "email",
    "contents": {
        "en": {
            "subject": "Order {{ order.number }}",
            "html": "<style>p { color: #123456 }</style><p>Hello {{ recipient.name }}</p>",
        },
        "bg": {"subject": "Поръчка {{ order.number }}", "text": "Здравейте, {{ recipient.name }}"},
    },
}
SMS: dict[str, Any] = {"channel": "sms", "contents": {"en": {"text": "Order {{ order.number }} is on its way"}}}


@pytest.fixture(scope="module")
def world() -> Iterator[World]:
    with opened() as world:
        yield world


def codes(answer: Any) -> set[str]:
    assert answer.status == 200, answer.text
    return {found["code"] for found in answer.json()["problems"]}


def test_a_template_is_a_draft_until_it_is_published(shop: Shop) -> None:
    put = shop.put("templates/hello", EMAIL)
    assert put.status == 200, put.text
    assert put.json()["published"] is None
    published = shop.post("templates/hello/publish")
    assert published.status == 200, published.text
    html = published.json()["published"]["contents"]["en"]["html"]
    assert "color: #123456" in html.partition("<p")[2].partition(">")[0]
    assert shop.get("templates/hello").json() == published.json()


def test_a_new_draft_leaves_what_is_published(shop: Shop) -> None:
    shop.put("templates/steady", SMS)
    first = shop.post("templates/steady/publish").json()
    changed = {**SMS, "contents": {"en": {"text": "Something else"}}}
    second = shop.put("templates/steady", changed).json()
    assert second["contents"]["en"]["text"] == "Something else"
    assert second["published"] == first["published"]
    seen = [shop.post("templates/steady/preview", {"draft": draft}).json()["text"] for draft in (True, False)]
    assert seen[0] == "Something else"
    assert seen[1].startswith("Order ")


def test_the_versions_of_a_template_say_which_was_published(shop: Shop) -> None:
    shop.put("templates/versions", SMS)
    shop.post("templates/versions/publish")
    shop.put("templates/versions", SMS)
    versions = shop.get("templates/versions/versions").json()["items"]
    assert [version["published"] for version in versions] == [False, True, False]


@pytest.mark.parametrize(
    ("content", "code"),
    [
        ({"html": "<a href='https://bit.ly/x'>here</a>"}, "short-link"),
        ({"html": "<script>alert(1)</script>"}, "malicious-code"),
        ({"text": "{% if %}"}, "syntax"),
    ],
)
def test_a_bad_template_cannot_be_published(shop: Shop, content: dict[str, str], code: str) -> None:
    assert shop.put("templates/bad", {"channel": "email", "contents": {"en": content}}).status == 200
    told = problem(shop.post("templates/bad/publish"), 422, code)
    assert told["errors"][0]["where"].startswith("/contents/en/")
    assert code in {found["code"] for found in told["problems"]}
    assert shop.get("templates/bad").json()["published"] is None
    assert code in codes(shop.post("templates/bad/check"))


def test_a_text_is_checked_before_it_is_saved(shop: Shop) -> None:
    text = {"channel": "email", "event": "order.placed", "html": "<p>{{ order.nubmer }} {{ nobody }}</p>"}
    found = shop.post("templates/check", text).json()["problems"]
    assert {problem["code"] for problem in found} == {"unknown-variable"}
    assert found[0]["where"].startswith("html:1:")
    assert codes(shop.post("templates/check", {"channel": "sms", "text": "https://bit.ly/x {{ order.id }}"})) == set()
    assert "too-big" in codes(shop.post("templates/check", {"channel": "email", "html": "x" * 600_000}))


def test_a_bomb_is_told_and_not_waited_for(shop: Shop) -> None:
    bomb = "{% for a in range(99999) %}{% for b in range(99999) %}x{% endfor %}{% endfor %}"
    assert "budget" in codes(shop.post("templates/check", {"channel": "sms", "text": bomb}))
    shown = {"channel": "sms", "content": {"text": bomb}}
    problem(shop.post("templates/preview", shown), 422, "budget")


def test_a_text_is_previewed_before_it_is_saved(shop: Shop) -> None:
    content = {"subject": "{{ order.number }}", "html": "<p>{{ shop.name }}</p>"}
    seen = shop.post("templates/preview", {"channel": "email", "content": content, "sample": "order.paid"})
    assert seen.status == 200, seen.text
    assert "Demo Shop" in seen.json()["html"]
    assert seen.json()["subject"]


def test_a_preview_shows_a_real_past_order(shop: Shop) -> None:
    order = {"id": "o-7", "number": "N-0007", "customer_id": "c-7"}
    assert shop.put("orders/o-7", order).status == 200
    content = {"channel": "sms", "content": {"text": "{{ order.number }}"}}
    assert shop.post("templates/preview", {**content, "order_id": "o-7"}).json()["text"] == "N-0007"
    other = Shop(shop.world, "other-key")
    told = problem(other.post("templates/preview", {**content, "order_id": "o-7"}), 422, "unknown-order")
    assert told["errors"][0]["where"] == "/order_id"


def test_shipped_templates_are_listed_shown_and_previewed(shop: Shop) -> None:
    listed = {entry["id"]: entry for entry in shop.get("templates?limit=200").json()["items"]}
    assert listed["order.placed/customer"]["shipped"]
    assert {"en", "ru", "bg"} <= set(listed["order.placed/customer"]["languages"])
    for id in ("order.placed/customer", "order.placed/staff"):
        shown = shop.get(f"templates/{id}").json()
        assert shown["published"]["by"] == "shipped"
        seen = shop.post(f"templates/{id}/preview", {"language": "bg"})
        assert seen.status == 200, seen.text
        assert seen.json()["language"] == "bg"
        assert codes(shop.post(f"templates/{id}/check")) == set()


def test_a_shipped_template_is_shown_for_each_channel(shop: Shop) -> None:
    shown = shop.get("templates/order.placed/staff?channel=telegram").json()
    assert shown["channel"] == "telegram"
    assert shown["contents"]["en"]["text"]


def test_a_shop_puts_its_own_in_place_of_a_shipped_one(shop: Shop) -> None:
    id = "order.placed/customer"
    assert shop.put(f"templates/{id}", EMAIL).status == 200
    assert shop.get(f"templates/{id}").json()["shipped"] is False
    assert shop.delete(f"templates/{id}").status == 204
    assert shop.get(f"templates/{id}").json()["shipped"]
    problem(shop.post(f"templates/{id}/publish"), 404, "not-found")


def test_a_rule_takes_only_a_published_template_of_its_channel(shop: Shop) -> None:
    shop.put("templates/for-rule", SMS)
    rule = {
        "pattern": {"type": ["order.shipped"]},
        "recipients": [{"kind": "customer"}],
        "channel": "sms",
        "templates": {"customer": "for-rule"},
    }
    problem(shop.put("rules/with-own", rule), 422, "invalid-rule")
    shop.post("templates/for-rule/publish")
    assert shop.put("rules/with-own", rule).status == 200
    problem(shop.put("rules/with-own", {**rule, "channel": "email"}), 422, "invalid-rule")


@pytest.mark.parametrize(
    "change",
    [
        {"channel": "webhook"},
        {"contents": {}},
        {"contents": {"english": {"text": "x"}}},
        {"contents": {"en": {"text": "x" * 100_001}}},
        {"layout": "../../etc/passwd"},
    ],
)
def test_a_wrong_template_is_refused(shop: Shop, change: dict[str, Any]) -> None:
    problem(shop.put("templates/wrong", {**SMS, **change}), 422, "invalid")


def test_another_shop_sees_nothing_of_a_template(shop: Shop) -> None:
    shop.put("templates/private", SMS)
    other = Shop(shop.world, "other-key")
    for answer in (
        other.get("templates/private"),
        other.get("templates/private/versions"),
        other.delete("templates/private"),
        other.post("templates/private/publish"),
        other.post("templates/private/preview", {}),
        other.post("templates/private/check"),
    ):
        problem(answer, 404, "not-found")


LETTER: dict[str, Any] = {"channel": "email", "contents": {"en": {"subject": "Sent", "text": "It is on its way"}}}


def test_each_channel_has_its_own_text_under_one_id(shop: Shop) -> None:
    path = "templates/order.shipped/customer"
    for text in (SMS, LETTER):
        assert shop.put(path, text).status == 200
        published = shop.post(f"{path}/publish?channel={text['channel']}")
        assert published.json()["channel"] == text["channel"], published.text
    for text in (SMS, LETTER):
        shown = shop.get(f"{path}?channel={text['channel']}").json()
        assert (shown["channel"], shown["shipped"]) == (text["channel"], False)
        assert shown["published"]["contents"]["en"]["text"] == text["contents"]["en"]["text"]
        assert shop.get(f"{path}/versions?channel={text['channel']}").json()["items"][0]["published"]
    assert shop.get(path).json()["channel"] == "email"
    assert shop.get(f"{path}?channel=telegram").json()["shipped"]
    seen = shop.post(f"{path}/preview", {"channel": "sms", "sample": "order.shipped"})
    assert seen.json()["text"].startswith("Order ")
    assert shop.delete(f"{path}?channel=email").status == 204
    assert shop.get(f"{path}?channel=email").json()["shipped"]
    assert shop.get(path).json()["channel"] == "sms"
    assert shop.delete(path).status == 204
    assert shop.get(f"{path}/versions").status == 200


def test_the_list_shows_an_id_once_for_each_channel(shop: Shop) -> None:
    for text in (SMS, LETTER):
        assert shop.put("templates/order.paid/customer", text).status == 200
    items: list[dict[str, Any]] = []
    cursor: str | None = ""
    while cursor is not None:
        page = shop.get(f"templates?limit=7&cursor={cursor}").json()
        items, cursor = items + page["items"], page["next"]
    listed = {(item["id"], item["channel"]): item["shipped"] for item in items}
    assert len(listed) == len(items)
    assert [listed["order.paid/customer", channel] for channel in ("email", "sms", "telegram")] == [False, False, True]
    assert listed["order.placed/staff", "telegram"]


def test_each_channel_s_message_is_written_with_its_own_text(shop: Shop) -> None:
    path = "templates/order.shipped/customer"
    for text in (SMS, LETTER):
        assert shop.put(path, text).status == 200
        assert shop.post(f"{path}/publish?channel={text['channel']}").status == 200
    customer = {"id": "c-own", "name": "Maria", "email": "own@example.com", "phone": "+359888112233", "language": "en"}
    happened(shop, "own-1", "order.shipped", order={"id": "o-own", "number": "77"}, customer=customer)
    said = {item["channel"]: item["text"].strip() for item in shop.world.outbox}
    assert said["sms"].startswith("Order 77 is on its way")
    assert said["email"] == "It is on its way"
    for channel in ("sms", "email"):
        shop.delete(f"{path}?channel={channel}")


def test_a_template_that_rules_name_is_not_removed(shop: Shop) -> None:
    shop.put("templates/named", SMS)
    shop.post("templates/named/publish")
    rule = {
        "pattern": {"type": ["order.shipped"]},
        "recipients": [{"kind": "customer"}],
        "channel": "sms",
        "templates": {"customer": "named"},
        "active": False,
    }
    assert shop.put("rules/naming", rule).status == 200
    told = problem(shop.delete("templates/named"), 409, "in-use")
    assert "naming" in told["detail"]
    shop.put("templates/named", LETTER)
    assert shop.delete("templates/named?channel=email").status == 204, "no rule names the e-mail"
    assert shop.delete("rules/naming").status == 204
    assert shop.delete("templates/named").status == 204


def test_a_named_template_that_replaces_a_shipped_one_may_go(shop: Shop) -> None:
    path = "templates/order.shipped/customer"
    shop.put(path, SMS)
    shop.post(f"{path}/publish?channel=sms")
    rule = {
        "pattern": {"type": ["order.shipped"]},
        "recipients": [{"kind": "customer"}],
        "channel": "sms",
        "templates": {"customer": "order.shipped/customer"},
    }
    assert shop.put("rules/naming-shipped", rule).status == 200
    assert shop.delete(f"{path}?channel=sms").status == 204


@pytest.mark.parametrize(
    ("channel", "content", "field"),
    [
        ("sms", {"text": ""}, "text"),
        ("telegram", {"text": " \n"}, "text"),
        ("email", {"html": "<p>Hi</p>"}, "subject"),
        ("email", {"subject": "Hi"}, "text"),
    ],
)
def test_an_empty_text_is_not_published(shop: Shop, channel: str, content: dict[str, str], field: str) -> None:
    id = f"templates/empty-{channel}-{field}"
    assert shop.put(id, {"channel": channel, "contents": {"en": content}}).status == 200
    found = shop.post(f"{id}/check").json()["problems"]
    assert [(each["code"], each["where"]) for each in found] == [("empty", f"en:{field}")]
    told = problem(shop.post(f"{id}/publish"), 422, "empty")
    assert told["errors"][0]["where"] == f"/contents/en/{field}"


def test_an_unsaved_text_that_says_nothing_is_told(shop: Shop) -> None:
    assert codes(shop.post("templates/check", {"channel": "sms", "text": " "})) == {"empty"}
    assert codes(shop.post("templates/check", {"channel": "email", "html": "<p>x</p>", "subject": ""})) == {"empty"}
    assert codes(shop.post("templates/check", {"channel": "email", "html": "<p>x</p>"})) == set()


@pytest.mark.parametrize("field", ["subject", "preheader", "html"])
def test_what_a_channel_does_not_show_is_refused(shop: Shop, field: str) -> None:
    content = {"text": "Hi", field: "<b>Hi</b>"}
    told = problem(shop.put("templates/too-much", {"channel": "sms", "contents": {"en": content}}), 422, "invalid")
    assert told["errors"][0]["where"] == f"/contents/en/{field}"


def test_styles_that_take_too_long_are_a_problem_of_the_template(shop: Shop) -> None:
    rules = "".join(f"div:has(q{n}){{color:red}}" for n in range(700))
    html = f"<!doctype html><style>{rules}</style>" + "<div>" * 20_000
    shop.put("templates/heavy", {"channel": "email", "contents": {"en": {"subject": "x", "html": html}}})
    problem(shop.post("templates/heavy/publish"), 422, "budget")
    shop.delete("templates/heavy")
