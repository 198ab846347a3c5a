"""Rendering: milliseconds a letter, here and in the guarded child; the child's memory; how soon a bomb is cut."""

import sys
import time
from collections.abc import Callable
from pathlib import Path

from jinja2 import Environment

from vestnik.errors import Refused
from vestnik.rendering.checks import check
from vestnik.rendering.publish import publish
from vestnik.rendering.render import Renderer, Source

LETTER = Source(
    channel="email",
    subject="Order {{ order.number }}",
    preheader="{{ order.total|money }}",
    html="<p>Hello, {{ customer.name }}</p>{{ order_table(order) }}{{ button(order.url, 'Open') }}",
    text="Hello, {{ customer.name }}\n{% for item in order['items'] %}- {{ item.name }}\n{% endfor %}",
)
FACTS = {
    "order": {
        "number": "A-17",
        "url": "https://shop.example/o/17",
        "items": [
            {"name": f"Tea {n}", "quantity": n, "total": {"amount": n * 995, "currency": "EUR"}} for n in range(5)
        ],
        "total": {"amount": 9950, "currency": "EUR"},
    },
    "customer": {"name": "O'Neil"},
    "shop": {"name": "Leaf", "url": "https://shop.example"},
}
LOOPS = "{% for i in range(9999) %}" * 3 + "{% endfor %}" * 3


def run(rounds: int = 300) -> dict[str, float]:
    """Figures by name: `*_ms` milliseconds, `*_mb` resident megabytes, `bare_ms` Jinja2 alone as the floor."""
    published = publish(LETTER)
    bare = Environment(autoescape=True).from_string(LETTER.text)  # the floor: the same engine, none of our rules
    with Renderer() as renderer:
        figures = {
            "bare_text_ms": _milliseconds(lambda: bare.render(FACTS), rounds),
            "trusted_ms": _milliseconds(lambda: renderer.render(published, FACTS, trusted=True), rounds),
            "first_in_child_ms": _milliseconds(lambda: renderer.render(published, FACTS, trusted=False), 1),
            "child_ms": _milliseconds(lambda: renderer.render(published, FACTS, trusted=False), rounds),
            "child_idle_mb": _resident(renderer.guard.pid),
            "check_ms": _milliseconds(lambda: check("email", html=LETTER.html, guard=renderer.guard), 10),
            "bomb_ms": _milliseconds(lambda: _refused(renderer), 1),
        }
    return {name: round(value, 3) for name, value in figures.items()}


def _milliseconds(action: Callable[[], object], rounds: int) -> float:
    if rounds > 1:
        action()
    started = time.perf_counter()
    for _ in range(rounds):
        action()
    return (time.perf_counter() - started) / rounds * 1000


def _refused(renderer: Renderer) -> None:
    try:
        renderer.render(Source("sms", text=LOOPS), FACTS, trusted=False)
    except Refused:
        return
    raise AssertionError("the bomb went off")


def _resident(pid: int | None) -> float:
    status = Path(f"/proc/{pid}/status")
    lines = status.read_text().splitlines() if status.exists() else []
    return next((int(line.split()[1]) / 1024 for line in lines if line.startswith("VmRSS")), float("nan"))


if __name__ == "__main__":
    for name, value in run().items():
        sys.stdout.write(f"{name:>20} {value}\n")
