"""Where the SDK's requests leave the process: they are counted, may fail, and are answered by moto or a twin.

It sits below the SDK (botocore's `before-send`), so the SDK serialises, signs, repeats and parses as in the cloud,
and its own repeats are seen as calls of their own.
"""

import threading
import time
from collections import Counter
from collections.abc import Callable
from types import SimpleNamespace
from typing import Any

from botocore import UNSIGNED, endpoint
from botocore.awsrequest import AWSResponse
from botocore.exceptions import ConnectionClosedError, EndpointConnectionError, ReadTimeoutError
from botocore.handlers import BUILTIN_HANDLERS

from infra.world import faults, wire
from infra.world.clock import Clock
from infra.world.faults import Call, Died, Fault
from infra.world.moto_speed import Moto

Responder = Callable[[Any], wire.Answer]
Watch = Callable[[Call, Any, AWSResponse | None], None]


class HttpLayer:
    """Answers every request of the SDK in this process while it is `open`.

    `responders`: who answers "service.Operation" instead of moto. `name_resource`: from the physical name to the
    word of the map. `may`: whether a function may make a call; None lets all pass. `watch`: called after each call.
    `signs`: whether calls are signed as they are in the cloud (a benchmark counts what that takes).
    """

    def __init__(self, clock: Clock, name_resource: Callable[[str, str], str]) -> None:
        self.clock = clock
        self.faults: faults.Faults = faults.none
        self.responders: dict[str, Responder] = {}
        self.after: dict[str, Callable[[Any, AWSResponse], None]] = {}
        self.may: Callable[[str, str, str, str], bool] | None = None
        self.watch: list[Watch] = []
        self.counts: Counter[tuple[str, str, str, str]] = Counter()
        self.function = "world"
        self.dead = False
        self.signs = False
        self._nth: Counter[tuple[str, str, str]] = Counter()
        self._sequence = 0
        self._lock = threading.RLock()
        self._counting = threading.Lock()  # of its own: a twin's thread counts while a call that led to it is under way
        self._name_resource = name_resource
        self._moto = Moto()
        self._endpoint: Any = endpoint

    def open(self) -> None:
        """Take every request of the clients that know `dispatch`."""
        _open.append(self)
        # The SDK's pauses between its own repeats pass at once: the world's clock does not run meanwhile.
        self._endpoint.time = SimpleNamespace(sleep=lambda seconds: None, monotonic=time.monotonic)

    def close(self) -> None:
        """Let the SDK go its own way again."""
        _open.remove(self)
        self._endpoint.time = time

    def __call__(self, event_name: str, request: Any, **_: Any) -> AWSResponse:
        with self._lock:  # doors call from several threads at once; moto is made for one
            call = self._call(event_name, request)
            allowed = self._allowed(call)
            fault = self.faults(call) if allowed else None
        if fault is not None and fault.meanwhile is not None:
            fault.meanwhile()
        with self._lock:
            return self._take(call, request, fault) if allowed else _denied(call)

    def _call(self, event_name: str, request: Any) -> Call:
        _, service, operation = event_name.split(".")
        service = wire.SERVICES.get(service, service)
        resource = ",".join(sorted({self._name_resource(service, n) for n in wire.names(service, request)}))
        return self.note(service, operation, resource)

    def _allowed(self, call: Call) -> bool:
        if self.may is None or call.function == "world":
            return True
        return self.may(call.function, call.service, call.operation, call.resource)

    def _take(self, call: Call, request: Any, fault: Fault | None) -> AWSResponse:
        answer = self._answered(call, request, fault)
        for watch in self.watch:
            watch(call, request, answer)
        return answer

    def note(self, service: str, operation: str, resource: str) -> Call:
        """Count a call, and answer its description. Raises Died where the caller is dead already."""
        with self._counting:
            return self._noted(service, operation, resource)

    def _noted(self, service: str, operation: str, resource: str) -> Call:
        if self.dead:
            raise Died("a dead process makes no calls")
        self.counts[self.function, service, operation, resource] += 1
        key = (self.function, service, operation)
        self._nth[key] += 1
        self._sequence += 1
        return Call(self.function, service, operation, resource, self._nth[key], self._sequence, self.clock.now())

    def polled(self, operation: str, word: str) -> bool:
        """Count a call of the Lambda service's own polling; False where a fault lets it fail."""
        self.function, function = "lambda", self.function
        try:
            return self.faults(self.note("sqs", operation, word)) is None
        finally:
            self.function = function

    def die(self) -> None:
        """End the running process: this call and every later one of it."""
        self.dead = True

    def _answered(self, call: Call, request: Any, fault: Fault | None) -> AWSResponse:
        if fault is not None and fault.slow:
            self.clock.move_to(call.at + fault.slow)
        if fault is None or fault.how == "none":
            return self._real(call, request)
        if fault.when == "after":
            self._real(call, request)
        return self._failed(fault, request, call)

    def _failed(self, fault: Fault, request: Any, call: Call) -> AWSResponse:
        url = request.url
        match fault.how:
            case "die":
                self.die()
                raise Died(f"{call.function} died {fault.when} {call.service}.{call.operation}")
            case "timeout":
                raise ReadTimeoutError(endpoint_url=url)
            case "closed":
                raise ConnectionClosedError(endpoint_url=url, request=request)
            case "connect":
                raise EndpointConnectionError(endpoint_url=url, error="injected")
            case "429":
                return wire.error(call.service, 400, "ThrottlingException", "Rate exceeded")
        return wire.error(call.service, int(fault.how), "InternalServerError", "injected")

    def _real(self, call: Call, request: Any) -> AWSResponse:
        responder = self.responders.get(f"{call.service}.{call.operation}")
        answer = responder(request) if responder else self._moto.process_request(call.service, request)
        if answer is None:
            raise RuntimeError(f"nobody answers {call.service}.{call.operation} at {request.url}")
        response = wire.response(request.url, *answer)
        if (then := self.after.get(f"{call.service}.{call.operation}")) is not None:
            then(request, response)
        return response


def _denied(call: Call) -> AWSResponse:
    told = f"{call.function} may not {call.operation} {call.resource}"
    return wire.error(call.service, 403, "AccessDeniedException", told)


_open: list[HttpLayer] = []


def dispatch(event_name: str, request: Any, **_: Any) -> AWSResponse | None:
    """Hand a request to the open layer; without one it goes its own way."""
    return _open[-1](event_name, request) if _open else None


def unsigned(**_: Any) -> Any:
    """No signature where nobody looks at it: a quarter of the time of a call is its signing."""
    return UNSIGNED if _open and not _open[-1].signs else None


# Every session made from now on asks here first, whichever world is open then.
BUILTIN_HANDLERS.insert(0, ("before-send", dispatch))
BUILTIN_HANDLERS.extend((f"choose-signer.{service}", unsigned) for service in ("dynamodb", "sqs"))
