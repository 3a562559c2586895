"""The best accuracy to buy: by hand-made laws and prices whose best is known."""

import numpy as np
import pytest
from test_decision import SIZES, runs

from core.training.curve import UNCERTAIN, fit
from core.training.optimum import next_point, optimum
from core.training.points import Measured, pareto, usd_per_point

EXPONENT = 0.4
CURVE = fit(runs(EXPONENT), "data")
A = 2.0
"""Error A · images^-EXPONENT."""


def straight(usd: float):
    """A business in which accuracy is worth ``usd`` for all of it."""
    return lambda accuracies: usd * (accuracies - 0.9)


def by_image(price: float):
    return lambda size: price * size


def best_size(usd: float, price: float) -> float:
    """Where usd · A · b · n^(-b-1) = price."""
    return (usd * A * EXPONENT / price) ** (1 / (1 + EXPONENT))


@pytest.mark.parametrize("wanted", [6_000.0, 20_000.0, 70_000.0])
def test_the_best_is_where_one_more_image_is_worth_what_it_costs(wanted):
    price = 0.01
    usd = price * wanted ** (1 + EXPONENT) / (A * EXPONENT)
    assert best_size(usd, price) == pytest.approx(wanted)
    found = optimum(CURVE, straight(usd), by_image(price))
    assert found.sizes[found.best] == pytest.approx(wanted, rel=0.15)
    assert found.sizes[found.low] <= wanted <= found.sizes[found.high]
    assert not found.at_edge
    expected = usd * (found.accuracy - 0.9) - price * found.sizes
    assert found.gain.mid == pytest.approx(expected, abs=0.01 * usd)
    assert (found.gain.low <= found.gain.mid).all() and (found.gain.mid <= found.gain.high).all()


def test_dearer_accuracy_buys_more_and_dearer_images_less():
    def best(usd, price):
        return optimum(CURVE, straight(usd), by_image(price)).best

    assert best(1e5, 0.01) < best(1e6, 0.01)
    assert best(1e6, 0.1) < best(1e6, 0.01)
    assert best(1e4, 1e3) == 0


def test_where_it_costs_nothing_more_is_better_as_far_as_the_curve_goes():
    found = optimum(CURVE, straight(1e6), by_image(0.0))
    assert found.at_edge
    assert found.sizes[[0, -1]] == pytest.approx([SIZES[0], UNCERTAIN * SIZES[-1]])
    assert (found.cost == 0).all()


def test_where_accuracy_is_worth_nothing_there_is_no_best():
    assert optimum(CURVE, np.zeros_like, by_image(0.01)) is None


def test_each_draw_has_its_own_best_and_the_band_is_that_of_the_accuracy():
    found = optimum(CURVE, straight(1.0), by_image(0.0))
    band = CURVE.accuracy(found.sizes)
    assert found.gain.low == pytest.approx(band.low - 0.9, abs=1e-3)
    assert found.gain.high == pytest.approx(band.high - 0.9, abs=1e-3)


def test_the_next_point_costs_the_images_that_bring_it():
    found = next_point(CURVE, by_image(0.01))
    now = 1 - A * SIZES[-1] ** -EXPONENT
    assert (found.now, found.step) == (pytest.approx(now, abs=0.001), 0.01)
    images = ((1 - now - 0.01) / A) ** (-1 / EXPONENT)
    assert found.mid == pytest.approx(0.01 * (images - SIZES[-1]), rel=0.05)
    assert found.low < found.mid
    assert found.high is None or found.high > found.mid


def test_where_a_point_is_out_of_reach_the_price_is_that_of_a_tenth():
    good = fit([Measured("run", n, 1.0, 0.0, 1 - 0.2 * n**-0.4, n) for n in SIZES], "data")
    found = next_point(good, by_image(0.01))
    assert found.step == 0.001
    perfect = fit([Measured("run", n, 1.0, 0.0, 1 - 0.02 * n**-0.4, n, 10**7) for n in SIZES], "data")
    assert next_point(perfect, by_image(0.01)) is None


def test_along_the_frontier_each_run_says_what_its_further_points_cost():
    points = [
        Measured("run", 1.0, 1.0, usd, accuracy)
        for usd, accuracy in ((1, 0.9), (3, 0.94), (9, 0.95), (5, 0.93))
    ]
    assert usd_per_point(pareto(points)) == [None, pytest.approx(0.5), pytest.approx(6.0)]
    assert usd_per_point([]) == []
