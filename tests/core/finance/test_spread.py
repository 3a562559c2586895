"""Uncertain drivers: one draw a path, spread as stated, and what is read off many paths."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from plans import EXAMPLE, line, numbers, with_values
from scipy.stats import kstest, norm, spearmanr

from core.finance import Simulation, model_of, project, simulate
from core.finance.draws import MAX_DRAWS, draws, medians, share_error, spearman_squared, varying
from core.finance.engine import BLOCK, evaluate
from core.i18n import Refusal
from core.venture import Amount


def simulation(cash):
    """A simulation that holds nothing but cash, shape (months + 1, draws)."""
    cash = np.asarray(cash, dtype=float)
    return Simulation(EXAMPLE, {"cash": cash}, {}, cash.shape[1])


# Draws


def test_a_driver_has_one_number_a_path_and_a_point_never_varies():
    drawn = draws(EXAMPLE, 64)
    assert list(drawn) == [driver.key for driver in EXAMPLE.drivers]
    for driver in EXAMPLE.drivers:
        assert drawn[driver.key].shape == (64,)
        spread = np.ptp(drawn[driver.key])
        assert (spread == 0) == driver.amount.is_point, driver.key
    assert varying(EXAMPLE) == [driver.key for driver in EXAMPLE.drivers if not driver.amount.is_point]


def test_the_draws_of_each_driver_are_spread_as_its_range_says():
    drawn = draws(EXAMPLE, 4096)
    for driver in EXAMPLE.drivers:
        if driver.amount.is_point:
            continue
        low, high = driver.amount.ends()
        found = drawn[driver.key]
        # A scrambled Sobol sequence puts the same share of points below a quantile, to within a few points.
        assert np.mean(found < low) == pytest.approx(0.05, abs=2 / 1024), driver.key
        assert np.mean(found > high) == pytest.approx(0.05, abs=2 / 1024), driver.key
        assert np.mean(found < driver.amount.median) == pytest.approx(0.5, abs=2 / 1024), driver.key
        if driver.distribution == "lognormal":
            scale = np.log(found / driver.amount.median) / (np.log(high / low) / (2 * norm.ppf(0.95)))
            assert kstest(scale, "norm").statistic < 0.005, driver.key


def test_drivers_are_drawn_independently_of_each_other():
    drawn = draws(EXAMPLE, 4096)
    keys = varying(EXAMPLE)
    table = np.array([drawn[key] for key in keys])
    correlation = spearmanr(table.T).statistic - np.eye(len(keys))
    assert np.abs(correlation).max() < 0.06


def test_the_same_seed_gives_the_same_draws_and_another_seed_others():
    assert all(
        (a == b).all() for a, b in zip(draws(EXAMPLE, 64).values(), draws(EXAMPLE, 64).values(), strict=True)
    )
    one, two = draws(EXAMPLE, 64, seed=1), draws(EXAMPLE, 64, seed=2)
    assert not (one["cac"] == two["cac"]).all()


def test_a_driver_keeps_its_draws_when_another_changes_its_range():
    changed = EXAMPLE.with_driver("cac", Amount.interval(1, 2))
    one, two = draws(EXAMPLE, 64), draws(changed, 64)
    assert [key for key in one if not (one[key] == two[key]).all()] == ["cac"]
    # The same path is as lucky in the new range as in the old.
    assert (np.argsort(one["cac"]) == np.argsort(two["cac"])).all()


@pytest.mark.parametrize("count", [-2, 0, 1, 3, 100, 1000, MAX_DRAWS * 2])
def test_a_number_of_draws_that_is_no_power_of_two_is_refused(count):
    with pytest.raises(
        Refusal, match=f"{count} draws are asked for; a power of two from 2 to {MAX_DRAWS} is allowed."
    ):
        draws(EXAMPLE, count)
    with pytest.raises(Refusal, match="a power of two"):
        simulate(EXAMPLE, count)


def test_medians_are_those_of_the_drivers():
    found = medians(EXAMPLE)
    assert {key: array.tolist() for key, array in found.items()} == {
        driver.key: [driver.amount.median] for driver in EXAMPLE.drivers
    }


# Paths


def test_each_path_is_the_projection_of_its_own_numbers():
    found = simulate(EXAMPLE, 16)
    for path in (0, 7, 15):
        alone = project(with_values({key: float(array[path]) for key, array in found.drivers.items()}))
        for key, array in found.lines.items():
            np.testing.assert_allclose(array[:, path], alone.lines[key], rtol=1e-10, atol=1e-6)


def test_a_plan_of_points_only_has_one_path():
    venture = with_values({})
    found = simulate(venture, 8)
    assert (np.ptp(found.lines["cash"], axis=1) == 0).all()
    assert (found.lines["cash"][:, 0] == project(venture).lines["cash"]).all()
    assert found.importance() == {}
    fan = found.fan("cash")
    assert (fan.p5 == fan.p95).all()


def test_a_round_in_an_uncertain_month_arrives_on_every_path_in_exactly_one_month():
    venture = EXAMPLE.with_driver("round_amount", Amount.point(1e6)).with_driver(
        "round_month", Amount.interval(6, 20)
    )
    drawn = draws(venture, 256)
    funding = evaluate(model_of(venture), drawn, 120, ["funding"])["funding"][1:]
    assert (np.count_nonzero(funding, axis=0) == 1).all()
    assert (funding.sum(axis=0) == 1e6).all()
    assert (funding.argmax(axis=0) + 1 == np.ceil(drawn["round_month"])).all()
    assert project(venture).series("funding").sum() == 1e6


# Engine: what is kept, and blocks


SUBSETS = st.lists(st.sampled_from(sorted(model_of(EXAMPLE).lines)), min_size=1, max_size=5, unique=True)


@settings(max_examples=25)
@given(SUBSETS)
def test_any_choice_of_lines_in_blocks_of_any_filling_is_as_in_the_whole(wanted):
    """Arrays that are done with are used again for other lines: none may leak into another."""
    count = 2 * BLOCK + 3
    drawn = {key: np.resize(array, count) for key, array in draws(EXAMPLE, 4096).items()}
    some = evaluate(model_of(EXAMPLE), drawn, 8, wanted)
    assert list(some) == wanted
    for part in (slice(0, 5), slice(BLOCK - 2, BLOCK + 2), slice(count - 3, count)):
        alone = evaluate(model_of(EXAMPLE), {key: array[part] for key, array in drawn.items()}, 8)
        for key in wanted:
            assert (some[key][:, part] == alone[key]).all(), key


def test_lines_of_ones_own_are_kept_and_reused_like_the_plans():
    lines = [
        line("prev(a) + accuracy", key="a"),
        line("cumulative(flow) * a", key="b"),
        line("growth_first / one_month + prev(flow) / 2", "1/month", key="flow"),
        line("b - prev(b) + where(a > 3, a, -a)"),
    ]
    venture = EXAMPLE.with_lines(lines)
    model, drawn = model_of(venture), draws(venture, 64)
    whole = evaluate(model, drawn, 24)
    for key in ("a", "b", "flow", "mine"):
        assert (evaluate(model, drawn, 24, [key])[key] == whole[key]).all()
    month = np.arange(1, 25)[:, None]
    np.testing.assert_allclose(whole["a"][1:], month * drawn["accuracy"], rtol=1e-12)
    flow = drawn["growth_first"] * (2 - 0.5 ** (month - 1))
    np.testing.assert_allclose(whole["flow"][1:], flow, rtol=1e-12)
    np.testing.assert_allclose(whole["b"][1:], np.cumsum(flow, axis=0) * whole["a"][1:], rtol=1e-12)


# What is read off


def test_a_fan_holds_the_percentiles_of_each_month():
    cash = np.arange(101.0)[None, :] + 1000 * np.arange(4.0)[:, None]
    fan = simulation(cash).fan("cash")
    for name, share in (("p5", 5), ("p25", 25), ("p50", 50), ("p75", 75), ("p95", 95)):
        assert getattr(fan, name).tolist() == [1000 + share, 2000 + share, 3000 + share]


CASH = st.lists(st.lists(st.floats(-100, 100), min_size=4, max_size=4), min_size=2, max_size=40).map(
    lambda rows: np.array(rows).T
)


@given(CASH)
def test_the_chance_of_running_out_is_the_share_of_paths_that_do(cash):
    found = simulation(cash)
    wanted = sum(any(value < 0 for value in path[1:]) for path in cash.T) / cash.shape[1]
    assert found.p_cash_out == pytest.approx(wanted)
    assert 0 <= found.p_cash_out <= 1
    assert 0 <= found.p_cash_out_error <= 0.5


@given(CASH)
def test_the_months_of_running_out_are_in_order_and_those_of_paths(cash):
    first = [next((t for t in range(1, 4) if path[t] < 0), None) for path in cash.T]
    low, middle, high = simulation(cash).cash_zero_months()
    assert {low, middle, high} <= {*first, None}
    in_order = [99 if month is None else month for month in (low, middle, high)]
    assert in_order == sorted(in_order)
    out = sum(month is not None for month in first) / len(first)
    if out == 1:
        assert None not in (low, middle, high)
    if out == 0:
        assert (low, middle, high) == (None, None, None)


def test_the_months_of_running_out_of_a_known_sample():
    """100 paths of which 30 run out in month 1, 30 in month 2, and 40 never."""
    cash = np.ones((4, 101))
    cash[1, :30] = cash[2, 30:60] = -1
    assert simulation(cash).cash_zero_months() == (1, 2, None)


@given(CASH, st.floats(0.0, 1.0))
def test_the_funding_need_leaves_no_more_than_the_chance_and_one_path(cash, chance):
    cash = np.vstack([np.zeros(cash.shape[1]), cash[1:]])
    need = simulation(cash).funding_need(chance)
    assert need >= 0
    still_out = simulation(cash + need + 1e-9).p_cash_out
    assert still_out <= chance + 1 / cash.shape[1] + 1e-9
    if need > 0:
        assert simulation(cash + 0.999 * need).p_cash_out >= still_out


def test_the_funding_need_falls_as_the_chance_that_is_taken_rises():
    found = simulate(EXAMPLE, 1024)
    needs = [found.funding_need(chance) for chance in (0.0, 0.05, 0.2, 0.5, 0.9, 1.0)]
    assert needs == sorted(needs, reverse=True)


# What matters


def test_importance_is_the_share_of_variance_of_a_sum_of_independent_parts():
    """y = 3 a + 4 b with equal spreads: 9/25 and 16/25 of its variance."""
    rng = np.random.default_rng(3)
    a, b, c = rng.normal(size=(3, 200_000))
    found = spearman_squared({"a": a, "b": b, "c": c, "constant": np.ones(200_000)}, 3 * a + 4 * b)
    # Rank correlation of normals: (6/π) asin(r/2), for r = 0.6 and 0.8.
    assert found["a"] == pytest.approx((6 / np.pi * np.arcsin(0.3)) ** 2, abs=0.005)
    assert found["b"] == pytest.approx((6 / np.pi * np.arcsin(0.4)) ** 2, abs=0.005)
    assert found["c"] < 0.001
    assert found["constant"] == 0
    assert set(spearman_squared({"a": a}, np.ones(200_000)).values()) == {0.0}


@given(st.lists(st.tuples(numbers(-5, 5), st.integers(0, 3)), min_size=3, max_size=60))
def test_importance_is_the_squared_rank_correlation_ties_included(pairs):
    x, y = (np.array(column, dtype=float) for column in zip(*pairs, strict=True))
    found = spearman_squared({"x": x}, y)["x"]
    if np.ptp(x) == 0 or np.ptp(y) == 0:
        assert found == 0
    else:
        assert found == pytest.approx(spearmanr(x, y).statistic ** 2, abs=1e-12)


def test_importance_does_not_depend_on_the_order_of_paths():
    """Many paths are at their lowest before month 1 and so share one value: their order must not count."""
    rich = EXAMPLE
    for key, amount in (
        ("price_per_seat", Amount.interval(500, 3000)),
        ("seats_per_customer", Amount.interval(20, 200)),
        ("receivable_days", Amount.point(0)),
        ("cac", Amount.interval(1000, 9000)),
    ):
        rich = rich.with_driver(key, amount)
    found = simulate(rich, 1024)
    lowest = found.lines["cash"].min(axis=0)
    assert np.mean(lowest == lowest.max()) > 0.2
    shuffled = np.random.default_rng(0).permutation(1024)
    keys = varying(rich)
    one = spearman_squared({key: found.drivers[key] for key in keys}, lowest)
    other = spearman_squared({key: found.drivers[key][shuffled] for key in keys}, lowest[shuffled])
    assert one == pytest.approx(other, abs=1e-12)


def test_the_error_of_a_share_is_the_binomial_one_and_never_nothing():
    assert share_error(0.3, 1000) == pytest.approx((0.3 * 0.7 / 1000) ** 0.5)
    assert share_error(0.0, 1000) == share_error(1.0, 1000) == pytest.approx(1e-3, rel=1e-2)
