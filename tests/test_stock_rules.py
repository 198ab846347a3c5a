"""Stock by its pure rules: never more for sale than there is, and never a number where nothing is known."""

from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from vestnik.domain.market import stock
from vestnik.domain.market.stock import Hold, Item, Stock

EARLY, NOON, LATE = "2026-11-20T08:00:00Z", "2026-11-20T12:00:00Z", "2026-11-20T16:00:00Z"
PLACES = ("sofia", "varna", "plovdiv")

times = st.sampled_from([EARLY, NOON, LATE])
numbers = st.builds(Stock, st.integers(0, 50), st.sampled_from([stock.PHYSICAL, stock.FREE]), times)
holds = st.builds(
    Hold,
    st.integers(1, 10),
    st.frozensets(st.sampled_from(PLACES), max_size=2),
    st.sampled_from(["", EARLY, NOON, LATE]),
    st.sampled_from(["", EARLY, NOON, LATE]),
    times,
)
orders = st.sampled_from(["ozon-1:1", "ozon-1:2", "wb-1:1", "order/7", "order/8"])
items = st.builds(
    Item, st.just("tea"), st.dictionaries(st.sampled_from(PLACES), numbers), st.dictionaries(orders, holds)
)
places = st.frozensets(st.sampled_from(PLACES), max_size=3)


def tea(quantity: int = 10, kind: str = stock.PHYSICAL, as_of: str = NOON, **held: Hold) -> Item:
    return Item("tea", {"sofia": Stock(quantity, kind, as_of)}, held)


def kit(**parts: int) -> dict[str, Any]:
    return {"mode": "kit", "parts": [{"item": item, "quantity": n, "priority": 1} for item, n in parts.items()]}


def alternative(*items: str) -> dict[str, Any]:
    return {"mode": "alternative", "parts": [{"item": i, "quantity": 1, "priority": n} for n, i in enumerate(items)]}


@given(items, places)
def test_no_more_is_available_than_lies_there_less_what_open_orders_hold(item: Item, where: frozenset[str]) -> None:
    left = stock.available(item, where)
    lies = [one.quantity for name, one in item.stock.items() if not where or name in where]
    if left is None:
        assert not lies
        return
    open_holds = [
        hold.quantity
        for hold in item.held.values()
        if not hold.gone and not hold.known and (not where or not hold.warehouses or hold.warehouses & where)
    ]
    assert left <= sum(lies) - sum(open_holds)


@given(items, places, st.integers(0, 5), st.booleans())
def test_what_is_desired_is_never_below_zero_nor_above_what_lies_there(
    item: Item, where: frozenset[str], buffer: int, physical: bool
) -> None:
    number = stock.desired(kit(tea=1), {"tea": item}, where, buffer=buffer, physical_for="ozon-1" if physical else "")
    lies = stock.on_hand(item, where)
    assert (number is None) == (lies is None)
    assert number is None or 0 <= number <= max(0, (lies or 0) - buffer)


@given(items, places)
def test_one_more_order_never_lets_more_be_sold(item: Item, where: frozenset[str]) -> None:
    more = Item(item.id, item.stock, {**item.held, "order/new": Hold(3, since=LATE)})
    before, after = stock.available(item, where), stock.available(more, where)
    assert before == after is None or (before is not None and after == before - 3)


@given(items, items, st.integers(1, 4), st.integers(1, 4))
def test_a_kit_is_as_many_as_its_scarcest_part_allows(first: Item, second: Item, a: int, b: int) -> None:
    parts = {"a": Item("a", first.stock, first.held), "b": Item("b", second.stock, second.held)}
    can = stock.sellable(kit(a=a, b=b), parts)
    left = [stock.available(parts["a"]), stock.available(parts["b"])]
    if None in left:
        assert can is None
    else:
        assert can == min(max(0, left[0] or 0) // a, max(0, left[1] or 0) // b)


@given(items, items)
def test_alternatives_are_as_many_as_all_of_them_together(first: Item, second: Item) -> None:
    parts = {"a": Item("a", first.stock, first.held), "b": Item("b", second.stock, second.held)}
    known = [left for part in parts.values() if (left := stock.available(part)) is not None]
    assert stock.sellable(alternative("a", "b"), parts) == (sum(max(0, n) for n in known) if known else None)


@given(st.lists(st.integers(0, 9), min_size=1, max_size=4), st.integers(1, 30))
def test_an_order_of_alternatives_takes_exactly_what_was_ordered(have: list[int], ordered: int) -> None:
    parts = {f"i{n}": Item(f"i{n}", {"sofia": Stock(q, "physical", NOON)}) for n, q in enumerate(have)}
    shares = stock.shared_out(alternative(*parts), parts, ordered)
    assert sum(shares.values()) == ordered
    assert all(quantity > 0 for quantity in shares.values())
    if sum(have) >= ordered:
        assert all(quantity <= (stock.available(parts[id]) or 0) for id, quantity in shares.items())


def test_an_item_without_a_stock_record_is_unknown_and_not_zero() -> None:
    assert stock.desired(kit(tea=1), {}) is None
    assert stock.desired(kit(tea=1), {"tea": Item("tea")}) is None
    assert stock.desired(kit(tea=1, pot=1), {"tea": tea()}) is None
    assert stock.desired(kit(tea=1), {"tea": tea()}, ("varna",)) is None
    assert stock.desired(alternative("tea", "pot"), {"tea": tea()}) == 10
    assert stock.desired({}, {"tea": tea()}) is None


def test_what_left_is_taken_off_until_the_shop_tells_a_number_from_after_it() -> None:
    order = Hold(3, since=EARLY, gone=NOON)
    assert stock.available(tea(10, as_of=EARLY, order=order)) == 7
    assert stock.available(tea(10, as_of=NOON, order=order)) == 7
    assert stock.available(tea(7, as_of=LATE, order=order)) == 7


def test_a_free_number_lacks_what_the_shop_knew_of_when_it_told_it() -> None:
    known = Hold(3, since=EARLY, known=EARLY)
    assert stock.available(tea(10, stock.FREE, NOON, order=known)) == 10
    assert stock.available(tea(10, stock.PHYSICAL, NOON, order=known)) == 7
    assert stock.available(tea(10, stock.FREE, NOON, order=Hold(3, since=EARLY, known=LATE))) == 7
    assert stock.available(tea(10, stock.FREE, NOON, order=Hold(3, since=EARLY))) == 7


def test_an_order_of_another_warehouse_takes_nothing_here() -> None:
    item = Item(
        "tea",
        {"sofia": Stock(5, "physical", NOON), "varna": Stock(4, "physical", NOON)},
        {"order": Hold(2, frozenset({"varna"}))},
    )
    assert stock.available(item, ("sofia",)) == 5
    assert stock.available(item, ("varna",)) == 2
    assert stock.available(item) == 7


def test_a_physical_number_keeps_the_accounts_own_orders_in_until_they_leave() -> None:
    item = Item("tea", tea().stock, {"wb-1:1": Hold(2), "ozon-1:1": Hold(3), "wb-1:2": Hold(1, gone=LATE)})
    assert stock.desired(kit(tea=1), {"tea": item}) == 4
    assert stock.desired(kit(tea=1), {"tea": item}, physical_for="wb-1") == 6


def test_an_item_that_a_link_names_twice_is_needed_twice_in_a_kit_and_counted_once_as_an_alternative() -> None:
    twice = {"parts": [{"item": "tea", "quantity": 1, "priority": 1}, {"item": "tea", "quantity": 2, "priority": 2}]}
    assert stock.sellable({**twice, "mode": "kit"}, {"tea": tea(10)}) == 3
    assert stock.sellable({**twice, "mode": "alternative"}, {"tea": tea(10)}) == 5


def test_what_is_sold_out_goes_before_what_is_scarce() -> None:
    how_soon = [stock.priority(tea(quantity)) for quantity in (0, 3, 4)]
    assert how_soon == [stock.SOLD_OUT, stock.SCARCE, stock.USUAL]
    assert stock.priority(Item("tea")) == stock.USUAL


def test_a_hold_is_forgotten_once_every_number_is_from_after_it_left() -> None:
    item = Item(
        "tea",
        {"sofia": Stock(5, "physical", LATE), "varna": Stock(4, "physical", EARLY)},
        {"a": Hold(1, frozenset({"sofia"}), gone=NOON), "b": Hold(1, gone=NOON), "c": Hold(1)},
    )
    assert stock.spent(item) == ["a"]
