"""From a bit set to ids, a byte at a time."""

from itertools import compress

WIDTH = 8
MOST_REMEMBERED = 4096


class Names:
    """The ids of all bits: first those that have one bit each, then, from `second`, those that may have several."""

    def __init__(self, once: list[str], repeated: list[str]) -> None:
        self.second = len(once)
        self._first = (1 << self.second) - 1
        self._rows = [_row(once[at : at + WIDTH]) for at in range(0, len(once), WIDTH)]
        self._places = list(range(len(self._rows)))
        self._repeated = repeated
        self._ends: dict[int, tuple[str, ...]] = {}

    def of(self, bits: int) -> list[str]:
        """The ids of the bits that are set, each once."""
        octets = (bits & self._first).to_bytes(len(self._rows), "little")
        rows = self._rows
        ids: list[str] = []
        for at in compress(self._places, octets):
            ids += rows[at][octets[at]]
        end = bits >> self.second
        if end:
            ids += self._ends.get(end) or self._end(end)
        return ids

    def _end(self, end: int) -> tuple[str, ...]:
        """The ids that may have several bits; the same few come again and again, so they are remembered."""
        if len(self._ends) > MOST_REMEMBERED:
            self._ends.clear()
        ids = tuple(dict.fromkeys(name for place, name in enumerate(self._repeated) if end >> place & 1))
        self._ends[end] = ids
        return ids


def _row(ids: list[str]) -> list[tuple[str, ...]]:
    """The ids of eight neighbours, for each byte that their bits can make."""
    row: list[tuple[str, ...]] = [()]
    for name in ids:
        row += [(*names, name) for names in row]
    return row
