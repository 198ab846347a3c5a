"""MiniStack, an emulator of AWS: the nearest thing to a cloud on one machine. In a venv of its own, for one test.

Its Lambdas are processes of this machine's Python, inherit its environment, and find no boto3 but the layer's.
"""

import hashlib
import os
import shutil
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Mapping
from pathlib import Path
from types import TracebackType
from typing import Any, Self

import httpx
import uv

from infra.layers import BUILD, ROOT

LOCK = ROOT / "requirements" / "smoke.txt"
VENV = BUILD / "ministack-venv"
ACCOUNT, REGION = "000000000000", "us-east-1"
START_SECONDS = 60


def installed() -> Path:
    """The emulator's program, installed from its lock where it is not yet."""
    stamp, wanted = VENV / ".lock", hashlib.sha256(LOCK.read_bytes()).hexdigest()
    if not stamp.is_file() or stamp.read_text() != wanted:
        tool = uv.find_uv_bin()
        subprocess.run([tool, "venv", "-q", "--clear", "--python", sys.executable, str(VENV)], check=True)
        into = ["--python", str(VENV / "bin" / "python"), "--require-hashes", "-r", str(LOCK)]
        subprocess.run([tool, "pip", "install", "-q", *into], check=True)
        stamp.write_text(wanted)
    return VENV / "bin" / "ministack"


class Emulator:
    """Runs while its block does; everything it started ends with it. `extra`: variables for it and its Lambdas."""

    def __init__(self, log: Path, extra: Mapping[str, str]) -> None:
        self.port = _free_port()
        self.url = f"http://127.0.0.1:{self.port}"
        self._log, self._extra = log, extra
        self._scratch = log.with_name("emulator-files")  # it unpacks every function's code anew, and leaves it
        self._process: subprocess.Popen[bytes] | None = None

    def environment(self) -> dict[str, str]:
        """What a client of it needs: the CDK's command line, the SDK."""
        return {
            **os.environ,
            "AWS_ENDPOINT_URL": self.url,
            "AWS_ACCESS_KEY_ID": "test",
            "AWS_SECRET_ACCESS_KEY": "test",
            "AWS_REGION": REGION,
            "AWS_DEFAULT_REGION": REGION,
            "AWS_EC2_METADATA_DISABLED": "true",
        }

    def host_of(self, api: str) -> str:
        """The Host header by which it knows an HTTP API."""
        return f"{api}.execute-api.127.0.0.1:{self.port}"

    def mailbox(self) -> list[dict[str, Any]]:
        """The mail that its SES took."""
        messages = httpx.get(f"{self.url}/_ministack/ses/messages").json()["messages"]
        return [mail for box in messages.values() for mail in box]

    def __enter__(self) -> Self:
        program = installed()
        self._scratch.mkdir(parents=True, exist_ok=True)
        own = {
            "BIND_HOST": "127.0.0.1",  # it would listen to the whole network
            "MINISTACK_HOST": "127.0.0.1",
            "GATEWAY_PORT": str(self.port),
            "MINISTACK_ACCOUNT_ID": ACCOUNT,
            "TMPDIR": str(self._scratch),
            "PATH": f"{program.parent}{os.pathsep}{os.environ['PATH']}",
        }
        with self._log.open("wb") as log:
            self._process = subprocess.Popen(
                [str(program)],
                env={**self.environment(), **own, **self._extra},
                stdout=log,
                stderr=subprocess.STDOUT,
                cwd=self._log.parent,
                start_new_session=True,
            )
        self._wait()
        return self

    def _wait(self) -> None:
        deadline = time.monotonic() + START_SECONDS
        while time.monotonic() < deadline:
            try:
                if httpx.get(f"{self.url}/_ministack/health", timeout=2).is_success:
                    return
            except httpx.TransportError:
                time.sleep(0.2)
        self.__exit__(None, None, None)
        raise TimeoutError(f"the emulator did not start: see {self._log}")

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._process is None:
            return
        # Its Lambdas are its children, in its own process group.
        for kind_of_end in (signal.SIGTERM, signal.SIGKILL):
            try:
                os.killpg(self._process.pid, kind_of_end)
                self._process.wait(timeout=10)
            except (ProcessLookupError, subprocess.TimeoutExpired):
                continue
        self._process = None
        shutil.rmtree(self._scratch, ignore_errors=True)


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port
