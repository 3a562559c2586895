"""A founder's own lines: what is typed is a line of the plan, or is refused where it is at fault."""

import openpyxl
import pytest
from plans import EXAMPLE

from core.finance import project, why
from core.finance.formula import FormulaRefusal
from core.finance.own import draft, key_for, meant, names, own_driver, with_line, without_driver, without_line
from core.i18n import Refusal, language


def test_a_line_takes_its_unit_from_its_formula_and_stands_in_the_plan():
    line = draft(EXAMPLE, "Support hours", "customers * support_per_customer")
    assert (line.key, line.unit, line.section) == ("support_hours", "money/month", "own")
    projection = project(with_line(EXAMPLE, line))
    wanted = projection.at("customers", 7) * EXAMPLE.driver("support_per_customer").amount.median
    assert projection.at("support_hours", 7) == pytest.approx(wanted)
    found = why(projection, "support_hours", 7, language("en"))
    assert {item.name for item in found.inputs} == {"customers", "support_per_customer"}


def test_a_line_may_call_itself_this():
    line = draft(EXAMPLE, "Paid so far", "prev(this) + revenue * one_month", "money")
    assert line.formula == "prev(paid_so_far) + revenue * one_month"
    projection = project(with_line(EXAMPLE, line))
    assert projection.at("paid_so_far", 12) == pytest.approx(projection.series("revenue")[:12].sum())
    with pytest.raises(Refusal, match="needs a unit"):
        draft(EXAMPLE, "Paid so far", "prev(this) + revenue * one_month")


@pytest.mark.parametrize(
    ("formula", "unit", "at", "sentence"),
    [
        ("customers * suport", "", 12, "“suport” is not the name of a driver or a line."),
        ("1 + prev(cac)", "", 9, "“cac” has no past: prev and cumulative take lines."),
        ("revenue + customers", "", 0, "“revenue + customers” mixes money/month with customer."),
        ("revenue", "customer", 0, "The formula gives money/month, but the line is in customer."),
        ("revenue * ", "", 9, "The formula cannot be read from character 10 on."),
        ("open('x')", "", 0, "“open” is not a function"),
        ("revenue; cash", "", 7, "cannot be read from character 8 on"),
    ],
)
def test_a_fault_is_pointed_at(formula, unit, at, sentence):
    with pytest.raises(FormulaRefusal) as refused:
        draft(EXAMPLE, "Mine", formula, unit)
    assert sentence in str(refused.value)
    assert refused.value.at == at


def test_a_name_that_is_nearly_right_is_recognised():
    assert meant("suport_per_customer", names(EXAMPLE)) == "support_per_customer"
    assert meant("zzz", names(EXAMPLE)) == ""


def test_a_key_is_made_of_the_name_and_never_taken_twice():
    assert key_for("Revenue", EXAMPLE) == "revenue_2"
    assert key_for("客服成本", EXAMPLE) == "line_1"
    assert key_for("Min", EXAMPLE) == "min_2"
    assert key_for("9 lives!", EXAMPLE) == "line_1"


def test_a_line_is_replaced_in_its_place_and_one_that_others_need_stays():
    first = draft(EXAMPLE, "First", "customers")
    venture = with_line(EXAMPLE, first)
    second = draft(venture, "Second", "first * 2")
    venture = with_line(venture, second)
    venture = with_line(venture, draft(venture, "First", "customers * 3", key="first"))
    assert [line.key for line in venture.lines] == ["first", "second"]
    assert project(venture).at("second", 5) == pytest.approx(6 * project(venture).at("customers", 5))
    with pytest.raises(Refusal, match="“first” is not the name of a driver or a line"):
        without_line(venture, "first")
    assert not without_line(without_line(venture, "second"), "first").lines


def test_lines_in_a_circle_and_lines_without_a_finite_value_are_refused():
    one = draft(EXAMPLE, "One", "customers")
    venture = with_line(EXAMPLE, one)
    venture = with_line(venture, draft(venture, "Two", "one"))
    circle = draft(venture, "One", "two", key="one", unit_text="customer")
    with pytest.raises(Refusal, match="circle"):
        with_line(venture, circle)
    with pytest.raises(Refusal, match="no finite value"):
        with_line(EXAMPLE, draft(EXAMPLE, "Boom", "1 / (customers * 0)"))


def test_an_own_driver_is_checked_used_and_kept_while_a_line_needs_it():
    driver = own_driver(EXAMPLE, "Hours per customer", "person/customer", "0.1 to 0.3")
    venture = EXAMPLE.add_driver(driver)
    assert (driver.key, driver.distribution, driver.source.kind) == (
        "hours_per_customer",
        "lognormal",
        "typed",
    )
    venture = with_line(venture, draft(venture, "Helpers", "customers * hours_per_customer"))
    with pytest.raises(Refusal, match="Helpers"):
        without_driver(venture, "hours_per_customer")
    assert without_driver(without_line(venture, "helpers"), "hours_per_customer") == EXAMPLE
    with pytest.raises(Refusal, match="belongs to the plan"):
        without_driver(venture, "cac")
    with pytest.raises(Refusal, match="at most 100% is allowed"):
        own_driver(EXAMPLE, "Share", "1", "120%")
    with pytest.raises(Refusal, match="is not a unit"):
        own_driver(EXAMPLE, "Share", "parsec", "1")


def test_an_own_line_is_a_live_formula_in_the_excel_file(tmp_path):
    from core.reports.xlsx import workbook

    venture = EXAMPLE.add_driver(own_driver(EXAMPLE, "Kits", "money/customer", "100"))
    venture = with_line(venture, draft(venture, "Kit cost", "new_customers * kits"))
    (tmp_path / "x.xlsx").write_bytes(workbook(venture, language("en")))
    sheet = openpyxl.load_workbook(tmp_path / "x.xlsx")["Model"]
    (row,) = [row for row in sheet.iter_rows() if row[0].value == "Kit cost"]
    assert "in_kits" in row[3].value and row[3].value.startswith("=")
