"""Which shop a domain belongs to: one list of the deployment's, beside the settings that each shop reads for itself.

The third look-up that finds a shop (with API keys and due work), and the only one that an operator writes.
"""

from datetime import datetime

from vestnik.domain import sending_domains
from vestnik.errors import Refused
from vestnik.store import dynamo, settings

LIST = "DOMAINS"
KIND = "domain"


def owners() -> dict[str, str]:
    """All domains granted, each with its shop."""
    return {item["sk"]: item["shop"] for item in dynamo.query_all(settings.TABLE, LIST)}


def grant(shop: str, name: str, *, by: str, now: datetime) -> str:
    """Give a domain, with all below it, to a shop; its name as it is kept. A repeat is harmless.

    Raises Refused `domain-taken` where it is another shop's, or above or below one of another shop's.
    """
    domain = sending_domains.domain(name)
    others = [other for other, owner in owners().items() if owner != shop]
    if sending_domains.within(domain, others) or any(sending_domains.within(other, [domain]) for other in others):
        raise _taken(domain)
    try:
        item = {"pk": LIST, "sk": domain, "v": 1, "shop": shop, "by": by, "at": now.isoformat()}
        dynamo.put(settings.TABLE, item, where="attribute_not_exists(#pk) OR #shop = :shop", values={"shop": shop})
    except dynamo.Conflict:
        raise _taken(domain) from None
    if settings.get(shop, KIND, domain) is None:
        settings.put(shop, KIND, domain, {}, by=by, now=now)
    return domain


def withdraw(shop: str, name: str, *, by: str, now: datetime) -> bool:
    """Take a domain from a shop: messages on their way by it fail. False where it was not the shop's."""
    domain = sending_domains.domain(name)
    if owners().get(domain) != shop:
        return False
    settings.delete(shop, KIND, domain, by=by, now=now)
    dynamo.delete(settings.TABLE, LIST, domain, where="#shop = :shop", values={"shop": shop})
    return True


def _taken(domain: str) -> Refused:
    return Refused(f"{domain} belongs to another shop", code="domain-taken", where="domain")
