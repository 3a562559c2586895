"""What must hold in the plan of every archetype, whatever the numbers are."""

import math
from itertools import pairwise

import numpy as np
import pytest
from any_venture import EXAMPLES, scaled, ventures
from hypothesis import assume, given, settings
from plan_checks import close
from plans import with_values

from core.finance import metrics, model_of, project, said, simulate, stages, why
from core.finance.goal import Goal, seek
from core.finance.information import learn_next
from core.finance.modules import modules, plan_of, sections
from core.finance.movements import mrr_movements, unit_margin
from core.finance.outcome import outcome, outcomes, values
from core.finance.value import EFFECTS
from core.i18n import Refusal, language
from core.venture import Amount, Source, Venture
from core.venture.catalogue import catalogue, driver_of

EN, ZH = language("en"), language("zh_Hans")
KEYS = sorted(EXAMPLES)


@settings(max_examples=40)
@given(ventures())
def test_cash_receivables_losses_and_tax_add_up(venture):
    lines = project(venture).lines
    cash = lines["cash"]
    close(np.diff(cash), (lines["net_cash_flow"] + lines["funding"])[1:], cash)
    prepaid = lines.get("project_prepaid", np.zeros_like(cash))
    paid = lines["ebitda"] - lines["tax"]
    held = np.diff(prepaid) - np.diff(lines["receivables"])
    close(lines["net_cash_flow"][1:], paid[1:] + held, np.maximum(np.abs(paid), lines["receivables"]))
    used = lines["loss_carried"][:-1] - lines["loss_carried"][1:]
    taxed = lines["ebitda"][1:] - used
    rate = venture.driver("tax_rate").amount.median
    close(lines["tax"][1:], np.maximum(taxed, 0) * rate, lines["ebitda"])
    assert lines["loss_carried"].min() >= 0 and lines["tax"].min() >= 0
    assert lines["funding"].sum() <= sum(
        venture.driver(key).amount.median for key in ("round_amount", "round2_amount")
    )


@settings(max_examples=40)
@given(ventures())
def test_the_movements_of_mrr_and_of_customers_sum_to_their_changes(venture):
    projection = project(venture)
    lines = projection.lines
    moved = lines["new_mrr"] + lines["expansion_mrr"] - lines["contraction_mrr"] - lines["churned_mrr"]
    close(np.diff(lines["mrr"]), moved[1:], lines["mrr"])
    close(lines["mrr"], lines["activity"] * lines["recurring_per_customer"], lines["mrr"])
    won = lines["new_customers"] - lines["lost_early_customers"] - lines["lost_settled_customers"]
    close(np.diff(lines["customers"]), won[1:], lines["customers"])
    moves = mrr_movements(projection, 1, 36)
    assert moves[-1].value == projection.at("mrr", 36)


@settings(max_examples=40)
@given(ventures())
def test_gross_retention_is_at_most_one_and_at_most_net_retention(venture):
    lines = project(venture).lines
    assert np.all(lines["grr"] <= 1 + 1e-12)
    assert np.all(lines["grr"] <= lines["nrr"] * (1 + 1e-12))
    found = metrics(project(venture))
    if found["nrr"].value is not None:
        assert 0 <= found["grr"].value <= min(1 + 1e-12, found["nrr"].value * (1 + 1e-12))


@settings(max_examples=30)
@given(ventures())
def test_the_cost_of_revenue_is_the_sum_of_its_parts_and_margins_follow(venture):
    projection = project(venture)
    lines = projection.lines
    parts = ("inference_cost", "error_cost_total", "support_cost_total", "payment_fees", "delivery_cost", "rework_cost",
             "expert_cost", "royalties")  # fmt: skip
    total = sum(lines[key] for key in parts if key in lines)
    close(lines["cost_of_revenue"], total, lines["cost_of_revenue"])
    earning = lines["revenue"] > 0
    close(
        lines["gross_margin"][earning] * lines["revenue"][earning],
        lines["gross_profit"][earning],
        np.maximum(lines["revenue"], lines["cost_of_revenue"]),
    )
    if "gross_margin_common" in lines:
        assert np.all(lines["gross_margin_common"] >= lines["gross_margin"])


@settings(max_examples=30)
@given(ventures())
def test_in_another_currency_money_is_scaled_and_nothing_else_moves(venture):
    money = {driver.key for driver in venture.drivers if driver.unit.startswith("money")}
    one, other = project(venture), project(scaled(venture, money, 7.0))
    for key, line in one.model.lines.items():
        factor = 7.0 if line.unit.startswith("money") else 1.0
        scale = max(np.abs(one.lines[k]).max() for k in ("cash", "cost_of_revenue", "revenue", "npv"))
        close(other.lines[key], factor * one.lines[key], scale if factor > 1 else one.lines[key])


@settings(max_examples=30)
@given(ventures())
def test_higher_prices_at_the_same_demand_never_earn_less(venture):
    prices = {d.key for d in venture.drivers if d.group == "price" and d.unit.startswith("money")}
    low, high = project(venture).lines, project(scaled(venture, prices, 1.5)).lines
    assert np.all(high["revenue"] >= low["revenue"] * (1 - 1e-12))
    close(high["customers"], low["customers"], low["customers"])


@settings(max_examples=30)
@given(ventures())
def test_every_metric_is_a_finite_number_or_a_reason_in_both_languages(venture):
    projection = project(venture)
    for metric in metrics(projection).values():
        assert (metric.value is None) != (metric.reason is None), metric.key
        assert metric.value is None or math.isfinite(metric.value), metric.key
        for reader in (EN, ZH):
            words = said(metric, venture, reader)
            assert words and "nan" not in words.lower() and "∞" not in words and "{" not in words


@settings(max_examples=25)
@given(ventures())
def test_what_a_customer_pays_less_its_costs_is_the_margin(venture):
    projection = project(venture)
    assume(projection.at("customers", 12) > 0.01)
    assume(max(abs(projection.at(key, 12)) for key in ("revenue", "cost_of_revenue")) < 1e15)
    moves = unit_margin(projection, 12)
    fixed = venture.driver("infrastructure_fixed").amount.median
    wanted = (projection.at("gross_profit", 12) + fixed) / projection.at("customers", 12)
    scale = max(projection.at("revenue", 12), projection.at("cost_of_revenue", 12)) / projection.at(
        "customers", 12
    )
    assert abs(moves[-1].value - wanted) <= 1e-9 * max(scale, 1.0)


@pytest.mark.parametrize("key", [k for k in KEYS if k != "custom_solutions"])
def test_the_margin_of_a_new_customer_is_what_the_plan_shows_in_month_1(key):
    """Where a month's revenue and cost follow from the month's customers; projects are paid as they are done."""
    venture = EXAMPLES[key]
    still = {"replicas_least": 0.0, "infrastructure_fixed": 0.0}
    many = {"new_customers_first": 1e7} if venture.has_driver("gpu_speed") else {}
    numbers = {name: value for name, value in {**still, **many}.items() if venture.has_driver(name)}
    projection = project(with_values(numbers, venture=venture))
    found = unit_margin(projection, 1)[-1].value
    assert found == pytest.approx(projection.at("margin_per_customer", 1), rel=1e-4)


@pytest.mark.parametrize("key", KEYS)
def test_why_explains_every_line_in_both_languages(key):
    projection = project(EXAMPLES[key])
    for line in projection.model.lines:
        for reader in (EN, ZH):
            found = why(projection, line, 5, reader)
            assert found.value == projection.at(line, 5)
            assert found.named and "prev(" not in found.named and "@" not in found.named


@pytest.mark.parametrize("key", KEYS)
def test_every_archetype_can_be_asked_about(key):
    venture = EXAMPLES[key]
    assert len(stages(project(venture))) == 7
    drivers = {driver.key: np.array([driver.amount.median]) for driver in venture.drivers}
    for asked in outcomes(venture):
        assert np.isfinite(values(venture, outcome(venture, asked.name), drivers)).all()
    simulation = simulate(venture, 256)
    assert 0 <= simulation.p_default_alive <= 1 - simulation.p_cash_out
    assert learn_next(simulation)
    assert seek(venture, "cash_first", Goal("lowest_cash", at_least=0)).reachable


# The plan's modules


def test_an_unknown_module_is_refused_with_those_that_exist():
    with pytest.raises(Refusal, match=r"“moon” is not a module of the plan; allowed are ads, api, delivery"):
        plan_of(("seats", "moon"))


def test_modules_that_say_different_things_about_a_line_are_refused():
    with pytest.raises(Refusal, match="Two modules of the plan disagree about the line"):
        plan_of(("api", "gpus"))


def test_two_modules_may_bring_the_same_line():
    keys = [line.key for line in plan_of(("tokens", "usage", "api")).lines]
    assert keys.count("usage_price_level") == 1
    assert len(keys) == len(set(keys))


def test_room_that_no_module_fills_leaves_no_trace():
    plan = {line.key: line.formula for line in plan_of(()).lines}
    assert plan["revenue"] == "mrr"
    assert plan["recurring_per_customer"] == "0"
    assert plan["cost_of_revenue"] == "support_cost_total + payment_fees"
    assert not any("@" in formula for formula in plan.values())


def test_lines_stand_section_by_section_in_the_order_of_the_sections():
    for key in KEYS:
        order = [line.section for line in plan_of(EXAMPLES[key].modules).lines]
        assert [list(sections()).index(s) for s in order] == sorted(list(sections()).index(s) for s in order)


def test_every_module_loads_with_drivers_of_the_catalogue_alone():
    """Each way to earn beside each way to serve; every driver but what accuracy does is used by some module."""
    earning = [
        key
        for key, module in modules().items()
        if "revenue_per_customer" in module.contributes or key in ("seats", "subscription")
    ]
    used = set()
    for earns in earning:
        for serves in ("api", "gpus", "delivery"):
            chosen = (earns, serves, "free", "hires", "market", "royalties")
            chosen = tuple(key for key in chosen if not (serves == "delivery" and key == "free"))
            everything = tuple(
                driver_of(key, (min(1.0, (entry["maximum"] or 2.0) / 2),), Source(kind="typed"))
                for key, entry in catalogue().items()
            )
            fields = {name: getattr(EXAMPLES[KEYS[0]], name) for name in Venture.model_fields}
            venture = Venture(
                **{**fields, "modules": chosen, "drivers": everything, "scenarios": (), "hypotheses": ()}
            )
            if {earns, serves} == {"experts", "delivery"}:
                continue  # both would pay for rework
            model = model_of(venture)
            project(venture)
            used |= set().union(*(f.names for f in (*model.formulas.values(), *model.openings.values())))
    assert set(catalogue()) - used == set(EFFECTS)


# Closed forms


STEADY = {"growth_first": 0.0, "expansion": 0.0, "inference_drift": 0.0, "price_drift": 0.0,
          "churn_early": 0.04, "churn_settled": 0.04}  # fmt: skip


def steady(key, **numbers):
    made = EXAMPLES[key]
    return with_values({k: v for k, v in {**STEADY, **numbers}.items() if made.has_driver(k)}, venture=made)


@pytest.mark.parametrize("key", KEYS)
def test_under_constant_churn_customers_are_a_geometric_series_and_retention_a_power(key):
    lines = project(steady(key, new_customers_first=10.0)).lines
    month = np.arange(1, 37)
    np.testing.assert_allclose(lines["customers"][1:], 10 * (1 - 0.96**month) / 0.04)
    np.testing.assert_allclose(lines["survival"][1:], 0.96 ** np.arange(36))
    assert lines["grr"][24] == pytest.approx(0.96**12)
    assert lines["nrr"][24] == pytest.approx(0.96**12)


def test_with_growth_net_retention_is_churn_times_growth_and_with_shrinking_both_are():
    for growth in (0.02, -0.02):
        lines = project(steady("vertical_copilot", expansion=growth)).lines
        assert lines["nrr"][24] == pytest.approx((0.96 * (1 + growth)) ** 12)
        assert lines["grr"][24] == pytest.approx((0.96 * min(1, 1 + growth)) ** 12)


def test_the_value_today_of_a_level_flow_is_that_of_an_annuity():
    quiet = dict.fromkeys(("new_customers_first", "hires_per_month", "experiments_per_month", "training_run_cost", "infrastructure_fixed",
                           "overhead_per_person", "burden"), 0.0)  # fmt: skip
    projection = project(
        steady("custom_solutions", **quiet, team_first=1.0, salary=1000.0, required_return=0.3)
    )
    rate = 1.3 ** (1 / 12) - 1
    assert metrics(projection)["npv"].value == pytest.approx(-1000 * (1 - (1 + rate) ** -36) / rate)


def test_a_backlog_is_worked_off_at_its_pace_and_deposits_leave_with_it():
    lines = project(steady("custom_solutions", repeat_rate=0.0, growth_first=-0.9, growth_decay=1.0)).lines
    signed, done = lines["projects_signed"].cumsum(), lines["project_revenue"].cumsum()
    close(lines["project_backlog"], signed - done, signed)
    months = EXAMPLES["custom_solutions"].driver("project_months").amount.median
    for before, after in pairwise(range(20, 36)):
        assert lines["project_revenue"][after] / lines["project_revenue"][before] == pytest.approx(
            1 - 1 / months, rel=1e-3
        )


def test_replicas_are_whole_and_enough_for_the_peak():
    for key in ("foundation_api", "open_weights_host"):
        venture = EXAMPLES[key]
        lines = project(venture).lines
        speed, peak = (venture.driver(k).amount.median for k in ("gpu_speed", "peak_factor"))
        needed = lines["gpu_tokens"][1:] * peak / (speed * 2629800)
        replicas = lines["replicas"][1:]
        assert np.all(replicas == np.round(replicas)) and np.all(replicas >= needed)
        assert np.all(replicas < np.maximum(needed, 2) + 1)
        at_even = lines["break_even_load"][1:] * lines["revenue"][1:]
        np.testing.assert_allclose(at_even, lines["gpu_load"][1:] * lines["gpu_cost"][1:])


def test_the_mean_of_a_lognormal_driver_is_the_closed_form():
    venture = EXAMPLES["vertical_copilot"].with_driver("cac", Amount.interval(15_000, 80_000))
    drawn = simulate(venture, 8192).drivers["cac"]
    spread = math.log(80_000 / 15_000) / (2 * 1.6448536269514722)
    mean = math.exp((math.log(15_000) + math.log(80_000)) / 2 + spread**2 / 2)
    assert drawn.mean() == pytest.approx(mean, rel=2e-3)


def test_a_committed_minimum_is_paid_when_use_falls_below_it():
    venture = steady("foundation_api", committed_share=0.5, price_drift=-0.2)
    lines = project(venture).lines
    assert lines["token_revenue"][1] > 0 == lines["token_revenue"][36]
    assert lines["revenue"][36] == lines["mrr"][36] > 0
