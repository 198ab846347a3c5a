"""What the routes of the twin have in common: who asks, and what for."""

from typing import TYPE_CHECKING, Any

from infra.twins.market import Ask
from infra.twins.yandex_market.cabinet import Cabinet

if TYPE_CHECKING:
    from datetime import date, datetime


class Routes:
    """A part of the twin's routes; the twin itself provides the rest."""

    accounts: dict[str, Cabinet]
    dated: "date | None"

    if TYPE_CHECKING:

        def now(self) -> datetime:
            """The twin's clock."""

        def charge(self, n: int) -> None:
            """Count rows of an answer."""

    def asking(self, ask: Ask) -> Cabinet:
        """The cabinet whose key was sent."""
        return self.accounts[ask.headers["api-key"]]


def body(ask: Ask) -> dict[str, Any]:
    """The request's object; an empty one where there is none."""
    return ask.body if isinstance(ask.body, dict) else {}
