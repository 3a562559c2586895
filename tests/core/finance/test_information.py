"""The value of information against closed forms of the newsvendor with normal demand."""

import numpy as np
import pytest
from plans import EXAMPLE, NOBODY_ELSE, with_values
from scipy.special import ndtri
from scipy.stats import norm, qmc
from test_sensitivity import with_drivers

from core.finance import simulate
from core.finance.draws import varying
from core.finance.information import CHANCE, IDLE, decide, evppi, learn_next, worth
from core.i18n import Refusal
from core.venture import Amount

WEIGHTS = np.array([3.0, 2.0, 1.0, 0.5, 0.0])
SPREAD = float(np.sqrt((WEIGHTS**2).sum() + 1))


def linear(count, seed=1):
    """Five known normal parts and one unknown one, and the need 100 + Σ wᵢ xᵢ + ε."""
    sequence = qmc.Sobol(6, rng=np.random.default_rng(seed))
    parts = ndtri(np.clip(sequence.random(count), 1e-9, 1 - 1e-9)).T
    return parts, 100 + WEIGHTS @ parts[:5] + parts[5]


def closed_form(chance, idle):
    """With N(μ, s²) left, the least loss is (idle + short) s φ(z), z = Φ⁻¹(1 − chance), idle + short = idle / chance."""
    left = np.sqrt(SPREAD**2 - WEIGHTS**2)
    return idle / chance * norm.pdf(norm.ppf(1 - chance)) * (SPREAD - left)


@pytest.mark.parametrize(("chance", "idle"), [(0.2, 0.2), (0.05, 0.2), (0.5, 1.0), (0.2, 3.0)])
@pytest.mark.parametrize("count", [1024, 8192])
def test_the_value_of_knowing_a_part_of_a_normal_sum_is_the_closed_form(chance, idle, count):
    parts, need = linear(count)
    perfect = idle / chance * norm.pdf(norm.ppf(1 - chance)) * SPREAD
    for part, wanted in zip(parts, closed_form(chance, idle), strict=False):
        value, error = evppi(part, need, chance, idle)
        assert abs(value - wanted) < 3 * error
        assert abs(value - wanted) < (0.04 if count == 1024 else 0.015) * perfect


def test_without_the_correction_chance_finds_would_pass_for_knowledge():
    """A part that is not in the need has no value; over many seeds the estimate is 0 on average."""
    found = []
    for seed in range(60):
        random = np.random.default_rng(seed)
        found.append(evppi(random.normal(size=1024), random.normal(size=1024), 0.2, 0.2))
    values, errors = np.array(found).T
    assert abs(values.mean()) < 4 * values.std() / np.sqrt(60)
    assert 0.5 * values.std() < errors.mean() < 3 * values.std()


def test_knowing_the_need_itself_is_worth_all_of_the_loss():
    _parts, need = linear(8192)
    value, _error = evppi(need, need, 0.2, 0.2)
    assert value == pytest.approx(norm.pdf(norm.ppf(0.8)) * SPREAD, rel=0.04)


def test_a_part_and_its_opposite_are_worth_the_same():
    parts, need = linear(4096)
    one, _error = evppi(parts[0], need, 0.2, 0.2)
    other, _error = evppi(-parts[0], need, 0.2, 0.2)
    assert one == pytest.approx(other, rel=0.05)


def test_the_value_does_not_depend_on_how_the_part_is_measured():
    parts, need = linear(1024)
    assert evppi(np.exp(parts[1] / 3), need, 0.2, 0.2) == evppi(parts[1], need, 0.2, 0.2)


# On the plan


def normal_plan():
    """A plan whose need is a normal sum: cash starts at x + y and ends higher each month."""
    venture = with_values({**NOBODY_ELSE, "new_customers_first": 0.0, "salary": 0.0, "experiments_per_month": 0.0,
                           "infrastructure_fixed": 0.0, "training_runs_per_month": 0.0})  # fmt: skip
    return venture.with_driver("cash_first", Amount.interval(-6e6, -2e6, "normal"))


def test_one_uncertain_driver_carries_all_of_the_loss():
    simulation = simulate(normal_plan(), 8192)
    deviation = 4e6 / (2 * 1.6448536)
    decision = decide(simulation)
    loss = IDLE / CHANCE * norm.pdf(norm.ppf(0.8)) * deviation
    assert decision.loss == pytest.approx(loss, rel=0.01)
    assert decision.amount == pytest.approx(4e6 + norm.ppf(0.8) * deviation, rel=0.005)
    (only,) = learn_next(simulation)
    assert only.driver_key == "cash_first"
    assert only.evppi == pytest.approx(decision.loss, rel=0.05)


def test_the_best_raise_is_the_funding_need():
    simulation = simulate(EXAMPLE, 1024)
    for chance in (0.05, 0.2, 0.5):
        # A quantile of draws lies between two of them; the raise is one of the two.
        assert decide(simulation, chance).amount == pytest.approx(simulation.funding_need(chance), rel=0.01)


def test_all_uncertain_drivers_are_ranked_and_none_is_worth_less_than_nothing():
    simulation = simulate(EXAMPLE, 8192)
    found = learn_next(simulation)
    values = [one.evppi for one in found]
    assert values == sorted(values, reverse=True)
    assert {one.driver_key for one in found} == set(varying(EXAMPLE))
    assert all(one.evppi >= 0 and one.error > 0 for one in found)
    assert all(one.evppi == 0 for one in found if one.clipped)
    assert found[0].driver_key == "cac"
    assert values[0] < decide(simulation).loss


def test_a_thousand_draws_find_what_eight_thousand_find():
    few = {one.driver_key: one for one in learn_next(simulate(EXAMPLE, 1024))}
    for one in learn_next(simulate(EXAMPLE, 8192)):
        other = few[one.driver_key]
        assert abs(other.evppi - one.evppi) < 3 * (other.error + one.error)


def test_the_price_of_idle_money_scales_every_value_and_leaves_the_order():
    simulation = simulate(EXAMPLE, 1024)
    one, ten = learn_next(simulation, idle=0.1), learn_next(simulation, idle=1.0)
    assert [v.driver_key for v in one if v.evppi] == [v.driver_key for v in ten if v.evppi]
    assert [10 * v.evppi for v in one] == pytest.approx([v.evppi for v in ten])


def test_a_plan_that_never_needs_money_has_nothing_to_learn_for():
    rich = EXAMPLE.with_driver("cash_first", Amount.point(1e12))
    simulation = simulate(rich, 1024)
    assert decide(simulation).amount == decide(simulation).loss == 0
    assert all((one.evppi, one.error, one.clipped) == (0, 0, False) for one in learn_next(simulation))


def test_a_driver_that_nothing_depends_on_is_worth_nothing_within_its_error():
    venture = with_drivers(EXAMPLE, idle_thought=Amount.interval(1, 2, "normal"))
    found = {one.driver_key: one for one in learn_next(simulate(venture, 8192))}["idle_thought"]
    assert found.evppi <= 2 * found.error


@pytest.mark.parametrize(
    ("asked", "why"),
    [
        ({"chance": 0.0}, "The chance of running out of cash is 0.0; from 0.01 to 0.99"),
        ({"chance": 1.0}, "The chance of running out of cash is 1.0; from 0.01 to 0.99"),
        ({"idle": 0.0}, "The cost of a unit that is not needed is 0.0; it must be above 0"),
        ({"idle": float("nan")}, "The cost of a unit that is not needed is nan; it must be above 0"),
    ],
)
def test_a_price_or_a_chance_that_makes_no_sense_is_refused(asked, why):
    for question in (learn_next, decide):
        with pytest.raises(Refusal, match=why):
            question(simulate(EXAMPLE, 256), **asked)


def test_too_few_draws_are_refused():
    with pytest.raises(Refusal, match=r"The simulation has 128 draws; .* at least 256"):
        learn_next(simulate(EXAMPLE, 128))


def test_several_drivers_are_worth_at_least_what_the_best_of_them_is_and_no_more_than_all_that_is_unknown():
    simulation = simulate(EXAMPLE, 8192)
    alone = {one.driver_key: one.evppi for one in learn_next(simulation)}
    pair = ["cac", "growth_first"]
    assert worth(simulation, ["cac"]) == alone["cac"]
    assert max(alone[key] for key in pair) < worth(simulation, pair) < decide(simulation).loss
    assert worth(simulation, [*pair, "cac"]) == worth(simulation, pair)
    assert worth(simulation, []) == 0
    assert worth(simulation, varying(EXAMPLE)) > 0.5 * decide(simulation).loss
