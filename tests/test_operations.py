"""What is asked for a posting is done on the marketplace's side once, and only what is then seen there counts."""

from collections.abc import Iterator
from datetime import timedelta
from typing import Any

import pytest

from tests.orders_world import SHOP, Clock, Script, account, gone, held, posting, tea_shop
from vestnik.domain.market.accounts import Account
from vestnik.domain.market.definitions import Outcome
from vestnik.errors import Later, Refused, Unknown
from vestnik.flows import operations, orders_poll
from vestnik.flows.calling import Answer
from vestnik.store import postings as kept
from vestnik.store import supplies


@pytest.fixture(autouse=True)
def clock() -> Iterator[Clock]:
    with tea_shop(500):
        yield Clock()


def run(shop: Account, script: Script, clock: Clock) -> Any:
    ran = orders_poll.run(shop, clock, clock() + timedelta(minutes=5), script)
    clock.move(minutes=1)
    return ran


def body(number: str) -> dict[str, Any]:
    found = kept.get(SHOP, "main", number)
    assert found is not None
    return found.body


def state(number: str) -> str:
    found: str = body(number)["operation"]["state"]
    return found


class Wildberries(Script):
    """A marketplace whose orders go into supplies."""

    def __init__(self, count: int) -> None:
        super().__init__()
        self.orders = {str(n): ["new", "waiting", ""] for n in range(count)}
        self.supplies: list[str] = []
        self.names: list[str] = []
        self.refused: set[str] = set()
        self.lost = self.lost_supplies = 0
        for purpose, answer in {
            "orders.new": self.listed,
            "orders.statuses": self.statuses,
            "supplies.list": self.listed_supplies,
            "supply.create": self.create,
            "supply.add": self.add,
            "supply.shipping": lambda given, rows: [],
            "supply.deliver": self.deliver,
            "order.cancel": self.cancel,
        }.items():
            self.answers[purpose] = answer

    def listed(self, given: Any, rows: Any) -> Any:
        words = {"supplierStatus": "new", "wbStatus": "waiting"}
        line = [{"unit": "TEA", "quantity": 1, "price": 100}]
        about = {"theirs": words, "lines": line, "warehouse": "7", "cargo": "1", "buyer_group": "anna"}
        return [posting(n, **about) for n, one in self.orders.items() if one[0] == "new"]

    def statuses(self, given: Any, rows: Any) -> Any:
        told = [(row["number"], self.orders[row["number"]]) for row in rows]
        return [{"number": n, "theirs": {"supplierStatus": one[0], "wbStatus": one[1]}} for n, one in told]

    def create(self, given: Any, rows: Any) -> Any:
        self.supplies.append(f"WB-{len(self.supplies) + 1}")
        self.names.append(given["name"])
        if self.lost_supplies:
            self.lost_supplies -= 1
            return Unknown("the connection was closed")
        return [{"id": self.supplies[-1]}]

    def listed_supplies(self, given: Any, rows: Any) -> Any:
        made = [{"id": id, "name": name, "done": False} for id, name in zip(self.supplies, self.names, strict=True)]
        other = {"id": "WB-0", "name": "by hand", "done": False}
        return [[other], made]

    def add(self, given: Any, rows: Any) -> Any:
        numbers = [row["number"] for row in rows]
        for number in numbers:
            if number not in self.refused:
                self.orders[number] = ["confirm", "waiting", given["supply"]]
        if self.lost:
            self.lost -= 1
            return Unknown("the connection was closed")
        outcomes = {n: Outcome(n not in self.refused, code="FailedToAddSupplyOrder") for n in numbers}
        return Answer(outcomes=outcomes)

    def deliver(self, given: Any, rows: Any) -> Any:
        for one in self.orders.values():
            if one[2] == given["supply"]:
                one[0] = "complete"
        return []

    def cancel(self, given: Any, rows: Any) -> Any:
        self.orders[given["number"]][0] = "cancel"
        return []


@pytest.fixture
def wb() -> Account:
    return account("wildberries", settings={"shipping_point": 5})


def packed(shop: Account, script: Wildberries, clock: Clock) -> None:
    """All orders are read and packed."""
    run(shop, script, clock)
    for number in script.orders:
        operations.ask(shop, number, "packed", {}, clock())
    run(shop, script, clock)


@pytest.mark.slow
def test_packing_many_orders_makes_one_supply_and_adds_them_a_hundred_at_a_time(wb: Account, clock: Clock) -> None:
    script = Wildberries(101)
    packed(wb, script, clock)
    assert script.supplies == ["WB-1"]
    assert [len(rows) for purpose, _, rows in script.calls if purpose == "supply.add"] == [100, 1]
    assert {state(n) for n in script.orders} == {"done"}
    assert {body(n)["supply"] for n in script.orders} == {"WB-1"}
    assert {body(n)["status"] for n in script.orders} == {"packed"}
    assert kept.together(SHOP, "main", "anna") == sorted(script.orders)


def test_handing_over_delivers_the_supply_once_and_the_goods_are_gone(wb: Account, clock: Clock) -> None:
    script = Wildberries(3)
    packed(wb, script, clock)
    for number in script.orders:
        operations.ask(wb, number, "handed_over", {}, clock())
    run(wb, script, clock)
    assert (script.count("supply.shipping"), script.count("supply.deliver")) == (1, 1)
    assert {state(n) for n in script.orders} == {"done"}
    assert gone("tea") == {f"main:{n}" for n in script.orders}
    found = supplies.get(SHOP, "main", "WB-1")
    assert found is not None
    assert found["state"] == "handed_over"


def test_after_a_handover_the_next_order_gets_a_new_supply(wb: Account, clock: Clock) -> None:
    script = Wildberries(1)
    packed(wb, script, clock)
    operations.ask(wb, "0", "handed_over", {}, clock())
    run(wb, script, clock)
    script.orders["next"] = ["new", "waiting", ""]
    run(wb, script, clock)
    operations.ask(wb, "next", "packed", {}, clock())
    run(wb, script, clock)
    assert script.supplies == ["WB-1", "WB-2"]
    assert body("next")["supply"] == "WB-2"


def test_a_lost_answer_is_looked_after_and_nothing_is_done_twice(wb: Account, clock: Clock) -> None:
    script = Wildberries(2)
    script.lost = 1
    packed(wb, script, clock)
    run(wb, script, clock)
    assert script.count("supply.add") == 1
    assert {state(n) for n in script.orders} == {"done"}


def test_one_refused_order_holds_up_no_other_and_says_why(wb: Account, clock: Clock) -> None:
    script = Wildberries(3)
    script.refused = {"1"}
    packed(wb, script, clock)
    assert [state(n) for n in ("0", "1", "2")] == ["done", "failed", "done"]
    assert body("1")["operation"]["error"]["code"] == "FailedToAddSupplyOrder"


def test_asking_again_for_what_is_done_does_nothing(wb: Account, clock: Clock) -> None:
    script = Wildberries(1)
    packed(wb, script, clock)
    calls = len(script.calls)
    before = kept.get(SHOP, "main", "0")
    assert operations.ask(wb, "0", "packed", {}, clock()) == before
    run(wb, script, clock)
    assert [purpose for purpose, _, _ in script.calls[calls:]] == ["orders.new", "orders.statuses"]


def test_a_limit_that_is_used_up_lets_orders_be_read_and_names_the_time(wb: Account, clock: Clock) -> None:
    script = Wildberries(2)
    run(wb, script, clock)
    operations.ask(wb, "0", "packed", {}, clock())
    at = clock() + timedelta(seconds=40)
    script.answers["supply.create"] = Later("parked", at=at)
    script.orders["new"] = ["new", "waiting", ""]
    assert run(wb, script, clock).again == at
    assert body("new")["status"] == "new"
    script.answers["supply.create"] = script.create
    run(wb, script, clock)
    assert state("0") == "done"


@pytest.mark.parametrize("made", [True, False])
def test_a_supply_whose_making_was_never_answered_is_looked_for_before_another_is_made(
    wb: Account, clock: Clock, made: bool
) -> None:
    script = Wildberries(3)
    script.lost_supplies = 1
    run(wb, script, clock)
    for number in ("0", "1"):
        operations.ask(wb, number, "packed", {}, clock())
    run(wb, script, clock)
    assert {state("0"), state("1")} == {"running"}
    if not made:  # it was the question that was lost
        script.supplies.clear()
        script.names.clear()
    for _ in range(2):
        run(wb, script, clock)
    operations.ask(wb, "2", "packed", {}, clock())
    run(wb, script, clock)
    assert {state(n) for n in script.orders} == {"done"}
    assert (script.supplies, script.count("supply.create")) == (["WB-1"], 1 if made else 2)
    assert {body(n)["supply"] for n in script.orders} == {"WB-1"}
    assert script.count("supplies.list") == 2  # its two pages, once


class Died(BaseException):
    """A function that is ended from outside."""


@pytest.mark.parametrize("lost_before", [0, 1], ids=["the first", "one after a lost question"])
def test_a_run_that_dies_as_it_makes_a_supply_is_followed_by_one_that_finds_it(
    wb: Account, clock: Clock, lost_before: int
) -> None:
    script = Wildberries(2)

    def die(given: Any, rows: Any) -> Any:
        if script.count("supply.create") <= lost_before:
            return Unknown("the connection was closed")
        script.create(given, rows)
        raise Died

    script.answers["supply.create"] = die
    run(wb, script, clock)
    for number in script.orders:
        operations.ask(wb, number, "packed", {}, clock())
    for _ in range(lost_before):
        run(wb, script, clock)
    with pytest.raises(Died):
        run(wb, script, clock)
    script.answers["supply.create"] = script.create
    run(wb, script, clock)
    assert (script.supplies, {state(n) for n in script.orders}) == (["WB-1"], {"done"})
    assert supplies.filling(SHOP, "main", "7-1-false")["kept"] == {"supply": "WB-1"}


def test_a_cancellation_gives_the_goods_back_once_it_is_seen(wb: Account, clock: Clock) -> None:
    script = Wildberries(1)
    run(wb, script, clock)
    operations.ask(wb, "0", "cancelled", {"reason": "gone"}, clock())
    assert held("tea") == {"main:0": 1}
    run(wb, script, clock)
    assert held("tea") == {}
    assert (state("0"), body("0")["status"]) == ("done", "cancelled")


def test_what_is_never_seen_to_have_happened_fails_in_the_end(wb: Account, clock: Clock) -> None:
    script = Wildberries(1)
    script.answers["order.cancel"] = []
    run(wb, script, clock)
    operations.ask(wb, "0", "cancelled", {}, clock())
    for _ in range(9):
        run(wb, script, clock)
    assert (state("0"), body("0")["operation"]["error"]["code"]) == ("failed", "unconfirmed")
    assert script.count("order.cancel") == 1
    assert held("tea") == {"main:0": 1}


@pytest.mark.parametrize(
    ("more", "to", "code"),
    [
        ({}, "shipped", "not-ours"),
        ({}, "teleported", "no-operation"),
        ({"scheme": "DBS"}, "packed", "scheme"),
        ({"scheme": "FBW"}, "packed", "scheme"),
        ({"fake": True}, "packed", "fake"),
        ({"theirs": {"supplierStatus": "complete", "wbStatus": "sold"}}, "packed", "closed"),
        ({"lines": [{"unit": "?", "quantity": 1}]}, "packed", "unlinked"),
    ],
)
def test_what_cannot_be_asked_is_refused_with_a_reason(
    wb: Account, clock: Clock, more: dict[str, Any], to: str, code: str
) -> None:
    theirs = {"supplierStatus": "new", "wbStatus": "waiting"}
    run(wb, Script(orders__new=[posting("0", **{"theirs": theirs, **more})]), clock)
    with pytest.raises(Refused) as refused:
        operations.ask(wb, "0", to, {}, clock())
    assert refused.value.code == code


def test_there_is_no_operation_for_a_posting_that_is_not_there(wb: Account, clock: Clock) -> None:
    assert operations.ask(wb, "nobody", "packed", {}, clock()) is None


class Yandex(Script):
    """A marketplace whose order is boxed, then ready to ship."""

    def __init__(self) -> None:
        super().__init__()
        self.substatus, self.shipment = "STARTED", "OUTBOUND_READY_FOR_CONFIRMATION"
        self.answers |= {
            "orders.list": lambda given, rows: [self.order()],
            "orders.get": lambda given, rows: [self.order()],
            "order.boxes": [{"box": 1}],
            "order.status": self.ready,
            "shipments.list": lambda given, rows: [{"id": "9", "status": self.shipment}],
            "shipment.confirm": self.confirm,
        }

    def order(self) -> dict[str, Any]:
        return posting("55", supply="9", theirs={"status": "PROCESSING", "substatus": self.substatus})

    def ready(self, given: Any, rows: Any) -> Any:
        self.substatus = given["substatus"]
        return []

    def confirm(self, given: Any, rows: Any) -> Any:
        assert given == {"supply": "9"}
        self.shipment = "OUTBOUND_CONFIRMED"
        return []


def test_yandex_is_boxed_and_made_ready_then_its_shipment_is_confirmed(clock: Clock) -> None:
    shop, script = account("yandex_market"), Yandex()
    run(shop, script, clock)
    stands = operations.change(shop, "55", "packed", {}, clock, script)
    assert stands is not None
    assert (stands.body["operation"]["state"], stands.body["status"]) == ("done", "packed")
    operations.change(shop, "55", "handed_over", {}, clock, script)
    assert state("55") == "done"
    assert (script.count("order.boxes"), script.count("order.status"), script.count("shipment.confirm")) == (1, 1, 1)
    assert body("55")["status"] == "packed"  # in delivery is the marketplace's word


def test_a_run_that_dies_as_it_confirms_a_shipment_is_followed_by_one_that_sees_it_confirmed(clock: Clock) -> None:
    shop, script = account("yandex_market"), Yandex()
    run(shop, script, clock)
    operations.change(shop, "55", "packed", {}, clock, script)
    operations.ask(shop, "55", "handed_over", {}, clock())

    def die(given: Any, rows: Any) -> Any:
        script.confirm(given, rows)
        raise Died

    script.answers["shipment.confirm"] = die
    with pytest.raises(Died):
        run(shop, script, clock)
    script.answers["shipment.confirm"] = Refused("it is OUTBOUND_CONFIRMED", code="refused")
    run(shop, script, clock)
    assert (state("55"), script.count("shipment.confirm")) == ("done", 1)


def test_a_step_refused_by_the_marketplace_ends_the_operation(clock: Clock) -> None:
    shop, script = account("yandex_market"), Yandex()
    run(shop, script, clock)
    script.answers["order.boxes"] = Refused("wrong boxes", code="refused")
    operations.change(shop, "55", "packed", {}, clock, script)
    assert (state("55"), body("55")["operation"]["error"]["message"]) == ("failed", "wrong boxes")
    assert script.count("order.status") == 0
    script.answers["order.boxes"] = []
    operations.change(shop, "55", "packed", {}, clock, script)  # asked anew by a person
    assert state("55") == "done"
