"""Unsubscribing by a link: from marketing by one channel, never from what an order needs.

It is written down twice: as the customer's consent, and as a suppression of the address under the channel's
marketing name. The second holds even where the shop's own back end, which has not heard of it, posts the old
consent with its next event, and where the address is no customer's.
"""

from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any

from vestnik import resources
from vestnik.domain import addresses, links
from vestnik.store import people, records, secrets

PURPOSE = "unsubscribe"
WORKS_FOR = timedelta(days=400)
ADDRESS_FIELD = {"email": "email", "sms": "phone", "telegram": "telegram"}


def marketing(channel: str) -> str:
    """The name under which a channel's marketing alone is suppressed."""
    return f"{channel}-marketing"


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
        _suppress(about["shop"], about["channel"], address, now)
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
    return max(now, datetime.fromisoformat(as_of) + timedelta(microseconds=1)).isoformat()


def _suppress(shop: str, channel: str, address: str, now: datetime) -> None:
    people.suppress(shop, marketing(channel), addresses.same_address(channel, address), "unsubscribed", now)
