"""The guarded child: writes strangers' templates with no files, no environment, little memory and a deadline.

Run as a script by `guard.py`; speaks length-prefixed JSON over its standard input and output.
"""

import gc
import json
import math
import os
import resource
import struct
import sys
import traceback
from typing import Any, BinaryIO

CPU_SECONDS = 2
SPENT = 48 * 1024 * 1024
"""A child that has grown by this many bytes has too little left for the next template, and is replaced."""


def read_frame(stream: BinaryIO) -> Any:
    """The next message, or None when the other side has gone."""
    head = stream.read(4)
    return json.loads(stream.read(struct.unpack(">I", head)[0])) if len(head) == 4 else None


def write_frame(stream: BinaryIO, message: Any) -> None:
    """Sends one message."""
    body = json.dumps(message).encode()
    stream.write(struct.pack(">I", len(body)) + body)
    stream.flush()


def main() -> None:
    """Greets, closes the door behind itself, and answers until the parent goes."""
    inward, outward = sys.stdin.buffer, sys.stdout.buffer
    hello = read_frame(inward)
    sys.path[:] = hello["path"]
    from vestnik.rendering import tasks

    tasks.prepare(hello["macros"])
    gc.collect()
    gc.freeze()
    idle = address_space()
    close_the_door(idle + hello["memory"])
    write_frame(outward, {"ready": os.getpid()})
    while (request := read_frame(inward)) is not None:
        limit_cpu()
        try:
            answer = tasks.answer(request, hello["macros"])
        except (MemoryError, RecursionError):
            answer = {"failed": {"code": "budget", "reason": "the template needs too much memory", "where": ""}}
        except Exception:
            answer = {"bug": traceback.format_exc()}
        write_frame(outward, {**answer, "spent": address_space() > idle + SPENT})


def close_the_door(size: int) -> None:
    """No new files, sockets or processes, and at most `size` bytes of address space."""
    for what in (resource.RLIMIT_NOFILE, resource.RLIMIT_FSIZE, resource.RLIMIT_CORE, resource.RLIMIT_NPROC):
        resource.setrlimit(what, (0, 0))
    resource.setrlimit(resource.RLIMIT_AS, (size, size))


_STATM = open("/proc/self/statm", "rb") if os.path.exists("/proc/self/statm") else None  # noqa: SIM115


def address_space() -> int:
    """Bytes of address space this process has now; a guess where the system does not tell."""
    if _STATM is None:
        return 512 * 1024 * 1024
    _STATM.seek(0)
    return int(_STATM.read().split()[0]) * resource.getpagesize()


def limit_cpu() -> None:
    """An orphan with an endless loop must end by itself: the parent's deadline may be gone."""
    used = resource.getrusage(resource.RUSAGE_SELF)
    soft = math.ceil(used.ru_utime + used.ru_stime) + CPU_SECONDS
    resource.setrlimit(resource.RLIMIT_CPU, (soft, resource.RLIM_INFINITY))


if __name__ == "__main__":
    main()
