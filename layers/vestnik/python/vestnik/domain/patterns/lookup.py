"""Many conditions on one field, asked at once: an answer is a bit set of the branches whose condition holds."""

from bisect import bisect_left
from collections.abc import Iterable

from vestnik.domain.patterns import addresses
from vestnik.domain.patterns.conditions import (
    Absent,
    Address,
    AnythingBut,
    Between,
    Condition,
    Exactly,
    Folded,
    Prefix,
    Present,
    Suffix,
)
from vestnik.domain.patterns.written import Scalar

Conditions = tuple[Condition, ...]
MOST_REMEMBERED = 4096
"""Answers kept per field for values no pattern names; then forgotten all together, for ids never come again."""


class Lookup:
    """Positive conditions by kind: named values, prefixes and suffixes by their length, the rest one by one."""

    def __init__(self) -> None:
        self.exact: dict[Scalar, int] = {}
        self.prefixes: dict[int, dict[str, int]] = {}
        self.suffixes: dict[int, dict[str, int]] = {}
        self.folded: dict[str, list[tuple[Condition, int]]] = {}
        self.spans: dict[addresses.Span, int] = {}
        self.ranges: dict[Between, int] = {}
        self.others: dict[Condition, int] = {}

    def add(self, condition: Condition, bits: int) -> None:
        match condition:
            case Exactly(value):
                self.exact[value] = self.exact.get(value, 0) | bits
            case Prefix(text) if '"' not in text:
                _add(self.prefixes.setdefault(len(text), {}), text, bits)
            case Suffix(text) if '"' not in text:
                _add(self.suffixes.setdefault(len(text), {}), text, bits)
            case Folded(text, "whole") if text.isascii():
                self.folded.setdefault(text.casefold(), []).append((condition, bits))
            case Address(span):
                self.spans[span] = self.spans.get(span, 0) | bits
            case Between():
                self.ranges[condition] = self.ranges.get(condition, 0) | bits
            case _:
                self.others[condition] = self.others.get(condition, 0) | bits

    def bits(self, value: Scalar) -> int:
        answer = self.exact.get(value, 0)
        if isinstance(value, str):
            return answer | self._text(value)
        if isinstance(value, float):
            for span, bits in self.ranges.items():
                if span.holds(value):
                    answer |= bits
        return answer

    def _text(self, value: str) -> int:
        answer = 0
        for size, table in self.prefixes.items():
            answer |= table.get(value[:size], 0)
        for size, table in self.suffixes.items():
            answer |= table.get(value[-size:] if size else "", 0)
        for condition, bits in self.folded.get(value.casefold(), ()) if self.folded else ():
            if condition.holds(value):
                answer |= bits
        for condition, bits in self.others.items():
            if condition.holds(value):
                answer |= bits
        return answer | self._address(value) if self.spans else answer

    def _address(self, value: str) -> int:
        digits, answer = addresses.digits(value), 0
        for span, bits in self.spans.items() if digits is not None else ():
            if span.holds(digits or ""):
                answer |= bits
        return answer

    @property
    def names_texts_only(self) -> bool:
        """Whether a text that is not in `exact` meets nothing."""
        return not (self.prefixes or self.suffixes or self.folded or self.spans or self.others)

    def numbers(self) -> Iterable[float]:
        yield from (value for value in self.exact if isinstance(value, float))
        yield from (end for span in self.ranges for end in (span.low, span.high) if end is not None)


def _add(table: dict[str, int], text: str, bits: int) -> None:
    table[text] = table.get(text, 0) | bits


class Field:
    """One path of the index. Each answer is the branches that this field does not rule out."""

    def __init__(self, path: str, units: Iterable[tuple[Conditions, int]], everyone: int) -> None:
        """`units`: the conditions on this path, each tuple with the branches that have exactly these."""
        self.path = path
        self.wanted, self.unwanted = Lookup(), Lookup()
        self.odd: list[tuple[Conditions, int]] = []
        self.mentioned = self.may_lack = self.present = self.unless = 0
        for conditions, bits in units:
            self._take(conditions, bits)
        self.indifferent = everyone & ~self.mentioned
        self.absent = self.indifferent | self.may_lack
        self._remember()

    def _take(self, conditions: Conditions, bits: int) -> None:
        self.mentioned |= bits
        if sum(isinstance(condition, AnythingBut) for condition in conditions) > 1:
            # "anything but a, or anything but b" fails only where both fail: bit sets cannot tell, so ask each.
            self.odd.append((conditions, bits))
            self.may_lack |= bits if Absent() in conditions else 0
            return
        for condition in conditions:
            self._take_one(condition, bits)

    def _take_one(self, condition: Condition, bits: int) -> None:
        match condition:
            case Absent():
                self.may_lack |= bits
            case Present():
                self.present |= bits
            case AnythingBut(unwanted):
                self.unless |= bits
                for each in unwanted:
                    self.unwanted.add(each, bits)
            case _:
                self.wanted.add(condition, bits)

    def _remember(self) -> None:
        """Answers known beforehand: named texts, any other text where nothing else is asked, stretches of numbers."""
        lookups = self.wanted, self.unwanted
        texts = {value for lookup in lookups for value in lookup.exact if isinstance(value, str)}
        self.named = {text: self.ask(text) for text in texts}
        self.known = dict(self.named)
        plain = not self.odd and all(lookup.names_texts_only for lookup in lookups)
        self.other_text = self.indifferent | self.present | self.unless if plain else None
        self.numbers = sorted({number for lookup in lookups for number in lookup.numbers()})
        self.stretches: dict[int, int] = {}

    def ask(self, value: Scalar) -> int:
        """The slow way, which all the others remember."""
        answer = self.indifferent | self.present | self.wanted.bits(value)
        answer |= self.unless & ~self.unwanted.bits(value)
        for conditions, bits in self.odd:
            if any(condition.holds(value) for condition in conditions):
                answer |= bits
        return answer

    def text(self, value: str) -> int:
        """The answer for a text that is not in `known`."""
        if self.other_text is not None:
            return self.other_text
        if len(self.known) > MOST_REMEMBERED + len(self.named):
            # In place: the index holds on to this very dict.
            self.known.clear()
            self.known.update(self.named)
        answer = self.known[value] = self.ask(value)
        return answer

    def number(self, value: float) -> int:
        """Numbers named in patterns cut the line into stretches; all of a stretch have one answer."""
        if self.odd:
            return self.ask(value)
        at = bisect_left(self.numbers, value)
        stretch = 2 * at + (at < len(self.numbers) and self.numbers[at] == value)
        answer = self.stretches.get(stretch)
        if answer is None:
            answer = self.stretches[stretch] = self.ask(value)
        return answer

    def of(self, value: Scalar) -> int:
        if isinstance(value, str):
            answer = self.known.get(value)
            return self.text(value) if answer is None else answer
        return self.number(value) if isinstance(value, float) else self.ask(value)
