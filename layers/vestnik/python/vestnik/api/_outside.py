"""Hosts that a shop names in its settings, judged by their text alone: no name is resolved here, sending does that."""

import ipaddress
from typing import Any

from vestnik.api._problems import Fault
from vestnik.errors import Refused
from vestnik.outgoing import guard


def webhook_address(url: str) -> None:
    """Refused where no webhook could ever be sent to `url`."""
    to = guard.target(url)
    if not guard.allowed(to.host, to.port):
        _public(to.host)


def sender_faults(plugin: str, config: dict[str, Any]) -> list[Fault]:
    """What is wrong with the hosts in a sender's settings, which are of the right shape otherwise."""
    field = {"webhook": "url", "email_smtp": "host"}.get(plugin, "")
    if not config.get(field):
        return []
    try:
        if plugin == "webhook":
            webhook_address(config["url"])
        else:
            _mail_server(config["host"], int(config["port"]))
    except Refused as refused:
        return [Fault(f"/config/{field}", refused.reason, str(config[field])[:100])]
    return []


def _mail_server(named: str, port: int) -> None:
    host = guard.hostname(named.lower())
    if not guard.allowed(host, port):
        guard.public_name(host)
        _public(host)


def _public(host: str) -> None:
    try:
        ipaddress.ip_address(host)
    except ValueError:
        return  # a name: where it leads is looked at when a message goes
    if not guard.is_public(host):
        raise Refused(f"{host} is no address of the open internet")
