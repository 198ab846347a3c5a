"""From a bit set to ids, a byte at a time."""

WIDTH = 8


class Names:
    """The ids of all bits: first those that have one bit each, then, from `second`, those that may have several."""

    def __init__(self, once: list[str], repeated: list[str]) -> None:
        ids = once + repeated
        self.second = len(once)
        self._rows = [_row(ids[at : at + WIDTH]) for at in range(0, len(ids), WIDTH)]

    def of(self, bits: int) -> list[str]:
        """The ids of the bits that are set, each once."""
        octets = bits.to_bytes(len(self._rows), "little")
        ids = [name for row, octet in zip(self._rows, octets, strict=True) if octet for name in row[octet]]
        return list(dict.fromkeys(ids)) if bits >> self.second else ids


def _row(ids: list[str]) -> list[tuple[str, ...]]:
    """The ids of eight neighbours, for each byte that their bits can make."""
    row: list[tuple[str, ...]] = [()]
    for name in ids:
        row += [(*names, name) for names in row]
    return row
