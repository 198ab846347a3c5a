"""Which outside addresses we may speak to: a shop names the host, so a shop could name one of ours (SSRF).

The name is read strictly (what browsers would bend into a host is refused, not bent), resolved by us, and every
address it has must be a public one; the caller then connects to these addresses and not to the name.
"""

import ipaddress
import re
import socket
from dataclasses import dataclass
from typing import Any

from vestnik.errors import Later, Refused
from vestnik.resources import env

PORTS = frozenset({443, 8443})
URL = re.compile(r"(https?)://(\[[0-9a-fA-F:.]+\]|[^\s/?#@:\\\[\]%]+)(?::([0-9]{1,5}))?([/?][!-~]*)?", re.I)
LABEL = re.compile(r"[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?")
INNER = ("localhost", "local", "internal", "invalid", "onion", "arpa", "localdomain", "lan", "intranet")
GLOBAL_UNICAST = ipaddress.ip_network("2000::/3")
REFUSED_NETWORKS = tuple(
    ipaddress.ip_network(net)
    for net in ("192.88.99.0/24", "2002::/16", "2001::/23", "2001:db8::/32", "3fff::/20", "5f00::/16")
)
Address = tuple[socket.AddressFamily, tuple[Any, ...]]


@dataclass(frozen=True, slots=True)
class Target:
    """Where a URL points: `host` is a lower-case ASCII name or an IP address, `path` includes the query."""

    scheme: str
    host: str
    port: int
    path: str

    @property
    def authority(self) -> str:
        """The Host header."""
        host = f"[{self.host}]" if ":" in self.host else self.host
        usual = {"https": 443, "http": 80}[self.scheme]
        return host if self.port == usual else f"{host}:{self.port}"


def target(url: str) -> Target:
    """Where `url` points, by its text alone. Refused `bad-url` where it is not a plain public https address."""
    found = URL.fullmatch(url) if len(url) <= 2048 else None
    if not found or "\\" in url or "#" in url:
        raise _bad("is not of the form https://name/path (no user name, no fragment, no backslash)")
    scheme, named, port, path = found.groups()
    scheme, host = scheme.lower(), hostname(named.lower())
    number = int(port) if port else {"https": 443, "http": 80}[scheme]
    if not allowed(host, number):
        _public_form(scheme, host, number)
    return Target(scheme, host, number, path if path and path.startswith("/") else f"/{path or ''}")


def _public_form(scheme: str, host: str, port: int) -> None:
    if scheme != "https":
        raise _bad("is not https")
    if port not in PORTS:
        raise _bad(f"names port {port}; it may be {' or '.join(map(str, sorted(PORTS)))}")
    public_name(host)


def public_name(host: str) -> None:
    """Refused `forbidden-address` for names that only mean something inside a network."""
    last = host.rsplit(".", 1)[-1]
    if ":" not in host and ("." not in host or last in INNER):
        raise Refused(f"{host} is not a public name", code="forbidden-address", where="host")


def hostname(named: str) -> str:
    """A host as written -> its ASCII form. Refused `bad-url` for disguised addresses (0x7f.1, 2130706433, ①)."""
    if named.startswith("["):
        return str(_literal(named[1:-1]))
    last = named.rsplit(".", 1)[-1]
    if re.fullmatch(r"[0-9]+|0x[0-9a-f]*", last):
        return str(_literal(named))
    name = named if named.isascii() else _idna(named)
    if len(name) > 253 or not all(LABEL.fullmatch(label) for label in name.split(".")):
        raise _bad(f"names no host: {named!r}")
    return name


def _literal(text: str) -> ipaddress.IPv4Address | ipaddress.IPv6Address:
    try:
        return ipaddress.ip_address(text)
    except ValueError:
        raise _bad(f"names an address in an unusual form: {text!r}") from None


def _idna(name: str) -> str:
    import idna

    try:
        return idna.encode(name, strict=True, std3_rules=True).decode()
    except idna.IDNAError:
        raise _bad(f"names no host: {name!r}") from None


def allowed(host: str, port: int) -> bool:
    """Whether the local world let exactly this twin through: `OUTGOING_ALLOW` is a list of host:port with commas."""
    return f"{host}:{port}" in env("OUTGOING_ALLOW", "").split(",")


def addresses(host: str, port: int) -> list[Address]:
    """Where to connect to. Refused `forbidden-address` if any address is not public; Later if there is none."""
    try:
        found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
    except (OSError, UnicodeError):
        raise Later(f"{host} does not resolve") from None
    if not allowed(host, port) and not all(is_public(str(entry[4][0])) for entry in found):
        raise Refused(f"{host} leads to an address that is not public", code="forbidden-address", where="host")
    return [(entry[0], entry[4]) for entry in found]


def is_public(address: str) -> bool:
    """Whether an IP address belongs to the open internet (IANA special-purpose registries, RFC 6890)."""
    ip = ipaddress.ip_address(address)
    if any(ip.version == net.version and ip in net for net in REFUSED_NETWORKS):
        return False
    if ip.version == 6 and ip not in GLOBAL_UNICAST:  # mapped, NAT64, link-local, unique local, multicast, ...
        return False
    return ip.is_global and not ip.is_multicast and not ip.is_reserved


def check(url: str) -> Target:
    """For settings: the target of `url`, resolved now. Refused where a send could not go there, with why."""
    to = target(url)
    try:
        addresses(to.host, to.port)
    except Later as nowhere:
        raise Refused(nowhere.reason, code="bad-url", where="url") from None
    return to


def _bad(why: str) -> Refused:
    return Refused(f"the address {why}", code="bad-url", where="url")
