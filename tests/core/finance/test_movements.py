"""Waterfalls and cohorts reconcile with the plan, whatever its drivers."""

import numpy as np
import pytest
from hypothesis import assume, given
from hypothesis import strategies as st
from plans import EXAMPLE, values, with_values

from core.finance import project
from core.finance.movements import cohorts, mrr_movements, unit_margin
from core.i18n import Refusal


def changes(moves):
    return sum(move.value for move in moves if move.kind == "change")


@given(values(), st.integers(1, 36), st.integers(1, 36))
def test_the_movements_of_mrr_lead_from_the_opening_to_the_closing(numbers, one, other):
    projection = project(with_values(numbers))
    first, last = sorted((one, other))
    moves = mrr_movements(projection, first, last)
    assert [move.kind for move in moves] == ["level", *["change"] * 4, "level"]
    assert moves[0].value == projection.at("mrr", first - 1)
    assert moves[-1].value == projection.at("mrr", last)
    scale = max(1e-9, *(abs(move.value) for move in moves))
    assert abs(moves[0].value + changes(moves) - moves[-1].value) <= 1e-12 * scale * (last - first + 3)


def test_the_movements_have_the_sign_of_what_they_do():
    new, expansion, contraction, churned = mrr_movements(project(EXAMPLE), 1, 36)[1:5]
    assert new.value > 0
    assert expansion.value > 0
    assert contraction.value == 0
    assert churned.value < 0


@given(values(), st.integers(1, 36))
def test_the_price_less_its_costs_is_the_margin_of_the_plan_without_its_fixed_part(numbers, month):
    projection = project(with_values(numbers))
    customers = projection.at("customers", month)
    assume(customers > 0.01)
    moves = unit_margin(projection, month)
    assert len(moves) == 6  # this plan has no other cost of revenue
    scale = max(projection.at("cost_of_revenue", month), projection.at("revenue", month), 1e-9) / customers
    assert abs(moves[0].value + changes(moves) - moves[-1].value) <= 1e-12 * scale
    profit = projection.at("gross_profit", month) + numbers["infrastructure_fixed"]
    assert abs(moves[-1].value - profit / customers) <= 1e-12 * scale


def test_the_margin_of_the_first_month_is_that_of_a_new_customer():
    projection = project(EXAMPLE)
    assert unit_margin(projection, 1)[-1].value == pytest.approx(projection.at("margin_per_customer", 1))


def test_a_month_without_customers_has_no_unit():
    projection = project(with_values({"new_customers_first": 0.0}))
    with pytest.raises(Refusal, match="There are no customers in month 5"):
        unit_margin(projection, 5)


@given(values())
def test_the_cohorts_of_a_month_are_its_customers(numbers):
    projection = project(with_values(numbers, 24))
    table = cohorts(projection)
    assert table.shape == (24, 24)
    for month in range(24):
        there = sum(table[won, month - won] for won in range(month + 1))
        assert there == pytest.approx(projection.series("customers")[month], rel=1e-9, abs=1e-12)
    beyond = np.add.outer(np.arange(24), np.arange(24)) >= 24
    assert (np.isnan(table) == beyond).all()


@pytest.mark.parametrize(("first", "last"), [(0, 3), (4, 3), (1, 37)])
def test_a_span_outside_the_plan_is_refused(first, last):
    with pytest.raises(Refusal, match=f"The months {first} to {last} are not a span of the plan"):
        mrr_movements(project(EXAMPLE), first, last)


@pytest.mark.parametrize("month", [0, 37])
def test_a_month_outside_the_plan_is_refused(month):
    with pytest.raises(Refusal, match=f"Month {month} is not in the plan; 1 to 36 are"):
        unit_margin(project(EXAMPLE), month)
