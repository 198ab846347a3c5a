"""The guard: keeps one child process for strangers' templates, watches its clock, and replaces it when it overruns."""

import json
import os
import select
import struct
import subprocess
import sys
import threading
import time
import weakref
from pathlib import Path
from typing import Any

from .writing import Failed

SECONDS = 1.0
"""Wall-clock time one request may take."""

MEMORY = 120 * 1024 * 1024
"""Bytes of address space a child may take above what it has when idle; with what was mapped but untouched, 128 MB."""

START_SECONDS = 15.0
LARGEST_ANSWER = 32 * 1024 * 1024
KEPT_VARIABLES = ("LD_LIBRARY_PATH", "LANG", "LC_ALL")


class Guard:
    """One kept child; requests of several threads wait for one another."""

    def __init__(self, macros: str) -> None:
        self._macros = macros
        self._lock = threading.Lock()
        self._child: subprocess.Popen[bytes] | None = None
        self._ready = False
        self._ending = weakref.finalize(self, _end, [])

    @property
    def pid(self) -> int | None:
        """The child's process id, None before the first request."""
        return self._child.pid if self._child else None

    def ask(self, request: dict[str, Any]) -> dict[str, Any]:
        """The child's answer. Raises Failed, with the code `budget` where it overran; a spent child is replaced."""
        with self._lock:
            self._wake()
            answer = self._exchange(request, SECONDS)
            if answer.get("spent"):
                self._replace()
        if "bug" in answer:
            raise RuntimeError(answer["bug"])
        if failed := answer.get("failed"):
            raise Failed(failed["code"], failed["reason"], failed["where"])
        return answer

    def start(self) -> None:
        """Starts the child ahead of the first request, without waiting for it."""
        with self._lock:
            if self._child is None:
                self._spawn()

    def close(self) -> None:
        """Ends the child."""
        with self._lock:
            self._stop()

    def _wake(self) -> None:
        if self._child is None or self._child.poll() is not None:
            self._stop()
            self._spawn()
        if not self._ready:
            self._receive(time.monotonic() + START_SECONDS)
            self._ready = True

    def _exchange(self, request: dict[str, Any], seconds: float) -> dict[str, Any]:
        try:
            self._send(request)
            return self._receive(time.monotonic() + seconds)
        except TimeoutError:
            return _overrun(f"the template takes longer than {seconds:g} s")
        except (OSError, EOFError, ValueError):
            return _overrun("the template broke its process")

    def _spawn(self) -> None:
        kept = {name: os.environ[name] for name in KEPT_VARIABLES if name in os.environ}
        self._child = subprocess.Popen(
            [sys.executable, "-I", "-S", str(Path(__file__).with_name("child.py"))],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            bufsize=0,
            cwd="/",
            env=kept,
            start_new_session=True,
        )
        self._ready = False
        self._ending.detach()
        self._ending = weakref.finalize(self, _end, [self._child])
        self._send({"path": [path for path in sys.path if path], "macros": self._macros, "memory": MEMORY})

    def _replace(self) -> None:
        self._stop()
        self._spawn()

    def _stop(self) -> None:
        self._ending.detach()
        _end([self._child] if self._child else [])
        self._child = None

    def _send(self, message: dict[str, Any]) -> None:
        body = json.dumps(message).encode()
        pipe = self._child.stdin if self._child else None
        if pipe is None:
            raise EOFError
        content = memoryview(struct.pack(">I", len(body)) + body)
        while content:
            content = content[os.write(pipe.fileno(), content) :]

    def _receive(self, deadline: float) -> dict[str, Any]:
        size = struct.unpack(">I", self._bytes(4, deadline))[0]
        if size > LARGEST_ANSWER:
            raise ValueError(size)
        answer: dict[str, Any] = json.loads(self._bytes(size, deadline))
        return answer

    def _bytes(self, size: int, deadline: float) -> bytes:
        pipe = self._child.stdout if self._child else None
        if pipe is None:
            raise EOFError
        content = bytearray()
        while len(content) < size:
            content += _part(pipe.fileno(), size - len(content), deadline)
        return bytes(content)


def _part(descriptor: int, size: int, deadline: float) -> bytes:
    poll = select.poll()
    poll.register(descriptor, select.POLLIN)
    if not poll.poll(max(0.0, deadline - time.monotonic()) * 1000):
        raise TimeoutError
    if not (part := os.read(descriptor, min(size, 1 << 20))):
        raise EOFError
    return part


def _overrun(reason: str) -> dict[str, Any]:
    return {"failed": {"code": "budget", "reason": reason, "where": ""}, "spent": True}


def _end(children: list[subprocess.Popen[bytes]]) -> None:
    for child in children:
        child.kill()
        child.wait()
        for pipe in (child.stdin, child.stdout):
            if pipe:
                pipe.close()
