"""What orders ask of the engine that calls marketplaces, so that a script can stand in for it in tests."""

from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime
from typing import Any, Protocol

from vestnik.domain.market.accounts import Account
from vestnik.flows.calling import Answer


class Engine(Protocol):
    """What makes the calls: `flows.calling`, or a script in tests."""

    def has(self, account: Account, purpose: str, now: datetime) -> bool:
        """Whether there is a request for a purpose."""

    def call(
        self,
        account: Account,
        purpose: str,
        now: datetime,
        *,
        given: Mapping[str, Any] | None = None,
        rows: Sequence[Mapping[str, Any]] = (),
    ) -> Answer:
        """One call."""

    def pages(
        self,
        account: Account,
        purpose: str,
        now: datetime,
        *,
        given: Mapping[str, Any] | None = None,
        start: Any = None,
    ) -> Iterator[Answer]:
        """Page by page."""

    def batches(
        self, account: Account, purpose: str, rows: Sequence[Mapping[str, Any]], now: datetime
    ) -> Iterator[list[Mapping[str, Any]]]:
        """Rows cut into calls."""
