"""The figures against closed forms and small plans whose answer is plain."""

import math
import re

import numpy as np
import pytest
from hypothesis import given, settings
from plans import EXAMPLE, NOBODY_ELSE, values, with_values

from core.finance import LADDER, metrics, project, risks, said, simulate, stages, why
from core.finance.returns import internal_rate
from core.i18n import Text, language
from core.venture import Amount, Hypothesis, Source, Venture

EN, ZH = language("en"), language("zh_Hans")

STEADY = {
    "growth_first": 0.0,
    "expansion": 0.0,
    "inference_drift": 0.0,
    "churn_early": 0.03,
    "churn_settled": 0.03,
}


def test_customers_under_constant_churn_are_a_geometric_series():
    lines = project(with_values({**STEADY, "new_customers_first": 10.0})).lines
    month = np.arange(1, 37)
    np.testing.assert_allclose(lines["customers"][1:], 10 * (1 - 0.97**month) / 0.03)


def test_survival_under_constant_churn_is_a_power():
    lines = project(with_values(STEADY)).lines
    np.testing.assert_allclose(lines["survival"][1:], 0.97 ** np.arange(36))


def test_ltv_under_constant_churn_is_the_discounted_geometric_sum():
    projection = project(with_values(STEADY))
    margin = projection.at("margin_per_customer", 1)
    ratio = 0.97 / 1.01
    wanted = margin * (1 - ratio**36) / (1 - ratio)
    assert projection.at("lifetime_value", 36) == pytest.approx(wanted)
    cac = projection.venture.driver("cac").amount.median
    assert metrics(projection)["ltv_to_cac"].value == pytest.approx(wanted / cac)


def test_payback_is_the_first_month_that_has_earned_the_cost_of_winning():
    projection = project(with_values({**STEADY, "churn_early": 0.0, "churn_settled": 0.0}))
    margin = projection.at("margin_per_customer", 1)
    for months in (1, 5, 30):
        venture = with_values(
            {**STEADY, "churn_early": 0.0, "churn_settled": 0.0, "cac": margin * (months - 0.5)}
        )
        assert metrics(project(venture))["payback"].value == months


def test_cash_runs_out_in_the_first_month_that_ends_below_zero():
    burn = {"new_customers_first": 0.0, "hires_per_month": 0.0, "team_first": 1.0, "salary": 1000.0}
    nothing = dict.fromkeys(
        ("experiments_per_month", "training_run_cost", "infrastructure_fixed", "round_amount"), 0.0
    )
    projection = project(with_values({**burn, **nothing, **NOBODY_ELSE, "cash_first": 5000.0}))
    found = metrics(projection)
    assert found["burn"].value == pytest.approx(1000)
    assert found["cash_zero"].value == 6, "after five months nothing is left, which is not below zero"
    assert found["runway"].value == pytest.approx(5)
    assert found["funding_need"].value == pytest.approx(31_000)
    assert found["break_even"].value is None
    assert found["gross_margin"].value is None
    assert said(found["cash_zero"], projection.venture, EN) == "Nov 2026"
    assert said(found["break_even"], projection.venture, EN) == "not reached in 36 months"


def test_a_plan_that_earns_from_the_start_breaks_even_in_month_1_and_never_runs_out():
    rich = with_values(
        {
            "price_per_seat": 2000.0,
            "seats_per_customer": 500.0,
            "new_customers_first": 50.0,
            "growth_first": 0.0,
            "receivable_days": 0.0,
            "cac": 0.0,
        }
    )
    found = metrics(project(rich))
    assert found["break_even"].value == 1
    assert found["cash_zero"].value is None
    assert found["funding_need"].value == 0


SOLD = {
    **dict.fromkeys(("growth_first", "expansion", "churn_early", "churn_settled", "payment_fee", "cac"), 0.0),
    **dict.fromkeys(
        ("requests_per_seat", "support_per_customer", "hires_per_month", "infrastructure_fixed"), 0.0
    ),
    **dict.fromkeys(("experiments_per_month", "training_run_cost", "receivable_days", "round_amount"), 0.0),
    **NOBODY_ELSE,
    "new_customers_first": 1.0,
    "price_per_seat": 100.0,
    "seats_per_customer": 1.0,
    "team_first": 1.0,
}
"""One customer more each month who pays 100 and costs nothing; one person on the payroll."""


def test_break_even_is_the_first_month_from_which_no_month_loses():
    for salary, month in ((99.99, 1), (100.01, 2), (650.0, 7), (3599.9, 36), (3600.1, None)):
        projection = project(with_values({**SOLD, "salary": salary}))
        assert projection.at("ebitda", 5) == pytest.approx(500 - salary)
        assert metrics(projection)["break_even"].value == month


def test_earnings_that_turn_to_loss_again_have_not_broken_even():
    """The team grows by two people of 100 a month, customers by one: month 1 alone does not lose."""
    numbers = {**SOLD, "salary": 100.0, "team_first": 0.0, "hires_per_month": 1.0, "new_customers_first": 1.5}
    gaining = project(with_values(numbers))
    assert metrics(gaining)["break_even"].value == 1
    losing = project(with_values({**numbers, "growth_first": -0.9, "growth_decay": 1.0}))
    assert losing.at("ebitda", 1) > 0 > losing.at("ebitda", 3)
    assert metrics(losing)["break_even"].value is None


def test_burn_is_the_mean_of_three_months_and_cash_below_zero_at_the_start_lasts_no_month():
    numbers = {**SOLD, "salary": 1000.0}
    found = metrics(project(with_values({**numbers, "cash_first": 8000.0})))
    assert found["burn"].value == pytest.approx((900 + 800 + 700) / 3)
    assert found["runway"].value == pytest.approx(10)
    assert metrics(project(with_values({**numbers, "cash_first": -8000.0})))["runway"].value == 0


def test_a_short_plan_reads_off_its_last_month_and_says_what_it_cannot():
    found = metrics(project(with_values({**SOLD, "salary": 1000.0}, months=6)))
    assert found["arr"].value == pytest.approx(12 * 600)
    assert (found["arr"].month, found["gross_margin"].month) == (6, 6)
    assert found["ltv_to_cac"].value is None
    assert EN.sentence(found["ltv_to_cac"].reason) == "needs a plan of 36 months"


def test_what_has_no_denominator_has_a_reason_instead():
    free = metrics(project(with_values({**SOLD, "salary": 1000.0})))
    assert EN.sentence(free["ltv_to_cac"].reason) == "winning a customer costs nothing"
    nobody = metrics(project(with_values({**SOLD, "salary": 1000.0, "new_customers_first": 0.0})))
    assert EN.sentence(nobody["gross_margin"].reason) == "no revenue by then"
    assert EN.sentence(nobody["burn_multiple"].reason) == "no new recurring revenue in the first year"
    earning = metrics(project(with_values({**SOLD, "salary": 0.0})))
    for key in ("burn", "burn_multiple", "runway"):
        assert EN.sentence(earning[key].reason) == "no burn: cash grows without funding"
    assert (
        metrics(project(with_values({**SOLD, "salary": 1000.0, "cac": 5e-324})))["ltv_to_cac"].value is None
    )


def test_the_burn_multiple_is_burn_over_new_arr():
    projection = project(EXAMPLE)
    burn = -projection.series("net_cash_flow")[:12].sum()
    assert metrics(projection)["burn_multiple"].value == pytest.approx(burn / (12 * projection.at("mrr", 12)))


@settings(max_examples=60, deadline=None)
@given(values())
def test_a_metric_is_a_finite_number_or_a_reason_in_both_languages(numbers):
    projection = project(with_values(numbers))
    for metric in metrics(projection).values():
        assert (metric.value is None) != (metric.reason is None)
        assert metric.value is None or math.isfinite(metric.value)
        for reader in (EN, ZH):
            words = said(metric, projection.venture, reader)
            assert words and "nan" not in words.lower() and "∞" not in words and "{" not in words


def test_the_default_plan_stands_where_the_surveys_put_it():
    """Medians of the reference simulation: GM in month 24 about 60 %, ARR in month 12 about $0.51M."""
    simulation = simulate(EXAMPLE, 8192)
    assert np.median(simulation.lines["gross_margin"][24]) == pytest.approx(0.60, abs=0.08)
    assert 12 * np.median(simulation.lines["mrr"][12]) == pytest.approx(0.51e6, rel=0.15)
    assert simulation.p_cash_out == pytest.approx(0.98, abs=0.02)


# Why


def test_why_gives_for_every_line_a_formula_whose_values_give_the_value():
    projection = project(EXAMPLE)
    words = {
        "where": lambda c, a, b: a if c else b,
        "min": min,
        "max": max,
        "ceil": math.ceil,
        "__builtins__": {},
    }
    for key, line in projection.model.lines.items():
        formula = re.sub(r"prev\((\w+)\)", r"last_\1", line.formula)
        for month in (1, 2, 12, 36):
            found = why(projection, key, month, EN)
            given = {"month": float(month)}
            for item in found.inputs:
                assert EN.text(item.label) in found.named
                assert item.driver is not None or item.line or item.name in projection.model.constants
                given[("last_" if item.month == month - 1 else "") + item.name] = item.value
            assert eval(formula, words, given) == pytest.approx(found.value, rel=1e-9, abs=1e-9), (key, month)
            assert found.value == projection.at(key, month)


def test_why_is_said_in_chinese_too():
    found = why(project(EXAMPLE), "gross_profit", 3, ZH)
    assert found.named == "[收入] − [收入成本合计]"


# Stages and risks


def test_the_stages_follow_from_the_venture():
    before = {s.key: s.status for s in stages(project(EXAMPLE))}
    assert before["model"] == "open" and before["technology"] == "open" and before["design"] == "done"
    measured = EXAMPLE.with_driver(
        "accuracy", Amount.point(0.991), Source(kind="measured", text=Text("run"), run="r1")
    )
    estimated = measured.with_driver(
        "price_input", Amount.point(1.0), Source(kind="estimated", text=Text("api"))
    )
    after = {s.key: s.status for s in stages(project(estimated))}
    assert after["model"] == "done" and after["technology"] == "done"
    for reader in (EN, ZH):
        for stage in stages(project(estimated)):
            assert "{" not in reader.sentence(stage.why)


def test_what_is_known_less_and_matters_more_comes_first():
    ordered = risks(simulate(EXAMPLE, 1024))
    assert [r.worth for r in ordered] == sorted((r.worth for r in ordered), reverse=True)
    assert ordered[0].worth > 0
    first = ordered[0].hypothesis
    certain = EXAMPLE.with_hypothesis(first.changed(evidence=5))
    again = {r.hypothesis.id: r for r in risks(simulate(certain, 1024))}[first.id]
    assert again.importance == pytest.approx(ordered[0].importance)
    assert again.risk == pytest.approx(ordered[0].importance * (1 - LADDER[5].weight))
    assert again.worth == pytest.approx(ordered[0].value * (1 - LADDER[5].weight))


def test_a_hypothesis_without_drivers_carries_no_risk():
    lone = Hypothesis(id="lone", statement=Text("x"), block="channels")
    found = {r.hypothesis.id: r for r in risks(simulate(EXAMPLE.with_hypothesis(lone), 256))}
    assert found["lone"].risk == 0


# Retention, efficiency, value, market


def test_the_magic_number_and_the_rule_of_40_are_sums_of_months_of_the_plan():
    projection = project(EXAMPLE)
    found, revenue = metrics(projection), projection.series("revenue")
    spent = projection.series("sales_and_marketing")[6:9].sum()
    gained = 4 * (revenue[9:12].sum() - revenue[6:9].sum())
    assert found["magic_number"].value == pytest.approx(gained / spent)
    growth = revenue[12:24].sum() / revenue[:12].sum() - 1
    margin = projection.series("ebitda")[12:24].sum() / revenue[12:24].sum()
    assert found["rule_of_40"].value == pytest.approx(growth + margin)


def test_default_alive_leaves_every_planned_round_out():
    numbers = {**SOLD, "salary": 1000.0, "cash_first": 2000.0, "round_amount": 1e6, "round_month": 1.0}
    found = metrics(project(with_values(numbers)))
    assert found["cash_zero"].value is None
    assert found["default_alive"].value == 0
    assert said(found["default_alive"], EXAMPLE, EN) == "no"
    alone = metrics(project(with_values({**numbers, "round_amount": 0.0, "cash_first": 1e6})))
    assert said(alone["default_alive"], EXAMPLE, EN) == "yes"


def test_customers_to_break_even_carry_the_fixed_cost():
    projection = project(with_values({**SOLD, "salary": 1000.0, "infrastructure_fixed": 500.0}))
    found = metrics(projection)["break_even_customers"]
    assert found.value == pytest.approx((1000 + 500) / 100)
    assert said(found, EXAMPLE, EN) == "15 customers"


def test_cash_is_earned_back_in_the_month_in_which_its_sum_is_level_again():
    """One customer more each month pays 100; a salary of 350 burns 250, 150, 50 and then earns 50, 150, 250."""
    found = metrics(project(with_values({**SOLD, "salary": 350.0})))
    assert found["cash_back"].value == 6
    assert found["irr"].value is not None and found["irr"].value > 0
    assert metrics(project(with_values({**SOLD, "salary": 50.0})))["cash_back"].value == 1
    assert metrics(project(with_values({**SOLD, "salary": 1e5})))["cash_back"].value is None


def test_the_rate_of_return_makes_the_flows_worth_nothing_and_is_refused_where_it_is_not_the_only_one():
    rate = internal_rate(np.array([-100.0, 60.0, 60.0]))
    assert -100 + 60 / (1 + rate) + 60 / (1 + rate) ** 2 == pytest.approx(0, abs=1e-9)
    assert internal_rate(np.array([-100.0, 0.0, 121.0])) == pytest.approx(0.1)
    for flows, reason in (
        ([5.0, 5.0], "no burn: cash grows without funding"),
        ([-5.0, 4.0], "the plan does not earn back in 2 months what it burns"),
        (
            [-100.0, 230.0, -140.0, 20.0],
            "more than one rate may fit: cash turns from burn to gain more than once",
        ),
        ([10.0, -30.0, 40.0], "more than one rate may fit: cash turns from burn to gain more than once"),
    ):
        assert EN.sentence(internal_rate(np.array(flows))) == reason


def test_the_market_is_counted_from_the_bottom_up():
    projection = project(
        with_values({**SOLD, "salary": 0.0, "market_customers": 5000.0, "market_reach": 0.2})
    )
    found = metrics(projection)
    assert found["tam"].value == pytest.approx(5000 * 1200)
    assert found["sam"].value == pytest.approx(1000 * 1200)
    assert found["som"].value == pytest.approx(36 * 1200)
    fields = {name: getattr(EXAMPLE, name) for name in Venture.model_fields}
    without = metrics(project(Venture(**{**fields, "modules": ("seats", "api")})))
    assert EN.sentence(without["tam"].reason) == "needs the number of customers in the market"


def test_a_benchmark_has_a_year_and_a_confidence():
    for found in metrics(project(EXAMPLE)).values():
        assert (found.year is None) == (found.confidence is None) == (not found.benchmark.en), found.key
        assert found.definition.en and found.definition.zh
