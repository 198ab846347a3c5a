"""A sample of the fault suite over the market's cycles; `make faults` runs more of it."""

from collections.abc import Iterator

import pytest

from infra.world import World
from tests.faults import market_inject
from tests.faults.inject import lot
from tests.faults.market_run import MarketBench
from tests.faults.market_scenes import SCENES
from tests.faults.market_story import CYCLES
from tests.faults.run import START

pytestmark = pytest.mark.slow

SAMPLE = {"stock": 1, "orders": 1}
TOLD = ("stock: an old number comes after newer ones",)


@pytest.fixture(scope="module")
def benches() -> Iterator[dict[str, MarketBench]]:
    """A bench for each cycle, in one world."""
    with World(start=START) as world:
        yield {name: MarketBench(world, cycle) for name, cycle in CYCLES.items()}


@pytest.mark.parametrize("name", CYCLES)
def test_a_cycle_without_faults_comes_to_what_its_story_says(benches: dict[str, MarketBench], name: str) -> None:
    bench = benches[name]
    assert bench.verdict.good, bench.verdict
    asked = {place.service for place in bench.places}
    assert {"dynamodb", "sqs", *CYCLES[name].marketplaces} <= asked


@pytest.mark.parametrize(("name", "number"), [(name, n) for name, count in SAMPLE.items() for n in range(count)])
def test_a_fault_in_a_cycle_loses_nothing_and_does_nothing_twice(
    benches: dict[str, MarketBench], name: str, number: int
) -> None:
    place, how = sorted(market_inject.faults(benches[name].places), key=lot)[number]
    _, verdict = benches[name].run(place, how)
    assert verdict.good, f"{place} {how}: {verdict}"


@pytest.mark.parametrize("name", TOLD)
def test_a_cycle_that_goes_wrong_otherwise_comes_right(benches: dict[str, MarketBench], name: str) -> None:
    verdict = benches[SCENES[name].cycle].scene(SCENES[name])
    assert verdict.good, verdict
