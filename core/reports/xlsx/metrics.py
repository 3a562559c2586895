"""The sheet of metrics: each figure with its definition and its benchmark, live where Excel can say it.

The formulas are those of :mod:`core.reports.xlsx.forms`. They need no more than the rows of the model
and two rows of workings below it. A metric without a formula there, or whose lines the plan does not
have, is a value and says so.
"""

import numpy as np
from numpy.typing import NDArray
from xlsxwriter.utility import xl_col_to_name

from core.finance import Metric, Projection, metrics, read_unit
from core.i18n import Language
from core.reports.xlsx.book import (
    AFTER,
    FIXED,
    HEADING,
    MONTH_NAMES,
    NOTE,
    SECTION,
    TITLE,
    TOP,
    WRAPPED,
    Book,
    Look,
    Sheet,
    metric_name,
)
from core.reports.xlsx.forms import EARNED, FLOWED, Form, Forms
from core.reports.xlsx.months import FIRST, Rows

Array = NDArray[np.float64]


def write_metrics(sheet: Sheet, projection: Projection, place: Rows) -> None:
    """Fill the sheet of metrics and define the names of its cells."""
    _, found = sheet.book.say, metrics(projection)
    sheet.widths(34, 26, 20, 14, 62, 62)
    sheet.text(0, 0, sheet.name, **TITLE)
    sheet.text(1, 0, _("Each figure follows the model; where one does not apply, the cell says why."), **NOTE)
    headings = (_("Metric"), _("Value"), _("Unit"), _("Month"), _("Definition"), _("Benchmark"))
    for column, heading in enumerate(headings):
        beside: Look = {"align": "right"} if column in (1, 3) else AFTER if column in (2, 4) else {}
        sheet.text(3, column, heading, **HEADING, **beside)
    sheet.page.freeze_panes(4, 1)
    sheet.page.repeat_rows(3)
    forms = Forms(_, projection, place)
    for row, metric in enumerate(found.values(), 4):
        sheet.text(row, 0, _.text(metric.label), bold=True, **TOP)
        formula = forms.of(metric.key)
        _write_value(sheet, row, metric, formula, projection)
        unit = unit_words(metric, sheet.book, live=formula is not None)
        sheet.text(row, 2, unit, **WRAPPED, **AFTER)
        sheet.text(row, 4, _.text(metric.definition), **WRAPPED, **AFTER)
        sheet.text(row, 5, _.text(metric.benchmark), **WRAPPED)
        sheet.book.define(metric_name(metric.key), sheet.reference(row, 1))
    _write_workings(forms, projection)


def unit_words(metric: Metric, book: Book, live: bool = True) -> str:
    """The unit of a metric's kind; that it is a value, where no formula stands behind it."""
    _ = book.say
    words = {
        "money": book.currency,
        "share": "%",
        "months": _("months"),
        "month": _("month of the plan"),
        "ratio": "×",
        "answer": "",
        "customers": _("customers"),
    }[metric.kind]
    return words if live else _("{unit} (value at export)", unit=words)


def metric_look(metric: Metric, book: Book) -> str:
    """Excel's number format for a metric; an answer is the number 1 or 0 that reads as a word."""
    _ = book.say
    size = [metric.value or 0.0]
    return {
        "money": book.number_format("money", size),
        "share": "0.0%",
        "months": "0.0",
        "month": "0",
        "ratio": '0.0"×"',
        "customers": "#,##0.0",
        "answer": f'"{_("yes")}";"{_("no")}";"{_("no")}"',
    }[metric.kind]


def shown_value(metric: Metric, _: Language) -> float | str:
    """A metric's number, or the sentence that stands in its place."""
    if metric.value is not None:
        return metric.value
    assert metric.reason is not None
    return _.sentence(metric.reason)


def write_calendar_month(sheet: Sheet, row: int, column: int, metric: Metric, projection: Projection) -> None:
    """The name of the month that a metric gives, from its cell."""
    _, name = sheet.book.say, metric_name(metric.key)
    known = _.month(projection.venture.start, int(metric.value) - 1) if metric.value is not None else ""
    sheet.formula(
        row, column, f'IF(ISNUMBER({name}),INDEX({MONTH_NAMES},1,{name}),"")', known, align="right", **TOP
    )


def _write_value(
    sheet: Sheet, row: int, metric: Metric, formula: Form | None, projection: Projection
) -> None:
    _ = sheet.book.say
    look = {"num_format": metric_look(metric, sheet.book), "align": "right", **WRAPPED}
    value = shown_value(metric, _)
    if formula is not None:
        write = sheet.array_formula if formula.over_rows else sheet.formula
        write(row, 1, formula.text, value, **look)
    elif isinstance(value, str):
        sheet.text(row, 1, value, **look)
    else:
        sheet.number(row, 1, value, **look)
    if metric.kind == "month":
        write_calendar_month(sheet, row, 3, metric, projection)


def _write_workings(forms: Forms, projection: Projection) -> None:
    """What metrics need summed month by month, below the lines of the model."""
    place = forms.place
    sheet, row = place.sheet, place.last + 3
    _ = sheet.book.say
    sheet.texts(row - 1, (_("Workings of the metrics"), *[""] * (projection.months + FIRST - 1)), **SECTION)
    if forms.has("survival", "margin_per_customer"):
        earned = projection.series("survival") * projection.series("margin_per_customer")
        label = _("Expected margin of a customer so far")
        _write_sum(
            sheet, row, label, EARNED, "money/customer", ("survival", "margin_per_customer"), earned, place
        )
        row += 1
    if forms.has("net_cash_flow"):
        label = _("Net cash flow before funding, sum so far")
        _write_sum(
            sheet, row, label, FLOWED, "money", ("net_cash_flow",), projection.series("net_cash_flow"), place
        )


def _write_sum(
    sheet: Sheet,
    row: int,
    label: str,
    name: str,
    unit: str,
    lines: tuple[str, ...],
    monthly: Array,
    place: Rows,
) -> None:
    """A named row: the product of ``lines``, which gives ``monthly``, summed from month 1 on."""
    _, book = sheet.book.say, sheet.book
    values = np.cumsum(monthly).tolist()
    look = {"num_format": book.number_format(unit, values)}
    sheet.text(row, 0, label)
    sheet.text(row, 1, read_unit(unit, book.currency, _), **FIXED)
    for column, value in enumerate(values, FIRST):
        letter = xl_col_to_name(column)
        now = "*".join(f"{letter}{place.rows[line] + 1}" for line in lines)
        before = f"{xl_col_to_name(column - 1)}{row + 1}+" if column > FIRST else ""
        sheet.formula(row, column, before + now, value, **look)
    book.define(name, sheet.reference(row, FIRST, FIRST + len(values) - 1))
