"""The EventBridge pattern language: what a rule asks of an event, and which of many rules an event meets.

Semantics are those of AWS's open engine (github.com/aws/event-ruler) and of the EventBridge user guide, chapter
"Event patterns"; `parse`, `addresses` and `conditions` name the few differences.
"""

from vestnik.domain.patterns.explain import Unmet, explain
from vestnik.domain.patterns.index import Index, compile_index
from vestnik.domain.patterns.match import matches, test
from vestnik.domain.patterns.parse import Pattern, compile_pattern, valid
from vestnik.domain.patterns.written import Number, Pairs, read_written

__all__ = [
    "Index",
    "Number",
    "Pairs",
    "Pattern",
    "Unmet",
    "compile_index",
    "compile_pattern",
    "explain",
    "matches",
    "read_written",
    "test",
    "valid",
]
