"""Two cycles in the life of accounts at marketplaces: of their stock, and of their orders."""

from collections.abc import Callable
from dataclasses import dataclass

from tests.faults.market_cabinets import UNLINKED
from tests.faults.market_stage import Stage

type Play = Callable[[Stage], None]


@dataclass(frozen=True, slots=True)
class Cycle:
    """A story, the marketplaces it plays at, and how its postings stand in the end ({name: our status})."""

    name: str
    marketplaces: tuple[str, ...]
    play: Play
    ends: dict[str, str]


def stock(stage: Stage) -> None:
    """New numbers, a sale, the shop's own order, a cancellation, and a new number while numbers are being sent."""
    stage.tell(TEA=16, POT=5)
    stage.minutes(1)
    stage.sell("sale", "oz", "TEA", 2)
    stage.sell("called off", "wb", "POT")
    stage.known("sale", "called off")
    stage.post("order.placed", "S-1", items=[{"sku": "TEA", "quantity": 3}])
    stage.post("order.placed", "S-2", items=[{"sku": "POT", "quantity": 2}])
    stage.takes["S-1"] = ("TEA", 3)
    stage.cancel("called off")
    stage.post("order.cancelled", "S-2")
    stage.minutes(1)
    stage.while_sending(lambda: stage.tell_meanwhile(POT=3))
    stage.tell(POT=4, TEA=15)
    stage.minutes(2)
    stage.sending_is_over()


def orders(stage: Stage) -> None:
    """One is packed, handed over and taken at each; one its buyer cancels, one we do; one waits for a link."""
    for account, quantity in (("oz", 1), ("wb", 1), ("ym", 2)):
        stage.sell(f"{account} goes", account, "TEA", quantity)
    stage.sell("buyer cancels", "oz", "POT")
    stage.sell("we cancel", "wb", "POT")
    stage.sell("linked later", "ym", UNLINKED, holds="TEA")
    stage.known(*stage.numbers)
    stage.cancel("buyer cancels")
    going = [f"{account} goes" for account in ("oz", "wb", "ym")]
    for name in going:
        stage.change(name, "packed")
    stage.change("we cancel", "cancelled")
    del stage.takes["we cancel"]
    stage.done(*going, "we cancel")
    stage.link("ym", UNLINKED, "TEA")
    for name in going:
        stage.change(name, "handed_over")
    stage.done(*going)
    stage.carriers_come()
    stage.minutes(2)


CYCLES = {
    "stock": Cycle("stock", ("ozon", "wildberries"), stock, {"sale": "confirmed", "called off": "cancelled"}),
    "orders": Cycle(
        "orders",
        ("ozon", "wildberries", "yandex_market"),
        orders,
        {
            "oz goes": "shipped",
            "wb goes": "shipped",
            "ym goes": "shipped",
            "buyer cancels": "cancelled",
            "we cancel": "cancelled",
            "linked later": "confirmed",
        },
    ),
}
