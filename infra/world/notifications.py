"""Notifications of the marketplaces' twins, carried to the address that was set there as the marketplace would."""

import json
from collections.abc import Callable, Iterable
from datetime import datetime
from typing import Any
from urllib.parse import urlsplit

from infra.twins.market import MarketTwin
from infra.world.clock import Clock
from infra.world.http_api import Request, Response


class Notifications:
    """Carries one at a time, as soon as there is one. One that is not taken is not sent again: who is told nothing
    still polls. `answers`: the status of each, the newest last."""

    def __init__(self, twins: Iterable[MarketTwin], take: Callable[[Request], Response], clock: Clock) -> None:
        self._twins, self._take, self._clock = list(twins), take, clock
        self._next: tuple[MarketTwin, str, Any] | None = None
        self.answers: list[int] = []

    def due(self, patient: bool) -> datetime | None:
        """Now, where there is one."""
        if self._next is None:
            self._next = next(((twin, *found) for twin in self._twins if (found := twin.notification())), None)
        return self._clock.now() if self._next else None

    def fire(self) -> None:
        """Carry it to the API, whose answer must be there within seconds."""
        if self._next is None:
            return
        (twin, url, told), self._next = self._next, None
        headers = {"host": "local", "content-type": "application/json"}
        request = Request("POST", urlsplit(url).path, "", headers, json.dumps(told).encode())
        answer = self._take(request)
        self.answers.append(answer.status)
        del self.answers[:-200]
        twin.answered(url, told, answer.status, _json(answer))


def _json(answer: Response) -> Any:
    try:
        return answer.json()
    except ValueError:
        return None
