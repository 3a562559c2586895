"""The first sheet: what the venture is, the figures that are asked for first, and cash as a chart."""

from datetime import date

from core.finance import Metric, Projection, metrics, read_unit
from core.reports.edition import edition
from core.reports.xlsx.book import (
    AFTER,
    BLUE,
    FIXED,
    HEADING,
    TITLE,
    TOP,
    WRAPPED,
    Sheet,
    line_name,
    metric_name,
)
from core.reports.xlsx.metrics import metric_look, shown_value, unit_words, write_calendar_month
from core.reports.xlsx.months import Rows

KEY_LINES = ("customers", "mrr", "revenue", "gross_margin", "ebitda", "cash")
"""The lines that are read off at the end of each year, where the plan has them."""


def write_summary(sheet: Sheet, projection: Projection, place: Rows, on: date) -> None:
    """Fill the summary; its figures are formulas that follow the sheets of metrics and model."""
    _, venture = sheet.book.say, projection.venture
    sheet.widths(34, 26, 20, 16, 16, 3)
    sheet.text(0, 0, _.text(venture.name), **TITLE)
    sheet.text(1, 0, _.text(venture.promise))
    facts = (
        (_("As of"), _.moment(on)),
        (_("First month"), _.month(venture.start, 0)),
        (_("Months in the plan"), str(projection.months)),
        (_("Currency"), venture.currency),
        (_("Model version"), edition(projection.model)),
    )
    for row, (name, value) in enumerate(facts, 3):
        sheet.text(row, 0, name, **FIXED)
        sheet.text(row, 1, value)
    row = _write_metrics(sheet, 4 + len(facts), list(metrics(projection).values()), projection)
    _write_years(sheet, row + 1, projection)
    _write_chart(sheet, projection, place)


def _write_metrics(sheet: Sheet, row: int, found: list[Metric], projection: Projection) -> int:
    _ = sheet.book.say
    sheet.text(row, 0, _("Key figures"), **HEADING)
    sheet.text(row, 1, _("Value"), **HEADING, align="right")
    sheet.text(row, 2, _("Unit"), **HEADING, **AFTER)
    sheet.text(row, 3, _("Month"), **HEADING, align="right")
    for metric in found:
        row += 1
        sheet.text(row, 0, _.text(metric.label), **WRAPPED)
        sheet.formula(
            row,
            1,
            metric_name(metric.key),
            shown_value(metric, _),
            num_format=metric_look(metric, sheet.book),
            align="right",
            **WRAPPED,
        )
        sheet.text(row, 2, unit_words(metric, sheet.book), **AFTER, **TOP)
        if metric.kind == "month":
            write_calendar_month(sheet, row, 3, metric, projection)
    return row + 1


def _write_years(sheet: Sheet, row: int, projection: Projection) -> None:
    """The key lines at the end of each of the first three years, and of the plan."""
    _, model = sheet.book.say, projection.model
    months = year_ends(projection.months)
    sheet.texts(row, (_("At the end of the month"), _("Unit")), **HEADING)
    for column, month in enumerate(months, 2):
        sheet.text(row, column, _.month(projection.venture.start, month - 1), **HEADING, align="right")
    for key in (key for key in KEY_LINES if key in model.lines):
        row += 1
        line = model.lines[key]
        values = [projection.at(key, month) for month in months]
        look = {"num_format": sheet.book.number_format(line.unit, values)}
        sheet.text(row, 0, _.text(line.label))
        sheet.text(row, 1, read_unit(line.unit, sheet.book.currency, _), **FIXED)
        for column, (month, value) in enumerate(zip(months, values, strict=True), 2):
            sheet.formula(row, column, f"INDEX({line_name(key)},1,{month})", value, **look)


def year_ends(months: int) -> list[int]:
    """The months 12, 24 and 36 that the plan has; its last month if it has none of them."""
    return [month for month in (12, 24, 36) if month <= months] or [months]


def _write_chart(sheet: Sheet, projection: Projection, place: Rows) -> None:
    if "cash" not in projection.model.lines:
        return
    _ = sheet.book.say
    chart = sheet.book.cash_chart(
        _("Cash by month"),
        [
            {
                "name": "=" + place.label("cash"),
                "categories": "=" + place.month_names(),
                "values": "=" + place.line("cash"),
                "line": {"color": BLUE, "width": 2.5},
            }
        ],
        projection.months,
    )
    sheet.page.insert_chart(3, 6, chart, {"description": _("Cash at the end of each month, as a line")})
