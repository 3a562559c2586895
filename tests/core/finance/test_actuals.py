"""Real figures take the place of the plan's, and what follows starts from them."""

import io
import warnings
import zipfile
from datetime import date

import numpy as np
import openpyxl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from plans import EXAMPLE, numbers

from core.finance import project, simulate, why
from core.finance.actuals import PARTS, deviations, figures, merged
from core.finance.actuals_file import read_file, read_text, template
from core.finance.draws import draws
from core.finance.movements import mrr_movements
from core.finance.outcome import outcome, values
from core.i18n import LANGUAGES, Refusal, language
from core.venture import Actual

PLAIN = project(EXAMPLE)


def real(**lines):
    """The example with real figures, from month 1 on."""
    return EXAMPLE.with_actuals(
        Actual(key=key, values=tuple(None if v is None else float(v) for v in numbers))
        for key, numbers in lines.items()
    )


def test_cash_goes_on_from_the_real_balance():
    projection = project(real(cash=[3.9e6, 3.5e6, 3.0e6]))
    assert projection.series("cash")[:3].tolist() == [3.9e6, 3.5e6, 3.0e6]
    shift = 3.0e6 - PLAIN.at("cash", 3)
    assert projection.series("cash")[3:] == pytest.approx(PLAIN.series("cash")[3:] + shift)


@pytest.mark.parametrize("whole", sorted(PARTS))
def test_a_real_sum_scales_the_parts_that_carry_it_on(whole):
    first, second = PARTS[whole]
    projection = project(real(**{whole: [None, None, 5.0 * PLAIN.at(whole, 3)]}))
    assert projection.at(whole, 2) == PLAIN.at(whole, 2)
    assert projection.at(first, 3) + projection.at(second, 3) == pytest.approx(5 * PLAIN.at(whole, 3))
    assert projection.at(first, 3) / projection.at(second, 3) == pytest.approx(
        PLAIN.at(first, 3) / PLAIN.at(second, 3)
    )
    assert projection.at(first, 4) + projection.at(second, 4) == pytest.approx(projection.at(whole, 4))
    assert projection.at(whole, 4) > 3 * PLAIN.at(whole, 4)


def test_real_customers_where_none_were_planned_are_early_ones():
    venture = real(customers=[0, 0, 7]).with_driver(
        "new_customers_first", EXAMPLE.driver("new_customers_first").amount.point(0)
    )
    projection = project(venture)
    assert (projection.at("early_customers", 3), projection.at("settled_customers", 3)) == (7, 0)


def test_new_customers_grow_from_the_real_ones():
    projection = project(real(new_customers=[10]))
    assert projection.at("new_customers", 2) == pytest.approx(
        10 * (1 + PLAIN.at("growth_of_new_customers", 1))
    )


def test_every_draw_has_the_real_figure_and_the_fan_opens_after_it():
    simulation = simulate(real(cash=[3.9e6, 3.5e6]), 1024)
    cash = simulation.lines["cash"]
    assert (cash[1:3] == [[3.9e6], [3.5e6]]).all()
    assert np.ptp(cash[3]) > 0
    alone = simulate(EXAMPLE, 1024)
    np.testing.assert_allclose(np.diff(cash[2:], axis=0), np.diff(alone.lines["cash"][2:], axis=0), rtol=1e-6)


@pytest.mark.parametrize("count", [64, 2048])
def test_few_and_many_draws_outcomes_and_simulation_agree(count):
    venture = real(cash=[3.9e6, None, 3.0e6], customers=[3, 5], inference_cost=[None, 1e4], price_level=[2])
    lines = simulate(venture, count).lines
    lowest = values(venture, outcome(venture, "lowest_cash"), draws(venture, count))
    np.testing.assert_allclose(lowest, lines["cash"].min(axis=0))


def test_without_real_figures_nothing_is_touched():
    assert figures(EXAMPLE) == {}
    again = project(real(cash=[None, None]))
    assert all((again.lines[key] == PLAIN.lines[key]).all() for key in PLAIN.lines)


@settings(max_examples=25, deadline=None)
@given(
    st.dictionaries(
        st.sampled_from(["customers", "mrr", "cash", "revenue", "operating_cost", "new_customers", "team"]),
        st.lists(st.none() | numbers(0, 1e9), min_size=1, max_size=12),
        min_size=1,
    )
)
def test_whatever_is_real_stays_and_the_plan_stays_finite(lines):
    projection = project(real(**lines))
    for key, figures_ in lines.items():
        for month, number in enumerate(figures_, 1):
            assert number is None or projection.at(key, month) == number
    assert all(np.isfinite(values).all() for values in projection.lines.values())


def test_movements_still_add_up_and_name_what_is_left_over():
    moves = mrr_movements(project(real(mrr=[None, 50_000])), 1, 6)
    assert sum(move.value for move in moves[:-1]) == pytest.approx(moves[-1].value)
    assert "Real figures" in [move.label.en for move in moves]
    assert "Real figures" not in [move.label.en for move in mrr_movements(PLAIN, 1, 6)]


@pytest.mark.parametrize("code", list(LANGUAGES))
def test_why_says_that_a_figure_is_real_or_scaled_to_one(code):
    projection, _ = project(real(customers=[4])), language(code)
    assert not why(projection, "customers", 1, _).inputs
    (only,) = why(projection, "early_customers", 1, _).inputs
    assert only.line == "customers"
    assert "prev" not in why(projection, "customers", 1, _).named
    assert len(why(projection, "customers", 2, _).inputs) == 2


def test_deviations_stand_beside_the_plan_and_new_months_join_the_old():
    venture = real(cash=[3.9e6, 3.5e6])
    found = deviations(venture, PLAIN.lines)
    assert [(one.month, one.real) for one in found] == [(1, 3.9e6), (2, 3.5e6)]
    assert found[0].planned == PLAIN.at("cash", 1)
    more = merged(
        venture, (Actual(key="cash", values=(None, 3.4e6, 3.1e6)), Actual(key="mrr", values=(1.0,)))
    )
    assert {a.key: a.values for a in more} == {"cash": (3.9e6, 3.4e6, 3.1e6), "mrr": (1.0,)}


def test_more_real_months_than_the_plan_has_are_refused():
    with pytest.raises(Refusal, match="for 37 months; the plan has 36"):
        real(cash=[1.0] * 37)


# Reading a table


def read(text):
    return {actual.key: actual.values for actual in read_text(text, EXAMPLE).actuals}


@pytest.mark.parametrize(
    "text",
    [
        "Month,Customers,MRR\n2026-06,2,3800\n2026-07,3,$5.7k\n",
        "month\tcustomers\tmrr\n1\t2\t3,800\n2\t3\t5,700\n",
        "月份;客户数;月度经常性收入 MRR\n2026年6月;2;3800\n2026年7月;3;0.57万\n",
        "Line,Jun 2026,July 2026\nCustomers (customers),2,3\nMRR (USD / month),3800,5700\n",
        "Line,1,2\nCustomers,2,3\nMRR,3800,5700\n",
        "\n,Customers,MRR\n\n06/2026,2,3800\n7/2026,3,5700\n,,\n",
        "Month,Customers,MRR\n2026-07-31,3,5700\n2026-06-30,2,3800\n",
    ],
)
def test_a_table_is_read_whichever_way_it_is_written(text):
    assert read(text) == {"customers": (2, 3), "mrr": (3800, pytest.approx(5700))}


def test_gaps_brackets_and_headings_that_are_no_lines():
    found = read_text("Month,Cash at the end of the month,EBITDA,Notes\n1,,(300),x\n3,5m,-,y\n", EXAMPLE)
    assert {a.key: a.values for a in found.actuals} == {"cash": (None, None, 5e6), "ebitda": (-300,)}
    assert found.unknown == ("Notes",)


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        ("", "The table needs a row of headings and at least one month with a figure."),
        ("Month,Customers", "The table needs a row of headings and at least one month with a figure."),
        ("Month,Cust\n1,2", "None of the headings is a line of the plan: Cust."),
        (
            "Month,Customers\nsoon,2",
            "“soon” is not a month; write 2026-11, Nov 2026 or 1 for the first month.",
        ),
        ("Month,Customers\n2025-01,2", "“2025-01” is not in the plan, which runs from Jun 2026 to May 2029."),
        ("Month,Customers\n1,2\n1,3", "The month “1” stands there twice."),
        ("Month,Customers,customers\n1,2,3", "“customers” stands there twice."),
        ("Month,Customers\n1,many", "Customers in month 1 is “many”; a number is needed."),
        ("Month,Customers\n1,2 to 3", "Customers in month 1 is “2 to 3”; a number is needed."),
        ("Month,Customers\n1,-2", "Customers in month 1 is -2.0; at least 0 is allowed."),
        ("Month,Gross margin after inference\n1,55", "is 55.0; write a share such as 55%."),
        ("Month,Customers\n1,1e20", "Customers in month 1 is too large."),
        ("Month,Customers\n1,\n2,", "The table has no figures in it."),
        ("Month,Share of customers who stay\n1,0.5", "None of the headings is a line of the plan"),
        ("a,b\n" * 500, "The table has 500 rows and 2 columns; at most 400 of each are allowed."),
        ("x" * 1_000_001, "The file has 1.0 MB; at most 1.0 MB are allowed."),
    ],
)
def test_what_is_wrong_with_a_table_is_one_sentence(text, sentence):
    with pytest.raises(Refusal) as refused:
        read(text)
    assert sentence in str(refused.value)
    assert all("{" not in language(code).refusal(refused.value) for code in LANGUAGES)


def sheet(rows):
    book = openpyxl.Workbook()
    for row in rows:
        book.active.append(row)
    out = io.BytesIO()
    book.save(out)
    return out.getvalue()


def test_a_sheet_is_read_with_its_dates_and_numbers():
    data = sheet(
        [["Month", "Customers", "Notes"], [date(2026, 6, 30), 2, "x"], [date(2026, 7, 31), 3.5, None]]
    )
    found = read_file("real.xlsx", data, EXAMPLE)
    assert [(a.key, a.values) for a in found.actuals] == [("customers", (2, 3.5))]


def test_files_that_lie_about_what_they_are_are_refused_in_a_sentence():
    bomb = io.BytesIO()
    with zipfile.ZipFile(bomb, "w", zipfile.ZIP_DEFLATED) as packed:
        packed.writestr("xl/workbook.xml", b"0" * 30_000_000)
    cases = {
        ("x.xlsx", bomb.getvalue()): "unpacks to 30 MB; at most 20 MB",
        ("x.xlsx", b"PK\x03\x04 not really"): "not a readable XLSX file",
        ("x.xlsx", sheet([])[:500]): "not a readable XLSX file",
        ("x.csv", b"\x80\x04\x95pickle\xff\xff\xff"): "is not a CSV or XLSX file",
        ("x.csv", b"0" * 1_000_001): "at most 1.0 MB",
    }
    for (name, data), sentence in cases.items():
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            with pytest.raises(Refusal, match=sentence):
                read_file(name, data, EXAMPLE)


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16", "gb18030"])
def test_a_csv_file_of_any_usual_encoding_is_read(encoding):
    found = read_file("x.csv", "月份,客户数\n2026年6月,2\n".encode(encoding), EXAMPLE)
    assert found.actuals == (Actual(key="customers", values=(2.0,)),)


@pytest.mark.parametrize("code", list(LANGUAGES))
def test_the_empty_table_is_one_that_is_read(code):
    empty = template(EXAMPLE, ("customers", "cash", "gone"), language(code))
    first, month, *_rest = empty.splitlines()
    filled = f"{first}\n{month.split(',')[0]},5,7"
    assert read(filled) == {"customers": (5,), "cash": (7,)}


@given(st.text(max_size=200))
@settings(max_examples=60, deadline=None)
def test_any_text_is_read_or_refused(text):
    try:
        read_text(text, EXAMPLE)
    except Refusal:
        return


def test_a_real_figure_is_a_blue_number_in_the_excel_file(tmp_path):
    from core.reports.xlsx import workbook

    (tmp_path / "x.xlsx").write_bytes(workbook(real(cash=[3.9e6], customers=[4]), language("en")))
    rows = {row[0].value: row for row in openpyxl.load_workbook(tmp_path / "x.xlsx")["Model"].iter_rows()}
    cash = rows["Cash at the end of the month"]
    assert cash[3].value == 3.9e6 and str(cash[4].value).startswith("=")
    assert rows["Early customers"][3].value == 4
