"""Many conditions on one field, asked at once: an answer is a bit set of the branches whose condition holds."""

from bisect import bisect_left
from collections.abc import Callable, Iterable

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
    Wildcard,
)
from vestnik.domain.patterns.written import WORDS, Scalar

Conditions = tuple[Condition, ...]
MOST_REMEMBERED = 4096
"""Answers kept per field for values no pattern names; then forgotten all together, for ids never come again."""


class Lookup:
    """Positive conditions by kind: named values, prefixes and suffixes by their length, the rest one by one.

    Those who need a closer look are found by their letters (`folded`) or their first part (`begun`) where possible.
    """

    def __init__(self) -> None:
        self.exact: dict[Scalar, int] = {}
        self.prefixes: dict[int, dict[str, int]] = {}
        self.suffixes: dict[int, dict[str, int]] = {}
        self.folded: dict[str, list[tuple[Condition, int]]] = {}
        self.begun: dict[int, dict[str, list[tuple[Condition, int]]]] = {}
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
            case Wildcard((first, *_)) if first:
                self.begun.setdefault(len(first), {}).setdefault(first, []).append((condition, bits))
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
        for size, begun in self.begun.items():
            if value[:size] in begun:
                answer |= _held(begun[value[:size]], value)
        if self.folded:
            answer |= _held(self.folded.get(value.casefold(), ()), value)
        if self.others:
            answer |= _held(self.others.items(), value)
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
        return not (self.prefixes or self.suffixes or self.folded or self.begun or self.spans or self.others)

    def numbers(self) -> Iterable[float]:
        yield from (value for value in self.exact if isinstance(value, float))
        yield from (end for span in self.ranges for end in (span.low, span.high) if end is not None)


def _held(conditions: Iterable[tuple[Condition, int]], value: str) -> int:
    answer = 0
    for condition, bits in conditions:
        if condition.holds(value):
            answer |= bits
    return answer


def _add(table: dict[str, int], text: str, bits: int) -> None:
    table[text] = table.get(text, 0) | bits


class Known(dict[str, int]):
    """Answers by text: those to the texts that patterns name, and, where they take work, those given lately."""

    def __init__(self, named: dict[str, int], other: int | None, ask: Callable[[str], int]) -> None:
        """`other` is the one answer to all other texts, if there is one; else they `ask`."""
        super().__init__(named)
        self.other, self._named, self._ask = other, named, ask
        self._same: dict[int, int] = {}

    def __missing__(self, text: str) -> int:
        if self.other is not None:
            return self.other
        if len(self) > MOST_REMEMBERED + len(self._named):
            self.clear()
            self._same.clear()
            self.update(self._named)
        answer = self._ask(text)
        # Few answers differ; one object for each keeps the processor's cache warm.
        answer = self[text] = self._same.setdefault(answer, answer)
        return answer


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
        plain = not self.odd and all(lookup.names_texts_only for lookup in lookups)
        other = self.indifferent | self.present | self.unless if plain else None
        self.known = Known({text: self.ask(text) for text in texts}, other, self.ask)
        numbers = {number for lookup in lookups for number in lookup.numbers()} | self._odd_numbers()
        # Whole ones as int, for an int is compared with an int three times as fast as with a float.
        self.numbers = sorted(int(number) if number.is_integer() else number for number in numbers)
        self.stretches: list[int | None] = [None] * (2 * len(self.numbers) + 1)
        self.words = {word: self.ask(WORDS[word]) for word in WORDS}

    def _odd_numbers(self) -> set[float]:
        table = Lookup()
        for conditions, _ in self.odd:
            for condition in conditions:
                for each in condition.unwanted if isinstance(condition, AnythingBut) else [condition]:
                    table.add(each, 1)
        return set(table.numbers())

    def ask(self, value: Scalar) -> int:
        """The slow way, which all the others remember."""
        answer = self.indifferent | self.present | self.wanted.bits(value)
        if self.unless:
            answer |= self.unless & ~self.unwanted.bits(value)
        for conditions, bits in self.odd:
            if any(condition.holds(value) for condition in conditions):
                answer |= bits
        return answer

    def number(self, value: float) -> int:
        """Numbers named in patterns cut the line into stretches; all of a stretch have one answer."""
        at = bisect_left(self.numbers, value)
        stretch = 2 * at + (at < len(self.numbers) and self.numbers[at] == value)
        answer = self.stretches[stretch]
        if answer is None:
            answer = self.stretches[stretch] = self.ask(value)
        return answer

    def of(self, value: Scalar) -> int:
        if isinstance(value, str):
            return self.known[value]
        return self.number(value) if isinstance(value, float) else self.ask(value)
