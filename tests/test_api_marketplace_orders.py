"""Marketplace orders over the API: listed by day and by urgency, looked at, asked to be packed; statuses."""

from collections.abc import Iterator
from datetime import datetime, timedelta
from typing import Any

import pytest

from infra.world import World
from tests.asking import START, Shop, problem
from vestnik import resources
from vestnik.domain.market import operations, postings, statuses
from vestnik.domain.market.accounts import Account
from vestnik.marketplaces import shipped
from vestnik.store import postings as kept
from vestnik.store import settings

SHOP = "demo"
ACCOUNTS = ("a1", "a2")


@pytest.fixture(scope="module")
def world() -> Iterator[World]:
    with World(start=START) as opened:
        with resources.use(opened.account.variables(opened.account.functions["manage-shop"])):
            for id in ACCOUNTS:
                body = {"name": id, "marketplace": "ozon", "state": "paused"}
                settings.put(SHOP, "account", id, body, by="test", now=START)
            for n in range(24):
                keep(ACCOUNTS[n % 2], f"{n:02}", START - timedelta(hours=n * 4), hours=n - 5)
            keep("a1", "gone", START, hours=1, status="delivering")
            keep("a1", "odd", START, hours=30, status="awaiting_approve", held_up="unlinked")
        yield opened


def keep(account: str, number: str, created: datetime, *, hours: int, **more: Any) -> None:
    """Keep a posting as a run would."""
    body = {"marketplace": "ozon", "state": "connected"}
    told = {
        "number": number,
        "scheme": "FBS",
        "theirs": {"status": more.pop("status", "awaiting_packaging")},
        "created_at": created.isoformat(),
        "ship_by": (START + timedelta(hours=hours)).isoformat(),
        "currency": "RUB",
        "lines": [{"unit": "TEA", "quantity": 1, "price": 100, "line": "5"}],
    }
    market = shipped("ozon")
    whose = Account(SHOP, account, "ozon", {}, body)
    news = postings.normalise(told, whose, market.schemes, None)
    read = statuses.statuses(market.statuses, None, None)
    merged = postings.merge(None, news, read, postings.moment(START))
    assert merged is not None
    stored = kept.change(whose.shop, account, number, lambda found: {**merged, **more})
    assert stored is not None
    kept.applied(stored, [])
    kept.keep_raw(whose.shop, account, number, {"posting_number": number}, postings.moment(START))


def pages(shop: Shop, query: str) -> list[dict[str, Any]]:
    """A whole list, in small parts."""
    found, cursor = list[dict[str, Any]](), ""
    while cursor is not None:
        answer = shop.get(f"marketplace-orders?limit=7&{query}&cursor={cursor}")
        assert answer.status == 200, answer.text
        found, cursor = found + answer.json()["items"], answer.json()["next"]
    return found


def test_the_list_goes_back_by_days_and_shows_each_once(shop: Shop) -> None:
    numbers = [one["number"] for one in pages(shop, "")]
    assert len(numbers) == len(set(numbers)) == 26
    for query in ("", "account=a1"):
        times = [one["created_at"] for one in pages(shop, query)]
        assert times == sorted(times, reverse=True)


@pytest.mark.parametrize(
    ("query", "count"),
    [
        ("account=a1", 14),
        ("account=a2", 12),
        ("status=shipped", 1),
        ("scheme=FBO", 0),
        ("from=2026-11-20", 5),
        ("to=2026-11-17", 9),
        ("account=a2&status=confirmed&from=2026-11-19&to=2026-11-19", 3),
    ],
)
def test_the_list_is_filtered(shop: Shop, query: str, count: int) -> None:
    assert len(pages(shop, query)) == count


def test_a_list_of_many_years_is_read_on_to_its_end(shop: Shop) -> None:
    for days in ("from=2025-06-01&to=2028-01-01", "from=2025-06-01", "from=2026-11-01&to=2999-12-31"):
        assert len({one["id"] for one in pages(shop, days)}) == 26, days
    assert pages(shop, "from=2027-01-01&to=2028-01-01") == []


def test_what_is_urgent_comes_first_over_all_accounts(shop: Shop) -> None:
    found = pages(shop, "left=3")
    left = [one["seconds_left"] for one in found]
    assert left == sorted(left)
    assert [one["number"] for one in found] == [f"{n:02}" for n in range(8)]
    assert [one["overdue"] for one in found[:6]] == [True] * 5 + [False]
    assert [one["number"] for one in pages(shop, "left=0")] == [f"{n:02}" for n in range(5)]
    assert len(pages(shop, "open=true")) == 26
    assert [one["number"] for one in pages(shop, "unlinked=true")] == ["odd"]
    assert len(pages(shop, "left=3&account=a2")) == 4


def test_a_posting_is_looked_at_with_its_history_and_payload(shop: Shop) -> None:
    found = shop.get("marketplace-orders/a1:00").json()
    assert (found["id"], found["total"], found["lines"][0]["price"]) == ("a1:00", 100, 100)
    assert found["history"][0]["status"] == "confirmed"
    assert shop.get("marketplace-orders/a1:00/raw").json()["payload"] == {"posting_number": "00"}
    problem(shop.get("marketplace-orders/a1:nobody"), 404, "not-found")
    problem(shop.get("marketplace-orders/a1:nobody/raw"), 404, "not-found")
    assert shop.delete("marketplace-orders/a1:00/raw").status == 204
    problem(shop.get("marketplace-orders/a1:00/raw"), 404, "not-found")
    problem(shop.delete("marketplace-orders/a1:nobody/raw"), 404, "not-found")


def test_packing_is_accepted_and_kept_with_the_posting(shop: Shop) -> None:
    answer = shop.post("marketplace-orders/a1:02/status", {"status": "packed"})
    assert answer.status == 202, answer.text
    assert answer.json()["operation"]["state"] == "asked"
    assert shop.get("marketplace-orders/a1:02").json()["operation"]["to"] == "packed"


def test_what_cannot_be_asked_says_why(shop: Shop) -> None:
    problem(shop.post("marketplace-orders/a1:04/status", {"status": "shipped"}), 422, "not-ours")
    problem(shop.post("marketplace-orders/a1:gone/status", {"status": "packed"}), 422, "closed")
    problem(shop.post("marketplace-orders/a9:1/status", {"status": "packed"}), 404, "not-found")


REASONS = "352 (out of stock at the seller's), 400 (only a faulty one is left), 402 "


@pytest.mark.parametrize(
    ("more", "where", "expected"),
    [
        ({}, "/reason", REASONS),
        ({"reason": "7"}, "/reason", REASONS),
        ({"reason": "402"}, "/message", "why, in words"),
        ({"given": {"reason": "352"}}, "/given/reason", "/reason"),
        ({"reason": "352", "boxes": [{"lines": [{"line": "5", "quantity": 1}]}]}, "/boxes", "no boxes"),
    ],
)
def test_a_cancellation_that_cannot_be_is_refused_with_the_reasons_there_are(
    shop: Shop, more: dict[str, Any], where: str, expected: str
) -> None:
    wish = {"status": "cancelled", **more}
    (found,) = problem(shop.post("marketplace-orders/a1:08/status", wish), 422, "invalid")["errors"]
    assert (found["where"], found["expected"][: len(expected)]) == (where, expected)
    (many,) = shop.post("marketplace-orders/changes", {**wish, "orders": ["a1:08"]}).json()["items"] if more else [None]
    assert many is None or many["code"] == "invalid"
    assert shop.get("marketplace-orders/a1:08").json()["operation"] is None


def test_a_cancellation_with_a_reason_is_taken(shop: Shop) -> None:
    wish = {"status": "cancelled", "reason": "402", "message": "broken"}
    assert shop.post("marketplace-orders/a1:10/status", wish).status == 202


@pytest.mark.parametrize(
    ("box", "where"),
    [
        ({"anything": 1}, "/boxes/0/lines"),
        ({"lines": []}, "/boxes/0/lines"),
        ({"lines": [{"line": "5", "quantity": 0}]}, "/boxes/0/lines/0/quantity"),
        ({"lines": [{"line": "6", "quantity": 1}]}, "/boxes/0/lines/0/line"),
    ],
)
def test_boxes_are_as_they_are_described(shop: Shop, box: dict[str, Any], where: str) -> None:
    wish = {"status": "packed", "boxes": [box]}
    found = problem(shop.post("marketplace-orders/a1:12/status", wish), 422, "invalid")["errors"]
    assert where in [one["where"] for one in found]


def test_boxes_are_told_only_where_the_marketplace_takes_them(shop: Shop) -> None:
    boxes = [{"lines": [{"line": "5", "quantity": 1}]}]
    answer = shop.post("marketplace-orders/a1:12/status", {"status": "packed", "boxes": boxes})
    assert answer.status == 202, answer.text
    for marketplace in ("feed", "wildberries"):
        told = shipped(marketplace).operations
        (wrong,) = operations.given_faults({"lines": []}, "packed", {"boxes": boxes}, told)
        assert wrong.where == "/boxes"
    assert not list(
        operations.given_faults(
            {"lines": [{"line": "5"}]}, "packed", {"boxes": boxes}, shipped("yandex_market").operations
        )
    )


def test_many_are_asked_for_at_once_and_each_is_answered_for_itself(shop: Shop) -> None:
    body = {"status": "packed", "orders": ["a1:06", "a2:07", "a1:gone", "a1:nobody"]}
    answer = shop.post("marketplace-orders/changes", body)
    assert answer.status == 202, answer.text
    assert [one["code"] for one in answer.json()["items"]] == [None, None, "closed", "not-found"]


def test_the_list_of_statuses_is_the_shops_to_change(shop: Shop) -> None:
    as_shipped = shop.get("statuses").json()
    assert as_shipped["shipped"]
    mine = {"id": "gift_wrapped", "title": "Gift wrapped", "counts_as": "assembled"}
    answer = shop.put("statuses", {"items": [*as_shipped["items"], mine]})
    assert answer.status == 200, answer.text
    assert mine in shop.get("statuses").json()["items"]
    wrong = {"id": "new", "title": "New", "counts_as": "shipped"}
    problem(shop.put("statuses", {"items": [wrong]}), 422, "invalid")


def test_a_marketplaces_words_are_read_by_the_shops_table_first(shop: Shop) -> None:
    before = shop.get("statuses/ozon").json()
    assert (before["own"], before["shipped"]) == (0, True)
    row = {"theirs": {"status": "awaiting_packaging"}, "status": "assembled"}
    assert shop.put("statuses/ozon", {"items": [row]}).status == 200
    after = shop.get("statuses/ozon").json()
    assert (after["own"], after["items"][0]) == (1, row)
    assert len(after["items"]) == len(before["items"]) + 1
    problem(shop.put("statuses/ozon", {"items": [{**row, "status": "lost"}]}), 422, "invalid")
    problem(shop.get("statuses/nowhere"), 404, "not-found")


def test_supplies_of_an_account_are_listed_and_a_strange_one_is_not_found(shop: Shop) -> None:
    assert shop.get("supplies?account=a1").json() == {"items": [], "next": None}
    problem(shop.get("supplies/a1:WB-1"), 404, "not-found")
    problem(shop.post("supplies", {"account": "a9", "name": "x"}), 422, "unknown-account")
