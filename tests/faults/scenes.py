"""Whole stories that go wrong otherwise: deliveries repeated and reordered, slow sends, edited rules, odd feedback."""

from collections.abc import Callable
from datetime import timedelta
from typing import Any

from infra.world import World
from infra.world.faults import Call, Fault, none
from infra.world.world import as_reported
from tests.faults import story
from tests.faults.inject import PROVIDERS
from vestnik import resources
from vestnik.store import settings

SLOW = timedelta(minutes=4)  # longer than any lease
REDELIVERED = timedelta(minutes=7)  # longer than a queue hides what is being worked on

type Scene = Callable[[World, str], None]


def every_event_twice(world: World, shop: str) -> None:
    """The back end posts each event twice."""
    story.play(world, shop, twice=True)


def every_event_in_reverse(world: World, shop: str) -> None:
    """The events come one by one, the last first."""
    story.play(world, shop, backwards=True)


def slow_sends(world: World, shop: str) -> None:
    """The first send by each provider takes longer than its lease, and then succeeds."""
    met: set[str] = set()

    def fault(call: Call) -> Fault | None:
        if call.service not in PROVIDERS or call.service in met:
            return None
        met.add(call.service)
        return Fault("after", "none", slow=SLOW)

    world.faults = fault
    story.play(world, shop)
    world.faults = none


def redelivered_during_a_slow_send(world: World, shop: str) -> None:
    """While the first letter is on its way, its queue message comes again to another process, its lease over."""
    met = False

    def fault(call: Call) -> Fault | None:
        nonlocal met
        if call.service != "sesv2" or met:
            return None
        met = True
        return Fault(how="none", meanwhile=lambda: world.advance_to(call.at + REDELIVERED))

    world.faults = fault
    story.play(world, shop)
    world.faults = none


def lost_answers_and_slow_sends(world: World, shop: str) -> None:
    """Every first send is done, takes longer than its lease, and its answer is lost."""
    met: set[str] = set()

    def fault(call: Call) -> Fault | None:
        if call.service not in PROVIDERS or call.service in met:
            return None
        met.add(call.service)
        return Fault("after", "timeout", slow=timedelta(seconds=9))

    world.faults = fault
    story.play(world, shop)
    world.faults = none


def rule_edited_between_two_tries(world: World, shop: str) -> None:
    """The evaluation dies before it hands its messages on, and before it comes again a rule names somebody else."""
    died = False

    def fault(call: Call) -> Fault | None:
        nonlocal died
        if died or (call.function, call.operation) != ("evaluate-events", "SendMessageBatch"):
            return None
        died = True
        with resources.use(world.account.variables(world.account.functions["manage-shop"])):
            edit_rules(world, shop)
        return Fault("before", "die")

    world.faults = fault
    story.play(world, shop)
    world.faults = none


def edit_rules(world: World, shop: str) -> None:
    """Let the rules "soon" and "own-server" tell others than before."""
    found = settings.current(shop, world.now())
    for id in ("soon", "own-server"):
        recipient = {"kind": "address", "address": f"other-{id}@example.com", "name": "Other"}
        body = {**found.rules[id], "recipients": [recipient]}
        settings.put(shop, "rule", id, body, by="test", now=world.now())


def with_feedback(tell: Callable[[str, timedelta, dict[str, Any]], Any]) -> Scene:
    """The story with the providers' events told in a way of their own."""

    def scene(world: World, shop: str) -> None:
        world.feedback = tell
        story.play(world, shop)
        world.feedback = as_reported

    return scene


SCENES: dict[str, Scene] = {
    "every event twice": every_event_twice,
    "events in reverse order": every_event_in_reverse,
    "slow sends outlive their leases": slow_sends,
    "a letter is redelivered during its own slow send": redelivered_during_a_slow_send,
    "every provider's first answer is lost": lost_answers_and_slow_sends,
    "a rule is edited between two tries": rule_edited_between_two_tries,
    "feedback is dropped": with_feedback(lambda topic, delay, event: []),
    "feedback is delayed by five minutes": with_feedback(
        lambda topic, delay, event: [(delay + timedelta(minutes=5), event)]
    ),
    "feedback is repeated": with_feedback(lambda topic, delay, event: [(delay, event), (delay * 2, event)]),
    "feedback comes in reverse": with_feedback(
        lambda topic, delay, event: [(max(timedelta(0), timedelta(seconds=4) - delay), event)]
    ),
}
