"""Limits as the marketplaces count them: pure steps from one state of a bucket to the next. Times in milliseconds.

    window    {"cap", "seconds"}              at most cap in any so many seconds          state {"log": [[ms, n], ...]}
    tokens    {"every_ms", "burst", "penalty"}  one each so often, burst at once (GCRA)   state {"tat": ms}
    parallel  {"cap"}                         so many at the same time                    state {"held": {id: until ms}}

Every state may have `parked`: nothing goes before that time.

We count when a call leaves and they when it arrives, and no two calls are equally long under way: a window is kept a
moment longer than theirs, and of a burst one token stays unused.
"""

from collections.abc import Mapping
from typing import Any

State = dict[str, Any]
GRAINS = 120  # a window's log is kept in so many grains: at most so many entries, at most a grain too careful
HELD_MS = 60_000
SLACK_MS = 250


def take(spec: Mapping[str, Any], state: State, now: int, n: int, holder: str = "") -> tuple[int, State]:
    """(0, the state after `n` were taken), or (milliseconds to wait, the state as it is)."""
    if (parked := int(state.get("parked", 0))) > now:
        return parked - now, state
    return _KINDS[spec["kind"]](spec, state, now, n, holder)


def _window(spec: Mapping[str, Any], state: State, now: int, n: int, holder: str) -> tuple[int, State]:
    span = int(spec["seconds"] * 1000) + SLACK_MS
    log = [entry for entry in state.get("log", []) if entry[0] > now - span]
    over = sum(count for _, count in log) + min(n, spec["cap"]) - spec["cap"]
    if over <= 0:
        return 0, {"log": _logged(log, now, n, max(1, span // GRAINS))}
    for at, count in log:
        over -= count
        if over <= 0:
            return int(at + span - now), state
    return span, state


def _logged(log: list[list[int]], now: int, n: int, grain: int) -> list[list[int]]:
    """The log with `n` more; what falls into one grain counts at its later time, which is the careful side."""
    if log and now - log[-1][0] < grain and now // grain == log[-1][0] // grain:
        return [*log[:-1], [now, log[-1][1] + n]]
    return [*log, [now, n]]


def _tokens(spec: Mapping[str, Any], state: State, now: int, n: int, holder: str) -> tuple[int, State]:
    every, burst = spec["every_ms"], max(1, spec["burst"] - 1)
    tat = max(int(state.get("tat", 0)), now)
    ahead = tat + min(n, burst) * every - now - burst * every
    return (int(ahead), state) if ahead > 0 else (0, {"tat": int(tat + n * every)})


def _parallel(spec: Mapping[str, Any], state: State, now: int, n: int, holder: str) -> tuple[int, State]:
    held = {id: until for id, until in state.get("held", {}).items() if until > now}
    if len(held) >= spec["cap"]:
        return 100, state
    return 0, {"held": {**held, holder: now + HELD_MS}}


_KINDS = {"window": _window, "tokens": _tokens, "parallel": _parallel}


def give_back(spec: Mapping[str, Any], state: State, n: int, holder: str = "") -> State:
    """The state without the `n` last taken (or without this holder): the call was not made, or is over."""
    match spec["kind"]:
        case "window" if state.get("log"):
            at, count = state["log"][-1]
            return {**state, "log": [*state["log"][:-1], [at, max(0, count - n)]]}
        case "tokens" if "tat" in state:
            return {**state, "tat": state["tat"] - n * spec["every_ms"]}
        case "parallel":
            return {**state, "held": {id: u for id, u in state.get("held", {}).items() if id != holder}}
    return state


def fine(spec: Mapping[str, Any], state: State, now: int) -> State:
    """The state after an answer that costs more than the one token that was paid."""
    more = int(spec.get("penalty", 1)) - 1
    if spec["kind"] != "tokens" or more <= 0:
        return state
    return {**state, "tat": max(int(state.get("tat", 0)), now) + more * spec["every_ms"]}


def told(spec: Mapping[str, Any], state: State, now: int, left: int) -> State:
    """The state after the marketplace said that only `left` are left (others use the account too); never more."""
    if spec["kind"] != "tokens":
        return state
    tat = now + max(0, spec["burst"] - left) * spec["every_ms"]
    return {**state, "tat": tat} if tat > int(state.get("tat", 0)) else state


def parked(state: State, until: int) -> State:
    """The state in which nothing goes before `until`."""
    return {**state, "parked": max(until, int(state.get("parked", 0)))}
