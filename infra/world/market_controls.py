"""What happens at the marketplaces' stand-ins because somebody asks for it over `/_local/marketplaces/`."""

import json
from collections.abc import Callable, Mapping
from datetime import date, timedelta
from typing import Any

from infra.twins.market import MarketTwin
from infra.world import marketplaces
from infra.world.cabinets import Cabinet, Counter, NoReturns
from infra.world.world import World
from vestnik.domain import rules

type Asked = Mapping[str, Any]

LONGEST_OUTAGE = timedelta(days=1)


class Wrong(Exception):
    """What was asked cannot be done: `where` it is wrong (a JSON pointer), and what would be right."""

    def __init__(self, where: str, detail: str) -> None:
        self.where, self.detail = where, detail
        super().__init__(detail)


def span(told: object, most: timedelta) -> timedelta | None:
    """An ISO 8601 duration up to `most`; None where it is none."""
    try:
        found = rules.duration(str(told))
    except ValueError:
        return None
    return found if found <= most else None


def happen(world: World, what: str, body: bytes) -> dict[str, Any]:
    """Let it happen; what there is to tell of it. `what`: a key of HAPPENINGS. Raises Wrong."""
    try:
        asked = json.loads(body or b"{}")
    except ValueError:
        asked = None
    if not isinstance(asked, dict):
        raise Wrong("", "the body is a JSON object")
    return HAPPENINGS[what](world, asked)


def _open(world: World, asked: Asked) -> dict[str, Any]:
    """Two cabinets at each marketplace's twin, with what an account signs in with. {connect: [accounts]}: those are
    brought in and connected, with goods of which the stock is told."""
    plan, wanted = marketplaces.small(world), asked.get("connect", [])
    if not isinstance(wanted, list):
        raise Wrong("/connect", f"a list of accounts such as ozon-1; found {wanted!r}")
    if not world.cabinets:
        marketplaces.open_all(world, plan)
    chosen = [one for one in world.cabinets if one.account in wanted]
    if chosen:
        marketplaces.tell(world, plan["stock"])
        marketplaces.bring_in(world, chosen)
    shown = ("account", "marketplace", "name", "settings", "credentials")
    items = [{**{name: getattr(one, name) for name in shown}, "articles": list(one.cards)} for one in world.cabinets]
    return {"items": items}


def _buy(world: World, asked: Asked) -> dict[str, Any]:
    """A buyer orders: {account, article, quantity?}. The number is null where the marketplace shows too few."""
    found, article, quantity = (
        _cabinet(world, asked.get("account")),
        str(asked.get("article")),
        asked.get("quantity", 1),
    )
    if article not in found.cards:
        raise Wrong("/article", f"one of {', '.join(found.cards)}; found {article!r}")
    if not isinstance(quantity, int) or quantity < 1:
        raise Wrong("/quantity", f"how many are bought, from 1; found {quantity!r}")
    return {"number": found.counter.sell(article, quantity)}


def _befalls(what: Callable[[Counter, str, Asked], None]) -> Callable[[World, Asked], dict[str, Any]]:
    """What befalls an order, {order}: where it stands then."""

    def happens(world: World, asked: Asked) -> dict[str, Any]:
        cabinet, number = _order(world, asked)
        try:
            what(cabinet.counter, number, asked)
        except NoReturns as none:
            raise Wrong("/order", f"{cabinet.marketplace} does not tell of returns") from none
        return next({"theirs": one["theirs"]} for one in cabinet.counter.orders() if one["number"] == number)

    return happens


def _outage(world: World, asked: Asked) -> dict[str, Any]:
    """A marketplace hangs up on everybody: {marketplace, lasts: PT10M}. PT0S ends it."""
    twin, lasts = _twin(world, asked), span(asked.get("lasts"), LONGEST_OUTAGE)
    if lasts is None:
        raise Wrong("/lasts", f"an ISO 8601 duration up to a day, such as PT10M; found {asked.get('lasts')!r}")
    twin.outage(lasts)
    return {"until": f"{world.now() + lasts:%Y-%m-%dT%H:%M:%SZ}"}


def _date(world: World, asked: Asked) -> dict[str, Any]:
    """A marketplace serves the API of a day: {marketplace, date: 2026-05-01}. A null date: today's again."""
    twin, told = _twin(world, asked), asked.get("date")
    try:
        twin.dated = None if told is None else date.fromisoformat(told)
    except (TypeError, ValueError) as error:
        raise Wrong("/date", f"a day such as 2026-05-01, or null; found {told!r}") from error
    return {"date": f"{twin.today}"}


def _move(world: World, asked: Asked) -> dict[str, Any]:
    """A marketplace moves a method: {marketplace, from, to}."""
    twin, before, after = _twin(world, asked), asked.get("from"), asked.get("to")
    if not isinstance(before, str) or not isinstance(after, str):
        raise Wrong("/from", "the paths `from` and `to`")
    twin.move(before, after)
    return {"off": sorted(twin.off)}


def _twin(world: World, asked: Asked) -> MarketTwin:
    twin = world.markets.get(str(asked.get("marketplace")))
    if twin is None:
        raise Wrong("/marketplace", f"one of {', '.join(sorted(world.markets))}; found {asked.get('marketplace')!r}")
    return twin


def _cabinet(world: World, account: object) -> Cabinet:
    found = next((one for one in world.cabinets if one.account == account), None)
    if found is None:
        known = ", ".join(one.account for one in world.cabinets) or "none is open: POST /_local/marketplaces/open"
        raise Wrong("/account", f"an open cabinet's account ({known}); found {account!r}")
    return found


def _order(world: World, asked: Asked) -> tuple[Cabinet, str]:
    """The cabinet and the number of an order, by its id in our API."""
    account, _, number = str(asked.get("order")).partition(":")
    found = next((one for one in world.cabinets if one.account == account), None)
    if found is None or all(one["number"] != number for one in found.counter.orders()):
        raise Wrong("/order", f"an order's id, the account and its number: ozon-1:123; found {asked.get('order')!r}")
    return found, number


HAPPENINGS: dict[str, Callable[[World, Asked], dict[str, Any]]] = {
    "open": _open,
    "buy": _buy,
    "cancel": _befalls(lambda counter, number, _: counter.cancel(number)),
    "take": _befalls(lambda counter, number, _: counter.take(number)),
    "deliver": _befalls(lambda counter, number, _: counter.deliver(number)),
    "return": _befalls(lambda counter, number, asked: counter.give_back(number, received=bool(asked.get("received")))),
    "outage": _outage,
    "date": _date,
    "move": _move,
}
