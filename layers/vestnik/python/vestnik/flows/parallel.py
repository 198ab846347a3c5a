"""Several calls at once: threads that see the variables of the function they run for."""

from collections.abc import Callable, Iterable
from concurrent.futures import ThreadPoolExecutor
from contextvars import copy_context

WORKERS = 8


def each[Given, Made](do: Callable[[Given], Made], givens: Iterable[Given], workers: int = WORKERS) -> list[Made]:
    """What `do` makes of each of `givens`, in their order. The first exception is raised once all have ended."""
    with ThreadPoolExecutor(workers) as pool:
        # A context can be entered by one thread at a time: every task gets its own copy.
        return [task.result() for task in [pool.submit(copy_context().run, do, given) for given in givens]]
