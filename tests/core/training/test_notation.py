"""Numbers and dates as people write them in a table."""

import numpy as np
import pytest

from core.i18n import Refusal
from core.training.notation import day, typed_number
from core.training.reading import read_csv
from core.training.tables import Table


def column(*values: str, parted: str = ",") -> Table:
    """A table of one such column, its values as often as it takes, and one of plain numbers."""
    rows = [f'"{values[i % len(values)]}"{parted}{i}' for i in range(60)]
    return read_csv("\n".join([f"a{parted}b", *rows]).encode())


@pytest.mark.parametrize(
    ("values", "parted", "numbers", "form"),
    [
        (("1,234", "12,345,678.5", "7"), ",", (1234, 12345678.5, 7), "point"),
        (("$1,200.50", "-$3", "$.5"), ",", (1200.5, -3, 0.5), "point"),
        (("12%", "7.5 %", "+3%"), ",", (12, 7.5, 3), "point"),
        (("1.234,5", "+5,25", "7"), ";", (1234.5, 5.25, 7), "comma"),
        (("1 234,5 €", "5,25 €", "7 €"), ";", (1234.5, 5.25, 7), "comma"),
        (("1,234.50", "2,000.25", "7"), ";", (1234.5, 2000.25, 7), "point"),
    ],
)
def test_numbers_are_read_as_they_are_written(
    values: tuple[str, ...], parted: str, numbers: tuple[float, ...], form: str
) -> None:
    table = column(*values, parted=parted)
    assert table.columns["a"][:3].tolist() == list(numbers)
    assert table.forms["a"] == form
    assert [typed_number("a", form, value) for value in values] == list(numbers)
    said = [str(remark) for remark in table.remarks]
    expected = f"The column a is read as numbers: {values[0]} as {numbers[0]:g}."
    assert said == ([expected] if form == "point" else [])


@pytest.mark.parametrize(
    "values",
    [
        ("1,23", "12,3456", "7"),  # no thousands
        ("$5", "€5", "7"),  # two currencies
        ("1.2.3", "4", "5"),
        ("A12", "B13"),
        ("", "x"),
        ("31/02/2024", "01/13/2024"),  # neither day nor month first
        ("2024-02-31", "2024-02-01"),
    ],
)
def test_what_is_not_all_numbers_or_dates_stays_text(values: tuple[str, ...]) -> None:
    table = column(*values)
    assert table.columns["a"].dtype == object
    assert not table.remarks


def test_a_few_words_among_many_numbers_count_as_missing_and_are_told() -> None:
    values = [f"{i}.5" for i in range(58)] + ["unknown", "-"]
    table = column(*values)
    assert np.isnan(table.columns["a"]).sum() == 2
    assert str(table.remarks[0]) == (
        "The column a counts as numbers; 2 of its values are none, such as unknown, and count as missing."
    )
    few = column(*[str(i % 5) for i in range(58)], "unknown", "-")
    assert few.columns["a"].dtype == object, "a category, of which the words may tell something"
    assert column(*[f"{i}.5" for i in range(50)], *["none"] * 10).columns["a"].dtype == object


@pytest.mark.parametrize(
    ("values", "days"),
    [
        (("31.5.2024", "01.06.2024"), ("2024-05-31", "2024-06-01")),
        (("2.3.2024", "03.04.2024"), ("2024-03-02", "2024-04-03")),
        (("31/05/2024", "01/06/2024"), ("2024-05-31", "2024-06-01")),
        (("05/31/2024", "06/01/2024"), ("2024-05-31", "2024-06-01")),
        (("2024/5/31", "2024/06/01"), ("2024-05-31", "2024-06-01")),
        (("2024年5月31日", "2024年6月1日"), ("2024-05-31", "2024-06-01")),
        (("2024/5/31 9:30", "2024/06/01 12:00:30"), ("2024-05-31 09:30:00", "2024-06-01 12:00:30")),
    ],
)
def test_dates_are_read_where_they_can_be_read_in_one_way_only(
    values: tuple[str, ...], days: tuple[str, ...]
) -> None:
    table = column(*values)
    assert table.forms["a"] == "date"
    assert [day(value) for value in table.columns["a"][:2]] == list(days)
    assert typed_number("a", "date", days[0]) == table.columns["a"][0]


def test_dates_that_can_be_read_in_two_ways_are_told_and_stay_text() -> None:
    table = column("03/04/2024", "05/06/2024")
    assert table.columns["a"].dtype == object
    assert "dates such as 03/04/2024, of which day and month cannot be told apart" in str(table.remarks[0])


def test_a_line_for_excel_and_other_marks_between_columns() -> None:
    for content in (b"sep=;\r\na;b\r\n1;2\r\n", b"a|b\n1|2\n", b"a\tb\n1\t2\n"):
        assert {name: value.tolist() for name, value in read_csv(content).columns.items()} == {
            "a": [1],
            "b": [2],
        }


def test_numbers_for_names_are_told() -> None:
    assert "and 5.1 is a number" in str(read_csv(b"5.1,3.5,setosa\n" + b"4.9,3.0,setosa\n" * 60).remarks[0])
    assert not read_csv(b"shop,2023,name\n" + b"a,3.0,b\n" * 60).remarks


def test_a_blank_value_is_missing() -> None:
    assert column("x y", "  ").columns["a"][:2].tolist() == ["x y", None]


def test_a_sign_is_typed_only_where_the_column_has_one() -> None:
    for form, typed in (("", "1,234"), ("", "$5"), ("point", "1,23"), ("comma", "x")):
        with pytest.raises(Refusal, match="a number is needed"):
            typed_number("a", form, typed)
