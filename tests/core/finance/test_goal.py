"""Goal seek against closed forms, brute force and the simulation itself."""

import json
import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from plans import EXAMPLE, line, with_values
from test_sensitivity import with_drivers

from core.finance import project, simulate
from core.finance.draws import draws, medians, varying
from core.finance.goal import Goal, seek
from core.finance.outcome import outcome, values
from core.finance.report import goal_report
from core.i18n import Refusal
from core.venture import Amount

CASH = Goal("lowest_cash", at_least=0)
LIKELY = Goal("lowest_cash", at_least=0, probability=0.8)


def probability(venture, key, value, name, holds):
    """The share of draws that meet a goal with a driver at a point, by the plan itself."""
    drawn = draws(venture, 1024)
    drawn[key] = np.full(1024, value)
    return float(holds(values(venture, outcome(venture, name), drawn)).mean())


# Against closed forms


def test_the_cash_that_keeps_the_plan_above_zero_is_todays_less_the_lowest():
    found = seek(EXAMPLE, "cash_first", CASH)
    today = EXAMPLE.driver("cash_first").amount.median
    lowest = project(EXAMPLE).lines["cash"].min()
    assert found.reachable
    assert found.best.value == pytest.approx(today - lowest, rel=1e-4)
    assert found.best.value >= today - lowest
    assert found.best.outcome >= 0
    assert found.now.outcome == pytest.approx(lowest)
    assert found.best.probability is None


@settings(max_examples=10)
@given(st.floats(-3e6, 3e6), st.floats(0.05, 0.95))
def test_the_cash_for_a_chance_is_a_quantile_of_the_shortfall(level, p):
    found = seek(EXAMPLE, "cash_first", Goal("lowest_cash", at_least=level, probability=p))
    today = EXAMPLE.driver("cash_first").amount.median
    lowest = np.sort(values(EXAMPLE, outcome(EXAMPLE, "lowest_cash"), draws(EXAMPLE, 1024)))[::-1]
    exact = today + level - lowest[math.ceil(p * 1024 - 1e-9) - 1]
    if exact <= today:
        assert found.best.value == pytest.approx(min(today, exact), rel=1e-9) or found.best.value == today
    else:
        assert found.best.value == pytest.approx(exact, rel=1e-3)
    assert found.best.probability >= p


def test_a_round_that_is_not_planned_is_found_from_nothing():
    found = seek(EXAMPLE, "round_amount", LIKELY, scenario_id=None)
    assert EXAMPLE.driver("round_amount").amount.median == 0
    assert found.reachable
    # A round in month 12 comes before cash runs out on four paths of five, so it must be the funding need.
    assert found.best.value == pytest.approx(simulate(EXAMPLE).funding_need(0.2), rel=0.01)


def test_a_margin_is_met_by_the_price_that_solves_its_formula():
    """Gross margin m at revenue R and cost C + f R needs a price of C / (1 − f − m) per unit of R / price."""
    found = seek(EXAMPLE, "price_per_seat", Goal("gross_margin@12", at_least=0.7))
    projection = project(EXAMPLE)
    fee = EXAMPLE.driver("payment_fee").amount.median
    seats = projection.at("revenue", 12) / EXAMPLE.driver("price_per_seat").amount.median
    other = projection.at("cost_of_revenue", 12) - fee * projection.at("revenue", 12)
    assert found.best.value == pytest.approx(other / seats / (1 - fee - 0.7), rel=1e-4)


# Against the simulation


def test_the_answer_put_into_the_plan_has_the_probability_that_was_promised():
    found = seek(EXAMPLE, "price_per_seat", LIKELY)
    assert found.reachable
    changed = EXAMPLE.with_driver("price_per_seat", Amount.point(found.best.value))
    simulation = simulate(changed, 1024)
    assert 1 - simulation.p_cash_out == found.best.probability >= 0.8
    assert found.best.error == pytest.approx(simulation.p_cash_out_error)
    assert found.best.outcome == pytest.approx(np.median(simulation.lines["cash"].min(axis=0)))
    assert 1 - simulate(EXAMPLE, 1024).p_cash_out == found.now.probability < 0.8


def test_a_little_nearer_to_today_the_goal_is_not_met():
    for key, goal, holds in (
        ("price_per_seat", LIKELY, lambda x: x >= 0),
        ("price_per_seat", Goal("break_even", at_most=24, probability=0.6), lambda x: x <= 24),
        ("requests_per_seat", Goal("gross_margin@12", at_least=0.65, probability=0.5), lambda x: x >= 0.65),
    ):
        found = seek(EXAMPLE, key, goal)
        today = EXAMPLE.driver(key).amount.median
        nearer = found.best.value * (today / found.best.value) ** 0.01
        assert found.reachable
        assert found.best.probability >= goal.probability
        assert probability(EXAMPLE, key, found.best.value, goal.outcome, holds) == found.best.probability
        assert probability(EXAMPLE, key, nearer, goal.outcome, holds) < goal.probability


def test_what_is_met_today_stays_as_it_is():
    found = seek(EXAMPLE, "price_per_seat", Goal("arr@12", at_least=1.0, probability=0.9))
    assert found.reachable
    assert found.best.value == EXAMPLE.driver("price_per_seat").amount.median


def test_the_same_question_has_the_same_answer():
    assert seek.__wrapped__(EXAMPLE, "price_per_seat", LIKELY) == seek.__wrapped__(
        EXAMPLE, "price_per_seat", LIKELY
    )


def test_a_question_under_a_scenario_is_about_the_plan_under_it():
    here = seek(EXAMPLE, "price_per_seat", LIKELY, scenario_id="round")
    assert here == seek(EXAMPLE.under("round"), "price_per_seat", LIKELY)
    assert here.best.value < seek(EXAMPLE, "price_per_seat", LIKELY).best.value


# Goals that do not rise or fall throughout


def hill(today, low=None, high=None):
    """A plan whose line “mine” is exp(−(x − 3)²), with x at ``today``."""
    venture = with_drivers(with_values({}), x=Amount.point(today))
    return venture.with_lines([line("exp(-(x - 3) ** 2)")])


@pytest.mark.parametrize(("today", "side"), [(1.0, -1), (9.0, 1), (-4.0, -1)])
def test_of_two_ends_of_a_hill_the_one_nearer_to_today_is_found(today, side):
    found = seek(hill(today), "x", Goal("mine@6", at_least=0.5))
    assert found.reachable
    assert found.best.value == pytest.approx(3 + side * math.sqrt(math.log(2)), abs=2e-3)
    assert found.best.outcome >= 0.5


def test_in_a_valley_the_nearer_slope_is_found():
    found = seek(hill(3.2), "x", Goal("mine@6", at_most=0.5))
    assert found.best.value == pytest.approx(3 + math.sqrt(math.log(2)), abs=2e-3)


def test_a_hill_top_between_the_values_of_the_grid_is_found():
    found = seek(hill(50.0), "x", Goal("mine@6", at_least=0.99), bounds=(-60.0, 60.0))
    assert found.reachable
    assert found.best.value == pytest.approx(3.1, abs=0.01)


def test_a_hill_that_is_too_low_is_not_climbed():
    found = seek(hill(1.0), "x", Goal("mine@6", at_least=1.01))
    assert not found.reachable
    assert found.best.value == pytest.approx(3, abs=0.1)
    assert found.best.outcome == pytest.approx(1, abs=0.01)
    assert found.binding is None  # nothing else is uncertain


# Not reachable


def test_where_no_value_will_do_the_best_there_is_and_what_binds_are_told():
    goal = Goal("lowest_cash", at_least=0, probability=0.8)
    found = seek(EXAMPLE, "cac", goal)
    assert not found.reachable
    tried = {v: probability(EXAMPLE, "cac", v, "lowest_cash", lambda x: x >= 0) for v in (0.0, 1e3, 1e4, 1e5)}
    assert found.best.value == 0
    assert found.best.probability == tried[0.0] == max(tried.values())
    assert found.best.probability < 0.8
    assert found.binding is not None
    assert found.binding.probability > found.best.probability
    drawn = draws(EXAMPLE, 1024)
    drawn["cac"] = np.zeros(1024)
    helped = {}
    for key in set(varying(EXAMPLE)) - {"cac"}:
        for end in EXAMPLE.driver(key).amount.at(np.array([0.1, 0.9])):
            moved = {**drawn, key: np.full(1024, end)}
            helped[key, float(end)] = (values(EXAMPLE, outcome(EXAMPLE, "lowest_cash"), moved) >= 0).mean()
    best = max(helped.values())
    assert helped[found.binding.driver_key, found.binding.value] == found.binding.probability
    assert found.binding.probability >= best - 0.05  # chosen on a quarter of the draws


def test_where_no_draw_comes_near_the_goal_the_margin_still_ranks():
    found = seek(EXAMPLE, "cac", Goal("lowest_cash", at_least=1e9, probability=0.8))
    assert not found.reachable
    assert (found.best.value, found.best.probability) == (0, 0)
    assert found.binding is not None


def test_a_certain_goal_out_of_reach_names_the_driver_that_lifts_the_medians_most():
    found = seek(EXAMPLE, "churn_settled", Goal("ltv_to_cac", at_least=3))
    assert not found.reachable
    base = medians(EXAMPLE)
    base["churn_settled"] = np.array([found.best.value])
    lifted = {}
    for key in set(varying(EXAMPLE)) - {"churn_settled"}:
        for end in EXAMPLE.driver(key).amount.at(np.array([0.1, 0.9])):
            lifted[key, float(end)] = values(
                EXAMPLE, outcome(EXAMPLE, "ltv_to_cac"), {**base, key: np.array([end])}
            )[0]
    assert (found.binding.driver_key, found.binding.value) == max(lifted, key=lifted.__getitem__)
    assert found.binding.outcome == max(lifted.values())


def test_a_value_that_the_plan_cannot_take_is_passed_over():
    """LTV : CAC has no value at a CAC of 0, which the driver allows and the grid holds."""
    found = seek(EXAMPLE, "cac", Goal("ltv_to_cac", at_least=3))
    assert found.low == 0
    assert found.reachable
    assert 0 < found.best.value < EXAMPLE.driver("cac").amount.median


# Where it looks


def test_nothing_outside_the_bounds_is_tried():
    found = seek(EXAMPLE, "price_per_seat", LIKELY, bounds=(50.0, 100.0))
    assert not found.reachable
    assert (found.low, found.high) == (50, 100)
    assert 50 <= found.best.value <= 100


@pytest.mark.parametrize("key", [driver.key for driver in EXAMPLE.drivers])
def test_every_driver_can_be_asked_about_within_what_it_allows(key):
    driver = EXAMPLE.driver(key)
    found = seek(EXAMPLE, key, Goal("lowest_cash", at_least=-4e6))
    for value in (found.low, found.high, found.best.value):
        driver.check(Amount.point(value))
    assert found.low <= driver.amount.median <= found.high


def test_a_month_is_found_as_a_whole_month():
    found = seek(EXAMPLE, "round_month", Goal("lowest_cash", at_least=1e6), scenario_id="round")
    assert found.best.value == int(found.best.value)


# What is refused


@pytest.mark.parametrize(
    ("asked", "why"),
    [
        (lambda: Goal("mrr"), "A goal is at least a value or at most a value"),
        (lambda: Goal("mrr", 1.0, 2.0), "A goal is at least a value or at most a value"),
        (lambda: Goal("mrr", at_least=math.inf), "The goal's value is inf; a finite number is needed"),
        (lambda: Goal("mrr", at_least=1.0, probability=1.0), "The goal's probability is 1.0; from 0.01 to 0.99"),
        (lambda: seek(EXAMPLE, "luck", CASH), "There is no driver “luck”"),
        (lambda: seek(EXAMPLE, "cac", Goal("luck", at_least=1.0)), "“luck” is not an outcome"),
        (lambda: seek(EXAMPLE, "cac", Goal("break_even", at_most=38)), "The goal is month 38; the plan has months 1 to 36"),
        (lambda: seek(EXAMPLE, "cac", CASH, bounds=(3.0, 2.0)), "The bounds 3.0 to 2.0 must rise"),
        (lambda: seek(EXAMPLE, "cac", CASH, bounds=(-1.0, 2.0)), "Cost of winning a customer .* is -1; at least 0"),
        (lambda: seek(EXAMPLE, "cac", LIKELY, draws=1000), "1000 draws are asked for"),
    ],
)  # fmt: skip
def test_a_question_that_cannot_be_answered_is_refused(asked, why):
    with pytest.raises(Refusal, match=why):
        asked()


# The report


def test_the_report_is_json_and_says_what_was_found():
    report = goal_report(EXAMPLE, "price_per_seat", "lowest_cash", at_least=0.0, probability=0.8)
    assert json.loads(json.dumps(report, allow_nan=False)) == report
    assert report["reachable"] is True
    assert report["value"]["probability"] >= 0.8
    assert report["binding"] is None
    report = goal_report(EXAMPLE, "cac", "break_even", at_most=12.0, probability=0.8)
    assert json.loads(json.dumps(report, allow_nan=False)) == report
    assert "value" not in report
    assert report["closest"]["said"] == "not reached in 36 months"
    assert report["binding"]["label"]
