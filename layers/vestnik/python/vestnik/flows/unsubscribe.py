"""Unsubscribing by a link: from marketing by one channel, never from what an order needs.

It is written down twice: as the customer's consent, and as a suppression with the reason `unsubscribed`, which holds
for marketing only. The second stands even where the shop's own back end, which has not heard of it, posts the old
consent with its next event, and where the address is no customer's.
"""

from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any

from vestnik import resources
from vestnik.domain import addresses, links
from vestnik.domain.cloudevents import utc
from vestnik.errors import Refused
from vestnik.rendering import pages
from vestnik.store import people, records, secrets, settings

PURPOSE = "unsubscribe"
REASON = "unsubscribed"
WORKS_FOR = timedelta(days=400)
ADDRESS_FIELD = {"email": "email", "sms": "phone", "telegram": "telegram"}


def link(shop: str, channel: str, recipient: Mapping[str, Any], now: datetime) -> str:
    """The address of the page where `recipient` {kind, id, address, language} can say "no more" of a channel.

    A customer's address is not in it: links end up in logs.
    """
    payload = {"shop": shop, "channel": channel, "language": recipient.get("language") or ""}
    if recipient["kind"] == "customer":
        payload["customer"] = recipient["id"]
    else:
        payload["address"] = recipient["address"]
    token = links.sign(secrets.link_key(), PURPOSE, payload, now + WORKS_FOR)
    return f"{resources.env('PUBLIC_URL').rstrip('/')}/v1/unsubscribe/{token}"


def asked(token: str, now: datetime) -> dict[str, Any]:
    """What a token is about: {shop, channel, language, customer | address}. Changes nothing. Refused as `links`."""
    return links.opened(secrets.link_key(), PURPOSE, token, now)


def unsubscribe(token: str, now: datetime) -> dict[str, Any]:
    """No more marketing by this channel to this person; repeated, it changes nothing. What the token is about."""
    about = asked(token, now)
    address = about.get("address", "")
    if customer := about.get("customer"):
        address = _withdraw(about["shop"], customer, about["channel"], now)
    if address:
        same = addresses.same_address(about["channel"], address)
        people.suppress(about["shop"], about["channel"], same, REASON, now)
    return about


def _withdraw(shop: str, customer: str, channel: str, now: datetime) -> str:
    """Take back a customer's consent; the address it was given for ("" where the customer is gone)."""
    stored = people.get(shop, "customer", customer)
    if stored is None:
        return ""
    consent = stored.body.get("consent") or {}
    if consent.get(channel) is not False:
        change = {"consent": {**consent, channel: False}}
        records.keep(people.TABLE, shop, "customer", customer, change, _news(stored.as_of, now), stored)
    return stored.body.get(ADDRESS_FIELD.get(channel, "")) or ""


def _news(as_of: str, now: datetime) -> str:
    """A time that is newer than the record's, should the shop's clock be ahead of ours."""
    return utc(max(now, datetime.fromisoformat(as_of) + timedelta(microseconds=1)))


def page(token: str, wishes: str, now: datetime, *, confirmed: bool) -> tuple[int, str]:
    """Answer the page behind a link: HTTP status and HTML. Only `confirmed` (a POST: the page's button, or a mail
    client's RFC 8058 one-click) unsubscribes; scanners follow links. `wishes`: the browser's Accept-Language."""
    try:
        about = (unsubscribe if confirmed else asked)(token, now)
    except Refused as refused:
        state = "expired" if refused.code == "link-expired" else "broken"
        facts = {"state": state, "channel": "", "shop": ""}
        return 410 if state == "expired" else 404, pages.page(PURPOSE, pages.language_of(wishes), facts)
    shop = (settings.get(about["shop"], "shop", "shop") or {}).get("body") or {}
    language = pages.language_of(about["language"], wishes, shop.get("language") or "")
    facts = {"state": "done" if confirmed else "ask", "channel": about["channel"], "shop": shop.get("name") or ""}
    return 200, pages.page(PURPOSE, language, facts)
