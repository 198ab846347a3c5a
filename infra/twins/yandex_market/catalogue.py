"""Keys, shops, warehouses, offers and categories."""

from infra.twins.market import Ask, Reply, route
from infra.twins.yandex_market import answers
from infra.twins.yandex_market.asked import Routes, body
from infra.twins.yandex_market.cabinet import CATEGORIES, Cabinet
from infra.twins.yandex_market.paging import page
from infra.twins.yandex_market.records import Offer


class CatalogueRoutes(Routes):
    """What changes rarely."""

    @route("POST", "/v2/auth/token")
    def token(self, ask: Ask) -> Reply:
        """What a key may do."""
        cabinet = self.asking(ask)
        return answers.good({"apiKey": {"name": cabinet.key_name, "authScopes": cabinet.scopes}})

    @route("GET", "/v2/campaigns")
    def campaigns(self, ask: Ask) -> Reply:
        """The cabinet's shops."""
        cabinet = self.asking(ask)
        shown, paging = page(ask, list(cabinet.campaigns.values()), 100, 100)
        return Reply(200, {"campaigns": [answers.campaign(one, cabinet) for one in shown], "paging": paging})

    @route("POST", "/v3/businesses/{business}/warehouses")
    def partner_warehouses(self, ask: Ask) -> Reply:
        """The seller's warehouses, with the models they serve."""
        cabinet = self.asking(ask)
        wanted = body(ask).get("warehouseIds")
        known = [one for one in cabinet.warehouses.values() if not wanted or one.id in wanted]
        shown, paging = page(ask, known, 15, 30)
        told = [answers.warehouse_v3(one, cabinet.campaigns[one.campaign]) for one in shown]
        return answers.good({"warehouses": told, "paging": paging})

    @route("POST", "/v2/businesses/{business}/warehouses")
    def paged_warehouses(self, ask: Ask) -> Reply:
        """The seller's warehouses, with their groups."""
        cabinet, asked = self.asking(ask), body(ask)
        wanted = asked.get("campaignIds")
        known = [one for one in cabinet.warehouses.values() if not wanted or one.campaign in wanted]
        shown, paging = page(ask, known, 15, 30)
        components = asked.get("components") or []
        told = [answers.warehouse_v2(one, cabinet.campaigns[one.campaign], components) for one in shown]
        return answers.good({"warehouses": told, "paging": paging})

    @route("POST", "/v2/businesses/{business}/offer-mappings")
    def offer_mappings(self, ask: Ask) -> Reply:
        """The catalogue. A filter by ids and a page do not go together."""
        cabinet, asked = self.asking(ask), body(ask)
        known = _wanted(cabinet, asked.get("offerIds"), asked.get("archived"))
        shown, paging = page(ask, known, 50, 100)
        told = [answers.mapping(offer, cabinet) for offer in shown]
        return answers.good({"offerMappings": told, "paging": {} if asked.get("offerIds") else paging})

    @route("POST", "/v2/categories/tree")
    def categories(self, ask: Ask) -> Reply:
        """Market's categories, all at once."""
        return answers.good(CATEGORIES)


def _wanted(cabinet: Cabinet, ids: list[str] | None, archived: bool | None) -> list[Offer]:
    known = [offer for offer in cabinet.offers.values() if not ids or offer.unit in ids]
    return [offer for offer in known if archived is None or offer.archived == archived]
