"""Links: by hand and by article or barcode; kits and alternatives; and what a link changes at once."""

from datetime import timedelta
from typing import Any

import pytest

from infra.world import World
from tests.asking import Shop, problem
from tests.market_accounts import TOKEN, account, imported, stock, twin_of
from vestnik.domain.market import links


@pytest.fixture(autouse=True)
def anew(world: World) -> None:
    world.reset()


def cards(shop: Shop, *units: str, **barcodes: str) -> None:
    """Cards for sale there (7 of each), known here, of a connected account."""
    account(shop, "one")
    for unit in (*units, *barcodes):
        twin_of(shop.world).add_product(unit, barcode=barcodes.get(unit, ""), stock=7, account=TOKEN)
    imported(shop, "one")


def connected(shop: Shop) -> None:
    assert shop.post("accounts/one/connect", {}).status == 200
    shop.world.advance(timedelta(minutes=6))


def auto(shop: Shop, **more: Any) -> dict[str, Any]:
    answer = shop.post("links/auto", {"account": "one", **more})
    assert answer.status == 200, answer.text
    found: dict[str, Any] = answer.json()
    return found


def shows(shop: Shop, unit: str) -> int:
    return twin_of(shop.world).stock_of(unit, account=TOKEN)


def test_units_find_items_by_article_and_by_barcode(shop: Shop) -> None:
    cards(shop, "TEA", "CUP", POT="46001")
    stock(shop, TEA=5)
    shop.put("items", {"item": "TEAPOT", "barcodes": ["46001"]})
    told = auto(shop)
    assert told["linked"] == {"article": 1, "barcode": 1}
    assert (told["looked"], told["ambiguous"], told["unmatched"], told["next"]) == (3, 0, 1, None)
    assert shop.get("products/one/POT").json()["link"]["parts"] == [{"item": "TEAPOT", "quantity": 1, "priority": 0}]
    assert [one["unit"] for one in shop.get("links/unlinked?account=one").json()["items"]] == ["CUP"]
    assert auto(shop)["looked"] == 1


def test_a_dry_look_links_nothing(shop: Shop) -> None:
    cards(shop, "TEA")
    stock(shop, TEA=5)
    assert auto(shop, dry=True)["linked"]["article"] == 1
    assert shop.get("products/one/TEA").json()["link"] is None


def test_two_items_of_one_barcode_are_for_a_person_to_choose_from(shop: Shop) -> None:
    cards(shop, POT="46001")
    for item in ("A", "B"):
        shop.put("items", {"item": item, "barcodes": ["46001"]})
    told = auto(shop)
    assert (told["ambiguous"], told["linked"]) == (1, {"article": 0, "barcode": 0})
    assert told["samples"][0]["candidates"] == ["A", "B"]


def test_only_the_ways_that_were_asked_for_are_tried(shop: Shop) -> None:
    cards(shop, TEA="46001")
    stock(shop, TEA=5)
    assert auto(shop, by=["barcode"])["linked"] == {"barcode": 0}


def test_a_link_by_hand_is_not_overwritten_by_an_automatic_one(shop: Shop) -> None:
    cards(shop, "TEA")
    stock(shop, TEA=5)
    shop.put("links/one/TEA", {"parts": [{"item": "OTHER"}]})
    assert auto(shop)["looked"] == 0
    assert shop.get("products/one/TEA").json()["by"] == "hand"


def test_a_new_link_is_sent_at_once(shop: Shop) -> None:
    cards(shop, "TEA")
    stock(shop, A=5)
    connected(shop)
    assert shows(shop, "TEA") == 7
    put = shop.put("links/one/TEA", {"parts": [{"item": "A"}]}).json()
    assert put["unknown_items"] == []
    shop.world.advance(timedelta(seconds=10))
    assert shows(shop, "TEA") == 5


def test_a_kit_shows_its_scarcest_part_and_alternatives_their_sum(shop: Shop) -> None:
    cards(shop, "KIT", "ANY")
    stock(shop, A=5, B=9)
    connected(shop)
    shop.put("links/one/KIT", {"parts": [{"item": "A"}, {"item": "B", "quantity": 2}]})
    shop.put("links/one/ANY", {"mode": "alternative", "parts": [{"item": "A", "priority": 2}, {"item": "B"}]})
    shop.world.advance(timedelta(seconds=10))
    assert (shows(shop, "KIT"), shows(shop, "ANY")) == (4, 14)
    units = [one["unit"] for one in shop.get("links?item=A").json()["items"]]
    assert units == ["ANY", "KIT"]


def test_a_link_to_an_item_without_a_stock_record_sends_nothing_and_says_so(shop: Shop) -> None:
    cards(shop, "TEA")
    connected(shop)
    put = shop.put("links/one/TEA", {"parts": [{"item": "NEVER-TOLD"}]}).json()
    assert put["unknown_items"] == ["NEVER-TOLD"]
    shop.world.advance(timedelta(minutes=6))
    assert shows(shop, "TEA") == 7
    assert shop.get("products/one/TEA").json()["parts"][0]["stock"] == "unknown"


def test_a_unit_that_lost_its_link_stays_as_it_is(shop: Shop) -> None:
    cards(shop, "TEA")
    stock(shop, A=5)
    connected(shop)
    shop.put("links/one/TEA", {"parts": [{"item": "A"}]})
    shop.world.advance(timedelta(seconds=10))
    assert shop.delete("links/one/TEA").status == 204
    stock_later(shop, A=0)
    assert shows(shop, "TEA") == 5
    assert shop.get("links?item=A").json()["items"] == []


def stock_later(shop: Shop, **quantities: int) -> None:
    shop.world.advance(timedelta(seconds=5))
    stock(shop, **quantities)
    shop.world.advance(timedelta(minutes=6))


def test_a_link_is_moved_to_another_item(shop: Shop) -> None:
    cards(shop, "TEA")
    stock(shop, A=5, B=3)
    connected(shop)
    for item, number in (("A", 5), ("B", 3)):
        shop.put("links/one/TEA", {"parts": [{"item": item}]})
        shop.world.advance(timedelta(seconds=10))
        assert shows(shop, "TEA") == number
    stock_later(shop, A=1)
    assert shows(shop, "TEA") == 3
    assert shop.get("accounts/one/health").json()["counts"]["linked"] == 1


def test_an_order_that_waited_for_a_link_is_reserved_when_it_comes(shop: Shop) -> None:
    cards(shop, "TEA", "OTHER")
    stock(shop, A=5)
    connected(shop)
    twin_of(shop.world).sell("TEA", 2, account=TOKEN)
    shop.world.advance(timedelta(minutes=2))
    shop.put("links/one/TEA", {"parts": [{"item": "A"}]})
    shop.put("links/one/OTHER", {"parts": [{"item": "A"}]})
    shop.world.advance(timedelta(seconds=10))
    assert (shows(shop, "TEA"), shows(shop, "OTHER")) == (3, 3)


def test_a_units_key_may_hold_slashes_and_letters_of_any_alphabet(shop: Shop) -> None:
    cards(shop, "Чай/250 г")
    put = shop.put("links/one/%D0%A7%D0%B0%D0%B9/250%20%D0%B3", {"parts": [{"item": "A"}]})
    assert (put.status, put.json()["unit"]) == (200, "Чай/250 г")


def test_a_link_needs_a_unit_and_parts(shop: Shop) -> None:
    cards(shop, "TEA")
    problem(shop.put("links/one/NONE", {"parts": [{"item": "A"}]}), 404, "not-found")
    problem(shop.put("links/one/TEA", {"parts": []}), 422, "invalid")
    problem(shop.put("links/one/TEA", {"parts": [{"item": "A", "quantity": 0}]}), 422, "invalid")
    problem(shop.delete("links/one/NONE"), 404, "not-found")
    problem(shop.put("links/two/TEA", {"parts": [{"item": "A"}]}), 404, "not-found")


def test_an_article_is_taken_before_a_barcode() -> None:
    unit = {"unit": "1", "article": "A", "barcodes": ["46"]}
    ways = ("article", "barcode")
    assert links.suiting(unit, ways, {"A"}, {"46": ["B"]}) == links.Suits("A", "article")
    assert links.suiting(unit, ways, set(), {"46": ["B"]}) == links.Suits("B", "barcode")
    assert links.suiting(unit, ways, set(), {}) == links.Suits()


def test_an_item_learns_from_its_product_what_the_shop_did_not_tell() -> None:
    product = {"unit": "u", "name": "Green lamp", "barcodes": ["46"], "image": "https://pictures.example/1"}
    mapping = {"name": "name", "barcodes": "barcodes", "picture": "image", "colour": "colour"}
    own = {"item": "LAMP", "name": "Lamp", "barcodes": [], "fields": {"shelf": "A"}}
    told = links.carried(product, mapping, own)
    assert told == {"name": "Lamp", "barcodes": ["46"], "fields": {"shelf": "A", "picture": product["image"]}}
    assert links.carried(product, mapping, {"item": "LAMP", **told}) is None
    assert own["fields"] == {"shelf": "A"}
