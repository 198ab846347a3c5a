"""A sample of the fault suite; `make faults` runs all of it."""

from collections.abc import Iterator

import pytest

from infra.world import World
from tests.faults.inject import lot
from tests.faults.run import START, Bench, all_faults
from tests.faults.scenes import SCENES

SAMPLE = 8
TICKING = ("sweep-due", "release-due")


@pytest.fixture(scope="module")
def bench() -> Iterator[Bench]:
    """A world for all runs of this file."""
    with World(start=START) as world:
        yield Bench(world)


def test_the_fault_free_story_uses_every_channel(bench: Bench) -> None:
    plugins = {outcome.plugin for outcome in bench.expected.values()}
    assert plugins == {"email_ses", "email_smtp", "sms_eum", "sms_sns", "telegram", "webhook"}
    assert all(outcome.state == "sent" and outcome.sent == 1 for outcome in bench.expected.values())


@pytest.mark.parametrize("number", range(SAMPLE))
def test_a_fault_loses_nothing_and_sends_nothing_twice(bench: Bench, number: int) -> None:
    place, how = sorted(all_faults(bench.places), key=lot)[number]
    hit, verdict = bench.run(place, how)
    # How many ticks of the clock hold work depends on where in its minute a run begins.
    assert hit or place.function in TICKING, f"{place} was not met"
    assert verdict.good, f"{place} {how}: {verdict}"


@pytest.mark.parametrize("name", SCENES)
def test_a_story_that_goes_wrong_otherwise_loses_nothing(bench: Bench, name: str) -> None:
    verdict = bench.scene(SCENES[name])
    assert verdict.good, verdict
