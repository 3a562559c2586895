"""What must hold in every plan, whatever the numbers are."""

import numpy as np
import pytest
from hypothesis import given, settings
from plans import EXAMPLE, values, with_scenario, with_values

from core.finance import project, simulate

MONEY = [
    "price_per_seat",
    "cac",
    "price_input",
    "price_cached",
    "price_output",
    "selfhost_request_cost",
    "error_cost",
    "support_per_customer",
    "infrastructure_fixed",
    "salary",
    "overhead_per_person",
    "hire1_salary",
    "hire2_salary",
    "training_run_cost",
    "experiments_per_month",
    "cash_first",
    "round_amount",
    "round2_amount",
]


def close(left, right, scale):
    """Equal to rounding, seen from the size of what was added up."""
    return np.testing.assert_allclose(
        left, right, rtol=1e-9, atol=1e-9 * max(1.0, float(np.max(np.abs(scale))))
    )


@settings(max_examples=40, deadline=None)
@given(values())
def test_cash_is_last_months_cash_and_what_came_in_and_went_out(numbers):
    lines = project(with_values(numbers)).lines
    close(
        lines["cash"][1:],
        lines["cash"][:-1] + lines["net_cash_flow"][1:] + lines["funding"][1:],
        lines["cash"],
    )


@settings(max_examples=40, deadline=None)
@given(values())
def test_the_movements_of_mrr_sum_to_its_change(numbers):
    lines = project(with_values(numbers)).lines
    moved = lines["new_mrr"] + lines["expansion_mrr"] - lines["contraction_mrr"] - lines["churned_mrr"]
    close(np.diff(lines["mrr"]), moved[1:], lines["mrr"])
    close(lines["mrr"], lines["activity"] * lines["recurring_per_customer"], lines["mrr"])


@settings(max_examples=40, deadline=None)
@given(values())
def test_customers_are_those_won_less_those_lost(numbers):
    lines = project(with_values(numbers)).lines
    lost = lines["lost_early_customers"] + lines["lost_settled_customers"]
    close(np.diff(lines["customers"]), (lines["new_customers"] - lost)[1:], lines["customers"])


@settings(max_examples=30, deadline=None)
@given(values())
def test_in_another_currency_every_amount_of_money_is_scaled_and_nothing_else_moves(numbers):
    one = project(with_values(numbers))
    other = project(with_values({**numbers, **{key: numbers[key] * 7.0 for key in MONEY}}))
    for key, line in one.model.lines.items():
        factor = 7.0 if line.unit.startswith("money") else 1.0
        close(other.lines[key], factor * one.lines[key], one.lines["cash"] if factor > 1 else one.lines[key])


@settings(max_examples=30, deadline=None)
@given(values())
def test_a_higher_price_at_the_same_demand_never_earns_less(numbers):
    low = project(with_values(numbers)).lines
    high = project(with_values({**numbers, "price_per_seat": numbers["price_per_seat"] * 1.5})).lines
    assert np.all(high["revenue"] >= low["revenue"] * (1 - 1e-12))
    close(high["customers"], low["customers"], low["customers"])


def test_a_scenario_that_changes_nothing_has_the_same_paths():
    venture = with_scenario(EXAMPLE, "same", {})
    base, same = simulate(venture, 256), simulate(venture, 256, scenario_id="same")
    np.testing.assert_array_equal(base.lines["cash"], same.lines["cash"])


def test_scenarios_share_the_draws_of_the_drivers_that_they_do_not_change():
    venture = with_scenario(EXAMPLE, "priced", {"price_per_seat": 100.0})
    base, priced = simulate(venture, 256), simulate(venture, 256, scenario_id="priced")
    for key in base.drivers:
        if key != "price_per_seat":
            np.testing.assert_array_equal(base.drivers[key], priced.drivers[key])
    np.testing.assert_array_equal(base.lines["customers"], priced.lines["customers"])


def test_a_draw_is_one_number_for_all_months():
    """With drivers constant over time the price per seat can be read back from any month."""
    simulation = simulate(EXAMPLE, 64)
    mrr, customers = simulation.lines["mrr"], simulation.lines["customers"]
    np.testing.assert_allclose(
        mrr[1] / customers[1], simulation.drivers["price_per_seat"] * simulation.drivers["seats_per_customer"]
    )


def test_another_seed_gives_other_paths_with_the_same_percentiles_to_sampling_error():
    one, two = simulate(EXAMPLE, 4096, seed=1), simulate(EXAMPLE, 4096, seed=2)
    assert not np.array_equal(one.lines["cash"], two.lines["cash"])
    a, b = one.fan("cash"), two.fan("cash")
    spread = a.p95 - a.p5
    for name in ("p5", "p25", "p50", "p75", "p95"):
        assert np.all(np.abs(getattr(a, name) - getattr(b, name)) <= 0.05 * spread), name


def test_the_spread_of_cash_is_that_of_an_independent_simulation():
    """Plain random draws from the stated distributions, through the plan written by hand."""
    from plain_plan import plain_plan

    rng = np.random.default_rng(7)
    drawn = {d.key: d.amount.at(rng.random(20_000)) for d in EXAMPLE.drivers}
    by_hand = np.asarray(plain_plan(drawn, 36)["cash"][36])
    ours = simulate(EXAMPLE, 8192).lines["cash"][36]
    width = np.percentile(by_hand, 95) - np.percentile(by_hand, 5)
    for percent in (5, 25, 50, 75, 95):
        assert abs(np.percentile(ours, percent) - np.percentile(by_hand, percent)) < 0.03 * width, percent


def test_the_funding_need_keeps_cash_above_zero_with_the_chance_asked_for():
    simulation = simulate(EXAMPLE, 1024)
    need = simulation.funding_need(0.2)
    more = EXAMPLE.driver("cash_first").amount.median + need
    from core.venture import Amount

    richer = simulate(EXAMPLE.with_driver("cash_first", Amount.point(more)), 1024)
    assert richer.p_cash_out == pytest.approx(0.2, abs=2 / 1024)


def test_importance_is_a_share_and_points_have_none():
    shares = simulate(EXAMPLE, 1024).importance()
    assert sum(shares.values()) == pytest.approx(1.0)
    assert "price_input" not in shares and shares["cac"] > shares["payment_fee"]
