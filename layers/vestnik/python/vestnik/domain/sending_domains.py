"""Whose domains a shop may write from, where several shops send through one account of a provider's.

The provider verifies a domain for the whole account, and so cannot tell one shop from another: the operator of the
deployment grants each domain to one shop, with all that is below it.
"""

import re
from collections.abc import Iterable
from typing import Any

from vestnik.domain import addresses
from vestnik.errors import Refused

LABEL = "[a-z0-9](?:[a-z0-9-]*[a-z0-9])?"
PLAIN = re.compile(rf"[a-z0-9.!#$%&'*+/=?^_`{{|}}~-]+@((?:{LABEL}\.)+{LABEL})")


def domain(name: str) -> str:
    """A domain's name as servers write it: ASCII, lower case. Raises Refused where mail has no such domain."""
    if found := of_address(f"postmaster@{name.strip().rstrip('.')}"):
        return found
    raise Refused(f"{name!r} is no domain of e-mail addresses", code="bad-address", where="domain")


def of_address(address: str) -> str:
    """The domain of an address; "" where it is not one plain address that mail could come from."""
    try:
        found = PLAIN.fullmatch(addresses.ascii_form(address.lower()))
    except ValueError:
        return ""
    return found[1] if found else ""


def within(name: str, granted: Iterable[str]) -> bool:
    """Whether a domain is one of those granted, or below one."""
    return any(name == above or name.endswith(f".{above}") for above in granted)


def stranger(field: str, config: dict[str, Any], granted: Iterable[str]) -> str:
    """The domain that a sender writes from without a grant (the whole address where it has none), or "".

    `field`: the part of its settings that holds its address, "" where its provider knows its owner (see
    docs/add-a-channel.md, OWN_DOMAIN).
    """
    address = str(config.get(field) or "no address")
    name = of_address(address)
    return "" if not field or (name and within(name, granted)) else name or address
