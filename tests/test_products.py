"""Products: an import that goes on where it stopped and writes only what changed; categories, warehouses, items."""

from datetime import timedelta
from typing import Any

import pytest

from infra.world import World
from tests.asking import Shop, problem
from tests.market_accounts import TOKEN, account, as_door, imported, twin_of
from vestnik.domain.market import accounts
from vestnik.flows import products
from vestnik.store import lists, units


@pytest.fixture(autouse=True)
def anew(world: World) -> None:
    world.reset()


def offer(shop: Shop, count: int) -> None:
    account(shop, "one")
    for n in range(count):
        twin_of(shop.world).add_product(f"U-{n:03d}", name=f"Thing {n}", barcode=f"46{n:05d}", stock=1, account=TOKEN)


def listed(shop: Shop, path: str) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = []
    cursor = ""
    while True:
        page = shop.get(f"{path}&limit=70&cursor={cursor}").json()
        found += page["items"]
        if page["next"] is None:
            return found
        cursor = page["next"]


def test_what_exists_there_is_imported_with_what_is_told_of_it(shop: Shop) -> None:
    offer(shop, 3)
    state = imported(shop, "one")
    assert state["progress"] == {"seen": 3, "new": 3, "changed": 0}
    (thing,) = [one for one in listed(shop, "products?account=one") if one["unit"] == "U-001"]
    assert (thing["name"], thing["barcodes"], thing["link"]) == ("Thing 1", ["4600001"], None)
    assert thing["price"] == {"amount": 1990, "currency": "RUB"}


def test_an_import_of_many_pages_lists_each_unit_once(shop: Shop) -> None:
    offer(shop, 230)
    assert imported(shop, "one")["progress"]["seen"] == 230
    found = [one["unit"] for one in listed(shop, "products?account=one")]
    assert len(found) == len(set(found)) == 230


def test_an_import_that_breaks_off_goes_on_where_it_was(world: World, shop: Shop) -> None:
    offer(shop, 230)
    owner = accounts.account("demo", "one", shop.get("accounts/one").json())
    with as_door(world):
        ran = products.run(owner, world.now, world.now())  # no time: one page and no more
        assert ran.again is not None
    state = shop.get("products/import?account=one").json()
    assert state["running"]
    assert state["progress"] == {"seen": 100, "new": 100, "changed": 0}
    pages = [call.path for call in twin_of(world).calls]
    assert imported(shop, "one")["progress"]["seen"] == 230
    assert len(twin_of(world).calls) - len(pages) == 2
    assert len(listed(shop, "products?account=one")) == 230


def test_an_import_of_what_is_known_writes_only_what_changed(world: World, shop: Shop) -> None:
    offer(shop, 120)
    imported(shop, "one")
    twin_of(world).shop(TOKEN).items["U-007"]["title"] = "Renamed"
    world.layer.counts.clear()
    assert imported(shop, "one")["progress"] == {"seen": 120, "new": 0, "changed": 1}
    writes = sum(
        n
        for (_, _, operation, word), n in world.layer.counts.items()
        if (operation, word) == ("BatchWriteItem", "table:goods")
    )
    assert writes == 0
    assert shop.get("products/one/U-007").json()["name"] == "Renamed"


def test_an_import_keeps_links(shop: Shop) -> None:
    offer(shop, 1)
    imported(shop, "one")
    assert shop.put("links/one/U-000", {"parts": [{"item": "TEA"}]}).status == 200
    twin_of(shop.world).shop(TOKEN).items["U-000"]["title"] = "Renamed"
    imported(shop, "one")
    found = shop.get("products/one/U-000").json()
    assert (found["name"], found["link"]["parts"][0]["item"]) == ("Renamed", "TEA")


def test_an_outage_in_the_middle_loses_nothing(shop: Shop) -> None:
    offer(shop, 150)
    shop.post("products/import", {"account": "one"})
    twin_of(shop.world).outage(timedelta(minutes=2))
    shop.world.settle()
    shop.world.advance(timedelta(minutes=4))
    state = shop.get("products/import?account=one").json()
    assert (state["running"], state["progress"]["seen"], state["error"]) == (False, 150, None)


def test_a_paused_account_imports_nothing(shop: Shop) -> None:
    offer(shop, 2)
    shop.post("accounts/one/pause")
    shop.post("products/import", {"account": "one"})
    shop.world.settle()
    assert listed(shop, "products?account=one") == []


def test_a_units_page_is_named_by_the_accounts_template(shop: Shop) -> None:
    account(shop, "one", link_template="https://shop.example/{article}")
    twin_of(shop.world).add_product("U 1/2", account=TOKEN)
    imported(shop, "one")
    found = shop.get("products/one/U%201/2")
    assert found.json()["url"] == "https://shop.example/U 1/2", found.text


def test_products_of_an_unknown_account_or_unit_are_not_found(shop: Shop) -> None:
    account(shop, "one")
    problem(shop.get("products?account=two"), 404, "not-found")
    problem(shop.get("products/one/none"), 404, "not-found")
    problem(shop.post("products/import", {"account": "two"}), 404, "not-found")


# Categories and warehouses


def test_categories_are_a_tree(world: World, shop: Shop) -> None:
    account(shop, "one")
    rows = [
        {"id": "1", "name": "Food"},
        {"id": "2", "name": "Tea", "parent": "1"},
        {"id": "3", "name": "Green tea", "parent": "2"},
        {"id": "4", "name": "Lost", "parent": "99"},
    ]
    with as_door(world):
        assert lists.put("demo", "one", lists.CATEGORY, rows) == 4
        assert lists.put("demo", "one", lists.CATEGORY, rows) == 4
    tree = shop.get("categories?account=one").json()["items"]
    assert [one["name"] for one in tree] == ["Food", "Lost"]
    assert tree[0]["children"][0]["children"][0]["id"] == "3"
    assert [one["leaf"] for one in (tree[0], tree[1])] == [False, True]


def test_a_single_warehouse_is_taken_and_what_feeds_it_can_be_changed(shop: Shop) -> None:
    account(shop, "one")
    (found,) = shop.post("warehouses/refresh", {"account": "one"}).json()["items"]
    assert (found["id"], found["active"], found["takes"], found["worked"]) == ("shop", True, [], True)
    changed = shop.put("warehouses/one/shop", {"takes": ["main"], "active": False}).json()
    assert (changed["takes"], changed["active"]) == (["main"], False)
    assert shop.get("warehouses?account=one").json()["items"] == [changed]
    again = shop.post("warehouses/refresh", {"account": "one"}).json()["items"]
    assert again == [changed]
    problem(shop.put("warehouses/one/none", {}), 404, "not-found")


# Items


def test_an_item_is_described_and_found_by_its_barcodes(world: World, shop: Shop) -> None:
    told = {"item": "TEA/250", "name": "Tea", "barcodes": ["1", "2", "1"], "fields": {"weight": 0.25}}
    assert shop.put("items", told).json()["barcodes"] == ["1", "2"]
    assert shop.get("items/TEA/250").json()["fields"] == {"weight": 0.25}
    shop.put("items", {**told, "barcodes": ["2", "3"]})
    from vestnik.store import items

    with as_door(world):
        assert [items.by_barcode("demo", code) for code in ("1", "2", "3")] == [[], ["TEA/250"], ["TEA/250"]]
        assert items.known("demo", ["TEA/250", "POT"]) == {"TEA/250"}
        assert items.stocked("demo", ["TEA/250"]) == set()
    assert [one["item"] for one in shop.get("items").json()["items"]] == ["TEA/250"]
    assert shop.delete("items/TEA/250").status == 204
    problem(shop.get("items/TEA/250"), 404, "not-found")


def test_a_unit_that_loses_a_field_there_loses_it_here(world: World) -> None:
    with as_door(world):
        units.keep_products("demo", "one", [{"unit": "A", "name": "Tea", "image": "x", "weight": 0.5}], "run-1")
        kept = units.keep_products("demo", "one", [{"unit": "A", "name": "Tea", "image": None, "weight": 0.5}], "run-2")
        assert (kept.new, kept.changed, kept.same) == (0, 1, 0)
        found = units.get("demo", "one", "A")
    assert found == {"unit": "A", "name": "Tea", "weight": "0.5", "seen": "run-2"}
