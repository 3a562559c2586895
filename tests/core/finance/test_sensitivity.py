"""Outcomes, tornado and shares of variance, against the plan itself, closed forms and published indices."""

import math

import numpy as np
import pytest
from plans import EXAMPLE, line, with_values

from core.finance import metrics, project
from core.finance import outcome as outcome_module
from core.finance.draws import draws, medians, varying
from core.finance.outcome import OUTCOMES, outcome, outcomes, said, titled, values
from core.finance.report import sensitivity_report
from core.finance.sensitivity import MAX_RUNS, indices, tornado, total_effects
from core.i18n import Refusal, Text, language
from core.venture import Amount, Driver, Source, Venture

EN = language("en")


def with_drivers(venture, **amounts):
    """The venture with more drivers, whose sign is free."""
    for key, amount in amounts.items():
        driver = Driver(
            key=key,
            label=Text(key, key),
            group="own",
            unit="1",
            amount=amount,
            source=Source(kind="typed"),
            signed=True,
        )
        venture = venture.add_driver(driver)
    return venture


# Outcomes


@pytest.mark.parametrize(
    ("name", "metric"),
    [
        ("cash_zero", "cash_zero"),
        ("break_even", "break_even"),
        ("funding_need", "funding_need"),
        ("gross_margin", "gross_margin"),
        ("arr", "arr"),
        ("ltv_to_cac", "ltv_to_cac"),
        ("payback", "payback"),
    ],
)
@pytest.mark.parametrize(
    "numbers", [{}, {"price_per_seat": 300.0}, {"price_per_seat": 1.0}, {"new_customers_first": 0.0}]
)
def test_an_outcome_at_the_medians_is_the_metric_of_that_name(name, metric, numbers):
    venture = with_values(numbers)
    found = float(values(venture, outcome(venture, name), medians(venture))[0])
    wanted = metrics(project(venture))[metric].value
    if wanted is None:  # a month that is not reached, or a margin without revenue
        assert found == (0.0 if name == "gross_margin" else 37.0)
    else:
        assert found == pytest.approx(wanted, rel=1e-12)


@pytest.mark.parametrize("name", OUTCOMES)
def test_each_draw_of_an_outcome_is_what_that_draw_gives_alone(name):
    drawn = draws(EXAMPLE, 64)
    asked = outcome(EXAMPLE, name)
    together = values(EXAMPLE, asked, drawn)
    assert together.shape == (64,)
    for place in (0, 7, 63):
        alone = values(EXAMPLE, asked, {key: array[place : place + 1] for key, array in drawn.items()})
        assert alone[0] == pytest.approx(together[place], rel=1e-12)


def test_every_line_of_the_plan_can_be_asked_about_in_a_month():
    asked = outcome(EXAMPLE, "customers@24")
    assert values(EXAMPLE, asked, medians(EXAMPLE))[0] == project(EXAMPLE).at("customers", 24)
    assert (asked.unit, asked.month, asked.better) == ("customer", 24, None)
    assert titled(asked, EN) == "Customers in month 24"
    assert outcome(EXAMPLE, "customers").name == "customers@12"


def test_a_month_that_is_not_reached_is_after_the_plan_and_is_said_so():
    asked = outcome(EXAMPLE, "break_even")
    assert values(EXAMPLE, asked, medians(EXAMPLE)).tolist() == [37.0]
    assert said(asked, 37.0, EXAMPLE, EN) == "not reached in 36 months"
    assert said(asked, 3.0, EXAMPLE, EN) == "Aug 2026"


def test_break_even_is_the_month_after_the_last_loss():
    venture = EXAMPLE.with_lines([])
    asked = outcome(venture, "break_even")
    ebitda = np.array([[0.0, 0, 0, 0], [1, -1, -1, -1], [1, 1, -1, 1], [1, 1, -1, -1], [1, 1, 1, -1]])
    assert asked.read({"ebitda": ebitda}, {}).tolist() == [1, 2, 4, 5]


def test_a_short_plan_has_the_outcomes_that_it_is_long_enough_for():
    short = with_values({}, 12)
    assert [asked.name for asked in outcomes(short)] == [
        name for name in (asked.name for asked in outcomes(EXAMPLE)) if name != "ltv_to_cac"
    ]
    assert len(outcomes(EXAMPLE)) == len(OUTCOMES)


@pytest.mark.parametrize(
    ("name", "why"),
    [
        ("wealth", "“wealth” is not an outcome; allowed are lowest_cash, cash_end, "),
        ("cash zero", "“cash zero” is not an outcome"),
        ("mrr@0", "“mrr@0” is not an outcome"),
        ("cash_zero@3", "“Cash runs out” is one number for the whole plan and takes no month."),
        ("mrr@13", "“MRR” needs a plan of 13 months; this one has 12."),
        ("ltv_to_cac", "“LTV : CAC” needs a plan of 36 months; this one has 12."),
    ],
)
def test_what_cannot_be_asked_is_refused(name, why):
    with pytest.raises(Refusal, match="^" + why.replace("(", r"\(")):
        outcome(with_values({}, 12), name)


def test_a_multiple_of_nothing_is_refused():
    venture = with_values({"cac": 0.0})
    with pytest.raises(Refusal, match="LTV : CAC is not defined here"):
        values(venture, outcome(venture, "ltv_to_cac"), medians(venture))


# Tornado


def test_each_bar_of_the_tornado_is_the_plan_with_that_one_driver_moved():
    found = tornado(EXAMPLE, "lowest_cash")
    still = with_values({})
    assert found.base == pytest.approx(project(still).lines["cash"].min(), rel=1e-12)
    assert {bar.driver_key for bar in found.bars} == set(varying(EXAMPLE))
    for bar in found.bars:
        amount = EXAMPLE.driver(bar.driver_key).amount
        assert (bar.low, bar.high) == pytest.approx([float(amount.at(np.array(p))) for p in (0.1, 0.9)])
        for value, wanted in ((bar.low, bar.at_low), (bar.high, bar.at_high)):
            moved = project(still.with_driver(bar.driver_key, Amount.point(value)))
            assert moved.lines["cash"].min() == pytest.approx(wanted, rel=1e-12)


def test_the_tornado_is_sorted_by_swing():
    swings = [bar.swing for bar in tornado(EXAMPLE, "gross_margin@6").bars]
    assert swings == sorted(swings, reverse=True)
    assert swings[0] > 0


def test_the_tornado_runs_the_plan_once(monkeypatch):
    calls = []
    evaluate = outcome_module.evaluate
    monkeypatch.setattr(outcome_module, "evaluate", lambda *given: calls.append(1) or evaluate(*given))
    tornado.__wrapped__(EXAMPLE, "mrr@36")
    assert calls == [1]


def test_the_tornado_of_a_scenario_is_that_of_the_plan_under_it():
    assert tornado(EXAMPLE, "cash_end", "dearer_leaner") == tornado(
        EXAMPLE.under("dearer_leaner"), "cash_end"
    )


def test_without_ranges_there_are_no_bars():
    assert tornado(with_values({}), "cash_end").bars == ()


# Shares of variance: the estimator


def ishigami(points):
    x = math.pi * (2 * points - 1)
    return np.sin(x[0]) + 7 * np.sin(x[1]) ** 2 + 0.1 * x[2] ** 4 * np.sin(x[0])


G = np.array([0, 1, 4.5, 9, 99, 99, 99, 99])


def g_function(points):
    return np.prod((np.abs(4 * points - 2) + G[:, None]) / (1 + G[:, None]), axis=0)


def test_the_indices_of_the_ishigami_function_are_the_published_ones():
    """Sobol' and Levitan 1999, with a = 7 and b = 0.1 (Saltelli et al. 2008, section 4.6)."""
    found = indices(ishigami, 3, 4096)
    assert found.rows[:, 0] == pytest.approx([0.3139, 0.4424, 0.0], abs=0.01)
    assert found.rows[:, 2] == pytest.approx([0.5576, 0.4424, 0.2437], abs=0.01)
    assert found.mean == pytest.approx(3.5, abs=0.01)
    assert found.deviation**2 == pytest.approx(13.845, rel=0.01)


def test_the_indices_of_the_g_function_are_the_published_ones():
    """Saltelli and Sobol' 1995, with a = (0, 1, 4.5, 9, 99, 99, 99, 99)."""
    found = indices(g_function, 8, 4096)
    assert found.rows[:4, 0] == pytest.approx([0.716, 0.179, 0.0237, 0.0072], abs=0.01)
    assert found.rows[:4, 2] == pytest.approx([0.788, 0.243, 0.0343, 0.0105], abs=0.015)
    assert found.rows[4:, [0, 2]] == pytest.approx(np.full((4, 2), 0.0001), abs=0.001)


@pytest.mark.parametrize("function", [ishigami, g_function])
def test_the_standard_errors_are_those_of_repeated_estimates(function):
    dimensions = 3 if function is ishigami else 8
    found = np.stack([indices(function, dimensions, 1024, seed).rows for seed in range(40)])
    for place in range(2 if function is ishigami else 4):
        for column in (0, 2):
            spread, stated = found[:, place, column].std(), found[:, place, column + 1].mean()
            # Blocks of a Sobol sequence are bootstrapped as if they were independent, which errs on the safe side.
            assert spread / 1.5 < stated < 15 * spread


def test_of_a_sum_each_part_has_its_share_alone_and_with_all_others():
    weights = np.array([3.0, 2.0, 1.0])
    found = indices(lambda points: 1e6 + weights @ points, 3, 1024)
    assert found.rows[:, 0] == pytest.approx(weights**2 / 14, abs=0.002)
    assert found.rows[:, 2] == pytest.approx(weights**2 / 14, abs=0.002)


def test_of_a_product_of_centred_parts_nothing_is_alone_and_all_is_together():
    found = indices(lambda points: np.prod(points - 0.5, axis=0), 2, 1024)
    assert found.rows[:, 0] == pytest.approx([0, 0], abs=0.02)
    assert found.rows[:, 2] == pytest.approx([1, 1], abs=0.03)


def test_a_constant_has_no_shares():
    found = indices(lambda points: np.full(points.shape[1], 1e9 / 3), 4, 64)
    assert found.deviation == 0
    assert (found.rows == 0).all()


def test_the_function_is_called_once_with_all_points():
    sizes = []
    indices(lambda points: sizes.append(points.shape) or points.sum(axis=0), 5, 128)
    assert sizes == [(5, 128 * 7)]


# Shares of variance: the plan


def test_the_shares_of_a_sum_of_drivers_are_those_of_their_variances():
    """Two normal ranges, the first three times as wide: shares 0.9 and 0.1 (Var(3x + y) = 9 + 1)."""
    venture = with_drivers(
        with_values({}), x=Amount.interval(-1, 5, "normal"), y=Amount.interval(3, 5, "normal")
    ).with_lines([line("x + y")])
    found = total_effects(venture, "mine@6")
    assert [effect.driver_key for effect in found.effects] == ["x", "y"]
    assert found.mean == pytest.approx(6, abs=0.01)
    assert found.deviation == pytest.approx(math.hypot(6, 2) / (2 * 1.6448536), rel=0.01)
    for effect, share in zip(found.effects, (0.9, 0.1), strict=True):
        assert effect.first == pytest.approx(share, abs=0.01)
        assert effect.total == pytest.approx(share, abs=0.01)


def test_the_drivers_of_the_plan_are_sorted_by_total_effect_and_bounded():
    found = total_effects(EXAMPLE, "lowest_cash", count=512)
    totals = [effect.total for effect in found.effects]
    assert totals == sorted(totals, reverse=True)
    assert {effect.driver_key for effect in found.effects} == set(varying(EXAMPLE))
    for effect in found.effects:
        assert effect.total >= 0
        assert effect.first <= effect.total + 4 * (effect.first_error + effect.total_error) + 0.02
    assert sum(effect.first for effect in found.effects) < 1.1
    # CAC and the pace of growth carry the cash of the example, its tokens do not.
    assert found.effects[0].driver_key == "cac"
    assert next(e.total for e in found.effects if e.driver_key == "output_tokens") < 0.02


def test_many_drivers_take_no_more_runs_than_allowed():
    found = total_effects(EXAMPLE, "mrr@6", count=65_536)
    assert MAX_RUNS / 2 < found.runs <= MAX_RUNS


@pytest.mark.parametrize("count", [0, 32, 1000, 2049])
def test_rows_that_are_not_a_power_of_two_are_refused(count):
    with pytest.raises(Refusal, match=f"^{count} rows are asked for; a power of two from 64 on is allowed"):
        total_effects(EXAMPLE, "mrr@6", count=count)


def test_the_report_is_made_of_plain_values():
    report = sensitivity_report(EXAMPLE, "gross_margin@24")
    assert report["outcome"] == {
        "name": "gross_margin@24",
        "label": "Gross margin after inference in month 24",
        "unit": "1",
    }
    assert report["at_medians"] == pytest.approx(project(EXAMPLE).at("gross_margin", 24))
    assert len(report["tornado"]) == len(report["variance"]) == len(varying(EXAMPLE))
    assert all(type(value) in (str, float) for part in report["tornado"] for value in part.values())


def test_a_venture_is_asked_without_being_changed():
    before = {name: getattr(EXAMPLE, name) for name in Venture.model_fields}
    tornado.__wrapped__(EXAMPLE, "cash_end")
    assert before == {name: getattr(EXAMPLE, name) for name in Venture.model_fields}
