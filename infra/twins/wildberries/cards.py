"""Content and account: the seller, cards page by page, subjects."""

from bisect import bisect_left, bisect_right
from datetime import datetime
from typing import Any

from infra.twins.market import Ask, Reply, route
from infra.twins.wildberries.desk import Desk
from infra.twins.wildberries.seller import Seller, Size, written

PAGE = 100
PARENTS = {479: "Home", 858: "Office"}


class Cards(Desk):
    """What is asked of the content and the common API."""

    @route("GET", "/ping")
    def ping(self, ask: Ask) -> Reply:
        """Whether the token is good."""
        return Reply(200, {"TS": f"{self.now():%Y-%m-%dT%H:%M:%SZ}", "Status": "OK"})

    @route("GET", "/api/v1/seller-info")
    def seller_info(self, ask: Ask) -> Reply:
        """Who the seller is."""
        seller = self.seller(ask)
        return Reply(200, {"name": seller.name, "sid": seller.sid, "tin": "1234567890", "tradeMark": seller.name})

    @route("POST", "/content/v2/get/cards/list")
    def cards(self, ask: Ask) -> Reply:
        """Cards by the time of their last change, then nmID; after the cursor's."""
        settings = (ask.body or {}).get("settings", {}) if isinstance(ask.body, dict) else {}
        cursor = settings.get("cursor", {})
        limit = cursor.get("limit", 10)
        if not isinstance(limit, int) or not 0 < limit <= PAGE:
            wrong = {"data": None, "error": True, "errorText": "invalid limit", "additionalErrors": None}
            return Reply(400, wrong)
        seller = self.seller(ask)
        page = _page(seller, cursor, limit, settings.get("sort", {}).get("ascending", False))
        told: dict[str, Any] = {"total": len(page)}
        if page:
            told |= {"updatedAt": page[-1][0], "nmID": page[-1][1]}
        return Reply(200, {"cards": [_card(seller.cards[product], at) for at, product in page], "cursor": told})

    @route("GET", "/content/v2/object/parent/all")
    def parents(self, ask: Ask) -> Reply:
        """The upper level."""
        data = [{"name": name, "id": id, "isVisible": True} for id, name in PARENTS.items()]
        return Reply(200, {"data": data, "error": False, "errorText": "", "additionalErrors": ""})

    @route("GET", "/content/v2/object/all")
    def subjects(self, ask: Ask) -> Reply:
        """The subjects of this seller's cards."""
        first, most = int(ask.query.get("offset", 0)), int(ask.query.get("limit", 30))
        found = sorted({size.subject for size in self.seller(ask).sizes.values()})
        data = [
            {"subjectID": id, "parentID": 479, "subjectName": name, "parentName": PARENTS[479]} for id, name in found
        ]
        page = data[first : first + most]
        return Reply(200, {"data": page, "error": False, "errorText": "", "additionalErrors": None})


def _page(seller: Seller, cursor: dict[str, Any], limit: int, ascending: bool) -> list[tuple[str, int]]:
    """(time, nmID) of the cards after the cursor."""
    order = seller.by_change()
    since = cursor.get("updatedAt")
    place = (written(datetime.fromisoformat(since)), cursor.get("nmID", 0)) if since else None
    if ascending:
        start = bisect_right(order, place) if place else 0
        return order[start : start + limit]
    end = bisect_left(order, place) if place else len(order)
    return order[max(0, end - limit) : end][::-1]


def _card(sizes: list[Size], at: str) -> dict[str, Any]:
    first = sizes[0]
    return {
        "nmID": first.product,
        "imtID": first.product + 1,
        "nmUUID": f"01900000-0000-7000-8000-{first.product:012d}",
        "subjectID": first.subject[0],
        "subjectName": first.subject[1],
        "vendorCode": first.article,
        "brand": "Twin",
        "title": first.name,
        "description": first.name,
        "needKiz": False,
        "kizMarked": False,
        "photos": [{"big": f"https://basket-01.wbbasket.example/{first.product}/big/1.webp"}],
        "dimensions": {"length": 10, "width": 10, "height": 10, "weightBrutto": 0.3, "isValid": True},
        "characteristics": [],
        "sizes": [
            {"chrtID": one.unit, "techSize": one.size, "wbSize": one.size, "skus": one.barcodes} for one in sizes
        ],
        "tags": [],
        "createdAt": at,
        "updatedAt": at,
    }
