"""How a language writes sentences, numbers, money, shares and months."""

import math
import re
from datetime import date

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.i18n import LANGUAGES, Sentence, Text, language

EN, ZH = language("en"), language("zh_Hans")
BOTH = pytest.mark.parametrize("reader", [EN, ZH], ids=list(LANGUAGES))


def read_back(text):
    """The number that a written number stands for."""
    text = re.sub(r"(US|CN)?[$€£¥]", "", text).rstrip("%").replace(",", "").replace("\u00a0", "")
    sizes = {"K": 1e3, "M": 1e6, "B": 1e9, "T": 1e12, "万": 1e4, "亿": 1e8, "万亿": 1e12}
    found = re.fullmatch(r"(-?[\d.]+(?:e[-+]\d+)?)([KMBT万亿]*)", text)
    assert found, text
    return float(found[1]) * sizes.get(found[2], 1)


# Sentences


def test_a_sentence_is_said_with_its_values():
    assert EN("{count} runs are waiting.", count=2) == "2 runs are waiting."
    assert EN("{a} {b}", a=Text("one", "一"), b=Sentence.of("{x}!", x=Text("two", "二"))) == "one two!"
    assert ZH("{a} {b}", a=Text("one", "一"), b=Sentence.of("{x}!", x=Text("two", "二"))) == "一 二!"


def test_a_sentence_without_values_may_have_braces_and_one_with_values_keeps_theirs():
    assert EN("Mention a number as {price}.") == "Mention a number as {price}."
    assert EN("{text}", text="{price} {0} {") == "{price} {0} {"
    assert EN("{message} {self}", message=1, self=2) == "1 2"


def test_a_sentence_that_is_not_in_the_catalogue_falls_back_to_english():
    assert ZH("This sentence is in no catalogue.") == "This sentence is in no catalogue."


@BOTH
def test_nothing_is_said_as_nothing_and_not_as_the_header_of_the_catalogue(reader):
    assert reader("") == ""


def test_an_unknown_language_is_english_and_costs_no_memory():
    for code in ("", "fr", "zh", "zh_Hant", "../../etc", "en\n"):
        assert language(code) is EN
    assert language("zh_Hans") is ZH
    assert list(LANGUAGES) == ["en", "zh_Hans"]


def test_data_text_falls_back_to_english_where_chinese_is_missing():
    assert ZH.text(Text("Only English")) == "Only English"
    assert ZH.text(Text("Both", "两者")) == "两者"
    assert EN.text(Text("Both", "两者")) == "Both"
    assert str(Text("Both", "两者")) == "Both"


# Numbers


@pytest.mark.parametrize(
    ("value", "en", "zh"),
    [
        (0, "0", "0"),
        (-0.0, "0", "0"),
        (1, "1", "1"),
        (12.5, "12.5", "12.5"),
        (-5.25, "-5.25", "-5.25"),
        (0.1 + 0.2, "0.3", "0.3"),
        (2 / 3, "0.667", "0.667"),
        (1234.567, "1,235", "1,235"),
        (9999.4, "9,999", "9,999"),
        (9999.7, "10K", "1万"),
        (10_000, "10K", "1万"),
        (12_345, "12.3K", "1.23万"),
        (999_999, "1M", "100万"),
        (1_234_567, "1.23M", "123万"),
        (-1_234_567, "-1.23M", "-123万"),
        (99_999_999, "100M", "1亿"),
        (123_456_789, "123M", "1.23亿"),
        (1e12, "1T", "1万亿"),
        (1e15, "1.00e+15", "1.00e+15"),
        (-2e30, "-2.00e+30", "-2.00e+30"),
        (0.00008, "0.00008", "0.00008"),
        (1.234e-8, "0.0000000123", "0.0000000123"),
        (1e-12, "1.00e-12", "1.00e-12"),
        (math.nan, "not defined", None),
        (math.inf, "not defined", None),
        (-math.inf, "not defined", None),
    ],
)
def test_a_number_has_three_significant_figures_and_is_compact_from_ten_thousand(value, en, zh):
    assert EN.number(value) == en
    assert ZH.number(value) == (ZH("not defined") if zh is None else zh)
    assert EN.number(np.float64(value)) == en


def test_a_number_stands_before_its_unit_and_may_have_other_figures():
    assert EN.number(8.4, "customers") == "8.4 customers"
    assert EN.number(math.pi, digits=5) == "3.1416"
    assert EN.number(2.5, digits=1) == "2"
    assert EN.number(123_456_789, digits=5) == "123.46M"


@pytest.mark.parametrize(
    ("value", "currency", "en", "zh"),
    [
        (0, "USD", "$0", "US$0"),
        (-0.0, "USD", "$0", "US$0"),
        (80, "USD", "$80", "US$80"),
        (12.5, "USD", "$12.50", "US$12.50"),
        (0.5, "USD", "$0.50", "US$0.50"),
        (0.0423, "USD", "$0.0423", "US$0.0423"),
        (0.00008, "USD", "$0.00008", "US$0.00008"),
        (-5.25, "EUR", "-€5.25", "-€5.25"),
        (1234.5, "GBP", "£1,234", "£1,234"),
        (1_234_567, "USD", "$1.23M", "US$123万"),
        (-4_000_000, "USD", "-$4M", "-US$400万"),
        (999_950, "CNY", "CN¥1M", "¥100万"),
        (1e12, "USD", "$1T", "US$1万亿"),
        (1e18, "USD", "$1.00e+18", "US$1.00e+18"),
        (-1e18, "USD", "-$1.00e+18", "-US$1.00e+18"),
        (1e-12, "USD", "$1.00e-12", "US$1.00e-12"),
        (math.nan, "USD", "not defined", None),
    ],
)
def test_money_has_its_sign_its_currency_and_cents_where_they_matter(value, currency, en, zh):
    assert EN.money(value, currency) == en
    assert ZH.money(value, currency) == (ZH("not defined") if zh is None else zh)


@pytest.mark.parametrize(
    ("share", "said"),
    [
        (0, "0%"),
        (-0.0, "0%"),
        (0.61, "61%"),
        (1, "100%"),
        (0.0423, "4.23%"),
        (2 / 3, "66.7%"),
        (-0.005, "-0.5%"),
        (0.9999, "100%"),
        (1e-5, "0.001%"),
        (12.5, "1,250%"),
        (1e20, "1.00e+22%"),
        (-1e300, "-1.00e+302%"),
    ],
)
@BOTH
def test_a_share_is_said_in_percent(reader, share, said):
    assert reader.percent(share) == said


@BOTH
def test_a_share_that_is_no_number_is_said_so(reader):
    for share in (math.nan, math.inf, 1e308):
        assert reader.percent(share) == reader("not defined")


ANY = st.floats(-1e300, 1e300)


@BOTH
@given(ANY)
def test_any_number_is_written_so_that_it_reads_back_to_three_figures(reader, value):
    for text in (reader.number(value), reader.money(value, "USD")):
        assert read_back(text) == pytest.approx(value, rel=6e-3, abs=0)
        assert text.startswith("-") == (value < 0)
    assert read_back(reader.percent(value)) == pytest.approx(value * 100, rel=6e-3, abs=0)


@BOTH
@given(ANY)
def test_no_number_is_written_longer_than_a_cell(reader, value):
    assert len(reader.number(value)) <= 16
    assert len(reader.money(value, "CNY")) <= 18


# Dates


@pytest.mark.parametrize(
    ("start", "offset", "en", "zh"),
    [
        (date(2026, 11, 1), 0, "Nov 2026", "2026年11月"),
        (date(2026, 11, 30), 1, "Dec 2026", "2026年12月"),
        (date(2026, 11, 1), 2, "Jan 2027", "2027年1月"),
        (date(2026, 1, 31), 1, "Feb 2026", "2026年2月"),
        (date(2026, 1, 1), -1, "Dec 2025", "2025年12月"),
        (date(2026, 6, 1), 120, "Jun 2036", "2036年6月"),
    ],
)
def test_a_month_is_counted_from_the_first(start, offset, en, zh):
    assert EN.month(start, offset) == en
    assert ZH.month(start, offset) == zh


def test_a_day_is_written_in_the_languages_own_way():
    assert EN.moment(date(2026, 6, 1)) == "Jun 1, 2026"
    assert ZH.moment(date(2026, 6, 1)) == "2026年6月1日"
