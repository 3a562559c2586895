"""Amounts: what people type, what it means as a distribution, and what is not taken."""

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.special import expit, logit, ndtri

from core.i18n import Refusal, language
from core.venture import Amount, parse_amount
from core.venture.amount import write_amount


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("20", 20),
        ("  20 ", 20),
        ("-5", -5),
        ("−5", -5),
        ("+5", 5),
        ("$80", 80),
        ("-$80", -80),
        ("¥2万", 20_000),
        ("2 万", 20_000),
        ("1.5亿", 150_000_000),
        ("1.5k", 1500),
        ("4m", 4_000_000),
        ("4M", 4_000_000),
        ("2bn", 2e9),
        ("2B", 2e9),
        ("1e-3", 0.001),
        ("2.5E6", 2.5e6),
        (".5", 0.5),
        ("12%", 0.12),
        ("12％", 0.12),
        ("1,234,567.5", 1_234_567.5),
        ("1 234 567", 1_234_567),
        ("1，234", 1234),
        ("1\u00a0234", 1234),
        ("１２", 12),
        ("0", 0),
    ],
)
def test_a_number_is_read_as_people_write_it(text, value):
    amount = parse_amount(text, "lognormal")
    assert amount.is_point
    assert amount.median == pytest.approx(value, rel=1e-15)


@pytest.mark.parametrize(
    ("text", "low", "high"),
    [
        ("15 to 25", 15, 25),
        ("15 TO 25", 15, 25),
        ("15-25", 15, 25),
        ("15 - 25", 15, 25),
        ("15–25", 15, 25),
        ("15..25", 15, 25),
        ("15~25", 15, 25),
        ("15 到 25", 15, 25),
        ("15至25", 15, 25),
        ("15k to 80k", 15_000, 80_000),
        ("$15k to $80k", 15_000, 80_000),
        ("2 万 到 5 万", 20_000, 50_000),
        ("2% to 5%", 0.02, 0.05),
        ("2 to 5%", 0.02, 0.05),
        ("1,000 to 2,000", 1000, 2000),
        ("1e2-1e3", 100, 1000),
    ],
)
def test_a_range_is_read_as_people_write_it(text, low, high):
    amount = parse_amount(text, "lognormal")
    assert amount.distribution == "lognormal"
    assert amount.ends() == pytest.approx((low, high), rel=1e-15)


def test_a_range_may_lie_below_zero_where_the_sign_is_free():
    assert parse_amount("-5 to -2", "normal").ends() == (-5, -2)
    assert parse_amount("-5--2", "normal").ends() == (-5, -2)
    assert parse_amount("-2% - 2%", "normal").ends() == (-0.02, 0.02)


def test_a_range_with_equal_ends_is_a_number():
    assert parse_amount("5 to 5", "lognormal") == Amount.point(5)
    assert parse_amount("0 to 0", "lognormal") == Amount.point(0)


@pytest.mark.parametrize(
    "text",
    ["", " ", "abc", "to", "5 to", "to 5", "1 2", "1,5", "12,34", "1,2345", "5 to 6 to 7", "5 x", "%", "$", "--5", "nan", "inf", "1e", "0x10", "5.", "5 %%", "{field}", "五"],
)  # fmt: skip
def test_what_is_neither_a_number_nor_a_range_is_refused_with_the_text(text):
    with pytest.raises(Refusal, match="is not a number or a range; write 20 or 15 to 25") as refused:
        parse_amount(text, "lognormal")
    assert text.strip() in str(refused.value)


@pytest.mark.parametrize(
    ("text", "distribution", "sentence"),
    [
        ("25 to 15", "lognormal", "The range 25.0 to 15.0 must rise."),
        ("0 to 15", "lognormal", "The range starts at 0.0; it must start above 0."),
        ("-1 to 15", "lognormal", "The range starts at -1.0; it must start above 0."),
        ("0% to 50%", "logitnormal", "The range 0.0 to 0.5 must lie between 0% and 100%, both excluded."),
        ("50% to 100%", "logitnormal", "The range 0.5 to 1.0 must lie between 0% and 100%, both excluded."),
        ("1e31", "lognormal", "“1e31” is too large; up to 1e30 is allowed."),
        ("1e999", "lognormal", "“1e999” is too large; up to 1e30 is allowed."),
        ("9" * 81, "lognormal", "The text is 81 characters long; 80 are allowed."),
    ],
)
def test_a_wrong_amount_is_refused_in_one_sentence_with_its_value_and_what_is_allowed(
    text, distribution, sentence
):
    with pytest.raises(Refusal) as refused:
        parse_amount(text, distribution)
    assert str(refused.value) == sentence


@given(st.text(max_size=90))
def test_any_text_is_an_amount_or_a_refusal(text):
    try:
        low, high = parse_amount(text, "normal").ends()
    except Refusal as error:
        language("zh_Hans").refusal(error)
    else:
        assert math.isfinite(low) and math.isfinite(high)


@given(st.text("0123456789.,-−+eE% kKmMbBn万亿to~到$¥", max_size=30))
def test_text_that_looks_like_numbers_is_an_amount_or_a_refusal(text):
    try:
        low, high = parse_amount(text, "lognormal").ends()
    except Refusal as error:
        language("zh_Hans").refusal(error)
    else:
        assert 0 < low < high or low == high


NUMBERS = st.floats(-1e15, 1e15).filter(lambda x: x == 0 or abs(x) > 1e-12)


@given(NUMBERS, st.booleans())
def test_a_written_number_reads_back_to_six_figures(value, percent):
    back = parse_amount(write_amount(Amount.point(value), percent), "normal")
    assert back.is_point
    assert back.median == pytest.approx(value, rel=1e-5, abs=1e-300)


@given(NUMBERS, NUMBERS, st.booleans())
def test_a_written_range_reads_back_to_six_figures(one, other, percent):
    low, high = min(one, other), max(one, other)
    if high - low <= 1e-4 * max(abs(low), abs(high)):
        return  # both ends may be written alike
    back = parse_amount(write_amount(Amount.interval(low, high, "normal"), percent), "normal")
    assert back.ends() == pytest.approx((low, high), rel=1e-5, abs=1e-300)


@pytest.mark.parametrize(
    ("amount", "percent", "text"),
    [
        (Amount.point(20), False, "20"),
        (Amount.point(4e6), False, "4m"),
        (Amount.point(1.5e9), False, "1.5bn"),
        (Amount.point(1_234_567), False, "1,234,567"),
        (Amount.point(0.02), True, "2%"),
        (Amount.interval(15_000, 80_000), False, "15,000 to 80,000"),
        (Amount.interval(-0.005, 0.02, "normal"), True, "-0.5% to 2%"),
    ],
)
def test_an_amount_is_written_as_a_person_would_type_it(amount, percent, text):
    assert write_amount(amount, percent) == text


# What a range means


POSITIVE = st.floats(1e-3, 1e6)


@given(POSITIVE, st.floats(1.01, 100))
def test_the_ends_of_a_lognormal_range_are_its_5th_and_95th_percentile(low, factor):
    amount = Amount.interval(low, low * factor)
    assert amount.at(np.array([0.05, 0.95])) == pytest.approx(amount.ends(), rel=1e-9)
    assert amount.median == pytest.approx(low * math.sqrt(factor), rel=1e-9)  # the geometric mean of its ends


@given(POSITIVE, st.floats(1.01, 8))
def test_the_mean_of_a_lognormal_range_is_that_of_the_closed_form(low, factor):
    amount = Amount.interval(low, low * factor)
    sigma = math.log(factor) / (2 * ndtri(0.95))
    mean = amount.median * math.exp(sigma**2 / 2)
    # The mean as an integral of the quantile function, by the midpoint rule; the far tail converges slowly.
    quantiles = amount.at((np.arange(20_000) + 0.5) / 20_000)
    assert quantiles.mean() == pytest.approx(mean, rel=1e-3)


@given(st.floats(0.001, 0.5), st.floats(0.51, 0.999))
def test_the_ends_of_a_logit_normal_range_are_its_5th_and_95th_percentile(low, high):
    amount = Amount.interval(low, high, "logitnormal")
    assert amount.at(np.array([0.05, 0.95])) == pytest.approx((low, high), rel=1e-9)
    assert amount.median == pytest.approx(expit((logit(low) + logit(high)) / 2), rel=1e-9)
    draws = amount.at(np.linspace(1e-9, 1 - 1e-9, 1001))
    assert (draws > 0).all() and (draws < 1).all()


@given(st.floats(-1e6, 1e6), st.floats(0.001, 1e6))
def test_the_ends_of_a_normal_range_are_its_5th_and_95th_percentile(low, width):
    amount = Amount.interval(low, low + width, "normal")
    low, high = amount.ends()
    assert amount.at(np.array([0.05, 0.95])) == pytest.approx((low, high), rel=1e-9, abs=1e-9 * width)
    assert amount.median == pytest.approx((low + high) / 2, rel=1e-9, abs=1e-9 * width)
    sigma = (high - low) / (2 * 1.6448536269514722)
    assert amount.at(np.array(0.8413447460685429)) - amount.median == pytest.approx(sigma, rel=1e-6)


@pytest.mark.parametrize("distribution", ["lognormal", "normal", "logitnormal"])
def test_quantiles_rise_and_keep_the_shape_of_the_probabilities(distribution):
    probability = np.linspace(0.01, 0.99, 12).reshape(3, 4)
    found = Amount.interval(0.1, 0.4, distribution).at(probability)
    assert found.shape == (3, 4)
    assert (np.diff(found.ravel()) > 0).all()


def test_a_point_is_the_same_at_every_probability():
    assert (Amount.point(7).at(np.array([[0.1], [0.9]])) == np.array([[7.0], [7.0]])).all()


@given(POSITIVE, st.floats(1.01, 10), st.floats(0.01, 100))
def test_a_scaled_amount_has_scaled_quantiles(low, width, factor):
    amount = Amount.interval(low, low * width)
    p = np.array([0.05, 0.5, 0.9])
    assert amount.scaled(factor).at(p) == pytest.approx(amount.at(p) * factor, rel=1e-9)
    assert Amount.point(low).scaled(factor) == Amount.point(low * factor)


@pytest.mark.parametrize(
    ("make", "sentence"),
    [
        (lambda: Amount.point(math.nan), "value is nan; a finite number is needed."),
        (lambda: Amount.point(math.inf), "value is inf; a finite number is needed."),
        (lambda: Amount.interval(1, math.inf), "high is inf; a finite number is needed."),
        (lambda: Amount.interval(3, 2, "normal"), "The range 3.0 to 2.0 must rise."),
        (lambda: Amount.interval(2, 2), "The range 2.0 to 2.0 must rise."),
        (lambda: Amount.interval(0.5, 1, "logitnormal"), "The range 0.5 to 1.0 must lie between 0% and 100%, both excluded."),
        (lambda: Amount.interval(1, 2, "point"), "A point needs a value and no low or high."),
        (
            lambda: Amount.interval(1, 2, "beta"),
            "distribution is 'beta'; allowed: 'point', 'lognormal', 'normal', 'logitnormal'.",
        ),
        (lambda: Amount.interval(1, 2).scaled(-1), "The range -1.0 to -2.0 must rise."),
    ],
)  # fmt: skip
def test_an_amount_that_means_nothing_cannot_be_made(make, sentence):
    with pytest.raises(Refusal) as refused:
        make()
    assert str(refused.value) == sentence
