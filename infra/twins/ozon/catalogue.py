"""Roles of a key, products, categories, warehouses, and where notifications go."""

from infra.twins.market import Ask, Reply, route
from infra.twins.ozon import shapes
from infra.twins.ozon.cabinet import Cabinet
from infra.twins.ozon.desk import Desk, beyond, number, page, refused
from infra.twins.ozon.pushes import stamp
from infra.twins.ozon.records import Pile, Product

METHODS = ["/v1/roles", "/v2/products/stocks", "/v4/posting/fbs/list", "/v4/posting/fbs/ship", "/v3/product/list"]
CATEGORIES = [
    {
        "description_category_id": 17027492,
        "category_name": "Stationery",
        "disabled": False,
        "children": [
            {
                "description_category_id": 17029016,
                "category_name": "Stamps",
                "disabled": False,
                "children": [{"type_name": "Dater", "type_id": 970778135, "disabled": False, "children": []}],
            }
        ],
    }
]


class CatalogueRoutes(Desk):
    """What a seller's cabinet has, to read."""

    @route("POST", "/v1/roles")
    def roles(self, ask: Ask) -> Reply:
        """What the key may do, and until when."""
        cabinet = self.asking(ask)
        methods = [path for path in METHODS if path not in cabinet.roleless]
        roles = [{"name": "Admin", "methods": methods}]
        return Reply(200, {"expires_at": stamp(cabinet.expires_at), "roles": roles})

    @route("POST", "/v2/warehouse/list")
    def warehouse_list(self, ask: Ask) -> Reply:
        """The seller's warehouses."""
        body = ask.body or {}
        if wrong := beyond(body, 200):
            return wrong
        rows, cursor, more = page(list(self.asking(ask).warehouses.values()), body, 200)
        return Reply(200, {"warehouses": [shapes.warehouse(one) for one in rows], "cursor": cursor, "has_next": more})

    @route("POST", "/v3/product/list")
    def product_list(self, ask: Ask) -> Reply:
        """Products in the order of their ids, after `last_id`; archived ones only where they are asked for."""
        cabinet, body = self.asking(ask), ask.body or {}
        archived = (body.get("filter") or {}).get("visibility") == "ARCHIVED"
        found = [one for one in cabinet.products.values() if one.archived == archived]
        rows, last, _ = page(found, body, 1000, key="last_id")
        items = [shapes.listed_product(one, _shelf(cabinet, one).free > 0, False) for one in rows]
        return Reply(200, {"result": {"items": items, "total": len(found), "last_id": last if rows else ""}})

    @route("POST", "/v3/product/info/list")
    def product_info(self, ask: Ask) -> Reply:
        """What is known of products by their ids of one kind, at most 1000."""
        cabinet, body = self.asking(ask), ask.body or {}
        asked = [(kind, one) for kind in ("offer_id", "product_id", "sku") for one in body.get(kind) or []]
        if not 1 <= len(asked) <= 1000:
            return refused(400, "use either offer_id or product_id or sku, from 1 to 1000 of them")
        found = [_product(cabinet, kind, one) for kind, one in asked]
        return Reply(200, {"items": [shapes.product(one, _shelf(cabinet, one)) for one in found if one]})

    @route("POST", "/v1/description-category/tree")
    def categories(self, ask: Ask) -> Reply:
        """The tree of categories and types."""
        return Reply(200, {"result": CATEGORIES})

    @route("POST", "/v1/notification/set")
    def notification_set(self, ask: Ask) -> Reply:
        """Where notifications go, and of which kinds."""
        body = ask.body or {}
        # The real one takes https alone; nothing on this machine has a certificate for it.
        if not str(body.get("url", "")).startswith(("https://", "http://127.0.0.1")) or not body.get("types"):
            return refused(400, "Request validation error: url and types are required")
        self.asking(ask).pushes.set(body["url"], body["types"])
        return Reply(200)


def _shelf(cabinet: Cabinet, product: Product) -> Pile:
    """What lies of a product in all warehouses of the seller."""
    piles = [piles[product.unit] for piles in cabinet.stock.values() if product.unit in piles]
    return Pile(sum(pile.present for pile in piles), sum(pile.reserved for pile in piles))


def _product(cabinet: Cabinet, kind: str, id: object) -> Product | None:
    if kind == "offer_id":
        return cabinet.products.get(str(id))
    wanted, field = number(id), "sku" if kind == "sku" else "product_id"
    return next((one for one in cabinet.products.values() if getattr(one, field) == wanted), None)
