"""Events a second through the pattern index, beside moto's matcher and checked against the slow one.

The load is a shop's: facts of 20 types with an order, its lines and one of a thousand customers; 500 rules, of which a
fifth ask no field for an exact value. The index has seen 4,000 other events before the clock starts.
`python -m benchmarks.patterns` prints the figures, in CPU time: medians of 25 short runs, and the best of them, for
other work on the same cores can double the time of everything.
"""

import json
from collections.abc import Callable
from random import Random
from statistics import mean, median
from time import process_time
from typing import Any

from moto.events.models import EventPattern

from tests.matchers import slow_matches
from vestnik.domain.patterns import Index, compile_index

RULES, EVENTS, SEEN, A_RUN, CHECKED, FOR_MOTO = 500, 5000, 4000, 200, 50, 12
TWENTY, HUNDRED = (1, 6), (8, 8)
"""Types a rule asks for, and width of the open rules: these give about so many matches an event."""
TYPES = [f"{thing}.{what}" for thing in ("order", "payment", "stock", "account") for what in ("a", "b", "c", "d", "e")]
CITIES = ["Moscow", "Sofia", "Kazan", "Plovdiv", "Tver", "Varna", "London", "Omsk", "Perm", "Burgas"]
STATUSES = ["new", "paid", "packed", "shipped", "delivered", "cancelled", "returned", "lost"]
SEGMENTS = ["vip", "regular", "new", "sleeping", "wholesale"]

Rules = dict[str, Any]


def _event(random: Random) -> dict[str, Any]:
    number, customer = random.randrange(10**6), random.randrange(1000)
    lines = [
        {"sku": f"S-{random.randrange(300)}", "quantity": random.randint(1, 9), "price": 100 * random.randint(1, 90)}
    ]
    return {
        "type": random.choice(TYPES),
        "source": random.choice(["site", "erp", "app"]),
        "time": f"2026-11-{random.randint(1, 28):02}T12:{random.randrange(60):02}:00Z",
        "shop": "shop-1",
        "data": {"status": random.choice(STATUSES), "actor": f"staff-{random.randrange(40)}", "note": None},
        "order": {
            "id": f"A-{number}",
            "total": random.randrange(100, 50_000),
            "city": random.choice(CITIES),
            "paid": random.random() < 0.5,
            "tags": random.sample(["gift", "fragile", "express", "pickup", "preorder"], 2),
            "lines": lines * random.randint(1, 3),
        },
        "customer": {
            "id": f"C-{customer}",
            "email": f"person{customer}@{['mail', 'post', 'corp'][customer % 3]}.example",
            "language": random.choice(["ru", "bg", "en"]),
            "segment": random.choice(SEGMENTS),
            "ip": f"10.{customer % 4}.{customer % 256}.7",
        },
    }


def _exact_rule(random: Random, types: int) -> dict[str, Any]:
    rule: dict[str, Any] = {"type": random.sample(TYPES, types)}
    extra = random.randrange(5)
    if extra == 0:
        rule["order"] = {"total": [{"numeric": [">", 100 * random.randrange(200)]}]}
    elif extra == 1:
        rule["customer"] = {"segment": random.sample(SEGMENTS, 3), "language": [random.choice(["ru", "bg", "en"])]}
    elif extra == 2:
        rule["data"] = {
            "status": random.sample(STATUSES, 4),
            "actor": [{"anything-but": f"staff-{random.randrange(40)}"}],
        }
    elif extra == 3:
        rule["order"] = {"tags": [random.choice(["gift", "fragile", "express"])], "city": random.sample(CITIES, 6)}
    return rule


def _open_rule(random: Random, width: int) -> dict[str, Any]:
    """No field with an exact value; `width` from 1 widens what is asked of the order's total."""
    low = random.randrange(40_000)
    total = [{"numeric": [">=", low, "<", low + 3000 * width]}]
    others: list[dict[str, Any]] = [
        {"customer": {"email": [{"suffix": "@corp.example"}]}},
        {"customer": {"email": [{"wildcard": f"person{random.randrange(100)}*@*.example"}]}},
        {"order": {"city": [{"prefix": random.choice("MSKPTV")}]}},
        {"data": {"status": [{"anything-but": random.sample(STATUSES, 3)}]}},
        {"data": {"refund": [{"exists": False}]}, "customer": {"segment": [{"equals-ignore-case": "VIP"}]}},
        {"customer": {"ip": [{"cidr": f"10.{random.randrange(4)}.0.0/16"}]}},
        {"type": [{"prefix": random.choice(["order.", "payment.", "stock."])}]},
        {"$or": [{"order": {"city": [{"suffix": "a"}]}}, {"customer": {"segment": [{"prefix": "w"}]}}]},
    ]
    rule = random.choice(others)
    return {**rule, "order": {"total": total, **rule.get("order", {})}}


def rules(random: Random, types: int, width: int) -> Rules:
    """500 rules; more `types` a rule and more `width` make more of them match."""
    makers: list[Callable[[], dict[str, Any]]] = [lambda: _exact_rule(random, types)] * 4
    makers.append(lambda: _open_rule(random, width))
    return {f"rule-{n}": makers[n % 5]() for n in range(RULES)}


def _rates(each: Callable[[str], Any], texts: list[str]) -> tuple[float, float]:
    """Events a second, the median and the best of short runs; no run sees an event of another."""
    rates = []
    for at in range(0, len(texts), A_RUN):
        start = process_time()
        for text in texts[at : at + A_RUN]:
            each(text)
        rates.append(min(A_RUN, len(texts) - at) / (process_time() - start))
    return median(rates), max(rates)


def _indexed(load: Rules, seen: list[dict[str, Any]]) -> Callable[[str], Any]:
    match, loads = compile_index(load).match, json.loads
    for event in seen:
        match(event)
    return lambda text: match(loads(text))


def _check(index: Index, load: Rules, texts: list[str]) -> None:
    """Raises unless the index finds exactly the rules the slow matcher finds."""
    for text in texts:
        found = index.match(json.loads(text))
        expected = {name for name, pattern in load.items() if slow_matches(pattern, text)}
        assert len(found) == len(set(found)), "an id came twice"
        assert set(found) == expected, f"not exact: {set(found) ^ expected} for {text}"


def _moto(load: Rules) -> Callable[[str], Any]:
    patterns = [EventPattern(None, pattern) for pattern in load.values()]

    def each(text: str) -> None:
        event = json.loads(text)
        for pattern in patterns:
            pattern.matches_event(event)

    return each


def run() -> dict[str, float]:
    """The figures by name: events a second (CPU time of one core), and how many rules an event met."""
    seen = [_event(Random(n)) for n in range(SEEN)]
    texts = [json.dumps(_event(Random(SEEN + n)), separators=(",", ":")) for n in range(EVENTS)]
    loads = {"20": rules(Random(7), *TWENTY), "100": rules(Random(7), *HUNDRED)}
    figures: dict[str, float] = {}
    for name, load in loads.items():
        index = compile_index(load)
        _check(index, load, texts[:CHECKED])
        figures[f"matches_an_event_{name}"] = mean(len(index.match(json.loads(text))) for text in texts)
        _note(figures, name, _rates(_indexed(load, seen), texts))
    few = dict(list(loads["20"].items())[:20])
    _note(figures, "of_20_rules", _rates(_indexed(few, seen), texts))
    _note(figures, "json_loads_only", _rates(json.loads, texts))
    _note(figures, "moto", _rates(_moto(loads["20"]), texts[:FOR_MOTO]))
    start = process_time()
    compile_index(loads["20"])
    figures["compile_500_rules_ms"] = 1000 * (process_time() - start)
    return figures


def _note(figures: dict[str, float], name: str, rates: tuple[float, float]) -> None:
    figures[f"events_a_second_{name}"], figures[f"events_a_second_{name}_best_run"] = rates


def main() -> None:
    for name, value in run().items():
        print(f"{name:42} {value:12,.1f}")


if __name__ == "__main__":
    main()
