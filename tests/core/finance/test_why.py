"""Why a number is what it is: the formula in words and in values, and what goes into it."""

import re

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from plain_plan import worked_out
from plans import EXAMPLE, PLAN, line, values, with_values

from core.finance import model_of, project, section_label, why
from core.i18n import LANGUAGES, Refusal, language

EN, ZH = language("en"), language("zh_Hans")
KEYS = sorted(model_of(EXAMPLE).lines)


def recomputed(projection, found):
    """The line's formula worked out from nothing but the inputs that the explanation shows."""
    before = {item.name: item.value for item in found.inputs if item.month == found.month - 1}
    sums = {item.name: item.value for item in found.inputs if ", sum so far" in item.label.en}
    now = {
        item.name: item.value
        for item in found.inputs
        if item.month in (found.month, None) and ", sum so far" not in item.label.en
    }
    text = projection.model.formulas[found.key].text
    text = re.sub(r"prev\((\w+)\)", r"before_\1", text)
    text = re.sub(r"cumulative\((\w+)\)", r"sum_\1", text)
    given_ = {
        **now,
        **{f"before_{k}": v for k, v in before.items()},
        **{f"sum_{k}": v for k, v in sums.items()},
    }
    # month is a name of the language and no input.
    text = re.sub(r"\bmonth\b", str(found.month), text)
    return worked_out({"it": (text, "")}, {}, given_, 1)["it"][1]


@settings(max_examples=60)
@given(values(), st.sampled_from(KEYS), st.integers(1, 36))
def test_the_inputs_of_any_line_in_any_month_give_its_value(numbers, key, month):
    projection = project(with_values({**numbers, "new_customers_first": 1 + numbers["new_customers_first"]}))
    found = why(projection, key, month, EN)
    scale = max([abs(found.value), *(abs(item.value) for item in found.inputs if item.unit == found.unit)])
    assert found.value == projection.at(key, month)
    assert recomputed(projection, found) == pytest.approx(found.value, rel=1e-9, abs=1e-9 * max(scale, 1e-6))


@pytest.mark.parametrize("reader", [EN, ZH], ids=list(LANGUAGES))
@pytest.mark.parametrize("key", KEYS)
def test_the_formula_is_written_with_the_label_of_every_input(key, reader):
    projection = project(EXAMPLE)
    found = why(projection, key, 5, reader)
    for item in found.inputs:
        label = reader.text(item.label)
        assert f"[{label}]" in found.named or f"[{label}" in found.named, label
    assert not re.search(r"\b[a-z]+_[a-z_]+\b", found.named)
    assert not re.search(r"\b[a-z]+_[a-z_]+\b", found.valued)
    assert "prev(" not in found.named + found.valued
    assert "*" not in found.named + found.valued
    assert reader.text(found.label)


def test_a_driver_among_the_inputs_brings_its_source_and_a_line_its_key_and_month():
    projection = project(EXAMPLE)
    by_name = {(item.name, item.month): item for item in why(projection, "inference_cost", 7, EN).inputs}
    assert by_name["requests", 7].line == "requests"
    assert by_name["requests", 7].driver is None
    assert by_name["requests", 7].unit == "request/month"
    cash = {(item.name, item.month): item for item in why(projection, "cash", 7, EN).inputs}
    assert cash["cash", 6].value == projection.at("cash", 6)
    price = next(
        item
        for item in why(projection, "recurring_per_customer", 1, EN).inputs
        if item.name == "price_per_seat"
    )
    assert price.driver == EXAMPLE.driver("price_per_seat")
    assert price.driver.source.text.en
    assert price.month is None
    assert price.value == EXAMPLE.driver("price_per_seat").amount.median


def test_every_line_can_be_followed_down_to_drivers_and_constants():
    projection = project(EXAMPLE)
    seen, open_ = set(), ["lifetime_value", "cash"]
    ends = set()
    while open_:
        key = open_.pop()
        if key in seen:
            continue
        seen.add(key)
        for item in why(projection, key, 2, EN).inputs:
            if item.line:
                open_.append(item.line)
            else:
                assert item.driver is not None or item.name in projection.model.constants
                ends.add(item.name)
    assert {"price_per_seat", "cac", "churn_early", "accuracy", "days_per_month"} <= ends


def test_a_sum_so_far_is_shown_as_the_sum_with_its_own_unit_and_not_as_the_months_flow():
    venture = with_values({}).with_lines([line("cumulative(revenue) - prev(cash) + cash", "money")])
    projection = project(venture)
    found = why(projection, "mine", 4, EN)
    total = projection.series("revenue")[:4].sum()
    summed = next(item for item in found.inputs if item.name == "revenue")
    assert summed.value == pytest.approx(total)
    assert summed.unit == "money"
    assert summed.label.en == "Revenue, sum so far"
    assert found.named.startswith("[Revenue, sum so far] − [Cash at the end of the month, last month] + ")
    assert found.valued.startswith(EN.number(total, digits=4))
    assert recomputed(projection, found) == pytest.approx(found.value)
    assert "cumulative" not in found.named + found.valued


def test_a_value_below_zero_stands_in_brackets():
    venture = with_values({"expansion": -0.02}).with_lines([line("1 - expansion * one_month")])
    assert why(project(venture), "mine", 1, EN).valued == "1 − (-0.02) × 1"


def test_what_is_not_a_line_or_a_month_of_the_plan_is_refused():
    projection = project(EXAMPLE)
    for key in ("moon", "cac", "month", ""):
        with pytest.raises(Refusal, match=f"There is no line “{key}”."):
            why(projection, key, 1, EN)
    for month in (0, -1, 37):
        with pytest.raises(Refusal, match=f"Month {month} is not in the plan; 1 to 36 are."):
            why(projection, "cash", month, EN)


def test_every_section_of_the_plan_has_a_label_in_both_languages():
    sections = {made.section for made in PLAN.lines} | {"own"}
    for section in sections:
        label = section_label(section)
        assert label.en != section
        assert label.zh
