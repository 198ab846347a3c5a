"""IP addresses as AWS's engine compares them: hexadecimal digits, 8 for version 4 and 32 for version 6.

Ranges of one version are compared with addresses of the other digit by digit, from the left, exactly as the engine
does: odd, but what a pattern tried out in AWS will do. (It also takes some plain numbers for addresses; we do not.)
"""

import re
from dataclasses import dataclass

_V4 = re.compile(r"[0-9]+\.[0-9]+\.[0-9]+\.[0-9]+", re.ASCII)
_V6 = re.compile(r"[0-9a-fA-F:]*:[0-9a-fA-F:]*", re.ASCII)
_BITS = re.compile(r"[+-]?[0-9]+", re.ASCII)
_LONGEST_V4 = 15


@dataclass(frozen=True, slots=True)
class Span:
    """Addresses from `low` to `high`, both inside."""

    low: str
    high: str

    def holds(self, digits: str) -> bool:
        size = len(self.low)
        if len(digits) >= size:
            return self.low <= digits[:size] <= self.high
        return self.low[: len(digits)] < digits < self.high[: len(digits)]


def digits(text: str) -> str | None:
    """The address as hexadecimal digits, or None where the text is no address. Leading zeros are decimal."""
    if _V4.fullmatch(text):
        return _v4(text)
    return _v6(text) if _V6.fullmatch(text) else None


def span(text: str) -> Span:
    """The range of a CIDR block such as 10.0.0.0/24; raises ValueError with a reason for people."""
    parts = text.split("/")
    while len(parts) > 1 and not parts[-1]:
        parts.pop()
    if len(parts) != 2:
        raise ValueError("a CIDR block is an address, one '/' and the number of fixed bits, such as 10.0.0.0/24")
    address = digits(parts[0])
    if address is None:
        raise ValueError(f"{parts[0]!r} is not an IP address")
    return _span(address, _fixed_bits(parts[1], 4 * len(address)))


def _fixed_bits(text: str, most: int) -> int:
    if not _BITS.fullmatch(text):
        raise ValueError("the part after '/' must be a whole number")
    bits = int(text)
    if not 0 <= bits < most:
        raise ValueError(f"the number of fixed bits must be from 0 to {most - 1}")
    return bits


def _span(address: str, fixed: int) -> Span:
    size = len(address)
    free = (1 << (4 * size - fixed)) - 1
    base = int(address, 16)
    return Span(f"{base & ~free:0{size}X}", f"{base | free:0{size}X}")


def _v4(text: str) -> str | None:
    octets = [int(part) for part in text.split(".")] if len(text) <= _LONGEST_V4 else [256]
    return "".join(f"{octet:02X}" for octet in octets) if max(octets) < 256 else None


def _v6(text: str) -> str | None:
    left, gap, right = text.partition("::")
    head, tail = (half.split(":") if half else [] for half in (left, right))
    missing = 8 - len(head) - len(tail)
    if not all(head + tail) or (missing < 1 if gap else missing != 0):
        return None
    groups = [int(group, 16) for group in [*head, *["0"] * missing, *tail]]
    if max(groups) > 0xFFFF:
        return None
    whole = "".join(f"{group:04X}" for group in groups)
    return whole[24:] if whole.startswith("0" * 20 + "FFFF") else whole
