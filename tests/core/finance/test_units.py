"""Units: what does not belong together does not load, and nothing is converted in silence."""

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st
from plans import EXAMPLE, PLAN, line

from core.finance import FormulaRefusal, model_of
from core.finance.units import WORDS, degree, read, same, spelled, spoken, unit
from core.i18n import Refusal, Text, language
from core.venture import Venture


def refusal(*lines):
    with pytest.raises(Refusal) as refused:
        model_of(EXAMPLE.with_lines(lines))
    assert language("zh_Hans").refusal(refused.value)
    return str(refused.value)


def loads(formula, unit_text):
    model_of(EXAMPLE.with_lines([line(formula, unit_text)]))
    return True


# Formulas


def test_money_added_to_customers_does_not_load():
    assert (
        refusal(line("cash + customers", "money"))
        == "Line “Mine”: “cash + customers” mixes money with customer."
    )
    assert "mixes money with customer" in refusal(line("cash - customers", "money"))
    assert "mixes money with customer" in refusal(line("where(cash > customers, 1, 0)"))
    assert "mixes money with customer" in refusal(line("min(cash, customers)", "money"))
    assert "mixes money with customer" in refusal(line("where(1 > 0, cash, customers)", "money"))
    assert "mixes money with 1" in refusal(line("cash + 1", "money"))


def test_zero_fits_every_unit_since_nothing_is_nothing_of_anything():
    assert loads("max(cash, 0)", "money")
    assert loads("where(cash < 0, 0, cash)", "money")
    assert loads("0", "money")
    assert "mixes" in refusal(line("max(cash, 0.1)", "money"))


def test_a_flow_is_not_a_stock():
    assert refusal(line("revenue", "money")) == (
        "Line “Mine”: the formula gives money/month, but the line is in money."
    )
    assert loads("revenue * one_month", "money")
    assert loads("cumulative(revenue)", "money")
    assert "gives money, but" in refusal(line("cumulative(revenue)", "money/month"))
    assert loads("prev(revenue)", "money/month")


def test_a_day_is_not_a_month_without_the_constant_that_converts_it():
    assert "mixes day with month" in refusal(line("receivable_days + one_month", "day"))
    assert (
        refusal(line("receivable_days", "month"))
        == "Line “Mine”: the formula gives day, but the line is in month."
    )
    assert loads("receivable_days / days_per_month", "month")
    assert loads("one_month * days_per_month", "day")


def test_a_million_tokens_is_not_a_token_and_the_sentence_says_which_is_which():
    assert refusal(line("input_tokens * price_input", "money/call")) == (
        "Line “Mine”: the formula gives money*token/Mtoken/call, but the line is in money/call."
    )
    assert loads("input_tokens * price_input / tokens_per_million", "money/call")
    assert (
        refusal(line("tokens_per_million"))
        == "Line “Mine”: the formula gives token/Mtoken, but the line is in 1."
    )
    assert (
        refusal(line("days_per_month")) == "Line “Mine”: the formula gives day/month, but the line is in 1."
    )


def test_month_counts_months():
    assert refusal(line("month")) == "Line “Mine”: the formula gives month, but the line is in 1."
    assert loads("month / one_month", "1")
    assert "mixes month with 1" in refusal(line("where(month > 3, 1, 0)"))


def test_exponents_carry_through_units_and_have_none_themselves():
    assert loads("cash ** 2", "money^2")
    assert loads("cash ** -1", "1/money")
    assert loads("cash ** 0", "1")
    assert loads("sqrt(cash * cash)", "money")
    assert loads("sqrt(cash) * sqrt(cash)", "money")
    assert loads("2 ** accuracy", "1")
    assert "An exponent has no unit; this one is money." in refusal(line("2 ** cash"))
    assert "must be a whole number" in refusal(line("cash ** accuracy", "money"))
    assert "must be a whole number" in refusal(line("cash ** 0.5 * cash ** 0.5", "money"))
    assert "beyond the power of 9" in refusal(line("cash ** 10 / cash ** 9", "money"))


def test_functions_keep_or_refuse_units():
    for same_unit in ("ceil(cash)", "floor(cash)", "-cash", "+cash", "min(cash, prev(cash))"):
        assert loads(same_unit, "money")
    for name in ("exp", "log"):
        assert f"{name} takes a number without a unit; this one is money." in refusal(line(f"{name}(cash)"))
    for truth in ("cash > 0", "not cash", "cash and customers", "cash == cash", "not (cash > 0)"):
        assert loads(truth, "1")
        assert refusal(line(truth, "money")).endswith("gives 1, but the line is in money.")


def test_an_opening_is_in_the_unit_of_its_line():
    assert loads("prev(mine)", "1")
    model_of(EXAMPLE.with_lines([line("prev(mine)", "money", opening="cash_first")]))
    assert refusal(line("prev(mine)", "money", opening="team_first")) == (
        "Line “Mine”: the formula gives person, but the line is in money."
    )


# Units by name


@pytest.mark.parametrize(
    "text", sorted({made.unit for made in PLAN.lines} | {d.unit for d in EXAMPLE.drivers})
)
def test_every_unit_of_the_plan_is_a_unit_and_reads_in_both_languages(text):
    unit(text)
    assert same(unit(spelled(unit(text))), unit(text))
    for code in ("en", "zh_Hans"):
        said = read(text, "USD", language(code))
        assert said
        assert not set("^*_") & set(said)


@pytest.mark.parametrize(
    "text",
    ["", "moon", "money/", "/money", "money//seat", "money money", "1/1", "2", "money^", "money^0", "money^-1", "money^10",
     "money**2", "[money]", "dimensionless", "customers", "Money", "percent", "kmoney", "m", "money+seat", "(money)", "month^9*month", "x" * 81,
     "month*" * 13 + "month", "1*money", "money/1", "__import__"],
)  # fmt: skip
def test_what_is_not_a_unit_is_refused_with_the_units_that_are(text):
    with pytest.raises(
        Refusal, match="is not a unit; a unit is 1 or made of second, hour, day, month, money"
    ):
        unit(text)


@given(st.text(max_size=90) | st.text("moneyseatdaymonth1/*^29", max_size=90))
def test_any_text_is_a_unit_or_a_refusal(text):
    try:
        found = unit(text)
    except Refusal:
        return
    assert degree(found) <= 9
    assert same(found, found)


def test_a_line_or_a_driver_with_an_unknown_unit_is_named():
    assert refusal(line("1", "moon")).startswith("Mine: “moon” is not a unit;")
    strange = EXAMPLE.driver("cac").model_copy(update={"key": "x", "label": Text("Strange"), "unit": "moon"})
    with pytest.raises(Refusal, match="Strange: “moon” is not a unit"):
        model_of(EXAMPLE.add_driver(strange))


def test_units_are_the_same_by_size_and_kind_and_not_by_spelling():
    assert same(unit("money/seat/month"), unit("money/month/seat"))
    assert same(unit("day*day"), unit("day^2"))
    assert same(unit("month/month"), unit("1"))
    assert not same(unit("day"), unit("month"))
    assert not same(unit("token"), unit("Mtoken"))
    assert not same(unit("customer"), unit("person"))
    assert not same(unit("day/month"), unit("1"))


@pytest.mark.parametrize(
    ("value", "text", "en", "zh"),
    [
        (80.0, "money/seat/month", "$80 / seat / month", "US$80 / 席位 / 月"),
        (0.042, "1/month", "4.2% / month", "4.2% / 月"),
        (0.5, "1", "50%", "50%"),
        (8.4, "customer", "8.4 customers", "8.4 个客户"),
        (1.5, "customer/month", "1.5 customers / month", "1.5 个客户 / 月"),
        (0.0, "money", "$0", "US$0"),
    ],
)
def test_a_value_is_spoken_with_its_unit(value, text, en, zh):
    assert spoken(value, text, "USD", language("en")) == en
    assert spoken(value, text, "USD", language("zh_Hans")) == zh


def test_every_unit_has_words_in_both_languages():
    for above, below in WORDS.values():
        assert above.en and above.zh and below.en and below.zh


# Names


@pytest.mark.parametrize(
    "key", ["month", "one_month", "discount_rate", "where", "prev", "lambda", "yield", "class", "in"]
)
def test_a_driver_or_line_cannot_take_a_name_that_formulas_use_otherwise(key):
    driver = EXAMPLE.driver("cac").model_copy(update={"key": key, "label": Text("Taken")})
    with pytest.raises(Refusal) as refused:
        model_of(EXAMPLE.add_driver(driver))
    assert str(refused.value) == f"The driver “Taken” needs another key; “{key}” is taken."
    assert (
        refusal(line("1", key=key)) == f"The line “{key.capitalize()}” needs another key; “{key}” is taken."
    )


@pytest.mark.parametrize("key", ["cash", "revenue", "cac", "accuracy"])
def test_a_line_cannot_take_the_name_of_another_line_or_of_a_driver(key):
    assert (
        refusal(line("1", key=key)) == f"The line “{key.capitalize()}” needs another key; “{key}” is taken."
    )


def test_an_opening_is_made_of_drivers_only():
    assert "An opening value is made of drivers only, not of “month”." in refusal(
        line("1", opening="month / one_month")
    )
    assert "An opening value is made of drivers only, not of “mine”." in refusal(line("1", opening="mine"))
    assert "“cash” is not the name of a driver or a line." in refusal(line("1", opening="cash / cash"))
    assert "“cash” has no past" in refusal(line("1", opening="prev(cash) / cash_first"))


def test_prev_and_cumulative_take_lines_and_not_drivers_or_constants():
    for name in ("cac", "one_month", "month", "moon"):
        for function in ("prev", "cumulative"):
            with pytest.raises(
                FormulaRefusal, match=f"“{name}” has no past: prev and cumulative take lines."
            ):
                model_of(EXAMPLE.with_lines([line(f"{function}({name})")]))


def test_a_plan_without_one_of_its_drivers_says_which_line_needs_it():
    fields = {name: getattr(EXAMPLE, name) for name in Venture.model_fields}
    without = Venture(
        **{
            **fields,
            "drivers": tuple(d for d in EXAMPLE.drivers if d.key != "salary"),
            "scenarios": (),
        }
    )
    with pytest.raises(
        FormulaRefusal, match=re.escape("Line “Salaries”: “salary” is not the name of a driver or a line.")
    ):
        model_of(without)
