"""The local world: the map, its doors, the providers' twins and a clock, in one process."""

import inspect
import json
import os
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Mapping
from contextlib import ExitStack
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, Self
from unittest.mock import patch
from urllib.parse import urlsplit

from infra.twins import markets, sms_sns
from infra.twins.ses import Ses
from infra.twins.sms_voice import SmsVoice
from infra.twins.smtp import Smtp
from infra.twins.telegram import Telegram
from infra.twins.webhook import Webhook
from infra.world import doors, fair_queue, grants, held, http_api, internet, moto_patches, seeding, triggers
from infra.world.account import CREDENTIALS, Account
from infra.world.cabinets import Cabinet
from infra.world.clock import Clock
from infra.world.engine import Engine
from infra.world.faults import Call, Fault, Faults, none
from infra.world.http_api import HttpApi, Response
from infra.world.http_layer import HttpLayer
from infra.world.letters import Letters
from infra.world.notifications import Notifications
from infra.world.outbox import Item, Outbox
from vestnik import resources

Feedback = Callable[[str, timedelta, dict[str, Any]], list[tuple[timedelta, dict[str, Any]]]]
FLYING = timedelta(seconds=5)


def as_reported(topic: str, delay: timedelta, event: dict[str, Any]) -> list[tuple[timedelta, dict[str, Any]]]:
    """A provider's event as it comes: once, in its time."""
    return [(delay, event)]


class World:
    """The whole map on moto. Use it as a context manager; there is one at a time in a process.

    `start`: the time it begins with. `runs`: the clock goes on by itself and due work is done in the background;
    otherwise time moves only by `advance`, and work is done by `settle` and `advance`. `check_grants`: a call that
    the map does not grant is answered AccessDenied. `loader`: finds a door's handler by its module's name.

    `faults`: what goes wrong with which call. `feedback(topic, delay, event)`: when a provider's events come, and
    which: a test drops, delays or repeats them here. `watch`: called after each AWS call with (call, request, answer).
    """

    _opened = False
    _met = False

    def __init__(
        self,
        *,
        start: datetime,
        seed_shops: bool = True,
        check_grants: bool = True,
        runs: bool = False,
        public_url: str = "http://127.0.0.1:8080",
        newest_first: bool = False,
        loader: doors.Loader = doors.load,
    ) -> None:
        self._start, self._seed_shops, self._check_grants = start, seed_shops, check_grants
        self._runs, self._public_url, self._newest_first, self._loader = runs, public_url, newest_first, loader
        self.lock = threading.RLock()
        self.faults: Faults = none
        self._era = 0  # how often it began anew
        self.cabinets: list[Cabinet] = []
        self.feedback: Feedback = as_reported
        self._stack = ExitStack()
        self._closing = False
        self._wake = threading.Event()
        self._waiting = 0

    def __enter__(self) -> Self:
        # moto keeps one account for the whole process: a second world would empty the first.
        if World._opened:
            raise RuntimeError("another world is open in this process; close it first")
        World._opened = True
        self._stack.callback(setattr, World, "_opened", False)
        try:
            self._open()
        except BaseException:
            self._stack.close()
            raise
        return self

    def __exit__(self, *error: object) -> None:
        self._closing = True
        self._wake.set()
        self._stack.close()

    def _open(self) -> None:
        stack = self._stack
        self.clock = Clock(self._start, runs=self._runs)
        self.mail = Outbox(self.clock.now)
        self.letters = Letters()
        stack.enter_context(patch.dict(os.environ, CREDENTIALS))
        stack.enter_context(moto_patches.applied(self.clock, self._wake.set))
        stack.enter_context(patch.object(fair_queue.FairQueue, "newest_first", self._newest_first))
        stack.enter_context(self.letters.watched("telegram", "sms_sns"))
        stack.callback(forget_everything)
        resources.set_clock(self.clock.now)
        stack.callback(resources.set_clock, None)
        resources.set_pause(self._pause)
        stack.callback(resources.set_pause, None)
        self.layer = HttpLayer(self.clock, lambda service, name: self.account.word(service, name))
        self.layer.faults = lambda call: self.faults(call)
        self.layer.open()
        stack.callback(self.layer.close)
        if not World._met:
            resources.forget_clients()  # a session made before this module was loaded does not know our layer
            World._met = True
        forget_everything()
        self._open_twins()
        self._build()
        if self._runs:
            self._live()

    def _open_twins(self) -> None:
        now, outbox, meet = self.clock.now, self.mail, self._meet
        folder = Path(self._stack.enter_context(tempfile.TemporaryDirectory(prefix="vestnik-local-")))
        self.telegram = Telegram(meet, outbox, now, self.letters.message_of)
        self.webhook = Webhook(meet, outbox, now, self._webhook_secrets)
        self.smtp = Smtp(meet, outbox, folder)
        self.markets = markets.opened(meet, now)
        for close in (self.telegram.close, self.webhook.close, self.smtp.close):
            self._stack.callback(close)
        for market in self.markets.values():
            self._stack.callback(market.close)
        self._stack.enter_context(internet.closed(self.webhook.place))
        self.ses = Ses(outbox, now, lambda delay, event: self._report("feedback-ses", delay, event))
        self.sms_voice = SmsVoice(outbox, now, lambda delay, event: self._report("feedback-sms", delay, event))
        self.layer.responders = {**self.ses.responders(), **self.sms_voice.responders()}
        self.layer.after["sns.Publish"] = sms_sns.keeper(outbox, self.letters.message_of)

    def _pause(self, seconds: float) -> None:
        """A wait within a run: the world's time passes, and nobody's else."""
        if self.clock.runs:
            time.sleep(seconds)
        else:
            self.clock.move_to(self.clock.now() + timedelta(seconds=seconds))

    def _webhook_secrets(self) -> list[str]:
        """What the shops' machines know: the seeded secret, and those of senders made since."""
        return [seeding.WEBHOOK_SECRET, *self.account.webhook_secrets()]

    def _meet(self, service: str, operation: str, place: str) -> Fault | None:
        """Count a call to a provider's twin, and say what goes wrong with it."""
        call = self.layer.note(service, operation, place)
        fault = self.faults(call)
        if fault is not None and fault.slow:
            self.clock.move_to(call.at + fault.slow)
        if fault is not None and fault.how == "die":
            self.layer.die()
        return fault

    def _build(self) -> None:
        """Make the map anew in an empty account."""
        self.account = Account(self._public_url, self._overrides())
        self.account.build()
        self.doors = doors.Doors(self.account, self.clock, self.layer, self._loader)
        self.api = HttpApi(self.account.functions, self.doors, self.clock)
        self.notifications = Notifications(self.markets.values(), self.api.handle, self.clock)
        self.triggers = [*triggers.of_map(self.account, self.doors, self.layer, self.clock), self.notifications]
        self.engine = Engine(self.clock, self.account, self.triggers)
        self.layer.may = grants.judge(self.account.functions) if self._check_grants else None
        if self._seed_shops:
            with resources.use(self.account.variables(self.account.functions["manage-shop"])):
                seeding.seed(self.clock.now(), f"{self.webhook.url}/hooks", self.smtp.starttls_port)

    def _overrides(self) -> dict[str, str]:
        """Where outside hosts stand in the local world. Only here: no stack of the cloud carries these."""
        twins = [twin.place for twin in self.markets.values()]
        return {
            "TELEGRAM_URL": self.telegram.url,
            "OUTGOING_ALLOW": ",".join([self.telegram.place, self.webhook.place, *self.smtp.places, *twins]),
            "OUTGOING_HOSTS": markets.hosts(self.markets),
            "SMTP_CA_FILE": str(self.smtp.ca_file),
            "FIRST_COME": "1",
        }

    @property
    def watch(self) -> list[Callable[[Call, Any, Any], None]]:
        """Who is told of each AWS call: (call, request, answer)."""
        return self.layer.watch

    @property
    def outbox(self) -> list[Item]:
        """What people received, oldest first."""
        return self.mail.items

    def now(self) -> datetime:
        """The time in the world."""
        return self.clock.now()

    def request(
        self,
        method: str,
        path: str,
        *,
        key: str | None = "local-key",
        headers: Mapping[str, str] | None = None,
        body: Any = None,
    ) -> Response:
        """Ask the API. `path` may carry a query. `body`: bytes and text go as they are, all else as JSON."""
        given = {name.lower(): value for name, value in (headers or {}).items()}
        given = ({"authorization": f"Bearer {key}"} if key else {}) | given
        content = body if isinstance(body, bytes) else body.encode() if isinstance(body, str) else b""
        if body is not None and not isinstance(body, bytes):
            given.setdefault("content-type", "application/json")
            content = content or json.dumps(body).encode()
        target = urlsplit(path)
        return self.handle(http_api.Request(method, target.path, target.query, {"host": "local", **given}, content))

    def handle(self, request: http_api.Request) -> Response:
        """Take a request to its door; one at a time."""
        self._waiting += 1
        with self.lock:
            self._waiting -= 1
            return self.api.handle(request)

    def settle(self) -> None:
        """Do all that is due now, and wait for the providers' events that are on their way (a second or two of the
        world's clock) and for what a limit holds back a moment. Deferred messages are left."""
        self._run_due()
        while (at := self._soon()) is not None:
            if self.clock.runs and self.engine.flying():
                time.sleep(max(0.0, (at - self.now()).total_seconds()))
                self._run_due()
            else:
                self._run_until(at)
                self._run_due()

    def _soon(self) -> datetime | None:
        """When that is done which a settled world has behind it; None where it is."""
        with self.lock:
            return self.engine.flying() or held.until(self.account, self.now())

    def advance(self, delta: timedelta) -> None:
        """Let time pass: all that falls due on the way is done, in order; then settle."""
        self._run_until(self.now() + delta)
        self.settle()

    def advance_to(self, at: datetime) -> None:
        """Let time pass until `at`; what is on its way or being gathered for a batch then stays so."""
        self._run_until(at)

    def _run_until(self, target: datetime) -> None:
        era = self._era
        while True:
            with self.lock:
                self._run_due(patient=True)
                if self._era != era:
                    return None  # all began anew meanwhile
                due = self.engine.next_due(patient=True)
                if due is None or due > target:
                    self.clock.move_to(target)
                    return self._run_due(patient=True)
                self.clock.move_to(due)

    def _run_due(self, *, patient: bool = False) -> None:
        while True:
            with self.lock:
                if not self.engine.step(patient=patient):
                    return

    def reset(self) -> None:
        """Begin anew, at the time it is: empty tables, queues and outbox, and the two shops."""
        with self.lock:
            self._era += 1
            self.mail.clear()
            self.cabinets.clear()
            for twin in self.markets.values():
                twin.reset()
            forget_everything()
            self._build()

    def refused_grants(self) -> set[grants.Grant]:
        """Calls that the map does not grant."""
        return grants.called(self.layer.counts) - grants.granted(self.account.functions.values())

    def unused_grants(self) -> set[grants.Grant]:
        """Grants that nothing called so far."""
        return grants.granted(self.account.functions.values()) - grants.called(self.layer.counts)

    def _report(self, topic: str, delay: timedelta, event: dict[str, Any]) -> None:
        for wait, told in self.feedback(topic, delay, event):
            text = json.dumps(told)
            self.engine.later(wait, lambda text=text: self.account.publish(topic, text), flying=wait <= FLYING)  # type: ignore[misc]

    def _live(self) -> None:
        thread = threading.Thread(target=self._work, name="local-world", daemon=True)
        thread.start()
        self._stack.callback(thread.join, 10)

    def _work(self) -> None:
        """The background: do what is due, then sleep until something is."""
        while not self._closing:
            self._wake.clear()
            with self.lock:
                patient = not self.clock.runs  # somebody plays: whoever moves the clock does the work in its time
                busy = self.engine.step(patient=patient)
                due = self.engine.next_due(patient=patient)
            if self._waiting or not busy:
                rest = 0.001 if busy or due is None else (due - self.now()).total_seconds()
                self._wake.wait(min(max(rest, 0.001), 60))


def forget_everything() -> None:
    """Drop what modules of the product keep in memory, as a fresh process has it."""
    # The clients, for their quotas of repeats; the session stays, for it takes long to read its models.
    resources._clients.clear()
    _hang_up()
    for name, module in list(sys.modules.items()):
        forget = getattr(module, "forget", None) if name.startswith(("vestnik.", "functions.")) else None
        if callable(forget) and not inspect.signature(forget).parameters:  # others forget one thing in a table
            forget()


def _hang_up() -> None:
    """Close the connections that channels keep for the next letter."""
    outgoing = sys.modules.get("vestnik.outgoing.web")
    idle = getattr(outgoing, "_idle", {})
    for connection, _ in list(idle.values()):
        connection.close()
    idle.clear()


def today(hour: int = 8) -> datetime:
    """A start for a world: this day at an hour, UTC."""
    return datetime.now(UTC).replace(hour=hour, minute=0, second=0, microsecond=0)
