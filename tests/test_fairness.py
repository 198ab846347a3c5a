"""Fairness: a shop that posts 100,000 events at once delays itself, not its neighbour."""

from statistics import median

import pytest

from benchmarks import fairness


@pytest.fixture(scope="module")
def quiet() -> float:
    """Seconds a message of the quiet shop waits when nobody else posts."""
    return median(fairness.waits(0))


@pytest.mark.slow
def test_a_quiet_shop_waits_at_most_twice_as_long_under_a_neighbours_hundred_thousand_events(quiet: float) -> None:
    assert max(fairness.waits(100_000)) <= 2 * quiet


def test_a_quiet_shops_burst_of_ten_waits_at_most_twice_as_long_too(quiet: float) -> None:
    assert max(fairness.waits(20_000, every=10, count=3)) <= 2 * quiet


def test_the_noisy_shop_gets_what_its_neighbours_leave() -> None:
    shops = fairness.Shops()
    shops.run([(0.0, fairness.NOISY)] * 2_000, 30)
    allowed = 30 * 14  # SES's starting rate a second
    assert 0.8 * allowed <= len(shops.waits[fairness.NOISY]) <= allowed
