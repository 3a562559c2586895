"""What accuracy is worth: closed forms of the four effects, and what they leave alone."""

import numpy as np
import pytest
from any_venture import EXAMPLES
from hypothesis import given, settings
from hypothesis import strategies as st
from plans import EXAMPLE, numbers, with_values

from core.finance import project
from core.finance.modules import modules
from core.finance.switch import switched
from core.finance.value import EFFECTS, affected, effect, profit, with_accuracy, with_effect
from core.i18n import Refusal
from core.venture import Amount, from_json, to_json

NOW = 0.9
PLAIN = with_values({"accuracy": NOW}, venture=EXAMPLE)


def given_effects(venture=PLAIN, **shares):
    for name, share in shares.items():
        venture = with_effect(venture, f"{name}_per_point", share)
    return venture


def amount(venture, key):
    return venture.driver(key).amount.median


@pytest.mark.parametrize("archetype", sorted(EXAMPLES))
def test_where_nothing_is_said_only_the_accuracy_moves(archetype):
    venture = EXAMPLES[archetype]
    assert with_accuracy(venture, 0.97) == venture.with_driver(
        "accuracy", Amount.point(0.97), venture.driver("accuracy").source
    )


def test_each_effect_acts_on_its_drivers_by_the_power_of_the_points():
    points = 3
    venture = given_effects(conversion=0.05, churn=-0.04, price=0.02, review=-0.1)
    moved = with_accuracy(venture, NOW + points / 100)
    for key, factor in {
        "new_customers_first": 1.05**points,
        "cac": 1.05**-points,
        "churn_early": 0.96**points,
        "churn_settled": 0.96**points,
        "price_per_seat": 1.02**points,
        "support_per_customer": 0.9**points,
    }.items():
        assert amount(moved, key) == pytest.approx(factor * amount(venture, key)), key
        assert moved.driver(key).source.kind == "estimated"
    assert amount(moved, "salary") == amount(venture, "salary")
    assert moved.driver("churn_early").source.text.en == "effect of accuracy: -4% per point × +3 points"
    assert moved.driver("salary").source == venture.driver("salary").source


def test_better_conversion_wins_more_customers_for_the_same_money():
    venture = given_effects(conversion=0.1)
    before, after = (project(v).lines for v in (venture, with_accuracy(venture, NOW + 0.02)))
    assert after["new_customers"][5] == pytest.approx(1.21 * before["new_customers"][5])
    assert after["sales_and_marketing"][5] == pytest.approx(before["sales_and_marketing"][5])


@pytest.mark.parametrize("archetype", sorted(EXAMPLES))
def test_every_effect_has_something_to_act_on_in_every_archetype(archetype):
    for key in EFFECTS:
        assert affected(EXAMPLES[archetype], key)
    assert affected(EXAMPLES["data_services"], "review_per_point") == {"review_share": 1}


SHARES = numbers(-0.03, 0.03)


@settings(max_examples=25, deadline=None)
@given(SHARES, SHARES, SHARES, SHARES, numbers(0.85, 0.95), numbers(0.85, 0.95))
def test_two_steps_are_one_and_a_step_back_undoes_a_step(conversion, churn, price, review, one, other):
    venture = given_effects(conversion=conversion, churn=churn, price=price, review=review)
    twice, once = with_accuracy(with_accuracy(venture, one), other), with_accuracy(venture, other)
    back = with_accuracy(twice, NOW)
    for driver in venture.drivers:
        assert amount(twice, driver.key) == pytest.approx(amount(once, driver.key))
        assert amount(back, driver.key) == pytest.approx(driver.amount.median)


@settings(max_examples=15, deadline=None)
@given(numbers(0.0, 0.05), numbers(-0.05, 0.0))
def test_profit_rises_with_accuracy_where_every_effect_is_for_the_better(better, less):
    venture = given_effects(price=better, churn=less, review=less)
    found = profit(venture, np.linspace(0.85, 0.99, 8))
    assert (np.diff(found) >= 0).all()
    assert found[0] <= 0 <= found[-1]


@pytest.mark.parametrize("archetype", sorted(EXAMPLES))
def test_profit_is_the_change_of_cash_at_the_end_in_dollars(archetype):
    venture = given_effects(EXAMPLES[archetype], conversion=0.02, churn=-0.03, price=0.01, review=-0.05)
    fields = {name: getattr(venture, name) for name in type(venture).model_fields}
    venture = type(venture)(**{**fields, "usd_rate": 2.0})
    now = amount(venture, "accuracy")
    months = venture.horizon_months
    cash = [project(v).at("cash", months) for v in (venture, with_accuracy(venture, 0.96))]
    assert profit(venture, [0.96, now]) == pytest.approx([(cash[1] - cash[0]) / 2, 0.0], abs=1e-6)


def test_no_driver_is_moved_beyond_what_it_may_be():
    venture = given_effects(churn=0.5, price=-0.5)
    venture = venture.with_driver("churn_early", Amount.interval(0.2, 0.5, "logitnormal"))
    venture = venture.with_driver("churn_settled", Amount.point(0.3))
    moved = with_accuracy(venture, 1.0)
    assert moved.driver("churn_early").amount.ends()[1] == pytest.approx(1, abs=2e-4)
    assert moved.driver("churn_settled").amount.median == pytest.approx(1)
    assert moved.driver("price_per_seat").amount.ends()[0] >= 0.01
    assert np.isfinite(profit(venture, [0.0, 1.0, 2.0])).all()


def test_a_range_of_accuracy_moves_the_drivers_by_its_middle():
    venture = given_effects(price=0.02)
    range_ = Amount.interval(0.93, 0.96, "logitnormal")
    moved = with_accuracy(venture, range_)
    assert moved.driver("accuracy").amount == range_
    factor = 1.02 ** (100 * (range_.median - NOW))
    assert amount(moved, "price_per_seat") == pytest.approx(factor * amount(venture, "price_per_seat"))


def test_an_effect_is_in_the_venture_once_it_is_said_and_goes_with_nought():
    assert not any(PLAIN.has_driver(key) for key in EFFECTS)
    said = given_effects(churn=-0.04)
    assert from_json(to_json(said)) == said
    assert effect(said, "churn_per_point") == -0.04
    assert with_effect(said, "churn_per_point", 0.0) == PLAIN
    assert with_effect(PLAIN, "churn_per_point", 0.0) == PLAIN
    assert (project(said).lines["cash"] == project(PLAIN).lines["cash"]).all()
    with pytest.raises(Refusal, match="at most 50% is allowed"):
        with_effect(PLAIN, "churn_per_point", 0.6)


def test_an_effect_stays_when_the_plan_earns_in_another_way():
    said = given_effects(price=0.02)
    assert switched(said, said.modules) == said
    assert effect(switched(said, ("tokens", "gpus")), "price_per_point") == 0.02


@pytest.mark.parametrize("module", sorted(modules()))
def test_whatever_the_modules_accuracy_has_a_profit(module):
    chosen = (
        (module, "api") if module in {"free", "serving"} else (module,)
    )  # these two need somebody to serve
    venture = given_effects(switched(EXAMPLE, chosen), churn=-0.02)
    assert np.isfinite(profit(venture, [0.5, 0.99])).all()


@given(st.sampled_from(sorted(EFFECTS)))
def test_an_effect_is_a_driver_with_a_name_in_both_languages(key):
    driver = with_effect(PLAIN, key, 0.01).driver(key)
    assert driver.signed and driver.unit == "1" and driver.label.zh and driver.doc.zh
