"""Links: of which of the shop's items a sellable unit is made, and which one suits a unit by article or barcode."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from vestnik.domain.market import expressions

MOST_PARTS = 50
Unit = Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Suits:
    """What automatic linking found for a unit: one `item` (and `by` what), or several `candidates`, or nothing."""

    item: str = ""
    by: str = ""
    candidates: tuple[str, ...] = ()


def link(mode: str, parts: Iterable[Mapping[str, Any]]) -> dict[str, Any]:
    """A link as it is kept. `kit`: all parts, so many of each. `alternative`: any part, the lowest priority first."""
    kept = [
        {"item": str(part["item"]), "quantity": int(part.get("quantity", 1)), "priority": int(part.get("priority", 0))}
        for part in parts
    ]
    return {"mode": mode, "parts": sorted(kept, key=lambda part: (part["priority"], part["item"]))}


def whole(item: str) -> dict[str, Any]:
    """The link of a unit that is one of one item."""
    return link("kit", [{"item": item}])


def items_of(link: Mapping[str, Any] | None) -> set[str]:
    """The items in a link."""
    return {part["item"] for part in (link or {}).get("parts", ())}


def state_of(unit: Unit) -> str:
    """Whether a unit is `listed` at its marketplace, `archived` there, or `gone` from its list."""
    return "gone" if unit.get("gone") else "archived" if unit.get("archived") else "listed"


def offered(unit: Unit) -> bool:
    """Whether a unit is listed. To one that is not, no stock is written; its link stays for when it comes back."""
    return state_of(unit) == "listed"


def suiting(unit: Unit, by: Iterable[str], known: set[str], by_barcode: Mapping[str, list[str]]) -> Suits:
    """The one item that suits a unit: the one of its article, else the one of its barcodes. Of two items that share a
    barcode a person chooses. `known`: which articles are items of the shop."""
    for way in by:
        found = _by_article(unit, known) if way == "article" else _by_barcodes(unit, by_barcode)
        if len(found) == 1:
            return Suits(found[0], way)
        if found:
            return Suits(candidates=tuple(found))
    return Suits()


def _by_article(unit: Unit, known: set[str]) -> list[str]:
    return [article] if (article := str(unit.get("article") or "")) and article in known else []


def _by_barcodes(unit: Unit, by_barcode: Mapping[str, list[str]]) -> list[str]:
    return sorted({item for code in unit.get("barcodes") or () for item in by_barcode.get(str(code), ())})


BARE = ("name", "barcodes")
CARRIED = {"name": "name", "barcodes": "barcodes"}
"""What of a product becomes a field of the item that it is linked to, where the account does not say otherwise."""


def carried(product: Unit, mapping: Mapping[str, str], item: Mapping[str, Any] | None) -> dict[str, Any] | None:
    """An item's description with what its product adds: `mapping` is our field -> an expression over the product. What
    the shop told itself stays; None where nothing is added. A field that the product cannot fill is left out."""
    told = {"name": "", "barcodes": [], "fields": {}} | {k: v for k, v in (item or {}).items() if k != "item"}
    found = {name: expressions.value(expression, dict(product)) for name, expression in mapping.items()}
    found = {name: value for name, value in found.items() if value not in (None, "", [])}
    own = {name: value for name, value in found.items() if name in BARE and not told[name]}
    more = {name: value for name, value in found.items() if name not in BARE and not told["fields"].get(name)}
    return {**told, **own, "fields": {**told["fields"], **more}} if own or more else None


def only_item(link: Mapping[str, Any]) -> str:
    """The item that a unit is one piece of; "" where it is made of several, or of more than one piece."""
    parts = list(link.get("parts") or ())
    return str(parts[0]["item"]) if len(parts) == 1 and parts[0].get("quantity", 1) == 1 else ""
